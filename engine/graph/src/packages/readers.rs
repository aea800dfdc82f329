//! Reading lock files into pins. A reader gives `None` where the text is not what it expects: half a lock file is no lock file.

use std::collections::BTreeMap;

use serde_json::Value;
use toml::de::{DeTable, DeValue};

use super::{Ecosystem, Pin, Pins};

/// The format of a lock file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reader {
    Cargo,
    Poetry,
    Uv,
    Requirements,
    PackageLock,
    Yarn,
    Pnpm,
    GoSum,
    GoMod,
}

/// The reader of a path, by the file's name.
pub(super) fn reader_of(path: &str) -> Option<Reader> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    Some(match name {
        "Cargo.lock" => Reader::Cargo,
        "poetry.lock" => Reader::Poetry,
        "uv.lock" => Reader::Uv,
        "package-lock.json" | "npm-shrinkwrap.json" => Reader::PackageLock,
        "yarn.lock" => Reader::Yarn,
        "pnpm-lock.yaml" => Reader::Pnpm,
        "go.sum" => Reader::GoSum,
        "go.mod" => Reader::GoMod,
        _ if crate::change::is_requirements(folder, name) => Reader::Requirements,
        _ => return None,
    })
}

impl Reader {
    pub(super) fn ecosystem(self) -> Ecosystem {
        match self {
            Self::Cargo => Ecosystem::Cargo,
            Self::Poetry | Self::Uv | Self::Requirements => Ecosystem::Pypi,
            Self::PackageLock | Self::Yarn | Self::Pnpm => Ecosystem::Npm,
            Self::GoSum | Self::GoMod => Ecosystem::Go,
        }
    }

    pub(super) fn read(self, text: &str) -> Option<Pins> {
        if self != Self::Requirements && text.contains("\n<<<<<<<") {
            return None;
        }
        match self {
            Self::Cargo | Self::Poetry | Self::Uv => toml_lock(self, text),
            Self::Requirements => requirements(text),
            Self::PackageLock => package_lock(text),
            Self::Yarn => yarn(text),
            Self::Pnpm => pnpm(text),
            Self::GoSum => go_sum(text),
            Self::GoMod => go_mod(text),
        }
    }
}

/// 1-based line numbers of byte offsets.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        Self(text.match_indices('\n').map(|(at, _)| at).collect())
    }

    fn number(&self, offset: usize) -> u32 {
        number(self.0.partition_point(|end| *end < offset))
    }
}

fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX - 1).saturating_add(1)
}

/// Names that pip holds for equal: case, and runs of `-`, `_`, `.` (PEP 503).
fn python_name(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for character in name.chars() {
        if matches!(character, '-' | '_' | '.') {
            if !normal.ends_with('-') {
                normal.push('-');
            }
        } else {
            normal.extend(character.to_lowercase());
        }
    }
    normal
}

fn string<'a>(table: &'a DeTable<'_>, key: &str) -> Option<&'a str> {
    table.get(key)?.get_ref().as_str()
}

fn toml_lock(reader: Reader, text: &str) -> Option<Pins> {
    let document = DeTable::parse(text).ok()?;
    let document = document.get_ref();
    let lines = Lines::of(text);
    let mut pins = Pins::default();
    let Some(packages) = document.get("package") else {
        // A project without packages still says which format it is.
        let known = ["version", "metadata"].iter().any(|key| document.contains_key(*key));
        return known.then_some(pins);
    };
    for package in packages.get_ref().as_array()?.iter() {
        let table = package.get_ref().as_table()?;
        let name = string(table, "name")?;
        let name = if reader == Reader::Cargo { name.to_owned() } else { python_name(name) };
        // A project under development may have no version of its own.
        let version = string(table, "version").unwrap_or_default().to_owned();
        let line = table.get("name").map_or(1, |name| lines.number(name.span().start));
        let source = table.get("source").map(|source| toml_source(source.get_ref())).unwrap_or_default();
        let mut pin = Pin { line, source, digests: BTreeMap::new() };
        if let Some(checksum) = string(table, "checksum") {
            pin.digests.insert(String::new(), checksum.to_owned());
        }
        for key in ["sdist", "wheels", "files"] {
            let Some(value) = table.get(key) else { continue };
            match value.get_ref() {
                DeValue::Array(files) => files.iter().for_each(|file| toml_digest(file.get_ref(), &mut pin)),
                other => toml_digest(other, &mut pin),
            }
        }
        pins.add(name, version, pin);
    }
    // Poetry before 1.5 keeps the digests apart.
    let files =
        document.get("metadata").and_then(|metadata| metadata.get_ref().as_table()?.get("files")?.get_ref().as_table());
    for (name, files) in files.into_iter().flat_map(DeTable::iter) {
        let Some(versions) = pins.0.get_mut(&python_name(name.get_ref())) else { continue };
        for pin in versions.values_mut().flatten() {
            for file in files.get_ref().as_array().into_iter().flat_map(|files| files.iter()) {
                toml_digest(file.get_ref(), pin);
            }
        }
    }
    Some(pins)
}

