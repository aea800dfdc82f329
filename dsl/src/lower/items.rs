//! The items.

use crate::ast::{
    BandLevel, BandTest, Bundle, Expect, ExpectKind, FactName, Forbid, Given, GivenKind, ItemKind, Layers, Name,
    Operational, OperationalClause, OperationalKind, Policy, Rate, Selection, Test, Text, TierApproval, TierLine,
    TierReach, Waived, Waiver, WaiverEffect, WaiverOf, Word,
};
use crate::diagnostic::Code;
use crate::lexer;
use crate::lower::Lower;
use crate::lower::clauses::RuleParts;
use crate::lower::conditions::{edge_word, rate};
use crate::parser::{Node, Rule};
use crate::vocabulary;

impl Lower<'_> {
    /// An item's name and what it says; `None` where something necessary lacks, which was reported.
    pub(super) fn item(&mut self, node: &Node) -> (String, Option<ItemKind>) {
        let name = self.item_name(node);
        let kind = self.item_kind(node);
        (name, kind)
    }

    /// Gives the item's name place 0.
    fn item_name(&mut self, node: &Node) -> String {
        let keyword = node.kids.first().unwrap_or(node);
        let named = node.kids.iter().skip(1).find(|kid| matches!(kid.rule, Rule::dotted | Rule::word | Rule::text));
        match node.rule {
            Rule::use_item | Rule::adopt_item | Rule::tiers_item | Rule::trust_score_item => {
                self.place(keyword.span.clone());
                String::new()
            }
            Rule::test_item => self.text_node(named.unwrap_or(node)).value,
            Rule::tag_item => {
                let name = named.map(|word| self.source(word)).unwrap_or_default();
                let value = node.kid(Rule::plain_word);
                let end = value.or(named).map_or(node.span.end, |last| last.span.end);
                let whole = named.map_or(node.span.start, |word| word.span.start)..end;
                self.place(whole);
                match value {
                    Some(value) => format!("{name}({})", self.source(value)),
                    None => name.to_owned(),
                }
            }
            Rule::binding_item => {
                let start = keyword.span.end;
                let end = node.kid(Rule::set).map_or(node.span.end, |set| set.span.end);
                let tokens = lexer::tokens(self.text.get(start..end).unwrap_or_default());
                let name = lexer::spaced(self.text.get(start..end).unwrap_or_default(), &tokens);
                self.place(node.kid(Rule::model_ref).unwrap_or(keyword).span.clone());
                name
            }
            _ => {
                let named = named.unwrap_or(keyword);
                self.place(named.span.clone());
                self.source(named).to_owned()
            }
        }
    }

    fn item_kind(&mut self, node: &Node) -> Option<ItemKind> {
        Some(match node.rule {
            Rule::module_item => ItemKind::Module,
            Rule::use_item => ItemKind::Use(self.names(node.kid(Rule::dotteds)?)),
            Rule::adopt_item => ItemKind::Adopt(self.names(node.kid(Rule::dotteds)?)),
            Rule::team_item => self.team(node),
            Rule::tiers_item => {
                ItemKind::Tiers(node.all(Rule::tier_line).filter_map(|line| self.tier_line(line)).collect())
            }
            Rule::define_item => {
                self.free_name(node);
                ItemKind::Define { set: self.set_in(node), may_be_empty: node.has(Rule::empty_clause) }
            }
            Rule::family_item => self.family_item(node)?,
            Rule::tag_item => {
                let tag = self.name(node.kid(Rule::word)?);
                let value = node.kid(Rule::plain_word).map(|value| self.name(value));
                ItemKind::Tag { tag, value, set: self.set_in(node), may_be_empty: node.has(Rule::empty_clause) }
            }
            Rule::principle_item => {
                let (mut unwaivable, mut says) = (None, None);
                for clause in clauses(node, Rule::principle_clause) {
                    match clause.rule {
                        Rule::says_clause => {
                            let text = self.text_in(clause);
                            self.once(&mut says, text, clause);
                        }
                        _ => self.once(&mut unwaivable, true, clause),
                    }
                }
                ItemKind::Principle { unwaivable: unwaivable.is_some(), says: self.needed(says, node, "says \"…\"")? }
            }
            Rule::policy_item => {
                let mut parts = RuleParts::default();
                if let Some(tier) = node.kid(Rule::item_tier) {
                    self.error(Code::MisplacedClause, tier.span.clone(), "a policy says its tier in a clause").help =
                        Some("write `tier N` on a line of its own".to_owned());
                }
                for clause in clauses(node, Rule::rule_clause) {
                    if matches!(clause.rule, Rule::when_clause | Rule::always_clause | Rule::after_clause) {
                        self.error(
                            Code::MisplacedClause,
                            clause.span.clone(),
                            "a policy has no condition beside `covers`",
                        )
                        .help = Some("write a `rule` for what depends on more than the set".to_owned());
                    }
                    self.rule_part(&mut parts, clause);
                }
                let (covers, rule) = self.rule_of(parts, node)?;
                ItemKind::Policy(Policy { covers: covers?, rule })
            }
            Rule::rule_item => {
                let tier = node.kid(Rule::item_tier).map(|tier| self.tier_number(tier));
                let mut parts = RuleParts { tier, ..RuleParts::default() };
                for clause in clauses(node, Rule::rule_clause) {
                    match clause.rule {
                        Rule::covers_clause => {
                            self.error(Code::MisplacedClause, clause.span.clone(), "a rule has no `covers`").help =
                                Some("write `when change touches …`, or make it a `policy`".to_owned());
                        }
                        Rule::tier_clause => {
                            self.error(
                                Code::MisplacedClause,
                                clause.span.clone(),
                                "a rule says its tier after its name",
                            )
                            .help = Some("write `rule NAME : tier N`".to_owned());
                        }
                        _ => {}
                    }
                    self.rule_part(&mut parts, clause);
                }
                ItemKind::Rule(self.rule_of(parts, node)?.1)
            }
            Rule::forbid_item => self.forbid(node)?,
            Rule::layers_item => self.layers(node)?,
            Rule::waiver_item => self.waiver(node)?,
            Rule::window_item => {
                let mut dates = node.kids.iter().filter(|kid| matches!(kid.rule, Rule::date | Rule::compat_date));
                let (from, to) = (self.date(dates.next()?), self.date(dates.next()?));
                ItemKind::Window { from, to, zone: self.text_in(node) }
            }
            Rule::bundle_item => self.bundle(node)?,
            Rule::binding_item => {
                let model = self.text_in(node.kid(Rule::model_ref)?);
                ItemKind::Binding { model, set: self.set_in(node), may_be_empty: node.has(Rule::empty_clause) }
            }
            Rule::validation_item => self.validation(node)?,
            Rule::band_item => self.band(node)?,
            Rule::intent_item => {
                let mut says = None;
                for clause in clauses(node, Rule::intent_clause) {
                    let text = self.text_in(clause);
                    self.once(&mut says, text, clause);
                }
                ItemKind::Intent { says: self.needed(says, node, "says \"…\"")? }
            }
            Rule::test_item => self.test(node),
            Rule::kpi_item => self.operational(node, OperationalKind::Kpi)?,
            Rule::drift_item => self.operational(node, OperationalKind::Drift)?,
            Rule::trust_score_item => self.operational(node, OperationalKind::TrustScore)?,
            Rule::audit_item => self.operational(node, OperationalKind::Audit)?,
            Rule::practice_item => self.operational(node, OperationalKind::Practice)?,
            _ => return None,
        })
    }

    /// A set's name is read where words of the language stand, so it may be none of them.
    fn free_name(&mut self, node: &Node) {
        let Some(named) = node.kid(Rule::dotted) else { return };
        let name = self.source(named);
        let alone = vocabulary::SETS.iter().any(|entry| entry.word == name);
        let taken = alone || matches!(name, "change" | "any" | "new") || crate::parser::is_reserved(name);
        if taken {
            self.error(Code::ReservedName, named.span.clone(), format!("`{name}` is a word of the language")).help =
                Some(format!("choose another name, such as `{name}_code`"));
        }
    }

    fn team(&mut self, node: &Node) -> ItemKind {
        let (mut members, mut may_be_empty) = (None, None);
        for clause in clauses(node, Rule::team_clause) {
            match clause.rule {
                Rule::members_clause => {
                    let texts = clause.kid(Rule::texts).map(|texts| self.texts(texts)).unwrap_or_default();
                    self.once(&mut members, texts, clause);
                }
                _ => self.once(&mut may_be_empty, true, clause),
            }
        }
        ItemKind::Team { members: members.unwrap_or_default(), may_be_empty: may_be_empty.is_some() }
    }

    fn tier_line(&mut self, node: &Node) -> Option<TierLine> {
        let (place, tier) = self.tier_number(node);
        let name = self.name(node.kid(Rule::word)?);
        let (mut approve, mut reach, mut selection) = (None, None, None);
        for clause in clauses(node, Rule::tier_line_clause) {
            match clause.rule {
                Rule::approve_clause => {
                    let approval = if clause.has(Rule::k_automatically) {
                        TierApproval::Automatically
                    } else if clause.has(Rule::k_rules) {
                        TierApproval::ByRules
                    } else {
                        TierApproval::Approval(self.approval_in(clause))
                    };
                    self.once(&mut approve, approval, clause);
                }
                Rule::reach_clause => {
                    let kid = clause.kids.get(1)?;
                    let reached = match kid.rule {
                        Rule::reach_only_in => TierReach::OnlyIn(self.safe_kinds(kid)),
                        Rule::reach_other => TierReach::AnyOther,
                        _ => TierReach::Operations(self.names(kid)),
                    };
                    self.once(&mut reach, reached, clause);
                }
                _ => {
                    let mode = if clause.has(Rule::k_enforce) { Selection::Enforce } else { Selection::Observe };
                    self.once(&mut selection, mode, clause);
                }
            }
        }
        if approve.is_none() {
            self.error(Code::MissingClause, node.span.clone(), format!("tier {tier} does not say who approves")).help =
                Some("add `approve automatically`, `approve by rules` or `approve 1 of team(NAME)`".to_owned());
        }
        Some(TierLine {
            node: place,
            tier,
            name,
            approve: approve?,
            reach: reach.unwrap_or(TierReach::RulesOnly),
            selection,
        })
    }

    fn family_item(&mut self, node: &Node) -> Option<ItemKind> {
        let (mut values, mut first_match) = (None, None);
        for clause in clauses(node, Rule::family_clause) {
            match clause.rule {
                Rule::values_clause => {
                    let names = self.names(clause);
                    self.once(&mut values, names, clause);
                }
                _ => self.once(&mut first_match, true, clause),
            }
        }
        Some(ItemKind::Family {
            values: self.needed(values, node, "values NAME, …")?,
            first_match: first_match.is_some(),
        })
    }

    fn forbid(&mut self, node: &Node) -> Option<ItemKind> {
        let (mut edge, mut existing, mut parts) = (None, None, RuleParts::default());
        for clause in clauses(node, Rule::forbid_clause) {
            match clause.rule {
                Rule::edge_clause => {
                    let word = clause.kid(Rule::edge_word).map(edge_word)?;
                    let (from, to) = self.two_sets(clause);
                    self.once(&mut edge, (word, from, to, clause.has(Rule::through)), clause);
                }
                Rule::existing_clause => self.once(&mut existing, true, clause),
                _ => self.rule_part(&mut parts, clause),
            }
        }
        let edge = self.needed(edge, node, "imports from SET to SET");
        let because = self.needed(parts.because, node, "because \"…\"");
        let (edge, from, to, through) = edge?;
        Some(ItemKind::Forbid(Forbid {
            edge,
            from,
            to,
            through,
            existing_may_shrink: existing.is_some(),
            owner: parts.owner,
            upholds: parts.upholds,
            remedy: parts.remedy,
            because: because?,
        }))
    }

    fn layers(&mut self, node: &Node) -> Option<ItemKind> {
        let floors: Vec<_> = node.all(Rule::set_operand).map(|floor| self.set_operand(floor, 0)).collect();
        let mut parts = RuleParts::default();
        for clause in clauses(node, Rule::layers_clause) {
            self.rule_part(&mut parts, clause);
        }
        if floors.len() < 2 {
            self.needed::<()>(None, node, "over SET");
        }
        let because = self.needed(parts.because, node, "because \"…\"")?;
        let closed = node.has(Rule::k_closed);
        Some(ItemKind::Layers(Layers {
            closed,
            floors,
            owner: parts.owner,
            upholds: parts.upholds,
            remedy: parts.remedy,
            because,
        }))
    }

    fn waiver(&mut self, node: &Node) -> Option<ItemKind> {
        let (mut of, mut set, mut effect, mut when) = (None, None, None, None);
        let (mut granted_by, mut ticket, mut until, mut because) = (None, None, None, None);
        for clause in clauses(node, Rule::waiver_clause) {
            match clause.rule {
                Rule::of_rule_clause => {
                    let mut name = self.inner_name(clause);
                    let value = match name.text.strip_prefix("tiers.") {
                        Some(tier) => {
                            name.text = tier.to_owned();
                            WaiverOf::Tier(name)
                        }
                        None => WaiverOf::Rule(name),
                    };
                    self.once(&mut of, value, clause);
                }
                Rule::for_clause => {
                    let value = self.set_in(clause);
                    self.once(&mut set, value, clause);
                }
                Rule::to_tier_clause => {
                    let value = WaiverEffect::ToTier(self.tier_number(clause).1);
                    self.once(&mut effect, value, clause);
                }
                Rule::waives_clause => {
                    let value =
                        WaiverEffect::Waives(clause.all(Rule::waived).map(|waived| self.waived(waived)).collect());
                    self.once(&mut effect, value, clause);
                }
                Rule::when_clause => {
                    let value = self.cond_in(clause);
                    self.once(&mut when, value, clause);
                }
                Rule::granted_clause => {
                    let value = self.inner_name(clause.kid(Rule::team_ref)?);
                    self.once(&mut granted_by, value, clause);
                }
                Rule::ticket_clause => {
                    let value = self.text_in(clause);
                    self.once(&mut ticket, value, clause);
                }
                Rule::until_clause => {
                    let value = self.date_in(clause);
                    self.once(&mut until, value, clause);
                }
                _ => {
                    let value = self.text_in(clause);
                    self.once(&mut because, value, clause);
                }
            }
        }
        let of = self.needed(of, node, "of RULE");
        let set = self.needed(set, node, "for SET");
        let effect = self.needed(effect, node, "waives LIST");
        let because = self.needed(because, node, "because \"…\"");
        let (of, set, effect, because) = (of?, set?, effect?, because?);
        Some(ItemKind::Waiver(Waiver { of, set, effect, when, granted_by, ticket, until, because }))
    }

    fn waived(&mut self, node: &Node) -> Waived {
        let Some(kid) = node.kids.first() else { return Waived::Everything(self.place(node.span.clone())) };
        match kid.rule {
            Rule::bundle_ref => Waived::Bundle(self.inner_name(kid)),
            Rule::validation_ref => Waived::Validation(self.inner_name(kid)),
            rule => {
                let place = self.place(kid.span.clone());
                match rule {
                    Rule::k_tier => Waived::Tier(place),
                    Rule::k_deny => Waived::Deny(place),
                    Rule::waived_approval => {
                        Waived::Approval(place, kid.kid(Rule::team_ref).map(|team| self.inner_name(team)))
                    }
                    _ => Waived::Everything(place),
                }
            }
        }
    }

    fn bundle(&mut self, node: &Node) -> Option<ItemKind> {
        let (mut critical, mut says, mut tests, mut setup, mut run) = (None, None, None, None, None);
        let (mut each, mut all, mut retries, mut pass_rate, mut may_be_empty) = (None, None, None, None, None);
        for clause in clauses(node, Rule::bundle_clause) {
            match clause.rule {
                Rule::k_critical => self.once(&mut critical, true, clause),
                Rule::says_clause => {
                    let value = self.text_in(clause);
                    self.once(&mut says, value, clause);
                }
                Rule::tests_clause => {
                    let value = self.set_in(clause);
                    self.once(&mut tests, value, clause);
                }
                Rule::setup_clause | Rule::run_clause => {
                    let value = clause.kid(Rule::texts).map(|texts| self.texts(texts)).unwrap_or_default();
                    let slot = if clause.rule == Rule::run_clause { &mut run } else { &mut setup };
                    self.once(slot, value, clause);
                }
                Rule::timeout_clause => {
                    for part in clause.all(Rule::timeout_part) {
                        let value = self.quantity_in(part);
                        let slot = if part.has(Rule::k_each) { &mut each } else { &mut all };
                        self.once(slot, value, part);
                    }
                }
                Rule::retries_clause => {
                    let number = clause.kid(Rule::quantity).and_then(|quantity| quantity.kid(Rule::number))?;
                    if let Some(unit) = clause.kid(Rule::quantity).and_then(|quantity| quantity.kid(Rule::unit)) {
                        self.error(Code::WrongUnit, unit.span.clone(), "retries are a bare number").help =
                            Some("leave the unit out".to_owned());
                    }
                    let value = self.whole(number, 0, "number of retries");
                    self.once(&mut retries, value, clause);
                }
                Rule::rate_clause => {
                    let value = self.quantity_in(clause);
                    self.once(&mut pass_rate, value, clause);
                }
                _ => self.once(&mut may_be_empty, true, clause),
            }
        }
        Some(ItemKind::Bundle(Bundle {
            critical: critical.is_some(),
            says,
            tests: self.needed(tests, node, "tests SET")?,
            setup: setup.unwrap_or_default(),
            run: run.unwrap_or_default(),
            timeout_each: each,
            timeout_all: all,
            retries: retries.unwrap_or_default(),
            pass_rate,
            may_be_empty: may_be_empty.is_some(),
        }))
    }

    fn validation(&mut self, node: &Node) -> Option<ItemKind> {
        let (mut of, mut run, mut because) = (None, None, None);
        for clause in clauses(node, Rule::validation_clause) {
            match clause.rule {
                Rule::of_set_clause => {
                    let value = self.set_in(clause);
                    self.once(&mut of, value, clause);
                }
                Rule::probe_clause => {
                    let probe = self.inner_name(clause);
                    let samples = clause.kid(Rule::quantity).map(|samples| self.quantity(samples));
                    self.once(&mut run, (probe, samples), clause);
                }
                _ => {
                    let value = self.text_in(clause);
                    self.once(&mut because, value, clause);
                }
            }
        }
        let of = self.needed(of, node, "of MODELS");
        let run = self.needed(run, node, "run probe NAME, samples N");
        let because = self.needed(because, node, "because \"…\"");
        let (probe, samples) = run?;
        Some(ItemKind::Validation { of: of?, probe, samples, because: because? })
    }

    fn band(&mut self, node: &Node) -> Option<ItemKind> {
        let (mut evidence, mut levels) = (None, Vec::new());
        for clause in clauses(node, Rule::band_clause) {
            match clause.rule {
                Rule::evidence_clause => {
                    let value = self.inner_name(clause);
                    self.once(&mut evidence, value, clause);
                }
                _ => levels.extend(self.band_level(clause)),
            }
        }
        Some(ItemKind::Band { evidence: self.needed(evidence, node, "from evidence NAME")?, levels })
    }

    fn band_level(&mut self, clause: &Node) -> Option<BandLevel> {
        let level = self.name(clause.kid(Rule::word)?);
        let test = clause.kid(Rule::band_test).and_then(|test| test.kids.first())?;
        let mut quantities = test.all(Rule::quantity);
        let first = self.quantity(quantities.next()?);
        let test = match test.rule {
            Rule::band_upper => BandTest::Upper(self.compare_in(test), first),
            Rule::band_lower => BandTest::Lower(self.compare_in(test), first),
            _ => BandTest::Within(first, self.quantity(quantities.next()?)),
        };
        Some(BandLevel { level, test })
    }

    fn test(&mut self, node: &Node) -> ItemKind {
        let (mut givens, mut expects) = (Vec::new(), Vec::new());
        for clause in clauses(node, Rule::test_clause) {
            match clause.rule {
                Rule::given_clause => {
                    let more = clause.all(Rule::given_more).flat_map(|more| &more.kids);
                    let all = clause.kid(Rule::given).into_iter().flat_map(|given| &given.kids).chain(more);
                    for kid in all.filter(|kid| kid.rule != Rule::k_in) {
                        let place = self.place(kid.span.clone());
                        givens.extend(self.given(kid).map(|kind| Given { node: place, kind }));
                    }
                }
                _ => expects.extend(self.expect(clause)),
            }
        }
        ItemKind::Test(Test { givens, expects })
    }

    fn given(&mut self, node: &Node) -> Option<GivenKind> {
        let texts: Vec<Text> = node.all(Rule::text).map(|text| self.text_node(text)).collect();
        let mut texts = texts.into_iter();
        Some(match node.rule {
            Rule::given_edit => GivenKind::EditOf(self.set_in(node)),
            Rule::given_comment_edit => GivenKind::CommentEditOf(self.set_in(node)),
            Rule::given_removal => GivenKind::RemovalOf(self.set_in(node)),
            Rule::given_new_file => GivenKind::NewFile(texts.next()?, texts.next()?),
            Rule::given_replace => GivenKind::Replace { old: texts.next()?, new: texts.next()?, path: texts.next()? },
            Rule::given_patch => GivenKind::Patch(texts.next()?),
            Rule::given_fixture => GivenKind::Fixture(texts.next()?),
            Rule::given_at_rev => GivenKind::AtRev(texts.next()?),
            Rule::given_as_of => GivenKind::AsOf(self.date_in(node).1),
            Rule::given_operation => GivenKind::Operation(self.inner_name(node)),
            Rule::given_bot => GivenKind::VerifiedBot(texts.next()?),
            Rule::given_actor => GivenKind::Actor(texts.next()?),
            Rule::given_branch => GivenKind::Branch(texts.next()?),
            Rule::given_ticket => GivenKind::Ticket(texts.next()?),
            Rule::given_rationale => GivenKind::Rationale(texts.next()?),
            Rule::given_approved => GivenKind::ApprovedBy(texts.next()?),
            Rule::given_outcome => {
                let bundle = self.inner_name(node.kid(Rule::bundle_ref)?);
                let written = node.kid(Rule::word)?;
                let outcome = self.name(written);
                if !matches!(outcome.text.as_str(), "passed" | "failed" | "flaky") {
                    self.error(Code::Syntax, written.span.clone(), format!("`{}` is no outcome", outcome.text)).help =
                        Some("outcomes are `passed`, `failed` and `flaky`".to_owned());
                }
                GivenKind::Outcome(bundle, outcome)
            }
            Rule::given_fact => {
                let fact = self.fact(node.kid(Rule::fact)?)?;
                GivenKind::Fact(fact, self.value_in(node))
            }
            Rule::given_unknown => GivenKind::Unknown(self.fact(node.kid(Rule::fact)?)?),
            _ => return None,
        })
    }

    fn fact(&mut self, node: &Node) -> Option<FactName> {
        let kid = node.kids.first()?;
        Some(match kid.rule {
            Rule::fact_rate => FactName::BundleRate(
                kid.kid(Rule::rate).map_or(Rate::Pass, rate),
                self.inner_name(kid.kid(Rule::bundle_ref)?),
            ),
            Rule::fact_kpi => FactName::Kpi(self.inner_name(kid.kid(Rule::kpi_ref)?)),
            Rule::fact_trust => FactName::Trust,
            Rule::fact_model => {
                let field = self.inner_name(kid);
                FactName::ModelField(field, self.text_in(kid.kid(Rule::model_ref)?))
            }
            _ => FactName::StoryField(self.inner_name(kid)),
        })
    }

    fn expect(&mut self, clause: &Node) -> Option<Expect> {
        let kid = clause.kid(Rule::expected).and_then(|expected| expected.kids.first())?;
        let place = self.place(kid.span.clone());
        let kind = match kid.rule {
            Rule::expect_tier => ExpectKind::Tier(self.tier_number(kid).1),
            Rule::expect_bundle => {
                ExpectKind::Bundle(self.inner_name(kid.kid(Rule::bundle_ref)?), kid.has(Rule::k_narrowed))
            }
            Rule::expect_approval => ExpectKind::Approval(self.approval_in(kid)),
            Rule::expect_principle => ExpectKind::Principle(self.inner_name(kid)),
            Rule::expect_validation => {
                let name = self.inner_name(kid.kid(Rule::validation_ref).unwrap_or(kid));
                ExpectKind::Validation(name, kid.kid(Rule::model_ref).map(|model| self.text_in(model)))
            }
            Rule::expect_denied => ExpectKind::Denied,
            Rule::expect_unknown => ExpectKind::Unknown,
            Rule::expect_waived => ExpectKind::Waived(self.inner_name(kid)),
            Rule::expect_rule => ExpectKind::Rule(self.inner_name(kid)),
            Rule::expect_decision => {
                let answer = kid.kids.last()?;
                ExpectKind::Decision(self.name(answer))
            }
            _ => ExpectKind::NothingElse,
        };
        let from = clause.kid(Rule::dotted).map(|from| self.name(from));
        Some(Expect { node: place, negated: clause.has(Rule::negated), kind, from })
    }

    /// Lines of `name value`. A line begins with the first word of a line of text, unless the line before ended with a
    /// comma; what stands behind the item's name is a line too.
    fn operational(&mut self, node: &Node, kind: OperationalKind) -> Option<ItemKind> {
        let header = match kind {
            OperationalKind::TrustScore => 1,
            OperationalKind::Drift => 4,
            _ => 2,
        };
        let on = (kind == OperationalKind::Drift).then(|| node.kids.get(3).map(|on| self.name(on))).flatten();
        let word = node.kids.first().map(|keyword| self.source(keyword)).unwrap_or_default();
        let mut lines: Vec<Vec<&Node>> = Vec::new();
        for token in node.kids.iter().skip(header) {
            let after_comma = lines.last().and_then(|line| line.last()).is_some_and(|last| last.rule == Rule::op_comma);
            let begins =
                token.rule == Rule::dotted && lexer::first_on_line(self.text, token.span.start) && !after_comma;
            match lines.last_mut() {
                Some(line) if !begins => line.push(token),
                _ => lines.push(vec![token]),
            }
        }
        let (mut clauses, mut because) = (Vec::new(), None);
        for line in lines {
            let Some((first, rest)) = line.split_first() else { continue };
            if first.rule != Rule::dotted {
                self.error(Code::UnknownLine, first.span.clone(), "a line begins with its name").help =
                    Some(line_names(word));
                continue;
            }
            if self.source(first) == "because" {
                let span = first.span.start..rest.last().unwrap_or(first).span.end;
                match rest {
                    [text] if text.rule == Rule::text => {
                        let text = self.text_node(text);
                        self.once(&mut because, text, first);
                    }
                    _ => {
                        self.error(Code::BadLineValue, span, "`because` takes one text").help =
                            Some("write `because \"…\"`".to_owned());
                    }
                }
                continue;
            }
            clauses.push(self.operational_line(word, first, rest));
        }
        if kind == OperationalKind::Drift {
            because = Some(self.needed(because, node, "because \"…\"")?);
        }
        Some(ItemKind::Operational(Operational { kind, on, clauses, because }))
    }

    fn operational_line(&mut self, item: &str, first: &Node, rest: &[&Node]) -> OperationalClause {
        // A name of two words is known from the table: `on drift`, `applies to`.
        let two = rest
            .first()
            .filter(|second| second.rule == Rule::dotted)
            .map(|second| format!("{} {}", self.source(first), self.source(second)));
        let two = two.filter(|two| vocabulary::lines(item).iter().any(|line| line.word == two));
        let (name, rest) = match (two, rest.split_first()) {
            (Some(text), Some((second, rest))) => {
                (Name { node: self.place(first.span.start..second.span.end), text }, rest)
            }
            _ => (self.name(first), rest),
        };
        let words = rest.iter().map(|token| self.operational_word(token)).collect();
        OperationalClause { name, words }
    }

    fn operational_word(&mut self, token: &Node) -> Word {
        match token.rule {
            Rule::text => Word::Text(self.text_node(token)),
            Rule::quantity => Word::Quantity(self.quantity(token)),
            Rule::op_comma => Word::Comma,
            Rule::op_call => {
                let mut names = token.all(Rule::dotted);
                match (names.next(), names.next()) {
                    (Some(call), Some(argument)) => {
                        let call = self.name(call);
                        Word::Call(call, self.name(argument))
                    }
                    _ => Word::Comma,
                }
            }
            _ => Word::Word(self.name(token)),
        }
    }
}

/// What stands inside the clauses of an item.
fn clauses(node: &Node, rule: Rule) -> impl Iterator<Item = &Node> {
    node.kids.iter().filter(move |kid| kid.rule == rule).filter_map(|clause| clause.kids.first())
}

fn line_names(item: &str) -> String {
    let names: Vec<String> = vocabulary::lines(item).iter().map(|line| format!("`{}`", line.word)).collect();
    format!("the lines of `{item}` are {}", names.join(", "))
}
