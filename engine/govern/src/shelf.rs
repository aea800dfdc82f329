//! Where signed statements stand: `refs/grace/`, one reference each, so that they travel by fetch and push.
//!
//! What is about one change stands below `approvals/DIFF/`, where DIFF begins the digest of the change, so a plan reads its
//! own and no other's.

use grace_system::git::{GitError, Repository};

use crate::envelope::{self, BadEnvelope, MAX_BYTES, Signed};
use crate::failpoint;

/// Statements that are read of one place, at most: whoever may push could fill it.
/// With more, nothing that stands there counts: what is not read may take back what is.
const MOST: usize = 4096;
/// Digits of a digest in a name.
const DIGITS: usize = 32;

/// A place on the shelf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Approvals, denials and revocations of one change, by the digest of its diff.
    Approvals(String),
    /// Grants of waivers, and their revocations.
    Grants,
    /// Halts, and what lifts them.
    Halts,
    /// Reviews of one cycle of the audit loop, by the digest of its record.
    Reviews(String),
    /// Raised tiers.
    Raises,
}

impl Place {
    fn name(&self) -> String {
        match self {
            Self::Approvals(diff) => format!("approvals/{}", digits(diff)),
            Self::Grants => "grants".to_owned(),
            Self::Halts => "halts".to_owned(),
            Self::Reviews(cycle) => format!("reviews/{}", digits(cycle)),
            Self::Raises => "raises".to_owned(),
        }
    }
}

/// The beginning of a digest. It comes from our own hashes, yet names are never trusted to be short or clean.
fn digits(digest: &str) -> String {
    digest.chars().filter(char::is_ascii_hexdigit).take(DIGITS).collect()
}

/// What stands at a place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Statements whose signature holds.
    pub signed: Vec<Signed>,
    /// What says nothing: the reference and why.
    pub bad: Vec<(String, BadEnvelope)>,
    /// There is more than is read.
    pub more: bool,
}

/// Reads a place.
///
/// # Errors
/// When git cannot answer.
pub fn read(repository: &Repository, place: &Place) -> Result<Found, GitError> {
    let mut found = Found::default();
    let documents = repository.shelved(&place.name(), MAX_BYTES, MOST + 1)?;
    found.more = documents.len() > MOST;
    for document in documents.into_iter().take(MOST) {
        match document.bytes.as_deref().map_or(Err(BadEnvelope::Unreadable), envelope::open) {
            Ok(signed) => found.signed.push(signed),
            Err(bad) => found.bad.push((document.name, bad)),
        }
    }
    Ok(found)
}

/// Puts the envelope of a statement on the shelf; the reference that it has now.
///
/// # Errors
/// When git cannot write.
pub fn put(repository: &Repository, place: &Place, statement: &str, bytes: &[u8]) -> Result<String, GitError> {
    let name = format!("{}/{}", place.name(), digits(statement));
    failpoint::pass("before shelf");
    repository.shelve(&name, bytes)?;
    failpoint::pass("after shelf");
    Ok(format!("refs/grace/{name}"))
}
