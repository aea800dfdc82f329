//! What changing a file costs, looked up: the command line writes the table where a session begins and when `cost` is asked.
//!
//! It is advice. A file that is not in it, or a table that is not there, is told nothing about; nothing is lowered by either.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use grace_system::files;

use crate::event::Event;
use crate::places::Places;

/// The first line.
const HEAD: &str = "grace-rules/costs 1";
/// Largest table that is written or read, in bytes.
const MAX_TABLE: usize = 32 << 20;
/// Files of one event that are told of.
const MOST_FILES: usize = 5;
/// The table, in the place of grace-rules in the repository's directory.
pub const NAME: &str = "costs";

/// What changing one file asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cost {
    /// 1 to 3.
    pub tier: u8,
    /// Who must agree: `1 of team(governance)`.
    pub approvals: Vec<String>,
    /// The rules that say so.
    pub rules: Vec<String>,
}

/// The table of costs by path, for a file.
#[must_use]
pub fn written(costs: &BTreeMap<String, Cost>) -> String {
    let mut text = format!("{HEAD}\n");
    for (path, cost) in costs {
        let fields = [path.as_str(), &cost.tier.to_string(), &cost.approvals.join("; "), &cost.rules.join(", ")];
        // A name that holds what parts the table is left out of it.
        if fields.iter().any(|field| field.contains(['\t', '\n'])) || text.len() > MAX_TABLE {
            continue;
        }
        let _infallible = writeln!(text, "{}", fields.join("\t"));
    }
    text
}

/// What the files that an event would change cost, in a sentence each; `None` where nothing is known or nothing is to be said.
#[must_use]
pub fn of(event: &Event, places: &Places) -> Option<String> {
    if event.only_reads || event.paths.is_empty() {
        return None;
    }
    let table = read(&places.grace()?.join(NAME))?;
    let paths = event.paths.iter().filter_map(|text| places.relative(&places.resolve(text)?));
    let told: Vec<String> = paths.filter_map(|path| said(&path, &find(&table, &path)?)).take(MOST_FILES).collect();
    (!told.is_empty()).then(|| told.join("\n"))
}

fn read(path: &Path) -> Option<String> {
    files::read_text(path, 2 * MAX_TABLE as u64).ok().filter(|text| text.lines().next() == Some(HEAD))
}

/// Looks a path up; the table is sorted by path.
fn find(table: &str, path: &str) -> Option<Cost> {
    let (mut low, mut high) = (table.find('\n')? + 1, table.len());
    while low < high {
        let middle = low + (high - low) / 2;
        // The line that holds the middle.
        let start =
            table.as_bytes().get(low..middle)?.iter().rposition(|byte| *byte == b'\n').map_or(low, |at| low + at + 1);
        let end =
            table.as_bytes().get(middle..high)?.iter().position(|byte| *byte == b'\n').map_or(high, |at| middle + at);
        let line = table.get(start..end)?;
        let mut fields = line.split('\t');
        match fields.next()?.cmp(path) {
            std::cmp::Ordering::Less => low = end + 1,
            std::cmp::Ordering::Greater => high = start,
            std::cmp::Ordering::Equal => {
                let tier = fields.next()?.parse().ok()?;
                let list = |field: Option<&str>, between: &str| {
                    let field = field.unwrap_or_default();
                    field.split(between).filter(|one| !one.is_empty()).map(str::to_owned).collect()
                };
                return Some(Cost { tier, approvals: list(fields.next(), "; "), rules: list(fields.next(), ", ") });
            }
        }
    }
    None
}

/// What costs nothing unusual is not spoken of.
fn said(path: &str, cost: &Cost) -> Option<String> {
    if cost.tier < 3 && cost.approvals.is_empty() {
        return None;
    }
    let mut text = format!("{path}: a change here asks for tier {}", cost.tier);
    if !cost.approvals.is_empty() {
        let _infallible = write!(text, ", agreed to by {}", cost.approvals.join(" and "));
    }
    if !cost.rules.is_empty() {
        let _infallible = write!(text, " ({})", cost.rules.join(", "));
    }
    let _infallible = write!(text, "; all of it: grace-rules cost {path}");
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(tier: u8) -> Cost {
        Cost { tier, approvals: vec!["1 of team(a)".to_owned()], rules: vec!["core".to_owned(), "more".to_owned()] }
    }

    #[test]
    fn every_line_of_a_table_is_found_and_nothing_else() {
        for count in [0, 1, 2, 3, 10, 101] {
            let costs: BTreeMap<String, Cost> =
                (0..count).map(|at| (format!("src/{at:x}.py"), cost(1 + (at % 3) as u8))).collect();
            let table = written(&costs);
            for (path, cost) in &costs {
                assert_eq!(find(&table, path).as_ref(), Some(cost), "{path} of {count}");
            }
            for absent in ["", "a", "src/", "src/0.p", "src/0.pyc", "z"] {
                assert_eq!(find(&table, absent), None, "{absent} of {count}");
            }
        }
    }

    #[test]
    fn a_table_that_is_cut_or_forged_is_no_panic() {
        let table = written(&(0..20).map(|at| (format!("ä{at}"), cost(3))).collect());
        for end in (0..table.len()).filter(|end| table.is_char_boundary(*end)) {
            let _nothing = find(&table[..end], "ä7");
        }
        assert_eq!(find("grace-rules/costs 1\na\tnine\n", "a"), None);
        assert_eq!(find("grace-rules/costs 1\na\n", "a"), None);
    }
}
