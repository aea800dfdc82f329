//! SSH signatures (`SSHSIG`): over commits, as git makes them, and over our own statements.
//!
//! A key that lies in a file without a passphrase signs here. Any other is asked for through the user's agent by
//! `ssh-keygen -Y sign`, as git does; a program of that name inside the repository is never run.

use std::fmt;
use std::path::{Path, PathBuf};

use grace_system::files::{self, FileError};
use grace_system::process::{Cancel, Command, End, Keep};
use grace_system::{env, process};
use ssh_key::private::Ed25519Keypair;
use ssh_key::public::KeyData;
use ssh_key::{HashAlg, LineEnding, PrivateKey, PublicKey, SshSig};

/// What our statements are signed for; a signature for anything else counts for nothing here.
pub const NAMESPACE: &str = "grace-rules";
/// What git signs commits for.
pub const GIT: &str = "git";
/// Largest signature and key file, in bytes.
const MAX_BYTES: u64 = 64 << 10;
/// The variable that names a key file.
const VARIABLE: &str = "GRACE_RULES_SIGNING_KEY";

/// Why a signature proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadSignature {
    /// It is no SSH signature that can be read.
    Unreadable,
    /// It was made for something else.
    Namespace,
    /// It does not belong to these bytes, or its key is of a kind that is not verified here.
    Wrong,
}

/// The key that signed `message` for `namespace`.
///
/// # Errors
/// When the signature proves nothing.
pub fn verify(armored: &str, namespace: &str, message: &[u8]) -> Result<KeyData, BadSignature> {
    if armored.len() as u64 > MAX_BYTES {
        return Err(BadSignature::Unreadable);
    }
    let signature = SshSig::from_pem(armored).map_err(|_| BadSignature::Unreadable)?;
    if signature.namespace() != namespace {
        return Err(BadSignature::Namespace);
    }
    let key = signature.public_key().clone();
    PublicKey::from(key.clone()).verify(namespace, message, &signature).map_err(|_| BadSignature::Wrong)?;
    Ok(key)
}

/// Why nothing was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SigningError {
    /// No key was named, and none lies where keys lie.
    NoKey,
    /// The key file cannot be read.
    File(FileError),
    /// It is no SSH key.
    NotAKey(PathBuf),
    /// It has a passphrase, or is a public key, and the agent did not sign; its words.
    Agent(PathBuf, String),
    /// A kind of key that is not verified here.
    Kind(String),
}

impl fmt::Display for SigningError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoKey => f.write_str("there is no key to sign with"),
            Self::File(error) => error.fmt(f),
            Self::NotAKey(path) => write!(f, "`{}` is no SSH key", path.display()),
            Self::Agent(path, said) => write!(f, "the agent did not sign with `{}`: {said}", path.display()),
            Self::Kind(kind) => write!(f, "signatures of {kind} keys are not verified here"),
        }
    }
}

impl std::error::Error for SigningError {}

impl SigningError {
    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        Some(match self {
            Self::NoKey => {
                format!("name one with --key FILE or {VARIABLE}, or make one: ssh-keygen -t ed25519")
            }
            Self::File(_) => return None,
            Self::NotAKey(_) => "name the file of an SSH key, private or public".to_owned(),
            Self::Agent(path, _) => format!("add it to the agent: ssh-add {}", path.with_extension("").display()),
            Self::Kind(_) => "use an ed25519 or an ECDSA P-256 key".to_owned(),
        })
    }
}

/// The key file to sign with: the one that is named, else that of the environment, else the user's own.
///
/// # Errors
/// When there is none.
pub fn key_file(named: Option<&Path>) -> Result<PathBuf, SigningError> {
    if let Some(path) = named {
        return Ok(path.to_path_buf());
    }
    if let Some(path) = env::var_os(VARIABLE) {
        return Ok(PathBuf::from(path));
    }
    let folder = env::home().ok_or(SigningError::NoKey)?.join(".ssh");
    let own =
        ["id_ed25519", "id_ecdsa"].iter().flat_map(|name| [folder.join(name), folder.join(format!("{name}.pub"))]);
    own.into_iter().find(|path| files::exists(path)).ok_or(SigningError::NoKey)
}

/// The public key of a key file, private or public.
///
/// # Errors
/// When it cannot be read, or is of a kind that is not verified here.
pub fn public_key(file: &Path) -> Result<KeyData, SigningError> {
    let text = files::read_text(file, MAX_BYTES).map_err(SigningError::File)?;
    let key = match PrivateKey::from_openssh(&text) {
        Ok(key) => key.public_key().key_data().clone(),
        Err(_) => match PublicKey::from_openssh(text.trim()) {
            Ok(key) => key.key_data().clone(),
            Err(_) => return Err(SigningError::NotAKey(file.to_path_buf())),
        },
    };
    match &key {
        KeyData::Ed25519(_) | KeyData::SkEd25519(_) | KeyData::SkEcdsaSha2NistP256(_) => Ok(key),
        KeyData::Ecdsa(ecdsa) if ecdsa.curve() == ssh_key::EcdsaCurve::NistP256 => Ok(key),
        other => Err(SigningError::Kind(other.algorithm().to_string())),
    }
}

/// A signature over `message` by a key that is made for it and thrown away: for what counts whoever says it.
///
/// # Errors
/// When the system gives no random bytes.
pub fn sign_once(message: &[u8]) -> Result<(KeyData, String), SigningError> {
    let failed = |why: String| SigningError::Kind(format!("ed25519 ({why})"));
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| failed(error.to_string()))?;
    let key = PrivateKey::from(Ed25519Keypair::from_seed(&seed));
    let signature = key.sign(NAMESPACE, HashAlg::Sha512, message).and_then(|signed| signed.to_pem(LineEnding::LF));
    Ok((key.public_key().key_data().clone(), signature.map_err(|error| failed(error.to_string()))?))
}

