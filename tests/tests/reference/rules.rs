//! Random rule books over a small vocabulary, as text.

use proptest::prelude::*;

/// One item of a book, as text.
pub(crate) type Item = String;

fn one_of(names: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::sample::select(names).prop_map(str::to_owned)
}

/// Sets that speak of no other item.
fn plain_set() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => one_of(&[
            "all",
            "none",
            "generated",
            "tests",
            "language(python)",
            "path(\"app/**\")",
            "path(\"lib/**\")",
            "path(\"tests/**\")",
            "path(\"conf/*\")",
            "path(\"*.md\")",
            "path(\"APP/*.py\") ignoring case",
            "path(\"**/*kernel*\")",
            "package(\"app\")",
            "package(\"lib.kernels\")",
            "package(\"tests\")",
            "module(\"app.core\")",
            "module(\"lib.util\")",
            "module(\"app\")",
        ]),
        3 => one_of(&[
            "class(\"*Kernel\")",
            "class(\"Adapter\")",
            "class(\"boot_kernel.Boot*\")",
            "function(\"f?\")",
            "function(\"Adapter.*\")",
            "function(\"helper\")",
            "decorated(\"staticmethod\")",
            "decorated(\"*.cache\")",
            "named \"*kernel*\" ignoring case",
            "named \"f*\"",
            "named \"core\"",
            "matches(name, \"^(f0|test_.*)$\")",
            "matches(path, \"kernel|conf\")",
            "header of class(\"*Kernel\")",
        ]),
    ]
}

fn around(leaf: BoxedStrategy<String>, depth: u32) -> BoxedStrategy<String> {
    leaf.prop_recursive(depth, 12, 2, |inner| {
        prop_oneof![
            3 => (inner.clone(), one_of(&["plus", "within", "except"]), inner.clone())
                .prop_map(|(left, op, right)| format!("(({left}) {op} ({right}))")),
            2 => (one_of(&["files of", "modules of", "members of", "header of"]), inner.clone())
                .prop_map(|(prefix, set)| format!("{prefix} ({set})")),
            1 => inner.clone().prop_map(|set| format!("public({set})")),
            3 => (
                prop::bool::weighted(0.3),
                one_of(&[
                    "importers",
                    "imported by",
                    "callers",
                    "callees",
                    "subtypes",
                    "supertypes",
                    "dependents",
                    "dependencies",
                    "tests of",
                ]),
                inner,
                one_of(&["within 1", "within 2", "any distance"]),
            )
                .prop_map(|(certain, walk, set, far)| {
                    format!("{}{walk}({set}, {far})", if certain { "certain " } else { "" })
                }),
        ]
    })
    .boxed()
}

/// Any set of code.
pub(crate) fn code_set() -> BoxedStrategy<String> {
    let leaf = prop_oneof![
        4 => plain_set(),
        3 => one_of(&[
            "tag(kernel)",
            "tag(hot)",
            "layer(layer1)",
            "layer(layer2)",
            "layer(layer3)",
            "d1",
            "d2",
            "bound to model(\"mistral:*\")",
            "bound to model(\"unheard:1b\")",
        ]),
    ];
    around(leaf.boxed(), 2)
}

fn model_set() -> impl Strategy<Value = String> {
    prop_oneof![
        one_of(&[
            "models",
            "models where requires_bias_check",
            "models where requires_hallucination_test and trust_score >= 0.8",
            "models where commercial_use not allowed",
            "model(\"mistral:7b\")",
            "model(\"phi3:*\")",
            "model(\"unheard:1b\")",
        ]),
        code_set().prop_map(|set| format!("models used by ({set})")),
    ]
}

fn bound() -> impl Strategy<Value = String> {
    (one_of(&["<", "<=", ">", ">=", "="]), 0..6_u32).prop_map(|(compare, number)| format!("{compare} {number}"))
}

fn field_test() -> impl Strategy<Value = String> {
    one_of(&[
        "commercial_use not allowed",
        "commercial_use is allowed",
        "requires_bias_check",
        "hallucination_rate is low",
        "hallucination_rate is not high",
        "hallucination_rate is inconclusive",
        "hallucination_rate is not unmeasured",
        "bias_risk is unmeasured",
        "bias_risk is medium",
        "trust_score < 0.85",
        "context_window >= 8192",
        "strengths contains reasoning",
        "model_type is \"mistral\"",
    ])
}

