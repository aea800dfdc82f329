//! Conditions, approvals, requirements and limits.

use crate::ast::{
    Approval, Approver, Cond, CondKind, FailedBundle, ItemKind, KpiTest, Requirement, RequirementKind, Unit, Word,
};
use crate::check::{Checker, UnitKind};
use crate::diagnostic::Code;
use crate::names::NameKind;
use crate::similar;
use crate::vocabulary;
use crate::walk;

/// When a condition is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Judged {
    Change,
    State,
    AfterRun,
}

impl Checker<'_, '_> {
    pub(super) fn cond(&mut self, cond: &Cond, judged: Judged) {
        let mut atoms: Vec<Cond> = Vec::new();
        walk::conditions(cond, &mut |cond| {
            if !matches!(cond.kind, CondKind::And(_) | CondKind::Or(_) | CondKind::Not(_)) {
                atoms.push(cond.clone());
            }
        });
        for atom in &atoms {
            self.time_of(atom, judged);
            self.atom(atom);
        }
    }

    fn time_of(&mut self, cond: &Cond, judged: Judged) {
        let outcome = matches!(
            cond.kind,
            CondKind::BundleFailed(_) | CondKind::TrustBelowMinimum | CondKind::BundleRate { bundle: None, .. }
        );
        if outcome && judged != Judged::AfterRun {
            self.report(
                Code::MisplacedClause,
                cond.node,
                "this is known only after the run",
                "add the clause `after the run` before `when`",
            );
        }
        let event = matches!(
            cond.kind,
            CondKind::Touches(_)
                | CondKind::OnlyTouches(_)
                | CondKind::OnlyIn(_)
                | CondKind::Adds(_)
                | CondKind::Removes(_)
                | CondKind::Renames(_)
                | CondKind::SignaturesChange(_)
                | CondKind::NewEdges { .. }
                | CondKind::TestsRemoved
                | CondKind::TestsWeakened
                | CondKind::AddedLinesContain { .. }
                | CondKind::DocumentationRemoved(_)
                | CondKind::FlagsRemoved(_)
                | CondKind::ContractsChange(_)
                | CondKind::AnyEdit(_)
                | CondKind::LinesChanged(..)
                | CondKind::FilesChanged(..)
                | CondKind::PackageChange(_)
                | CondKind::NoTestReaches
        );
        if event && judged == Judged::State {
            self.report(
                Code::MisplacedClause,
                cond.node,
                "`always` reads a state, and this is a change",
                "write `when` for what happens, `always when` for what is",
            );
        }
    }

    fn atom(&mut self, cond: &Cond) {
        match &cond.kind {
            CondKind::FlagsRemoved(set) | CondKind::ContractsChange(set) => self.models(set),
            CondKind::AnyOf(set, test) => {
                self.models(set);
                self.model_field(test);
            }
            CondKind::Count(set, _, number) => {
                self.set(set, None);
                self.count(number, 0, "a count");
            }
            CondKind::IsEmpty(set) => self.set(set, None),
            CondKind::LinesChanged(set, _, number) | CondKind::FilesChanged(set, _, number) => {
                self.code(set);
                self.count(number, 0, "a count");
            }
            CondKind::Ticket(glob) | CondKind::Branch(glob) => self.glob(glob),
            CondKind::StoryLacks(field) => {
                self.field(field, vocabulary::STORY_FIELDS, "story");
            }
            CondKind::During(window) => {
                self.known(NameKind::Window, Code::UnknownWindow, window);
            }
            CondKind::BundleRate { bundle, runs, value, .. } => {
                if let Some(bundle) = bundle {
                    self.known(NameKind::Bundle, Code::UnknownBundle, bundle);
                }
                self.count(runs, 1, "a number of runs");
                self.percent(value, "a rate");
            }
            CondKind::BundleFailed(FailedBundle::Named(bundle)) => {
                self.known(NameKind::Bundle, Code::UnknownBundle, bundle);
            }
            CondKind::Kpi(test) => self.kpi_test(test),
            CondKind::Operation(names) => self.no_repeats(names),
            _ => walk::sets_of_condition(cond, &mut |set| self.code(set)),
        }
    }

