//! What is remembered between runs changes no plan: not when it is there, not when it is damaged, not when somebody else
//! wrote it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, SystemTime};

use grace_graph::facts::{ContentId, Language};
use grace_graph::store::{Disk, FactStore, MOST_BYTES, TreeMemory, record_checksum};
use grace_system::files;
use grace_system::git::{KnownFile, Repository};
use grace_tests::{files_below, root};

use crate::support::{RULES, Repo};

/// The plan in the words of the binary; where it may be remembered, once made of what is remembered beside it, and once as it is
/// remembered.
fn plan(repo: &Repo, more: &[&str]) -> String {
    forget_plans(repo);
    let anew = asked(repo, more);
    let state = || plans(&repo.cache()).iter().map(|plan| files::stat(plan).unwrap().stamp).collect::<Vec<_>>();
    let kept = state();
    assert_eq!(kept.is_empty(), more.contains(&"--no-cache"));
    assert_eq!(asked(repo, more), anew);
    assert_eq!(state(), kept, "it is found again, and so not written again");
    anew
}

/// The plan in the words of the binary.
fn asked(repo: &Repo, more: &[&str]) -> String {
    let arguments = [&["plan", "--format", "json", "--as-of", "2026-01-02"], more].concat();
    let said = repo.run(&arguments, None, |_| {});
    assert_eq!(said.stderr, "", "{arguments:?}");
    assert!(said.stdout.contains("\"tier\""), "{}", said.stdout);
    said.stdout
}

/// Where plans are remembered.
fn plans(cache: &Path) -> Vec<PathBuf> {
    below(cache).into_iter().filter(|path| path.extension().is_some_and(|ending| ending == "plan")).collect()
}

fn forget_plans(repo: &Repo) {
    plans(&repo.cache()).iter().for_each(|plan| fs::remove_file(plan).unwrap());
}

/// The same plan without anything remembered, when it is remembered, and from what was remembered.
fn same_plan(repo: &Repo, what: &str) -> String {
    let expected = plan(repo, &["--no-cache"]);
    for run in ["remembering", "remembered"] {
        assert_eq!(plan(repo, &[]), expected, "{what}, {run}");
    }
    expected
}