fn atom() -> BoxedStrategy<String> {
    let set = code_set;
    prop_oneof![
        6 => set().prop_map(|set| format!("change touches {set}")),
        2 => set().prop_map(|set| format!("change only touches {set}")),
        1 => one_of(&["comments", "formatting", "documentation", "added tests", "comments, formatting"])
            .prop_map(|kinds| format!("change only in {kinds}")),
        1 => set().prop_map(|set| format!("change adds {set}")),
        1 => set().prop_map(|set| format!("change removes {set}")),
        1 => set().prop_map(|set| format!("change renames {set}")),
        2 => set().prop_map(|set| format!("signatures change in {set}")),
        3 => (one_of(&["imports ", "calls ", "inherits ", "imports or calls ", ""]), set(), set())
            .prop_map(|(kinds, from, to)| format!("new edges {kinds}from ({from}) to ({to})")),
        1 => one_of(&["tests removed", "tests weakened", "rationale missing", "story lacks component"]),
        1 => set().prop_map(|set| format!("added code lines in {set} contain \"helper\", \"f1()\"")),
        1 => set().prop_map(|set| format!("documentation removed in {set}")),
        1 => model_set().prop_map(|set| format!("flags removed of {set}")),
        1 => model_set().prop_map(|set| format!("contracts change of {set}")),
        2 => set().prop_map(|set| format!("any edit in {set}")),
        1 => (set(), bound()).prop_map(|(set, bound)| format!("lines changed in {set} {bound}")),
        1 => (set(), bound()).prop_map(|(set, bound)| format!("files changed in {set} {bound}")),
        2 => (model_set(), field_test()).prop_map(|(set, test)| format!("any of {set} has {test}")),
        1 => one_of(&["package change is major", "package change is new", "package change is downgrade"]),
        1 => one_of(&[
            "operation is optimize",
            "operation is lint, refactor",
            "actor is verified bot(\"renovate\")",
            "ticket \"HOT-*\"",
            "branch \"release/*\"",
            "during freeze",
            "no test reaches the change",
        ]),
        1 => (set(), bound()).prop_map(|(set, bound)| format!("count({set}) {bound}")),
        1 => prop_oneof![plain_set().boxed(), set().prop_map(|set| format!("files of ({set})")).boxed()]
            .prop_map(|set| format!("{set} is empty")),
        1 => one_of(&[
            "pass rate of bundle(b1) over last 3 runs < 95 %",
            "flaky rate of bundle(b2) over last 2 runs > 5 %",
            "kpi(boot) p95 over 24 h > 1000 ms",
            "kpi(boot) <= 1 s",
        ]),
    ]
    .boxed()
}

/// A condition of a change.
pub(crate) fn cond() -> BoxedStrategy<String> {
    atom()
        .prop_recursive(2, 6, 2, |inner| {
            prop_oneof![
                2 => (inner.clone(), inner.clone()).prop_map(|(left, right)| format!("({left}) and ({right})")),
                2 => (inner.clone(), inner.clone()).prop_map(|(left, right)| format!("({left}) or ({right})")),
                2 => inner.prop_map(|cond| format!("not ({cond})")),
            ]
        })
        .boxed()
}

/// A condition on a state.
fn state_cond() -> BoxedStrategy<String> {
    prop_oneof![
        3 => (model_set(), field_test()).prop_map(|(set, test)| format!("any of {set} has {test}")),
        1 => (code_set(), bound()).prop_map(|(set, bound)| format!("count({set}) {bound}")),
        1 => code_set().prop_map(|set| format!("public({set}) is empty")),
        1 => (model_set(), field_test(), code_set(), bound())
            .prop_map(|(models, test, set, bound)| format!("(any of {models} has {test}) and (count({set}) {bound})")),
    ]
    .boxed()
}

fn approval() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => one_of(&[
            "approval 1 of team(alpha)",
            "approval 2 of team(alpha)",
            "approval 1 of team(beta)",
            "approval 1 of anyone",
            "approval 2 of anyone, 1 of them of team(beta)",
            "extra approval 1 of anyone",
        ]),
        1 => code_set().prop_map(|set| format!("approval 2 of anyone, 1 of them of an owner of each file in {set}")),
        1 => code_set().prop_map(|set| format!("approval 1 of an owner of each file in {set}, else team(beta)")),
        1 => code_set().prop_map(|set| format!("approval 1 of an owner of each file in {set}")),
    ]
}

