//! A history of a small repository, commit by commit: code that moves and goes, and rules that change with it.

use std::collections::BTreeMap;

use crate::case::Files;
use crate::trees::Done;

/// One commit: what it is called, and what it does.
pub(crate) struct Commit {
    pub(crate) name: &'static str,
    pub(crate) files: Files,
    pub(crate) done: Done,
}

const RULES: &str = r#"module project.rules
team core members "ann@example.org"
team all_hands members "ann@example.org", "bob@example.org"
define boot = path("app/boot/**")
family layer values layer1, layer2 first match wins
tag layer(layer1) on boot
tag layer(layer2) on path("app/**")
tag kernel on members of subtypes(header of class("BaseKernel"), any distance)
principle STABLE says "Layer 1 stays stable."
bundle unit critical
  tests path("tests/**")
  run "pytest", "{tests}", "--junitxml={junit}"
  timeout 60 s in all
tiers
  1 safe approve automatically for change only in comments, formatting, documentation, added tests
  2 internal approve by rules for any other change
  3 sensitive approve 1 of an owner of each file in boot, else team(core) for operations change_security
policy layer1
  covers layer(layer1)
  tier 3
  require approval 1 of team(core), bundle(unit)
  trust at least 0.90
  upholds STABLE
  owner team(core)
  because "Everything boots through it."
rule reaches_kernel : tier 2
  when change touches dependents(tag(kernel), any distance)
  require bundle(unit) narrowed to impacted tests
  because "What calls a kernel breaks with it."
rule new_edge_into_kernel : tier 3
  when new edges imports from (all except tag(kernel)) to tag(kernel)
  require approval 1 of an owner of each file in tag(kernel), else team(all_hands)
  because "A dependency on a kernel is agreed."
forbid ui_to_store
  imports from package("app.ui") to package("app.store"), direct or through other modules
  owner team(core)
  because "Screens do not know storage."
layers inside closed
  path("app/ui/**") over path("app/api/**") over path("app/store/**")
  because "Dependencies point down."
rule python_code : tier 2
  when change touches language(python)
  because "What it is written in is told by its name."
rule fewer_tests : tier 2
  when tests removed or tests weakened
  require approval 1 of team(all_hands)
  because "Nobody lowers the bar for their own change."
rule failed_after : tier 3
  after the run
  when change touches path("app/**") and any critical bundle failed
  require approval 2 of team(all_hands)
  deny if unknown hold for approval 1 of team(core)
  because "A failure is looked into."
"#;

const START: [(&str, &str); 12] = [
    ("CODEOWNERS", "/app/boot/ @boot\n/app/store/ @store\n"),
    ("README.md", "# Project\n\nText.\n"),
    ("app/__init__.py", ""),
    ("app/api/__init__.py", ""),
    ("app/api/calls.py", "from app.store.rows import read\n\n\ndef call():\n    return read()\n"),
    ("app/boot/__init__.py", ""),
    (
        "app/boot/kernel.py",
        "class BaseKernel:\n    def start(self):\n        return 1\n\n\nclass Boot(BaseKernel):\n    def start(self):\n        return 2\n",
    ),
    ("app/store/__init__.py", ""),
    ("app/store/rows.py", "def read():\n    return 1\n\n\ndef write(row):\n    return row\n"),
    ("app/ui/__init__.py", ""),
    ("app/ui/screen.py", "from app.api.calls import call\n\n\ndef show():\n    return call()\n"),
    (
        "tests/test_all.py",
        "from app.boot.kernel import Boot\nfrom app.ui.screen import show\n\n\ndef test_boot():\n    assert Boot().start() == 2\n    assert Boot()\n\n\ndef test_show():\n    assert show() == 1\n",
    ),
];

/// Writes a history.
struct Script {
    files: BTreeMap<String, String>,
    moved: BTreeMap<String, String>,
    commits: Vec<Commit>,
}

impl Script {
    fn put(&mut self, path: &str, text: &str) -> &mut Self {
        self.files.insert(path.to_owned(), text.to_owned());
        self
    }

    fn replace(&mut self, path: &str, old: &str, new: &str) -> &mut Self {
        let text = self.files.get(path).filter(|text| text.contains(old)).expect(old).replacen(old, new, 1);
        self.put(path, &text)
    }

    fn append(&mut self, path: &str, more: &str) -> &mut Self {
        let text = format!("{}{more}", self.files.get(path).expect(path));
        self.put(path, &text)
    }

    fn delete(&mut self, path: &str) -> &mut Self {
        self.files.remove(path).expect(path);
        self
    }

    fn rename(&mut self, from: &str, to: &str) -> &mut Self {
        let text = self.files.remove(from).expect(from);
        self.moved.insert(to.to_owned(), from.to_owned());
        self.put(to, &text)
    }

