//! JUnit reports as test programs write them: pytest old and new, jest, surefire, nextest, gotestsum.
//!
//! A report is hostile: size, depth and count are bounded, document types are refused and no entity but
//! XML's own five is known. Times of the suites are not read, only the durations of the test cases.

use std::path::Path;

use grace_system::files;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};

/// Largest report that is read, in bytes.
pub const MAX_BYTES: u64 = 64 << 20;
const MAX_DEPTH: usize = 64;
const MAX_CASES: usize = 500_000;
const MAX_MESSAGE: usize = 2000;

/// What a report says of one test, worst first when sorted in reverse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CaseStatus {
    /// No child element says otherwise.
    Passed,
    /// `<skipped>`, or not run.
    Skipped,
    /// It failed first and passed when the program itself tried again (`<flakyFailure>`).
    Flaky,
    /// `<failure>`.
    Failed,
    /// `<error>`.
    Error,
}

/// One `<testcase>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// `classname`, empty if absent.
    pub class: String,
    /// `name`.
    pub name: String,
    /// `file`, where the program writes it.
    pub file: Option<String>,
    /// `time` in milliseconds; 0 if absent or no number.
    pub duration_ms: u64,
    /// What became of it.
    pub status: CaseStatus,
    /// The message of the failure, cut to 2,000 bytes.
    pub message: String,
}

/// All test cases of a report in their order, or why it cannot be read.
pub fn parse(text: &str) -> Result<Vec<Case>, String> {
    let mut reader = quick_xml::Reader::from_str(text.trim_start_matches('\u{feff}'));
    let mut cases: Vec<Case> = Vec::new();
    let mut open: Option<(Case, usize)> = None;
    let mut depth = 0usize;
    let mut root_seen = false;
    loop {
        let event = reader.read_event().map_err(|error| format!("byte {}: {error}", reader.buffer_position()))?;
        let (start, is_empty) = match event {
            Event::Eof if depth > 0 => return Err("it ends inside an element".to_owned()),
            Event::Eof if !root_seen => return Err("it holds no test suite".to_owned()),
            Event::Eof => return Ok(cases),
            Event::DocType(_) => return Err("it declares a document type".to_owned()),
            Event::End(_) => {
                depth = depth.saturating_sub(1);
                if open.as_ref().is_some_and(|(_, level)| *level > depth) {
                    cases.extend(open.take().map(|(case, _)| case));
                }
                continue;
            }
            Event::Text(text) => {
                note(&mut open, &text.xml10_content());
                continue;
            }
            Event::CData(text) => {
                note(&mut open, &text.xml10_content());
                continue;
            }
            Event::Start(start) => (start, false),
            Event::Empty(start) => (start, true),
            _ => continue,
        };
        let local = start.local_name();
        let name: &str = local.as_ref();
        if depth == 0 {
            if !matches!(name, "testsuites" | "testsuite") || root_seen {
                return Err(format!("`{}` is no test suite", name.chars().take(50).collect::<String>()));
            }
            root_seen = true;
        }
        if depth >= MAX_DEPTH {
            return Err(format!("its elements are nested deeper than {MAX_DEPTH}"));
        }
        if name == "testcase" {
            if open.is_some() {
                return Err("a test case holds a test case".to_owned());
            }
            if cases.len() >= MAX_CASES {
                return Err(format!("it holds more than {MAX_CASES} test cases"));
            }
            let case = case(&start)?;
            if is_empty { cases.push(case) } else { open = Some((case, depth + 1)) }
        } else if let Some((case, level)) = &mut open
            && depth == *level
        {
            let status = match name {
                "failure" => CaseStatus::Failed,
                "error" => CaseStatus::Error,
                "skipped" => CaseStatus::Skipped,
                "flakyFailure" | "flakyError" => CaseStatus::Flaky,
                _ => CaseStatus::Passed,
            };
            case.status = case.status.max(status);
            if status != CaseStatus::Passed
                && case.message.is_empty()
                && let Some(message) = attribute(&start, "message")?
            {
                case.message = cut(&message);
            }
        }
        if !is_empty {
            depth += 1;
        }
    }
}

/// What pytest says of a file that it could not import; why stands in the text, on lines that begin with `E`.
const NOT_COLLECTED: &str = "collection failure";

/// Text within `<failure>` stands in for a message that the attribute does not give, or gives too short.
fn note(open: &mut Option<(Case, usize)>, text: &str) {
    let Some((case, _)) = open else { return };
    if case.status < CaseStatus::Flaky {
        return;
    }
    if case.message.is_empty() {
        case.message = cut(text.trim());
    } else if case.message == NOT_COLLECTED
        && let Some(why) = text.lines().rev().find_map(|line| line.strip_prefix("E "))
    {
        case.message = cut(&format!("{NOT_COLLECTED}: {}", why.trim()));
    }
}

