//! The words of the language, once: parser hints, checker, formatter, completion and the reference page all read this.

/// A word or form with its one-line description.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The word it is found by: `path`, `upholds`, `change touches`.
    pub word: &'static str,
    /// How it is written: `path("GLOB")`.
    pub form: &'static str,
    /// What it means, in one line.
    pub doc: &'static str,
}

/// What an item can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ItemEntry {
    /// The keyword that begins it.
    pub word: &'static str,
    /// How its first line is written.
    pub form: &'static str,
    /// What it is for.
    pub doc: &'static str,
    /// Its clauses.
    pub clauses: &'static [Entry],
    /// One of them, whole.
    pub example: &'static str,
}

/// A line of an operational item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineEntry {
    /// Its name.
    pub word: &'static str,
    /// How it is written.
    pub form: &'static str,
    /// What it means.
    pub doc: &'static str,
    /// Whether the item is incomplete without it.
    pub required: bool,
    /// What the value must be.
    pub value: LineValue,
}

/// What an operational line must say; what is not listed is free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineValue {
    /// Anything that is not empty.
    Free,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A bare number.
    Number,
    /// `NUMBER when …`, `NUMBER per …`: what trust is lost by.
    Loss,
    /// Where a KPI is measured.
    Source,
    /// `every DURATION for DURATION after deployment`.
    Watch,
    /// A duration, a day at most.
    Settle,
    /// `worse by more than N % of baseline`.
    Alert,
    /// `kpi(NAME)`.
    Control,
    /// `at least N`.
    Samples,
    /// What follows a verdict, divided by commas.
    Actions,
    /// What a line of `audit` says.
    Audit,
    /// A string.
    Text,
}

const fn entry(word: &'static str, form: &'static str, doc: &'static str) -> Entry {
    Entry { word, form, doc }
}

const fn line(
    word: &'static str,
    form: &'static str,
    doc: &'static str,
    required: bool,
    value: LineValue,
) -> LineEntry {
    LineEntry { word, form, doc, required, value }
}

const MAY_BE_EMPTY: Entry = entry("may", "may be empty", "that nothing is found is no mistake here");
const BECAUSE: Entry = entry("because", "because \"…\"", "why the item exists; mandatory, printed wherever it acts");
const REMEDY: Entry = entry("remedy", "remedy \"…\"", "what to do instead");
const OWNER: Entry = entry("owner", "owner team(NAME)", "who is asked about it");
const UPHOLDS: Entry = entry("upholds", "upholds PRINCIPLE, …", "the principles it serves");
const WHEN: Entry = entry("when", "when CONDITION", "when it fires, judged on the change");

const RULE_CLAUSES: &[Entry] = &[
    WHEN,
    entry("always", "always when CONDITION", "judged on the state after the change: a state, not only a change"),
    entry("after", "after the run", "the condition is judged in the decision, when outcomes are known"),
    entry("require", "require REQUIREMENT, …", "approvals, bundles, validations and duties"),
    entry("deny", "deny, deny if unknown hold for approval …", "the answer is no; for whom an unknown waits"),
    entry("trust", "trust at least NUMBER", "the least trust score"),
    entry(
        "limit",
        "limit kpi(NAME) … COMPARISON",
        "a bound on a measured value; broken or unknown holds for the owner",
    ),
    UPHOLDS,
    entry("intents", "intents NAME, …", "the intents that it serves"),
    OWNER,
    entry("review", "review by DATE", "when people look at it again"),
    REMEDY,
    BECAUSE,
    MAY_BE_EMPTY,
];

const POLICY_CLAUSES: &[Entry] = &[
    entry("covers", "covers SET", "the domain: it fires when the change touches the set"),
    entry("tier", "tier N", "the least tier"),
    entry("require", "require REQUIREMENT, …", "approvals, bundles, validations and duties"),
    entry("deny", "deny, deny if unknown hold for approval …", "the answer is no; for whom an unknown waits"),
    entry("trust", "trust at least NUMBER", "the least trust score"),
    entry(
        "limit",
        "limit kpi(NAME) … COMPARISON",
        "a bound on a measured value; broken or unknown holds for the owner",
    ),
    UPHOLDS,
    entry("intents", "intents NAME, …", "the intents that it serves"),
    OWNER,
    entry("review", "review by DATE", "when people look at it again"),
    REMEDY,
    BECAUSE,
    MAY_BE_EMPTY,
];

