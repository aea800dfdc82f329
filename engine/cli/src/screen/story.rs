//! Stories: on the screen, as Markdown, as a page.

use grace_govern::story::{Fields, Origin, Story, Told, Value};

use super::numbers::decimal;
use super::page::{Page, Style, Text, printable};
use super::plan::short_id;

/// The fields of a story by the question that they answer.
const QUESTIONS: [(&str, &[&str]); 7] = [
    ("what", &["component", "capability", "files", "models", "kernels_affected", "models_involved"]),
    ("where", &["layer", "tier", "environment"]),
    ("when", &["timestamp", "sla_completion", "audit_cadence"]),
    ("why", &["rationale", "strategic_objective", "telemetry_incident", "chaos_signature"]),
    ("who", &["requesting_actor", "approvals", "governance_tier"]),
    ("how", &["plan_steps", "playbooks_used", "tests_run", "rollback_plan"]),
    (
        "also",
        &[
            "narrative",
            "capabilities_improved",
            "expected_benefit",
            "risks_identified",
            "guardrails_checked",
            "alternatives_considered",
            "outcome",
        ],
    ),
];
/// What stands in place of texts that were deleted.
const REDACTED: &str = "redacted: the texts that were given for it were deleted";
/// The shipped principle that stories are told by.
const AUDIT_TRAIL: &str = "MAINTAIN_AUDIT_TRAIL";
/// Entries of a list that the screen shows.
const MOST: usize = 12;

/// A field's name as people read it.
fn label(name: &str) -> String {
    name.replace('_', " ")
}

fn outcome(fields: &Fields) -> (String, Style) {
    let word = fields.get("outcome").map(|field| field.value.text()).unwrap_or_default();
    let style = match word.as_str() {
        "success" => Style::Good,
        "failed" | "rolled_back" => Style::Bad,
        _ => Style::Warn,
    };
    (word, style)
}

/// Stories, one a line.
pub fn list(page: &mut Page, stories: &[Told]) {
    for story in stories {
        let (word, style) = outcome(&story.fields());
        let left = Text::new().then(Style::Strong, story.id.to_string()).plain("  ").then(style, word);
        let left = left.plain(format!("  {}", printable(&story.title())));
        let day = story.at.get(..16).unwrap_or(&story.at).replace('T', " ");
        page.row(0, left, Text::new().then(Style::Dim, day));
    }
}

/// One story.
pub fn one(page: &mut Page, story: &Told) {
    let fields = story.fields();
    let (word, style) = outcome(&fields);
    let title = Text::new().then(Style::Strong, format!("story {}", story.id)).plain("  ");
    page.row(0, title.plain(printable(&story.title())), Text::new().then(style, word));
    if let Some(summary) = fields.get("summary") {
        page.hanging(2, &Text::new(), printable(&summary.value.text()));
    }
    page.gap();
    let mut rows = Vec::new();
    for (question, names) in QUESTIONS {
        let mut first = question;
        for name in names {
            let Some(field) = fields.get(*name) else { continue };
            let from = match field.from {
                Origin::Derived => "",
                Origin::Given => "  given",
                Origin::Trailer => "  by a trailer",
            };
            let text = match &field.value {
                Value::Text(text) => printable(text),
                Value::List(list) => {
                    let shown: Vec<String> = list.iter().take(MOST).map(|entry| printable(entry)).collect();
                    let more = list.len().saturating_sub(MOST);
                    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
                    format!("{}{rest}", shown.join(", "))
                }
            };
            rows.push(vec![Text::from(first), Text::from(label(name)), Text::from(text).then(Style::Dim, from)]);
            first = "";
        }
    }
    page.table(0, &rows, &[]);
    page.gap();
    if let Some(people) = people(&story.story) {
        page.hanging(0, &Text::from("took part  "), printable(&people));
    }
    if let Some(trust) = story.story.trust.as_ref().and_then(|trust| trust.score) {
        page.line(0, format!("trust {}", decimal(trust)));
    }
    if !story.story.principles.is_empty() {
        page.hanging(0, &Text::from("principles  "), story.story.principles.join(", "));
    }
    if story.redacted {
        page.line(0, Text::new().then(Style::Warn, REDACTED));
    }
    let missing = story.missing();
    let names: Vec<String> = missing.iter().filter(|(_, given)| given.is_none()).map(|(name, _)| label(name)).collect();
    if !names.is_empty() {
        let mark = Text::new().then(Style::Warn, "missing  ");
        let upholds = story.story.principles.iter().any(|name| name == AUDIT_TRAIL);
        let by = if upholds { format!(" ({AUDIT_TRAIL})") } else { String::new() };
        page.hanging(0, &mark, format!("{}: the rules ask for it{by}", names.join(", ")));
    }
    let later: Vec<String> = missing.iter().filter_map(|(name, given)| given_later(name, *given)).collect();
    if !later.is_empty() {
        page.hanging(0, &Text::from("given later  "), later.join(", "));
    }
    for (number, at, answer) in &story.decisions {
        let head = Text::new().then(Style::Strong, format!("gate {number}  "));
        page.hanging(0, &head, format!("{}, {}", answer.word(), at.get(..10).unwrap_or(at)));
    }
    for (number, at, amendment) in &story.amendments {
        let what: Vec<String> = amendment.fields.keys().map(|name| label(name)).collect();
        let head = Text::new().then(Style::Strong, format!("amended {number}  "));
        let day = at.get(..10).unwrap_or(at);
        page.hanging(0, &head, format!("{}, {day}: {}", what.join(", "), printable(&amendment.because)));
    }
    let ids = format!("run {} · plan {}", story.story.run, short_id(&story.story.about.plan));
    page.line(0, Text::new().then(Style::Dim, ids));
}