/// A signature over `message` for our own namespace, armored. `root` is the repository, whose programs are not run.
///
/// # Errors
/// When the key cannot sign.
pub fn sign(file: &Path, message: &[u8], root: &Path) -> Result<String, SigningError> {
    let key = public_key(file)?;
    let text = files::read_text(file, MAX_BYTES).map_err(SigningError::File)?;
    let armored = match PrivateKey::from_openssh(&text) {
        Ok(private) if !private.is_encrypted() => private
            .sign(NAMESPACE, HashAlg::Sha512, message)
            .and_then(|signature| signature.to_pem(LineEnding::LF))
            .map_err(|error| SigningError::Kind(format!("{} ({error})", key.algorithm())))?,
        _ => by_agent(file, message, root)?,
    };
    // What an agent gave back is believed as little as what a stranger sends.
    match verify(&armored, NAMESPACE, message) {
        Ok(signer) if signer == key => Ok(armored),
        _ => Err(SigningError::Agent(file.to_path_buf(), "its signature does not hold".to_owned())),
    }
}

fn by_agent(file: &Path, message: &[u8], root: &Path) -> Result<String, SigningError> {
    let failed = |said: String| SigningError::Agent(file.to_path_buf(), said);
    let program = env::find_program("ssh-keygen", &env::search_path(Some(root)));
    let program = program.ok_or_else(|| failed("ssh-keygen is not installed".to_owned()))?;
    let directory = files::temporary_dir().map_err(SigningError::File)?;
    // With a public key ssh-keygen asks the agent, and never for a passphrase.
    let public = directory.path().join("key.pub");
    let key = public_key(file)?;
    let line = PublicKey::from(key).to_openssh().map_err(|error| failed(error.to_string()))?;
    files::create_new(&public, format!("{line}\n").as_bytes()).map_err(SigningError::File)?;
    let mut command = Command::new(program, directory.path());
    command.args = ["-Y", "sign", "-n", NAMESPACE, "-f"].map(Into::into).to_vec();
    command.args.push(public.into());
    command.env = env::inherited(&["SSH_AUTH_SOCK", "HOME", "USERPROFILE", "SYSTEMROOT"]).into_iter().collect();
    command.input = Some(message.to_vec());
    command.stdout = Keep::All(64 << 10);
    command.hunt = false;
    let finished = process::run(&command, &Cancel::new());
    match finished.end {
        End::Exited(0) => Ok(finished.stdout.text()),
        _ => {
            let said = finished.stderr.text();
            let said = said.lines().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing").trim();
            Err(failed(said.chars().filter(|c| !c.is_control()).take(200).collect()))
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use ssh_key::private::{Ed25519Keypair, KeypairData};

    /// A key that is the same in every run.
    pub(crate) fn key(number: u8) -> PrivateKey {
        PrivateKey::new(KeypairData::from(Ed25519Keypair::from_seed(&[number; 32])), "").unwrap()
    }

    /// Its public line.
    pub(crate) fn openssh(number: u8) -> String {
        key(number).public_key().to_openssh().unwrap()
    }

    /// Its file.
    pub(crate) fn written(directory: &Path, number: u8) -> PathBuf {
        let file = directory.join(format!("key{number}"));
        files::write_atomic(&file, key(number).to_openssh(LineEnding::LF).unwrap().as_bytes()).unwrap();
        file
    }

    #[test]
    fn a_signature_holds_for_its_bytes_its_purpose_and_its_key_alone() {
        let directory = files::temporary_dir().unwrap();
        let armored = sign(&written(directory.path(), 1), b"yes", directory.path()).unwrap();
        assert_eq!(verify(&armored, NAMESPACE, b"yes").unwrap(), *key(1).public_key().key_data());
        assert_eq!(verify(&armored, NAMESPACE, b"no"), Err(BadSignature::Wrong));
        assert_eq!(verify(&armored, GIT, b"yes"), Err(BadSignature::Namespace));
        assert_eq!(verify("", NAMESPACE, b"yes"), Err(BadSignature::Unreadable));
        assert_eq!(verify(&"x".repeat(100_000), NAMESPACE, b"yes"), Err(BadSignature::Unreadable));
        // Every byte counts: no changed signature holds for another key or other bytes.
        for at in 0..armored.len() {
            let mut bytes = armored.clone().into_bytes();
            bytes[at] ^= 1;
            if let Ok(text) = String::from_utf8(bytes)
                && let Ok(signer) = verify(&text, NAMESPACE, b"yes")
            {
                assert_eq!(signer, *key(1).public_key().key_data(), "byte {at}");
            }
        }
        // A key of another's put into a signature.
        let other = key(2).sign(NAMESPACE, HashAlg::Sha512, b"yes").unwrap();
        let forged =
            SshSig::new(key(1).public_key().key_data().clone(), NAMESPACE, HashAlg::Sha512, other.signature().clone());
        let forged = forged.unwrap().to_pem(LineEnding::LF).unwrap();
        assert_eq!(verify(&forged, NAMESPACE, b"yes"), Err(BadSignature::Wrong));
    }

    #[test]
    fn what_cannot_sign_says_why() {
        let directory = files::temporary_dir().unwrap();
        let nothing = directory.path().join("nothing");
        assert!(matches!(sign(&nothing, b"", directory.path()), Err(SigningError::File(_))));
        files::write_atomic(&nothing, b"no key").unwrap();
        let error = sign(&nothing, b"", directory.path()).unwrap_err();
        assert_eq!(error, SigningError::NotAKey(nothing));
        assert!(error.help().is_some());
    }
}
