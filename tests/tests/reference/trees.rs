//! Small repositories, of Python above all, and random edits of them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use proptest::prelude::*;

/// A repository: what each file holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Repo {
    pub(crate) files: BTreeMap<String, Source>,
}

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    Python(Module),
    Text(Vec<String>),
    /// Bytes that no parser reads, under a path that asks for one.
    Opaque(u8),
    /// Code in a language other than Python.
    Other(Other),
}

/// A file of TypeScript, Rust or Go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Other {
    pub(crate) template: &'static str,
    pub(crate) constant: u8,
    pub(crate) comment: u8,
    pub(crate) calls: bool,
    pub(crate) extra: bool,
}

impl Other {
    /// Templates hold marks: what is used only if something is called, and what stands there only if there is more.
    fn render(&self) -> String {
        let line = |line: &str| {
            let (kept, rest) = match (line.strip_prefix("?call "), line.strip_prefix("?more ")) {
                (Some(rest), _) => (self.calls, rest),
                (_, Some(rest)) => (self.extra, rest),
                _ => (true, line),
            };
            let text = rest.replace("NUMBER", &self.constant.to_string()).replace("NOTE", &self.comment.to_string());
            kept.then(|| text + "\n")
        };
        self.template.lines().filter_map(line).collect()
    }
}

const OTHERS: [(&str, &str); 9] = [
    (
        "web/a.ts",
        "// remark NOTE\nimport { g } from './b';\nexport class A extends Base {\n  run() {\n?call     g();\n    return NUMBER;\n  }\n}\n?more export function extra() { return 1; }",
    ),
    (
        "web/b.ts",
        "export function g() {\n  // remark NOTE\n  return NUMBER;\n}\n?more export const model = 'phi3:medium';\n?call readFileSync('conf/settings.yaml');",
    ),
    (
        "web/a.test.ts",
        "import { A } from './a';\n// remark NOTE\nit('works', () => {\n?call   new A().run();\n  expect(1).toBe(NUMBER);\n});\n?more it('more', () => {});",
    ),
    ("one/Cargo.toml", "[package]\nname = \"one\""),
    (
        "one/src/lib.rs",
        "// remark NOTE\nmod deep;\npub struct Kind;\nimpl Kind {\n    pub fn start(&self) -> u8 {\n?call         deep::f();\n        NUMBER\n    }\n}\n?more fn extra() {}\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn works() {\n?call         super::Kind.start();\n    }\n}",
    ),
    (
        "one/src/deep.rs",
        "pub fn f() -> u8 {\n    // remark NOTE\n    NUMBER\n}\n?more pub fn helper() {}\n?call const T: &str = include_str!(\"../../README.md\");",
    ),
    (
        "pkg/a.go",
        "package pkg\n\n// remark NOTE\nfunc F() int {\n?call \th()\n\treturn NUMBER\n}\n?more \n?more func Extra() {}",
    ),
    (
        "pkg/b.go",
        "package pkg\n\ntype K struct{}\n\nfunc (k K) start() int { return NUMBER } // remark NOTE\n\nfunc h() {\n?call \tF()\n}",
    ),
    (
        "pkg/a_test.go",
        "package pkg\n\nfunc TestF(t *testing.T) {\n?call \tF()\n\t_ = NUMBER // remark NOTE\n}\n?more \n?more func helper() {}",
    ),
];

/// Puts files of other languages beside a repository, by a number, and gives an edit of one of them.
pub(crate) fn add_others(repo: &mut Repo, number: u8) -> Edit {
    for (at, (path, template)) in (0_u8..).zip(OTHERS) {
        let bits = number.wrapping_mul(31).wrapping_add(at.wrapping_mul(7));
        let other =
            Other { template, constant: bits % 3, comment: bits / 3 % 3, calls: bits & 8 == 0, extra: bits & 16 > 0 };
        if bits % 5 > 0 {
            repo.files.insert(path.to_owned(), Source::Other(other));
        }
    }
    Edit::Other(number / 4, number % 4, number % 7 + 3)
}

/// A module of Python.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Module {
    pub(crate) docstring: Option<u8>,
    pub(crate) comment: u8,
    pub(crate) imports: Vec<String>,
    pub(crate) constant: u8,
    pub(crate) model: Option<String>,
    pub(crate) classes: Vec<Class>,
    pub(crate) functions: Vec<Function>,
}

/// A class with its methods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Class {
    pub(crate) name: String,
    pub(crate) base: Option<String>,
    pub(crate) constant: u8,
    pub(crate) methods: Vec<Function>,
}