/// A field that was missing and was given by an amendment: `risks identified (record 190)`.
fn given_later(name: &str, given: Option<u64>) -> Option<String> {
    Some(format!("{} (record {})", label(name), given?))
}

/// Who took part: `ann@example.org (signed)`.
fn people(story: &Story) -> Option<String> {
    let named = story.people.iter().map(|who| {
        let how = if who.signed { "signed" } else { "only said" };
        format!("{} ({how})", who.name)
    });
    (!story.people.is_empty()).then(|| named.collect::<Vec<_>>().join(", "))
}

/// What a story says beside its fields: people, trust, principles, and what the rules asked for and nobody gave.
fn rest(told: &Told) -> Vec<String> {
    let story = &told.story;
    let mut lines = Vec::new();
    lines.extend(told.redacted.then(|| REDACTED.to_owned()));
    lines.extend(people(story).map(|people| format!("Took part: {people}")));
    if let Some(trust) = story.trust.as_ref().and_then(|trust| trust.score) {
        lines.push(format!("Trust: {}", decimal(trust)));
    }
    if !story.principles.is_empty() {
        lines.push(format!("Principles: {}", story.principles.join(", ")));
    }
    let missing = told.missing();
    let names: Vec<String> = missing.iter().filter(|(_, given)| given.is_none()).map(|(name, _)| label(name)).collect();
    if !names.is_empty() {
        lines.push(format!("Missing, though the rules ask for it: {}", names.join(", ")));
    }
    let later: Vec<String> = missing.iter().filter_map(|(name, given)| given_later(name, *given)).collect();
    if !later.is_empty() {
        lines.push(format!("Given later: {}", later.join(", ")));
    }
    lines
}

/// A text that Markdown does not read anything into.
fn plain(text: &str) -> String {
    let mut safe = String::new();
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '!' | '~' | '&' => {
                safe.push('\\');
                safe.push(c);
            }
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}

