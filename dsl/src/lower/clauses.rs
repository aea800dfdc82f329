//! What the clauses of rules and their kin have in common: each given once, the necessary ones there.

use crate::ast::{Cond, CondKind, Date};
use crate::ast::{Deny, KpiTest, Name, NodeId, Quantity, Requirement, Rule as RuleItem, SetExpr, Text, When};
use crate::diagnostic::Code;
use crate::lower::Lower;
use crate::parser::{Node, Rule};

/// Clauses of `rule`, `policy`, `forbid` and `layers`, as far as they were given.
#[derive(Default)]
pub(super) struct RuleParts {
    pub(super) covers: Option<SetExpr>,
    pub(super) tier: Option<(NodeId, u8)>,
    pub(super) when: Option<Cond>,
    pub(super) always: Option<Cond>,
    pub(super) after: Option<std::ops::Range<usize>>,
    pub(super) require: Vec<Requirement>,
    pub(super) deny: Option<Deny>,
    pub(super) trust: Option<Quantity>,
    pub(super) limits: Vec<KpiTest>,
    pub(super) upholds: Vec<Name>,
    pub(super) intents: Vec<Name>,
    pub(super) owner: Option<Name>,
    pub(super) review_by: Option<(NodeId, Date)>,
    pub(super) remedy: Option<Text>,
    pub(super) because: Option<Text>,
    pub(super) may_be_empty: Option<bool>,
}

impl Lower<'_> {
    /// Sets a slot that may be set once.
    pub(super) fn once<T>(&mut self, slot: &mut Option<T>, value: T, node: &Node) {
        if slot.is_some() {
            let written = self.source(node);
            let word = written.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default();
            self.error(Code::DuplicateClause, node.span.clone(), format!("`{word}` is given twice")).help =
                Some("keep one of them".to_owned());
            return;
        }
        *slot = Some(value);
    }

    /// A clause that has to be there; its absence is reported at the item's name.
    pub(super) fn needed<T>(&mut self, slot: Option<T>, item: &Node, form: &str) -> Option<T> {
        if slot.is_none() {
            let (code, help) = if form.starts_with("because") {
                (Code::MissingBecause, "say why it exists: `because \"…\"`".to_owned())
            } else {
                (Code::MissingClause, format!("add `{form}`"))
            };
            let word = item.kids.first().map(|kid| self.source(kid)).unwrap_or_default();
            let name = item.kids.iter().skip(1).find(|kid| matches!(kid.rule, Rule::dotted | Rule::word | Rule::text));
            let span = name.or(item.kids.first()).map_or(item.span.clone(), |node| node.span.clone());
            let clause = form.split(' ').next().unwrap_or(form);
            self.error(code, span, format!("this `{word}` has no `{clause}`")).help = Some(help);
        }
        slot
    }

    /// Reads one clause of a rule or of what shares clauses with it.
    pub(super) fn rule_part(&mut self, parts: &mut RuleParts, node: &Node) {
        match node.rule {
            Rule::covers_clause => {
                let set = self.set_in(node);
                self.once(&mut parts.covers, set, node);
            }
            Rule::tier_clause => {
                let tier = self.tier_number(node);
                self.once(&mut parts.tier, tier, node);
            }
            Rule::when_clause => {
                let cond = self.cond_in(node);
                self.once(&mut parts.when, cond, node);
            }
            Rule::always_clause => {
                let cond = self.cond_in(node);
                self.once(&mut parts.always, cond, node);
            }
            Rule::after_clause => self.once(&mut parts.after, node.span.clone(), node),
            Rule::require_clause => {
                for requirement in node.all(Rule::requirement) {
                    self.requirement(requirement, &mut parts.require);
                }
            }
            Rule::deny_clause => {
                let place = self.place(node.span.clone());
                let if_unknown = node.has(Rule::k_if).then(|| self.approval_in(node));
                self.once(&mut parts.deny, Deny { node: place, if_unknown }, node);
            }
            Rule::trust_clause => {
                let trust = self.quantity_in(node);
                self.once(&mut parts.trust, trust, node);
            }
            Rule::limit_clause => parts.limits.extend(node.all(Rule::kpi_test).map(|test| self.kpi_test(test))),
            Rule::upholds_clause => {
                parts.upholds.extend(node.kid(Rule::dotteds).map(|list| self.names(list)).unwrap_or_default())
            }
            Rule::intents_clause => {
                parts.intents.extend(node.kid(Rule::dotteds).map(|list| self.names(list)).unwrap_or_default())
            }
            Rule::owner_clause => {
                let owner = self.inner_name(node.kid(Rule::team_ref).unwrap_or(node));
                self.once(&mut parts.owner, owner, node);
            }
            Rule::review_clause => {
                let date = self.date_in(node);
                self.once(&mut parts.review_by, date, node);
            }
            Rule::remedy_clause => {
                let text = self.text_in(node);
                self.once(&mut parts.remedy, text, node);
            }
            Rule::because_clause => {
                let text = self.text_in(node);
                self.once(&mut parts.because, text, node);
            }
            Rule::empty_clause => self.once(&mut parts.may_be_empty, true, node),
            _ => {}
        }
    }

    /// A rule out of its parts. In a policy `covers` is the condition.
    pub(super) fn rule_of(&mut self, mut parts: RuleParts, item: &Node) -> Option<(Option<SetExpr>, RuleItem)> {
        let because = parts.because.take();
        let because = self.needed(because, item, "because \"…\"");
        let when = if item.rule == Rule::policy_item {
            let covers = parts.covers.take();
            let covers = self.needed(covers, item, "covers SET")?;
            parts.covers = Some(covers.clone());
            When::Change(Cond { node: covers.node, kind: CondKind::Touches(covers) })
        } else {
            match (parts.when.take(), parts.always.take(), parts.after.take()) {
                (Some(when), None, None) => When::Change(when),
                (Some(when), None, Some(_)) => When::AfterRun(when),
                (None, Some(always), None) => When::Always(always),
                (_, Some(always), _) => {
                    self.one_time(item, "`always when` stands alone");
                    When::Always(always)
                }
                (None, None, _) => When::Change(self.needed(None, item, "when CONDITION")?),
            }
        };
        let rule = RuleItem {
            tier: parts.tier,
            when,
            require: parts.require,
            deny: parts.deny,
            trust: parts.trust,
            limits: parts.limits,
            upholds: parts.upholds,
            intents: parts.intents,
            owner: parts.owner,
            review_by: parts.review_by,
            remedy: parts.remedy,
            because: because?,
            may_be_empty: parts.may_be_empty.unwrap_or_default(),
        };
        Some((parts.covers, rule))
    }

    fn one_time(&mut self, item: &Node, message: &str) {
        let span = item.kid(Rule::dotted).map_or(item.span.clone(), |name| name.span.clone());
        self.error(Code::DuplicateClause, span, message).help = Some(
            "a rule is judged once: on the change (`when`), on the state (`always when`) or after the run".to_owned(),
        );
    }
}
