//! `explain`: why something is in the plan, or why it is not.

use grace_dsl::Code;
use grace_engine::plan::{Explanation, Plan};
use grace_engine::{Engine, What};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Answer, Context, plan};
use crate::args::ExplainArgs;
use crate::failure::{Failure, Result};
use crate::load::{Cache, Loaded};
use crate::screen;
use crate::screen::notes::Explained;

/// Name of the JSON format of an explanation.
const SCHEMA: &str = "grace-rules/explanation";

/// The nouns that `explain` takes, as they are listed in messages.
const NOUNS: &str = "bundle NAME, test ID, tier, approval NAME, principle NAME, validation NAME, rule NAME, file PATH, \
                     symbol NAME, or a code such as E021";

#[derive(Serialize, JsonSchema)]
pub(super) struct ExplanationReport<'a> {
    schema: &'static str,
    version: u32,
    #[serde(flatten)]
    explanation: &'a Explanation,
    compared: &'a str,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct CodeReport {
    schema: &'static str,
    version: u32,
    #[serde(flatten)]
    explained: Explained,
}

pub(super) fn explain(context: &Context, args: &ExplainArgs) -> Result<Answer> {
    if let [word] = args.what.as_slice()
        && let Some(answer) = code(context, word)
    {
        return answer;
    }
    let asked = parse(&args.what)?;
    let (answer, was_whole) = explained(context, args, asked.clone(), Cache::unless(args.change.no_cache))?;
    Ok(if was_whole { answer } else { explained(context, args, asked, Cache::Checked)?.0 })
}

/// The answer, and whether everything that is remembered of the tree was there.
fn explained(context: &Context, args: &ExplainArgs, asked: Asked, cache: Cache) -> Result<(Answer, bool)> {
    let (mut engine, loaded) = plan::engine(context, &args.change, cache)?;
    let _working = context.progress.spinner("explaining");
    let explanation = explanation(&mut engine, &loaded, asked)?;
    if context.is_json() {
        return Ok((json(&explanation, &loaded)?, !loaded.memory.store.has_lost()));
    }
    let mut page = context.page();
    screen::explain::explanation(&mut page, &explanation);
    Ok((Answer::yes(page.finish()), !loaded.memory.store.has_lost()))
}

/// The answer by an engine that holds the work tree's change already, as JSON.
///
/// # Errors
/// When the words ask about nothing.
pub(super) fn by(context: &Context, engine: &mut Engine, loaded: &Loaded, words: &[String]) -> Result<Answer> {
    if let [word] = words
        && let Some(answer) = code(context, word)
    {
        return answer;
    }
    json(&explanation(engine, loaded, parse(words)?)?, loaded)
}

fn json(explanation: &Explanation, loaded: &Loaded) -> Result<Answer> {
    Answer::json(&ExplanationReport { schema: SCHEMA, version: 1, explanation, compared: &loaded.compared }, true)
}

fn explanation(engine: &mut Engine, loaded: &Loaded, asked: Asked) -> Result<Explanation> {
    let what = match asked {
        Asked::What(What::Approval(name)) => What::Approval(approval(&engine.plan(), name)),
        Asked::What(what) => what,
        Asked::Name(name) => {
            let plan = engine.plan();
            find(&plan, &name, |path| loaded.after.contains_key(path)).ok_or_else(|| {
                Failure::new("input", format!("`{}` is no word that `explain` knows", name.escape_debug()))
                    .help(format!("say what it is: {NOUNS}"))
            })?
        }
    };
    Ok(loaded.memory.kept_while(|| engine.explain(&what)))
}

/// What the words ask about.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Asked {
    What(What),
    /// A name without its noun.
    Name(String),
}

