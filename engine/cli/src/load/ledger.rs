//! The ledger of a repository, the key that signs it, and the checkpoints of it that git keeps.

use std::path::{Path, PathBuf};

use grace_govern::journal;
use grace_ledger::{Anchor, Checkpoint, Ledger, MAX_CHECKPOINT, PublicKey, SecretKey, Snapshot};
use grace_system::files;
use grace_system::files::FileErrorKind;
use grace_system::git::{Blob, Repository};

use super::Place;
use crate::args::LedgerArgs;
use crate::failure::{Failure, Result, quoted};

/// Where anchors of this clone's own ledgers are, and where those of others are fetched to.
pub const ANCHORS: &str = "refs/grace/anchors";
/// Where they are listed.
const FETCHED_BELOW: &str = "refs/remotes/**/grace/anchors/**";
/// Below a remote's references, what is fetched of its anchors.
const FETCHED: &str = "/grace/anchors/";
/// The file in the commits of an anchor.
pub const CHECKPOINT: &str = "checkpoint";
/// Checkpoints of one reference that are read, newest first.
const MOST_VERSIONS: usize = 1000;
/// References that are read.
const MOST_REFERENCES: usize = 200;
/// Longest public key that is read, with its name.
const LONGEST_KEY: u64 = 4096;

/// A ledger that can be written to.
#[derive(Debug)]
pub struct Open {
    /// The ledger, which is there.
    pub ledger: Ledger,
    /// The key that signs it.
    pub key: SecretKey,
    /// The file of the key.
    pub key_file: PathBuf,
    /// Whether the key was made now: its public half is to be shown once.
    pub made_key: bool,
    /// Whether the ledger was.
    pub made_ledger: bool,
}

/// Opens the repository's ledger for appending; what is missing, the key and the first record, is made.
///
/// # Errors
/// When there is no place for the key, it lies inside the repository, or the ledger cannot be made or read.
pub fn open(place: &Place) -> Result<Open> {
    let repository = place.repository()?;
    let key_file = journal::key_path(Some(repository))?;
    let (key, made_key) = journal::key_of(repository)?;
    let ledger = journal::ledger_of(repository);
    let made_ledger = ledger.create(&key, &journal::project_of(repository))?;
    Ok(Open { ledger, key, key_file, made_key, made_ledger })
}

/// The key that is trusted: the one given, as text or as a file that holds it, else this user's own. Nothing is made.
///
/// # Errors
/// When what was given is no key, or none was given and this user has none.
pub fn trusted(place: &Place, given: Option<&str>) -> Result<PublicKey> {
    let Some(given) = given else {
        let path = journal::key_path(place.repository.as_ref().ok())?;
        return match SecretKey::load(&path) {
            Ok(key) => Ok(key.public()),
            Err(grace_ledger::Error::File(error)) if error.kind == FileErrorKind::NotFound => {
                Err(Failure::new("ledger", format!("this user has no key: {} does not exist", quoted(&path)))
                    .help("say whom to trust: --key KEY, as `audit init` printed it"))
            }
            Err(error) => Err(error.into()),
        };
    };
    if let Some((_, key)) = PublicKey::parse(given) {
        return Ok(key);
    }
    let path = place.absolute(Path::new(given));
    let text = files::read_text(&path, LONGEST_KEY).map_err(|_| {
        Failure::new("input", format!("{} is neither a public key nor a file with one", quoted(Path::new(given))))
            .help("a key looks like NAME+12345678+BASE64; `audit init` prints it")
    })?;
    let key = PublicKey::parse(&text).map(|(_, key)| key);
    key.ok_or_else(|| Failure::new("input", format!("{} holds no public key", quoted(&path))))
}

/// The ledger that is read, and the key that is trusted.
///
/// # Errors
/// When there is no such place, or no key to trust.
pub fn source(place: &Place, source: &LedgerArgs) -> Result<(Ledger, PublicKey)> {
    let key = trusted(place, source.key.as_deref())?;
    let ledger = match &source.ledger {
        Some(dir) => Ledger::at(&files::canonical(&place.absolute(dir))?),
        None => journal::ledger_of(place.repository()?),
    };
    Ok((ledger, key))
}

/// What the ledger that is named holds; `None` where this repository has none and no other was named. One that is there and
/// that nobody's key is known for is an error, and not empty.
///
/// # Errors
/// When it cannot be read, or is not what was signed.
pub fn read(place: &Place, args: &LedgerArgs) -> Result<Option<Snapshot>> {
    let is_own = args.ledger.is_none();
    if is_own && !files::exists(journal::ledger_of(place.repository()?).dir()) {
        return Ok(None);
    }
    let (ledger, key) = source(place, args)?;
    match ledger.snapshot(&key) {
        Err(grace_ledger::Error::Absent { .. }) if is_own => Ok(None),
        read => Ok(Some(read?)),
    }
}