/// The items, in the order of the reference page.
pub const ITEMS: &[ItemEntry] = &[
    ItemEntry {
        word: "module",
        form: "module NAME",
        doc: "the name of the file's module",
        clauses: &[],
        example: "module grace.core",
    },
    ItemEntry {
        word: "use",
        form: "use NAME, …",
        doc: "names of other modules become visible; their rules do not apply",
        clauses: &[],
        example: "use grace.vocabulary",
    },
    ItemEntry {
        word: "adopt",
        form: "adopt NAME, …",
        doc: "rules of other modules apply",
        clauses: &[],
        example: "adopt grace.policies",
    },
    ItemEntry {
        word: "team",
        form: "team NAME",
        doc: "people, by their principals in `allowed_signers`",
        clauses: &[entry("members", "members \"…\", …", "the principals"), MAY_BE_EMPTY],
        example: "team governance members \"alice@example.org\", \"bob@example.org\"",
    },
    ItemEntry {
        word: "tiers",
        form: "tiers",
        doc: "the three tiers, a line each: number, name, who approves, what reaches it; one in the own files, and where adopted packs have it too, each judges and the strictest counts",
        clauses: &[
            entry("approve", "approve automatically | by rules | N of WHOM", "binds every plan that ends at this tier"),
            entry(
                "for",
                "for change only in … | any other change | operations NAME, …",
                "what reaches this tier without a rule",
            ),
            entry(
                "selection",
                "selection observe | enforce",
                "whether a narrowed bundle leaves out the tests that the change does not reach (`enforce`, and where nothing is said), or runs all and records what that would have missed (`observe`, which counts where lines differ)",
            ),
        ],
        example: "tiers\n  1 safe approve automatically for change only in comments, formatting\n  2 internal approve by rules for any other change\n  3 sensitive approve 1 of team(governance) for operations change_security",
    },
    ItemEntry {
        word: "define",
        form: "define NAME = SET",
        doc: "a name for a set",
        clauses: &[MAY_BE_EMPTY],
        example: "define boot_code = path(\"backend/boot/**\")",
    },
    ItemEntry {
        word: "family",
        form: "family NAME values NAME, …",
        doc: "a tag with values",
        clauses: &[
            entry("values", "values NAME, …", "the values"),
            entry(
                "first",
                "first match wins",
                "a part takes the value of the first tag item that holds it; without it, all of them",
            ),
        ],
        example: "family layer values layer1, layer2 first match wins",
    },
    ItemEntry {
        word: "tag",
        form: "tag NAME on SET, tag FAMILY(VALUE) on SET",
        doc: "gives a tag, or a family's value, to code",
        clauses: &[entry("on", "on SET", "where it is given"), MAY_BE_EMPTY],
        example: "tag kernel on path(\"backend/kernels/**\")",
    },
    ItemEntry {
        word: "principle",
        form: "principle NAME",
        doc: "a sentence that rules uphold",
        clauses: &[
            entry("unwaivable", "unwaivable", "no rule that upholds it can be waived"),
            entry("says", "says \"…\"", "the sentence"),
        ],
        example: "principle MAINTAIN_AUDIT_TRAIL says \"Every change is recorded.\"",
    },
    ItemEntry {
        word: "policy",
        form: "policy NAME",
        doc: "a rule for a domain, with its limits",
        clauses: POLICY_CLAUSES,
        example: "policy boot covers path(\"boot/**\") tier 3 because \"Everything boots through it.\"",
    },
    ItemEntry {
        word: "rule",
        form: "rule NAME : tier N",
        doc: "raises: a tier, requirements, a minimum of trust, a denial",
        clauses: RULE_CLAUSES,
        example: "rule test_weakened : tier 2 when tests removed or tests weakened because \"Nobody lowers the bar for their own change.\"",
    },
    ItemEntry {
        word: "forbid",
        form: "forbid NAME",
        doc: "denies each new edge from one set to another",
        clauses: &[
            entry("imports", "imports from SET to SET", "the edges; `, direct or through other modules` for paths too"),
            entry("calls", "calls from SET to SET", "the same for calls"),
            entry("inherits", "inherits from SET to SET", "the same for inheritance"),
            entry("references", "references from SET to SET", "the same for references"),
            entry(
                "existing",
                "existing listed, may only shrink",
                "`check` lists the pairs that are there; with or without it they stay allowed, and each new one is denied",
            ),
            OWNER,
            UPHOLDS,
            REMEDY,
            BECAUSE,
        ],
        example: "forbid ui_to_database imports from package(\"ui\") to package(\"database\") because \"Screens must not know storage.\"",
    },
    ItemEntry {
        word: "layers",
        form: "layers NAME SET over SET over …",
        doc: "denies each new import upwards; `closed` after the name also past a floor",
        clauses: &[OWNER, UPHOLDS, REMEDY, BECAUSE],
        example: "layers backend closed package(\"api\") over package(\"services\") because \"Dependencies point down.\"",
    },
    ItemEntry {
        word: "waiver",
        form: "waiver NAME of RULE for SET",
        doc: "the only thing that lowers; in force once granted, until its date",
        clauses: &[
            entry("of", "of RULE, of tiers.NAME", "what it waives"),
            entry("for", "for SET", "where"),
            entry("to", "to tier N", "the lower tier"),
            entry("waives", "waives tier, approval, bundle(NAME), …", "what it takes away"),
            WHEN,
            entry("granted", "granted by team(NAME)", "who must sign it"),
            entry("ticket", "ticket \"…\"", "where it was agreed"),
            entry("until", "until DATE", "its last day"),
            BECAUSE,
        ],
        example: "waiver vendored of reaches_kernel for path(\"vendor/**\") waives tier granted by team(governance) until 2026-12-31 because \"Reviewed upstream.\"",
    },
    ItemEntry {
        word: "window",
        form: "window NAME DATE to DATE, zone \"ZONE\"",
        doc: "a span of days, both ends included",
        clauses: &[],
        example: "window freeze 2026-12-20 to 2027-01-03, zone \"Europe/Berlin\"",
    },
    ItemEntry {
        word: "bundle",
        form: "bundle NAME",
        doc: "tests that run together",
        clauses: &[
            entry("critical", "critical", "must pass before a deployment"),
            entry("says", "says \"…\"", "what it covers"),
            entry("tests", "tests SET", "its tests"),
            entry("setup", "setup \"…\", …", "run before it: arguments, no shell"),
            entry("run", "run \"…\", …", "the command: arguments, no shell; `{tests}` and `{junit}` are filled in"),
            entry("timeout", "timeout DURATION each, DURATION in all", "bounds; without a word, in all"),
            entry("retries", "retries N", "a pass on retry is `flaky`"),
            entry("pass", "pass rate at least N %", "how many of its tests must pass"),
            MAY_BE_EMPTY,
        ],
        example: "bundle chaos_smoke critical tests path(\"tests/chaos/**\") run \"pytest\", \"{tests}\" timeout 60 s each, 120 s in all",
    },
    ItemEntry {
        word: "binding",
        form: "binding model(\"NAME\") to SET",
        doc: "says which code uses a model",
        clauses: &[MAY_BE_EMPTY],
        example: "binding model(\"mistral:7b\") to class(\"Mistral*\")",
    },
    ItemEntry {
        word: "validation",
        form: "validation NAME",
        doc: "a probe of models, asked for each model that the change touches",
        clauses: &[
            entry("of", "of MODELS", "which models"),
            entry("run", "run probe NAME, samples N", "which probe, how many samples"),
            BECAUSE,
        ],
        example: "validation bias of models where requires_bias_check run probe bias, samples 100 because \"Bias is found by measuring.\"",
    },
    ItemEntry {
        word: "band",
        form: "band NAME",
        doc: "names for ranges of a measured rate, by its confidence interval",
        clauses: &[
            entry("from", "from evidence NAME", "what is measured"),
            entry("low", "low when upper bound <= N %", "the whole interval lies below"),
            entry("medium", "medium when interval within N % to N %", "the whole interval lies between"),
            entry("high", "high when lower bound > N %", "the whole interval lies above"),
        ],
        example: "band hallucination_rate from evidence fabrication low when upper bound <= 10 % high when lower bound > 30 %",
    },
    ItemEntry {
        word: "intent",
        form: "intent NAME says \"…\"",
        doc: "an aim that rules serve",
        clauses: &[entry("says", "says \"…\"", "what it stands for")],
        example: "intent system.boot says \"The system boots.\"",
    },
    ItemEntry {
        word: "test",
        form: "test \"…\"",
        doc: "a change that is made up, and what the rules must say of it",
        clauses: &[
            entry("given", "given GIVEN", "one fact of the case"),
            entry("expect", "expect EXPECTATION from RULE", "one thing that must follow"),
        ],
        example: "test \"a kernel edit is tier 3\" given edit of function(\"Kernel.start\") in fixture(\"mini\") expect tier 3 from kernel_change",
    },
    ItemEntry {
        word: "kpi",
        form: "kpi NAME",
        doc: "a value measured after deployments; lines of `name value`",
        clauses: &[],
        example: "kpi heal_rate\n  better higher\n  from prometheus \"main\", query \"sum(rate(heal_ok[1h]))\"",
    },
    ItemEntry {
        word: "drift",
        form: "drift NAME on KPI",
        doc: "watches a value after a deployment; lines of `name value`",
        clauses: &[],
        example: "drift heal_regression on heal_rate\n  watch every 1 h for 24 h after deployment\n  alert worse by more than 20 % of baseline\n  because \"Less healing is degrading.\"",
    },
    ItemEntry {
        word: "trust_score",
        form: "trust_score",
        doc: "how trust in a change is counted; lines of `name value`",
        clauses: &[],
        example: "trust_score\n  start 1.0\n  lose 0.5 when any critical bundle failed\n  below reject",
    },
    ItemEntry {
        word: "audit",
        form: "audit NAME",
        doc: "what is looked at every few actions of an agent; lines of `name value`",
        clauses: &[],
        example: "audit cycle\n  every 15 actions\n  rerun bundles of touched\n  on failure halt",
    },
    ItemEntry {
        word: "practice",
        form: "practice NAME",
        doc: "a way of working that has proved itself; lines of `name value`",
        clauses: &[],
        example: "practice tune_in_steps\n  kind playbook\n  step \"Change by a tenth\"",
    },
];