/// Files below a directory, sorted.
fn below(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![directory.to_path_buf()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() { open.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

/// Makes the file seem untouched for a while, as far as a program can.
fn age(path: &Path) {
    File::options().append(true).open(path).unwrap().set_modified(SystemTime::now() - Duration::from_secs(60)).unwrap();
}

/// A file is remembered once it has rested; no program can say that it did.
fn rest() {
    std::thread::sleep(Duration::from_millis(2_700));
}

#[test]
fn the_examples_have_the_plan_that_they_have_without() {
    for story in fs::read_dir(root().join("examples")).unwrap() {
        let story = story.unwrap().path();
        let name = story.file_name().unwrap().to_str().unwrap().to_owned();
        if !story.join("change.patch").exists() {
            continue;
        }
        let repo = Repo::unborn();
        for (path, text) in files_below(&format!("examples/{name}/repo")) {
            repo.write(&path, &text);
        }
        repo.commit("first");
        repo.git(&["apply", story.join("change.patch").to_str().unwrap()]);
        same_plan(&repo, &name);
    }
}

#[test]
fn random_repositories_have_the_plan_that_they_have_without() {
    for seed in 0..6_u64 {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut random = move |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        let repo = Repo::project();
        for step in 0..6 {
            let number = random(8);
            let path = format!("app/m{number}.py");
            let text = format!(
                "from app.core.kernel import Kernel\nfrom app.m{} import f\n\n\ndef f():\n    return Kernel().start({})\n",
                random(8),
                random(4)
            );
            match random(6) {
                0 => drop(fs::remove_file(repo.path.join(&path))),
                1 => {
                    repo.git(&["add", "--all"]);
                    repo.git(&["commit", "--quiet", "--allow-empty", "--message", "more"]);
                }
                2 => repo.write(&path, &text.replace('\n', "\r\n")),
                3 => repo.write("app/core/kernel.py", &text),
                _ => repo.write(&path, &text),
            }
            same_plan(&repo, &format!("seed {seed}, step {step}"));
        }
    }
}

#[test]
fn what_is_cut_or_holds_noise_changes_nothing() {
    let repo = Repo::edited();
    rest();
    let expected = same_plan(&repo, "whole");
    let remembered: Vec<(PathBuf, Vec<u8>)> = below(&repo.cache())
        .into_iter()
        .filter(|path| !path.ends_with("CACHEDIR.TAG") && !path.ends_with("lock"))
        .map(|path| (path.clone(), fs::read(&path).unwrap()))
        .collect();
    let endings: Vec<_> = remembered.iter().map(|(path, _)| path.extension().unwrap_or_default()).collect();
    for ending in ["files", "listing", "plan", "segment", ""] {
        assert!(endings.contains(&std::ffi::OsStr::new(ending)), "{remembered:?}");
    }
    for place in 0..200 {
        let (path, bytes) = &remembered[place % remembered.len()];
        let at = bytes.len() * place / 200;
        let damaged = if place % 8 < 4 {
            bytes[..at].to_vec()
        } else {
            let noise = (0..64_u8).map(|byte| byte.wrapping_mul(37) ^ 0x5a);
            bytes[..at].iter().copied().chain(noise).chain(bytes.iter().skip(at + 64).copied()).collect()
        };
        // The others are asked where the plan is not remembered.
        forget_plans(&repo);
        fs::write(path, damaged).unwrap();
        assert_eq!(asked(&repo, &[]), expected, "{} at {at}", path.display());
        for (path, bytes) in &remembered {
            fs::write(path, bytes).unwrap();
        }
    }
    // From a version to come: another magic number, more behind it, another directory.
    for (path, bytes) in &remembered {
        let newer = [b"grace facts 2\n\0\0".as_slice(), &bytes[16..], b"and more"].concat();
        fs::write(path, newer).unwrap();
    }
    fs::create_dir_all(repo.cache().join("facts/ffffffffffffffff")).unwrap();
    assert_eq!(asked(&repo, &[]), expected);
    assert_eq!(plan(&repo, &[]), expected);
}

#[test]
fn processes_at_the_same_time_lose_nothing() {
    let repo = Repo::edited();
    let others: Vec<Repo> = (0..3)
        .map(|number| {
            let other = Repo::project();
            other.write("app/own.py", &format!("def own_{number}():\n    return {number}\n"));
            other
        })
        .collect();
    let expected: Vec<String> = others.iter().map(|other| plan(other, &["--no-cache"])).collect();
    let children: Vec<(usize, Child)> = (0..9)
        .map(|run| {
            let other = run % others.len();
            let arguments = ["plan", "--format", "json", "--as-of", "2026-01-02"];
            let mut command = others[other].command();
            command.args(arguments).env("GRACE_RULES_CACHE", repo.cache()).env("GIT_CONFIG_GLOBAL", "/dev/null");
            (other, command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap())
        })
        .collect();
    for (other, child) in children {
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), expected[other]);
    }
    let store = FactStore::over(Disk::open(&repo.cache(), MOST_BYTES));
    for other in &others {
        for path in ["app/own.py", "app/api.py", "tests/test_api.py"] {
            let content = ContentId::of(other.read(path).as_bytes());
            assert!(store.get(content, Language::Python).is_some(), "{path}");
        }
    }
}

#[test]
fn without_a_place_to_remember_everything_works() {
    let repo = Repo::edited();
    let expected = plan(&repo, &["--no-cache"]);
    assert!(below(&repo.cache()).is_empty(), "`--no-cache` leaves nothing");
    let with = |place: &Path| {
        let arguments = ["plan", "--format", "json", "--as-of", "2026-01-02"];
        let said = repo.run(&arguments, None, |command| {
            command.env("GRACE_RULES_CACHE", place);
        });
        assert_eq!((said.stdout.as_str(), said.stderr.as_str()), (expected.as_str(), ""), "{}", place.display());
    };
    let file = repo.path.with_file_name("file");
    fs::write(&file, "no directory").unwrap();
    with(&file);
    with(&file.join("below"));
    with(Path::new("off"));
    let read_only = repo.path.with_file_name("read-only");
    fs::create_dir(&read_only).unwrap();
    let mut permissions = fs::metadata(&read_only).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&read_only, permissions.clone()).unwrap();
    with(&read_only);
    #[expect(clippy::permissions_set_readonly_false, reason = "it is removed next")]
    permissions.set_readonly(false);
    fs::set_permissions(&read_only, permissions).unwrap();
}

