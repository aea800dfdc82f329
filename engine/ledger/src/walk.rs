//! The files of a ledger that no record is read from: none may be there that does not belong, and those that do belong are
//! what their names say.

use grace_system::files::{FileError, FileErrorKind, Kind};

use crate::Ledger;
use crate::append::{BESIDE, QUARANTINE, TILES, UNTOLD};
use crate::merkle::{self, hex};
use crate::note::Checkpoint;
use crate::pending::{MAX_PENDING, PENDING};
use crate::record;
use crate::snapshot::CHECKPOINT;
use crate::tiles::{self, MAX_BUNDLE, MAX_TILE, Row, WIDTH};
use crate::verify::{Pending, Report, Told};

/// Most entries of one directory that are looked at.
const MAX_ENTRIES: usize = 1 << 20;
/// How deep the directories of tiles go: seven groups of digits name any of 2⁶⁴.
const MAX_DEPTH: usize = 10;

/// Looks at all files of the ledger that was verified as `head`, and is `now`. Faults are told in `report`.
pub(crate) fn files(ledger: &Ledger, head: &Checkpoint, now: &Checkpoint, told: &Told, report: &mut Report) {
    let size = now.size;
    let mut walk = Walk { ledger, size, grew: size > head.size, told, report, left_over: 0, strange: 0 };
    walk.root();
    walk.told_files();
    let left_over = walk.left_over;
    if left_over > 0 {
        report.notes.push(format!(
            "{left_over} files are left over from appends that were cut off; they hold nothing of their own"
        ));
    }
}

struct Walk<'a> {
    ledger: &'a Ledger,
    size: u64,
    /// Whether records were added since those that were verified.
    grew: bool,
    told: &'a Told,
    report: &'a mut Report,
    left_over: u64,
    strange: u64,
}

