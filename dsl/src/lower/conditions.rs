//! Conditions, approvals and requirements.

use crate::ast::{
    Approval, Approver, Cond, CondKind, EdgeWord, FailedBundle, KpiTest, PackageMove, Rate, Requirement,
    RequirementKind, SafeKind, SetKind,
};
use crate::diagnostic::Code;
use crate::lower::Lower;
use crate::parser::{Node, Rule};
use crate::similar;
use crate::vocabulary;

impl Lower<'_> {
    /// The first condition inside a node.
    pub(super) fn cond_in(&mut self, node: &Node) -> Cond {
        self.cond(node.kid(Rule::cond).unwrap_or(node), 0)
    }

    fn cond(&mut self, node: &Node, depth: usize) -> Cond {
        let operands: Vec<&Node> = node.all(Rule::cond_operand).collect();
        let operators: Vec<&Node> = node.all(Rule::cond_op).collect();
        if let ([only], true) = (operands.as_slice(), operators.is_empty()) {
            return self.cond_operand(only, depth);
        }
        let place = self.place(node.span.clone());
        let disjunction = self.check_connectives(&operators);
        let parts = operands.iter().map(|operand| self.cond_operand(operand, depth + 1)).collect();
        Cond { node: place, kind: if disjunction { CondKind::Or(parts) } else { CondKind::And(parts) } }
    }

    /// Whether the connectives are `or`.
    fn check_connectives(&mut self, operators: &[&Node]) -> bool {
        let mut first: Option<(&Node, bool)> = None;
        for operator in operators {
            let word = self.source(operator);
            if let Some(foreign) = operator.kid(Rule::compat_cond_op) {
                let meant = if word == "||" { "or" } else { "and" };
                self.error(Code::ForeignOperator, foreign.span.clone(), format!("`{word}` does not join conditions"))
                    .help = Some(format!("write `{meant}`"));
                return meant == "or";
            }
            let is_or = operator.has(Rule::k_or);
            match first {
                None => first = Some((operator, is_or)),
                Some((_, known)) if known == is_or => {}
                Some((before, known)) => {
                    let known_word = if known { "or" } else { "and" };
                    let before = before.span.clone();
                    let error =
                        self.error(Code::MixedAndOr, operator.span.clone(), format!("`{word}` beside `{known_word}`"));
                    error.labels.push((before, format!("`{known_word}` is here")));
                    error.help = Some("put parentheses around the part that belongs together".to_owned());
                    return known;
                }
            }
        }
        first.is_some_and(|(_, is_or)| is_or)
    }

    fn cond_operand(&mut self, node: &Node, depth: usize) -> Cond {
        let negations: Vec<&Node> = node.all(Rule::negation).collect();
        let depth = depth + negations.len();
        let atom = node.kids.iter().find(|kid| kid.rule != Rule::negation).unwrap_or(node);
        if self.too_deep(depth, &node.span) {
            return Cond { node: self.place(node.span.clone()), kind: CondKind::TestsRemoved };
        }
        for bang in negations.iter().filter_map(|negation| negation.kid(Rule::compat_bang)) {
            self.error(Code::ForeignOperator, bang.span.clone(), "`!` is no operator").help =
                Some("write `not`".to_owned());
        }
        let places: Vec<_> = negations.iter().map(|not| self.place(not.span.start..node.span.end)).collect();
        let mut cond = self.cond_atom(atom, depth);
        for place in places.into_iter().rev() {
            cond = Cond { node: place, kind: CondKind::Not(Box::new(cond)) };
        }
        cond
    }

    fn cond_atom(&mut self, node: &Node, depth: usize) -> Cond {
        if node.rule == Rule::cond_group {
            return match node.kid(Rule::cond) {
                Some(inner) => self.cond(inner, depth + 1),
                None => Cond { node: self.place(node.span.clone()), kind: CondKind::TestsRemoved },
            };
        }
        let place = self.place(node.span.clone());
        let kind = match node.rule {
            Rule::only_in => CondKind::OnlyIn(self.safe_kinds(node)),
            Rule::only_touches => CondKind::OnlyTouches(self.set_in(node)),
            Rule::touches => CondKind::Touches(self.set_in(node)),
            Rule::adds => CondKind::Adds(self.set_in(node)),
            Rule::removes => CondKind::Removes(self.set_in(node)),
            Rule::renames => CondKind::Renames(self.set_in(node)),
            Rule::signatures_change => CondKind::SignaturesChange(self.set_in(node)),
            Rule::new_edges => {
                let kinds = node.all(Rule::edge_word).map(edge_word).collect();
                let (from, to) = self.two_sets(node);
                CondKind::NewEdges { kinds, from, to }
            }
            Rule::tests_removed => CondKind::TestsRemoved,
            Rule::tests_weakened => CondKind::TestsWeakened,
            Rule::added_lines => {
                let set = self.set_in(node);
                let literals = node.kid(Rule::texts).map(|texts| self.texts(texts)).unwrap_or_default();
                CondKind::AddedLinesContain { set, literals }
            }
            Rule::documentation_removed => CondKind::DocumentationRemoved(self.set_in(node)),
            Rule::flags_removed => CondKind::FlagsRemoved(self.set_in(node)),
            Rule::contracts_change => CondKind::ContractsChange(self.set_in(node)),
            Rule::any_edit => CondKind::AnyEdit(self.set_in(node)),
            Rule::lines_changed | Rule::files_changed | Rule::count => {
                let set = self.set_in(node);
                let compare = self.compare_in(node);
                let number = self.quantity_in(node);
                match node.rule {
                    Rule::lines_changed => CondKind::LinesChanged(set, compare, number),
                    Rule::files_changed => CondKind::FilesChanged(set, compare, number),
                    _ => CondKind::Count(set, compare, number),
                }
            }
            Rule::any_of => {
                let set = self.set_in(node);
                let test = self.field_test(node.kid(Rule::field_test).unwrap_or(node));
                CondKind::AnyOf(set, test)
            }
            Rule::any_bundle_rate | Rule::bundle_rate => {
                let rate = node.kid(Rule::rate).map_or(Rate::Pass, rate);
                let bundle = node.kid(Rule::bundle_ref).map(|bundle| self.inner_name(bundle));
                let runs = self.quantity_in(node.kid(Rule::over_runs).unwrap_or(node));
                let compare = self.compare_in(node);
                CondKind::BundleRate { rate, bundle, runs, compare, value: self.quantity_in(node) }
            }
            Rule::any_bundle_failed if node.has(Rule::k_critical) => CondKind::BundleFailed(FailedBundle::Critical),
            Rule::any_bundle_failed => CondKind::BundleFailed(FailedBundle::Required),
            Rule::bundle_failed => {
                let name = self.inner_name(node.kid(Rule::bundle_ref).unwrap_or(node));
                CondKind::BundleFailed(FailedBundle::Named(name))
            }
            Rule::package_change if node.has(Rule::k_major) => CondKind::PackageChange(PackageMove::Major),
            Rule::package_change if node.has(Rule::k_new) => CondKind::PackageChange(PackageMove::New),
            Rule::package_change => CondKind::PackageChange(PackageMove::Downgrade),
            Rule::operation => CondKind::Operation(self.names(node)),
            Rule::verified_bot => CondKind::VerifiedBot(self.text_in(node)),
            Rule::ticket => CondKind::Ticket(self.text_in(node)),
            Rule::branch => CondKind::Branch(self.text_in(node)),
            Rule::rationale_missing => CondKind::RationaleMissing,
            Rule::story_lacks => CondKind::StoryLacks(self.inner_name(node)),
            Rule::during => CondKind::During(self.inner_name(node)),
            Rule::kpi_test => CondKind::Kpi(self.kpi_test_at(node, place)),
            Rule::trust_below => CondKind::TrustBelowMinimum,
            Rule::no_test_reaches => CondKind::NoTestReaches,
            Rule::is_empty => CondKind::IsEmpty(self.set_in(node)),
            _ => {
                self.set_as_condition(node);
                CondKind::TestsRemoved
            }
        };
        Cond { node: place, kind }
    }

    fn set_as_condition(&mut self, node: &Node) {
        let written = self.source(node).to_owned();
        let set = self.set_in(node);
        if let SetKind::Defined(name) = &set.kind
            && let Some(near) = similar::nearest(&name.text, vocabulary::CONDITIONS.iter().map(|entry| entry.word))
        {
            self.error(Code::Syntax, node.span.clone(), format!("`{written}` is no condition")).help =
                Some(format!("did you mean `{near}`?"));
            return;
        }
        let shown = if written.len() > 40 || written.contains('\n') { "…" } else { &written };
        self.error(Code::SetAsCondition, node.span.clone(), "a set is not a condition").help =
            Some(format!("say what happens to it, such as `change touches {shown}`, or `{shown} is empty`"));
    }

    pub(super) fn two_sets(&mut self, node: &Node) -> (crate::ast::SetExpr, crate::ast::SetExpr) {
        let mut sets = node.all(Rule::set);
        let (from, to) = (sets.next().unwrap_or(node), sets.next().unwrap_or(node));
        (self.set(from, 0), self.set(to, 0))
    }

    /// `comments, formatting, …` inside a node.
    pub(super) fn safe_kinds(&mut self, node: &Node) -> Vec<SafeKind> {
        let Some(list) = node.kid(Rule::safe_kinds) else { return Vec::new() };
        list.all(Rule::safe_kind)
            .map(|kind| match kind.kids.first().map(|kid| kid.rule) {
                Some(Rule::k_comments) => SafeKind::Comments,
                Some(Rule::k_formatting) => SafeKind::Formatting,
                Some(Rule::k_documentation) => SafeKind::Documentation,
                _ => SafeKind::AddedTests,
            })
            .collect()
    }

    pub(super) fn kpi_test(&mut self, node: &Node) -> KpiTest {
        let place = self.place(node.span.clone());
        self.kpi_test_at(node, place)
    }

    fn kpi_test_at(&mut self, node: &Node, place: crate::ast::NodeId) -> KpiTest {
        let kpi = self.inner_name(node.kid(Rule::kpi_ref).unwrap_or(node));
        let statistic = node.kid(Rule::statistic).map(|statistic| self.name(statistic));
        let mut quantities = node.all(Rule::quantity);
        let over = if node.has(Rule::k_over) { quantities.next().map(|over| self.quantity(over)) } else { None };
        let compare = self.compare_in(node);
        let value = self.quantity(quantities.next().unwrap_or(node));
        KpiTest { node: place, kpi, statistic, over, compare, value }
    }

    /// The approval inside a node, `extra` where the node says so.
    pub(super) fn approval_in(&mut self, node: &Node) -> Approval {
        let extra = node.has(Rule::k_extra);
        let body = node.kid(Rule::approval).unwrap_or(node);
        let place = self.place(body.span.clone());
        let count = body.kid(Rule::number).map_or(1, |number| self.whole(number, 1, "number of people"));
        let by = self.approver_in(body);
        let among = body
            .all(Rule::among)
            .map(|among| {
                let count = among.kid(Rule::number).map_or(1, |number| self.whole(number, 1, "number of people"));
                (count, self.approver_in(among))
            })
            .collect();
        let otherwise = body.kid(Rule::otherwise).map(|otherwise| self.approver_in(otherwise));
        Approval { node: place, count, by, among, otherwise, extra }
    }

    fn approver_in(&mut self, node: &Node) -> Approver {
        let approver = node.kid(Rule::approver).unwrap_or(node);
        match approver.kids.first() {
            Some(kid) if kid.rule == Rule::team_ref => Approver::Team(self.inner_name(kid)),
            Some(kid) if kid.rule == Rule::an_owner => Approver::OwnerOfEachFile(self.set_in(kid)),
            _ => Approver::Anyone,
        }
    }

    /// One requirement; `story a, b` gives two.
    pub(super) fn requirement(&mut self, node: &Node, into: &mut Vec<Requirement>) {
        let Some(kid) = node.kids.first() else { return };
        if kid.rule == Rule::require_story {
            for field in kid.all(Rule::story_field) {
                let place = self.place(field.span.clone());
                into.push(Requirement { node: place, kind: RequirementKind::Story(self.name(field)) });
            }
            return;
        }
        let place = self.place(node.span.clone());
        let kind = match kid.rule {
            Rule::require_approval => RequirementKind::Approval(self.approval_in(kid)),
            Rule::require_bundle => {
                let name = self.inner_name(kid.kid(Rule::bundle_ref).unwrap_or(kid));
                RequirementKind::Bundle { name, narrowed: kid.has(Rule::narrowed) }
            }
            Rule::require_validation => {
                RequirementKind::Validation(self.inner_name(kid.kid(Rule::validation_ref).unwrap_or(kid)))
            }
            Rule::require_ticket => RequirementKind::Ticket(self.text_in(kid)),
            _ => RequirementKind::Rationale,
        };
        into.push(Requirement { node: place, kind });
    }
}

/// The kind of edge of a node of `Rule::edge_word`.
pub(super) fn edge_word(node: &Node) -> EdgeWord {
    match node.kids.first().map(|kid| kid.rule) {
        Some(Rule::k_imports) => EdgeWord::Imports,
        Some(Rule::k_calls) => EdgeWord::Calls,
        Some(Rule::k_inherits) => EdgeWord::Inherits,
        _ => EdgeWord::References,
    }
}

/// The rate of a node of `Rule::rate`.
pub(super) fn rate(node: &Node) -> Rate {
    if node.has(Rule::k_flaky) { Rate::Flaky } else { Rate::Pass }
}
