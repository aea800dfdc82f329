//! Small judgements over text: what a string literal looks like, which comments are code, what an annotation names.

use std::borrow::Cow;

use crate::facts::{PartFlags, StringShape, StringUse};

/// Longest string literal (in bytes) that is kept as a fact.
const MAX_STRING: usize = 200;

/// Identifiers joined by single dots, nothing else.
pub(super) fn is_dotted(text: &str) -> bool {
    let mut begins = true;
    for byte in text.bytes() {
        match byte {
            b'_' | b'a'..=b'z' | b'A'..=b'Z' => begins = false,
            b'0'..=b'9' if !begins => {}
            b'.' if !begins => begins = true,
            // Few names need to be read by characters.
            0x80.. => return text.split('.').all(is_identifier),
            _ => return false,
        }
    }
    !begins
}

pub(super) fn is_identifier(text: &str) -> bool {
    if text.is_ascii() {
        return !text.starts_with(|first: char| first.is_ascii_digit())
            && !text.is_empty()
            && text.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric());
    }
    let mut chars = text.chars();
    chars.next().is_some_and(|first| first == '_' || first.is_alphabetic())
        && chars.all(|other| other == '_' || other.is_alphanumeric())
}

/// The name of what is called, in pieces.
#[derive(Debug, Clone, Copy)]
pub(super) struct Callee<'c> {
    chain: &'c str,
    /// The segment before the last one; empty where there is none.
    owner: &'c str,
    last: &'c str,
}

impl<'c> Callee<'c> {
    /// The pieces of a chain.
    pub(super) fn of(chain: &'c str) -> Self {
        let (before, last) = split_last(chain).unwrap_or(("", chain));
        let owner = split_last(before).map_or(before, |(_, owner)| owner);
        Self { chain, owner, last }
    }
}

/// As `rsplit_once('.')`, for texts so short that nothing needs to be set up for it.
pub(super) fn split_last(chain: &str) -> Option<(&str, &str)> {
    let at = chain.bytes().rposition(|byte| byte == b'.')?;
    Some((&chain[..at], &chain[at + 1..]))
}

/// A name as written, without what may stand between its pieces: spaces, continued lines, comments.
pub(super) fn without_spaces(text: &str) -> Cow<'_, str> {
    let is_space = |char: char| char.is_whitespace() || char == '\\';
    if !text.contains(|char| is_space(char) || char == '#') {
        return Cow::Borrowed(text);
    }
    let lines = text.split('\n').map(|line| line.split_once('#').map_or(line, |(line, _)| line));
    lines.flat_map(str::chars).filter(|char| !is_space(*char)).collect()
}

/// True for a literal with interpolation, by its prefix.
pub(super) fn is_formatted(literal: &str) -> bool {
    let mut prefix = literal.bytes().take_while(u8::is_ascii_alphabetic);
    prefix.any(|byte| matches!(byte, b'f' | b'F' | b't' | b'T'))
}

/// The text between the quotes of a plain literal: no bytes, no interpolation, no escapes, one line.
pub(super) fn literal_content(literal: &str) -> Option<&str> {
    if literal.len() > MAX_STRING + 8 {
        return None;
    }
    let quoted = literal.trim_start_matches(['r', 'R', 'u', 'U']);
    let quote = quoted.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    let triple = if quote == '"' { "\"\"\"" } else { "'''" };
    let inner = match quoted.strip_prefix(triple).and_then(|rest| rest.strip_suffix(triple)) {
        Some(inner) => inner,
        None => quoted.strip_prefix(quote)?.strip_suffix(quote)?,
    };
    (!inner.is_empty() && inner.len() <= MAX_STRING && !inner.contains(['\n', '\\'])).then_some(inner)
}

/// What a literal looks like; empty when it names nothing we know of.
pub(super) fn string_shape(text: &str) -> StringShape {
    let mut shape = StringShape::empty();
    // Most strings are words; each shape has one of these.
    if !text.bytes().any(|byte| matches!(byte, b'.' | b'/' | b':')) {
        return shape;
    }
    if !text.is_ascii() || text.bytes().any(|byte| byte.is_ascii_whitespace() || byte.is_ascii_control()) {
        return shape;
    }
    let named = text.bytes().any(|byte| byte.is_ascii_alphabetic());
    if !named || text.contains("://") {
        return shape;
    }
    let path_like = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-./+@~".contains(&byte));
    if text.contains('.') && is_dotted(text) {
        shape |= StringShape::DOTTED;
    }
    if path_like && (text.contains('/') || has_extension(text)) {
        shape |= StringShape::PATH;
    }
    if let Some((name, tag)) = text.split_once(':')
        && name.bytes().any(|byte| byte.is_ascii_alphabetic())
        && !tag.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-./".contains(&byte))
        && tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
    {
        shape |= StringShape::MODEL;
    }
    shape
}