/// Lines of a `kpi`.
pub const KPI_LINES: &[LineEntry] = &[
    line("better", "better higher | lower", "which direction is good", true, LineValue::OneOf(&["higher", "lower"])),
    line(
        "from",
        "from prometheus \"ENDPOINT\", query \"PROMQL\" | csv \"GLOB\", time \"COLUMN\", value \"COLUMN\" | jsonl … | parquet … | otlp \"GLOB\", metric \"NAME\" | store, query \"SQL\" | push | selection recall | selection share",
        "where it is measured; endpoints are named in the operator's config. In place of `query`, `value` or `metric`, `numerator \"…\", denominator \"…\"` for so many of so many; `, where \"COLUMN\" is \"TEXT\"` for some rows. `push` is what `drift push` is given. `selection recall` (of the tests that failed, the share that narrowing would have run) and `selection share` (of all tests) are measured by `run` where a tier observes",
        true,
        LineValue::Source,
    ),
    line(
        "unit",
        "unit % | points | ms | s | min | h | d | one",
        "what it counts; a bare number where not said",
        false,
        LineValue::OneOf(&["percent", "points", "ms", "s", "min", "h", "d", "one"]),
    ),
    line("says", "says \"…\"", "what it measures", false, LineValue::Text),
    line(
        "missing",
        "missing unknown | zero | bad",
        "what no data means: nothing is known, nothing happened, or it is as bad as drift",
        false,
        LineValue::OneOf(&["unknown", "zero", "bad"]),
    ),
    line(
        "settle",
        "settle DURATION",
        "how long after an hour has ended its measure may still change; it is judged then. 2 min of `prometheus` and 10 min of the others where not said; a day at most, `0 s` for none",
        false,
        LineValue::Settle,
    ),
];