#[test]
fn a_file_that_was_rewritten_at_once_and_as_long_is_seen() {
    let repo = Repo::project();
    let path = "app/core/kernel.py";
    let text = |number: u8| format!("class Kernel:\n    def start(self):\n        return {number}\n");
    for number in 1..9 {
        repo.write(path, &text(number));
        let first = same_plan(&repo, &number.to_string());
        repo.write(path, &text(number + 1));
        assert_ne!(same_plan(&repo, &number.to_string()), first);
    }
}

#[test]
fn a_file_that_rested_is_not_read_and_one_that_pretends_to_is() {
    let repo = Repo::project();
    let path = "app/core/kernel.py";
    let file = repo.path.join(path);
    repo.write(path, &repo.read(path).replace("return 1", "return 2"));
    age(&file);
    let time = fs::metadata(&file).unwrap().modified().unwrap();
    rest();
    let expected = same_plan(&repo, "first");
    let memory = || TreeMemory::open(&repo.cache(), &repo.path);
    let stamp = || files::stat(&file).unwrap().stamp;
    assert!(memory().names(path, &stamp(), &mut 0).is_some(), "it is remembered");
    // The same size and the same time of writing: only the system's own time tells, where there is one.
    repo.write(path, &repo.read(path).replace("return 2", "return 3"));
    File::options().append(true).open(&file).unwrap().set_modified(time).unwrap();
    if cfg!(unix) {
        assert!(memory().names(path, &stamp(), &mut 0).is_none());
        assert_ne!(same_plan(&repo, "second"), expected);
    }
}

#[test]
fn files_are_remembered_anew_where_one_was_read_or_is_gone() {
    let repo = Repo::project();
    let path = "app/core/kernel.py";
    rest();
    plan(&repo, &[]);
    let memory = || TreeMemory::open(&repo.cache(), &repo.path);
    let written = || {
        let files = below(&repo.cache()).into_iter().find(|path| path.to_string_lossy().ends_with(".files")).unwrap();
        files::stat(&files).unwrap().stamp
    };
    let (first, count) = (written(), memory().len());
    plan(&repo, &[]);
    assert_eq!(written(), first, "nothing is new, and nothing is written");
    repo.write(path, &repo.read(path).replace("return 1", "return 2"));
    rest();
    plan(&repo, &[]);
    let stamp = files::stat(&repo.path.join(path)).unwrap().stamp;
    assert!(memory().names(path, &stamp, &mut 0).is_some(), "it was read, and is remembered");
    assert_eq!(memory().len(), count);
    fs::remove_file(repo.path.join(path)).unwrap();
    plan(&repo, &[]);
    assert_eq!(memory().len(), count - 1, "it is gone, and forgotten");
}

#[test]
fn what_is_run_believes_nothing_that_was_remembered() {
    let repo = Repo::project();
    // `app/api.py` calls the kernel, and a change of it is of tier 3 for that alone.
    repo.write("grace/rules.grace", &RULES.replace("reaches_core : tier 2", "reaches_core : tier 3"));
    // What the tests that are run leave behind is no change.
    repo.write(".gitignore", "__pycache__/\n");
    repo.commit("rules");
    repo.write("app/api.py", &repo.read("app/api.py").replace("start()", "start() + 0"));
    rest();
    let tier = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap()["tier"].as_u64().unwrap();
    let run = || tier(&repo.run(&["run", "--format", "json"], None, |_| {}).stdout);
    let honest = tier(&same_plan(&repo, "honest"));
    assert_eq!(honest, 3);

    // Facts that know nothing of it, under the names of both contents, with checksums that hold.
    let committed = repo.git(&["show", "HEAD:app/api.py"]) + "\n";
    let harmless = ContentId::of(repo.read("app/notes.py").as_bytes());
    for content in [committed, repo.read("app/api.py")] {
        poison(&repo.cache(), ContentId::of(content.as_bytes()), harmless);
    }
    // The graphs that were made of the true ones are no longer there.
    let heads: Vec<_> =
        below(&repo.cache()).into_iter().filter(|path| path.to_string_lossy().contains(".head")).collect();
    assert!(!heads.is_empty());
    heads.iter().for_each(|head| fs::remove_file(head).unwrap());
    let poisoned = plan(&repo, &[]);
    assert!(tier(&poisoned) < honest, "the poison works: {poisoned}");
    assert_eq!(tier(&plan(&repo, &["--no-cache"])), honest);
    assert_eq!(run(), honest);

    // A file that is said to be what it was.
    let names = Repository::discover(&repo.path).unwrap().names_of(repo.git(&["show", "HEAD:app/api.py"]).as_bytes());
    let names = grace_system::git::Names { blob: oid(&repo, "HEAD:app/api.py"), ..names };
    let stamp = files::stat(&repo.path.join("app/api.py")).unwrap().stamp;
    let known = KnownFile { path: "app/api.py".to_owned(), stamp, names };
    TreeMemory::open(&repo.cache(), &repo.path).keep_files(&[known], i64::MAX, |_| true);
    let poisoned: serde_json::Value = serde_json::from_str(&plan(&repo, &[])).unwrap();
    assert_eq!(poisoned["change"]["files"], 0, "the poison works");
    assert_eq!(run(), honest);
}