/// A source as one text: Cargo's is a string, uv's and Poetry's a table.
fn toml_source(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => text.to_string(),
        DeValue::Table(table) => {
            let parts: BTreeMap<&str, String> =
                table.iter().map(|(key, value)| (key.get_ref().as_ref(), toml_source(value.get_ref()))).collect();
            parts.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" ")
        }
        other => format!("{other:?}"),
    }
}

fn toml_digest(value: &DeValue<'_>, pin: &mut Pin) {
    let Some(table) = value.as_table() else { return };
    let of = ["file", "url", "path", "name"].iter().find_map(|key| string(table, key)).unwrap_or_default();
    // The file's name: mirrors differ in the rest.
    let of = of.rsplit('/').next().unwrap_or(of);
    if let Some(digest) = string(table, "hash") {
        pin.digests.insert(of.to_owned(), digest.to_owned());
    }
}

/// pip's requirements. What is not pinned by `==` is kept as its text, so that any difference in it is one.
fn requirements(text: &str) -> Option<Pins> {
    let mut pins = Pins::default();
    let mut lines = text.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let mut whole = line.to_owned();
        while whole.ends_with('\\') {
            whole.pop();
            match lines.next() {
                Some((_, next)) => whole.push_str(next),
                None => break,
            }
        }
        let line = match whole.find(" #") {
            Some(at) => &whole[..at],
            None => &whole,
        };
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if line.contains("<<<<<<<") {
            return None;
        }
        let mut pin = Pin { line: number(index), ..Pin::default() };
        if line.starts_with('-') {
            // `--index-url`, `-r`, `-e`: the option is the name, all of it is the source.
            let option = line.split([' ', '=']).next().unwrap_or(line);
            pin.source = line.to_owned();
            pins.add(option.to_owned(), String::new(), pin);
            continue;
        }
        let (requirement, options) = line.split_once(" --").unwrap_or((line, ""));
        // Which file each digest is of is not said, so they count as one: any other set is another content.
        let mut digests: Vec<&str> =
            options.split("hash=").skip(1).filter_map(|digest| digest.split_whitespace().next()).collect();
        digests.sort_unstable();
        if !digests.is_empty() {
            pin.digests.insert(String::new(), digests.join(" "));
        }
        let end = requirement
            .find(|character: char| !(character.is_alphanumeric() || matches!(character, '-' | '_' | '.')))
            .unwrap_or(requirement.len());
        let (name, rest) = requirement.split_at(end);
        if name.is_empty() {
            return None;
        }
        let rest = rest.trim();
        let (extras, rest) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((extras, rest)) => (extras, rest.trim()),
            None => ("", rest),
        };
        let (constraint, marker) = rest.split_once(';').unwrap_or((rest, ""));
        let pinned = constraint
            .trim()
            .strip_prefix("==")
            .map(str::trim)
            .filter(|version| !version.is_empty() && !version.contains(['*', ',', ' ', '<', '>', '=', '~']));
        match pinned {
            Some(version) => {
                pin.source = [extras.trim(), marker.trim()].join(" ").trim().to_owned();
                pins.add(python_name(name), version.to_owned(), pin);
            }
            None => {
                pin.source = rest.to_owned();
                pins.add(python_name(name), String::new(), pin);
            }
        }
    }
    Some(pins)
}