/// Lines of a `drift`.
pub const DRIFT_LINES: &[LineEntry] = &[
    line(
        "watch",
        "watch every DURATION for DURATION after deployment",
        "how often and how long",
        true,
        LineValue::Watch,
    ),
    line("alert", "alert worse by more than N % of baseline", "what counts as drift", true, LineValue::Alert),
    line(
        "missing",
        "missing unknown | zero | bad",
        "what no data means: nothing is known, nothing happened, or it is as bad as drift",
        false,
        LineValue::OneOf(&["unknown", "zero", "bad"]),
    ),
    line(
        "method",
        "method calibrated | seed | three_sigma | kayenta",
        "how a verdict is come to; `calibrated` where not said, the others are kept for comparison",
        false,
        LineValue::OneOf(&["calibrated", "seed", "three_sigma", "kayenta"]),
    ),
    line("control", "control kpi(NAME)", "the same value where the change was not deployed", false, LineValue::Control),
    line(
        "samples",
        "samples at least N",
        "fewer samples than this say nothing; otherwise 30",
        false,
        LineValue::Samples,
    ),
    line(
        "floor",
        "floor NUMBER",
        "a smaller difference counts for nothing, in the KPI's unit",
        false,
        LineValue::Number,
    ),
    line(
        "on suspect",
        "on suspect ACTION, …",
        "what follows a first sign: `note`, `open story`, `log incident`, `propose rollback`, `tier at least N for FAMILY(VALUE) during DURATION`, `tell \"WEBHOOK\"`, `write issue`",
        false,
        LineValue::Actions,
    ),
    line("on drift", "on drift ACTION, …", "what follows drift", false, LineValue::Actions),
    line("on confirmed", "on confirmed ACTION, …", "what follows confirmed drift", false, LineValue::Actions),
    line("because", "because \"…\"", "why it is watched", true, LineValue::Text),
];

/// Lines of a `trust_score`.
pub const TRUST_LINES: &[LineEntry] = &[
    line("start", "start NUMBER", "the score before anything is lost", true, LineValue::Number),
    line(
        "lose",
        "lose NUMBER when any required bundle failed | when any critical bundle failed | when bundle(NAME) failed | when pass rate of bundle(NAME) over last N runs below P % | when flaky rate of bundle(NAME) over last N runs above P % | per contract violation",
        "what is lost by what; a contract violation is a new import against a `forbid` or `layers`, or a model validation that failed",
        true,
        LineValue::Loss,
    ),
    line(
        "below",
        "below reject | hold",
        "what follows a score below the minimum; where rules ask people `when trust below minimum`, `hold` waits for them alone",
        true,
        LineValue::OneOf(&["reject", "hold"]),
    ),
    line("because", "because \"…\"", "why it is counted so", false, LineValue::Text),
];

/// Lines of an `audit`.
pub const AUDIT_LINES: &[LineEntry] = &[
    line("every", "every N actions", "how often", true, LineValue::Audit),
    line("rerun", "rerun bundles of touched", "what runs again", false, LineValue::Audit),
    line(
        "compare",
        "compare models with baseline, latency N %, error_rate N points",
        "what is compared",
        false,
        LineValue::Audit,
    ),
    line("check", "check NAME, …", "which guardrails run on the text written", false, LineValue::Audit),
    line("review", "review N of team(NAME)", "who looks at it", false, LineValue::Audit),
    line(
        "on failure",
        "on failure halt | note",
        "what follows a cycle that is not approved",
        true,
        LineValue::OneOf(&["halt", "note"]),
    ),
    line("because", "because \"…\"", "why it is done", false, LineValue::Text),
];

/// Lines of a `practice`.
pub const PRACTICE_LINES: &[LineEntry] = &[
    line(
        "kind",
        "kind playbook | adapter_api | test_suite | telemetry_hook | refactor",
        "what kind of pattern it is",
        true,
        LineValue::OneOf(&["playbook", "adapter_api", "test_suite", "telemetry_hook", "refactor"]),
    ),
    line("says", "says \"…\"", "what it is", false, LineValue::Text),
    line("step", "step \"…\"", "one step of the template; as many as there are steps", true, LineValue::Text),
    line("applies to", "applies to NAME, …", "where it fits", false, LineValue::Free),
    line("not for", "not for NAME, …", "where it does not", false, LineValue::Free),
    line("from", "from \"STORY\", …", "the stories it was taken from", false, LineValue::Free),
    line("because", "because \"…\"", "why it works", false, LineValue::Text),
];

