//! The reference page, made from the vocabulary, so that it cannot lag behind.

use std::fmt::Write as _;

use crate::diagnostic::Code;
use crate::vocabulary::{self, Entry, FieldEntry, FieldKind};

/// `docs/language.md` as it should stand in the repository.
pub fn reference() -> String {
    let mut page = String::from(
        "# The language of `.grace`\n\n\
         Generated from the vocabulary of the crate `grace-dsl`; do not edit.\n\n\
         A file is a list of items. An item begins with its keyword at the start of a line and goes on in clauses, each led \
         by a keyword of its own. White space is free, `#` begins a comment, texts stand in `\"` and end on their line, \
         several texts one after the other are joined. In a text `\\\"` is a quote, `\\\\` a backslash, `\\n` a new line, `\\t` a \
         tab; any other backslash stands for itself. Names have letters, digits and `_`; those of modules and intents also dots.\n",
    );
    items(&mut page);
    entries(
        &mut page,
        "Sets",
        "A set holds parts of code, models, bundles or people. `S` is a set, `N` a whole number from 1 on; `any distance` may stand for `within N`.",
        vocabulary::SETS,
    );
    entries(&mut page, "Joining sets", "Two different ones need parentheses.", vocabulary::SET_OPERATORS);
    entries(&mut page, "Conditions", "", vocabulary::CONDITIONS);
    entries(&mut page, "Joining conditions", "", vocabulary::CONDITION_OPERATORS);
    entries(&mut page, "Comparisons", "", vocabulary::COMPARISONS);
    entries(&mut page, "Tests of a field", "Several are joined by `and`.", vocabulary::FIELD_TESTS);
    entries(&mut page, "Requirements", "", vocabulary::REQUIREMENTS);
    entries(&mut page, "Given in a test", "", vocabulary::GIVENS);
    entries(&mut page, "Expected in a test", "`no` may stand before, `from RULE` behind.", vocabulary::EXPECTATIONS);
    entries(&mut page, "Rules that are built in", "", vocabulary::BUILT_IN_RULES);
    entries(&mut page, "Units", "Units are types: a comparison across kinds is an error.", vocabulary::UNITS);
    entries(&mut page, "Statistics of a KPI", "The latest value where none is named.", vocabulary::STATISTICS);
    fields(&mut page, "Fields of a model", vocabulary::MODEL_FIELDS);
    fields(&mut page, "Fields of a story", vocabulary::STORY_FIELDS);
    codes(&mut page);
    page
}

fn items(page: &mut String) {
    page.push_str("\n## Items\n");
    for item in vocabulary::ITEMS {
        let _ = write!(page, "\n### `{}`\n\n{}: {}.\n", item.word, code(item.form), item.doc);
        let lines = vocabulary::lines(item.word);
        if !item.clauses.is_empty() {
            page.push_str("\n| clause | meaning |\n|---|---|\n");
            item.clauses.iter().for_each(|clause| row(page, clause.form, clause.doc));
        }
        if !lines.is_empty() {
            page.push_str("\n| line | meaning |\n|---|---|\n");
            for line in lines {
                let doc = if line.required { format!("{}; necessary", line.doc) } else { line.doc.to_owned() };
                row(page, line.form, &doc);
            }
        }
        let example = crate::format(item.example).unwrap_or_else(|_| item.example.to_owned());
        let _ = write!(page, "\n```\n{}\n```\n", example.trim_end());
    }
}

fn entries(page: &mut String, title: &str, text: &str, entries: &[Entry]) {
    let _ = write!(page, "\n## {title}\n");
    if !text.is_empty() {
        let _ = write!(page, "\n{text}\n");
    }
    page.push_str("\n| form | meaning |\n|---|---|\n");
    entries.iter().for_each(|entry| row(page, entry.form, entry.doc));
}

fn fields(page: &mut String, title: &str, fields: &[FieldEntry]) {
    let _ = write!(page, "\n## {title}\n\n| field | holds | meaning |\n|---|---|---|\n");
    for field in fields {
        let holds = match field.kind {
            FieldKind::YesNo => "`yes` or `no`".to_owned(),
            FieldKind::Words(words) => words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "),
            FieldKind::Text => "a text".to_owned(),
            FieldKind::List => "a list".to_owned(),
            FieldKind::Number => "a number".to_owned(),
            FieldKind::Duration => "a duration".to_owned(),
        };
        let _ = writeln!(page, "| `{}` | {holds} | {} |", field.word, field.doc);
    }
}

fn codes(page: &mut String) {
    page.push_str("\n## Diagnostics\n\n`E` is an error, `W` a warning, `N` a note; some errors are notes in adopted packs.\n\n| code | what | why, and what to do |\n|---|---|---|\n");
    for &code in Code::ALL {
        let _ = writeln!(page, "| {code} | {} | {} |", cell(code.title()), cell(code.reason()));
    }
}

fn row(page: &mut String, form: &str, doc: &str) {
    let _ = writeln!(page, "| {} | {} |", cell(&code(form)), cell(doc));
}

fn code(form: &str) -> String {
    format!("`{form}`")
}

/// A bar would end the cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