fn package_lock(text: &str) -> Option<Pins> {
    let document: Value = serde_json::from_str(text).ok()?;
    let mut pins = Pins::default();
    // Where each key begins; a repeated one (old nested trees) keeps its first line.
    let mut lines: BTreeMap<&str, u32> = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        if let Some(key) = line.trim().strip_prefix('"').and_then(|rest| rest.strip_suffix("\": {")) {
            lines.entry(key).or_insert(number(index));
        }
    }
    let pin = |key: &str, entry: &Value| {
        let field = |name: &str| entry.get(name).and_then(Value::as_str);
        let mut pin = Pin { line: lines.get(key).copied().unwrap_or(1), ..Pin::default() };
        pin.source = npm_source(field("resolved").unwrap_or_default());
        if let Some(integrity) = field("integrity") {
            pin.digests.insert(String::new(), integrity.to_owned());
        }
        (field("version").unwrap_or_default().to_owned(), pin)
    };
    if let Some(packages) = document.get("packages") {
        for (key, entry) in packages.as_object()? {
            if key.is_empty() || entry.get("link").and_then(Value::as_bool) == Some(true) {
                continue;
            }
            let placed = key.rsplit_once("node_modules/").map_or(key.as_str(), |(_, name)| name);
            let name = entry.get("name").and_then(Value::as_str).unwrap_or(placed);
            let (version, pin) = pin(key, entry);
            pins.add(name.to_owned(), version, pin);
        }
        return Some(pins);
    }
    document.get("lockfileVersion")?;
    // serde_json bounds the depth of the document, hence of this walk.
    let mut open: Vec<&Value> = document.get("dependencies").into_iter().collect();
    while let Some(dependencies) = open.pop() {
        for (name, entry) in dependencies.as_object()? {
            let (version, pin) = pin(name, entry);
            pins.add(name.clone(), version, pin);
            open.extend(entry.get("dependencies"));
        }
    }
    Some(pins)
}

/// What a download's address says besides the version: the server for an archive, all of it for anything else.
fn npm_source(resolved: &str) -> String {
    let archive = resolved.split(['#', '?']).next().unwrap_or(resolved);
    match resolved.split_once("://") {
        Some(("http" | "https", _)) if archive.ends_with(".tgz") => {
            archive.splitn(4, '/').take(3).collect::<Vec<_>>().join("/")
        }
        _ => resolved.to_owned(),
    }
}

fn yarn(text: &str) -> Option<Pins> {
    let mut pins = Pins::default();
    let mut entry: Option<(String, String, Pin)> = None;
    let close = |entry: Option<(String, String, Pin)>, pins: &mut Pins| match entry {
        // `__metadata` is no package.
        Some((name, ..)) if name == "__metadata" => Some(()),
        Some((_, version, _)) if version.is_empty() => None,
        Some((name, version, pin)) => {
            pins.add(name, version, pin);
            Some(())
        }
        None => Some(()),
    };
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        if !line.starts_with(' ') {
            close(entry.take(), &mut pins)?;
            let first = line.trim_end().strip_suffix(':')?.split(',').next()?.trim().trim_matches('"');
            // The `@` that parts name and range is never the first character: that one marks a scope.
            let name = match first.char_indices().skip(1).find(|(_, character)| *character == '@') {
                Some((at, _)) => &first[..at],
                None if first == "__metadata" => first,
                None => return None,
            };
            entry = Some((name.to_owned(), String::new(), Pin { line: number(index), ..Pin::default() }));
            continue;
        }
        let (_, version, pin) = entry.as_mut()?;
        if line.starts_with("   ") {
            continue;
        }
        let line = line.trim();
        let value = |key: &str| {
            let rest = line.strip_prefix(key)?;
            let rest = rest.strip_prefix(':').unwrap_or(rest).strip_prefix(' ')?;
            Some(rest.trim().trim_matches('"').to_owned())
        };
        if let Some(text) = value("version") {
            *version = text;
        } else if let Some(text) = value("resolved") {
            let hash = text.split_once('#').map(|(_, hash)| hash.to_owned());
            pin.source = npm_source(&text);
            if let Some(hash) = hash {
                pin.digests.insert("resolved".to_owned(), hash);
            }
        } else if let Some(text) = value("resolution") {
            // `name@npm:1.2.3`: what stands before the version.
            pin.source = text.rsplit_once(':').map_or(text.clone(), |(source, _)| source.to_owned());
        } else if let Some(text) = value("integrity").or_else(|| value("checksum")) {
            pin.digests.insert(String::new(), text);
        }
    }
    close(entry, &mut pins)?;
    Some(pins)
}