#[test]
fn a_plan_is_found_again_only_where_everything_is_as_it_was() {
    let repo = Repo::project();
    // What the tests that are run leave behind is no change.
    repo.write(".gitignore", "__pycache__/\n");
    repo.commit("rules");
    repo.edit_kernel();
    rest();
    let honest = plan(&repo, &[]);
    let tier = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap()["tier"].as_u64().unwrap();
    assert!(tier(&honest) > 1, "{honest}");
    // A false one in its place shows by its tier whether it is found again.
    let [place] = plans(&repo.cache()).try_into().unwrap();
    let remembered = || {
        let bytes = fs::read(&place).unwrap();
        let (key, plan) = bytes[48..].split_first_chunk::<32>().unwrap();
        let mut plan: serde_json::Value = serde_json::from_slice(plan).unwrap();
        plan["tier"] = 1.into();
        (*key, plan.to_string())
    };
    let lie_as = |(key, plan): &([u8; 32], String)| {
        TreeMemory::open(&repo.cache(), &repo.path).keep_answer("plan", key, plan.as_bytes());
    };
    let of_the_day = remembered();
    let lie = || lie_as(&of_the_day);
    let is_found = |what: &str, arguments: &[&str]| {
        lie();
        let said = repo.run(arguments, None, |_| {});
        assert!(said.stdout.contains("\"tier\""), "{what}: {}", said.stderr);
        tier(&said.stdout) == 1
    };
    let at = |moment: &'static str| ["plan", "--format", "json", "--as-of", moment];
    let day = at("2026-01-02");
    assert!(is_found("the same", &day));
    assert!(is_found("the same quarter", &at("2026-01-02T00:14:59Z")));
    lie();
    let later = repo.run(&at("2026-01-02T00:14:59Z"), None, |_| {}).stdout;
    assert!(later.contains("2026-01-02T00:14:59Z"), "its moment is the one that was asked for: {later}");
    assert!(!is_found("the next quarter", &at("2026-01-02T00:15:00Z")));
    assert!(!is_found("the quarter before", &at("2026-01-01T23:59:59Z")));
    assert!(!is_found("nothing is to be believed", &[&day[..], &["--no-cache"]].concat()));
    assert!(!is_found("another operation", &[&day[..], &["--operation", "deploy"]].concat()));
    assert!(!is_found("a ticket", &[&day[..], &["--ticket", "HOT-1"]].concat()));
    assert!(!is_found("another base", &[&day[..], &["--base", "HEAD", "--head", "HEAD"]].concat()));
    // One file after the other is another one, and then as it was.
    for path in ["app/core/kernel.py", "app/notes.py", "grace/rules.grace", "tests/test_api.py"] {
        let text = repo.read(path);
        repo.write(path, &format!("{text}\n"));
        assert!(!is_found(path, &day));
        repo.write(path, &text);
        assert!(is_found(path, &day));
    }
    // What is no plan, or too large, under the right name.
    let large = format!("{}{}", " ".repeat(5 << 20), of_the_day.1);
    for bytes in ["", "{}", "[", &r#"{"not":"#.repeat(10_000), &large] {
        lie_as(&(of_the_day.0, bytes.to_owned()));
        assert_eq!(asked(&repo, &[]), honest);
    }
    // One that asks for more people than there are.
    let mut greedy: serde_json::Value = serde_json::from_str(&of_the_day.1).unwrap();
    greedy["approvals"] = serde_json::json!([
        {"name": "all", "count": u32::MAX, "by": "anyone", "among": [], "extra": true, "derivation": []}
    ]);
    lie_as(&(of_the_day.0, greedy.to_string()));
    assert!(repo.run(&day, None, |_| {}).stdout.contains(&u32::MAX.to_string()));
    // What is run is judged by today's date, and finds nothing.
    let now = |command: &str| repo.run(&[command, "--format", "json", "--base", "HEAD"], None, |_| {}).stdout;
    let today = || now("plan");
    // Of two tries one is within a quarter of an hour.
    let of_now = (0..2).find_map(|_| {
        assert_eq!(tier(&today()), tier(&honest));
        let of_now = remembered();
        lie_as(&of_now);
        (tier(&today()) == 1).then_some(of_now)
    });
    let of_now = of_now.expect("the lie is found by a question");
    for decides in ["run", "gate"] {
        lie_as(&of_now);
        let said: serde_json::Value = serde_json::from_str(&now(decides)).unwrap();
        let decided = said.get("decision").unwrap_or(&said);
        assert_eq!(decided["tier"].as_u64(), Some(tier(&honest)), "{decides}: {said}");
    }
}

