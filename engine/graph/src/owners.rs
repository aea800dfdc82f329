//! Who owns a file, by a `CODEOWNERS` file in GitHub's syntax: gitignore-like patterns, the last match wins.
//!
//! Lines that GitHub would skip are skipped and reported. It does not know who is in a team.

use std::fmt;
use std::sync::Arc;

/// Where the file is looked for; the first that is there counts.
pub const PLACES: [&str; 4] = [".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS"];

/// GitHub ignores a larger file altogether.
pub const MAX_BYTES: usize = 3 << 20;
/// Longest pattern, in bytes.
const MAX_PATTERN_BYTES: usize = 4096;

/// An owner as `CODEOWNERS` names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Owner {
    /// `@name`, without the `@`.
    User(Arc<str>),
    /// `@org/team`, without the `@`.
    Team(Arc<str>),
    /// An e-mail address.
    Email(Arc<str>),
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(name) | Self::Team(name) => write!(f, "@{name}"),
            Self::Email(address) => f.write_str(address),
        }
    }
}

/// A line that was skipped, or the whole file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnersProblem {
    /// Line, 1-based; 0 for the whole file.
    pub line: u32,
    /// What is wrong.
    pub why: &'static str,
}

/// A parsed `CODEOWNERS` file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Owners {
    rules: Vec<Rule>,
    /// What was skipped, in order.
    pub problems: Vec<OwnersProblem>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    pattern: Pattern,
    owners: Vec<Owner>,
    line: u32,
}

/// A pattern by its segments.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pattern {
    segments: Vec<Segment>,
    /// Whatever is below a match is matched too.
    descends: Descent,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Descent {
    /// `docs/*`: only what is named.
    No,
    /// `docs`: the file itself, or everything below the folder.
    Also,
    /// `docs/`: only what is below.
    Only,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    /// `**`: any number of segments, none included.
    AnyDepth,
    /// One segment; `*` and `?` stand for characters.
    One(Vec<char>),
}

impl Owners {
    /// Reads the text of a `CODEOWNERS` file; never fails, see [`Owners::problems`].
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut owners = Self::default();
        if text.len() > MAX_BYTES {
            owners.problems.push(OwnersProblem { line: 0, why: "larger than 3 MB: GitHub ignores it" });
            return owners;
        }
        for (index, line) in text.lines().enumerate() {
            let number = u32::try_from(index).unwrap_or(u32::MAX - 1).saturating_add(1);
            match parse_line(line) {
                Ok(Some((pattern, names))) => owners.rules.push(Rule { pattern, owners: names, line: number }),
                Ok(None) => {}
                Err(why) => owners.problems.push(OwnersProblem { line: number, why }),
            }
        }
        owners
    }

    /// The owners of a file, empty where nobody owns it.
    #[must_use]
    pub fn owners_of(&self, path: &str) -> &[Owner] {
        self.rule_of(path).map_or(&[], |rule| &rule.owners)
    }

    /// The line (1-based) that decides about a file.
    #[must_use]
    pub fn line_of(&self, path: &str) -> Option<u32> {
        self.rule_of(path).map(|rule| rule.line)
    }

    fn rule_of(&self, path: &str) -> Option<&Rule> {
        let segments: Vec<Vec<char>> = path.split('/').map(|segment| segment.chars().collect()).collect();
        self.rules.iter().rev().find(|rule| rule.pattern.matches(&segments))
    }
}

fn parse_line(line: &str) -> Result<Option<(Pattern, Vec<Owner>)>, &'static str> {
    let mut words = words_of(line).into_iter();
    let Some(pattern) = words.next() else { return Ok(None) };
    let pattern = Pattern::parse(&pattern)?;
    let owners = words.map(|word| owner(&word)).collect::<Result<_, _>>()?;
    Ok(Some((pattern, owners)))
}