fn pnpm(text: &str) -> Option<Pins> {
    let mut pins = Pins::default();
    let version: &str =
        text.lines().find_map(|line| line.strip_prefix("lockfileVersion:"))?.trim().trim_matches(['\'', '"']);
    let old = version.split('.').next()?.parse::<u32>().ok()? < 6;
    let mut inside = false;
    let mut current: Option<(String, String, Pin)> = None;
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() || line.trim_start().starts_with('#') {
            continue;
        }
        let indent = line.len() - line.trim_start_matches(' ').len();
        let content = line.trim();
        if indent == 0 {
            inside = content == "packages:";
        }
        if !inside || indent == 0 {
            continue;
        }
        if indent == 2 {
            if let Some((name, version, pin)) = current.take() {
                pins.add(name, version, pin);
            }
            // `/a/1.0.0: {resolution: …}` does not occur: pnpm writes entries as blocks.
            let key = content.strip_suffix(':')?.trim_matches(['\'', '"']);
            let key = key.split('(').next()?;
            let key = key.strip_prefix('/').unwrap_or(key);
            let (name, version) = if old {
                key.rsplit_once('/')?
            } else {
                key.get(1..)?.split_once('@').map(|(name, version)| (&key[..=name.len()], version))?
            };
            let version = if old { version.split('_').next()? } else { version };
            current = Some((name.to_owned(), version.to_owned(), Pin { line: number(index), ..Pin::default() }));
        } else if let Some((_, _, pin)) = current.as_mut()
            && indent == 4
            && let Some(resolution) = content.strip_prefix("resolution:")
        {
            for field in resolution.trim().trim_matches(['{', '}']).split(", ") {
                match field.split_once(": ") {
                    Some(("integrity", digest)) => {
                        pin.digests.insert(String::new(), digest.to_owned());
                    }
                    Some(("tarball", address)) => pin.source = npm_source(address),
                    Some(_) => pin.source.push_str(field),
                    None => {}
                }
            }
        }
    }
    if let Some((name, version, pin)) = current {
        pins.add(name, version, pin);
    }
    Some(pins)
}

/// A module's name without its major version: `x/v2` is the next major version of `x`.
fn go_name(path: &str) -> String {
    match path.rsplit_once("/v") {
        Some((name, major)) if !major.is_empty() && major.bytes().all(|byte| byte.is_ascii_digit()) => name.to_owned(),
        _ => path.to_owned(),
    }
}

fn go_sum(text: &str) -> Option<Pins> {
    let mut pins = Pins::default();
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let mut words = line.split_whitespace();
        let (path, version, digest) = (words.next()?, words.next()?, words.next()?);
        if words.next().is_some() || !digest.starts_with("h1:") {
            return None;
        }
        // Versions of which only the `go.mod` is known were looked at, not used.
        if !version.ends_with("/go.mod") {
            let digests = BTreeMap::from([(String::new(), digest.to_owned())]);
            pins.add(go_name(path), version.to_owned(), Pin { line: number(index), source: String::new(), digests });
        }
    }
    Some(pins)
}

fn go_mod(text: &str) -> Option<Pins> {
    let mut pins = Pins::default();
    let mut block: Option<String> = None;
    for (index, line) in text.lines().enumerate() {
        let line = line.split("//").next().unwrap_or(line).trim();
        if line.is_empty() {
            continue;
        }
        if line == ")" {
            block.take()?;
            continue;
        }
        if let Some(directive) = line.strip_suffix('(') {
            if block.replace(directive.trim().to_owned()).is_some() {
                return None;
            }
            continue;
        }
        let (directive, rest) = match &block {
            Some(directive) => (directive.as_str(), line),
            None => line.split_once(char::is_whitespace)?,
        };
        let mut words = rest.split_whitespace().map(|word| word.trim_matches('"'));
        let pin = Pin { line: number(index), ..Pin::default() };
        match directive {
            "require" => pins.add(go_name(words.next()?), words.next()?.to_owned(), pin),
            "replace" | "exclude" => {
                let source = rest.split_whitespace().collect::<Vec<_>>().join(" ");
                pins.add(format!("{directive} {}", words.next()?), String::new(), Pin { source, ..pin });
            }
            "toolchain" | "go" => {
                pins.add(directive.to_owned(), words.next()?.trim_start_matches("go").to_owned(), pin)
            }
            "module" | "retract" | "tool" | "godebug" | "ignore" => {}
            _ => return None,
        }
    }
    block.is_none().then_some(pins)
}
