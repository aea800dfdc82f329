//! `story`: what happened, as the ledger tells it.

use grace_govern::journal::{Event, Journal};
use grace_govern::story::{self, Amendment, Told};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Answer, Context};
use crate::args::{Format, LedgerArgs, StoryCommand};
use crate::failure::{Failure, Result};
use crate::load::{ledger, told};
use crate::screen;

/// Stories as JSON.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct StoriesReport<'a> {
    schema: &'static str,
    version: u32,
    stories: &'a [Told],
}

pub(super) fn story(context: &Context, command: &StoryCommand) -> Result<Answer> {
    match command {
        StoryCommand::List { last, source } => {
            listed(context, stories(context, source)?, *last, "no story; every run tells one: grace-rules run")
        }
        StoryCommand::Search { text, source } => {
            let mut found = stories(context, source)?;
            found.retain(|story| story.holds(text));
            let any = !found.is_empty();
            Ok(Answer { code: u8::from(!any), ..listed(context, found, usize::MAX, "no story holds this")? })
        }
        StoryCommand::Show { id, source } => show(context, *id, source),
        StoryCommand::Amend { id, story, because, actor } => {
            let repository = context.place.repository()?;
            let own = LedgerArgs::default();
            let told = one(context, *id, &own)?;
            let fields = told::file(&context.place, story)?;
            if fields.is_empty() || because.trim().is_empty() {
                return Err(Failure::new("input", "nothing is added").help("name fields in the file, and say why"));
            }
            let journal = Journal::open(repository, actor.as_deref())?;
            let amendment = Amendment { story: told.id, fields, because: because.clone() };
            journal.append(&[Event::Amendment(amendment)])?;
            show(context, *id, &own)
        }
    }
}

/// All stories, oldest first.
fn stories(context: &Context, source: &LedgerArgs) -> Result<Vec<Told>> {
    let ledger = ledger::read(&context.place, source)?;
    Ok(ledger.map(|ledger| story::all(&ledger)).transpose()?.unwrap_or_default())
}

fn one(context: &Context, id: u64, source: &LedgerArgs) -> Result<Told> {
    stories(context, source)?.into_iter().find(|story| story.id == id).ok_or_else(|| {
        Failure::new("input", format!("there is no story {id}")).help("grace-rules story list shows what there is")
    })
}

fn listed(context: &Context, mut stories: Vec<Told>, last: usize, none: &str) -> Result<Answer> {
    stories.reverse();
    stories.truncate(last);
    if context.is_json() {
        return Answer::json(&StoriesReport { schema: "grace-rules/stories", version: 1, stories: &stories }, true);
    }
    let mut page = context.page();
    match stories.as_slice() {
        [] => page.line(0, none),
        stories => screen::story::list(&mut page, stories),
    }
    Ok(Answer::yes(page.finish()))
}

fn show(context: &Context, id: u64, source: &LedgerArgs) -> Result<Answer> {
    let story = one(context, id, source)?;
    match context.format {
        Format::Markdown => return Ok(Answer::yes(screen::story::markdown(&story))),
        Format::Html => return Ok(Answer::yes(screen::story::html(&story))),
        Format::Json => {
            let report = StoriesReport { schema: "grace-rules/stories", version: 1, stories: &[story] };
            return Answer::json(&report, true);
        }
        _ => {}
    }
    let mut page = context.page();
    screen::story::one(&mut page, &story);
    Ok(Answer::yes(page.finish()))
}