fn cut(text: &str) -> String {
    let mut end = text.len().min(MAX_MESSAGE);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

fn case(start: &BytesStart<'_>) -> Result<Case, String> {
    let get = |name| attribute(start, name);
    // GoogleTest and its kin list tests that they did not run.
    let not_run = get("status")?.as_deref() == Some("notrun")
        || matches!(get("result")?.as_deref(), Some("skipped" | "suppressed"));
    Ok(Case {
        class: get("classname")?.unwrap_or_default(),
        name: get("name")?.unwrap_or_default(),
        file: get("file")?.or(get("filepath")?).filter(|file| !file.is_empty()),
        duration_ms: get("time")?.map_or(0, |time| milliseconds(&time)),
        status: if not_run { CaseStatus::Skipped } else { CaseStatus::Passed },
        message: String::new(),
    })
}

fn attribute(start: &BytesStart<'_>, name: &str) -> Result<Option<String>, String> {
    match start.try_get_attribute(name) {
        Ok(Some(attribute)) => {
            let value = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map_err(|error| format!("attribute `{name}`: {error}"))?;
            Ok(Some(value.into_owned()))
        }
        Ok(None) => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

/// Seconds as `0.012`, `1,234.5` or `1e-3`.
fn milliseconds(text: &str) -> u64 {
    let seconds: f64 = text.trim().replace(',', "").parse().unwrap_or(0.0);
    // A cast saturates, and not-a-number is 0.
    (seconds * 1000.0).round() as u64
}

/// The id of a test as it is written in rules: `path/file.py::Class::test[parameters]`.
///
/// pytest writes the path with dots and appends the classes, so the file is looked for among `files`
/// (paths relative to `dir`), then on disk. Reports of other programs give `file::name` or `class::name`.
pub fn test_id(case: &Case, files: &[&str], dir: &Path) -> String {
    if let Some(file) = case.file.as_deref().filter(|file| file.ends_with(".py")) {
        let file = file.replace('\\', "/");
        let module = module_of(&file);
        let classes = case.class.strip_prefix(&module).unwrap_or_default().trim_start_matches('.');
        return join(&file, classes, &case.name);
    }
    // An error while collecting: no class, and the name is the module.
    let (dotted, name) =
        if case.class.is_empty() { (case.name.as_str(), "") } else { (case.class.as_str(), case.name.as_str()) };
    let known = files.iter().filter_map(|file| {
        let module = module_of(file);
        // pytest may have its root below ours: then it leaves the first directories out.
        let suffixes =
            std::iter::successors(Some(module.as_str()), |module| module.split_once('.').map(|(_, rest)| rest));
        let fitting = suffixes
            .filter(|module| dotted.strip_prefix(module).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')));
        fitting.map(str::len).max().map(|length| (length, *file))
    });
    if let Some((length, file)) = known.max() {
        return join(file, dotted[length..].trim_start_matches('.'), name);
    }
    let ends = dotted.match_indices('.').map(|(at, _)| at).chain([dotted.len()]);
    let on_disk = ends.take(32).filter_map(|end| {
        let file = format!("{}.py", dotted[..end].replace('.', "/"));
        files::stat_in(dir, &file).is_ok_and(|stat| stat.kind == files::Kind::File).then_some((end, file))
    });
    if let Some((end, file)) = on_disk.last() {
        return join(&file, dotted[end..].trim_start_matches('.'), name);
    }
    match &case.file {
        Some(file) => format!("{file}::{}", case.name),
        None if case.class.is_empty() => case.name.clone(),
        None => format!("{}::{}", case.class, case.name),
    }
}

fn module_of(file: &str) -> String {
    file.strip_suffix(".py").unwrap_or(file).replace('/', ".")
}

fn join(file: &str, classes: &str, name: &str) -> String {
    let classes = if classes.is_empty() { String::new() } else { format!("::{}", classes.replace('.', "::")) };
    let name = if name.is_empty() { String::new() } else { format!("::{name}") };
    format!("{file}{classes}{name}")
}

/// An id without the parameters of the test: what stands in the source.
pub fn without_parameters(id: &str) -> &str {
    // Parameters may hold anything, also `::` and `[`; a path may hold `[`, too.
    match id.split_once("::").and_then(|(file, _)| Some(file.len() + id[file.len()..].find('[')?)) {
        Some(at) if id.ends_with(']') => &id[..at],
        _ => id,
    }
}