/// A function or method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) decorator: Option<String>,
    pub(crate) parameters: u8,
    pub(crate) docstring: Option<u8>,
    pub(crate) comment: Option<u8>,
    pub(crate) constant: u8,
    pub(crate) calls: Vec<String>,
    pub(crate) asserts: u8,
}

impl Repo {
    /// The bytes of every file.
    pub(crate) fn render(&self) -> BTreeMap<String, Vec<u8>> {
        self.files.iter().map(|(path, source)| (path.clone(), source.render())).collect()
    }
}

impl Source {
    fn render(&self) -> Vec<u8> {
        match self {
            Self::Python(module) => module.render().into_bytes(),
            Self::Text(lines) => lines.iter().map(|line| format!("{line}\n")).collect::<String>().into_bytes(),
            Self::Other(other) => other.render().into_bytes(),
            Self::Opaque(seed) => vec![b'x', b' ', b'=', 0, *seed, b'\n'],
        }
    }
}

impl Module {
    fn render(&self) -> String {
        let mut text = String::new();
        if let Some(docstring) = self.docstring {
            let _ = writeln!(text, "\"\"\"Module, note {docstring}.\"\"\"");
        }
        let _ = writeln!(text, "# remark {}", self.comment);
        for import in &self.imports {
            let _ = writeln!(text, "{import}");
        }
        let _ = writeln!(text, "LIMIT = {}", self.constant);
        if let Some(model) = &self.model {
            let _ = writeln!(text, "MODEL = \"{model}\"");
        }
        for class in &self.classes {
            let base = class.base.as_ref().map(|base| format!("({base})")).unwrap_or_default();
            let _ = writeln!(text, "\n\nclass {}{base}:\n    size = {}", class.name, class.constant);
            for method in &class.methods {
                method.render(&mut text, "    ", true);
            }
        }
        for function in &self.functions {
            function.render(&mut text, "", false);
        }
        text
    }
}

impl Function {
    fn render(&self, text: &mut String, indent: &str, is_method: bool) {
        text.push('\n');
        if let Some(decorator) = &self.decorator {
            let _ = writeln!(text, "{indent}@{decorator}");
        }
        let own = is_method.then(|| "self".to_owned());
        let parameters: Vec<String> =
            own.into_iter().chain((0..self.parameters).map(|at| format!("p{at}=0"))).collect();
        let _ = writeln!(text, "{indent}def {}({}):", self.name, parameters.join(", "));
        if let Some(docstring) = self.docstring {
            let _ = writeln!(text, "{indent}    \"\"\"Note {docstring}.\"\"\"");
        }
        if let Some(comment) = self.comment {
            let _ = writeln!(text, "{indent}    # remark {comment}");
        }
        let _ = writeln!(text, "{indent}    value = {}", self.constant);
        for call in &self.calls {
            let _ = writeln!(text, "{indent}    {call}()");
        }
        for number in 0..self.asserts {
            let _ = writeln!(text, "{indent}    assert value != {}", 1000 + u32::from(number));
        }
        let _ = writeln!(text, "{indent}    return value");
    }
}

const PYTHON: [&str; 9] = [
    "app/__init__.py",
    "app/core.py",
    "app/ui.py",
    "app/db.py",
    "lib/__init__.py",
    "lib/util.py",
    "lib/kernels/boot_kernel.py",
    "tests/test_core.py",
    "tests/chaos/test_boot.py",
];
const IMPORTS: [&str; 8] = [
    "import app.db",
    "from app.db import f0",
    "from app.core import BaseKernel",
    "from lib import util",
    "from lib.kernels import boot_kernel",
    "from lib.kernels.boot_kernel import BootKernel, f1",
    "import app.ui",
    "from app import core",
];
const CALLS: [&str; 9] =
    ["f0", "f1", "helper", "app.db.f0", "util.helper", "boot_kernel.f1", "BootKernel", "other.start", "core.f0"];
const CLASSES: [&str; 4] = ["BaseKernel", "BootKernel", "Adapter", "_Hidden"];
const FUNCTIONS: [&str; 5] = ["f0", "f1", "helper", "_private", "start"];
const TESTS: [&str; 4] = ["test_a", "test_b", "test_c", "helper"];
const MODELS: [&str; 3] = ["mistral:7b", "phi3:medium", "unheard:1b"];
const DECORATORS: [&str; 2] = ["staticmethod", "functools.cache"];

fn one_of(names: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::sample::select(names).prop_map(str::to_owned)
}

