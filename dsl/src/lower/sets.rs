//! Sets and tests of fields.

use crate::ast::{Compare, Distance, FieldTest, MatchOn, SetExpr, SetKind, Value, ValueTest, Walk};
use crate::diagnostic::Code;
use crate::lower::{DEEPEST, Lower};
use crate::parser::{Node, Rule};
use crate::similar;
use crate::vocabulary;

impl Lower<'_> {
    /// The first set inside a node.
    pub(super) fn set_in(&mut self, node: &Node) -> SetExpr {
        self.set_at(node, 0)
    }

    fn set_at(&mut self, node: &Node, depth: usize) -> SetExpr {
        match node.kid(Rule::set) {
            Some(set) => self.set(set, depth),
            None => self.nothing(node),
        }
    }

    /// Stands where a set could not be read; an error was reported.
    fn nothing(&mut self, node: &Node) -> SetExpr {
        SetExpr { node: self.place(node.span.clone()), kind: SetKind::None }
    }

    pub(super) fn set(&mut self, node: &Node, depth: usize) -> SetExpr {
        let operands: Vec<&Node> = node.all(Rule::set_operand).collect();
        let operators: Vec<&Node> = node.all(Rule::set_op).collect();
        let depth = depth + operands.len();
        if self.too_deep(depth, &node.span) {
            return self.nothing(node);
        }
        self.check_operators(&operators);
        let operator = operators.first().and_then(|operator| operator.kids.first()).map(|operator| operator.rule);
        // The whole stands first in the order of places, then what is inside, from left to right.
        let mut places: Vec<_> = Vec::new();
        for last in operands.iter().skip(1).rev() {
            places.push(self.place(node.span.start..last.span.end));
        }
        let mut joined: Option<SetExpr> = None;
        for operand in operands {
            let right = self.set_operand(operand, depth);
            joined = Some(match joined {
                None => right,
                Some(left) => {
                    let (left, right) = (Box::new(left), Box::new(right));
                    let kind = match operator {
                        Some(Rule::k_within) => SetKind::Within(left, right),
                        Some(Rule::k_except) => SetKind::Except(left, right),
                        _ => SetKind::Plus(left, right),
                    };
                    SetExpr { node: places.pop().unwrap_or_default(), kind }
                }
            });
        }
        match joined {
            Some(set) => set,
            None => self.nothing(node),
        }
    }

    fn check_operators(&mut self, operators: &[&Node]) {
        let mut first: Option<(&Node, &str)> = None;
        for operator in operators {
            let word = self.source(operator);
            if let Some(foreign) = operator.kid(Rule::compat_set_op) {
                let meant = match word {
                    "+" | "|" | "union" => "plus",
                    "&" | "intersect" => "within",
                    _ => "except",
                };
                self.error(Code::ForeignOperator, foreign.span.clone(), format!("`{word}` does not join sets")).help =
                    Some(format!("write `{meant}`"));
                return;
            }
            match first {
                None => first = Some((operator, word)),
                Some((_, known)) if known == word => {}
                Some((before, known)) => {
                    let before = before.span.clone();
                    let error = self.error(
                        Code::MixedSetOperators,
                        operator.span.clone(),
                        format!("`{word}` beside `{known}`"),
                    );
                    error.labels.push((before, format!("`{known}` is here")));
                    error.help = Some("put parentheses around the part that belongs together".to_owned());
                    return;
                }
            }
        }
    }

    /// An operand: prefixes from the outside in, then what they are of.
    pub(super) fn set_operand(&mut self, node: &Node, depth: usize) -> SetExpr {
        let prefixes: Vec<&Node> = node.all(Rule::set_prefix).collect();
        let depth = depth + prefixes.len();
        if self.too_deep(depth, &node.span) {
            return self.nothing(node);
        }
        let places: Vec<_> = prefixes.iter().map(|prefix| self.place(prefix.span.start..node.span.end)).collect();
        let mut set = match node.kids.iter().find(|kid| kid.rule != Rule::set_prefix) {
            Some(primary) => self.set_primary(primary, depth),
            None => self.nothing(node),
        };
        for (prefix, place) in prefixes.iter().zip(places).rev() {
            let inner = Box::new(set);
            let kind = match prefix.kids.first().map(|kid| kid.rule) {
                Some(Rule::files_of) => SetKind::FilesOf(inner),
                Some(Rule::modules_of) => SetKind::ModulesOf(inner),
                Some(Rule::members_of) => SetKind::MembersOf(inner),
                Some(Rule::header_of) => SetKind::HeaderOf(inner),
                Some(Rule::owners_of) => SetKind::OwnersOf(inner),
                _ => SetKind::ModelsUsedBy(inner),
            };
            set = SetExpr { node: place, kind };
        }
        set
    }

    fn set_primary(&mut self, node: &Node, depth: usize) -> SetExpr {
        if node.rule == Rule::set_group {
            return self.set_at(node, depth + 1);
        }
        let place = self.place(node.span.clone());
        let kind = match node.rule {
            Rule::set_all => SetKind::All,
            Rule::set_path => SetKind::Path { glob: self.text_in(node), ignore_case: node.has(Rule::ignoring_case) },
            Rule::set_package => SetKind::Package(self.text_in(node)),
            Rule::set_module => SetKind::Module(self.text_in(node)),
            Rule::set_generated => SetKind::Generated,
            Rule::set_class => SetKind::Class(self.text_in(node)),
            Rule::set_function => SetKind::Function(self.text_in(node)),
            Rule::set_decorated => SetKind::Decorated(self.text_in(node)),
            Rule::set_language => SetKind::Language(self.inner_name(node)),
            Rule::set_public => SetKind::Public(Box::new(self.set_at(node, depth + 1))),
            Rule::set_named => SetKind::Named { glob: self.text_in(node), ignore_case: node.has(Rule::ignoring_case) },
            Rule::set_matches => {
                let on = if node.has(Rule::k_path) { MatchOn::Path } else { MatchOn::Name };
                SetKind::Matches { on, regex: self.text_in(node) }
            }
            Rule::set_tag => SetKind::Tag(self.inner_name(node)),
            Rule::set_bound => SetKind::BoundTo(self.text_in(node)),
            Rule::set_walk => self.walk(node, depth),
            Rule::set_tests => SetKind::Tests,
            Rule::set_models => SetKind::Models(node.all(Rule::field_test).map(|test| self.field_test(test)).collect()),
            Rule::set_model => SetKind::Model(self.text_in(node)),
            Rule::set_bundles => SetKind::Bundles,
            Rule::set_bundle => SetKind::Bundle(self.inner_name(node)),
            Rule::set_team => SetKind::Team(self.inner_name(node)),
            Rule::set_family => self.family(node),
            Rule::compat_call => self.unknown_function(node),
            Rule::compat_bare => {
                let written = self.source(node);
                let (word, name) = written.split_once(char::is_whitespace).unwrap_or((written, ""));
                let help = format!("write `{word}({})`", name.trim());
                self.error(Code::Syntax, node.span.clone(), format!("`{word}` needs parentheses")).help = Some(help);
                SetKind::None
            }
            Rule::set_name => SetKind::Defined(self.name(node)),
            _ => SetKind::None,
        };
        SetExpr { node: place, kind }
    }

    fn family(&mut self, node: &Node) -> SetKind {
        let mut words = node.all(Rule::word);
        match (words.next(), words.next()) {
            (Some(family), Some(value)) => {
                let family = self.name(family);
                SetKind::Family { family, value: self.name(value) }
            }
            _ => SetKind::None,
        }
    }

    fn unknown_function(&mut self, node: &Node) -> SetKind {
        let Some(word) = node.kid(Rule::word) else { return SetKind::None };
        let written = self.source(word);
        let known = vocabulary::SETS.iter().filter(|entry| entry.form.contains('(')).map(|entry| entry.word);
        let help = match written {
            "file" | "files" | "folder" | "dir" | "directory" | "glob" => Some("files are `path(\"…/**\")`".to_owned()),
            "regex" => Some("regular expressions are `matches(name, \"…\")` or `matches(path, \"…\")`".to_owned()),
            "method" | "def" => Some("functions and methods are `function(\"…\")`".to_owned()),
            _ => similar::nearest(written, known).map(|known| format!("did you mean `{known}`?")),
        };
        self.error(Code::UnknownFunction, word.span.clone(), format!("unknown kind of set `{written}`")).help = help;
        SetKind::None
    }

    fn walk(&mut self, node: &Node, depth: usize) -> SetKind {
        let walk = match node.kid(Rule::walk).and_then(|walk| walk.kids.first()).map(|kid| kid.rule) {
            Some(Rule::k_importers) => Walk::Importers,
            Some(Rule::k_imported) => Walk::ImportedBy,
            Some(Rule::k_callers) => Walk::Callers,
            Some(Rule::k_callees) => Walk::Callees,
            Some(Rule::k_subtypes) => Walk::Subtypes,
            Some(Rule::k_supertypes) => Walk::Supertypes,
            Some(Rule::k_dependents) => Walk::Dependents,
            Some(Rule::k_dependencies) => Walk::Dependencies,
            _ => Walk::TestsOf,
        };
        let set = Box::new(self.set_at(node, depth + 1));
        let distance = match node.kid(Rule::distance) {
            Some(distance) => match distance.kid(Rule::number) {
                Some(number) => Distance::Within(self.whole(number, 1, "distance")),
                None => Distance::Any,
            },
            None => {
                let word = node.kid(Rule::walk).map(|walk| self.source(walk)).unwrap_or_default();
                let message = format!("`{word}` needs a distance");
                self.error(Code::MissingDistance, node.span.clone(), message).help =
                    Some("write `, within 1` for direct steps, a larger number, or `, any distance`".to_owned());
                Distance::Within(DEEPEST as u32)
            }
        };
        SetKind::Walk { walk, set, distance, certain: node.has(Rule::k_certain) }
    }

    pub(super) fn field_test(&mut self, node: &Node) -> FieldTest {
        let place = self.place(node.span.clone());
        let field_node = node.kid(Rule::field).unwrap_or(node);
        let field = self.name(field_node);
        if let Some(not) = node.kid(Rule::compat_not) {
            let help = format!("write `{} is no`", field.text);
            self.error(Code::Syntax, not.span.clone(), "`not` does not stand before a field").help = Some(help);
        }
        let test = match node.kid(Rule::value_test).and_then(|test| test.kids.first()) {
            None => ValueTest::True,
            Some(test) => match test.rule {
                Rule::test_not => ValueTest::IsNot(self.value_in(test)),
                Rule::test_contains => ValueTest::Contains(self.value_in(test)),
                Rule::test_compare => {
                    let compare = self.compare_in(test);
                    ValueTest::Compare(compare, self.quantity_in(test))
                }
                _ => ValueTest::Is(self.value_in(test)),
            },
        };
        FieldTest { node: place, field, test }
    }

    pub(super) fn value_in(&mut self, node: &Node) -> Value {
        let node = node.kid(Rule::value).unwrap_or(node);
        match node.kids.first() {
            Some(kid) => match kid.rule {
                Rule::text => Value::Text(self.text_node(kid)),
                Rule::quantity => Value::Quantity(self.quantity(kid)),
                Rule::date | Rule::compat_date => Value::Date(self.date(kid)),
                _ => Value::Word(self.name(kid)),
            },
            None => Value::Word(self.name(node)),
        }
    }

    pub(super) fn compare_in(&mut self, node: &Node) -> Compare {
        let Some(kid) = node.kid(Rule::compare).and_then(|compare| compare.kids.first()) else { return Compare::Equal };
        match kid.rule {
            Rule::at_most | Rule::less_equal => Compare::AtMost,
            Rule::at_least | Rule::more_equal => Compare::AtLeast,
            Rule::less => Compare::Less,
            Rule::more => Compare::More,
            Rule::equal => Compare::Equal,
            _ => {
                let written = self.source(kid);
                let help = match written {
                    "==" => "write `=`",
                    "=<" => "write `<=`",
                    "=>" => "write `>=`",
                    "below" | "less than" => "write `<`",
                    "above" | "more than" | "exceeds" => "write `>`",
                    _ => "compare with `<`, `<=`, `>`, `>=` or `=`; for the opposite put `not` before the condition",
                };
                self.error(Code::ForeignOperator, kid.span.clone(), format!("`{written}` compares nothing")).help =
                    Some(help.to_owned());
                Compare::Equal
            }
        }
    }
}
