//! Measures the guardrails: `guardrails false-alarms COUNT CHECKOUT...`, `recall SOURCES SEED`, `table SOURCES`.
//!
//! `false-alarms` looks at the newest commits of checkouts, each as a change of its own, and counts those of which anything
//! is told. `recall` spoils stretches of the code below SOURCES in the ways of the three guardrails, stronger and weaker, and
//! counts what is found; seeds that are even were used to tune, odd ones were not. `table` prints the table of letters.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measurement, outside the product: it starts git, prints, and fails by panicking"
)]

#[path = "guardrails/spoilt.rs"]
mod spoilt;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use grace_govern::guardrails::{Finding, Guardrail, Syntax, look, names};

/// Most false alarms, in thousandths of the commits, and the least that is found, in percent.
const TARGETS: (usize, usize) = (10, 90);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let is_met = match words.as_slice() {
        ["false-alarms", count, checkouts @ ..] => false_alarms(count.parse().unwrap(), checkouts),
        ["recall", sources, seed] => recall(sources, seed.parse().unwrap()),
        ["table", sources] => {
            print!("{}", table(sources));
            true
        }
        _ => {
            println!("false-alarms COUNT CHECKOUT..., recall SOURCES SEED, or table SOURCES");
            false
        }
    };
    if is_met { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The same share of every checkout's newest commits, until there are `count`.
fn false_alarms(count: usize, checkouts: &[&str]) -> bool {
    let (mut looked, mut flagged) = (0, 0);
    let mut by_kind: BTreeMap<Guardrail, usize> = BTreeMap::new();
    for (at, checkout) in checkouts.iter().enumerate() {
        let share = (count - looked) / (checkouts.len() - at);
        let (mut of_this, mut odd) = (0, 0);
        commits(checkout, share, |commit, findings| {
            of_this += 1;
            if !findings.is_empty() {
                odd += 1;
                for finding in findings.iter().take(3) {
                    let (file, line) = (&finding.file, finding.line);
                    println!("  {} {file}:{line}: {}: {}", &commit[..10], finding.guardrail.word(), finding.what);
                }
            }
            let kinds: BTreeSet<Guardrail> = findings.iter().map(|finding| finding.guardrail).collect();
            kinds.into_iter().for_each(|kind| *by_kind.entry(kind).or_default() += 1);
        });
        let name = Path::new(checkout).file_name().unwrap().to_string_lossy();
        println!("{name}: {odd} of {of_this} commits are flagged");
        looked += of_this;
        flagged += odd;
    }
    for (kind, count) in by_kind {
        println!("{}: {count}", kind.word());
    }
    println!("false alarms: {flagged} of {looked} commits, {:.2} %", 100.0 * flagged as f64 / looked.max(1) as f64);
    looked > 0 && flagged * 1000 <= looked * TARGETS.0
}

/// Calls `each` for the newest commits that add code, `most` of them, with what is found in each.
fn commits(checkout: &str, most: usize, mut each: impl FnMut(&str, &[Finding])) {
    let mut git = Command::new("git")
        .args(["-C", checkout, "log", "--no-merges", "-p", "-U1000000", "--no-color", "--no-ext-diff", "--no-textconv"])
        .args(["--format=commit %H", "HEAD", "--", "*.py", "*.js", "*.jsx", "*.ts", "*.tsx", "*.rs", "*.go"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut reader = BufReader::new(git.stdout.take().unwrap());
    let (mut commit, mut file, mut text, mut added, mut number) =
        (String::new(), String::new(), String::new(), BTreeSet::new(), 0);
    let (mut findings, mut adds, mut done, mut in_hunk) = (Vec::new(), false, 0, false);
    let mut line = Vec::new();
    loop {
        line.clear();
        let is_end = reader.read_until(b'\n', &mut line).unwrap() == 0;
        let said = String::from_utf8_lossy(&line);
        let said = said.trim_end_matches(['\n', '\r']);
        let begins_commit = is_end || !in_hunk && said.starts_with("commit ") || in_hunk && said.starts_with("commit ");
        if begins_commit || said.starts_with("diff --git ") {
            adds |= !added.is_empty() && Syntax::of(&file).is_some();
            findings.extend(look(&file, &text, &added));
            (text, added, number, in_hunk) = (String::new(), BTreeSet::new(), 0, false);
        }
        if begins_commit {
            if adds {
                each(&commit, &findings);
                done += 1;
            }
            (findings, adds) = (Vec::new(), false);
            if is_end || done == most {
                break;
            }
            commit = said["commit ".len()..].to_owned();
        } else if !in_hunk {
            if let Some(path) = said.strip_prefix("+++ ") {
                file = path.trim_start_matches("b/").to_owned();
            }
            in_hunk = said.starts_with("@@");
        } else if let Some(rest) = said.strip_prefix([' ', '+']) {
            number += 1;
            if said.starts_with('+') {
                added.insert(number);
            }
            text.push_str(rest);
            text.push('\n');
        }
    }
    git.kill().unwrap();
    git.wait().unwrap();
}

/// Spoils code in every way and counts what is found.
fn recall(sources: &str, seed: u64) -> bool {
    let hosts = hosts(sources);
    let mut counts: BTreeMap<(Guardrail, &str), (usize, usize)> = BTreeMap::new();
    let mut clean = (0, 0);
    for (at, (file, text)) in hosts.iter().enumerate() {
        let is_odd = |text: &str, kind: Option<Guardrail>| {
            let added = (1..=u32::try_from(text.lines().count()).unwrap()).collect();
            look(file, text, &added).iter().any(|finding| kind.is_none_or(|kind| kind == finding.guardrail))
        };
        clean.0 += usize::from(is_odd(text, None));
        clean.1 += 1;
        for (kind, strength, spoilt) in spoilt::all(file, text, seed.wrapping_mul(1_000_003).wrapping_add(at as u64)) {
            let (found, all) = counts.entry((kind, strength)).or_default();
            *all += 1;
            *found += usize::from(is_odd(&spoilt, Some(kind)));
        }
    }
    let (mut found, mut all) = (0, 0);
    for ((kind, strength), (hit, of)) in &counts {
        println!("{:<20} {strength:<34} {hit:>5} of {of:>5} {:>6.1} %", kind.word(), 100.0 * *hit as f64 / *of as f64);
        found += hit;
        all += of;
    }
    println!("as they were: {} of {} stretches are flagged", clean.0, clean.1);
    println!("found: {found} of {all} spoilt texts, {:.1} % (seed {seed})", 100.0 * found as f64 / all.max(1) as f64);
    all > 0 && found * 100 >= all * TARGETS.1
}

/// Stretches of code that text is spoilt in: at most 60 lines that begin with the first line of a function.
fn hosts(sources: &str) -> Vec<(String, String)> {
    let mut hosts = Vec::new();
    for (path, text) in files(sources) {
        if Syntax::of(&path) != Some(Syntax::Python) {
            continue;
        }
        let lines: Vec<&str> = text.lines().collect();
        let begins: Vec<usize> = (0..lines.len()).filter(|at| lines[*at].starts_with("def ")).collect();
        for begin in begins {
            let after =
                (begin + 1..lines.len()).find(|at| lines[*at].starts_with(|c: char| !c.is_whitespace() && c != ')'));
            let end = after.unwrap_or(lines.len()).min(begin + 60);
            if end - begin >= 6 {
                hosts.push((path.clone(), lines[begin..end].join("\n") + "\n"));
            }
        }
    }
    hosts
}

fn files(sources: &str) -> Vec<(String, String)> {
    let listed = Command::new("git").args(["-C", sources, "ls-files", "-z"]).output().unwrap().stdout;
    let names = String::from_utf8_lossy(&listed).into_owned();
    let names = names.split('\0').filter(|name| !name.is_empty());
    names
        .filter_map(|name| Some((name.to_owned(), std::fs::read_to_string(Path::new(sources).join(name)).ok()?)))
        .collect()
}

/// The table of what follows two letters, of all words of four letters and more in code and prose below `sources`.
fn table(sources: &str) -> String {
    const N: usize = 27;
    let mut words: BTreeMap<String, u32> = BTreeMap::new();
    for (path, text) in files(sources) {
        if [".rs", ".py", ".md", ".ts", ".go", ".grace"].iter().any(|end| path.ends_with(end)) {
            let all = text.lines().flat_map(names::words).filter(|word| word.len() >= 4 && word.is_ascii());
            all.for_each(|word| *words.entry(word).or_default() += 1);
        }
    }
    // What stands there once may be a slip, or the nonsense of a test.
    words.retain(|_, count| *count > 1);
    let mut three = vec![0.0_f64; N * N * N];
    for (word, count) in &words {
        let weight = 1.0 + f64::from(*count).log2();
        let (mut before, mut last) = (0, 0);
        for next in word.bytes().map(|byte| usize::from(byte.saturating_sub(b'a')) + 1).chain([0]) {
            three[(before * N + last) * N + next] += weight;
            (before, last) = (last, next);
        }
    }
    let two = |last: usize, next: usize| (0..N).map(|before| three[(before * N + last) * N + next]).sum::<f64>();
    let pairs: Vec<f64> = (0..N * N).map(|at| two(at / N, at % N)).collect();
    let mut text = String::new();
    for context in 0..N * N {
        let sum: f64 = three[context * N..][..N].iter().sum();
        let last = context % N;
        let pair_sum: f64 = pairs[last * N..][..N].iter().sum();
        for next in 0..N {
            let pair = (pairs[last * N + next] + 0.05) / (pair_sum + 0.05 * N as f64);
            let share = (three[context * N + next] + 8.0 * pair) / (sum + 8.0);
            let quarters = (-share.log2() * 4.0).round().clamp(0.0, 35.0) as u32;
            text.push(char::from_digit(quarters, 36).unwrap());
        }
        text.push('\n');
    }
    text
}
