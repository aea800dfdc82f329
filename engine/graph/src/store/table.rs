//! Rows of equal width by path, as bytes that are searched as they lie: whoever recalls thousands of files sets no room
//! aside for each.

use std::cmp::Ordering;

/// How many rows there are, and how many bytes of paths; then where each path ends, the rows, and the paths one after the
/// other.
const HEAD: usize = 8;
/// Where a path ends.
const END: usize = 4;

/// Rows of so many bytes. They are sorted by path where they were written here; who is found wrong is not found.
#[derive(Debug, Default)]
pub(super) struct Table<const WIDTH: usize, B = Vec<u8>> {
    bytes: B,
    /// Where the ends of the paths begin.
    ends: usize,
    count: usize,
}

impl<const WIDTH: usize> Table<WIDTH> {
    /// The bytes of a table. The rows are sorted by path.
    pub(super) fn bytes(rows: &[(&[u8], [u8; WIDTH])]) -> Vec<u8> {
        let text: usize = rows.iter().map(|(path, _)| path.len()).sum();
        let mut bytes = Vec::with_capacity(HEAD + rows.len() * (END + WIDTH) + text);
        let mut number = |number: usize| bytes.extend_from_slice(&(number as u32).to_le_bytes());
        number(rows.len());
        number(text);
        let mut end = 0;
        for (path, _) in rows {
            end += path.len();
            number(end);
        }
        rows.iter().for_each(|(_, row)| bytes.extend_from_slice(row));
        rows.iter().for_each(|(path, _)| bytes.extend_from_slice(path));
        bytes
    }
}

impl<const WIDTH: usize, B: AsRef<[u8]>> Table<WIDTH, B> {
    /// The table that stands in some bytes from a place on; `None` where they are none.
    pub(super) fn parse(bytes: B, start: usize) -> Option<Self> {
        let head = bytes.as_ref().get(start..start.checked_add(HEAD)?)?;
        let number = |at: usize| Some(u32::from_le_bytes(head.get(at..at + 4)?.try_into().ok()?) as usize);
        let (count, text) = (number(0)?, number(4)?);
        let table = Self { bytes, ends: start + HEAD, count };
        let room = count.checked_mul(END + WIDTH)?.checked_add(text)?;
        (table.ends.checked_add(room)? == table.bytes.as_ref().len()).then_some(table)
    }

    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// All rows with their paths.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8; WIDTH])> {
        (0..self.count).map_while(|at| Some((self.path(at)?, self.row(at)?)))
    }

    /// The row of a path. Who asks for paths in order begins with a hint of 0, and gives it again as it was left.
    pub(super) fn find(&self, path: &str, hint: &mut usize) -> Option<&[u8; WIDTH]> {
        let path = path.as_bytes();
        if self.path(*hint) != Some(path) {
            *hint = self.search(path)?;
        }
        *hint += 1;
        self.row(*hint - 1)
    }

    fn search(&self, path: &[u8]) -> Option<usize> {
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.path(middle)?.cmp(path) {
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
                Ordering::Equal => return Some(middle),
            }
        }
        None
    }

    fn end(&self, at: usize) -> Option<usize> {
        let end = self.bytes.as_ref().get(self.ends + at * END..)?.first_chunk::<END>()?;
        Some(u32::from_le_bytes(*end) as usize)
    }

    fn path(&self, at: usize) -> Option<&[u8]> {
        if at >= self.count {
            return None;
        }
        let start = if at == 0 { 0 } else { self.end(at - 1)? };
        let text = self.ends + self.count * (END + WIDTH);
        self.bytes.as_ref().get(text.checked_add(start)?..text.checked_add(self.end(at)?)?)
    }

    fn row(&self, at: usize) -> Option<&[u8; WIDTH]> {
        self.bytes.as_ref().get(self.ends + self.count * END + at * WIDTH..)?.first_chunk()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_by_path_in_any_order() {
        let rows: Vec<(&[u8], [u8; 3])> = vec![(b"", [0; 3]), (b"a", [1; 3]), (b"a/b", [2; 3]), (b"c", [3; 3])];
        let table = Table::<3>::parse([b"head".as_slice(), &Table::bytes(&rows)].concat(), 4).unwrap();
        assert!(table.iter().eq(rows.iter().map(|(path, row)| (*path, row))));
        for paths in [["", "a", "a/b", "b", "c"], ["c", "b", "a/b", "a", ""]] {
            let mut hint = 0;
            let found: Vec<Option<u8>> = paths.iter().map(|path| Some(table.find(path, &mut hint)?[0])).collect();
            let alone: Vec<Option<u8>> = paths.iter().map(|path| Some(table.find(path, &mut 0)?[0])).collect();
            assert_eq!(found, alone);
            assert_eq!(found.iter().flatten().count(), 4);
        }
        assert_eq!(Table::<3>::default().find("a", &mut 7), None);
    }

    #[test]
    fn what_is_no_table_harms_nobody() {
        let whole = Table::bytes(&[(b"a".as_slice(), [1, 2]), (b"bc", [3, 4])]);
        for cut in 0..whole.len() {
            assert!(Table::<2>::parse(whole[..cut].to_vec(), 0).is_none());
        }
        for at in 0..whole.len() {
            for byte in [0, 1, 0x7f, 0xff] {
                let mut forged = whole.clone();
                forged[at] = byte;
                if let Some(table) = Table::<2>::parse(forged, 0) {
                    let _some = (table.iter().count(), table.find("bc", &mut 0), table.find("a", &mut 9));
                }
            }
        }
    }
}