fn requirement() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => approval(),
        4 => one_of(&[
            "bundle(b1)",
            "bundle(b2)",
            "bundle(b1) narrowed to impacted tests",
            "bundle(b2) narrowed to impacted tests",
        ]),
        2 => one_of(&["validation(v1)", "validation(v2)"]),
        1 => one_of(&["ticket \"HOT-*\"", "rationale", "story component"]),
    ]
}

fn clauses() -> impl Strategy<Value = String> {
    (
        prop::collection::vec(requirement(), 1..3),
        prop::option::weighted(0.2, one_of(&["trust at least 0.90", "trust at least 0.75"])),
        prop::option::weighted(0.3, one_of(&["P1", "P2", "P1, P2"])),
        prop::option::weighted(0.2, one_of(&["system.boot", "system.boot, heal.verify"])),
        prop::option::weighted(0.3, one_of(&["alpha", "beta"])),
    )
        .prop_map(|(require, trust, upholds, intents, owner)| {
            let mut text = String::new();
            if !require.is_empty() {
                text.push_str(&format!("\n  require {}", require.join(", ")));
            }
            if let Some(trust) = trust {
                text.push_str(&format!("\n  {trust}"));
            }
            if let Some(upholds) = upholds {
                text.push_str(&format!("\n  upholds {upholds}"));
            }
            if let Some(intents) = intents {
                text.push_str(&format!("\n  intents {intents}"));
            }
            if let Some(owner) = owner {
                text.push_str(&format!("\n  owner team({owner})"));
            }
            text
        })
}

fn tier() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => Just(String::new()),
        2 => Just(" : tier 2".to_owned()),
        2 => Just(" : tier 3".to_owned()),
    ]
}

fn deny() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => Just(String::new()),
        1 => Just("\n  deny".to_owned()),
        1 => Just("\n  deny if unknown hold for approval 1 of team(beta)".to_owned()),
    ]
}

const BECAUSE: &str = "\n  because \"it is so\"\n";

fn limit() -> impl Strategy<Value = String> {
    one_of(&["limit kpi(boot) p95 over 24 h at most 1000 ms", "limit kpi(errors) at most 5 %"])
}

/// A condition that waits for the run; `COND` stands for one that does not.
fn pending() -> impl Strategy<Value = String> {
    one_of(&[
        "(COND) and (any required bundle has flaky rate over last 20 runs > 5 %)",
        "(COND) and bundle(b1) failed",
        "(any critical bundle failed) or (COND)",
        "not ((COND) or (any required bundle failed))",
        "trust below minimum",
    ])
}

fn judging_item(number: usize) -> BoxedStrategy<Item> {
    prop_oneof![
        8 => (tier(), cond(), clauses(), deny()).prop_map(move |(tier, cond, clauses, deny)| {
            format!("rule r{number}{tier}\n  when {cond}{clauses}{deny}{BECAUSE}")
        }),
        3 => (tier(), state_cond(), clauses(), deny()).prop_map(move |(tier, cond, clauses, deny)| {
            format!("rule r{number}{tier}\n  always when {cond}{clauses}{deny}{BECAUSE}")
        }),
        2 => (tier(), cond(), clauses(), deny(), pending(), prop::option::of(limit())).prop_map(
            move |(tier, cond, clauses, deny, pending, limit)| {
                let limit = limit.map(|limit| format!("\n  {limit}")).unwrap_or_default();
                let when = pending.replace("COND", &cond);
                format!("rule r{number}{tier}\n  after the run\n  when {when}{clauses}{limit}{deny}{BECAUSE}")
            }
        ),
        2 => (code_set(), 1..4_u8, clauses(), prop::option::of(limit()))
            .prop_map(move |(set, tier, clauses, limit)| {
                let limit = limit.map(|limit| format!("\n  {limit}")).unwrap_or_default();
                format!("policy r{number}\n  covers {set}\n  tier {tier}{clauses}{limit}{BECAUSE}")
            }),
        2 => (code_set(), code_set(), any::<bool>(), prop::option::of(one_of(&["alpha"])))
            .prop_map(move |(from, to, through, owner)| {
                let through = if through { ", direct or through other modules" } else { "" };
                let owner = owner.map(|owner| format!("\n  owner team({owner})")).unwrap_or_default();
                format!("forbid r{number}\n  imports from ({from}) to ({to}){through}{owner}{BECAUSE}")
            }),
        2 => (any::<bool>(), prop::collection::vec(plain_set(), 2..4), prop::option::of(Just("P2")))
            .prop_map(move |(closed, floors, upholds)| {
                let closed = if closed { " closed" } else { "" };
                let floors: Vec<String> = floors.iter().map(|floor| format!("({floor})")).collect();
                let upholds = upholds.map(|name| format!("\n  upholds {name}")).unwrap_or_default();
                format!("layers r{number}{closed} {}{upholds}{BECAUSE}", floors.join(" over "))
            }),
    ]
    .boxed()
}

