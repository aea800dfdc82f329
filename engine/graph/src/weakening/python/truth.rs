//! What is true or false by itself, what ends a test early, and what keeps a failed assertion from failing it.

use tree_sitter::Node;

use super::{MAX_DEPTH, Reader};
use crate::change::syntax::{self, children};

impl<'tree> Reader<'_, 'tree> {
    /// How many conditions an assertion joins that are not true by themselves.
    pub(super) fn conjuncts(&self, node: Node<'_>, depth: usize) -> u32 {
        if depth < MAX_DEPTH && node.kind() == "boolean_operator" && self.field(node, "operator") == "and" {
            let side = |name: &str| node.child_by_field_name(name).map_or(0, |side| self.conjuncts(side, depth + 1));
            return side("left").saturating_add(side("right"));
        }
        if depth < MAX_DEPTH
            && node.kind() == "parenthesized_expression"
            && let Some(inner) = children(node).first()
        {
            return self.conjuncts(*inner, depth + 1);
        }
        u32::from(!self.is_true(node, 0))
    }

    /// True by itself, whatever the program does.
    pub(super) fn is_true(&self, node: Node<'_>, depth: usize) -> bool {
        if depth > MAX_DEPTH {
            return false;
        }
        let side = |name: &str| node.child_by_field_name(name).is_some_and(|side| self.is_true(side, depth + 1));
        match node.kind() {
            "true" | "lambda" | "ellipsis" => true,
            "integer" | "float" => self.text_of(node).bytes().any(|byte| (b'1'..=b'9').contains(&byte)),
            "string" => {
                let quoted = self.text_of(node).trim_start_matches(|first: char| first.is_ascii_alphabetic());
                !quoted.trim_matches(['"', '\'']).is_empty()
            }
            "concatenated_string" => children(node).into_iter().any(|part| self.is_true(part, depth + 1)),
            "tuple" | "list" | "set" | "dictionary" => {
                children(node).iter().any(|element| !matches!(element.kind(), "list_splat" | "dictionary_splat"))
            }
            "parenthesized_expression" => children(node).first().is_some_and(|inner| self.is_true(*inner, depth + 1)),
            "not_operator" => {
                node.child_by_field_name("argument").is_some_and(|argument| self.is_false(argument, depth + 1))
            }
            "boolean_operator" => match self.field(node, "operator") {
                "or" => side("left") || side("right"),
                _ => side("left") && side("right"),
            },
            "comparison_operator" => {
                let operands = children(node);
                let [left, right] = operands.as_slice() else { return false };
                let operator = self.text.get(left.end_byte()..right.start_byte()).unwrap_or_default().trim();
                let same = || syntax::tokens(*left, self.text) == syntax::tokens(*right, self.text);
                matches!(operator, "==" | "is" | "<=" | ">=") && same()
                    || operator == ">=" && self.text_of(*left).starts_with("len(") && self.text_of(*right) == "0"
            }
            "conditional_expression" => {
                let parts = children(node);
                let [yes, _, no] = parts.as_slice() else { return false };
                self.is_true(*yes, depth + 1) && self.is_true(*no, depth + 1)
            }
            "call" => {
                let text = syntax::tokens(node, self.text);
                text.starts_with("isinstance (") && text.ends_with(", object )")
            }
            _ => false,
        }
    }

    /// False by itself.
    pub(super) fn is_false(&self, node: Node<'_>, depth: usize) -> bool {
        if depth > MAX_DEPTH {
            return false;
        }
        match node.kind() {
            "false" | "none" => true,
            "integer" | "float" => self.text_of(node).bytes().all(|byte| matches!(byte, b'0' | b'.' | b'_')),
            "string" | "tuple" | "list" | "dictionary" => {
                matches!(self.text_of(node), "\"\"" | "''" | "()" | "[]" | "{}")
            }
            "parenthesized_expression" => children(node).first().is_some_and(|inner| self.is_false(*inner, depth + 1)),
            "not_operator" => {
                node.child_by_field_name("argument").is_some_and(|argument| self.is_true(argument, depth + 1))
            }
            "boolean_operator" if self.field(node, "operator") == "and" => ["left", "right"]
                .iter()
                .any(|name| node.child_by_field_name(name).is_some_and(|side| self.is_false(side, depth + 1))),
            _ => false,
        }
    }

    /// An assertion method that cannot fail.
    pub(super) fn is_vacuous(&self, call: Node<'tree>, name: &str) -> bool {
        let (first, second) = (self.argument(call, 0, "first"), self.argument(call, 1, "second"));
        match (name, first, second) {
            ("assertTrue" | "assert_" | "assertIsNotNone", Some(value), _) => self.is_true(value, 0),
            ("assertFalse", Some(value), _) => self.is_false(value, 0),
            ("assertIsNone", Some(value), _) => value.kind() == "none",
            (
                "assertEqual" | "assertEquals" | "assertIs" | "assertAlmostEqual" | "assert_equal",
                Some(left),
                Some(right),
            ) => syntax::tokens(left, self.text) == syntax::tokens(right, self.text),
            _ => false,
        }
    }

    /// Nothing after this statement in its block runs.
    pub(super) fn leaves(&self, statement: Node<'_>, depth: usize) -> bool {
        if depth > MAX_DEPTH {
            return false;
        }
        match statement.kind() {
            "return_statement" | "raise_statement" | "continue_statement" | "break_statement" => true,
            "block" => children(statement).into_iter().any(|inner| self.leaves(inner, depth + 1)),
            "with_statement" => statement.child_by_field_name("body").is_some_and(|body| self.leaves(body, depth + 1)),
            "if_statement" => {
                let always = |node: Node<'_>| {
                    node.child_by_field_name("condition").is_some_and(|condition| self.is_true(condition, 0))
                };
                let body = statement.child_by_field_name("consequence");
                always(statement) && body.is_some_and(|body| self.leaves(body, depth + 1))
            }
            "expression_statement" => children(statement).first().is_some_and(|call| {
                call.kind() == "call"
                    && call.child_by_field_name("function").and_then(|function| self.dotted(function)).is_some_and(
                        |dotted| {
                            matches!(
                                dotted.as_str(),
                                "pytest.skip"
                                    | "pytest.xfail"
                                    | "pytest.exit"
                                    | "sys.exit"
                                    | "os._exit"
                                    | "exit"
                                    | "quit"
                            ) || dotted.ends_with(".skipTest")
                        },
                    )
            }),
            _ => false,
        }
    }

    /// An `except` clause that takes a failed assertion and lets the test go on, or a `finally` that leaves.
    pub(super) fn swallows(&self, clause: Node<'tree>) -> bool {
        if clause.kind() == "finally_clause" {
            return children(clause).into_iter().any(|block| {
                children(block).into_iter().any(|statement| {
                    matches!(statement.kind(), "return_statement" | "continue_statement" | "break_statement")
                })
            });
        }
        if !matches!(clause.kind(), "except_clause" | "except_group_clause") {
            return false;
        }
        let parts = children(clause);
        let Some((body, caught)) = parts.split_last() else { return false };
        if !caught.is_empty() && !caught.iter().any(|caught| self.names_assertion_error(*caught)) {
            return false;
        }
        let mut fails = false;
        syntax::each_node(*body, &mut |node| {
            fails |= match node.kind() {
                "raise_statement" | "assert_statement" => true,
                "call" => node.child_by_field_name("function").and_then(|function| self.dotted(function)).is_some_and(
                    |name| {
                        let name = name.rsplit('.').next().unwrap_or_default();
                        name == "fail" || name.starts_with("assert")
                    },
                ),
                _ => false,
            };
            !fails
        });
        !fails
    }

    pub(super) fn names_assertion_error(&self, node: Node<'tree>) -> bool {
        let mut found = false;
        syntax::each_node(node, &mut |inner| {
            found |= inner.kind() == "identifier"
                && matches!(self.text_of(inner), "AssertionError" | "Exception" | "BaseException");
            !found
        });
        found
    }
}