#[test]
fn how_long_bundles_took_is_remembered_while_the_store_is_as_it_was() {
    let repo = Repo::edited();
    repo.json("run");
    rest();
    let has_estimate = |arguments: &[&str]| {
        let said = repo.run(&[&["plan", "--format", "json"], arguments].concat(), None, |_| {});
        serde_json::from_str::<serde_json::Value>(&said.stdout).unwrap().get("estimate").is_some()
    };
    assert!(has_estimate(&[]));
    let kept = below(&repo.cache());
    let [place] =
        kept.iter().filter(|path| path.extension().is_some_and(|ending| ending == "timings")).collect::<Vec<_>>()[..]
    else {
        panic!("{kept:?}")
    };
    let key = *fs::read(place).unwrap()[48..].first_chunk::<32>().unwrap();
    let say = |answer: &[u8]| TreeMemory::open(&repo.cache(), &repo.path).keep_answer("timings", &key, answer);
    // That nothing ran shows whether it is found.
    let nothing_ran = [0];
    say(&nothing_ran);
    assert!(!has_estimate(&[]), "it is found");
    assert!(has_estimate(&["--no-cache"]));
    for damaged in [&[][..], &[1], &[0, 0], &[0xff; 40]] {
        say(damaged);
        assert!(has_estimate(&[]), "{damaged:?}");
    }
    say(&nothing_ran);
    repo.json("run");
    assert!(has_estimate(&[]), "another run was recorded");
    rest();
    assert!(has_estimate(&[]));
}

