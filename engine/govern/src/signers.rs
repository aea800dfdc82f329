//! `allowed_signers`: which keys stand for whom, in the format of ssh-keygen(1).
//!
//! A person is whoever holds a key: principals that share a key, and keys that share a principal, are one person. Lines that
//! name nobody in particular (wildcards, negations, certificate authorities) stand for nobody here. A line that cannot be
//! read is reported and stands for nobody.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use ssh_key::public::KeyData;
use ssh_key::{HashAlg, PublicKey};

/// Where it stands in a repository.
pub const PATH: &str = "grace/allowed_signers";
/// Largest file that is read, in bytes.
pub const MAX_BYTES: u64 = 1 << 20;
/// Longest line, in bytes.
const MAX_LINE: usize = 16 << 10;

/// One line: a key, whom it stands for, and what for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    principals: BTreeSet<String>,
    key: KeyData,
    /// `None` = for everything.
    namespaces: Option<Vec<String>>,
    valid_after: Option<Timestamp>,
    valid_before: Option<Timestamp>,
}

/// Keys and people.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowedSigners {
    lines: Vec<Line>,
    /// Lines that stand for nobody: number (1-based) and why.
    pub unread: Vec<(usize, String)>,
}

/// A person: all names that stand for them, and the one that comes first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Person {
    /// The first of the names.
    pub name: String,
    /// Every principal.
    pub names: BTreeSet<String>,
}

impl Person {
    /// Whether it is a bot, by its name: `renovate[bot]`.
    #[must_use]
    pub fn is_bot(&self) -> bool {
        self.bot_name().is_some()
    }

    /// The name that says so.
    #[must_use]
    pub fn bot_name(&self) -> Option<String> {
        self.names.iter().find(|name| name.to_ascii_lowercase().contains("[bot]")).cloned()
    }
}

/// Why a key counts for nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// No line names it.
    UnknownKey,
    /// Its line is not for this use.
    Namespace,
    /// Its line is not in force at this time.
    Time,
}

impl AllowedSigners {
    /// Reads the text.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut found = Self::default();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            match self::line(line) {
                Ok(line) => found.lines.push(line),
                Err(why) => found.unread.push((index + 1, why)),
            }
        }
        found
    }

    /// Whether nobody can sign.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Whom a key stands for, in a namespace and at a time.
    ///
    /// # Errors
    /// When it stands for nobody, or not for this or not now.
    pub fn person(&self, key: &KeyData, namespace: &str, at: Timestamp) -> Result<Person, Refused> {
        let mut refused = Refused::UnknownKey;
        for line in self.lines.iter().filter(|line| line.key == *key) {
            if line.namespaces.as_ref().is_some_and(|spaces| !spaces.iter().any(|space| space == namespace)) {
                refused = Refused::Namespace;
            } else if line.valid_after.is_some_and(|after| at < after)
                || line.valid_before.is_some_and(|before| at >= before)
            {
                refused = Refused::Time;
            } else {
                return Ok(self.whole(&line.principals));
            }
        }
        Err(refused)
    }

    /// The person that a name stands for, by whatever line: for those who are not to count.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<Person> {
        let is = |line: &&Line| line.principals.iter().any(|known| known.eq_ignore_ascii_case(name));
        self.lines.iter().find(is).map(|line| self.whole(&line.principals))
    }

    /// Whom a key stands for, whatever its line is for and whenever.
    #[must_use]
    pub fn holder(&self, key: &KeyData) -> Option<Person> {
        self.lines.iter().find(|line| line.key == *key).map(|line| self.whole(&line.principals))
    }

    /// The person that these principals belong to: grown until no line shares a principal or a key with it.
    fn whole(&self, principals: &BTreeSet<String>) -> Person {
        let mut names = principals.clone();
        // Names that differ in case alone are one: mail does not tell them apart.
        let lower = |names: &BTreeSet<String>| names.iter().map(|name| name.to_lowercase()).collect::<BTreeSet<_>>();
        loop {
            let known = lower(&names);
            let keys: Vec<&KeyData> = self
                .lines
                .iter()
                .filter(|line| !lower(&line.principals).is_disjoint(&known))
                .map(|line| &line.key)
                .collect();
            let more = self.lines.iter().filter(|line| keys.contains(&&line.key)).flat_map(|line| &line.principals);
            let before = names.len();
            names = names.iter().chain(more).cloned().collect();
            if names.len() == before {
                break;
            }
        }
        Person { name: names.first().cloned().unwrap_or_default(), names }
    }
}

