//! More than one `tiers`: each judges by itself, and the strictest counts.

use std::sync::Arc;

use grace_dsl::Role;
use grace_engine::input::{Book, BookFile};
use grace_engine::plan::Plan;

use crate::support::{Bench, files, with};

const OWN: &str = r#"
team leads members "a@example.org"
team legal members "b@example.org"
"#;

const MILD: &str = r"
tiers
  1 safe       approve automatically  for change only in comments, formatting
  2 internal   approve by rules       for any other change
  3 sensitive  approve 1 of team(leads)
";

const STRICT: &str = r"
tiers
  1 harmless  approve automatically  for change only in documentation
  2 inner     approve 1 of team(legal)
  3 outer     approve 1 of team(legal)  for any other change
";

/// The plan of an edit under packs, each an adopted file, in this order of paths.
fn plan_under(packs: &[&str], own: &str, after: &str) -> Plan {
    let file = |path: String, text: &str, role| BookFile { path: path.into(), text: Ok(Arc::from(text)), role };
    let mut book = Book { files: vec![file("grace/rules.grace".to_owned(), own, Role::Own)] };
    for (at, pack) in packs.iter().enumerate() {
        book.files.push(file(format!("pack {at}"), pack, Role::Adopted));
    }
    let mut bench = Bench::new();
    let before = files(&[("app/a.py", "def f():\n    return 1\n")]);
    bench.set(&before, &with(&before, "app/a.py", after), &book);
    let plan = bench.engine.plan();
    assert!(plan.unknowns.is_empty(), "{:#?}", plan.unknowns);
    plan
}

fn approvals(plan: &Plan) -> Vec<&str> {
    plan.approvals.iter().map(|approval| approval.name.as_str()).collect()
}

#[test]
fn the_strictest_of_two_adopted_packs_counts_in_either_order() {
    for packs in [[MILD, STRICT], [STRICT, MILD]] {
        let plan = plan_under(&packs, OWN, "def f():\n    return 2\n");
        assert_eq!((plan.tier, plan.tier_name.as_str()), (3, "outer"));
        assert_eq!(approvals(&plan), ["1 of team(leads)", "1 of team(legal)"]);
        // A comment is safe by one of the two only.
        let plan = plan_under(&packs, OWN, "# why\ndef f():\n    return 1\n");
        assert_eq!(plan.tier, 3);
    }
    let plan = plan_under(&[MILD], OWN, "# why\ndef f():\n    return 1\n");
    assert_eq!(plan.tier, 1);
}

#[test]
fn what_a_project_says_of_tiers_joins_what_it_adopts() {
    let own = format!("{OWN}{MILD}");
    let plan = plan_under(&[STRICT], &own, "def f():\n    return 2\n");
    assert_eq!((plan.tier, approvals(&plan)), (3, vec!["1 of team(leads)", "1 of team(legal)"]));
}
