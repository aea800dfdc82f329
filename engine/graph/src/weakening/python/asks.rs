//! What the statements and expressions of a test ask: assertions, expected exceptions, tolerances, skips.

use tree_sitter::Node;

use super::{Exceptions, MAX_DEPTH, Measure, Reader, Tolerance};
use crate::change::syntax::{self, children, line_of};

/// What is known of whether a statement counts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reach {
    /// It may run, and a failed assertion in it fails the test.
    pub(super) counts: bool,
    /// It runs under no condition.
    pub(super) certain: bool,
}

impl Reach {
    /// The body of a test.
    pub(super) const SURE: Self = Self { counts: true, certain: true };

    fn only_if(self, counts: bool) -> Self {
        Self { counts: self.counts && counts, ..self }
    }

    fn maybe(self, certain: bool) -> Self {
        Self { certain: self.certain && certain, ..self }
    }
}

impl Measure {
    /// Adds assertions where they count; how many did.
    pub(super) fn ask(&mut self, count: u32, reach: Reach) -> u32 {
        if !reach.counts {
            return 0;
        }
        self.assertions = self.assertions.saturating_add(count);
        if reach.certain {
            self.unconditional = self.unconditional.saturating_add(count);
        }
        count
    }
}

impl<'tree> Reader<'_, 'tree> {
    /// Adds what a statement or expression asks. False when something is nested too deeply to be read.
    pub(super) fn measure(&self, node: Node<'tree>, measure: &mut Measure, depth: usize, reach: Reach) -> bool {
        if depth > MAX_DEPTH {
            return false;
        }
        let mut whole = true;
        match node.kind() {
            "block" | "module" => {
                let mut reach = reach;
                for statement in children(node) {
                    whole &= self.measure(statement, measure, depth + 1, reach);
                    reach = reach.only_if(!self.leaves(statement, 0)).maybe(!may_return(statement));
                }
                return whole;
            }
            "assert_statement" => {
                if let Some(condition) = children(node).first() {
                    measure.ask(self.conjuncts(*condition, 0), reach);
                }
            }
            "if_statement" | "elif_clause" | "while_statement" | "match_statement" => {
                let condition = node.child_by_field_name("condition");
                let never = condition.is_some_and(|condition| self.is_false(condition, 0));
                let always = condition.is_some_and(|condition| self.is_true(condition, 0));
                let body = node.child_by_field_name("consequence").or_else(|| node.child_by_field_name("body"));
                for child in children(node) {
                    let inner = reach.only_if(!(never && Some(child) == body));
                    let inner = if Some(child) == condition { inner } else { inner.maybe(always) };
                    whole &= self.measure(child, measure, depth + 1, inner);
                }
                return whole;
            }
            "for_statement" => {
                let (body, over) = (node.child_by_field_name("body"), node.child_by_field_name("right"));
                let never = over.is_some_and(|over| self.is_false(over, 0) || self.text_of(over) == "range(0)");
                for child in children(node) {
                    let inner = reach.only_if(!(never && Some(child) == body));
                    whole &= self.measure(child, measure, depth + 1, inner);
                }
                return whole;
            }
            "try_statement" => {
                let body = node.child_by_field_name("body");
                let swallows = children(node).into_iter().any(|child| self.swallows(child));
                for child in children(node) {
                    let handles = matches!(child.kind(), "except_clause" | "except_group_clause");
                    let inner = reach.only_if(!(swallows && Some(child) == body)).maybe(!handles);
                    whole &= self.measure(child, measure, depth + 1, inner);
                }
                return whole;
            }
            "with_statement" => {
                let body = node.child_by_field_name("body");
                let mut suppresses = false;
                for child in children(node).into_iter().filter(|child| Some(*child) != body) {
                    syntax::each_node(child, &mut |inner| {
                        if inner.kind() == "call" {
                            let name = inner.child_by_field_name("function").and_then(|function| self.dotted(function));
                            suppresses |= name.is_some_and(|name| name.ends_with("suppress"))
                                && self.names_assertion_error(inner);
                        }
                        true
                    });
                    whole &= self.measure(child, measure, depth + 1, reach);
                }
                if let Some(body) = body {
                    whole &= self.measure(body, measure, depth + 1, reach.only_if(!suppresses));
                }
                return whole;
            }
            // What is only defined asks nothing.
            "function_definition" => {
                let inner = reach.only_if(self.is_used_around(node));
                for child in children(node) {
                    whole &= self.measure(child, measure, depth + 1, inner);
                }
                return whole;
            }
            "raise_statement" => {
                let name = children(node).first().and_then(|raised| {
                    let raised =
                        if raised.kind() == "call" { raised.child_by_field_name("function")? } else { *raised };
                    self.dotted(raised)
                });
                if name.is_some_and(|name| name.ends_with("SkipTest") || name.ends_with("skip.Exception")) {
                    measure.skips.entry("call".to_owned()).or_default().push(line_of(node));
                }
            }
            "comparison_operator" => {
                if let Some(tolerance) = self.distance(node) {
                    measure.tolerances.push(tolerance);
                }
            }
            "call" => self.call(node, measure, reach),
            _ => {}
        }
        for child in children(node) {
            whole &= self.measure(child, measure, depth + 1, reach);
        }
        whole
    }

    /// A function inside a test whose name stands once more in the block around it, or that is decorated.
    fn is_used_around(&self, function: Node<'_>) -> bool {
        let Some(parent) = function.parent() else { return true };
        let around = if parent.kind() == "block" { self.text_of(parent) } else { "" };
        let left = self.budget.get();
        if around.is_empty() || left < around.len() {
            return true;
        }
        self.budget.set(left - around.len());
        syntax::words(around, self.field(function, "name")) > 1
    }

    /// How much a call asks by its own name: an assertion that can fail, or an expected exception.
    pub(super) fn asserts(&self, call: Node<'tree>) -> u32 {
        let Some(dotted) = call.child_by_field_name("function").and_then(|function| self.dotted(function)) else {
            return 0;
        };
        let (owner, name) = dotted.rsplit_once('.').unwrap_or(("", &dotted));
        let asserts = name.strip_prefix("assert").is_some_and(|rest| {
            rest.starts_with('_') || rest.starts_with(|character: char| character.is_ascii_uppercase())
        });
        let fails = name == "fail" && matches!(owner, "pytest" | "self");
        u32::from(asserts && !self.is_vacuous(call, name) || expects(owner, name) || fails)
    }

    fn call(&self, call: Node<'tree>, measure: &mut Measure, reach: Reach) {
        if !self.asks_through(call, measure, reach) {
            measure.ask(self.asserts(call), reach);
        }
        let Some(dotted) = call.child_by_field_name("function").and_then(|function| self.dotted(function)) else {
            return;
        };
        let (owner, name) = dotted.rsplit_once('.').unwrap_or(("", &dotted));
        let line = line_of(call);
        let text = |position: usize, name: &str| {
            self.argument(call, position, name).map(|node| syntax::tokens(node, self.text))
        };
        match name {
            "skip" | "importorskip" | "exit"
                if matches!(owner, "pytest" | "") && name != "exit" || owner == "pytest" =>
            {
                let key = match name {
                    "importorskip" => format!("import {}", text(0, "modname").unwrap_or_default()),
                    _ => "call".to_owned(),
                };
                measure.skips.entry(key).or_default().push(line);
            }
            "skipTest" => measure.skips.entry("call".to_owned()).or_default().push(line),
            "xfail" if owner == "pytest" => measure.expected_failures.entry("call".to_owned()).or_default().push(line),
            _ => {}
        }
        if expects(owner, name) && name != "deprecated_call"
            || name.starts_with("assertRaises")
            || name.starts_with("assertWarns")
        {
            let regex = name.ends_with("Regex") || name.ends_with("Regexp");
            if let Some(exceptions) = self.argument(call, 0, "expected_exception") {
                let members = if exceptions.kind() == "tuple" { children(exceptions) } else { vec![exceptions] };
                let names = members.into_iter().map(|member| {
                    let dotted = self.dotted(member).unwrap_or_else(|| syntax::tokens(member, self.text));
                    dotted.strip_prefix("builtins.").map(str::to_owned).unwrap_or(dotted)
                });
                let pattern = if regex { self.argument(call, 1, "expected_regex") } else { self.named(call, "match") };
                measure.exceptions.push(Exceptions {
                    names: names.collect(),
                    matches: pattern.map(|pattern| {
                        let text = self.text_of(pattern);
                        text.trim_start_matches(['r', 'R']).trim_matches(['"', '\'']).to_owned()
                    }),
                    line,
                });
            }
        }
        if let Some(tolerance) = self.tolerance(call, name) {
            measure.tolerances.push(tolerance);
        }
    }

    fn named(&self, call: Node<'tree>, name: &str) -> Option<Node<'tree>> {
        self.argument(call, usize::MAX, name)
    }

    /// The number that an argument is, `None` where there is none; what is no number is written to `unknown`.
    fn number(&self, argument: Option<Node<'tree>>, unknown: &mut Option<String>) -> Option<f64> {
        let argument = self.resolved(argument?);
        let text = self.text_of(argument);
        match text.replace('_', "").parse::<f64>() {
            Ok(value) if value.is_finite() => Some(value),
            _ if text == "None" => None,
            _ => {
                *unknown = Some(syntax::tokens(argument, self.text));
                None
            }
        }
    }

    /// `abs(…) < number`: a tolerance that is written out.
    fn distance(&self, comparison: Node<'tree>) -> Option<Tolerance> {
        let operands = children(comparison);
        let [left, right] = operands.as_slice() else { return None };
        let operator = self.text.get(left.end_byte()..right.start_byte()).unwrap_or_default().trim();
        let (distance, limit) = match operator {
            "<" | "<=" => (*left, *right),
            ">" | ">=" => (*right, *left),
            _ => return None,
        };
        let is_distance = |node: Node<'_>| {
            node.kind() == "call"
                && node
                    .child_by_field_name("function")
                    .and_then(|function| self.dotted(function))
                    .is_some_and(|name| matches!(name.rsplit('.').next(), Some("abs" | "fabs" | "norm" | "absolute")))
        };
        if !is_distance(distance) {
            return None;
        }
        let mut unknown = None;
        let absolute = self.number(Some(limit), &mut unknown).unwrap_or(0.0);
        let subject = format!("distance {}", syntax::tokens(distance, self.text));
        Some(Tolerance { subject, relative: 0.0, absolute, unknown, line: line_of(comparison) })
    }

    /// The tolerance of a comparing call, with the library's own where it names none.
    fn tolerance(&self, call: Node<'tree>, name: &str) -> Option<Tolerance> {
        let mut unknown: Option<String> = None;
        let mut number = |argument: Option<Node<'tree>>| self.number(argument, &mut unknown);
        let places = |places: Option<f64>| 10_f64.powf(-places.unwrap_or(7.0)) / 2.0;
        let (relative, absolute) = match name {
            "approx" => {
                let (relative, absolute) =
                    (number(self.argument(call, 1, "rel")), number(self.argument(call, 2, "abs")));
                // pytest looks at `abs` alone where only that is given.
                let default = if absolute.is_some() { 0.0 } else { 1e-6 };
                (relative.unwrap_or(default), absolute.unwrap_or(1e-12))
            }
            "assertAlmostEqual" | "assertAlmostEquals" => {
                let (digits, delta) =
                    (number(self.argument(call, 2, "places")), number(self.argument(call, 4, "delta")));
                (0.0, delta.unwrap_or_else(|| places(digits)))
            }
            "assertLess" | "assertLessEqual" => {
                let first = self.argument(call, 0, "a")?;
                if !self.text_of(first).starts_with("abs(") {
                    return None;
                }
                (0.0, number(self.argument(call, 1, "b")).unwrap_or(0.0))
            }
            "isclose" | "allclose" | "assert_allclose" | "assert_close" => {
                let python = self.named(call, "rel_tol").is_some() || self.named(call, "abs_tol").is_some();
                let relative = number(self.named(call, "rel_tol").or_else(|| self.argument(call, 2, "rtol")));
                let absolute = number(self.named(call, "abs_tol").or_else(|| self.argument(call, 3, "atol")));
                let dotted = call.child_by_field_name("function").and_then(|function| self.dotted(function));
                let (default_relative, default_absolute) = match name {
                    "assert_allclose" => (1e-7, 0.0),
                    "isclose" if python || dotted.as_deref() == Some("math.isclose") => (1e-9, 0.0),
                    _ => (1e-5, 1e-8),
                };
                (relative.unwrap_or(default_relative), absolute.unwrap_or(default_absolute))
            }
            "assert_almost_equal" | "assert_array_almost_equal" => {
                let default = if name == "assert_almost_equal" { 7.0 } else { 6.0 };
                (0.0, places(Some(number(self.argument(call, 2, "decimal")).unwrap_or(default))))
            }
            _ => return None,
        };
        let first = self.argument(call, 0, "expected").map_or(String::new(), |first| syntax::tokens(first, self.text));
        Some(Tolerance { subject: format!("{name} {first}"), relative, absolute, unknown, line: line_of(call) })
    }
}

/// A call that says which exception or warning must come.
fn expects(owner: &str, name: &str) -> bool {
    matches!(name, "raises" | "warns" | "deprecated_call") && owner == "pytest"
}

/// A `return` somewhere in a statement, outside of functions that it defines.
fn may_return(statement: Node<'_>) -> bool {
    let mut found = false;
    syntax::each_node(statement, &mut |node| {
        found |= node.kind() == "return_statement";
        !found && !matches!(node.kind(), "function_definition" | "class_definition" | "lambda")
    });
    found
}
