//! Names of the file being read: interned while walking, and again when facts are sealed so that only names in use stay.

use rustc_hash::FxHashMap;

use crate::facts::{NameId, NameTable};

/// An interner over the text that is being read.
#[derive(Debug, Default)]
pub(super) struct Names {
    ids: FxHashMap<Box<str>, NameId>,
    table: NameTable,
}

impl Names {
    pub(super) fn intern(&mut self, name: &str) -> NameId {
        if let Some(&id) = self.ids.get(name) {
            return id;
        }
        let id = self.table.push(name);
        self.ids.insert(name.into(), id);
        id
    }

    pub(super) fn get(&self, id: NameId) -> &str {
        self.table.get(id)
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