/// The lines of an operational item, by its keyword; empty for other items.
pub fn lines(item: &str) -> &'static [LineEntry] {
    match item {
        "kpi" => KPI_LINES,
        "drift" => DRIFT_LINES,
        "trust_score" => TRUST_LINES,
        "audit" => AUDIT_LINES,
        "practice" => PRACTICE_LINES,
        _ => &[],
    }
}

/// Sets.
pub const SETS: &[Entry] = &[
    entry(
        "path",
        "path(\"GLOB\")",
        "files by their path; `**` crosses folders, `*` does not; `ignoring case` may follow",
    ),
    entry("package", "package(\"a.b\")", "a package with all below"),
    entry("module", "module(\"a.b\")", "a module's body and everything inside"),
    entry("class", "class(\"GLOB\")", "class headers and everything inside"),
    entry("header", "header of S", "the class headers of a set, without what is inside"),
    entry("function", "function(\"GLOB\")", "functions and methods"),
    entry("decorated", "decorated(\"GLOB\")", "parts with a decorator of this dotted name"),
    entry(
        "language",
        "language(NAME)",
        "parts of files in a language: `python`, `typescript`, `javascript`, `rust`, `go`",
    ),
    entry("public", "public(S)", "the public parts of a set"),
    entry("named", "named \"GLOB\"", "parts whose own name matches; `ignoring case` may follow"),
    entry("matches", "matches(name, \"REGEX\"), matches(path, \"REGEX\")", "by a regular expression, in linear time"),
    entry(
        "generated",
        "generated",
        "files that a tool wrote, by their name or first lines; those of which only the change says so are unknown",
    ),
    entry(
        "tests",
        "tests",
        "test functions and the files that hold them; a file that holds one only since the change is unknown",
    ),
    entry("all", "all", "every part"),
    entry("none", "none", "no part"),
    entry("tag", "tag(NAME)", "what carries a tag; a family is asked by its own name: `layer(layer1)`"),
    entry("bound", "bound to model(\"GLOB\")", "what is bound to a model"),
    entry("files", "files of S", "every part of the files that hold a part of a set"),
    entry("modules", "modules of S", "every part of the modules that hold a part of a set"),
    entry("members", "members of S", "each class header in a set with everything inside"),
    entry(
        "importers",
        "importers(S, within N), importers(S, any distance)",
        "who imports a set; a distance stands in every step",
    ),
    entry("imported", "imported by(S, within N)", "what a set imports"),
    entry("callers", "callers(S, within N)", "who calls into a set"),
    entry("callees", "callees(S, within N)", "what a set calls"),
    entry("subtypes", "subtypes(S, within N)", "who inherits from a set"),
    entry("supertypes", "supertypes(S, within N)", "what a set inherits from"),
    entry("dependents", "dependents(S, within N)", "who depends on a set by any edge"),
    entry("dependencies", "dependencies(S, within N)", "what a set depends on by any edge"),
    entry("tests of", "tests of(S, within N)", "tests that reach a set by any edge"),
    entry("certain", "certain callers(S, within N)", "the same step without guessed edges"),
    entry(
        "models",
        "models, models where FIELD TEST and …",
        "models by their fingerprints; `models used by S` by the code that uses them",
    ),
    entry("model", "model(\"GLOB\")", "models by name"),
    entry("bundles", "bundles", "every bundle"),
    entry("bundle", "bundle(NAME)", "one bundle"),
    entry("owners", "owners of S", "the people who own the files of a set"),
    entry("team", "team(NAME)", "the members of a team"),
];

/// How sets join.
pub const SET_OPERATORS: &[Entry] = &[
    entry("plus", "A plus B", "in either"),
    entry("within", "A within B", "in both"),
    entry("except", "A except B", "in the first and not in the second"),
];