impl Walk<'_> {
    fn strange(&mut self, path: &str) {
        self.strange += 1;
        self.report.tampered(path, "it is no part of a ledger");
    }

    /// The entries of a directory with their paths; none if it is missing.
    fn list(&mut self, dir: &str) -> Vec<(String, String, Kind)> {
        match self.ledger.disk.list(dir, MAX_ENTRIES) {
            Ok(entries) => {
                let path = |name: &str| if dir.is_empty() { name.to_owned() } else { format!("{dir}/{name}") };
                entries.into_iter().map(|entry| (path(&entry.name), entry.name, entry.kind)).collect()
            }
            Err(error) if error.kind == FileErrorKind::NotFound => Vec::new(),
            Err(error) => {
                self.report.error(error.into());
                Vec::new()
            }
        }
    }

    fn root(&mut self) {
        for (path, name, kind) in self.list("") {
            match (name.as_str(), kind) {
                (CHECKPOINT | PENDING, Kind::File) => {}
                ("lock", Kind::File) => self.lock_file(&path),
                (BESIDE, Kind::File) => self.left_over += 1,
                (TILES, Kind::Directory) => self.rows(),
                ("blobs", Kind::Directory) => self.blobs(),
                ("private", Kind::Directory) => self.named(&path, (record::SALT + record::MAX_PRIVATE) as u64, false),
                (QUARANTINE, Kind::Directory) => self.quarantine(),
                _ => self.strange(&path),
            }
            if self.report.stopped {
                return;
            }
        }
    }

    fn lock_file(&mut self, path: &str) {
        // Where locks keep others from reading, it cannot be looked at while we hold it.
        if matches!(self.ledger.disk.read(path, 0), Err(FileError { kind: FileErrorKind::TooLarge { .. }, .. })) {
            self.report.tampered(path, "it is not empty");
        }
    }

    fn blobs(&mut self) {
        for (path, name, kind) in self.list("blobs") {
            match (name.as_str(), kind) {
                ("sha256", Kind::Directory) => self.named(&path, record::MAX_BODY as u64, true),
                _ => self.strange(&path),
            }
        }
    }

    /// Files that are named by their SHA-256, below directories of its first two digits.
    fn named(&mut self, dir: &str, max: u64, are_blobs: bool) {
        for (below, prefix, kind) in self.list(dir) {
            if kind != Kind::Directory {
                self.strange(&below);
                continue;
            }
            for (path, name, kind) in self.list(&below) {
                let digest = merkle::from_hex(&name).filter(|_| kind == Kind::File && name.starts_with(&prefix));
                let Some(digest) = digest else {
                    self.strange(&path);
                    continue;
                };
                let told = if are_blobs { &self.told.blobs } else { &self.told.private };
                if told.contains(&digest) {
                    continue;
                }
                match self.ledger.disk.read(&path, max) {
                    Ok(bytes) if merkle::sha256(&bytes) == digest => self.left_over += u64::from(!self.grew),
                    Ok(_) => self.report.tampered(path, "its digest is another"),
                    Err(error) => self.unread(&path, error),
                }
                if self.report.stopped {
                    return;
                }
            }
        }
    }

    fn unread(&mut self, path: &str, error: FileError) {
        match error.kind {
            FileErrorKind::TooLarge { .. } => self.report.tampered(path, "it is far too long"),
            FileErrorKind::NotFound => {}
            _ => self.report.error(error.into()),
        }
    }

    fn quarantine(&mut self) {
        for (path, name, kind) in self.list(QUARANTINE) {
            let digest = name.strip_suffix(UNTOLD).unwrap_or(&name).to_owned();
            let is_told = self.told.quarantine.contains(&digest);
            let is_waiting = name.ends_with(UNTOLD);
            if kind != Kind::File || merkle::from_hex(&digest).is_none() || !(is_told || is_waiting || self.grew) {
                self.strange(&path);
                continue;
            }
            match self.ledger.disk.read(&path, MAX_PENDING) {
                Ok(bytes) if hex(&merkle::sha256(&bytes)) == digest => {
                    if is_waiting && !is_told {
                        let note = format!(
                            "an append that was cut off is put aside ({} bytes); the next append tells of it",
                            bytes.len()
                        );
                        self.report.notes.push(note);
                    }
                }
                Ok(_) => self.report.tampered(path, "its digest is another"),
                Err(error) => self.unread(&path, error),
            }
        }
    }

    /// What a record tells of must be there; what was told meanwhile is not known here.
    fn told_files(&mut self) {
        if self.grew {
            return;
        }
        for digest in &self.told.quarantine {
            let path = format!("{QUARANTINE}/{digest}");
            let is_missing = |path: &str| {
                let read = self.ledger.disk.read(path, MAX_PENDING);
                read.is_err_and(|error| error.kind == FileErrorKind::NotFound)
            };
            if is_missing(&path) && is_missing(&format!("{path}{UNTOLD}")) {
                self.report.tampered(path, "it is missing, and a record tells of it");
            }
        }
    }

    fn rows(&mut self) {
        for (path, name, kind) in self.list(TILES) {
            let row = match name.as_str() {
                "entries" => Some(Row::Entries),
                _ => name
                    .parse()
                    .ok()
                    .filter(|level: &u8| *level < tiles::LEVELS && level.to_string() == name)
                    .map(Row::Hashes),
            };
            match row.filter(|_| kind == Kind::Directory) {
                Some(row) => self.tiles(&path, row, 0, 0),
                None => self.strange(&path),
            }
        }
    }

    /// Tiles below a directory whose groups of digits so far say `above`.
    fn tiles(&mut self, dir: &str, row: Row, above: u64, depth: usize) {
        for (path, name, kind) in self.list(dir) {
            let (digits, is_group) = match name.strip_prefix('x') {
                Some(digits) => (digits, true),
                None => (name.strip_suffix(".p").unwrap_or(&name), false),
            };
            let number =
                digits.parse::<u64>().ok().filter(|_| digits.len() == 3 && digits.bytes().all(|b| b.is_ascii_digit()));
            let index = number.and_then(|number| above.checked_mul(1000)?.checked_add(number));
            let is_leading_zero = is_group && depth == 0 && number == Some(0);
            match index.filter(|_| depth < MAX_DEPTH && !is_leading_zero) {
                Some(index) if is_group && kind == Kind::Directory => self.tiles(&path, row, index, depth + 1),
                Some(index) if name.ends_with(".p") && kind == Kind::Directory => self.partial(&path, row, index),
                Some(index) if !is_group && kind == Kind::File && name.len() == 3 => {
                    self.tile(&path, row, index, WIDTH)
                }
                _ => self.strange(&path),
            }
            if self.report.stopped {
                return;
            }
        }
    }

    fn partial(&mut self, dir: &str, row: Row, index: u64) {
        for (path, name, kind) in self.list(dir) {
            let width =
                name.parse::<u64>().ok().filter(|width| (1..WIDTH).contains(width) && width.to_string() == name);
            match width.filter(|_| kind == Kind::File) {
                Some(width) => self.tile(&path, row, index, width),
                None => self.strange(&path),
            }
        }
    }

    /// One tile or bundle that is there.
    fn tile(&mut self, path: &str, row: Row, index: u64, width: u64) {
        let (count, max) = match row {
            Row::Entries => (self.size, MAX_BUNDLE),
            Row::Hashes(level) => (tiles::count(self.size, level), MAX_TILE),
        };
        // The one that is read, unless a name of more groups than it needs leads to it.
        let due = tiles::width(count, index);
        if tiles::path(row, index, width) != path {
            return self.strange(path);
        }
        if width == due {
            // It was read, to its last byte.
            return;
        }
        if width > due {
            if matches!(self.report.pending, Some(Pending::Whole { .. })) {
                self.left_over += 1;
            } else {
                self.report.tampered(path, "it is of records that were never signed");
            }
            return;
        }
        // A smaller one that was replaced: it must be the beginning of the larger.
        let whole = tiles::path(row, index, due);
        match (self.ledger.disk.read(path, max), self.ledger.disk.read(&whole, max)) {
            (Ok(part), Ok(whole)) if whole.starts_with(&part) => self.left_over += 1,
            (Ok(_), Ok(_)) => self.report.tampered(path, "it is not the beginning of the tile that replaced it"),
            (Err(error), _) | (_, Err(error)) => self.unread(path, error),
        }
    }
}