/// Words by white space, `\ ` being a blank inside a word; a `#` that begins a word begins a comment.
fn words_of(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '#' if word.is_empty() => break,
            '\\' if characters.peek() == Some(&' ') => {
                word.push(' ');
                characters.next();
            }
            _ if character.is_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            _ => word.push(character),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

fn owner(word: &str) -> Result<Owner, &'static str> {
    let plain = |name: &str| {
        !name.is_empty()
            && name.chars().all(|character| character.is_alphanumeric() || matches!(character, '-' | '_' | '.'))
    };
    if let Some(name) = word.strip_prefix('@') {
        return match name.split_once('/') {
            Some((organisation, team)) if plain(organisation) && plain(team) => Ok(Owner::Team(name.into())),
            None if plain(name) => Ok(Owner::User(name.into())),
            _ => Err("an owner is `@name`, `@organisation/team` or an e-mail address"),
        };
    }
    match word.split_once('@') {
        Some((local, domain))
            if !local.is_empty() && domain.contains('.') && domain.split('.').all(plain) && !domain.contains('@') =>
        {
            Ok(Owner::Email(word.into()))
        }
        _ => Err("an owner is `@name`, `@organisation/team` or an e-mail address"),
    }
}

impl Pattern {
    fn parse(text: &str) -> Result<Self, &'static str> {
        if text.len() > MAX_PATTERN_BYTES {
            return Err("the pattern is too long");
        }
        if text.starts_with('!') {
            return Err("`!` does not negate here");
        }
        if text.contains(['[', ']']) {
            return Err("`[` and `]` have no meaning here");
        }
        if text.contains('\\') {
            return Err("`\\` escapes nothing but a blank");
        }
        let inner = text.strip_suffix('/').unwrap_or(text);
        let only_below = inner.len() != text.len();
        // A slash before the end ties the pattern to the top.
        let anchored = inner.contains('/');
        let inner = inner.strip_prefix('/').unwrap_or(inner);
        if inner.is_empty() {
            return Err("the pattern names nothing");
        }
        let mut segments = Vec::new();
        if !anchored {
            segments.push(Segment::AnyDepth);
        }
        for segment in inner.split('/') {
            match segment {
                "" => return Err("the pattern has an empty segment"),
                "**" if segments.last() == Some(&Segment::AnyDepth) => {}
                "**" => segments.push(Segment::AnyDepth),
                _ => segments.push(Segment::One(segment.chars().collect())),
            }
        }
        let ends_in_star = anchored && inner.ends_with("/*");
        let descends = match () {
            () if only_below || inner.ends_with("/**") => Descent::Only,
            () if ends_in_star => Descent::No,
            () => Descent::Also,
        };
        Ok(Self { segments, descends })
    }

    fn matches(&self, path: &[Vec<char>]) -> bool {
        let longest = path.len();
        match self.descends {
            Descent::No => segments_match(&self.segments, path),
            Descent::Also => (1..=longest).any(|end| segments_match(&self.segments, &path[..end])),
            Descent::Only => (1..longest).any(|end| segments_match(&self.segments, &path[..end])),
        }
    }
}

