//! Comparing two versions of one package: semantic versions, Python's (PEP 440) and Go's, as far as their numbers go.

use std::cmp::Ordering;

use super::PackageChangeKind;

/// A version as far as it can be compared.
#[derive(Debug, PartialEq, Eq)]
struct Version<'a> {
    epoch: u64,
    /// Without trailing zeros, so that `1.0` equals `1`.
    numbers: Vec<u64>,
    /// Whatever follows the numbers: `-rc.1`, `rc1`, `+cu118`, `.post1`.
    rest: &'a str,
}

fn parse(text: &str) -> Option<Version<'_>> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let (epoch, text) = match text.split_once('!') {
        Some((epoch, rest)) => (epoch.parse().ok()?, rest),
        None => (0, text),
    };
    let mut numbers = Vec::new();
    let mut rest = text;
    loop {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            // `.post1` after the numbers, or no number at all.
            break;
        }
        numbers.push(rest[..digits].parse().ok()?);
        rest = &rest[digits..];
        match rest.strip_prefix('.') {
            Some(next) if next.starts_with(|character: char| character.is_ascii_digit()) => rest = next,
            _ => break,
        }
    }
    if numbers.is_empty() {
        return None;
    }
    while numbers.len() > 1 && numbers.last() == Some(&0) {
        numbers.pop();
    }
    // Go marks modules from before modules so; it says nothing about the order.
    let rest = rest.strip_suffix("+incompatible").unwrap_or(rest);
    Some(Version { epoch, numbers, rest })
}

fn number(numbers: &[u64], index: usize) -> u64 {
    numbers.get(index).copied().unwrap_or(0)
}

/// How far a package moved from one version to another, which differ as texts.
pub(super) fn kind(from: &str, to: &str) -> PackageChangeKind {
    let (Some(before), Some(after)) = (parse(from), parse(to)) else { return PackageChangeKind::Unknown };
    match before.epoch.cmp(&after.epoch) {
        Ordering::Less => return PackageChangeKind::Major,
        Ordering::Greater => return PackageChangeKind::Downgrade,
        Ordering::Equal => {}
    }
    let longest = before.numbers.len().max(after.numbers.len());
    let difference = (0..longest).find(|index| number(&before.numbers, *index) != number(&after.numbers, *index));
    let Some(difference) = difference else {
        return match (is_release(before.rest), is_release(after.rest)) {
            _ if before.rest == after.rest => PackageChangeKind::Patch,
            (false, true) if is_prerelease(before.rest) => PackageChangeKind::Patch,
            (true, false) if is_prerelease(after.rest) => PackageChangeKind::Downgrade,
            _ => PackageChangeKind::Unknown,
        };
    };
    if number(&before.numbers, difference) > number(&after.numbers, difference) {
        return PackageChangeKind::Downgrade;
    }
    let leading = (0..longest)
        .find(|index| number(&before.numbers, *index) != 0 || number(&after.numbers, *index) != 0)
        .unwrap_or(0);
    match difference - leading {
        0 => PackageChangeKind::Major,
        1 => PackageChangeKind::Minor,
        _ => PackageChangeKind::Patch,
    }
}

fn is_release(rest: &str) -> bool {
    rest.is_empty()
}

fn is_prerelease(rest: &str) -> bool {
    let rest = rest.trim_start_matches(['.', '-', '_']).to_ascii_lowercase();
    ["a", "b", "rc", "c", "dev", "alpha", "beta", "pre", "next"].iter().any(|name| {
        rest.strip_prefix(name).is_some_and(|end| {
            end.chars().all(|character| character.is_ascii_digit() || matches!(character, '.' | '-' | '_'))
        })
    })
}

/// An order for pairing: by numbers, then by text; versions without numbers first.
pub(super) fn order(left: &str, right: &str) -> Ordering {
    let key = |text| parse(text).map(|version| (version.epoch, version.numbers));
    key(left).cmp(&key(right)).then_with(|| left.cmp(right))
}

#[cfg(test)]
mod tests {
    use super::super::PackageChangeKind::{Downgrade, Major, Minor, Patch, Unknown};
    use super::*;

    #[test]
    fn the_kind_of_a_move_is_read_from_the_numbers() {
        for (from, to, expected) in [
            ("1.2.3", "2.0.0", Major),
            ("1.2.3", "1.3.0", Minor),
            ("1.2.3", "1.2.4", Patch),
            ("0.4.1", "0.5.0", Major),
            ("0.4.1", "0.4.2", Minor),
            ("0.0.1", "0.0.2", Major),
            ("0.9.0", "1.0.0", Major),
            ("1.0", "1.0.1", Patch),
            ("1.0.0", "1", Patch),
            ("2.0.0", "1.9.9", Downgrade),
            ("1!1.0", "2.0", Downgrade),
            ("9.0", "1!1.0", Major),
            ("1.0.0-rc.1", "1.0.0", Patch),
            ("1.0rc1", "1.0", Patch),
            ("1.0", "1.0rc1", Downgrade),
            ("1.0rc1", "1.0rc2", Unknown),
            ("2.1.0+cu118", "2.1.0+cu121", Unknown),
            ("1.0", "1.0.post1", Unknown),
            ("v1.2.3", "v1.2.4+incompatible", Patch),
            ("v0.0.0-20200101000000-abcdefabcdef", "v0.0.0-20210101000000-abcdefabcdef", Unknown),
            ("main", "1.0", Unknown),
            ("1.99999999999999999999999", "1.2", Unknown),
            ("10.0", "9.0", Downgrade),
        ] {
            assert_eq!(kind(from, to), expected, "{from} -> {to}");
        }
    }
}