fn parse(words: &[String]) -> Result<Asked> {
    let (noun, rest) = words.split_first().ok_or_else(|| Failure::new("input", "nothing is asked about"))?;
    let name = rest.join(" ");
    let with_name = |what: fn(String) -> What| {
        if name.is_empty() {
            return Err(
                Failure::new("input", format!("`explain {noun}` needs a name")).help(format!("ask about {NOUNS}"))
            );
        }
        Ok(Asked::What(what(name.clone())))
    };
    match noun.as_str() {
        "tier" => Ok(Asked::What(What::Tier)),
        "bundle" => with_name(What::Bundle),
        "test" => with_name(What::Test),
        "approval" => with_name(What::Approval),
        "principle" => with_name(What::Principle),
        "validation" => with_name(What::Validation),
        "rule" | "policy" => with_name(What::Rule),
        "file" => with_name(What::File),
        "symbol" => with_name(What::Symbol),
        _ => Ok(Asked::Name(words.join(" "))),
    }
}

/// The approval that is meant: its whole name, or the only one whose name holds what was given.
fn approval(plan: &Plan, name: String) -> String {
    let names: Vec<&str> = plan.approvals.iter().map(|approval| approval.name.as_str()).collect();
    if names.contains(&name.as_str()) {
        return name;
    }
    match names.iter().filter(|known| known.contains(&name)).collect::<Vec<_>>().as_slice() {
        [one] => (**one).to_owned(),
        _ => name,
    }
}

/// What a name without its noun stands for, if only one thing has it.
fn find(plan: &Plan, name: &str, is_file: impl Fn(&str) -> bool) -> Option<What> {
    let path = name.trim_start_matches("./");
    if is_file(path) {
        return Some(What::File(path.to_owned()));
    }
    if name.contains("::") {
        return Some(What::Test(name.to_owned()));
    }
    let mut found = Vec::new();
    if plan.bundles.iter().any(|bundle| bundle.name == name) || plan.not_run.iter().any(|bundle| bundle.name == name) {
        found.push(What::Bundle(name.to_owned()));
    }
    if plan.rules.iter().any(|rule| rule.name == name) {
        found.push(What::Rule(name.to_owned()));
    }
    if plan.principles.iter().any(|principle| principle.name == name) {
        found.push(What::Principle(name.to_owned()));
    }
    if plan.approvals.iter().any(|approval| approval.name == name) {
        found.push(What::Approval(name.to_owned()));
    }
    if plan.validations.iter().any(|validation| validation.name == name || validation.validation == name) {
        found.push(What::Validation(name.to_owned()));
    }
    match found.len() {
        1 => found.pop(),
        _ => None,
    }
}

/// The explanation of a diagnostic code, of rules or of a fingerprint; `None` where the word is none.
fn code(context: &Context, word: &str) -> Option<Result<Answer>> {
    let looks_like = word.len() == 4
        && word.starts_with(['E', 'e', 'F', 'f'])
        && word.get(1..).is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()));
    let of_rules = Code::ALL.iter().find(|code| code.as_str().eq_ignore_ascii_case(word)).map(|code| Explained {
        code: code.as_str(),
        title: code.title(),
        reason: code.reason(),
        bad: code.bad(),
        good: code.good(),
    });
    let of_models = || grace_fingerprints::CODES.iter().find(|(code, ..)| code.eq_ignore_ascii_case(word));
    let explained = of_rules
        .or_else(|| of_models().map(|&(code, title, reason)| Explained { code, title, reason, bad: "", good: "" }));
    let Some(explained) = explained else {
        return looks_like.then(|| {
            Err(Failure::new("input", format!("there is no code `{word}`")).help("codes are those that `check` prints"))
        });
    };
    if context.is_json() {
        return Some(Answer::json(&CodeReport { schema: "grace-rules/code", version: 1, explained }, true));
    }
    let mut page = context.page();
    screen::notes::code(&mut page, &explained);
    Some(Ok(Answer::yes(page.finish())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn a_noun_takes_the_rest_as_its_name() {
        assert_eq!(parse(&words("tier")).unwrap(), Asked::What(What::Tier));
        let approval = parse(&words("approval 1 of team(governance)")).unwrap();
        assert_eq!(approval, Asked::What(What::Approval("1 of team(governance)".to_owned())));
        assert_eq!(parse(&words("chaos_smoke")).unwrap(), Asked::Name("chaos_smoke".to_owned()));
        assert_eq!(parse(&words("bundle")).unwrap_err().code, "input");
    }
}