/// Conditions.
pub const CONDITIONS: &[Entry] = &[
    entry("change touches", "change touches S", "the meaning of a part of the set changes"),
    entry("change only touches", "change only touches S", "no part outside the set changes; proved on both sides"),
    entry(
        "change only in",
        "change only in comments, formatting, documentation, added tests",
        "proved from both sides",
    ),
    entry("change adds", "change adds S", "a part of the set is new"),
    entry("change removes", "change removes S", "a part of the set is gone"),
    entry("change renames", "change renames S", "a part of the set has another name"),
    entry("signatures change", "signatures change in S", "parameters, defaults, return or bases of a part differ"),
    entry(
        "new edges",
        "new edges imports from A to B",
        "an edge runs after and did not before; several kinds by `or`, none for any",
    ),
    entry("tests removed", "tests removed", "a test is gone"),
    entry(
        "tests weakened",
        "tests weakened",
        "a test asserts less, is skipped, tolerates more or is no longer collected; unknown where nothing reads its language",
    ),
    entry("added code lines", "added code lines in S contain \"TEXT\", …", "a new line of code holds one of the texts"),
    entry("documentation removed", "documentation removed in S", "documentation is gone"),
    entry("flags removed", "flags removed of MODELS", "a compliance flag of a model is gone"),
    entry("contracts change", "contracts change of MODELS", "the contract of a model differs"),
    entry("any edit", "any edit in S", "any byte differs"),
    entry("lines changed", "lines changed in S > N", "how many lines"),
    entry("files changed", "files changed in S > N", "how many files"),
    entry("any of", "any of S has FIELD TEST", "one member of a set of models passes the test"),
    entry("package change", "package change is major | new | downgrade", "how a dependency moves"),
    entry("operation", "operation is NAME, …", "the declared operation"),
    entry(
        "actor",
        "actor is verified bot(\"NAME\")",
        "every commit is signed by the bot's key; unknown where nobody looked at the signatures, as `plan` does not",
    ),
    entry("ticket", "ticket \"GLOB\"", "a ticket is named"),
    entry("branch", "branch \"GLOB\"", "the branch's name"),
    entry("rationale", "rationale missing", "no reason is given"),
    entry("story", "story lacks FIELD", "a field of the story is empty"),
    entry("count", "count(S) > N", "how many members a set has"),
    entry("is empty", "S is empty", "a set has no member"),
    entry("during", "during WINDOW", "the decision's date lies in the window"),
    entry("pass rate", "pass rate of bundle(NAME) over last N runs < N %", "how often a bundle passed"),
    entry("flaky rate", "flaky rate of bundle(NAME) over last N runs > N %", "how often it passed only on retry"),
    entry(
        "any required bundle",
        "any required bundle has flaky rate over last N runs > N %",
        "the same for each bundle that the plan requires",
    ),
    entry(
        "bundle failed",
        "bundle(NAME) failed, any required bundle failed, any critical bundle failed",
        "an outcome, after the run",
    ),
    entry("kpi", "kpi(NAME) STATISTIC over DURATION COMPARISON", "a measured value"),
    entry("trust", "trust below minimum", "the trust score is below the least that rules ask for"),
    entry("no test", "no test reaches the change", "a changed part of the product is reached by no test"),
];

/// How conditions join.
pub const CONDITION_OPERATORS: &[Entry] = &[
    entry("and", "A and B", "both"),
    entry("or", "A or B", "one of them; `and` and `or` together need parentheses"),
    entry("not", "not A", "the opposite; unknown stays unknown"),
];

/// Comparisons of numbers.
pub const COMPARISONS: &[Entry] = &[
    entry("<", "< N", "less"),
    entry("<=", "<= N, at most N", "less or equal"),
    entry(">", "> N", "more"),
    entry(">=", ">= N, at least N", "more or equal"),
    entry("=", "= N", "equal"),
];

/// Tests of a field, where `has` or `where` stands before.
pub const FIELD_TESTS: &[Entry] = &[
    entry("FIELD", "FIELD", "it is yes; for the opposite `FIELD is no`"),
    entry("is", "FIELD VALUE, FIELD is VALUE", "it has the value"),
    entry("not", "FIELD not VALUE", "it has another value; what is unknown stays unknown"),
    entry("contains", "FIELD contains VALUE", "the list holds the value"),
    entry("<", "FIELD < N", "any comparison of numbers"),
];

/// What a rule can require.
pub const REQUIREMENTS: &[Entry] = &[
    entry(
        "approval",
        "approval N of anyone | team(NAME) | an owner of each file in S",
        "people; `, N of them of team(NAME)` and `, else team(NAME)` may follow",
    ),
    entry("extra", "extra approval N of …", "an approval that serves no other requirement"),
    entry("bundle", "bundle(NAME)", "tests; `narrowed to impacted tests` may follow"),
    entry("validation", "validation(NAME)", "a probe of each model that the change touches"),
    entry("ticket", "ticket \"GLOB\"", "a ticket in the signed subject"),
    entry("rationale", "rationale", "a reason in words"),
    entry("story", "story FIELD, …", "fields of the story"),
];

/// What a test can be given.
pub const GIVENS: &[Entry] = &[
    entry("edit", "edit of S", "every part of a set gets another body"),
    entry("comment", "comment edit of S", "only comments change"),
    entry("removal", "removal of S", "every part of a set goes"),
    entry("new", "new file \"PATH\" containing \"TEXT\"", "a file is added"),
    entry("replace", "replace \"OLD\" by \"NEW\" in \"PATH\"", "a text that stands once in a file changes"),
    entry("patch", "patch \"FILE\"", "a unified diff beside the test"),
    entry("fixture", "fixture(\"NAME\"), in fixture(\"NAME\")", "the repository that it happens in"),
    entry("at", "at rev \"REV\"", "the revision that it happens at"),
    entry("as", "as of DATE", "the day of the decision"),
    entry("operation", "operation NAME", "the declared operation"),
    entry(
        "actor",
        "actor \"NAME\", actor verified bot(\"NAME\")",
        "who acts; the first alone is no verified bot, and without either nobody has looked",
    ),
    entry("branch", "branch \"NAME\"", "the branch"),
    entry("ticket", "ticket \"NAME\"", "the ticket"),
    entry("rationale", "rationale \"TEXT\"", "the reason"),
    entry("approved", "approved by \"PRINCIPAL\"", "an approval"),
    entry("outcome", "outcome of bundle(NAME) = passed | failed | flaky", "what a run gave"),
    entry(
        "fact",
        "fact FACT = VALUE",
        "a fact of the past: a rate, `kpi(NAME)`, `trust`, `FIELD of model(\"…\")`, `FIELD of story`",
    ),
    entry("unknown", "unknown FACT", "a fact that is missing"),
];

