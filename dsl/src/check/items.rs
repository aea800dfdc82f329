//! The items other than the operational ones.

use std::collections::BTreeSet;

use crate::ast::{
    BandLevel, BandTest, Bundle, Expect, ExpectKind, FactName, Given, GivenKind, ItemKind, Name, NodeId, Rule, SetExpr,
    SetKind, Test, TierApproval, TierLine, TierReach, Value, Waived, Waiver, WaiverEffect, WaiverOf, When,
};
use crate::ast::{RequirementKind, Text};
use crate::check::conditions::Judged;
use crate::check::{Checker, UnitKind, upheld_by};
use crate::diagnostic::Code;
use crate::names::NameKind;
use crate::similar;
use crate::vocabulary;

/// Names that the tiers have where a project has no `tiers`.
const TIER_NAMES: [&str; 3] = ["safe", "internal", "sensitive"];

impl<'f> Checker<'_, 'f> {
    pub(super) fn item(&mut self) {
        let item: &'f crate::ast::Item = self.item;
        match &item.kind {
            ItemKind::Use(names) | ItemKind::Adopt(names) => {
                self.no_repeats(names);
                for name in names {
                    self.known(NameKind::Module, Code::UnknownModule, name);
                }
            }
            ItemKind::Team { members, may_be_empty } => self.team(members, *may_be_empty),
            ItemKind::Tiers(lines) => self.tiers(lines),
            ItemKind::Define { set, .. } => self.set(set, None),
            ItemKind::Family { values, .. } => self.no_repeats(values),
            ItemKind::Tag { tag, value, set, .. } => {
                if let Some(value) = value {
                    self.family_value(tag, value);
                }
                self.code(set);
            }
            ItemKind::Policy(policy) => {
                self.code(&policy.covers);
                self.rule(&policy.rule);
            }
            ItemKind::Rule(rule) => {
                match &rule.when {
                    When::Change(cond) => self.cond(cond, Judged::Change),
                    When::Always(cond) => self.cond(cond, Judged::State),
                    When::AfterRun(cond) => self.cond(cond, Judged::AfterRun),
                }
                self.rule(rule);
            }
            ItemKind::Forbid(forbid) => {
                self.code(&forbid.from);
                self.code(&forbid.to);
                self.upholds_and_owner(&forbid.upholds, forbid.owner.as_ref());
            }
            ItemKind::Layers(layers) => {
                layers.floors.iter().for_each(|floor| self.code(floor));
                self.upholds_and_owner(&layers.upholds, layers.owner.as_ref());
            }
            ItemKind::Waiver(waiver) => self.waiver(waiver),
            ItemKind::Window { from, to, zone } => {
                if to < from {
                    self.report(
                        Code::BadWindow,
                        NodeId(0),
                        format!("the window ends on {to}, before {from}"),
                        "write the earlier day first",
                    );
                }
                if jiff::tz::TimeZoneDatabase::bundled().get(&zone.value).is_err() {
                    let message = format!("there is no time zone `{}`", zone.value);
                    self.report(
                        Code::BadWindow,
                        zone.node,
                        message,
                        "write a name of the IANA list, such as `UTC` or `Europe/Berlin`",
                    );
                }
            }
            ItemKind::Bundle(bundle) => self.bundle(bundle),
            ItemKind::Binding { model, set, .. } => {
                self.glob(model);
                self.code(set);
            }
            ItemKind::Validation { of, samples, .. } => {
                self.models(of);
                if let Some(samples) = samples {
                    self.count(samples, 1, "a number of samples");
                }
            }
            ItemKind::Band { levels, .. } => self.band(levels),
            ItemKind::Test(test) => self.test(test),
            ItemKind::Operational(operational) => self.operational(operational),
            ItemKind::Module | ItemKind::Principle { .. } | ItemKind::Intent { .. } => {}
        }
    }

    fn team(&mut self, members: &[Text], may_be_empty: bool) {
        if members.is_empty() && !may_be_empty {
            let message = format!("the team `{}` has no members", self.item.name);
            self.report(Code::EmptyTeam, NodeId(0), message, "add `members \"…\"`, or `may be empty`");
        }
        let mut seen = BTreeSet::new();
        for member in members {
            if !seen.insert(member.value.as_str()) {
                self.warn(
                    Code::RepeatedEntry,
                    member.node,
                    format!("`{}` is already in the list", member.value),
                    "leave one of them out",
                );
            }
        }
    }

    fn tiers(&mut self, lines: &[TierLine]) {
        let mut names = BTreeSet::new();
        for tier in 1..=3 {
            let mut with = lines.iter().filter(|line| line.tier == tier);
            if with.next().is_none() {
                self.report(
                    Code::BadTiers,
                    NodeId(0),
                    format!("tier {tier} has no line"),
                    "give each of the tiers 1, 2 and 3 one line",
                );
            }
            for second in with {
                self.report(
                    Code::BadTiers,
                    second.node,
                    format!("tier {tier} has a second line"),
                    "give each tier one line",
                );
            }
        }
        let mut others = 0;
        for line in lines {
            if !names.insert(line.name.text.as_str()) {
                self.report(
                    Code::BadTiers,
                    line.name.node,
                    format!("two tiers are named `{}`", line.name.text),
                    "give each its own name",
                );
            }
            match &line.reach {
                TierReach::OnlyIn(_) if line.tier != 1 => {
                    let help = "a stricter tier is reached by `operations`, by `any other change` or by rules";
                    self.report(Code::BadTiers, line.node, "only tier 1 is reached by a proof", help);
                }
                TierReach::AnyOther if line.tier == 1 => {
                    let help = "tier 1 takes only what is proved harmless: `for change only in …`";
                    self.report(Code::BadTiers, line.node, "tier 1 cannot take any other change", help);
                }
                TierReach::AnyOther => others += 1,
                TierReach::Operations(names) => self.no_repeats(names),
                _ => {}
            }
            if let TierApproval::Approval(approval) = &line.approve {
                self.approval(approval);
            }
        }
        if others > 1 {
            self.report(
                Code::BadTiers,
                NodeId(0),
                "two tiers take any other change",
                "keep one `for any other change`",
            );
        }
    }

    fn rule(&mut self, rule: &Rule) {
        let asks = rule.tier.is_some()
            || !rule.require.is_empty()
            || rule.deny.is_some()
            || rule.trust.is_some()
            || !rule.limits.is_empty()
            || !rule.upholds.is_empty();
        if !asks {
            let message = format!("`{}` asks for nothing", self.item.name);
            self.report(Code::EmptyRule, NodeId(0), message, "give it a tier, `require`, `deny`, `trust` or `limit`");
        }
        rule.require.iter().for_each(|requirement| self.requirement(requirement));
        if let Some(approval) = rule.deny.as_ref().and_then(|deny| deny.if_unknown.as_ref()) {
            self.approval(approval);
        }
        if let Some(trust) = &rule.trust
            && self.unit(trust, UnitKind::Bare, "trust")
            && !(0..=1000).contains(&trust.thousandths)
        {
            self.report(Code::BadNumber, trust.node, "trust lies between 0 and 1", "write a number such as `0.90`");
        }
        rule.limits.iter().for_each(|limit| self.kpi_test(limit));
        self.upholds_and_owner(&rule.upholds, rule.owner.as_ref());
        self.no_repeats(&rule.intents);
        for intent in &rule.intents {
            self.known(NameKind::Intent, Code::UnknownIntent, intent);
        }
    }

    fn upholds_and_owner(&mut self, upholds: &[Name], owner: Option<&Name>) {
        self.no_repeats(upholds);
        for principle in upholds {
            self.known(NameKind::Principle, Code::UnknownPrinciple, principle);
        }
        if let Some(owner) = owner {
            self.known(NameKind::Team, Code::UnknownTeam, owner);
        }
    }

    fn waiver(&mut self, waiver: &Waiver) {
        self.code(&waiver.set);
        match &waiver.of {
            WaiverOf::Rule(name) => self.waived_rule(waiver, name),
            WaiverOf::Tier(name) => self.tier_name(name),
        }
        if let WaiverEffect::Waives(list) = &waiver.effect {
            for waived in list {
                match waived {
                    Waived::Approval(_, Some(team)) => {
                        self.known(NameKind::Team, Code::UnknownTeam, team);
                    }
                    Waived::Bundle(name) => {
                        self.known(NameKind::Bundle, Code::UnknownBundle, name);
                    }
                    Waived::Validation(name) => {
                        self.known(NameKind::Validation, Code::UnknownValidation, name);
                    }
                    _ => {}
                }
            }
        }
        if let Some(when) = &waiver.when {
            self.cond(when, Judged::Change);
        }
        match &waiver.granted_by {
            Some(team) => {
                self.known(NameKind::Team, Code::UnknownTeam, team);
            }
            None => self.incomplete("nobody grants this waiver", "add `granted by team(NAME)`"),
        }
        if waiver.until.is_none() {
            self.incomplete("this waiver never ends", "add `until YYYY-MM-DD`");
        }
    }

    fn incomplete(&mut self, message: &str, help: &str) {
        self.report(Code::IncompleteWaiver, NodeId(0), message, help);
    }

    fn tier_name(&mut self, name: &Name) {
        let names = &self.book.names;
        let declared = names.of_kind(NameKind::Tier).next().is_some();
        if names.get(NameKind::Tier, &name.text).is_some() || (!declared && TIER_NAMES.contains(&name.text.as_str())) {
            return;
        }
        let help = if declared {
            None
        } else {
            similar::nearest(&name.text, TIER_NAMES).map(|near| format!("did you mean `{near}`?"))
        };
        self.unknown(NameKind::Tier, Code::UnknownTier, name, help);
    }

    fn waived_rule(&mut self, waiver: &Waiver, name: &Name) {
        let Some(place) = self.known(NameKind::Rule, Code::UnknownRule, name) else { return };
        let Some(item) = self.book.item(place) else { return };
        for upheld in upheld_by(&item.kind) {
            let principle =
                self.book.names.get(NameKind::Principle, &upheld.text).and_then(|place| self.book.item(place));
            if let Some(ItemKind::Principle { unwaivable: true, .. }) = principle.map(|item| &item.kind) {
                let message = format!("`{}` upholds `{}`, which cannot be waived", name.text, upheld.text);
                self.report(Code::Unwaivable, name.node, message, "change the rule itself, by a change of tier 3");
                return;
            }
        }
        let rule = match &item.kind {
            ItemKind::Rule(rule) => rule,
            ItemKind::Policy(policy) => &policy.rule,
            _ => return,
        };
        match &waiver.effect {
            WaiverEffect::ToTier(to) => {
                if rule.tier.is_none_or(|(_, tier)| tier <= *to) {
                    self.pointless(name.node, format!("`{}` asks for no tier above {to}", name.text));
                }
            }
            WaiverEffect::Waives(list) => {
                for waived in list {
                    self.pointless_entry(rule, name, waived);
                }
            }
        }
    }

    fn pointless_entry(&mut self, rule: &Rule, name: &Name, waived: &Waived) {
        let asks = |wanted: &dyn Fn(&RequirementKind) -> bool| {
            rule.require.iter().any(|requirement| wanted(&requirement.kind))
        };
        let (node, what, there) = match waived {
            Waived::Tier(node) => (*node, "tier".to_owned(), rule.tier.is_some()),
            Waived::Deny(node) => (*node, "denial".to_owned(), rule.deny.is_some()),
            Waived::Approval(node, _) => {
                (*node, "approval".to_owned(), asks(&|kind| matches!(kind, RequirementKind::Approval(_))))
            }
            Waived::Bundle(bundle) => {
                let there =
                    asks(&|kind| matches!(kind, RequirementKind::Bundle { name, .. } if name.text == bundle.text));
                (bundle.node, format!("bundle `{}`", bundle.text), there)
            }
            Waived::Validation(validation) => {
                let there =
                    asks(&|kind| matches!(kind, RequirementKind::Validation(name) if name.text == validation.text));
                (validation.node, format!("validation `{}`", validation.text), there)
            }
            Waived::Everything(_) => return,
        };
        if !there {
            self.pointless(node, format!("`{}` asks for no {what}", name.text));
        }
    }

    fn pointless(&mut self, node: NodeId, message: String) {
        self.warn(Code::PointlessWaiver, node, message, "leave it out: a waiver says exactly what it takes away");
    }

    fn bundle(&mut self, bundle: &Bundle) {
        self.code(&bundle.tests);
        if bundle.run.is_empty() {
            let message = format!("the bundle `{}` has no `run`", self.item.name);
            self.report(Code::BundleRunsNothing, NodeId(0), message, "add `run \"pytest\", \"{tests}\"`");
        }
        for timeout in [&bundle.timeout_each, &bundle.timeout_all].into_iter().flatten() {
            self.duration(timeout, "a timeout");
        }
        if let Some(rate) = &bundle.pass_rate {
            self.percent(rate, "a rate");
        }
    }

    fn band(&mut self, levels: &[BandLevel]) {
        if levels.is_empty() {
            let message = format!("the band `{}` has no levels", self.item.name);
            self.report(Code::BadBand, NodeId(0), message, "add `low when upper bound <= 10 %` and so on");
        }
        let mut seen = BTreeSet::new();
        for BandLevel { level, test } in levels {
            if !seen.insert(level.text.as_str()) {
                self.report(
                    Code::BadBand,
                    level.node,
                    format!("the level `{}` is given twice", level.text),
                    "keep one of them",
                );
            }
            match test {
                BandTest::Upper(_, bound) | BandTest::Lower(_, bound) => self.percent(bound, "a bound"),
                BandTest::Within(from, to) => {
                    self.percent(from, "a bound");
                    self.percent(to, "a bound");
                    if from.thousandths >= to.thousandths {
                        self.report(Code::BadBand, from.node, "the interval is empty", "write the lower bound first");
                    }
                }
            }
        }
    }

    fn test(&mut self, test: &Test) {
        if test.givens.is_empty() {
            self.report(Code::EmptyTest, NodeId(0), "the test is given nothing", "add `given edit of SET`");
        }
        if test.expects.is_empty() {
            self.report(Code::EmptyTest, NodeId(0), "the test expects nothing", "add `expect tier N from RULE`");
        }
        test.givens.iter().for_each(|given| self.given(given));
        test.expects.iter().for_each(|expect| self.expect(expect));
    }

    fn given(&mut self, given: &Given) {
        match &given.kind {
            GivenKind::EditOf(set) | GivenKind::CommentEditOf(set) | GivenKind::RemovalOf(set) => self.given_set(set),
            GivenKind::Outcome(bundle, _) => {
                self.known(NameKind::Bundle, Code::UnknownBundle, bundle);
            }
            GivenKind::Fact(fact, value) => self.fact(fact, Some(value)),
            GivenKind::Unknown(fact) => self.fact(fact, None),
            _ => {}
        }
    }

    fn given_set(&mut self, set: &SetExpr) {
        self.code(set);
        if matches!(set.kind, SetKind::None) {
            self.report(Code::EmptyTest, set.node, "nothing changes", "name what changes");
        }
    }

    fn fact(&mut self, fact: &FactName, value: Option<&Value>) {
        match fact {
            FactName::BundleRate(_, bundle) => {
                self.known(NameKind::Bundle, Code::UnknownBundle, bundle);
                if let Some(Value::Quantity(rate)) = value {
                    self.percent(rate, "a rate");
                }
            }
            FactName::Kpi(kpi) => {
                self.known(NameKind::Kpi, Code::UnknownKpi, kpi);
            }
            FactName::Trust => {
                if let Some(Value::Quantity(trust)) = value {
                    let _ = self.unit(trust, UnitKind::Bare, "trust");
                }
            }
            FactName::ModelField(field, model) => {
                self.glob(model);
                if let (Some(entry), Some(value)) = (self.field(field, vocabulary::MODEL_FIELDS, "model"), value) {
                    self.field_value(entry, value);
                }
            }
            FactName::StoryField(field) => {
                self.field(field, vocabulary::STORY_FIELDS, "story");
            }
        }
    }

    fn expect(&mut self, expect: &Expect) {
        match &expect.kind {
            ExpectKind::Bundle(name, _) => {
                self.known(NameKind::Bundle, Code::UnknownBundle, name);
            }
            ExpectKind::Approval(approval) => self.approval(approval),
            ExpectKind::Principle(name) => {
                self.known(NameKind::Principle, Code::UnknownPrinciple, name);
            }
            ExpectKind::Validation(name, _) => {
                self.known(NameKind::Validation, Code::UnknownValidation, name);
            }
            ExpectKind::Waived(name) | ExpectKind::Rule(name) => self.cause(name),
            _ => {}
        }
        if let Some(from) = &expect.from {
            self.cause(from);
        }
    }

    /// What can be the cause of something: a rule, a waiver, a line of `tiers`, or a rule that is built in.
    fn cause(&mut self, name: &Name) {
        let names = &self.book.names;
        if names.get(NameKind::Waiver, &name.text).is_some() || names.is_broken(NameKind::Waiver, &name.text) {
            return;
        }
        if let Some(tier) = name.text.strip_prefix("tiers.") {
            let name = Name { node: name.node, text: tier.to_owned() };
            return self.tier_name(&name);
        }
        if !vocabulary::BUILT_IN_RULES.iter().any(|rule| rule.word == name.text) {
            self.known(NameKind::Rule, Code::UnknownRule, name);
        }
    }
}
