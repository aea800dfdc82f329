//! What a file's links hang on in other files: a mark for each thing that its look-ups came by. It is linked again only where
//! one of those is another one.

use crate::code::PartId;
use crate::graph::Nodes;
use crate::hash::Keyed;

/// Stands for a thing; where two have one mark, a file is linked again for nothing.
pub(crate) type Mark = u32;

/// A thing that a look-up comes by.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Visit<'v> {
    /// A file, whatever it says.
    File(&'v str),
    /// A name in a file.
    Name(&'v str, &'v str),
    /// The bases of a class, near and far.
    Line(Class<'v>),
    /// The methods of a name in the classes below a class.
    Below(Class<'v>, &'v str),
    /// The methods of a name in all classes.
    Methods(&'v str),
    /// The module or folder of a name in a folder.
    Inside(&'v str, &'v str),
}

/// A class by its file, its name there, and which of that name it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Class<'v> {
    path: &'v str,
    name: &'v str,
    occurrence: u32,
}

impl<'v> Class<'v> {
    pub(crate) fn of(nodes: &'v Nodes, class: PartId) -> Self {
        let part = nodes.part(class);
        Self { path: &nodes.file(part.file).path, name: nodes.local_name(class), occurrence: part.occurrence }
    }
}

impl Visit<'_> {
    /// What stands for it in this process.
    pub(crate) fn mark(self) -> Mark {
        let keyed = Keyed::default();
        let fold = |kind: u64, texts: &[&str]| {
            let with = |mark: u64, text: &&str| (mark.rotate_left(29) ^ keyed.hash_text(text)).wrapping_mul(FACTOR);
            texts.iter().fold(kind, with)
        };
        let mark = match self {
            Self::File(path) => fold(1, &[path]),
            Self::Name(path, name) => fold(2, &[path, name]),
            Self::Line(class) => fold(3 + (u64::from(class.occurrence) << 8), &[class.path, class.name]),
            Self::Below(class, name) => fold(4 + (u64::from(class.occurrence) << 8), &[class.path, class.name, name]),
            Self::Methods(name) => fold(5, &[name]),
            Self::Inside(folder, name) => fold(6, &[folder, name]),
        };
        (mark >> 32) as Mark
    }
}

/// Odd, so that nothing is lost by it.
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