#[test]
fn how_bundles_ended_is_remembered_while_store_and_ledger_are_as_they_were() {
    let repo = Repo::project();
    let rules = crate::support::RULES.to_owned()
        + "\nrule fails_often : tier 3\n  when     pass rate of bundle(unit) over last 3 runs < 60 %\n  require  approval 2 of team(owners)\n  because  \"It fails too often.\"\n";
    repo.write("grace/rules.grace", &rules);
    repo.commit("rates");
    let run = |result: u32| {
        let kernel = format!("class Kernel:\n    def start(self):\n        return {result}\n");
        repo.write("app/core/kernel.py", &kernel);
        repo.run(&["run"], None, |_| {});
        rest();
    };
    let fires = |command: &str| {
        // Nothing else here asks for so many.
        repo.json(command).to_string().contains("2 of team(owners)")
    };
    // One run, which passes.
    run(1);
    assert!(!fires("plan"));
    let remembered = || {
        let kept = below(&repo.cache());
        let place = kept.iter().find(|path| path.extension().is_some_and(|ending| ending == "runs"));
        let bytes = fs::read(place.unwrap_or_else(|| panic!("{kept:?}"))).unwrap().split_off(48);
        let (key, answer) = bytes.split_first_chunk::<32>().unwrap();
        (*key, answer.to_vec())
    };
    let (key_of_one, lie) = remembered();
    for result in [22, 333] {
        run(result);
    }
    assert!(fires("plan"), "more was recorded");
    let (key, honest) = remembered();
    assert_ne!(key, key_of_one);
    // The answer of before, under the name of the last one, shows whether it is found.
    let say = |answer: &[u8]| {
        let (key, _) = remembered();
        TreeMemory::open(&repo.cache(), &repo.path).keep_answer("runs", &key, answer);
    };
    say(&lie);
    assert!(!fires("plan"), "it is found");
    assert!(fires("plan --no-cache"));
    for damaged in [&[][..], &lie[1..], &[0xff; 40], &[&lie, &[0][..]].concat()] {
        say(damaged);
        assert!(fires("plan"), "{damaged:?}");
        assert_eq!(remembered(), (key, honest.clone()), "it was asked for anew");
    }
    say(&lie);
    assert!(fires("gate --base HEAD"), "what decides believes nothing");
    rest();
    assert!(fires("plan"));
    // Another database, whatever it says, is asked.
    let database = repo.path.join(".git/grace/store.duckdb");
    for text in [b"this is no database".to_vec(), fs::read(&database).unwrap()] {
        say(&lie);
        fs::write(&database, text).unwrap();
        rest();
        assert!(fires("plan"));
    }
    say(&lie);
    run(4444);
    assert!(fires("plan"), "another run was recorded");
    // Where the end of the ledger cannot be read, nothing is known.
    say(&lie);
    assert!(!fires("plan"), "it is found");
    let bundles = below(&repo.path.join(".git/grace/ledger"));
    bundles
        .iter()
        .filter(|path| path.to_string_lossy().contains("/entries/"))
        .for_each(|path| fs::remove_file(path).unwrap());
    let plan = repo.json("plan");
    assert!(plan["unknowns"].to_string().contains("fails_often"), "{}", plan["unknowns"]);
}

fn oid(repo: &Repo, name: &str) -> grace_system::git::Oid {
    grace_system::git::Oid::parse(&repo.git(&["rev-parse", name])).unwrap()
}

/// Puts the facts of `harmless` in place of those of `content`, as somebody could who may write there.
fn poison(cache: &Path, content: ContentId, harmless: ContentId) {
    let files = below(cache);
    let index = files.iter().find(|path| path.ends_with("index")).unwrap();
    let mut bytes = fs::read(index).unwrap();
    let number = |bytes: &[u8]| bytes.iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte));
    let segments = number(&bytes[48..52]);
    let rows = 64 + segments * 16;
    let row =
        |bytes: &[u8], content: ContentId| (rows..).step_by(48).find(|at| bytes[at + 1..at + 33] == content.0).unwrap();
    let (from, to) = (row(&bytes, harmless), row(&bytes, content));
    let place = |bytes: &[u8], at: usize| {
        (number(&bytes[at + 34..at + 36]), number(&bytes[at + 36..at + 40]), number(&bytes[at + 40..at + 48]))
    };
    let (segment, length, offset) = place(&bytes, from);
    let name = |bytes: &[u8], segment: usize| {
        let id = number(&bytes[64 + segment * 16..72 + segment * 16]);
        index.with_file_name(format!("{id:016x}.segment"))
    };
    let record = fs::read(name(&bytes, segment)).unwrap()[offset + 32..offset + length].to_vec();
    let (target, _, _) = place(&bytes, to);
    let mut all = fs::read(name(&bytes, target)).unwrap();
    let new_offset = all.len() as u64;
    all.extend_from_slice(&record_checksum(&bytes[to..to + 33], &record));
    all.extend_from_slice(&record);
    fs::write(name(&bytes, target), &all).unwrap();
    bytes[to + 36..to + 40].copy_from_slice(&u32::try_from(length).unwrap().to_le_bytes());
    bytes[to + 40..to + 48].copy_from_slice(&new_offset.to_le_bytes());
    let checksum = *blake3::hash(&bytes[48..]).as_bytes();
    bytes[16..48].copy_from_slice(&checksum);
    fs::write(index, bytes).unwrap();
}
