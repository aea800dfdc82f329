//! Stories: each run tells one, from the plan, the run, git, a file and trailers; nothing is invented and nothing is edited.

use serde_json::Value;

use crate::support::Repo;

const RULES: &str = r#"module story.rules

principle MAINTAIN_AUDIT_TRAIL
  says  "Every change is told."

bundle unit
  tests    path("tests/**")
  run      "pytest", "{tests}", "-q", "-p", "no:cacheprovider", "--junitxml={junit}"
  timeout  60 s each, 120 s in all

rule told : tier 2
  when     change touches path("app/**") and (rationale missing or story lacks capability or story lacks files)
  require  rationale, story capability, story rollback_plan
  upholds  MAINTAIN_AUDIT_TRAIL
  because  "Who audits this in a year has only what was written down now."

rule tried : tier 2
  when     change touches path("app/**")
  require  bundle(unit), story rollback_plan
  upholds  MAINTAIN_AUDIT_TRAIL
  because  "It is tried."

tiers
  1 safe       approve automatically  for change only in comments, formatting, documentation
  2 internal   approve by rules       for any other change
  3 sensitive  approve 1 of anyone    for operations change_security
"#;

fn repository() -> Repo {
    let repo = Repo::project();
    repo.write("grace/rules.grace", RULES);
    repo.commit("rules");
    repo.git(&["checkout", "--quiet", "-b", "feature"]);
    repo
}

fn run(repo: &Repo, line: &str) -> (Option<i32>, String) {
    let said = repo.run(&line.split(' ').collect::<Vec<_>>(), None, |_| {});
    (said.code, format!("{}{}", said.stdout, said.stderr))
}

fn newest(repo: &Repo) -> Value {
    repo.json("story list")["stories"][0].clone()
}

