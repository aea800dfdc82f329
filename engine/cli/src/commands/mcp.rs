//! `mcp`: the answers of the command line over the Model Context Protocol: six questions, none of which changes anything.
//!
//! Each tool is one command with `--format json`, and answers with the same JSON. What is known of the work tree is kept up to date
//! in the process; other commits, and what decides (`gate`), are loaded as the command loads them.

use grace_engine::Engine;
use grace_engine::plan::Plan;
use grace_server::{Ask, Offer, Reply, Resource, Tool, serve};
use grace_system::watch::{Touched, Watch};
use serde_json::{Map, Value, json};

use super::gate::{self, Records};
use super::plan::{PlanReport, Signed};
use super::{Answer, Context, agents_md, carrying, check, cost, explain, graph, plan, story};
use crate::args::agents::CostArgs;
use crate::args::{ChangeArgs, CheckArgs, ExplainArgs, Format, GraphArgs, LedgerArgs, StoryCommand};
use crate::failure::{Failure, Result};
use crate::load::estimate::{self, Estimate};
use crate::load::session::{Refreshed, Session};
use crate::load::{Cache, Loaded, Place, reach};
use crate::progress::Progress;

/// Longest answer of a tool, in bytes of JSON.
const MAX_ANSWER: usize = 512 << 10;

/// Longest text of an argument, in bytes.
const LONGEST: usize = 4096;

/// What a client is told of the whole.
const INSTRUCTIONS: &str = "Rules of this repository for changes. Ask `cost` before an edit, `plan` after it, `gate` for what is \
                            still missing; `explain` says why. All of it only reads. Bundles are run by the command \
                            `grace-rules run`, and approvals are given by people.";

pub(super) fn mcp(context: &Context) -> Result<Answer> {
    let offer = Offer {
        version: env!("CARGO_PKG_VERSION"),
        instructions: INSTRUCTIONS,
        tools: tools(),
        resources: vec![
            Resource { uri: "grace://rules", name: "rules", says: "every rule in force, the strictest first" },
            Resource { uri: "grace://story/{id}", name: "story", says: "what happened with a change, by its number" },
        ],
    };
    let again = |format| -> Result<Context> {
        let place = Place::find(Some(&context.place.directory), &context.cancel)?;
        Ok(Context { place, format, width: context.width, progress: Progress::Silent, cancel: context.cancel.clone() })
    };
    let (asking, telling) = (again(Format::Json)?, again(Format::Markdown)?);
    let unnamed = ChangeArgs::default();
    let mut warm = Warm { context: &asking, args: &unnamed, held: None };
    let answer = |ask: Ask| -> Reply {
        match ask {
            Ask::Tool { name, arguments } => tool(&asking, &mut warm, &name, &arguments),
            Ask::Resource { uri } => resource(&telling, &uri).map(|text| Value::String(clipped(text))),
        }
        .map_err(|failure| {
            let help = failure.help.map(|help| format!("\nhelp: {help}")).unwrap_or_default();
            format!("{}{help}", failure.message)
        })
    };
    serve(offer, answer)
        .map_err(|why| Failure::new("input", format!("the client does not speak the protocol: {why}")))?;
    Ok(Answer::yes(String::new()))
}

fn tools() -> Vec<Tool> {
    let text = |says: &str| json!({"type": "string", "description": says});
    let change = || {
        [("base", text("compare from this commit")), ("head", text("compare to this commit instead of the work tree"))]
    };
    let tool = |name, says, properties: Vec<(&str, Value)>, required: &[&str]| {
        let properties: Map<String, Value> =
            properties.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect();
        let input = json!({"type": "object", "properties": properties, "required": required});
        let Value::Object(input) = input else { return Tool { name, says, input: Map::new() } };
        Tool { name, says, input }
    };
    vec![
        tool(
            "plan",
            "What must happen for the change as it is now: tier, approvals, bundles, and why.",
            change().to_vec(),
            &[],
        ),
        tool(
            "cost",
            "Before an edit: tier, approvals, bundles and time that a change there would ask for.",
            vec![("what", text("a file, a directory, or a dotted name or the end of one"))],
            &["what"],
        ),
        tool("gate", "Whether the change may go, and what is missing. Records nothing.", change().to_vec(), &[]),
        tool(
            "explain",
            "Why something is in the plan, or why not.",
            [
                change().to_vec(),
                vec![(
                    "what",
                    text("tier, bundle NAME, test ID, rule NAME, file PATH, symbol NAME, or a code such as E021"),
                )],
            ]
            .concat(),
            &["what"],
        ),
        tool("check", "Whether the rules are right: everything that is wrong in them.", Vec::new(), &[]),
        tool(
            "graph_query",
            "The parts of the code in a set of the rules' language, such as `callers(function(\"save\"), within 2)`.",
            vec![("set", text("the set"))],
            &["set"],
        ),
    ]
}