fn function(names: &'static [&'static str], test: bool) -> impl Strategy<Value = Function> {
    (
        one_of(names),
        prop::option::weighted(0.2, one_of(&DECORATORS)),
        0..2_u8,
        prop::option::of(0..2_u8),
        prop::option::of(0..2_u8),
        0..3_u8,
        prop::collection::vec(one_of(&CALLS), 0..3),
        0..3_u8,
    )
        .prop_map(move |(name, decorator, parameters, docstring, comment, constant, calls, asserts)| Function {
            name,
            // One that makes several tests of one, under other names.
            decorator: decorator.map(|name| if test { "parameterized.expand".to_owned() } else { name }),
            parameters: if test { 0 } else { parameters },
            docstring,
            comment,
            constant,
            calls,
            asserts: if test { asserts } else { 0 },
        })
}

fn class() -> impl Strategy<Value = Class> {
    (
        one_of(&CLASSES),
        prop::option::of(one_of(&CLASSES)),
        0..3_u8,
        prop::collection::vec(function(&FUNCTIONS, false), 0..3),
    )
        .prop_map(|(name, base, constant, methods)| Class {
            base: base.filter(|base| *base != name),
            name,
            constant,
            methods,
        })
}

fn module(test: bool) -> impl Strategy<Value = Module> {
    let names: &'static [&'static str] = if test { &TESTS } else { &FUNCTIONS };
    (
        prop::option::of(0..2_u8),
        0..3_u8,
        prop::collection::vec(one_of(&IMPORTS), 0..3),
        0..3_u8,
        prop::option::weighted(0.25, one_of(&MODELS)),
        prop::collection::vec(class(), 0..if test { 1 } else { 3 }),
        prop::collection::vec(function(names, test), 0..4),
    )
        .prop_map(|(docstring, comment, imports, constant, model, classes, functions)| Module {
            docstring,
            comment,
            imports,
            constant,
            model,
            classes,
            functions,
        })
}

fn is_test(path: &str) -> bool {
    path.starts_with("tests/")
}

/// A repository with some of the known files.
pub(crate) fn repo() -> impl Strategy<Value = Repo> {
    let python: Vec<_> = PYTHON
        .iter()
        .map(|path| prop::option::weighted(0.85, module(is_test(path))).prop_map(move |held| (*path, held)))
        .collect();
    let text = prop::collection::vec(0..4_u8, 1..4);
    (python, text.clone(), text, prop::option::weighted(0.15, 0..3_u8)).prop_map(|(python, yaml, readme, opaque)| {
        let mut files: BTreeMap<String, Source> =
            python.into_iter().filter_map(|(path, held)| Some((path.to_owned(), Source::Python(held?)))).collect();
        let lines = |of: Vec<u8>| Source::Text(of.into_iter().map(|line| format!("key{line}: {line}")).collect());
        files.insert("conf/settings.yaml".to_owned(), lines(yaml));
        files.insert("README.md".to_owned(), lines(readme));
        files.insert("conf/mistral.yaml".to_owned(), lines(vec![1]));
        if let Some(seed) = opaque {
            let path = if seed == 0 { "web/strange.ts" } else { "lib/strange.py" };
            files.insert(path.to_owned(), Source::Opaque(seed));
        }
        Repo { files }
    })
}

/// One edit; numbers are taken modulo what is there.
#[derive(Debug, Clone)]
pub(crate) enum Edit {
    Constant(u8),
    Comment(u8, u8),
    Docstring(u8, Option<u8>),
    Body(u8, u8, u8),
    FunctionDocstring(u8, u8, Option<u8>),
    FunctionComment(u8, u8, Option<u8>),
    Signature(u8, u8),
    Decorator(u8, u8),
    AddFunction(u8, Function),
    RemoveFunction(u8, u8),
    RenameFunction(u8, u8, String),
    AddImport(u8, String),
    RemoveImport(u8),
    AddCall(u8, u8, String),
    DropAssert(u8, u8),
    AddClass(u8, Class),
    RemoveClass(u8),
    Model(u8, Option<String>),
    Delete(u8),
    Move(u8, u8),
    Add(String, Module),
    Line(u8, u8),
    Spoil(u8, u8),
    Assert(u8),
    Owners(u8),
    /// What pytest is told to leave out.
    LeaveOut(u8),
    Other(u8, u8, u8),
}