    pub(super) fn kpi_test(&mut self, test: &KpiTest) {
        if let Some(statistic) = &test.statistic
            && !vocabulary::STATISTICS.iter().any(|entry| entry.word == statistic.text)
        {
            let known: Vec<String> = vocabulary::STATISTICS.iter().map(|entry| format!("`{}`", entry.word)).collect();
            let near = similar::nearest(&statistic.text, vocabulary::STATISTICS.iter().map(|entry| entry.word));
            let help = near.map_or_else(
                || format!("statistics are {}", known.join(", ")),
                |near| format!("did you mean `{near}`?"),
            );
            self.report(
                Code::UnknownStatistic,
                statistic.node,
                format!("unknown statistic `{}`", statistic.text),
                help,
            );
        }
        if let Some(over) = &test.over {
            self.duration(over, "the span of a statistic");
        }
        let Some(place) = self.known(NameKind::Kpi, Code::UnknownKpi, &test.kpi) else { return };
        let Some(ItemKind::Operational(kpi)) = self.book.item(place).map(|item| &item.kind) else { return };
        let unit = kpi.clauses.iter().find(|line| line.name.text == "unit").and_then(|line| line.words.first());
        let wanted = match unit {
            None => UnitKind::Bare,
            Some(Word::Word(word)) => match unit_of(&word.text) {
                Some(unit) => UnitKind::of(unit),
                None => return,
            },
            Some(_) => return,
        };
        let given = UnitKind::of(test.value.unit);
        if given != wanted {
            let message = format!("`{}` is {}, and this is {}", test.kpi.text, wanted.noun(), given.noun());
            let help = match (unit, self.book.location(place)) {
                (None, Some(at)) => {
                    format!("its definition at {at} names no `unit`; add one there, or leave it out here")
                }
                _ => wanted.example().to_owned(),
            };
            self.report(Code::WrongUnit, test.value.node, message, help);
        }
    }

    pub(super) fn approval(&mut self, approval: &Approval) {
        self.approver(&approval.by);
        for (count, by) in &approval.among {
            if *count > approval.count {
                let message = format!("{count} of {} approvals", approval.count);
                self.report(Code::BadNumber, approval.node, message, "`of them` counts inside the number before");
            }
            self.approver(by);
        }
        if let Some(otherwise) = &approval.otherwise {
            self.approver(otherwise);
        }
    }

    fn approver(&mut self, approver: &Approver) {
        match approver {
            Approver::Anyone => {}
            Approver::Team(team) => {
                self.known(NameKind::Team, Code::UnknownTeam, team);
            }
            Approver::OwnerOfEachFile(set) => self.code(set),
        }
    }

    pub(super) fn requirement(&mut self, requirement: &Requirement) {
        match &requirement.kind {
            RequirementKind::Approval(approval) => self.approval(approval),
            RequirementKind::Bundle { name, .. } => {
                self.known(NameKind::Bundle, Code::UnknownBundle, name);
            }
            RequirementKind::Validation(name) => {
                self.known(NameKind::Validation, Code::UnknownValidation, name);
            }
            RequirementKind::Ticket(glob) => self.glob(glob),
            RequirementKind::Rationale => {}
            RequirementKind::Story(field) => {
                self.field(field, vocabulary::STORY_FIELDS, "story");
            }
        }
    }
}

/// The unit that a `unit` line names.
pub(super) fn unit_of(word: &str) -> Option<Unit> {
    Some(match word {
        "one" => Unit::One,
        "percent" => Unit::Percent,
        "points" => Unit::Points,
        "ms" => Unit::Milliseconds,
        "s" => Unit::Seconds,
        "min" => Unit::Minutes,
        "h" => Unit::Hours,
        "d" => Unit::Days,
        _ => return None,
    })
}
