//! Repository-relative paths: from bytes to text, and which of them are safe to join to a directory.
//!
//! Paths are text with `/` separators everywhere in the interface. A name that is not UTF-8 keeps
//! its bytes as `\xNN`, so two such names stay two names.

use std::fmt::Write as _;
use std::path::{Component, Path, PathBuf};

/// A path as text, and whether its bytes were not UTF-8 (then each such byte reads `\xNN`).
pub fn from_bytes(bytes: &[u8]) -> (String, bool) {
    match std::str::from_utf8(bytes) {
        Ok(text) => (text.to_owned(), false),
        Err(_) => {
            let mut text = String::with_capacity(bytes.len() + 8);
            for chunk in bytes.utf8_chunks() {
                text.push_str(chunk.valid());
                for byte in chunk.invalid() {
                    // Writing to a String cannot fail.
                    let _ = write!(text, "\\x{byte:02X}");
                }
            }
            (text, true)
        }
    }
}

/// `path` below `root` as text with `/` separators; `None` if it is not below `root`.
pub fn relative(root: &Path, path: &Path) -> Option<(String, bool)> {
    let below = path.strip_prefix(root).ok()?;
    let mut text = String::new();
    let mut odd = false;
    for component in below.components() {
        let Component::Normal(name) = component else { return None };
        if !text.is_empty() {
            text.push('/');
        }
        let (name, is_odd) = from_bytes(name.as_encoded_bytes());
        text.push_str(&name);
        odd |= is_odd;
    }
    Some((text, odd))
}

/// Joins a repository-relative path to `root`, or says why that would be unsafe.
///
/// Refused: empty and absolute paths, `.` and `..`, empty components, NUL; on Windows also what
/// that system reads differently (`\`, `:`, device names, trailing dots and spaces).
pub fn join(root: &Path, relative: &str) -> Result<PathBuf, &'static str> {
    match refused(relative) {
        Some(reason) => Err(reason),
        None => {
            let mut path = root.to_path_buf();
            path.extend(relative.split('/'));
            Ok(path)
        }
    }
}

/// Why [`join`] refuses a path; `None` where it does not.
pub(crate) fn refused(relative: &str) -> Option<&'static str> {
    relative.split('/').find_map(refused_here)
}

fn refused_here(component: &str) -> Option<&'static str> {
    match component {
        "" => Some("has an empty component"),
        "." | ".." => Some("leaves its directory"),
        _ if component.contains('\0') => Some("holds a NUL"),
        _ if cfg!(windows) => refused_on_windows(component),
        _ => None,
    }
}

/// Why a tree entry must not be written out on *any* system, so that a tree means the same everywhere.
///
/// Beyond what [`join`] refuses: any spelling of `.git` that a case-insensitive or normalising file
/// system takes for it, and everything that Windows would read as something else.
pub fn unsafe_to_write(relative: &str) -> Option<&'static str> {
    relative.split('/').find_map(|component| {
        refused_here(component)
            .or_else(|| is_dot_git(component).then_some("names a git directory"))
            .or_else(|| refused_on_windows(component))
    })
}

/// Whether a file system may take `component` for `.git`: other case, the 8.3 alias, trailing dots and
/// spaces or a stream (NTFS), ignorable code points (HFS+).
pub fn is_dot_git(component: &str) -> bool {
    let visible: String = component.chars().filter(|c| !is_ignorable(*c)).collect();
    let base = visible.split(':').next().unwrap_or_default().trim_end_matches(['.', ' ']);
    base.eq_ignore_ascii_case(".git") || base.eq_ignore_ascii_case("git~1")
}

/// Code points that HFS+ leaves out when it compares names.
fn is_ignorable(c: char) -> bool {
    matches!(c, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}')
}

fn refused_on_windows(component: &str) -> Option<&'static str> {
    if component.contains(['\\', ':']) {
        return Some("holds a character that separates paths on some systems");
    }
    if component.ends_with(['.', ' ']) {
        return Some("ends in a dot or a space");
    }
    let base = component.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    let device = matches!(base.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$")
        || ["COM", "LPT"].iter().any(|prefix| {
            base.strip_prefix(prefix).is_some_and(|rest| {
                matches!(rest, "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "¹" | "²" | "³")
            })
        });
    device.then_some("names a device on Windows")
}