/// A random edit.
pub(crate) fn edit() -> impl Strategy<Value = Edit> {
    let n = || 0..16_u8;
    let small = || 0..4_u8;
    prop_oneof![
        2 => n().prop_map(Edit::Constant),
        2 => (n(), small()).prop_map(|(file, to)| Edit::Comment(file, to)),
        1 => (n(), prop::option::of(small())).prop_map(|(file, to)| Edit::Docstring(file, to)),
        4 => (n(), n(), 3..9_u8).prop_map(|(file, at, to)| Edit::Body(file, at, to)),
        2 => (n(), n(), prop::option::of(small())).prop_map(|(file, at, to)| Edit::FunctionDocstring(file, at, to)),
        2 => (n(), n(), prop::option::of(small())).prop_map(|(file, at, to)| Edit::FunctionComment(file, at, to)),
        2 => (n(), n()).prop_map(|(file, at)| Edit::Signature(file, at)),
        1 => (n(), n()).prop_map(|(file, at)| Edit::Decorator(file, at)),
        2 => (n(), function(&FUNCTIONS, false)).prop_map(|(file, made)| Edit::AddFunction(file, made)),
        1 => (n(), function(&TESTS, true)).prop_map(|(file, made)| Edit::AddFunction(file, made)),
        2 => (n(), n()).prop_map(|(file, at)| Edit::RemoveFunction(file, at)),
        2 => (n(), n(), one_of(&FUNCTIONS)).prop_map(|(file, at, to)| Edit::RenameFunction(file, at, to)),
        3 => (n(), one_of(&IMPORTS)).prop_map(|(file, import)| Edit::AddImport(file, import)),
        1 => n().prop_map(Edit::RemoveImport),
        3 => (n(), n(), one_of(&CALLS)).prop_map(|(file, at, call)| Edit::AddCall(file, at, call)),
        1 => (n(), n()).prop_map(|(file, at)| Edit::DropAssert(file, at)),
        1 => (n(), class()).prop_map(|(file, made)| Edit::AddClass(file, made)),
        1 => n().prop_map(Edit::RemoveClass),
        1 => (n(), prop::option::of(one_of(&MODELS))).prop_map(|(file, to)| Edit::Model(file, to)),
        1 => n().prop_map(Edit::Delete),
        1 => (n(), n()).prop_map(|(file, to)| Edit::Move(file, to)),
        1 => (one_of(&PYTHON), module(false)).prop_map(|(path, made)| Edit::Add(path, made)),
        2 => (n(), n()).prop_map(|(file, line)| Edit::Line(file, line)),
        1 => (n(), small()).prop_map(|(file, seed)| Edit::Spoil(file, seed)),
        1 => n().prop_map(Edit::Assert),
        1 => small().prop_map(Edit::Owners),
        1 => small().prop_map(Edit::LeaveOut),
    ]
}

/// What a series of edits did besides changing files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Done {
    /// Where moved files went: new path to old.
    pub(crate) moved: BTreeMap<String, String>,
    /// Files named as changed without saying how.
    pub(crate) asserted: Vec<String>,
}

/// The repository after the edits.
pub(crate) fn apply(repo: &Repo, edits: &[Edit]) -> (Repo, Done) {
    let mut after = repo.clone();
    let mut done = Done::default();
    for edit in edits {
        apply_one(&mut after, edit, &mut done);
    }
    done.moved.retain(|to, from| after.files.contains_key(to) && !after.files.contains_key(from));
    done.asserted.retain(|path| after.files.get(path) == repo.files.get(path));
    (after, done)
}

fn nth<T>(all: &mut [T], at: u8) -> Option<&mut T> {
    let count = all.len();
    if count == 0 { None } else { all.get_mut(usize::from(at) % count) }
}

fn nth_path(repo: &Repo, at: u8, wanted: impl Fn(&Source) -> bool) -> Option<String> {
    let paths: Vec<&String> = repo.files.iter().filter(|(_, source)| wanted(source)).map(|(path, _)| path).collect();
    if paths.is_empty() { None } else { Some(paths[usize::from(at) % paths.len()].clone()) }
}

fn python(repo: &mut Repo, at: u8) -> Option<&mut Module> {
    let path = nth_path(repo, at, |source| matches!(source, Source::Python(_)))?;
    match repo.files.get_mut(&path) {
        Some(Source::Python(module)) => Some(module),
        _ => None,
    }
}

fn body(repo: &mut Repo, file: u8, at: u8) -> Option<&mut Function> {
    let module = python(repo, file)?;
    let mut all: Vec<&mut Function> = module
        .functions
        .iter_mut()
        .chain(module.classes.iter_mut().flat_map(|class| class.methods.iter_mut()))
        .collect();
    let count = all.len();
    if count == 0 { None } else { Some(all.swap_remove(usize::from(at) % count)) }
}