/// The story as Markdown.
#[must_use]
pub fn markdown(story: &Told) -> String {
    let fields = story.fields();
    let mut text = format!("# Story {}: {}\n", story.id, plain(&story.title()));
    if let Some(summary) = fields.get("summary") {
        text.push_str(&format!("\n{}\n", plain(&summary.value.text())));
    }
    for (question, names) in QUESTIONS {
        let known: Vec<_> = names.iter().filter_map(|name| Some((*name, fields.get(*name)?))).collect();
        if known.is_empty() {
            continue;
        }
        text.push_str(&format!("\n## {}{}\n\n", question[..1].to_uppercase(), &question[1..]));
        for (name, field) in known {
            match &field.value {
                Value::Text(value) => text.push_str(&format!("- **{}**: {}\n", label(name), plain(value))),
                Value::List(list) => {
                    text.push_str(&format!("- **{}**:\n", label(name)));
                    list.iter().for_each(|entry| text.push_str(&format!("  - {}\n", plain(entry))));
                }
            }
        }
    }
    for (number, at, answer) in &story.decisions {
        text.push_str(&format!("\nThe gate said {} by record {number} at {at}.\n", answer.word()));
    }
    for (number, at, amendment) in &story.amendments {
        text.push_str(&format!("\nAmended by record {number} at {at}: {}\n", plain(&amendment.because)));
    }
    for line in rest(story) {
        text.push_str(&format!("\n{}\n", plain(&line)));
    }
    let record = &story.story;
    text.push_str(&format!(
        "\nRecord {} of the ledger, {}; run {}, plan {}.\n",
        story.id, story.at, record.run, record.about.plan
    ));
    text
}

/// A text that a page shows as it is.
fn escaped(text: &str) -> String {
    let mut safe = String::new();
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c if c.is_control() && c != '\n' => {}
            c => safe.push(c),
        }
    }
    safe
}

/// The look of a page: readable narrow and wide, light and dark, on paper.
const LOOK: &str = ":root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem}\
h1{font-size:1.5rem;line-height:1.25}h2{font-size:1rem;margin:1.75rem 0 .25rem;text-transform:capitalize}\
dl{display:grid;grid-template-columns:12rem 1fr;gap:.25rem 1rem;margin:0}dt{opacity:.7}dd{margin:0;overflow-wrap:anywhere}\
dd ul{margin:0;padding-left:1.1rem}.outcome{font-weight:600}.success{color:#1a7f37}.failed,.rolled_back{color:#cf222e}.pending{color:#9a6700}\
footer{margin-top:2rem;padding-top:.5rem;border-top:1px solid #8884;font-size:.85rem;opacity:.8;overflow-wrap:anywhere}\
@media(max-width:34rem){dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.5rem}}";

/// The story as a page that needs nothing else.
#[must_use]
pub fn html(story: &Told) -> String {
    let fields = story.fields();
    let (word, _) = outcome(&fields);
    let title = escaped(&story.title());
    let mut body = format!("<h1>Story {}: {title}</h1>\n", story.id);
    body.push_str(&format!("<p class=\"outcome {}\">{}</p>\n", escaped(&word), escaped(&label(&word))));
    if let Some(summary) = fields.get("summary") {
        body.push_str(&format!("<p>{}</p>\n", escaped(&summary.value.text())));
    }
    for (question, names) in QUESTIONS {
        let known: Vec<_> = names.iter().filter_map(|name| Some((*name, fields.get(*name)?))).collect();
        if known.is_empty() {
            continue;
        }
        body.push_str(&format!("<h2>{question}</h2>\n<dl>\n"));
        for (name, field) in known {
            let value = match &field.value {
                Value::Text(text) => escaped(text),
                Value::List(list) => {
                    let entries: String = list.iter().map(|entry| format!("<li>{}</li>", escaped(entry))).collect();
                    format!("<ul>{entries}</ul>")
                }
            };
            body.push_str(&format!("<dt>{}</dt><dd>{value}</dd>\n", label(name)));
        }
        body.push_str("</dl>\n");
    }
    let mut foot = String::new();
    for line in rest(story) {
        foot.push_str(&format!("{}<br>\n", escaped(&line)));
    }
    for (number, at, answer) in &story.decisions {
        foot.push_str(&format!("The gate said {} by record {number} at {}.<br>\n", answer.word(), escaped(at)));
    }
    for (number, at, amendment) in &story.amendments {
        foot.push_str(&format!("Amended by record {number} at {}: {}<br>\n", escaped(at), escaped(&amendment.because)));
    }
    foot.push_str(&format!(
        "Record {} of the ledger, {}; run {}, plan {}.",
        story.id,
        escaped(&story.at),
        escaped(&story.story.run),
        escaped(&story.story.about.plan)
    ));
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>Story {}: {title}</title>\n<style>{LOOK}</style>\n</head>\n<body>\n{body}<footer>{foot}</footer>\n</body>\n</html>\n",
        story.id
    )
}