fn tool(context: &Context, warm: &mut Warm<'_>, name: &str, arguments: &Map<String, Value>) -> Result<Value> {
    let change = || -> Result<ChangeArgs> {
        let (base, head) = (text(arguments, "base")?, text(arguments, "head")?);
        Ok(ChangeArgs { base, head, ..ChangeArgs::default() })
    };
    let wanted = |name: &str| -> Result<String> {
        text(arguments, name)?.ok_or_else(|| Failure::new("input", format!("`{name}` is needed")))
    };
    let of_tree = |change: &ChangeArgs| *change == ChangeArgs::default();
    let answer = match name {
        "plan" => {
            let change = change()?;
            if of_tree(&change)
                && let Some(value) = warm.plan()?
            {
                return Ok(bounded(value));
            }
            plan::plan(context, &change)?
        }
        "cost" => {
            let what = wanted("what")?;
            match warm.cost(&what)? {
                Some(answer) => answer,
                None => cost::cost(context, &CostArgs { what, no_cache: false })?,
            }
        }
        "gate" => {
            let change = change()?;
            // Who names nothing asks about the work tree.
            let worktree = change.base.is_none() && change.head.is_none();
            gate::decided(context, &ChangeArgs { worktree, ..change }, Records::None)?.answer
        }
        "explain" => {
            let what: Vec<String> = wanted("what")?.split_whitespace().map(str::to_owned).collect();
            let change = change()?;
            match if of_tree(&change) { warm.explain(&what)? } else { None } {
                Some(answer) => answer,
                None => explain::explain(context, &ExplainArgs { what, change })?,
            }
        }
        "check" => match warm.check()? {
            Some(value) => return Ok(bounded(value)),
            None => check::check(context, &CheckArgs { rules: None, no_cache: false })?,
        },
        "graph_query" => {
            let set = wanted("set")?;
            match warm.query(&set)? {
                Some(answer) => answer,
                None => graph::query(context, &set, &GraphArgs::default())?,
            }
        }
        _ => return Err(Failure::new("input", format!("there is no tool `{}`", name.escape_debug()))),
    };
    parsed(&answer).map(bounded)
}

fn parsed(answer: &Answer) -> Result<Value> {
    serde_json::from_str(&answer.text).map_err(|error| Failure::new("bug", error))
}

/// An answer that an agent can read: where it is too long, lists are cut at their end, then texts, and `left_off` says so.
fn bounded(mut value: Value) -> Value {
    let long = |value: &Value| size(value) > MAX_ANSWER;
    if !long(&value) {
        return value;
    }
    let mut left_off = 0;
    for (items, letters) in [(1000, usize::MAX), (200, 4000), (50, 1000), (10, 300), (3, 100), (1, 40)] {
        left_off += cut(&mut value, items, letters);
        if !long(&value) {
            break;
        }
    }
    let said = json!(format!("{left_off} parts of this answer; the command line gives all of it"));
    match &mut value {
        Value::Object(fields) => {
            fields.insert("left_off".to_owned(), said);
        }
        Value::Array(items) => items.push(json!({ "left_off": said })),
        _ => {}
    }
    value
}

/// About how long it is as JSON, without writing it.
fn size(value: &Value) -> usize {
    match value {
        Value::Array(list) => 2 + list.iter().map(|one| size(one) + 1).sum::<usize>(),
        Value::Object(fields) => 2 + fields.iter().map(|(name, one)| name.len() + 4 + size(one)).sum::<usize>(),
        // Most letters are written as they are; those that are not count for more.
        Value::String(text) => 2 + text.len() + text.bytes().filter(|byte| *byte < 0x20 || *byte == b'"').count(),
        _ => 8,
    }
}

/// Cuts lists and texts; how many items and texts were cut off.
fn cut(value: &mut Value, items: usize, letters: usize) -> usize {
    match value {
        Value::Array(list) => {
            let gone = list.len().saturating_sub(items);
            list.truncate(items);
            gone + list.iter_mut().map(|one| cut(one, items, letters)).sum::<usize>()
        }
        Value::Object(fields) => fields.values_mut().map(|one| cut(one, items, letters)).sum(),
        Value::String(text) => match text.char_indices().nth(letters) {
            Some((at, _)) => {
                text.truncate(at);
                text.push('…');
                1
            }
            None => 0,
        },
        _ => 0,
    }
}

/// A text among the arguments; absent, or null, is none.
fn text(arguments: &Map<String, Value>, name: &str) -> Result<Option<String>> {
    match arguments.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.len() <= LONGEST && !text.starts_with('-') => Ok(Some(text.clone())),
        Some(_) => Err(Failure::new("input", format!("`{name}` is no text of at most {LONGEST} bytes"))),
    }
}

fn resource(context: &Context, uri: &str) -> Result<String> {
    if uri == "grace://rules" {
        return agents_md::rules_text(context);
    }
    let id = uri.strip_prefix("grace://story/").and_then(|id| id.parse().ok());
    let Some(id) = id else {
        return Err(Failure::new("input", "there is no such resource").help("grace://rules, or grace://story/184"));
    };
    story::story(context, &StoryCommand::Show { id, source: LedgerArgs::default() }).map(|answer| answer.text)
}

/// A text to read, cut at its end where it is too long.
fn clipped(mut text: String) -> String {
    if text.len() > MAX_ANSWER {
        text.truncate(text.floor_char_boundary(MAX_ANSWER));
        text.push_str("…\n\nThe rest is left off; the command line gives all of it.\n");
    }
    text
}