    fn commit(&mut self, name: &'static str) {
        let done = Done { moved: std::mem::take(&mut self.moved), asserted: Vec::new() };
        let files = self.files.iter().map(|(path, text)| (path.clone(), text.clone().into_bytes())).collect();
        self.commits.push(Commit { name, files, done });
    }
}

/// The history, oldest first.
pub(crate) fn history() -> Vec<Commit> {
    const RULE_FILE: &str = "grace/rules.grace";
    let mut script = Script { files: BTreeMap::new(), moved: BTreeMap::new(), commits: Vec::new() };
    let it = &mut script;
    START.iter().for_each(|(path, text)| {
        it.put(path, text);
    });
    it.commit("a project without rules");
    it.put(RULE_FILE, RULES).commit("the first rules");
    it.replace("app/boot/kernel.py", "return 2", "return 3").commit("a kernel edit");
    it.replace("app/boot/kernel.py", "    def start", "    # begins\n    def start").commit("a comment");
    it.append("README.md", "More.\n").commit("a document");
    it.append("tests/test_all.py", "\n\ndef test_more():\n    assert True\n").commit("an added test");
    it.replace("tests/test_all.py", "    assert Boot()\n", "").commit("a weakened test");
    it.rename("app/store/rows.py", "app/store/table.py")
        .replace("app/api/calls.py", "app.store.rows", "app.store.table")
        .commit("a renamed module");
    it.replace("app/ui/screen.py", "import call\n", "import call\nfrom app.store.table import write\n")
        .commit("an import that is forbidden");
    it.replace("app/ui/screen.py", "from app.store.table import write\n", "").commit("and back");
    it.append("app/api/calls.py", "\n\ndef kernel():\n    from app.boot.kernel import Boot\n\n    return Boot()\n")
        .commit("a new edge into a kernel");
    it.append(RULE_FILE, "rule documented : tier 2\n  when documentation removed in all\n  because \"Clarity.\"\n")
        .commit("one more rule");
    it.replace("app/boot/kernel.py", "class Boot", "class Late").replace(
        "tests/test_all.py",
        "from app.boot.kernel import Boot",
        "from app.boot.kernel import Late as Boot",
    );
    it.replace("app/api/calls.py", "import Boot\n\n    return Boot()", "import Late\n\n    return Late()")
        .commit("a renamed class");
    it.rename("app/boot/kernel.py", "app/late.py").replace("app/api/calls.py", "app.boot.kernel", "app.late");
    it.replace("tests/test_all.py", "app.boot.kernel", "app.late").commit("a kernel leaves layer 1");
    it.replace(RULE_FILE, "covers layer(layer1)", "covers layer(layer1) plus tag(kernel)").commit("a wider policy");
    it.replace("app/late.py", "return 3", "return 4").commit("an edit under the wider policy");
    it.replace(RULE_FILE, "rule fewer_tests : tier 2", "rule fewer_tests : tier").commit("a broken rule");
    it.replace("app/store/table.py", "return 1", "return 5").commit("an edit while a rule is broken");
    it.replace(RULE_FILE, "rule fewer_tests : tier\n", "rule fewer_tests : tier 2\n").commit("the rule mended");
    it.append(RULE_FILE, "rule lost : tier 2\n  when change touches tag(nowhere)\n  because \"Lost.\"\n")
        .commit("a name that stands for nothing");
    it.replace(RULE_FILE, "tag(nowhere)", "tag(kernel)").commit("the name mended");
    it.delete("app/ui/screen.py").replace("tests/test_all.py", "from app.ui.screen import show\n", "");
    it.replace("tests/test_all.py", "\n\ndef test_show():\n    assert show() == 1\n", "")
        .commit("a screen goes, its test too");
    it.put("app/api/broken.py", "def half(:\n").commit("a file that does not parse");
    it.replace("app/api/broken.py", "def half(:\n", "def half():\n    return 0\n").commit("and does");
    it.put("web/broken.ts", "export function half(\n").commit("a file of another language that does not parse");
    it.replace("web/broken.ts", "half(", "half() {}").commit("and does");
    it.put("CODEOWNERS", "* @all\n").commit("other owners");
    it.replace(RULE_FILE, "timeout 60 s in all", "timeout 30 s in all");
    it.replace("app/store/table.py", "return row", "return [row]").commit("a bundle and code at once");
    it.replace("app/store/table.py", "def write(row):", "def write(row, at=0):").commit("a signature");
    it.put("requirements.txt", "pest==1.0\n").commit("a package");
    it.rename("app/store/table.py", "lib/table.py").replace("app/api/calls.py", "app.store.table", "lib.table");
    it.delete("app/store/__init__.py").commit("a package goes");
    it.put("notes/plan.txt", "later\n").delete("requirements.txt").commit("files of no language");
    it.delete(RULE_FILE).commit("the rules go");
    it.replace("app/late.py", "return 4", "return 6").commit("judged by nobody's rules");
    script.commits
}