fn has_extension(text: &str) -> bool {
    text.rsplit_once('.').is_some_and(|(stem, extension)| {
        !stem.is_empty()
            && (1..=8).contains(&extension.len())
            && extension.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

/// What the string arguments of a call of this name say.
pub(super) fn call_usage(callee: Callee<'_>) -> StringUse {
    match callee.last {
        "open"
        | "Path"
        | "PurePath"
        | "read_text"
        | "read_bytes"
        | "read_binary"
        | "open_text"
        | "open_binary"
        | "joinpath"
        | "files"
        | "resource_filename"
        | "get_data"
        | "get_template"
        | "FileSystemLoader"
        | "PackageLoader"
        | "run_path"
        | "spec_from_file_location"
        | "SourceFileLoader"
        | "load_source" => StringUse::Path,
        "join" if callee.chain.ends_with("path.join") => StringUse::Path,
        "patch" => StringUse::Patch,
        "object" | "multiple" => StringUse::Plain,
        "import_module" | "__import__" | "importorskip" | "run_module" => StringUse::Module,
        "usefixtures" | "getfixturevalue" => StringUse::Fixture,
        _ => StringUse::Plain,
    }
}

/// Modules of which most calls start a process.
const PROCESS_MODULES: [&str; 12] = [
    "subprocess",
    "pexpect",
    "pexpect.popen_spawn",
    "pty",
    "ptyprocess",
    "winpty",
    "sh",
    "plumbum",
    "plumbum.cmd",
    "invoke",
    "sarge",
    "delegator",
];

/// Whether calls of what an import binds start processes: `name` of a module, or all of it.
pub(super) fn imports_processes(module: &str, name: Option<&str>) -> bool {
    PROCESS_MODULES.contains(&module) || module == "os" && name.is_some_and(starts_process_of_os)
}

fn starts_process_of_os(name: &str) -> bool {
    matches!(name, "system" | "popen" | "startfile")
        || ["spawn", "exec", "posix_spawn"].iter().any(|begin| name.starts_with(begin))
}

/// What a call of this name does that names alone do not tell; `imported` says that its head is bound by an import of
/// which [`imports_processes`] holds.
pub(super) fn call_flags(callee: Callee<'_>, imported: bool) -> PartFlags {
    let Callee { owner, last, .. } = callee;
    let is_class = last.starts_with(|first: char| first.is_ascii_uppercase());
    match (owner, last) {
        (_, "Popen" | "check_call" | "check_output" | "create_subprocess_exec" | "create_subprocess_shell") => {
            PartFlags::STARTS_PROCESS
        }
        (_, "run_process" | "open_process") => PartFlags::STARTS_PROCESS,
        (_, "runpython" | "runpython_c" | "runpytest" | "runpytest_subprocess" | "run_python") => {
            PartFlags::STARTS_PROCESS
        }
        ("script_runner" | "pytester" | "testdir", last)
            if ["run", "inline_run", "spawn"].iter().any(|begin| last.starts_with(begin)) =>
        {
            PartFlags::STARTS_PROCESS
        }
        ("os", last) if starts_process_of_os(last) => PartFlags::STARTS_PROCESS,
        (_, last) if imported && !is_class && last != "list2cmdline" => PartFlags::STARTS_PROCESS,
        (_, "glob" | "rglob" | "iglob" | "iterdir" | "listdir" | "scandir") | ("os", "walk") => PartFlags::LISTS_FOLDER,
        _ => PartFlags::empty(),
    }
}

/// How a call loads code that no import names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Loading {
    /// What others registered.
    Registered,
    /// The file that an argument names.
    File,
    /// What an argument names, dotted.
    Dotted,
    /// Text.
    Text,
}

/// How a call of this name loads code, if it does.
pub(super) fn loading(callee: Callee<'_>) -> Option<Loading> {
    Some(match (callee.owner, callee.last) {
        (_, "entry_points" | "iter_entry_points" | "load_entry_point" | "load_setuptools_entrypoints")
        | (
            _,
            "ExtensionManager" | "NamedExtensionManager" | "DriverManager" | "HookManager" | "EnabledExtensionManager",
        ) => Loading::Registered,
        (_, "spec_from_file_location" | "SourceFileLoader" | "SourcelessFileLoader" | "run_path")
        | ("imp" | "", "load_source" | "load_compiled") => Loading::File,
        (_, "import_string" | "import_from_string") | ("pydoc" | "", "locate") => Loading::Dotted,
        ("", "exec" | "eval" | "execfile") => Loading::Text,
        _ => return None,
    })
}

/// Whether a call of this name gives what a file holds.
pub(super) fn reads_file(callee: Callee<'_>) -> bool {
    matches!(
        callee.last,
        "open" | "open_text" | "open_code" | "read" | "read_text" | "read_bytes" | "get_data" | "readlines"
    )
}

/// The folder before what is put into a path: of `q/{name}.sql` and `q/%s.sql` it is `q/`. `None` for other texts.
pub(super) fn folder_before_value(text: &str) -> Option<&str> {
    let (before, _) = text.split_at(text.find(['{', '%'])?);
    let folder = &before[..before.rfind('/')? + 1];
    string_shape(folder).contains(StringShape::PATH).then_some(folder)
}

/// The identifier that a string literal begins with, and whether it is all of it. `None` for what names nothing.
pub(super) fn leading_name(literal: &str) -> Option<(&str, bool)> {
    let quoted = literal.trim_start_matches(['r', 'R', 'u', 'U', 'f', 'F']);
    let quote = quoted.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    let inner = &quoted[1..];
    let end = inner.find(|char: char| !(char.is_alphanumeric() || char == '_')).unwrap_or(inner.len());
    let is_whole = inner[end..] == *quote.encode_utf8(&mut [0; 4]);
    (!(is_whole && end == 0) && end <= MAX_STRING).then(|| (&inner[..end], is_whole))
}

/// Whether a comment changes what tools or the interpreter do: a closed list.
pub(super) fn is_code_comment(comment: &str, line: usize) -> bool {
    if line == 0 && comment.starts_with("#!") {
        return true;
    }
    if line < 2 && (comment.contains("coding:") || comment.contains("coding=")) {
        return true;
    }
    comment.split('#').skip(1).any(|piece| {
        let piece = piece.trim_start();
        const PREFIXES: [&str; 20] = [
            "type:",
            "mypy:",
            "pyright:",
            "pyrefly:",
            "ty:",
            "fmt:",
            "isort:",
            "ruff:",
            "flake8:",
            "flake8=",
            "pytype:",
            "pyre-",
            "yapf:",
            "autopep8:",
            "doctest:",
            "cython:",
            "distutils:",
            "checkov:",
            "grace:",
            "/// ",
        ];
        PREFIXES.iter().any(|prefix| piece.starts_with(prefix))
            || ["noqa", "nosec", "pragma"]
                .iter()
                .any(|word| piece.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word)))
    }) || {
        // These count wherever they stand in a comment.
        let lower = comment.to_ascii_lowercase();
        const WORDS: [&str; 26] = [
            "spdx-",
            "nolint",
            "devskim:",
            "deepcode ignore",
            "codespell:",
            "cspell:",
            "tfsec:",
            "trivy:",
            "kics-scan",
            "snyk:",
            "trunk-ignore",
            "ggignore",
            "trufflehog:",
            "sourcery skip",
            "lint-ignore",
            "lint-fixme",
            "pylint:",
            "nosonar",
            "nosemgrep",
            "noinspection",
            "skipcq",
            "lgtm[",
            "codeql[",
            "gitleaks:",
            "allowlist secret",
            "whitelist secret",
        ];
        WORDS.iter().any(|word| lower.contains(word)) || lower.split('#').skip(1).any(tells_a_tool)
    }
}