#[test]
fn a_run_tells_what_is_known_and_names_what_nobody_gave() {
    let repo = repository();
    repo.write("app/notes.py", "def note():\n    return 'y'\n");
    repo.commit("Say y\n\nIt was x for too long.\n\nCapability: notes\nFiles: invented.py\nRisks-identified: none\n");
    let plan = repo.json("plan --base main --head feature");
    let open = |plan: &Value| {
        let duties = plan["duties"].as_array().unwrap().iter().filter(|duty| duty["given"].is_null());
        duties.map(|duty| duty["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(open(&plan), ["rationale", "story rollback_plan"]);
    assert_eq!(run(&repo, "run --base main --head feature").0, Some(0));
    let story = newest(&repo)["story"].clone();
    let field = |name: &str| (story["fields"][name]["value"].clone(), story["fields"][name]["from"].clone());
    let text = |text: &str| Value::String(text.to_owned());
    assert_eq!(field("title"), (text("Say y"), text("derived")));
    assert_eq!(field("summary").0, text("It was x for too long."));
    assert_eq!(field("capability"), (text("notes"), text("trailer")));
    assert_eq!(field("files").0, serde_json::json!(["app/notes.py"]), "a trailer does not say what git knows");
    assert_eq!(field("tests_run").0, serde_json::json!(["unit: passed, 1 of 1 passed"]));
    assert_eq!(field("tier").0, text("2 internal"));
    assert_eq!(story["missing"], serde_json::json!(["rationale", "rollback_plan"]));
    assert!(story["fields"].get("rationale").is_none(), "what nobody gave is absent, not empty");
    // Given by a file, it is no longer missing; the plan asks for no more.
    let file = repo.path.with_file_name("story.toml");
    std::fs::write(&file, "rationale = \"x was wrong\"\nrollback_plan = \"git revert\"\nenvironment = \"\"\n").unwrap();
    let given = format!("--base main --head feature --story {}", file.display());
    assert!(open(&repo.json(&format!("plan {given}"))).is_empty());
    assert_eq!(run(&repo, &format!("run {given}")).0, Some(0));
    let story = newest(&repo)["story"].clone();
    assert_eq!(story["missing"], serde_json::json!([]));
    assert_eq!(story["fields"]["rationale"]["from"], "given");
    assert!(story["fields"].get("environment").is_none());
    let (_, shown) = run(&repo, "story show 99");
    assert!(shown.contains("there is no story 99"), "{shown}");
    for (text, code) in [("X WAS WRONG", 0), ("nothing of the kind", 1)] {
        assert_eq!(repo.run(&["story", "search", text], None, |_| {}).code, Some(code), "{text}");
    }
}

#[test]
fn an_amendment_is_added_and_the_story_stays() {
    let repo = repository();
    repo.write("app/notes.py", "def note():\n    return 'y'\n");
    repo.commit("Say <y> & `z` | w");
    assert_eq!(run(&repo, "run --base main --head feature").0, Some(0));
    let before = newest(&repo);
    let id = before["id"].as_u64().unwrap();
    let file = repo.path.with_file_name("more.json");
    std::fs::write(&file, "{\"risks_identified\": [\"<script>alert(1)</script>\"], \"title\": \"y\"}").unwrap();
    let amend = |because: &str| {
        let (id, file) = (id.to_string(), file.display().to_string());
        repo.run(&["story", "amend", &id, "--story", &file, "--because", because], None, |_| {})
    };
    assert_eq!(amend(" ").code, Some(2));
    let said = amend("Seen later.");
    assert!(said.code == Some(0) && said.stdout.contains("Seen later."), "{}{}", said.stdout, said.stderr);
    let after = newest(&repo);
    assert_eq!(after["story"], before["story"], "what was told stays");
    assert_eq!(after["amendments"].as_array().unwrap().len(), 1);
    // What was missing and was given later is not missing any more, and which record gave it.
    let flat = said.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        flat.contains("missing capability, rationale, rollback plan: the rules ask for it (MAINTAIN_AUDIT_TRAIL)"),
        "{}",
        said.stdout
    );
    std::fs::write(
        &file,
        "{\"capability\": \"notes\", \"rationale\": \"x was wrong\", \"rollback_plan\": \"git revert\"}",
    )
    .unwrap();
    let said = amend("Asked in review.");
    let given = newest(&repo)["amendments"][1][0].as_u64().unwrap();
    assert!(
        said.stdout.contains(&format!("given later  capability (record {given}), rationale (record {given})")),
        "{}",
        said.stdout
    );
    assert!(!said.stdout.contains("missing"), "{}", said.stdout);
    std::fs::write(&file, "{\"risks_identified\": [\"<script>alert(1)</script>\"], \"title\": \"y\"}").unwrap();
    // Whatever it says, it is text wherever it is shown.
    let (_, page) = run(&repo, &format!("story show {id} --format html"));
    assert!(page.contains("&lt;script&gt;") && !page.contains("<script>"), "{page}");
    let (_, page) = run(&repo, &format!("story show {id} --format markdown"));
    assert!(page.contains("\\<script\\>") && page.starts_with(&format!("# Story {id}: y\n")), "{page}");
    assert_eq!(run(&repo, "plan --format html").0, Some(2));
}

#[test]
fn a_file_that_is_no_story_is_refused_before_anything_runs() {
    let repo = repository();
    repo.write("app/notes.py", "def note():\n    return 'y'\n");
    let file = repo.path.with_file_name("story.toml");
    for (text, why) in
        [("colour = \"red\"", "no field `colour`"), ("capability = 1 2", "cannot be used"), ("\u{0}", "cannot be used")]
    {
        std::fs::write(&file, text).unwrap();
        for command in ["run", "plan", "gate"] {
            let (code, said) = run(&repo, &format!("{command} --worktree --story {}", file.display()));
            let flat = said.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(code == Some(2) && flat.contains(why), "{command}: {said}");
        }
    }
    assert!(!repo.path.join(".git/grace").exists());
}