/// The digest by which people know a key: `SHA256:…`.
#[must_use]
pub fn fingerprint(key: &KeyData) -> String {
    key.fingerprint(HashAlg::Sha256).to_string()
}

fn line(text: &str) -> Result<Line, String> {
    if text.len() > MAX_LINE {
        return Err("it is too long".to_owned());
    }
    let (principals, rest) = word(text).ok_or("a quote is not closed")?;
    let principals: BTreeSet<String> =
        principals.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect();
    if principals.iter().any(|name| name.starts_with('!') || name.contains(['*', '?'])) {
        return Err("a pattern stands for nobody in particular".to_owned());
    }
    if principals.is_empty() {
        return Err("it names nobody".to_owned());
    }
    // Options stand between the principals and the key; a key begins with its type.
    let (first, after) = word(rest.trim_start()).ok_or("a quote is not closed")?;
    if first.is_empty() {
        return Err("it holds no key".to_owned());
    }
    let is_key = |word: &str| word.starts_with("ssh-") || word.starts_with("ecdsa-") || word.starts_with("sk-");
    let (options, key) = if is_key(&first) { (BTreeMap::new(), rest) } else { (self::options(&first)?, after) };
    let key = PublicKey::from_openssh(key.trim()).map_err(|error| format!("its key cannot be read: {error}"))?;
    let mut line =
        Line { principals, key: key.key_data().clone(), namespaces: None, valid_after: None, valid_before: None };
    for (name, value) in options {
        match (name.as_str(), value) {
            ("namespaces", Some(value)) => {
                let spaces: Vec<String> = value.split(',').map(str::to_owned).collect();
                if spaces.iter().any(|space| space.starts_with('!') || space.contains(['*', '?'])) {
                    return Err("a namespace is a pattern".to_owned());
                }
                line.namespaces = Some(spaces);
            }
            ("valid-after", Some(value)) => line.valid_after = Some(time(&value)?),
            ("valid-before", Some(value)) => line.valid_before = Some(time(&value)?),
            ("cert-authority", _) => return Err("a certificate authority stands for nobody in particular".to_owned()),
            (name, _) => return Err(format!("its option `{}` is unknown", name.escape_debug())),
        }
    }
    Ok(line)
}

/// The first word, quotes taken off, and what follows it.
fn word(text: &str) -> Option<(String, &str)> {
    let (mut quoted, mut found) = (false, String::new());
    for (at, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            c if c.is_whitespace() && !quoted => return Some((found, &text[at..])),
            c => found.push(c),
        }
    }
    (!quoted).then_some((found, ""))
}

/// `namespaces=git,grace-rules,valid-after=20260101`, quotes already taken off: a comma that no option follows belongs to
/// the value before it.
fn options(text: &str) -> Result<BTreeMap<String, Option<String>>, String> {
    const KNOWN: [&str; 4] = ["namespaces", "valid-after", "valid-before", "cert-authority"];
    let mut found: BTreeMap<String, Option<String>> = BTreeMap::new();
    let mut last: Option<String> = None;
    for piece in text.split(',') {
        let (name, value) = piece.split_once('=').map_or((piece, None), |(name, value)| (name, Some(value)));
        let lower = name.to_ascii_lowercase();
        if KNOWN.contains(&lower.as_str()) {
            if found.insert(lower.clone(), value.map(str::to_owned)).is_some() {
                return Err(format!("its option `{lower}` stands there twice"));
            }
            last = Some(lower);
        } else if let Some(Some(value)) = last.as_ref().and_then(|last| found.get_mut(last)) {
            value.push(',');
            value.push_str(piece);
        } else {
            return Err(format!("its option `{}` is unknown", name.escape_debug()));
        }
    }
    Ok(found)
}