/// Each wildcard takes as little as it can; only the last one seen is ever given more, which is enough and keeps it quadratic.
fn wildcard_match<P, T>(pattern: &[P], text: &[T], any: impl Fn(&P) -> bool, one: impl Fn(&P, &T) -> bool) -> bool {
    let (mut at, mut from) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while from < text.len() {
        if pattern.get(at).is_some_and(&any) {
            retry = Some((at, from));
            at += 1;
        } else if pattern.get(at).is_some_and(|item| one(item, &text[from])) {
            at += 1;
            from += 1;
        } else if let Some((star, taken)) = retry {
            retry = Some((star, taken + 1));
            at = star + 1;
            from = taken + 1;
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(any)
}

fn segments_match(pattern: &[Segment], path: &[Vec<char>]) -> bool {
    wildcard_match(
        pattern,
        path,
        |segment| *segment == Segment::AnyDepth,
        |segment, text| match segment {
            Segment::AnyDepth => false,
            Segment::One(glob) => {
                wildcard_match(glob, text, |character| *character == '*', |left, right| *left == '?' || left == right)
            }
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(owners: &Owners, path: &str) -> Vec<String> {
        owners.owners_of(path).iter().map(Owner::to_string).collect()
    }

    fn matches(pattern: &str, path: &str) -> bool {
        let owners = Owners::parse(&format!("{pattern} @a\n"));
        assert_eq!(owners.problems, [], "{pattern}");
        !owners.owners_of(path).is_empty()
    }

    #[test]
    fn the_last_match_wins_and_a_pattern_without_owners_frees_its_files() {
        let owners = Owners::parse(
            "# all\n*  @global-1 @org/team  # default\r\n*.js js@example.org\n/apps/ @octocat\n/apps/github\n\n/docs/a\\ b.md @d\n",
        );
        assert_eq!(owners.problems, []);
        assert_eq!(names(&owners, "x.rs"), ["@global-1", "@org/team"]);
        assert_eq!(names(&owners, "deep/x.js"), ["js@example.org"]);
        assert_eq!(names(&owners, "apps/x.js"), ["@octocat"]);
        assert_eq!(names(&owners, "apps/github/x.js"), [""; 0]);
        assert_eq!(owners.line_of("apps/github/x.js"), Some(5));
        assert_eq!(names(&owners, "docs/a b.md"), ["@d"]);
        assert_eq!(Owners::default().line_of("x"), None);
    }

    #[test]
    fn patterns_match_as_github_documents_them() {
        for (pattern, path, expected) in [
            ("*", "a/b/c", true),
            ("*.js", "a/b.js", true),
            ("*.js", "a/b.jsx", false),
            ("/build/logs/", "build/logs/x/y", true),
            ("/build/logs/", "build/logs", false),
            ("/build/logs/", "a/build/logs/x", false),
            ("docs/*", "docs/x.md", true),
            ("docs/*", "docs/a/x.md", false),
            ("docs/*", "a/docs/x.md", false),
            ("apps/", "x/apps/y", true),
            ("apps/", "apps", false),
            ("/docs/", "docs/x", true),
            ("/scripts", "scripts/x/y", true),
            ("/scripts", "scripts", true),
            ("/scripts", "scripts2", false),
            ("**/logs", "a/b/logs/c", true),
            ("**/logs", "logs/c", true),
            ("a/**/b", "a/b", true),
            ("a/**/b", "a/x/y/b/z", true),
            ("a/**/b", "ab", false),
            ("a/**", "a/x", true),
            ("a/**", "a", false),
            ("src/*.p?", "src/x.py", true),
            ("src/*.p?", "src/d/x.py", false),
            ("README", "readme", false),
            ("/a*b*c", "aXbYbZc", true),
        ] {
            assert_eq!(matches(pattern, path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn lines_that_github_skips_are_skipped_and_reported() {
        let owners = Owners::parse(
            "*.py @ok\n!a.py @x\n[ab].py @x\n\\#x @x\n*.py not-an-owner\n*.py @a/b/c\n*.py @ok x@y\n/ @x\n",
        );
        let lines: Vec<u32> = owners.problems.iter().map(|problem| problem.line).collect();
        assert_eq!(lines, [2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(names(&owners, "a.py"), ["@ok"]);
    }

    #[test]
    fn a_file_that_github_ignores_owns_nothing() {
        let owners = Owners::parse(&"* @a\n".repeat(MAX_BYTES / 4));
        assert_eq!(owners.problems.len(), 1);
        assert!(owners.owners_of("x").is_empty());
    }

    #[test]
    fn many_wildcards_do_not_blow_up() {
        let pattern = "*a".repeat(1000);
        assert!(!matches(&pattern, &format!("{}b", "a".repeat(4000))));
        let deep = vec!["**"; 500].join("/x/");
        assert!(!matches(&format!("{deep}/y"), &vec!["x"; 2000].join("/")));
    }
}
