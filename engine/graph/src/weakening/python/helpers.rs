//! Functions that are no tests and ask something: a call of one asks it in the test that calls.

use std::collections::BTreeMap;

use tree_sitter::Node;

use super::{MAX_DEPTH, Measure, Reader, join};
use crate::change::syntax::{self, children};

/// How many calls deep what is asked is followed.
const ROUNDS: usize = 4;

/// How much functions ask, by their names.
#[derive(Debug, Default)]
pub(super) struct Helpers {
    /// By name inside the file.
    by_name: BTreeMap<String, u32>,
    /// Methods by their own name; of several the one that asks least.
    methods: BTreeMap<String, u32>,
}

impl Helpers {
    /// What a call by this name asks; `class` is the name of the class that `self` is of. `None` for what is not of this file.
    fn asked(&self, class: &str, called: &Called<'_>) -> Option<u32> {
        match called {
            Called::Function(name) => self.by_name.get(*name).copied(),
            Called::Method(name) => self.by_name.get(&join(class, name)).or_else(|| self.methods.get(*name)).copied(),
        }
    }
}

/// The name of a call that may lead to a function of the same file.
#[derive(Debug, Clone, Copy)]
enum Called<'a> {
    Function(&'a str),
    Method(&'a str),
}

/// A function while it is read.
struct Own<'a> {
    name: String,
    class: String,
    asks: u32,
    /// Each with what it asks by its own name.
    calls: Vec<(Called<'a>, u32)>,
}

impl<'a, 'tree> Reader<'a, 'tree> {
    /// Reads what the functions of the file ask that are no tests; those inside other functions belong to them.
    pub(super) fn read_helpers(&mut self, root: Node<'tree>) {
        struct Scope {
            end: usize,
            name: String,
            is_class: bool,
            own: Option<usize>,
        }
        let mut owns: Vec<Own<'a>> = Vec::new();
        let mut scopes: Vec<Scope> = Vec::new();
        syntax::each_node(root, &mut |node| {
            while scopes.last().is_some_and(|scope| scope.end <= node.start_byte()) {
                scopes.pop();
            }
            match node.kind() {
                "function_definition" | "class_definition" if scopes.len() < MAX_DEPTH => {
                    let own_name = self.field(node, "name");
                    let (around, in_function, is_method, inherited) = match scopes.last() {
                        Some(scope) => (scope.name.as_str(), scope.own.is_some(), scope.is_class, scope.own),
                        None => ("", false, false, None),
                    };
                    let name = join(around, own_name);
                    let is_class = node.kind() == "class_definition";
                    let own = match (in_function, is_class) {
                        (true, _) => inherited,
                        (false, true) => None,
                        (false, false) => {
                            let class = if is_method { around.to_owned() } else { String::new() };
                            owns.push(Own { name: name.clone(), class, asks: 0, calls: Vec::new() });
                            Some(owns.len() - 1)
                        }
                    };
                    scopes.push(Scope { end: node.end_byte(), name, is_class, own });
                }
                "assert_statement" => {
                    let asked = children(node).first().map_or(0, |condition| self.conjuncts(*condition, 0));
                    if let Some(own) = scopes.last().and_then(|scope| scope.own) {
                        owns[own].asks = owns[own].asks.saturating_add(asked);
                    }
                }
                "call" => {
                    if let Some(own) = scopes.last().and_then(|scope| scope.own) {
                        let asked = self.asserts(node);
                        match self.called(node) {
                            Some(called) => owns[own].calls.push((called, asked)),
                            None => owns[own].asks = owns[own].asks.saturating_add(asked),
                        }
                    }
                }
                _ => {}
            }
            true
        });
        let is_test = |own: &Own<'_>| own.name.rsplit('.').next().unwrap_or(&own.name).starts_with("test");
        owns.retain(|own| !is_test(own));
        let mut helpers = Helpers::default();
        for _ in 0..ROUNDS {
            let mut next = Helpers::default();
            for own in &owns {
                let through =
                    own.calls.iter().map(|(called, asked)| helpers.asked(&own.class, called).unwrap_or(*asked));
                let asked = through.fold(own.asks, u32::saturating_add);
                next.by_name.insert(own.name.clone(), asked);
                if !own.class.is_empty() {
                    let short = own.name.rsplit('.').next().unwrap_or(&own.name).to_owned();
                    next.methods.entry(short).and_modify(|least| *least = asked.min(*least)).or_insert(asked);
                }
            }
            helpers = next;
        }
        self.helpers = helpers;
    }

    /// The plain name that is called, or the method of `self` or `cls`.
    fn called(&self, call: Node<'_>) -> Option<Called<'a>> {
        let function = call.child_by_field_name("function")?;
        match function.kind() {
            "identifier" => Some(Called::Function(self.text_of(function))),
            "attribute" if matches!(self.field(function, "object"), "self" | "cls") => {
                Some(Called::Method(self.field(function, "attribute")))
            }
            _ => None,
        }
    }

    /// Adds what a call of a function of this file asks; false where it is none.
    pub(super) fn asks_through(&self, call: Node<'_>, measure: &mut Measure, reach: super::asks::Reach) -> bool {
        let Some(called) = self.called(call) else { return false };
        let (Called::Function(name) | Called::Method(name)) = called;
        let Some(asked) = self.helpers.asked(&self.class, &called) else {
            measure.called.insert(name.to_owned());
            return false;
        };
        let asked = measure.ask(asked, reach);
        if asked > 0 {
            let through = measure.through.entry(name.to_owned()).or_default();
            *through = through.saturating_add(asked);
        }
        true
    }
}