fn waiver(number: usize) -> BoxedStrategy<Item> {
    let effect = one_of(&[
        "waives tier",
        "waives approval",
        "waives approval of team(alpha), bundle(b1)",
        "waives bundle(b2), validation(v1)",
        "waives deny",
        "waives everything",
        "to tier 1",
        "to tier 2",
    ]);
    let of = prop_oneof![
        4 => (0..4_usize).prop_map(|at| format!("r{at}")),
        1 => Just("tiers.internal".to_owned()),
    ];
    let until = one_of(&["2026-06-30", "2026-07-01", "2027-01-01"]);
    (of, code_set(), effect, prop::option::weighted(0.4, cond()), until)
        .prop_map(move |(of, set, effect, when, until)| {
            let effect = if of.starts_with("tiers") { "to tier 1".to_owned() } else { effect };
            let when = when.map(|cond| format!("\n  when {cond}")).unwrap_or_default();
            format!("waiver w{number} of {of} for {set}\n  {effect}{when}\n  granted by team(alpha)\n  until {until}{BECAUSE}")
        })
        .boxed()
}

fn tiers() -> impl Strategy<Value = Item> {
    prop_oneof![
        3 => Just(
            "tiers\n  1 safe approve automatically for change only in comments, formatting, documentation, added tests\n  2 internal approve by rules for any other change\n  3 sensitive approve 1 of team(alpha) for operations update_model, optimize\n"
        ),
        1 => Just(
            "tiers\n  1 safe approve automatically for change only in comments\n  2 internal approve 1 of anyone for any other change selection observe\n  3 sensitive approve 2 of anyone, 1 of them of team(beta)\n"
        ),
        1 => Just("tiers\n  1 safe approve automatically for change only in formatting\n  2 internal approve by rules for operations lint\n  3 sensitive approve by rules for any other change\n"),
        1 => Just("tiers\n  1 safe approve automatically for change only in comments\n  2 internal approve 1 of an owner of each file in path(\"app/**\"), else team(beta) for any other change\n  3 sensitive approve 1 of team(alpha)\n"),
        1 => Just(""),
    ]
    .prop_map(str::to_owned)
}

/// What every book declares: what is random in it are the sets.
fn vocabulary() -> BoxedStrategy<Vec<Item>> {
    let base = || around(plain_set().boxed(), 1);
    let more = prop::collection::vec((one_of(&["layer1", "layer2", "layer3"]), base()), 0..2);
    // Each value is given by something, since rules may name it; in any order, since the first match may win.
    let each = (base(), base(), base(), more).prop_map(|(one, two, three, more)| {
        let mut all = vec![("layer1".to_owned(), one), ("layer2".to_owned(), two), ("layer3".to_owned(), three)];
        all.extend(more);
        all
    });
    let layered = each.prop_shuffle();
    (base(), base(), base(), base(), layered, base(), (base(), base()), any::<bool>())
        .prop_map(|(d1, d2, kernel, hot, layered, bind, (b1, b2), first)| {
            let first = if first { " first match wins" } else { "" };
            let mut items = vec![
                "team alpha members \"a@example.org\", \"b@example.org\"\n".to_owned(),
                "team beta members \"c@example.org\"\n".to_owned(),
                format!("define d1 = {d1} may be empty\n"),
                format!("define d2 = (({d2}) plus d1) may be empty\n"),
                format!("family layer values layer1, layer2, layer3{first}\n"),
                format!("tag kernel on {kernel} may be empty\n"),
                format!("tag hot on (({hot}) within (all except tag(kernel))) may be empty\n"),
                "principle P1 unwaivable says \"first\"\n".to_owned(),
                "principle P2 says \"second\"\n".to_owned(),
                "intent system.boot says \"boot\"\nintent heal.verify says \"verify\"\n".to_owned(),
                "window freeze 2026-06-25 to 2026-06-30, zone \"Europe/Berlin\"\n".to_owned(),
                "kpi boot\n  better lower\n  unit ms\n  from prometheus \"main\", query \"boot_ms\"\nkpi errors\n  better lower\n  unit percent\n  from prometheus \"main\", query \"errors\"\n".to_owned(),
                "rule base\n  when change touches none\n  upholds P1, P2\n  because \"both are kept\"\n".to_owned(),
                format!("binding model(\"mistral:7b\") to {bind} may be empty\n"),
                format!("bundle b1 critical\n  tests ({b1}) plus path(\"tests/**\")\n  run \"pytest\", \"{{tests}}\"\n  timeout 60 s in all\n"),
                format!("bundle b2\n  tests {b2}\n  run \"pytest\", \"{{tests}}\"\n  timeout 60 s in all\n  may be empty\n"),
                "validation v1\n  of models where requires_hallucination_test\n  run probe hallucination, samples 10\n  because \"it invents\"\n".to_owned(),
                "band hallucination_rate\n  from evidence fabrication\n  low when upper bound <= 10 %\n  high when lower bound > 30 %\n  medium when interval within 10 % to 30 %\n".to_owned(),
                "validation v2\n  of models\n  run probe accuracy, samples 10\n  because \"it errs\"\n".to_owned(),
            ];
            for (value, set) in layered {
                items.push(format!("tag layer({value}) on {set} may be empty\n"));
            }
            items
        })
        .boxed()
}

