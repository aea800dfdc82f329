//! The rules of a book in short: what each asks for, as data, without a tree to judge.

use grace_dsl::ast::{ItemKind, RequirementKind, When};
use grace_dsl::{LineIndex, Role};

use crate::input::Book;
use crate::show;

/// One rule that applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleDigest {
    /// Its name.
    pub name: String,
    /// The tier that it asks for; `None` where it asks for none.
    pub tier: Option<u8>,
    /// When it fires, as the language writes it.
    pub when: String,
    /// What it asks for: approvals, bundles, duties.
    pub asks: Vec<String>,
    /// It forbids the change.
    pub denies: bool,
    /// What to do instead.
    pub remedy: Option<String>,
    /// Its own words.
    pub because: String,
    /// Its file.
    pub file: String,
    /// Its line.
    pub line: usize,
}

/// The rules of a book that apply, the strictest first, then by name. Files that cannot be read have none.
#[must_use]
pub fn digest(book: &Book) -> Vec<RuleDigest> {
    let mut all = Vec::new();
    for file in book.files.iter().filter(|file| file.role != Role::Used) {
        let Ok(text) = &file.text else { continue };
        let parsed = grace_dsl::parse(text);
        let lines = LineIndex::new(text);
        for (index, item) in parsed.items.iter().enumerate() {
            let line = parsed.map.item(index).map_or(0, |span| lines.line(span.start));
            let rule = match &item.kind {
                ItemKind::Rule(rule) => rule,
                ItemKind::Policy(policy) => &policy.rule,
                ItemKind::Forbid(forbid) => {
                    all.push(RuleDigest {
                        name: item.name.clone(),
                        tier: None,
                        when: format!(
                            "{} from {} to {}",
                            show::edge(forbid.edge),
                            show::set(&forbid.from),
                            show::set(&forbid.to)
                        ),
                        asks: Vec::new(),
                        denies: true,
                        remedy: forbid.remedy.as_ref().map(|text| text.value.clone()),
                        because: forbid.because.value.clone(),
                        file: file.path.to_string(),
                        line,
                    });
                    continue;
                }
                _ => continue,
            };
            let when = match &rule.when {
                When::Change(cond) => show::cond(cond),
                When::Always(cond) => format!("always {}", show::cond(cond)),
                When::AfterRun(cond) => format!("after the run {}", show::cond(cond)),
            };
            all.push(RuleDigest {
                name: item.name.clone(),
                tier: rule.tier.map(|(_, tier)| tier),
                when,
                asks: rule.require.iter().map(|asked| requirement(&asked.kind)).collect(),
                denies: rule.deny.is_some(),
                remedy: rule.remedy.as_ref().map(|text| text.value.clone()),
                because: rule.because.value.clone(),
                file: file.path.to_string(),
                line,
            });
        }
    }
    all.sort_by(|a, b| (b.denies, b.tier, &a.name, &a.file).cmp(&(a.denies, a.tier, &b.name, &b.file)));
    all
}

fn requirement(kind: &RequirementKind) -> String {
    match kind {
        RequirementKind::Approval(approval) => format!("approval {}", show::approval(approval)),
        RequirementKind::Bundle { name, narrowed: false } => format!("bundle({})", name.text),
        RequirementKind::Bundle { name, narrowed: true } => format!("bundle({}) narrowed to impacted tests", name.text),
        RequirementKind::Validation(name) => format!("validation({})", name.text),
        RequirementKind::Ticket(glob) => format!("ticket \"{}\"", glob.value),
        RequirementKind::Rationale => "rationale".to_owned(),
        RequirementKind::Story(field) => format!("story {}", field.text),
    }
}