/// `tool: off`, `tool:ignore[x]` and the like: the way in which most tools are told to leave something alone.
fn tells_a_tool(piece: &str) -> bool {
    let Some((tool, said)) = piece.trim_start().split_once(':') else { return false };
    let is_name =
        !tool.is_empty() && tool.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    let verb = said.trim_start().split(|character: char| !character.is_ascii_alphanumeric()).next().unwrap_or_default();
    const VERBS: [&str; 13] = [
        "ignore", "ignored", "disable", "disabled", "enable", "skip", "off", "on", "no", "noqa", "allow", "exclude",
        "keep",
    ];
    is_name && VERBS.contains(&verb)
}

/// The class that an annotation names: `X`, `"X"`, `X | None`, `Optional[X]`, `Annotated[X, …]`, `type[X]` not.
pub(super) fn annotated_name(annotation: &str) -> Option<&str> {
    let mut text = annotation.trim();
    for _ in 0..4 {
        if is_dotted(text) {
            break;
        }
        text = text.trim().trim_matches(['"', '\'']).trim();
        if let Some(inner) = text
            .strip_prefix("Optional[")
            .or_else(|| text.strip_prefix("typing.Optional["))
            .or_else(|| text.strip_prefix("Final["))
            .or_else(|| text.strip_prefix("ClassVar["))
            .and_then(|rest| rest.strip_suffix(']'))
        {
            text = inner;
        } else if let Some(inner) = text.strip_prefix("Annotated[") {
            text = inner.split(',').next().unwrap_or(inner);
        } else if text.contains('|') && !text.contains('[') {
            let mut named = text.split('|').map(str::trim).filter(|part| *part != "None");
            text = named.next()?;
            if named.next().is_some() {
                return None;
            }
        } else if let Some((generic, _)) = text.split_once('[') {
            text = generic;
        }
    }
    (is_dotted(text) && !matches!(text, "None" | "Any" | "str" | "int" | "bool" | "float" | "bytes" | "object"))
        .then_some(text)
}

