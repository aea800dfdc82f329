//! Files that no parser reads and that use others all the same: components, templates, compiled modules, scripts. What they
//! use is not seen, so they hang on all that they may use.

use super::{Links, Tree};
use crate::code::{Dependent, FileId, FolderUse, LanguageFamily};
use crate::layout::{base_name, directory_of};
use crate::test_names::is_script;

/// What files of an ending may use.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Uses {
    /// Code of their package that they may load, and its data.
    Package,
    /// Anything: what a script runs, it need not lie near.
    Tree,
    /// Others of their kind, below a folder of such.
    Templates,
}

fn uses(path: &str) -> Option<Uses> {
    let (stem, ending) = base_name(path).rsplit_once('.')?;
    let found = match ending {
        "proto" | "graphql" | "gql" | "thrift" => Uses::Package,
        _ if LanguageFamily::of_unread(path).is_some() => Uses::Package,
        _ if is_script(path) => Uses::Tree,
        "html" | "htm" | "xhtml" | "jinja" | "jinja2" | "j2" | "mako" | "tmpl" | "tpl" | "hbs" | "handlebars"
        | "mustache" | "ejs" | "pug" | "jade" | "njk" | "liquid" | "twig" | "eta" | "erb" | "haml" | "slim" => {
            Uses::Templates
        }
        _ => return None,
    };
    (!stem.is_empty()).then_some(found)
}

/// Whether a file may use others without being read.
pub(crate) fn may_use(path: &str) -> bool {
    uses(path).is_some()
}

/// Files that say where a package begins.
const MANIFESTS: [&str; 9] = [
    "package.json",
    "pyproject.toml",
    "setup.py",
    "setup.cfg",
    "Cargo.toml",
    "go.mod",
    "pom.xml",
    "build.gradle",
    "composer.json",
];

/// Whether a file says where a package begins.
pub(crate) fn begins_package(path: &str) -> bool {
    MANIFESTS.contains(&base_name(path))
}

/// What a file that is not read hangs on.
pub(super) fn link(tree: Tree<'_>, file: FileId) -> Links {
    let path = &*tree.nodes.file(file).path;
    let Some(uses) = uses(path).filter(|_| tree.nodes.file(file).language.is_none()) else { return Links::default() };
    let (part, site) = (tree.nodes.body_of(file), 0);
    let hangs = |folder: &str, usage| Dependent { folder: folder.into(), usage, part, site };
    let package = || -> &str {
        let mut at = directory_of(path);
        let has = |at: &str, name: &str| {
            let path = if at.is_empty() { name.to_owned() } else { format!("{at}/{name}") };
            tree.nodes.file_by_path(&path).is_some()
        };
        while !at.is_empty() && !MANIFESTS.iter().any(|name| has(at, name)) {
            at = directory_of(at);
        }
        at
    };
    let mut dependents = match uses {
        Uses::Package => vec![hangs(package(), FolderUse::Loads), hangs(package(), FolderUse::Reads)],
        Uses::Tree => vec![hangs("", FolderUse::Runs)],
        Uses::Templates => vec![hangs(templates(path), FolderUse::Reads)],
    };
    dependents.sort_unstable();
    Links { dependents, ..Links::default() }
}

/// The outermost folder of templates around one; its own where none is called so.
fn templates(path: &str) -> &str {
    const NAMES: [&str; 8] =
        ["templates", "template", "views", "layouts", "partials", "includes", "_includes", "_layouts"];
    let own = directory_of(path);
    let mut found = own;
    let mut at = own;
    while !at.is_empty() {
        if NAMES.contains(&base_name(at)) {
            found = at;
        }
        at = directory_of(at);
    }
    found
}
