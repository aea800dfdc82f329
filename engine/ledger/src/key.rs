//! Keys: the secret one that signs checkpoints, kept in a file outside of any repository, and the public one that everybody
//! else needs.

use std::fmt;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use grace_system::env;
use grace_system::files::{self, FileErrorKind};

use crate::error::{Error, Result};
use crate::merkle::{self, hex};

/// What the file of a secret key begins with.
const HEADER: &str = "grace-rules-ed25519-seed-v1 ";
/// The longest file of a key.
const MAX_FILE: u64 = 4096;
/// Ed25519 among the kinds of signatures of a signed note.
const ED25519: u8 = 1;

/// A key that signs.
#[derive(Clone)]
pub struct SecretKey(SigningKey);

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SecretKey").field(&self.public()).finish()
    }
}

impl SecretKey {
    /// The key of a seed.
    #[must_use]
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(SigningKey::from_bytes(&seed))
    }

    /// A new key, from the system's chance.
    pub fn generate() -> Result<Self> {
        Ok(Self::from_seed(random()?))
    }

    /// The key in a file.
    pub fn load(path: &Path) -> Result<Self> {
        let text = files::read_text(path, MAX_FILE)?;
        let wrong = || Error::Key { path: path.to_path_buf(), what: "it does not hold the seed of a signing key" };
        let seed = text.strip_prefix(HEADER).and_then(|rest| BASE64.decode(rest.trim_end()).ok()).ok_or_else(wrong)?;
        if files::is_open_to_others(path) {
            return Err(Error::Key { path: path.to_path_buf(), what: "others than its owner may read it" });
        }
        Ok(Self::from_seed(seed.try_into().map_err(|_| wrong())?))
    }

    /// The key in a file, which is made with a new key if it is not there. Whether it was made.
    pub fn load_or_create(path: &Path) -> Result<(Self, bool)> {
        match Self::load(path) {
            Err(Error::File(error)) if error.kind == FileErrorKind::NotFound => {}
            loaded => return Ok((loaded?, false)),
        }
        let key = Self::generate()?;
        if let Some(dir) = path.parent() {
            files::create_dirs(dir)?;
        }
        let text = format!("{HEADER}{}\n", BASE64.encode(key.0.to_bytes()));
        match files::create_private(path, text.as_bytes()) {
            Ok(()) => Ok((key, true)),
            // Another process was quicker, if its key is there.
            Err(error) => Self::load(path).map(|key| (key, false)).map_err(|_| error.into()),
        }
    }

    /// Its public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// A signature.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

/// A key that tells whether its other half signed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PublicKey").field(&self.fingerprint()).finish()
    }
}

impl PublicKey {
    /// A key of its 32 bytes; `None` if they are no point, or one of those that would accept almost any signature.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 32]) -> Option<Self> {
        VerifyingKey::from_bytes(bytes).ok().filter(|key| !key.is_weak()).map(Self)
    }

    /// The key and the name in the text form of signed notes, `NAME+ID+BASE64`.
    #[must_use]
    pub fn parse(text: &str) -> Option<(String, Self)> {
        let mut parts = text.trim().splitn(3, '+');
        let (name, id, key) = (parts.next()?, parts.next()?, parts.next()?);
        let key = BASE64.decode(key).ok()?;
        let (kind, key) = key.split_first()?;
        let key = Self::from_bytes(key.try_into().ok()?).filter(|_| *kind == ED25519)?;
        (hex(&key.id(name)) == id).then(|| (name.to_owned(), key))
    }

    /// The text form of signed notes under a name, which [`PublicKey::parse`] reads.
    #[must_use]
    pub fn text(&self, name: &str) -> String {
        let mut bytes = vec![ED25519];
        bytes.extend(self.0.as_bytes());
        format!("{name}+{}+{}", hex(&self.id(name)), BASE64.encode(bytes))
    }

    /// What stands for the key under a name in a signed note.
    #[must_use]
    pub fn id(&self, name: &str) -> [u8; 4] {
        let mut bytes = name.as_bytes().to_vec();
        bytes.extend([b'\n', ED25519]);
        bytes.extend(self.0.as_bytes());
        let hash = merkle::sha256(&bytes);
        [hash[0], hash[1], hash[2], hash[3]]
    }

    /// Eight hexadecimal digits by which people tell keys apart.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        hex(&merkle::sha256(self.0.as_bytes())[..4])
    }

    /// Whether the other half signed `message`.
    #[must_use]
    pub fn has_signed(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.0.verify_strict(message, &Signature::from_bytes(signature)).is_ok()
    }
}

/// Bytes that nobody can guess.
pub(crate) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    env::random(&mut bytes).map_err(|error| Error::Random(error.to_string()))?;
    Ok(bytes)
}