/// True when the first lines say that a tool wrote the file.
pub(super) fn says_generated(text: &str) -> bool {
    text.lines().take(10).any(|line| {
        let line = line.get(..400.min(line.len())).unwrap_or(line);
        line.contains("@generated") || line.contains("DO NOT EDIT") || line.contains("Do not edit by hand")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_what_stands_between_spaces_and_comments() {
        for (written, name) in [
            ("a.b", "a.b"),
            ("a . b", "a.b"),
            ("a. \\\n  b", "a.b"),
            ("a.  # x\n  b", "a.b"),
            // A mark that joins a letter is part of the name, and of no alphabet.
            ("cafe\u{301} .b", "cafe\u{301}.b"),
            ("a\u{b7}b", "a\u{b7}b"),
        ] {
            assert_eq!(without_spaces(written), name, "{written}");
        }
    }

    #[test]
    fn names_are_told_by_bytes_as_by_characters() {
        let is_plain = |text: &str| {
            let mut chars = text.chars();
            chars.next().is_some_and(|first| first == '_' || first.is_alphabetic())
                && chars.all(|other| other == '_' || other.is_alphanumeric())
        };
        for text in
            ["", "a", "_", "a1", "1a", "a.b", "a..b", ".a", "a.", "a.1", "a.b1._c", "é.x", "x.é1", "a b", "a.é-", "²a"]
        {
            assert_eq!(is_identifier(text), is_plain(text), "{text}");
            assert_eq!(is_dotted(text), !text.is_empty() && text.split('.').all(is_plain), "{text}");
            assert_eq!(split_last(text), text.rsplit_once('.'), "{text}");
        }
    }

    #[test]
    fn shapes_name_paths_modules_and_models() {
        assert_eq!(string_shape("config/app.yaml"), StringShape::PATH);
        assert_eq!(string_shape("a.b.C"), StringShape::DOTTED | StringShape::PATH);
        assert_eq!(string_shape("mistral:7b"), StringShape::MODEL);
        assert_eq!(string_shape("qwen2.5-coder:7b"), StringShape::MODEL);
        assert_eq!(string_shape("12:30"), StringShape::empty());
        assert_eq!(string_shape("http://a/b"), StringShape::empty());
        assert_eq!(string_shape("some words."), StringShape::empty());
    }

    #[test]
    fn comments_that_are_code_are_a_closed_list() {
        for code in [
            "# type: ignore",
            "#noqa",
            "# NOQA: E1",
            "# see # nosec",
            "# pragma: no cover",
            "# pylint: disable=x",
            "# why, pylint: disable=x",
            "# PRAGMA no cover",
            "# nosemgrep: x",
            "# gazelle:ignore x",
            "# lint: off",
            "# renovate: disable",
            "# SPDX-License-Identifier: MIT",
            "# trunk-ignore(all)",
            "# /// script",
        ] {
            assert!(is_code_comment(code, 9), "{code}");
        }
        assert!(is_code_comment("#!/usr/bin/env python", 0));
        assert!(is_code_comment("# -*- coding: latin-1 -*-", 1));
        for prose in
            ["# typed", "# a note", "# note: see there", "# a word: ignore it", "#!/usr/bin/env python", "# coding: x"]
        {
            assert!(!is_code_comment(prose, 9), "{prose}");
        }
    }

    #[test]
    fn annotations_name_one_class() {
        assert_eq!(annotated_name("Optional[\"m.Kernel\"]"), Some("m.Kernel"));
        assert_eq!(annotated_name("Kernel | None"), Some("Kernel"));
        assert_eq!(annotated_name("Box[int]"), Some("Box"));
        assert_eq!(annotated_name("A | B"), None);
        assert_eq!(annotated_name("int"), None);
    }

    #[test]
    fn literals_lose_prefix_and_quotes() {
        assert_eq!(literal_content("r'a/b'"), Some("a/b"));
        assert_eq!(literal_content("\"\"\"x.y\"\"\""), Some("x.y"));
        assert_eq!(literal_content("b'x'"), None);
        assert_eq!(literal_content("'a\\n'"), None);
        assert_eq!(literal_content("'"), None);
    }
}