/// Checkpoints that git keeps: those of this ledger, and those that this key signed for ledgers that are not here.
#[derive(Debug, Default)]
pub struct Kept {
    /// Of this ledger.
    pub anchors: Vec<Anchor>,
    /// References to checkpoints of another ledger of this clone, and that ledger's name.
    pub elsewhere: Vec<(String, String)>,
}

/// The checkpoints that git keeps below [`ANCHORS`], and that were fetched from remotes. `origin` is this ledger's name, if
/// there is one: without it, all that the key signed count.
///
/// # Errors
/// When git cannot answer.
pub fn kept(repository: &Repository, key: &PublicKey, origin: Option<&str>) -> Result<Kept> {
    let mut kept = Kept::default();
    let mut references: Vec<String> =
        repository.references_below(&[ANCHORS, FETCHED_BELOW])?.into_iter().map(|(reference, _)| reference).collect();
    // However many others were put there, that of this ledger is looked for by its name.
    if let Some(origin) = origin {
        let own = format!("{ANCHORS}/{origin}");
        let there = repository.references_below(&[&own])?.into_iter().map(|(reference, _)| reference);
        references.extend(there.filter(|reference| *reference == own));
    }
    references.sort();
    references.dedup();
    references.retain(|reference| reference.starts_with(ANCHORS) || reference.contains(FETCHED));
    let is_this =
        |reference: &str| origin.is_some_and(|origin| reference.ends_with(&format!("/grace/anchors/{origin}")));
    // However many others there are, those of this ledger are read.
    references.sort_by_key(|reference| !is_this(reference));
    for reference in references.iter().take(MOST_REFERENCES) {
        let versions = repository.versions_below(reference, CHECKPOINT, MOST_VERSIONS)?;
        let mut notes = Vec::new();
        repository.blobs().read_many(&versions, MAX_CHECKPOINT as u64, |_, blob| {
            notes.push(match blob {
                Blob::Data(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
                Blob::TooLarge(_) | Blob::Missing => String::new(),
            });
        })?;
        if is_this(reference) {
            // What is no checkpoint under the name of this ledger is told, not passed over.
            let nothing = notes.is_empty().then(String::new);
            kept.anchors.extend(notes.into_iter().chain(nothing).map(|note| {
                let size = Checkpoint::parse(&note).map_or_else(|| "unreadable".to_owned(), |it| it.size.to_string());
                Anchor { source: format!("{reference} ({size})"), note }
            }));
            continue;
        }
        for checkpoint in notes.iter().filter_map(|note| Checkpoint::verify(note, key)) {
            if origin.is_none_or(|origin| origin == checkpoint.origin) {
                let source = format!("{reference} ({})", checkpoint.size);
                kept.anchors.push(Anchor { source, note: checkpoint.note });
            } else if reference.starts_with(ANCHORS) && !kept.elsewhere.iter().any(|(_, of)| *of == checkpoint.origin) {
                kept.elsewhere.push((reference.clone(), checkpoint.origin));
            }
        }
    }
    Ok(kept)
}

/// What an anchor says of this user's ledger and that the ledger does not bear out: it is gone, older, or another. `None` where
/// nothing speaks against it.
///
/// # Errors
/// When git cannot answer.
pub fn lost(repository: &Repository, recorded: Option<&Snapshot>) -> Result<Option<String>> {
    let path = journal::key_path(Some(repository))?;
    let key = match SecretKey::load(&path) {
        Ok(key) => key.public(),
        Err(grace_ledger::Error::File(error)) if error.kind == FileErrorKind::NotFound => {
            // Without its key nothing in a ledger is believed, nor that nothing is in it.
            let is_there = journal::ledger_of(repository).is_there();
            return Ok(
                is_there.then(|| format!("the key {} is gone, and the ledger here was signed by it", quoted(&path)))
            );
        }
        Err(error) => return Err(error.into()),
    };
    let kept = kept(repository, &key, recorded.map(|ledger| ledger.head().origin.as_str()))?;
    for anchor in &kept.anchors {
        let Some(checkpoint) = Checkpoint::verify(&anchor.note, &key) else {
            return Ok(Some(format!("the anchor {} is no checkpoint that this key signed", anchor.source)));
        };
        let bears_out = recorded.is_some_and(|ledger| {
            ledger.head().origin == checkpoint.origin
                && ledger.len() >= checkpoint.size
                && ledger.root_at(checkpoint.size).is_ok_and(|root| root == checkpoint.root)
        });
        if !bears_out {
            return Ok(Some(format!("the ledger is gone, or older than its anchor {}", anchor.source)));
        }
    }
    Ok(kept
        .elsewhere
        .first()
        .map(|(reference, origin)| format!("the ledger {origin}, anchored at {reference}, is gone")))
}
