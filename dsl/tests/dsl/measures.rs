//! What `kpi` and `drift` items say, and that a line which says nothing is reported.

use grace_dsl::ast::{Action, Ask, Drift, ItemKind, Kpi, NoData, Operational, Source, TableForm};
use grace_dsl::{Code, parse};

use crate::support::check_texts;

fn item(text: &str) -> Operational {
    let parsed = parse(text);
    assert_eq!(parsed.diagnostics, [], "{text}");
    match parsed.items.into_iter().next_back().map(|item| item.kind) {
        Some(ItemKind::Operational(item)) => item,
        other => panic!("{text}: {other:?}"),
    }
}

fn kpi(from: &str) -> Option<Kpi> {
    Kpi::of(&item(&format!("kpi a\n  better higher\n  from {from}\n  unit percent")))
}

fn drift(lines: &str) -> Option<Drift> {
    let text = format!("drift d on a\n  {}\n  because \"x\"", lines.replace('\n', "\n  "));
    Drift::of(&item(&text))
}

const WATCH: &str = "watch every 1 h for 24 h after deployment\nalert worse by more than 20 % of baseline";

#[test]
fn a_kpi_says_where_it_is_measured() {
    let ratio = |numerator: &str, denominator: &str| Ask::Ratio {
        numerator: numerator.to_owned(),
        denominator: denominator.to_owned(),
    };
    let source = |from| kpi(from).unwrap().source;
    assert_eq!(
        source("prometheus \"main\", numerator \"ok\", denominator \"all\""),
        Source::Prometheus { endpoint: "main".to_owned(), ask: ratio("ok", "all") }
    );
    assert_eq!(
        source("csv \"metrics/*.csv\", time \"at\", value \"v\", where \"kind\" is \"heal\""),
        Source::Table {
            form: TableForm::Csv,
            glob: "metrics/*.csv".to_owned(),
            time: "at".to_owned(),
            ask: Ask::Value("v".to_owned()),
            rows: Some(("kind".to_owned(), "heal".to_owned())),
        }
    );
    assert_eq!(source("store, query \"SELECT 1\""), Source::Store { query: "SELECT 1".to_owned() });
    assert_eq!(source("push"), Source::Push);
    assert_eq!(source("selection recall"), Source::Selection { is_recall: true });
    let a = kpi("otlp \"spool/*.jsonl\", metric \"heal\"").unwrap();
    assert_eq!((a.higher_is_better, a.unit.as_str(), a.missing), (true, "percent", NoData::Unknown));
}

#[test]
fn a_kpi_says_how_long_its_hours_settle() {
    let of = |lines: &str| kpi(lines).map(|kpi| kpi.settle_s);
    assert_eq!((of("push"), of("prometheus \"main\", query \"a\"")), (Some(600), Some(120)));
    for (written, seconds) in [("0 s", 0), ("90 s", 90), ("5 min", 300), ("1 d", 86_400)] {
        assert_eq!(of(&format!("push\n  settle {written}")), Some(seconds), "{written}");
    }
    for bad in ["0 min", "2 d", "0.5 s", "5 %", "later", "5 min 5 s"] {
        let text = format!("kpi a\n  better higher\n  from push\n  settle {bad}");
        let codes: Vec<Code> = check_texts(&[&text]).iter().map(|diagnostic| diagnostic.code).collect();
        assert!(
            of(&format!("push\n  settle {bad}")).is_none() && codes.contains(&Code::BadLineValue),
            "{bad}: {codes:?}"
        );
    }
}