/// What a test can expect; `no` before it for the opposite, `from RULE` after it for the cause.
pub const EXPECTATIONS: &[Entry] = &[
    entry("tier", "tier N", "the plan's tier"),
    entry("bundle", "bundle(NAME)", "a bundle is required; `narrowed` may follow"),
    entry("approval", "approval N of …", "an approval is required"),
    entry("principle", "principle NAME", "a rule that upholds it fires"),
    entry("validation", "validation(NAME) of model(\"NAME\")", "a validation is required"),
    entry("denied", "denied", "the plan is denied"),
    entry("unknown", "unknown", "something is unknown"),
    entry("waived", "waived RULE", "a waiver takes something from a rule"),
    entry("rule", "rule NAME", "a rule fires"),
    entry("decision", "decision go | hold | no", "the decision's answer"),
    entry("nothing", "nothing else", "nothing but what the other lines name"),
];

/// Rules that no text holds; a test can name them as a cause.
pub const BUILT_IN_RULES: &[Entry] = &[
    entry(
        "rules_changed",
        "rules_changed",
        "a change to rules, waivers, signers or code owners is tier 3; no one can waive it",
    ),
    entry(
        "broken_rule",
        "broken_rule",
        "an item that cannot be read, or that `check` calls wrong, is tier 3 and unknown",
    ),
    entry(
        "broken_fingerprint",
        "broken_fingerprint",
        "a fingerprint in `grace/fingerprints/` that cannot be read, or a second one of the same model, is tier 3 and unknown",
    ),
    entry("default_tier", "default_tier", "the tier of a change where no rule book says what its tiers are"),
    entry("tier_3", "tier_3", "somebody must agree to tier 3, where no rule book says who"),
];

/// Units. A comparison across kinds is an error.
pub const UNITS: &[Entry] = &[
    entry("%", "5 %", "a share"),
    entry("points", "10 points", "a difference of shares"),
    entry("ms", "100 ms", "milliseconds"),
    entry("s", "60 s", "seconds"),
    entry("min", "5 min", "minutes"),
    entry("h", "24 h", "hours"),
    entry("d", "7 d", "days of 24 h"),
];

/// Statistics of a KPI over a span of time; the last value where none is named.
pub const STATISTICS: &[Entry] = &[
    entry("mean", "mean", "the arithmetic mean"),
    entry("median", "median", "the middle value"),
    entry("min", "min", "the least value"),
    entry("max", "max", "the greatest value"),
    entry("last", "last", "the latest value"),
    entry("sum", "sum", "the sum"),
    entry("p50", "p50", "half of the values are at most this"),
    entry("p90", "p90", "nine in ten values are at most this"),
    entry("p95", "p95", "95 in 100 values are at most this"),
    entry("p99", "p99", "99 in 100 values are at most this"),
];

/// What a field of a fingerprint or a story holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// `yes` or `no`.
    YesNo,
    /// One of these words.
    Words(&'static [&'static str]),
    /// Free text.
    Text,
    /// A list of words.
    List,
    /// A bare number.
    Number,
    /// A duration.
    Duration,
}

/// A field that a condition can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldEntry {
    /// Its name.
    pub word: &'static str,
    /// What it holds.
    pub kind: FieldKind,
    /// What it means.
    pub doc: &'static str,
}

const fn field(word: &'static str, kind: FieldKind, doc: &'static str) -> FieldEntry {
    FieldEntry { word, kind, doc }
}

const LEVELS: FieldKind = FieldKind::Words(&["low", "medium", "high"]);
/// Levels that follow from evidence, and what there is where none does.
const BANDS: FieldKind = FieldKind::Words(&["low", "medium", "high", "inconclusive", "unmeasured"]);

/// Fields of a model's fingerprint.
pub const MODEL_FIELDS: &[FieldEntry] = &[
    field("model_name", FieldKind::Text, "the name"),
    field("model_type", FieldKind::Text, "the family of models"),
    field("licence", FieldKind::Text, "the licence's identifier"),
    field("commercial_use", FieldKind::Words(&["allowed", "not_allowed"]), "whether a product may use it"),
    field("strengths", FieldKind::List, "what it does well"),
    field("weaknesses", FieldKind::List, "what it does badly"),
    field("typical_latency_ms", FieldKind::Number, "typical latency in milliseconds"),
    field("context_window", FieldKind::Number, "context in tokens"),
    field("output_quality", LEVELS, "quality of output"),
    field("trust_score", FieldKind::Number, "trust, 0 to 1"),
    field("compliance_flags", FieldKind::List, "flags such as `open_license`"),
    field("hallucination_rate", BANDS, "how often it invents: as evidence has it, else as declared"),
    field("bias_risk", BANDS, "risk of bias, likewise"),
    field("requires_hallucination_test", FieldKind::YesNo, "is probed for invention"),
    field("requires_bias_check", FieldKind::YesNo, "is probed for bias"),
    field("requires_accuracy_validation", FieldKind::YesNo, "is probed for accuracy"),
    field("recommended_for", FieldKind::List, "tasks that fit"),
    field("not_recommended_for", FieldKind::List, "tasks that do not"),
    field("provider", FieldKind::Text, "who serves it"),
    field("capabilities", FieldKind::List, "what its adapter can do"),
];