fn apply_one(repo: &mut Repo, edit: &Edit, done: &mut Done) -> Option<()> {
    match edit {
        Edit::Constant(file) => python(repo, *file)?.constant += 3,
        Edit::Comment(file, to) => python(repo, *file)?.comment = *to,
        Edit::Docstring(file, to) => python(repo, *file)?.docstring = *to,
        Edit::Body(file, at, to) => body(repo, *file, *at)?.constant = *to,
        Edit::FunctionDocstring(file, at, to) => body(repo, *file, *at)?.docstring = *to,
        Edit::FunctionComment(file, at, to) => body(repo, *file, *at)?.comment = *to,
        Edit::Signature(file, at) => body(repo, *file, *at)?.parameters += 1,
        Edit::Decorator(file, at) => body(repo, *file, *at)?.decorator = Some("functools.cache".to_owned()),
        Edit::AddFunction(file, made) => python(repo, *file)?.functions.push(made.clone()),
        Edit::RemoveFunction(file, at) => {
            let module = python(repo, *file)?;
            let count = module.functions.len();
            if count > 0 {
                module.functions.remove(usize::from(*at) % count);
            }
        }
        Edit::RenameFunction(file, at, to) => body(repo, *file, *at)?.name.clone_from(to),
        Edit::AddImport(file, import) => python(repo, *file)?.imports.push(import.clone()),
        Edit::RemoveImport(file) => {
            python(repo, *file)?.imports.pop();
        }
        Edit::AddCall(file, at, call) => body(repo, *file, *at)?.calls.push(call.clone()),
        Edit::DropAssert(file, at) => {
            let function = body(repo, *file, *at)?;
            function.asserts = function.asserts.saturating_sub(1);
        }
        Edit::AddClass(file, made) => python(repo, *file)?.classes.push(made.clone()),
        Edit::RemoveClass(file) => {
            python(repo, *file)?.classes.pop();
        }
        Edit::Model(file, to) => python(repo, *file)?.model.clone_from(to),
        Edit::Delete(file) => {
            let path = nth_path(repo, *file, |_| true)?;
            repo.files.remove(&path);
        }
        Edit::Move(file, to) => {
            let path = nth_path(repo, *file, |source| matches!(source, Source::Python(_)))?;
            let folders = ["app", "lib", "lib/kernels", "tests"];
            let to = format!("{}/moved_{to}.py", folders[usize::from(*to) % folders.len()]);
            if !repo.files.contains_key(&to) && !done.moved.contains_key(&path) {
                let held = repo.files.remove(&path)?;
                repo.files.insert(to.clone(), held);
                done.moved.insert(to, path);
            }
        }
        Edit::Add(path, module) => {
            repo.files.entry(path.clone()).or_insert_with(|| Source::Python(module.clone()));
        }
        Edit::Line(file, line) => {
            let path = nth_path(repo, *file, |source| matches!(source, Source::Text(_)))?;
            if let Some(Source::Text(lines)) = repo.files.get_mut(&path) {
                match nth(lines, *line) {
                    Some(held) => held.push('x'),
                    None => lines.push("new".to_owned()),
                }
            }
        }
        Edit::Spoil(file, seed) => {
            let path = nth_path(repo, *file, |source| matches!(source, Source::Python(_) | Source::Other(_)))?;
            repo.files.insert(path, Source::Opaque(*seed));
        }
        Edit::Assert(file) => {
            let path = nth_path(repo, *file, |_| true)?;
            done.asserted.push(path);
        }
        Edit::Other(file, what, to) => {
            let path = nth_path(repo, *file, |source| matches!(source, Source::Other(_)))?;
            if let Some(Source::Other(other)) = repo.files.get_mut(&path) {
                match what {
                    0 => other.constant = *to,
                    1 => other.comment = *to,
                    2 => other.calls = !other.calls,
                    _ => other.extra = !other.extra,
                }
            }
        }
        Edit::LeaveOut(which) => {
            const SETTINGS: [&str; 4] =
                ["--ignore=tests/chaos", "--ignore-glob=tests/*_core.py", "--ignore=nowhere", "-k start"];
            let setting = SETTINGS[usize::from(*which) % SETTINGS.len()];
            let lines = vec!["[pytest]".to_owned(), format!("addopts = {setting}")];
            repo.files.insert("tox.ini".to_owned(), Source::Text(lines));
        }
        Edit::Owners(line) => {
            repo.files.insert("CODEOWNERS".to_owned(), Source::Text(vec![format!("app/f{line}.py @someone")]));
        }
    }
    Some(())
}
