//! The closed list of diagnostic codes, each with its explanation and two examples.
//!
//! A code is never reused for another meaning. Codes from E060 to E066 and N002 are given out by the engine, which knows the
//! repository; they stand here so that there is one list.

use std::fmt;

macro_rules! codes {
    ($($name:ident $code:literal $title:literal $text:literal $bad:literal $good:literal;)*) => {
        /// What kind of mistake it is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code {
            $(#[doc = concat!("`", $code, "`: ", $title)] $name,)*
        }

        impl Code {
            /// All codes, in order.
            pub const ALL: &'static [Code] = &[$(Code::$name,)*];

            /// `E021`
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// What it is about, in a few words.
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }

            /// Why it is a mistake and what to do; without the examples.
            pub fn reason(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// A text that gives this code; empty where only a repository or a huge file gives it.
            pub fn bad(self) -> &'static str {
                match self { $(Self::$name => $bad,)* }
            }

            /// The same text put right.
            pub fn good(self) -> &'static str {
                match self { $(Self::$name => $good,)* }
            }
        }
    };
}

codes! {
    Syntax "E001" "unexpected text"
        "The parser read as far as the marked place and cannot go on. The rest of the item is read from its next clause."
        "rule a : tier 2\n  when change touches\n  because \"x\""
        "rule a : tier 2\n  when change touches all\n  because \"x\"";
    UnknownItem "E002" "not an item"
        "A line outside an item, or one that begins at the left edge with a word that is no clause, must begin with the keyword of an item."
        "rul a : tier 2\n  when tests removed\n  because \"x\""
        "rule a : tier 2\n  when tests removed\n  because \"x\"";
    UnknownClause "E003" "not a clause of this item"
        "Each item has its own clauses; this word begins none of them."
        "team a\n  member \"x\""
        "team a\n  members \"x\"";
    OpenString "E004" "string without an end"
        "A string ends on the line where it begins. Long texts are written as several strings, which are joined."
        "intent a says \"one"
        "intent a says \"one \"\n  \"two\"";
    MixedAndOr "E005" "`and` beside `or`"
        "Nobody should have to remember which of `and` and `or` binds tighter."
        "rule a : tier 2\n  when tests removed and tests weakened or rationale missing\n  because \"x\""
        "rule a : tier 2\n  when (tests removed and tests weakened) or rationale missing\n  because \"x\"";
    MixedSetOperators "E006" "two different set operators"
        "Two different operators of `plus`, `within`, `except` need parentheses."
        "define a = tests plus generated except path(\"x/**\")"
        "define a = (tests plus generated) except path(\"x/**\")";
    ForeignOperator "E007" "operator of another language"
        "Operators are words: `and`, `or`, `not` for conditions, `plus`, `within`, `except` for sets, and `<`, `<=`, `>`, `>=`, `=`, `at most`, `at least` for numbers."
        "rule a : tier 2\n  when tests removed && tests weakened\n  because \"x\""
        "rule a : tier 2\n  when tests removed and tests weakened\n  because \"x\"";
    BadNumber "E008" "number out of range"
        "Numbers have at most three decimals and twelve digits before the point; counts are whole and not negative."
        "rule a : tier 2\n  when count(all) > 1.5\n  because \"x\""
        "rule a : tier 2\n  when count(all) > 1\n  because \"x\"";
    UnknownUnit "E009" "unknown unit"
        "Units are `%`, `points`, `ms`, `s`, `min`, `h` and `d`."
        "bundle a\n  tests tests\n  run \"x\"\n  timeout 60 seconds"
        "bundle a\n  tests tests\n  run \"x\"\n  timeout 60 s";
    BadDate "E010" "no such date"
        "Dates are written year-month-day and must exist."
        "window w 2026-02-30 to 2026-03-01, zone \"UTC\""
        "window w 2026-02-28 to 2026-03-01, zone \"UTC\"";
    MissingClause "E011" "clause missing"
        "The item says nothing without this clause."
        "rule a : tier 2\n  because \"x\""
        "rule a : tier 2\n  when tests removed\n  because \"x\"";
    DuplicateClause "E012" "clause given twice"
        "Only `require`, `limit`, `upholds`, `intents`, `given`, `expect` and some lines of operational items may be repeated."
        "rule a : tier 2\n  when tests removed\n  when tests weakened\n  because \"x\""
        "rule a : tier 2\n  when tests removed or tests weakened\n  because \"x\"";
    MissingDistance "E013" "step without a distance"
        "A step over the graph says how far it goes; power is bounded where it is written."
        "define a = callers(tag(k))\ntag k on all"
        "define a = callers(tag(k), within 2)\ntag k on all";
    SetAsCondition "E014" "a set is not a condition"
        "A set is neither true nor false. Say what happens to it."
        "rule a : tier 2\n  when path(\"x/**\")\n  because \"x\""
        "rule a : tier 2\n  when change touches path(\"x/**\")\n  because \"x\"";
    TooLarge "E015" "file too large"
        "A file of rules has at most 4 MiB."
        ""
        "";
    TooDeep "E016" "nested too deeply"
        "Parentheses are at most 64 deep, and an expression has at most 256 operands in a row. Name a part by `define`."
        ""
        "";
    BadTier "E017" "no such tier"
        "There are three tiers; a higher number is stricter."
        "rule a : tier 4\n  when tests removed\n  because \"x\""
        "rule a : tier 3\n  when tests removed\n  because \"x\"";
    UnknownFunction "E018" "unknown kind of set"
        "Sets are written by a closed list of words; see the reference."
        "define a = folder(\"x\")"
        "define a = path(\"x/**\")";
    MisplacedClause "E019" "clause of a related item"
        "A rule says its tier after its name and its condition by `when`; a policy says `tier` and `covers`."
        "rule a\n  tier 2\n  when tests removed\n  because \"x\""
        "rule a : tier 2\n  when tests removed\n  because \"x\"";
    MissingBecause "E020" "`because` missing"
        "Whoever is stopped by an item must be able to read why it exists. It is mandatory on rules, policies, forbids, layers, waivers, validations and drift rules."
        "rule a : tier 2\n  when tests removed"
        "rule a : tier 2\n  when tests removed\n  because \"Nobody lowers the bar for their own change.\"";
    UnknownTag "E021" "unknown tag"
        "A tag exists once an item `tag NAME on SET` gives it."
        "tag kernel on path(\"k/**\")\ndefine a = tag(kernal)"
        "tag kernel on path(\"k/**\")\ndefine a = tag(kernel)";
    UnknownTeam "E022" "unknown team"
        "Teams are declared by `team NAME members …`."
        "team core members \"a@x\"\nrule a : tier 2\n  when tests removed\n  require approval 1 of team(cor)\n  because \"x\""
        "team core members \"a@x\"\nrule a : tier 2\n  when tests removed\n  require approval 1 of team(core)\n  because \"x\"";
    UnknownFamily "E023" "unknown family or value"
        "A family and its values are declared by `family NAME values …`."
        "family layer values low, high\ndefine a = layer(middle)\ntag layer(low) on none\ntag layer(high) on none"
        "family layer values low, high\ndefine a = layer(low)\ntag layer(low) on none\ntag layer(high) on none";
    UnknownSet "E024" "unknown set name"
        "A bare name in a set is the name of a `define`; tags are written `tag(NAME)`."
        "define code = path(\"x/**\")\ndefine a = cod"
        "define code = path(\"x/**\")\ndefine a = code";
    UnknownBundle "E025" "unknown bundle"
        "Bundles are declared by `bundle NAME`."
        "bundle unit tests tests run \"pytest\"\nrule a : tier 2\n  when tests removed\n  require bundle(units)\n  because \"x\""
        "bundle unit tests tests run \"pytest\"\nrule a : tier 2\n  when tests removed\n  require bundle(unit)\n  because \"x\"";
    UnknownValidation "E026" "unknown validation"
        "Validations are declared by `validation NAME`."
        "rule a : tier 2\n  when tests removed\n  require validation(bias)\n  because \"x\""
        "validation bias of models run probe bias because \"x\"\nrule a : tier 2\n  when tests removed\n  require validation(bias)\n  because \"x\"";
    UnknownPrinciple "E027" "unknown principle"
        "Principles are declared by `principle NAME says …`."
        "rule a : tier 2\n  when tests removed\n  upholds SAFTY\n  because \"x\""
        "principle SAFETY says \"x\"\nrule a : tier 2\n  when tests removed\n  upholds SAFETY\n  because \"x\"";
    UnknownRule "E028" "unknown rule"
        "A waiver or an expectation names a `rule`, `policy`, `forbid` or `layers` item; an expectation may name a waiver too."
        "test \"t\" given edit of all expect rule nothing_like_it"
        "rule a : tier 2\n  when any edit in all\n  because \"x\"\ntest \"t\" given edit of all expect rule a";
    UnknownKpi "E029" "unknown KPI"
        "KPIs are declared by `kpi NAME`."
        "rule a : tier 2\n  when kpi(boot) > 1 s\n  because \"x\""
        "kpi boot\n  better lower\n  from push\n  unit s\nrule a : tier 2\n  when kpi(boot) > 1 s\n  because \"x\"";
    UnknownIntent "E030" "unknown intent"
        "Intents are declared by `intent NAME says …`."
        "rule a : tier 2\n  when tests removed\n  intents system.boot\n  because \"x\""
        "intent system.boot says \"x\"\nrule a : tier 2\n  when tests removed\n  intents system.boot\n  because \"x\"";
    UnknownWindow "E031" "unknown window"
        "Windows are declared by `window NAME DATE to DATE, zone …`."
        "rule a : tier 2\n  when during freeze\n  because \"x\""
        "window freeze 2026-12-20 to 2027-01-03, zone \"UTC\"\nrule a : tier 2\n  when during freeze\n  because \"x\"";
    UnknownModule "E032" "unknown module"
        "`use` and `adopt` name modules that files declare by `module NAME`."
        "module mine\nuse other"
        "module mine\nuse mine";
    UnknownTier "E033" "unknown tier name"
        "`tiers.NAME` is a name from the item `tiers`."
        "waiver w of tiers.middle for all to tier 1\n  granted by team(g) until 2027-01-01\n  because \"x\"\nteam g members \"a@x\""
        "team g members \"a@x\"\ntiers\n  1 safe approve automatically for change only in comments\n  2 internal approve by rules for any other change\n  3 sensitive approve 1 of team(g)\nwaiver w of tiers.internal for all to tier 1\n  granted by team(g) until 2027-01-01\n  because \"x\"";
    UnknownField "E034" "unknown field"
        "Models have the fields of a fingerprint, stories those of the 5W1H record; see the reference."
        "define a = models where licens is \"MIT\""
        "define a = models where licence is \"MIT\"";
    BadFieldValue "E035" "value of another type"
        "Each field holds words of a closed list, text, a list, a number or yes and no; the test must fit."
        "define a = models where bias_risk > 3"
        "define a = models where bias_risk is high";
    DuplicateName "E036" "name given twice"
        "One name has one meaning. Rules, policies, forbids and layers share one space of names."
        "define a = tests\ndefine a = generated"
        "define a = tests\ndefine b = generated";
    Cycle "E037" "definition in a circle"
        "A name that is defined by itself has no meaning; the language has no recursion."
        "define a = b\ndefine b = a"
        "define a = b\ndefine b = tests";
    WrongSetType "E038" "set of another type"
        "There are sets of code, of models, of bundles and of people. Each place takes one of them."
        "define a = models plus tests"
        "define a = generated plus tests";
    WrongUnit "E039" "unit of another type"
        "Units are types: a rate is compared with `%`, a timeout is a duration, a count is a bare number."
        "bundle a tests tests run \"x\" timeout 5 %"
        "bundle a tests tests run \"x\" timeout 5 min";
    BadGlob "E040" "glob that does not compile"
        "`*` matches within a name, `**` crosses folders, `?` is one character, `[ab]` one of several, `{a,b}` one of the two."
        "define a = path(\"src/[a\")"
        "define a = path(\"src/[ab]*\")";
    BadRegex "E041" "regular expression that does not compile"
        "Regular expressions run in linear time: no look-around and no back-references. Their size is bounded."
        "define a = matches(name, \"(x\")"
        "define a = matches(name, \"(x)\")";
    BadModule "E042" "module declared wrongly"
        "A file declares its module once, and two files may not declare the same one."
        "module a\nmodule b"
        "module a";
    BadTiers "E043" "tiers incomplete"
        "The item `tiers` has each of the lines 1, 2 and 3 once, its names differ, and only tier 1 may be reached by a proof."
        "tiers\n  1 safe approve automatically\n  1 again approve by rules"
        "tiers\n  1 safe approve automatically for change only in comments\n  2 internal approve by rules for any other change\n  3 sensitive approve by rules for operations change_security";
    Unwaivable "E044" "rule that cannot be waived"
        "The rule upholds a principle that is `unwaivable`."
        "principle P unwaivable says \"x\"\nteam g members \"a@x\"\nrule a : tier 2 when tests removed upholds P because \"x\"\nwaiver w of a for all waives tier granted by team(g) until 2027-01-01 because \"x\""
        "principle P says \"x\"\nteam g members \"a@x\"\nrule a : tier 2 when tests removed upholds P because \"x\"\nwaiver w of a for all waives tier granted by team(g) until 2027-01-01 because \"x\"";
    IncompleteWaiver "E045" "waiver without a grant or an end"
        "Only a waiver lowers, so somebody signs it and it ends."
        "rule a : tier 2 when tests removed because \"x\"\nwaiver w of a for all waives tier because \"x\""
        "team g members \"a@x\"\nrule a : tier 2 when tests removed because \"x\"\nwaiver w of a for all waives tier granted by team(g) until 2027-01-01 because \"x\"";
    UnupheldPrinciple "E046" "principle that no rule upholds"
        "A principle that nothing enforces is decoration."
        "principle P says \"x\""
        "principle P says \"x\"\nrule a : tier 2 when tests removed upholds P because \"x\"";
    UnassignedValue "E047" "value that no tag assigns"
        "A family's value that no `tag FAMILY(VALUE) on …` gives matches nothing."
        "family layer values low"
        "family layer values low\ntag layer(low) on none may be empty";
    BundleRunsNothing "E048" "bundle without a command"
        "A bundle says how its tests run."
        "bundle a tests tests"
        "bundle a tests tests run \"pytest\", \"{tests}\"";
    EmptyRule "E049" "rule that asks for nothing"
        "A rule raises the tier, requires, denies, asks for trust or limits; otherwise it does nothing."
        "rule a when tests removed because \"x\""
        "rule a : tier 2 when tests removed because \"x\"";
    UnknownLine "E050" "unknown line"
        "Operational items are lines of `name value`; each kind has its own names."
        "audit cycle\n  evry 15 actions\n  on failure halt"
        "audit cycle\n  every 15 actions\n  on failure halt";
    MissingLine "E051" "line missing"
        "The item says nothing without this line."
        "kpi a\n  better higher"
        "kpi a\n  better higher\n  from push";
    BadLineValue "E052" "value that does not fit the line"
        "The line takes one of a few words, a number or a duration."
        "kpi a\n  better up\n  from push"
        "kpi a\n  better higher\n  from push";
    UnknownStatistic "E053" "unknown statistic"
        "Statistics are `mean`, `median`, `min`, `max`, `last`, `sum`, `p50`, `p90`, `p95`, `p99`."
        "kpi b\n  better lower\n  from push\n  unit s\nrule a : tier 2 when kpi(b) p42 over 1 h > 1 s because \"x\""
        "kpi b\n  better lower\n  from push\n  unit s\nrule a : tier 2 when kpi(b) p95 over 1 h > 1 s because \"x\"";
    BadBand "E054" "bands that do not fit"
        "A band has each of its levels once, with bounds in `%` and an interval that grows."
        "band b from evidence e medium when interval within 30 % to 10 %"
        "band b from evidence e medium when interval within 10 % to 30 %";
    EmptyTest "E055" "test that checks nothing"
        "A test is given something and expects something."
        "test \"t\" given edit of all"
        "test \"t\" given edit of all expect nothing else";
    BadWindow "E056" "window that does not open"
        "A window ends on or after the day it begins, in a zone of the IANA list."
        "window w 2026-12-20 to 2026-12-01, zone \"UTC\""
        "window w 2026-12-01 to 2026-12-20, zone \"UTC\"";
    BadEscape "E057" "bad string"
        "Inside a string `\\\"` is a quote, `\\\\` a backslash, `\\n` a new line, `\\t` a tab; any other backslash stands for itself."
        "intent a says 'x'"
        "intent a says \"x\"";
    ReservedName "E058" "word of the language as a name"
        "The name could not be used where it is needed, because the language reads it as its own word."
        "define tests = path(\"tests/**\")"
        "define test_code = path(\"tests/**\")";
    EmptyTeam "E059" "team without members"
        "An approval by nobody can never be given."
        "team a"
        "team a members \"a@example.org\"";
    SetMatchesNothing "E060" "set that matches nothing"
        "Nothing in the repository is in this set, so what is said about it says nothing."
        ""
        "";
    RuleCannotFire "E061" "rule that cannot fire"
        "No change to this repository can make the condition true."
        ""
        "";
    WaiverCoversNothing "E062" "waiver that covers nothing"
        "The waived rule has nothing inside the waiver's set."
        ""
        "";
    BundleTestsMissing "E063" "bundle whose tests do not exist"
        "The bundle's set holds no test."
        ""
        "";
    TagMatchesNothing "E064" "tag that matches nothing"
        "No part of the repository carries the tag."
        ""
        "";
    FixtureMissing "E065" "fixture that does not exist"
        "The test names a fixture or patch that is not there."
        ""
        "";
    UnreadableFile "E066" "file that cannot be read"
        "The file is no text, or could not be read."
        ""
        "";
    RepeatedTiers "E067" "more than one `tiers`"
        "The item `tiers` stands once in all own files; those of adopted packs join it, and the strictest counts."
        "tiers\n  1 safe approve automatically for change only in comments\n  2 internal approve by rules for any other change\n  3 sensitive approve by rules\ntiers\n  1 safe approve automatically for change only in comments\n  2 internal approve by rules for any other change\n  3 sensitive approve by rules"
        "tiers\n  1 safe approve automatically for change only in comments\n  2 internal approve by rules for any other change\n  3 sensitive approve by rules";
    RepeatedEntry "W001" "entry given twice in a list"
        "The second one changes nothing."
        "rule a : tier 2 when tests removed upholds P, P because \"x\"\nprinciple P says \"x\""
        "rule a : tier 2 when tests removed upholds P because \"x\"\nprinciple P says \"x\"";
    FolderGlob "W002" "glob that names a folder"
        "Paths are files. To mean all below a folder write `/**`."
        "define a = path(\"infra/\")"
        "define a = path(\"infra/**\")";
    PointlessWaiver "W003" "waiver that lowers nothing"
        "The waiver takes away what the rule does not ask for."
        "team g members \"a@x\"\nrule a : tier 2 when tests removed because \"x\"\nwaiver w of a for all waives deny granted by team(g) until 2027-01-01 because \"x\""
        "team g members \"a@x\"\nrule a : tier 2 when tests removed because \"x\"\nwaiver w of a for all waives tier granted by team(g) until 2027-01-01 because \"x\"";
    FiresByChance "W004" "drift rule that fires by chance"
        "By what it declares, the rule fires although nothing has changed: its method allows for no chance, or it asks for fewer samples than its threshold needs."
        "kpi k\n  better higher\n  from push\ndrift d on k\n  watch every 1 h for 24 h after deployment\n  alert worse by more than 20 % of baseline\n  method seed\n  on drift note\n  because \"x\""
        "kpi k\n  better higher\n  from push\ndrift d on k\n  watch every 1 h for 24 h after deployment\n  alert worse by more than 20 % of baseline\n  on drift note\n  because \"x\"";
    UnusedDefine "N001" "set that nothing uses"
        "Nothing names this `define`."
        "define a = tests"
        "define a = tests\nrule r : tier 2 when change touches a because \"x\"";
    ExistingPairs "N002" "what a `forbid` finds in the tree"
        "The item says `existing listed, may only shrink`: these pairs stay allowed, and each other one is denied."
        ""
        "";
}

impl Code {
    /// The code of a text such as `E021`; letters of either case.
    pub fn parse(text: &str) -> Option<Code> {
        Self::ALL.iter().copied().find(|code| code.as_str().eq_ignore_ascii_case(text))
    }

    /// Everything that `explain` prints about the code.
    pub fn explain(self) -> String {
        let mut page = format!("{}: {}\n\n{}\n", self.as_str(), self.title(), self.reason());
        for (name, example) in [("Wrong", self.bad()), ("Right", self.good())] {
            if !example.is_empty() {
                page.push_str(&format!("\n{name}:\n"));
                example.lines().for_each(|line| page.push_str(&format!("    {line}\n")));
            }
        }
        page
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