/// A rule book: its items in order.
pub(crate) fn book() -> BoxedStrategy<Vec<Item>> {
    let judging = (0..6_usize).map(judging_item).collect::<Vec<_>>();
    let second_tiers = prop::option::weighted(0.2, tiers());
    let lines = (second_tiers, tiers());
    (vocabulary(), lines, judging, 2..=6_usize, prop::collection::vec(any::<bool>(), 2), waiver(0), waiver(1))
        .prop_map(|(mut items, (second_tiers, tiers), mut judging, count, waived, first, second)| {
            let has_lines = !tiers.is_empty();
            items.extend(second_tiers);
            items.push(tiers);
            judging.truncate(count);
            // A rule that cannot be waived has no waiver in a sound book.
            let waivable: Vec<bool> = judging.iter().map(|item| !item.contains("upholds P1")).collect();
            items.extend(judging);
            for (waiver, wanted) in [first, second].into_iter().zip(waived) {
                let of_what = (0..count).any(|at| waivable[at] && waiver.contains(&format!(" of r{at} for ")))
                    || (has_lines && waiver.contains(" of tiers."));
                if wanted && of_what {
                    items.push(waiver);
                }
            }
            items.retain(|item| !item.is_empty());
            items
        })
        .boxed()
}

/// How the rules change.
#[derive(Debug, Clone)]
pub(crate) enum RuleEdit {
    Drop(u8),
    Replace(u8, Item),
    Break(u8),
    Again(Vec<Item>),
}

/// A random change of a book.
pub(crate) fn rule_edit() -> BoxedStrategy<RuleEdit> {
    prop_oneof![
        3 => any::<u8>().prop_map(RuleEdit::Drop),
        3 => (0..6_usize).prop_flat_map(|number| {
            judging_item(number).prop_map(move |item| RuleEdit::Replace(u8::try_from(number).unwrap_or(0), item))
        }),
        1 => any::<u8>().prop_map(RuleEdit::Break),
        1 => book().prop_map(RuleEdit::Again),
    ]
    .boxed()
}

/// How items begin that judge a change.
const JUDGING: [&str; 6] = ["rule ", "policy ", "forbid ", "layers ", "waiver ", "tiers"];

/// The book after a change of it.
pub(crate) fn edited(items: &[Item], edit: &RuleEdit) -> Vec<Item> {
    let mut items = items.to_vec();
    // Only items that no other item names: a name that leads nowhere is another matter.
    let free: Vec<usize> =
        (0..items.len()).filter(|at| JUDGING.iter().any(|keyword| items[*at].starts_with(keyword))).collect();
    let place = |at: u8| free.get(usize::from(at) % free.len().max(1)).copied();
    match edit {
        RuleEdit::Drop(at) => {
            if let Some(at) = place(*at) {
                items.remove(at);
            }
        }
        RuleEdit::Replace(number, item) => {
            let begins = [format!(" r{number}\n"), format!(" r{number} ")];
            items.retain(|old| {
                !begins
                    .iter()
                    .any(|begin| old.split_once(' ').is_some_and(|(_, rest)| format!(" {rest}").starts_with(begin)))
            });
            items.push(item.clone());
        }
        RuleEdit::Break(at) => {
            let Some(at) = place(*at) else { return items };
            items[at] = format!("rule broken{at}\n  when change touches )\n  because \"no\"\n");
        }
        RuleEdit::Again(book) => items.clone_from(book),
    }
    items
}