/// `YYYYMMDD`, `YYYYMMDDHHMM` or with seconds, with or without `Z`. Without it ssh-keygen reads the machine's own zone; what
/// holds on every machine is UTC.
fn time(text: &str) -> Result<Timestamp, String> {
    let digits = text.strip_suffix(['Z', 'z']).unwrap_or(text);
    let wrong = || format!("`{}` is no time", text.escape_debug());
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    let full = match digits.len() {
        8 => format!("{digits}000000"),
        12 => format!("{digits}00"),
        14 => digits.to_owned(),
        _ => return Err(wrong()),
    };
    let part = |from: usize, to: usize| full[from..to].parse::<i16>().map_err(|_| wrong());
    let small = |from, to| part(from, to).and_then(|part| i8::try_from(part).map_err(|_| wrong()));
    let time = jiff::civil::DateTime::new(
        part(0, 4)?,
        small(4, 6)?,
        small(6, 8)?,
        small(8, 10)?,
        small(10, 12)?,
        small(12, 14)?,
        0,
    );
    let time = time.map_err(|_| wrong())?.to_zoned(jiff::tz::TimeZone::UTC).map_err(|_| wrong())?;
    Ok(time.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signing::tests::{key, openssh};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_line_says_whom_a_key_stands_for_what_for_and_when() {
        let text = format!(
            "# people\n\nalice@example.org {}\nbob@example.org namespaces=\"git,grace-rules\",valid-after=\"20260101\",valid-before=20270101Z {} laptop\r\nci[bot] namespaces=\"git\" {}\n",
            openssh(1),
            openssh(2),
            openssh(3),
        );
        let signers = AllowedSigners::parse(&text);
        assert_eq!(signers.unread, []);
        let now = at("2026-06-01T00:00:00Z");
        let person = |number, namespace, at| signers.person(key(number).public_key().key_data(), namespace, at);
        assert_eq!(person(1, "grace-rules", now).unwrap().name, "alice@example.org");
        assert_eq!(person(2, "grace-rules", now).unwrap().name, "bob@example.org");
        assert_eq!(person(2, "file", now), Err(Refused::Namespace));
        assert_eq!(person(2, "git", at("2025-12-31T23:59:59Z")), Err(Refused::Time));
        assert!(person(2, "git", at("2026-01-01T00:00:00Z")).is_ok());
        assert_eq!(person(2, "git", at("2027-01-01T00:00:00Z")), Err(Refused::Time));
        assert_eq!(person(3, "grace-rules", now), Err(Refused::Namespace));
        assert!(person(3, "git", now).unwrap().is_bot());
        assert_eq!(person(4, "git", now), Err(Refused::UnknownKey));
        assert_eq!(signers.named("ALICE@example.org").unwrap().name, "alice@example.org");
        assert_eq!(signers.named("carol@example.org"), None);
    }

    #[test]
    fn names_that_share_a_key_and_keys_that_share_a_name_are_one_person() {
        let text = format!(
            "alice@example.org,@alice {}\nalice@home.example {}\nAlice@Home.example {}\nbob@example.org {}\n",
            openssh(1),
            openssh(1),
            openssh(2),
            openssh(3),
        );
        let signers = AllowedSigners::parse(&text);
        let now = at("2026-06-01T00:00:00Z");
        let person = |number| signers.person(key(number).public_key().key_data(), "git", now).unwrap();
        assert_eq!(person(1), person(2));
        assert_eq!(person(2).names.len(), 4);
        assert_eq!(person(3).names.len(), 1);
    }

    #[test]
    fn a_line_that_stands_for_nobody_is_told_and_hurts_no_other() {
        let good = format!("alice@example.org {}", openssh(1));
        for (bad, why) in [
            (format!("* {}", openssh(2)), "pattern"),
            (format!("!bob,*@example.org {}", openssh(2)), "pattern"),
            (format!("bob cert-authority {}", openssh(2)), "authority"),
            (format!("bob no-such-option {}", openssh(2)), "option"),
            (format!("bob valid-before=tomorrow {}", openssh(2)), "time"),
            (format!("bob valid-before=20261301 {}", openssh(2)), "time"),
            (format!("bob namespaces=\"*\" {}", openssh(2)), "pattern"),
            (format!("bob namespaces=a,namespaces=b {}", openssh(2)), "twice"),
            ("bob ssh-ed25519 AAAA".to_owned(), "key"),
            ("bob".to_owned(), "key"),
            (format!("\"bob {}", openssh(2)), "quote"),
            (format!("\"\" {}", openssh(2)), "nobody"),
            (format!("bob {} {}", openssh(2), "x".repeat(20_000)), "long"),
        ] {
            let signers = AllowedSigners::parse(&format!("{bad}\n{good}\n"));
            assert_eq!((signers.lines.len(), signers.unread.len()), (1, 1), "{bad}");
            assert!(signers.unread[0].0 == 1 && signers.unread[0].1.contains(why), "{bad}: {:?}", signers.unread);
        }
    }
}
