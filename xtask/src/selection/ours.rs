//! Which tests the built binary chooses for each fault.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::Value;

use super::truth::{Fault, Truth};
use crate::host;

/// What a selector chose for one fault.
pub(super) struct Chosen {
    /// Places in [`Truth::tests`].
    pub(super) tests: BTreeSet<usize>,
    /// Whether it chose anything at all, be it files that have no known test.
    pub(super) is_empty: bool,
    pub(super) millis: f64,
    /// What chose how many tests, and how many files are run whole, in the plan's words; nothing of other selectors.
    pub(super) why: String,
}

/// The built binary and what it needs to run.
pub(super) struct Binary {
    pub(super) program: PathBuf,
    pub(super) library: PathBuf,
    /// Its own cache and state, apart from the user's.
    pub(super) home: PathBuf,
}

impl Binary {
    fn call(&self, tree: &Path, arguments: &[&str]) -> host::Process {
        self.started(host::program(&self.program)).directory(tree).args(arguments)
    }

    /// A process that can start the binary.
    pub(super) fn started(&self, process: host::Process) -> host::Process {
        // The loader's variable has another name on each system.
        let loader = if cfg!(target_os = "macos") { "DYLD_LIBRARY_PATH" } else { "LD_LIBRARY_PATH" };
        process.path_first(&self.library).variable(loader, &self.library).variable("GRACE_RULES_CACHE", &self.home)
    }

    /// Records a whole run of a package's tests in its tree, so that plans there choose by it from then on.
    pub(super) fn record(&self, tree: &Path, tools: &Path) -> Result<(), String> {
        // Tests may fail here and there; what counts is that there is a record.
        let end = self.call(tree, &["run", "--all", "--record", "--format", "json"]).path_first(tools).output();
        let records = tree.join(".git").join("grace").join("reach");
        if fs::read_dir(&records).is_ok_and(|mut files| files.next().is_some()) {
            return Ok(());
        }
        let why = end.err().unwrap_or_else(|| "no reason is given".to_owned());
        Err(format!("nothing was recorded in {}: {why}", tree.display()))
    }

    /// Plans one fault after the other, each put into the tree and taken out of it again.
    /// With `tools` as the run that was recorded had them: a record tells nothing of other interpreters.
    pub(super) fn choices(&self, tree: &Path, truth: &Truth, tools: Option<&Path>) -> Result<Vec<Chosen>, String> {
        let numbers: BTreeMap<&str, usize> =
            truth.tests.iter().enumerate().map(|(number, test)| (test.id.as_str(), number)).collect();
        // So that none of them pays for what is remembered from then on.
        self.plan(tree, tools)?;
        truth.faults.iter().map(|fault| self.choice(tree, fault, &numbers, tools)).collect()
    }

    fn choice(
        &self,
        tree: &Path,
        fault: &Fault,
        numbers: &BTreeMap<&str, usize>,
        tools: Option<&Path>,
    ) -> Result<Chosen, String> {
        let (path, before) = fault.applied(tree)?;
        let start = Instant::now();
        let plan = self.plan(tree, tools);
        let millis = start.elapsed().as_secs_f64() * 1e3;
        fs::write(&path, before).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
        let plan = plan.map_err(|why| format!("{}: {why}", fault.shown()))?;
        let bundle = plan["bundles"].as_array().and_then(|bundles| bundles.first());
        let words = |name: &str| -> BTreeSet<&str> {
            let list = bundle.and_then(|bundle| bundle[name].as_array());
            list.into_iter().flatten().filter_map(Value::as_str).collect()
        };
        let (selected, whole) = (words("selected"), words("whole"));
        let file = |id: &str| id.split("::").next().unwrap_or_default().to_owned();
        let is_chosen = |id: &str| selected.contains(id) || whole.contains(file(id).as_str());
        let tests = numbers.iter().filter(|(id, _)| is_chosen(id)).map(|(_, &number)| number).collect();
        let why = bundle.map_or_else(String::new, |bundle| said(&bundle["sources"], &whole));
        Ok(Chosen { tests, is_empty: selected.is_empty() && whole.is_empty(), millis, why })
    }

    fn plan(&self, tree: &Path, tools: Option<&Path>) -> Result<Value, String> {
        let call = self.call(tree, &["plan", "--worktree", "--format", "json"]);
        let call = tools.into_iter().fold(call, |call, tools| call.path_first(tools));
        let plan: Value =
            serde_json::from_str(&call.output()?).map_err(|error| format!("a plan that is no JSON: {error}"))?;
        // A fault of settings puts a record aside; that nothing was compared with it must not go unseen.
        let unused = plan["bundles"][0]["unused_record"].as_str().filter(|why| why.contains("interpreter"));
        unused.map_or(Ok(()), |why| Err(format!("the record is not used: {why}")))?;
        Ok(plan)
    }
}

/// `read 3, recorded 12, all of tests/test_a.py`; what is nought is left out.
fn said(sources: &Value, whole: &BTreeSet<&str>) -> String {
    let sources = sources.as_object().into_iter().flatten().filter(|(name, _)| *name != "with_record");
    let counts = sources.filter(|(_, count)| count.as_u64() != Some(0)).map(|(name, count)| format!("{name} {count}"));
    counts.chain(whole.iter().map(|file| format!("all of {file}"))).collect::<Vec<_>>().join(", ")
}
