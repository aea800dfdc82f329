//! Which comments tools read: more than one would think, so anything that looks like an order to one counts as code.

use crate::extract::shapes;

/// Words with which comments address tools, in lower case.
const WORDS: [&str; 33] = [
    "eslint",
    "jshint",
    "jslint",
    "jscs",
    "tslint",
    "oxlint",
    "biome",
    "rome-",
    "standard",
    "prettier",
    "dprint",
    "istanbul",
    "c8 ",
    "v8 ",
    "nyc",
    "webpack",
    "vite",
    "turbopack",
    "rollup",
    "parcel",
    "deno",
    "flow",
    "globals ",
    "global ",
    "exported ",
    "sourcemap",
    "sourceurl",
    "pure",
    "stryker",
    "graphql",
    "import-sort",
    "lingui",
    "i18n",
];

/// True for a comment that is not only for people: JSDoc tags (types and pragmas), directives, references, source maps,
/// licence banners, and the names of tools.
pub(super) fn is_code(comment: &str, first: bool) -> bool {
    if first && comment.starts_with("#!") {
        return true;
    }
    if comment.contains('@')
        || ["///", "//#", "/*#", "/*!", "<!--", "-->"].iter().any(|start| comment.starts_with(start))
    {
        return true;
    }
    let lower = comment.to_ascii_lowercase();
    let said = lower.trim_start_matches(['/', '*', ' ', '\t']);
    WORDS.iter().any(|word| lower.contains(word))
        || ["ts-", "html", "css", "sql", "gql", "lang=", "language="].iter().any(|word| said.starts_with(word))
        || shapes::is_code_comment(&format!("# {said}"), 9)
}