/// Fields of a story: the 5W1H record and its narrative.
pub const STORY_FIELDS: &[FieldEntry] = &[
    field("title", FieldKind::Text, "title"),
    field("summary", FieldKind::Text, "summary"),
    field("narrative", FieldKind::Text, "problem, solution, impact, governance"),
    field("component", FieldKind::Text, "what: the component"),
    field("files", FieldKind::List, "what: the files"),
    field("models", FieldKind::List, "what: the models"),
    field("capability", FieldKind::Text, "what: the capability"),
    field("layer", FieldKind::Text, "where: the layer"),
    field("tier", FieldKind::Text, "where: the tier"),
    field("environment", FieldKind::Text, "where: the environment"),
    field("timestamp", FieldKind::Text, "when: the time"),
    field("sla_completion", FieldKind::Text, "when: due"),
    field("audit_cadence", FieldKind::Text, "when: how often it is audited"),
    field("telemetry_incident", FieldKind::Text, "why: the incident"),
    field("chaos_signature", FieldKind::Text, "why: the chaos signature"),
    field("strategic_objective", FieldKind::Text, "why: the objective"),
    field("rationale", FieldKind::Text, "why: the reason"),
    field("requesting_actor", FieldKind::Text, "who: asks"),
    field("approvals", FieldKind::List, "who: approved"),
    field("governance_tier", FieldKind::Text, "who: the governance tier"),
    field("plan_steps", FieldKind::List, "how: the steps"),
    field("playbooks_used", FieldKind::List, "how: the playbooks"),
    field("tests_run", FieldKind::List, "how: the tests"),
    field("rollback_plan", FieldKind::Text, "how: the way back"),
    field("capabilities_improved", FieldKind::List, "what got better"),
    field("kernels_affected", FieldKind::List, "which kernels"),
    field("models_involved", FieldKind::List, "which models"),
    field("expected_benefit", FieldKind::Text, "what it is good for"),
    field("risks_identified", FieldKind::List, "what can go wrong"),
    field("guardrails_checked", FieldKind::List, "what was checked"),
    field("alternatives_considered", FieldKind::List, "what else was thought of"),
    field("outcome", FieldKind::Words(&["pending", "success", "failed", "rolled_back"]), "how it ended"),
];

/// Words inside forms that begin nothing of their own: for hints only.
const INNER: &[&str] = &[
    "anyone",
    "at least",
    "at most",
    "automatically",
    "by",
    "case",
    "change",
    "code",
    "containing",
    "contain",
    "critical",
    "deployment",
    "direct",
    "distance",
    "each",
    "edges",
    "edit",
    "else",
    "evidence",
    "everything",
    "failed",
    "has",
    "ignoring",
    "impacted",
    "in",
    "interval",
    "lacks",
    "least",
    "listed",
    "lower",
    "missing",
    "most",
    "name",
    "narrowed",
    "only",
    "operations",
    "other",
    "points",
    "probe",
    "reaches",
    "required",
    "rules",
    "runs",
    "samples",
    "shrink",
    "through",
    "touches",
    "upper",
    "verified",
    "where",
    "zone",
    "removed",
    "weakened",
];

/// The entry of an item's keyword.
pub fn item(word: &str) -> Option<&'static ItemEntry> {
    ITEMS.iter().find(|item| item.word == word)
}

/// Whether a word begins an item.
pub fn begins_item(word: &str) -> bool {
    item(word).is_some()
}

/// The first words of an item's clauses.
pub(crate) fn clause_words(item_word: &str) -> Vec<&'static str> {
    let clauses = item(item_word).map(|item| item.clauses).unwrap_or_default().iter().map(|clause| clause.word);
    let lines = lines(item_word).iter().filter_map(|line| line.word.split(' ').next());
    clauses.chain(lines).collect()
}

/// Whether the language uses a word anywhere.
pub(crate) fn is_known(word: &str) -> bool {
    all_words().any(|known| known == word)
}

/// Whether a word begins clauses and is used for nothing else.
pub(crate) fn is_only_clause(word: &str) -> bool {
    let tables = [SETS, SET_OPERATORS, CONDITIONS, CONDITION_OPERATORS, REQUIREMENTS, GIVENS, EXPECTATIONS];
    let elsewhere = tables
        .into_iter()
        .flatten()
        .flat_map(|entry| entry.form.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'));
    let is_clause = ITEMS.iter().flat_map(|item| item.clauses).any(|clause| clause.word == word);
    is_clause && !elsewhere.chain(INNER.iter().copied()).any(|other| other == word)
}

/// Every single word of the language; repeats are possible.
pub(crate) fn all_words() -> impl Iterator<Item = &'static str> {
    let tables = [SETS, SET_OPERATORS, CONDITIONS, CONDITION_OPERATORS, REQUIREMENTS, GIVENS, EXPECTATIONS, UNITS];
    let entries = tables.into_iter().flatten().map(|entry| entry.word);
    let items = ITEMS.iter().map(|item| item.word);
    let clauses = ITEMS.iter().flat_map(|item| item.clauses).map(|clause| clause.word);
    entries.chain(items).chain(clauses).chain(INNER.iter().copied()).flat_map(|word| word.split(' '))
}