#[test]
fn a_drift_rule_says_what_is_watched_and_what_follows() {
    let text = format!(
        "{WATCH}\nmissing bad\nmethod seed\ncontrol kpi(b)\nsamples at least 200\nfloor 0.5\non suspect note\non drift open story, tier at least 3 for domain(heal) during 24 h\non confirmed propose rollback, log incident, tell \"ops\", write issue"
    );
    let said = drift(&text).unwrap();
    assert_eq!((said.every_s, said.steps, said.worse_by, said.floor), (3600, 24, 20_000, 500));
    assert_eq!((said.missing, said.samples), (Some(NoData::Bad), Some(200)));
    assert_eq!((said.method.as_deref(), said.control.as_deref()), (Some("seed"), Some("b")));
    assert_eq!(said.on_suspect, [Action::Note]);
    let region = ("domain".to_owned(), "heal".to_owned());
    assert_eq!(said.on_drift, [Action::OpenStory, Action::Tier { tier: 3, region, seconds: 86_400 }]);
    let tell = Action::Tell("ops".to_owned());
    assert_eq!(said.on_confirmed, [Action::ProposeRollback, Action::LogIncident, tell, Action::WriteIssue]);
    assert_eq!(drift(WATCH).unwrap().on_drift, []);
}

#[test]
fn a_line_that_says_nothing_is_reported_and_read_by_nobody() {
    for from in [
        "telepathy",
        "prometheus \"main\"",
        "prometheus \"main\", numerator \"a\"",
        "prometheus \"main\", query \"a\", query \"b\"",
        "prometheus \"main\" query \"a\"",
        "prometheus \"main\", query \"a\", where \"b\" is \"c\"",
        "csv \"a.csv\", value \"v\"",
        "csv \"a.csv\", time \"t\", value \"v\", colour \"red\"",
        "store, query \"\"",
        "push \"a\"",
        "selection luck",
    ] {
        assert_eq!(kpi(from), None, "{from}");
        let text = format!("kpi a\n  better higher\n  from {from}");
        let codes: Vec<Code> = check_texts(&[&text]).iter().map(|diagnostic| diagnostic.code).collect();
        assert_eq!(codes, [Code::BadLineValue], "{from}");
    }
    for (line, bad) in [
        ("watch every 1 h for 24 h after deployment", "watch every 1 h"),
        ("watch every 1 h for 24 h after deployment", "watch every 1 h for 90 min after deployment"),
        ("watch every 1 h for 24 h after deployment", "watch every 1 s for 24 s after deployment"),
        ("watch every 1 h for 24 h after deployment", "watch every 1 min for 31 d after deployment"),
        // Four weeks hold too few watches of this length to learn from.
        ("watch every 1 h for 24 h after deployment", "watch every 1 d for 12 d after deployment"),
        ("watch every 1 h for 24 h after deployment", "watch every 1 h for 580 h after deployment"),
        ("alert worse by more than 20 % of baseline", "alert worse by more than 0 % of baseline"),
        ("alert worse by more than 20 % of baseline", "alert better by more than 20 % of baseline"),
        ("alert worse by more than 20 % of baseline", "alert worse by more than 20 of baseline"),
        ("", "\non drift roll back"),
        ("", "\non drift note note"),
        ("", "\non drift tier at least 4 for domain(a) during 24 h"),
        ("", "\non drift tier at least 3 for domain(a) during 90 d"),
        ("", "\nsamples at least 1 h"),
        ("", "\ncontrol b"),
    ] {
        let lines = if line.is_empty() { format!("{WATCH}{bad}") } else { WATCH.replace(line, bad) };
        assert_eq!(drift(&lines), None, "{bad}");
        let lines = lines.replace('\n', "\n  ");
        let text = format!(
            "kpi a\n  better higher\n  from push\n\nfamily domain  values a, b\n\ndrift d on a\n  {lines}\n  because \"x\""
        );
        let found = check_texts(&[&text]);
        assert!(found.iter().any(|diagnostic| diagnostic.code == Code::BadLineValue), "{bad}: {found:#?}");
    }
}

#[test]
fn no_shipped_drift_rule_fires_by_chance() {
    let text = include_str!("../../../rules/telemetry.grace");
    assert!(text.contains("\ndrift "));
    let by_chance = |text: &str| check_texts(&[text]).iter().filter(|found| found.code == Code::FiresByChance).count();
    assert_eq!(by_chance(text), 0);
    let bare = text.replace("\n  missing       unknown\n  on", "\n  missing       unknown\n  method        seed\n  on");
    assert_eq!(by_chance(&bare), text.matches("\n  missing       unknown\n  on").count());
}
