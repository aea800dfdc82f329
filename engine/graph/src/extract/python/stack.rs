//! The nodes that a walk is inside of, and which of them are parts: the same for the facts and for the digests, so that both
//! open the same parts.

use super::kinds::Role;

/// A node whose end was not reached.
pub(super) trait Open {
    /// What it is.
    fn role(&self) -> Role;

    /// Whether a part began with it.
    fn opened_part(&self) -> bool;
}

/// The open nodes, the innermost last.
pub(super) struct Stack<N>(Vec<N>);

impl<N: Open> Stack<N> {
    pub(super) fn new() -> Self {
        Self(Vec::with_capacity(64))
    }

    pub(super) fn push(&mut self, node: N) {
        self.0.push(node);
    }

    pub(super) fn pop(&mut self) -> Option<N> {
        self.0.pop()
    }

    pub(super) fn last(&self) -> Option<&N> {
        self.0.last()
    }

    pub(super) fn last_mut(&mut self) -> Option<&mut N> {
        self.0.last_mut()
    }

    /// The open nodes from the innermost out.
    pub(super) fn outwards(&self) -> impl Iterator<Item = &N> {
        self.0.iter().rev()
    }

    pub(super) fn parent_role(&self) -> Role {
        self.last().map_or(Role::Module, Open::role)
    }

    /// True inside a decorated definition that is a part.
    pub(super) fn parent_is_decorated_part(&self) -> bool {
        self.last().is_some_and(|parent| parent.role() == Role::Decorated && parent.opened_part())
    }

    /// True when the innermost open node is the body of a part.
    pub(super) fn in_body(&self) -> bool {
        match self.parent_role() {
            Role::Module => true,
            Role::Block => self.0.split_last().is_some_and(|(_, around)| defines(around)),
            _ => false,
        }
    }

    /// True when the innermost open node is the definition of a part (and not one that was nested too deeply).
    pub(super) fn in_definition(&self) -> bool {
        defines(&self.0)
    }
}

/// Whether the last of some open nodes is the definition of a part.
fn defines<N: Open>(open: &[N]) -> bool {
    let Some((last, around)) = open.split_last() else { return false };
    let decorated = || around.last().is_some_and(|above| above.role() == Role::Decorated && above.opened_part());
    matches!(last.role(), Role::Function | Role::Class) && (last.opened_part() || decorated())
}
