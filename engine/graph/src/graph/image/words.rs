//! The words of the files of a remembered tree: who looks for a few names reads no outline of a file that has none of them.
//!
//! They are written once somebody told the words of all files, or but few files are there to tell them of.

use std::sync::OnceLock;

use super::super::CodeGraph;
use super::Section;
use super::number;
use crate::code::FileId;
use crate::facts::Language;
use crate::words::KeptWords;

/// Words of all files: how many files there are, where the words of each end, and these words.
#[derive(Debug)]
pub(crate) struct WordsOfFiles {
    section: Section,
    read: OnceLock<Option<Vec<u8>>>,
}

/// Bytes of a number.
const NUMBER: usize = 4;

/// The section of what [`Words::kept`](crate::words::Words::kept) gives of each file of Python, for no others are asked for
/// theirs; `None` where those of many are not told yet.
pub(super) fn bytes(graph: &CodeGraph) -> Option<Vec<u8>> {
    let words = graph.outlines.words(|file| graph.file(file).language == Some(Language::Python))?;
    let mut section = u32::try_from(words.len()).ok()?.to_le_bytes().to_vec();
    let mut end = 0;
    for words in &words {
        end += words.len();
        section.extend(u32::try_from(end).ok()?.to_le_bytes());
    }
    words.iter().for_each(|words| section.extend_from_slice(words));
    Some(section)
}

impl WordsOfFiles {
    pub(super) fn new(section: Section) -> Self {
        Self { section, read: OnceLock::new() }
    }

    /// What is remembered of the words of a file; `None` where that is nothing, or damaged.
    pub(crate) fn of(&self, file: FileId) -> Option<KeptWords<'_>> {
        KeptWords::of(self.bytes_of(file)?)
    }

    /// The same as bytes.
    pub(crate) fn bytes_of(&self, file: FileId) -> Option<&[u8]> {
        let section = self.read.get_or_init(|| self.section.read()).as_deref()?;
        let (count, rest) = section.split_at_checked(NUMBER)?;
        let (ends, words) = rest.split_at_checked((number(count, 0) as usize).checked_mul(NUMBER)?)?;
        let end = |at: usize| {
            ends.get(at.checked_mul(NUMBER)?..)?
                .first_chunk::<NUMBER>()
                .map(|bytes| u32::from_le_bytes(*bytes) as usize)
        };
        let at = file.0 as usize;
        let start = at.checked_sub(1).map_or(Some(0), end)?;
        words.get(start..end(at)?)
    }
}
