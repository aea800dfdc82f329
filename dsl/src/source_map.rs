//! From nodes of the tree back to bytes, and from bytes to lines.

use std::ops::Range;

use crate::ast::NodeId;

/// Where the items of one parsed file stand. Ranges are bytes of the text that was parsed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SourceMap {
    items: Vec<ItemRanges>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ItemRanges {
    pub(crate) whole: Range<usize>,
    pub(crate) nodes: Vec<Range<usize>>,
}

impl SourceMap {
    pub(crate) fn push(&mut self, ranges: ItemRanges) {
        self.items.push(ranges);
    }

    /// The bytes of a whole item, from its keyword to its last clause.
    pub fn item(&self, item: usize) -> Option<Range<usize>> {
        Some(self.items.get(item)?.whole.clone())
    }

    /// The bytes of a node of an item.
    pub fn node(&self, item: usize, node: NodeId) -> Option<Range<usize>> {
        let index = usize::try_from(node.0).ok()?;
        self.items.get(item)?.nodes.get(index).cloned()
    }
}

/// A place as people count it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineColumn {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
}

/// Where the lines of a text begin; made once for several questions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineIndex {
    starts: Vec<usize>,
}

impl LineIndex {
    /// The lines of a text.
    pub fn new(text: &str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { starts }
    }

    /// The line of an offset, from 1. An offset beyond the end counts for the last line.
    pub fn line(&self, offset: usize) -> usize {
        self.starts.partition_point(|&start| start <= offset)
    }

    /// Where a line begins, the first being 0.
    pub(crate) fn start(&self, line: usize) -> Option<usize> {
        self.starts.get(line).copied()
    }

    /// Line and column of an offset in the text that the index was made of. A byte order mark is no column.
    pub fn line_column(&self, text: &str, offset: usize) -> LineColumn {
        let line = self.line(offset);
        let start = self.starts.get(line.saturating_sub(1)).copied().unwrap_or(0);
        let before = text.get(start..floor_char(text, offset)).unwrap_or_default();
        LineColumn { line, column: before.trim_start_matches('\u{feff}').chars().count() + 1 }
    }
}

/// Line and column of one offset; for several, make a [`LineIndex`].
pub fn line_column(text: &str, offset: usize) -> LineColumn {
    LineIndex::new(text).line_column(text, offset)
}

fn floor_char(text: &str, offset: usize) -> usize {
    let mut at = offset.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