/// What is known of the work tree, kept up to date as files are saved.
struct Warm<'a> {
    context: &'a Context,
    args: &'a ChangeArgs,
    held: Option<Held<'a>>,
}

struct Held<'a> {
    watch: Watch,
    session: Session<'a>,
    /// What follows from the session as it is.
    derived: Derived,
}

#[derive(Default)]
struct Derived {
    /// The plan, with its estimate.
    plan: Option<(Plan, Option<Estimate>)>,
    /// An engine without a change, for what an edit would cost.
    unchanged: Option<(Engine, Loaded)>,
    /// What is wrong in the rules.
    check: Option<Value>,
}

impl<'a> Warm<'a> {
    /// The session with what was saved before now; `None` where nothing can be kept up to date here.
    fn now(&mut self) -> Result<Option<&mut Held<'a>>> {
        let Ok(repository) = &self.context.place.repository else { return Ok(None) };
        if self.held.is_none() {
            // Before the tree is read: what is saved while it is read is not missed.
            let git = [repository.git_dir(), repository.common_dir()];
            let watch = Watch::new(&self.context.place.root, &git, &reach::folder(repository), &self.context.cancel);
            let Ok(watch) = watch else { return Ok(None) };
            let session = Session::open(&self.context.place, self.args, Progress::Silent)?;
            self.held = Some(Held { watch, session, derived: Derived::default() });
        } else if let Some(held) = &mut self.held {
            let touched: Touched = held.watch.until_now(&repository.git_dir().join("grace").join("marks"));
            match held.session.refresh(&touched) {
                Ok(Refreshed::Nothing) => {}
                Ok(Refreshed::Edited | Refreshed::Loaded) => held.derived = Derived::default(),
                Err(failure) => {
                    held.derived = Derived::default();
                    return Err(failure);
                }
            }
        }
        Ok(self.held.as_mut())
    }

    /// The plan as `plan --format json` gives it.
    fn plan(&mut self) -> Result<Option<Value>> {
        let context = self.context;
        let repository = context.place.repository()?;
        let Some(held) = self.now()? else { return Ok(None) };
        let (plan, estimate) = held.derived.plan.get_or_insert_with(|| {
            let plan = held.session.engine().plan();
            let memory = &held.session.loaded().memory;
            let runs = plan.denials.is_empty() && !plan.bundles.is_empty();
            let estimate = runs.then(|| estimate::of(repository, memory, &plan, carrying::at_once())).flatten();
            (plan, estimate)
        });
        // What people sign comes and goes beside the tree.
        let signed = Signed::of(context, plan, held.session.loaded())?;
        let report = PlanReport::new(plan, held.session.loaded(), *estimate).signed(signed);
        serde_json::to_value(&report).map(Some).map_err(|error| Failure::new("bug", error))
    }

    /// The answer of `cost`. Between two edits the tree is read once.
    fn cost(&mut self, what: &str) -> Result<Option<Answer>> {
        let context = self.context;
        let Some(held) = self.now()? else { return Ok(None) };
        let (mut engine, loaded) = match held.derived.unchanged.take() {
            Some(known) => known,
            None => cost::unchanged(context, Cache::Checked)?,
        };
        let report = cost::report_of(context, what, &mut engine, &loaded);
        held.derived.unchanged = Some((engine, loaded));
        Answer::json(&report?, true).map(Some)
    }

    fn explain(&mut self, what: &[String]) -> Result<Option<Answer>> {
        let context = self.context;
        let Some(held) = self.now()? else { return Ok(None) };
        let (engine, loaded) = held.session.parts();
        explain::by(context, engine, loaded, what).map(Some)
    }

    fn query(&mut self, set: &str) -> Result<Option<Answer>> {
        let Some(held) = self.now()? else { return Ok(None) };
        let (engine, loaded) = held.session.parts();
        let Some(book) = loaded.books().last() else { return Ok(None) };
        graph::query_by(set, engine, Some(book)).map(Some)
    }

    fn check(&mut self) -> Result<Option<Value>> {
        let context = self.context;
        let Some(held) = self.now()? else { return Ok(None) };
        if held.derived.check.is_none() {
            let answer = check::check(context, &CheckArgs { rules: None, no_cache: false })?;
            held.derived.check = Some(parsed(&answer)?);
        }
        Ok(held.derived.check.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_answered_ends() {
        assert_eq!(bounded(json!({"a": [1, 2]})), json!({"a": [1, 2]}));
        assert!(clipped("ä".repeat(MAX_ANSWER)).len() < MAX_ANSWER + 100);
        let wide = json!({"tier": 3, "tests": vec!["x".repeat(50); 100_000]});
        let nested = json!(vec![json!({"because": vec![json!({"says": "y".repeat(5000)}); 100]}); 100]);
        for value in [wide, nested] {
            let answer = bounded(value);
            assert!(answer.to_string().len() <= MAX_ANSWER + 200);
            assert!(answer.to_string().contains("left_off"));
            assert!(answer.is_array() || answer["tier"] == 3);
        }
    }
}
