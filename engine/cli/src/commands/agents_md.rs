//! `agents-md`: the rules in force, in the words that coding agents read.

use std::fmt::Write as _;

use grace_engine::digest::{RuleDigest, digest as rules_of};
use grace_system::files::{self, FileErrorKind};

use super::{Answer, Context};
use crate::args::agents::AgentsMdArgs;
use crate::failure::{Failure, Result};
use crate::load;
use crate::screen::page::{Style, Text};

/// The file.
const FILE: &str = "AGENTS.md";
/// Largest one that is read, in bytes.
const MAX_FILE: u64 = 4 << 20;
/// The marks around what is ours.
const BEGIN: &str = "<!-- grace-rules: begin; written by `grace-rules agents-md --write`, changed in grace/ -->";
const BEGIN_WORD: &str = "<!-- grace-rules: begin";
const END: &str = "<!-- grace-rules: end -->";
/// Rules that are listed; agents pay for each line.
const MOST_RULES: usize = 40;
/// Rules that an agent is told of when it begins.
const MOST_AT_START: usize = 10;
/// Longest text of a condition.
const MOST_TEXT: usize = 160;

pub(super) fn agents_md(context: &Context, args: &AgentsMdArgs) -> Result<Answer> {
    let block = block(&rules(context)?);
    if !args.write {
        return Ok(Answer::yes(block));
    }
    let path = context.place.root.join(FILE);
    let before = match files::read_text(&path, MAX_FILE) {
        Ok(text) => text,
        Err(error) if error.kind == FileErrorKind::NotFound => String::new(),
        Err(error) => return Err(error.into()),
    };
    let after = replaced(&before, &block).ok_or_else(|| {
        Failure::new("input", format!("{FILE} has a mark of grace-rules without the other, or twice"))
            .help(format!("leave one `{BEGIN_WORD} … -->` and one `{END}` behind it, or none"))
    })?;
    let changed = after != before;
    if changed {
        files::write_atomic(&path, after.as_bytes())?;
    }
    let mut page = context.page();
    let word = if changed { Text::new().then(Style::Good, "wrote") } else { Text::new().then(Style::Dim, "kept") };
    page.line(0, word.plain(format!("  {FILE}")));
    Ok(Answer::yes(page.finish()))
}

fn rules(context: &Context) -> Result<Vec<RuleDigest>> {
    let book = load::rules_here(&context.place, None)?.unwrap_or_else(load::shipped_floor);
    Ok(rules_of(&book))
}

/// What an agent is told when it begins.
///
/// # Errors
/// When the rules cannot be read.
pub(crate) fn digest(context: &Context) -> Result<String> {
    let rules = rules(context)?;
    let mut text = String::from(
        "This repository has rules for changes (grace-rules). Before an edit: `grace-rules cost PATH`. After it: \
         `grace-rules plan`, `grace-rules run`, `grace-rules gate`; it is asked again when you stop. Approvals are given by people, \
         never by agents.\n",
    );
    for rule in rules.iter().take(MOST_AT_START) {
        let _infallible = writeln!(text, "- {}: {}", title(rule), rule.because);
    }
    if rules.len() > MOST_AT_START {
        let _infallible = writeln!(text, "- and {} more: grace-rules explain rule NAME", rules.len() - MOST_AT_START);
    }
    Ok(text)
}

fn title(rule: &RuleDigest) -> String {
    let what = match (rule.denies, rule.tier) {
        (true, _) => "denied".to_owned(),
        (false, Some(tier)) => format!("tier {tier}"),
        (false, None) => "asks".to_owned(),
    };
    format!("{} ({what})", rule.name)
}

/// Every rule in force, as Markdown.
///
/// # Errors
/// When the rules cannot be read.
pub(crate) fn rules_text(context: &Context) -> Result<String> {
    Ok(rules(context)?.iter().fold("# Rules in force\n\n".to_owned(), |text, rule| text + &listed(rule)))
}

/// A rule in two lines.
fn listed(rule: &RuleDigest) -> String {
    let asks = if rule.asks.is_empty() { String::new() } else { format!(" Asks for {}.", rule.asks.join(", ")) };
    let remedy = rule.remedy.as_ref().map(|remedy| format!(" Instead: {remedy}")).unwrap_or_default();
    format!("- **{}** when {}.\n  {}{asks}{remedy}\n", title(rule), short(&rule.when), rule.because)
}

/// The marked block, the same for the same rules.
fn block(rules: &[RuleDigest]) -> String {
    let mut text = format!(
        "{BEGIN}\n## Rules for changes\n\n\
         What a change needs follows from the rules in `grace/` (grace-rules). Tier 3 waits for people.\n\n\
         - Before an edit: `grace-rules cost PATH` tells tier, approvals and bundles.\n\
         - After it: `grace-rules plan`, then `grace-rules run`, then `grace-rules gate`, which must say go.\n\
         - Why: `grace-rules explain rule NAME`.\n\
         - Agents sign nothing: `approve`, `deny`, `revoke`, `audit review`, `audit resume` and `drift lift` are for people. `.git/grace`, \
         `refs/grace`, `grace/allowed_signers` and the settings of hooks are not changed by agents.\n\n"
    );
    for rule in rules.iter().take(MOST_RULES) {
        text.push_str(&listed(rule));
    }
    if rules.len() > MOST_RULES {
        let _infallible = writeln!(text, "- and {} more", rules.len() - MOST_RULES);
    }
    let _infallible = writeln!(text, "{END}");
    text
}

/// On one line, and not longer than is read.
fn short(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MOST_TEXT) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}

/// The text with the block in place of the one that is there, or at its end; `None` where the marks do not pair.
fn replaced(text: &str, block: &str) -> Option<String> {
    let (begins, ends) = (text.matches(BEGIN_WORD).count(), text.matches(END).count());
    match (begins, ends) {
        (0, 0) if text.trim().is_empty() => Some(block.to_owned()),
        (0, 0) => Some(format!("{}\n\n{block}", text.trim_end())),
        (1, 1) => {
            let (start, end) = (text.find(BEGIN_WORD)?, text.find(END)? + END.len());
            // The block ends with a line break of its own.
            let rest = text.get(end..)?;
            let rest = rest.strip_prefix('\n').unwrap_or(rest);
            (start < end).then(|| format!("{}{block}{rest}", &text[..start]))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_block_is_put_once_and_nothing_else_is_touched() {
        let block = block(&[]);
        let text = "# Agents\n\nBe kind.\n";
        let once = replaced(text, &block).unwrap();
        assert!(once.starts_with(text));
        assert_eq!(replaced(&once, &block).unwrap(), once);
        let around = format!("{once}\nmore\n");
        let other = block.replace("waits", "WAITS");
        let changed = replaced(&around, &other).unwrap();
        assert_eq!(changed, around.replace("waits", "WAITS"));
        assert_eq!(replaced("", &block).unwrap(), block);
    }

    #[test]
    fn marks_that_do_not_pair_are_left_alone() {
        let block = block(&[]);
        for text in [BEGIN.to_owned(), END.to_owned(), format!("{END}\n{BEGIN}"), format!("{block}{block}")] {
            assert_eq!(replaced(&text, &block), None, "{text}");
        }
    }
}
