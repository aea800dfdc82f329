//! Names of the file being read: interned while walking, and again when facts are sealed so that only names in use stay.

use crate::facts::{NameId, NameTable};
use crate::hash::Keyed;

/// An interner over one file's text: a table of names with an open-addressed index beside it, so that a name costs no
/// allocation of its own.
#[derive(Debug, Default)]
pub(super) struct Names {
    table: NameTable,
    /// Ids plus one; 0 is free. The length is a power of two.
    slots: Vec<u32>,
    keyed: Keyed,
}

impl Names {
    pub(super) fn intern(&mut self, name: &str) -> NameId {
        if self.slots.len() < (self.table.len() + 1) * 2 {
            self.grow();
        }
        let mask = self.slots.len() - 1;
        let mut slot = self.keyed.hash_text(name) as usize & mask;
        loop {
            match self.slots[slot] {
                0 => {
                    let id = self.table.push(name);
                    self.slots[slot] = id.0 + 1;
                    return id;
                }
                taken if self.table.get(NameId(taken - 1)) == name => return NameId(taken - 1),
                _ => slot = (slot + 1) & mask,
            }
        }
    }

    pub(super) fn get(&self, id: NameId) -> &str {
        self.table.get(id)
    }

    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    fn grow(&mut self) {
        let size = (self.slots.len() * 2).max(256);
        let mask = size - 1;
        let mut slots = vec![0; size];
        for (index, name) in self.table.iter().enumerate() {
            let mut slot = self.keyed.hash_text(name) as usize & mask;
            while slots[slot] != 0 {
                slot = (slot + 1) & mask;
            }
            slots[slot] = index as u32 + 1;
        }
        self.slots = slots;
    }
}

/// Renumbers names in the order of their use by sealed facts.
pub(super) struct Renumber<'a> {
    from: &'a Names,
    map: Vec<NameId>,
    pub(super) table: NameTable,
}

impl<'a> Renumber<'a> {
    pub(super) fn new(from: &'a Names) -> Self {
        Self { from, map: vec![NameId::NONE; from.table.len()], table: NameTable::default() }
    }

    pub(super) fn id(&mut self, id: NameId) -> NameId {
        let Some(slot) = self.map.get_mut(id.0 as usize) else { return NameId::NONE };
        if *slot == NameId::NONE {
            *slot = self.table.push(self.from.get(id));
        }
        *slot
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_id_however_many_there_are() {
        let mut names = Names::default();
        let ids: Vec<NameId> = (0..5_000).map(|n| names.intern(&format!("name{n}"))).collect();
        for (n, id) in ids.iter().enumerate() {
            assert_eq!(names.intern(&format!("name{n}")), *id);
            assert_eq!(names.get(*id), format!("name{n}"));
        }
    }
}
