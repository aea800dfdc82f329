//! Manifests that say where modules are found: `package.json`, `tsconfig.json`, `go.mod`, `Cargo.toml`; and settings that
//! name modules of Python, see [`settings`].
//!
//! Their outline has the single part of a plain file; what they say stands in `all`, an entry a string: fields divided by
//! tabs, the first of them names the entry. What cannot be read says nothing.

use serde_json::Value;
use toml::de::DeTable;

use crate::code::PartKind;
use crate::facts::{ContentId, FileFacts, Language, NameTable, Outline, OutlineParts, PartFact};

use super::{Extractor, settings};

/// Entries that one manifest may have, and how long one may be.
const MAX_ENTRIES: usize = 5_000;
const MAX_ENTRY: usize = 1_000;
/// How deeply conditions of an export may be nested.
const MAX_CONDITIONS: usize = 8;

/// The reader of one kind of manifest.
pub(super) struct Manifest(pub(super) Language);

impl Extractor for Manifest {
    fn extract(&self, content: ContentId, text: &str) -> FileFacts {
        let mut entries = Entries::default();
        match self.0 {
            Language::PackageJson => package_json(text, &mut entries),
            Language::TsConfig => ts_config(text, &mut entries),
            Language::CargoToml => cargo_toml(text, &mut entries),
            Language::PythonToml => settings::toml(text, &mut entries),
            Language::PythonIni => settings::ini(text, &mut entries),
            _ => go_mod(text, &mut entries),
        }
        let mut names = NameTable::default();
        let empty = names.push("");
        let all = entries.0.iter().map(|entry| names.push(entry)).collect();
        let part = PartFact::new(PartKind::File, empty, empty);
        let outline =
            Outline::seal(OutlineParts { names, parts: vec![part], all: Some(all), ..OutlineParts::default() });
        FileFacts { outline: std::sync::Arc::new(outline), problems: Box::default(), ..FileFacts::nothing(content) }
    }

    fn extract_with_digests(&self, content: ContentId, text: &str, _raw: &str) -> FileFacts {
        self.extract(content, text)
    }
}

#[derive(Default)]
pub(super) struct Entries(Vec<String>);

impl Entries {
    pub(super) fn push(&mut self, fields: &[&str]) {
        let length: usize = fields.iter().map(|field| field.len() + 1).sum();
        let is_plain = fields.iter().all(|field| !field.contains(['\t', '\n']));
        if self.0.len() < MAX_ENTRIES && length <= MAX_ENTRY && is_plain {
            self.0.push(fields.join("\t"));
        }
    }
}

fn package_json(text: &str, entries: &mut Entries) {
    let Ok(Value::Object(package)) = serde_json::from_str(text) else { return };
    for field in ["name", "source", "types", "typings", "module", "main"] {
        if let Some(Value::String(value)) = package.get(field) {
            entries.push(&[field, value]);
        }
    }
    match package.get("exports") {
        Some(Value::Object(exports)) if exports.keys().any(|key| key.starts_with('.')) => {
            for (subpath, target) in exports {
                conditions("export", subpath, target, 0, entries);
            }
        }
        Some(target) => conditions("export", ".", target, 0, entries),
        None => {}
    }
    if let Some(Value::Object(imports)) = package.get("imports") {
        for (name, target) in imports {
            conditions("import", name, target, 0, entries);
        }
    }
    for tool in ["jest", "mocha", "ava", "vitest", "jasmine", "tap"] {
        if let Some(said) = package.get(tool) {
            set_up(said, 0, entries);
        }
    }
    for field in ["dependencies", "devDependencies", "peerDependencies", "optionalDependencies"] {
        if let Some(Value::Object(dependencies)) = package.get(field) {
            for name in dependencies.keys() {
                entries.push(&["dependency", name]);
            }
        }
    }
}

/// The files that settings of a runner of tests name, whatever for.
fn set_up(said: &Value, depth: usize, entries: &mut Entries) {
    match said {
        Value::String(path) => {
            let is_own = ["./", "../", "<rootDir>/"].iter().any(|begin| path.starts_with(begin));
            let is_file = is_own || path.contains('/') && path.contains('.');
            if is_file && !path.contains('*') {
                entries.push(&["set up", path]);
            }
        }
        Value::Object(said) if depth < MAX_CONDITIONS => {
            said.values().for_each(|said| set_up(said, depth + 1, entries))
        }
        Value::Array(several) if depth < MAX_CONDITIONS => {
            several.iter().for_each(|said| set_up(said, depth + 1, entries));
        }
        _ => {}
    }
}

/// The targets of an export under all its conditions, in order.
fn conditions(kind: &str, subpath: &str, target: &Value, depth: usize, entries: &mut Entries) {
    match target {
        Value::String(path) => entries.push(&[kind, subpath, path]),
        Value::Object(conditional) if depth < MAX_CONDITIONS => {
            conditional.values().for_each(|target| conditions(kind, subpath, target, depth + 1, entries));
        }
        Value::Array(several) if depth < MAX_CONDITIONS => {
            several.iter().for_each(|target| conditions(kind, subpath, target, depth + 1, entries));
        }
        _ => {}
    }
}

fn ts_config(text: &str, entries: &mut Entries) {
    let Ok(Value::Object(config)) = serde_json::from_str(&plain_json(text)) else { return };
    match config.get("extends") {
        Some(Value::String(path)) => entries.push(&["extends", path]),
        Some(Value::Array(paths)) => {
            paths.iter().filter_map(Value::as_str).for_each(|path| entries.push(&["extends", path]));
        }
        _ => {}
    }
    if let Some(Value::Array(references)) = config.get("references") {
        for path in references.iter().filter_map(|reference| reference.get("path")?.as_str()) {
            entries.push(&["reference", path]);
        }
    }
    let Some(Value::Object(options)) = config.get("compilerOptions") else { return };
    if let Some(Value::String(base)) = options.get("baseUrl") {
        entries.push(&["base", base]);
    }
    if let Some(Value::Object(paths)) = options.get("paths") {
        for (pattern, targets) in paths {
            for target in targets.as_array().into_iter().flatten().filter_map(Value::as_str) {
                entries.push(&["path", pattern, target]);
            }
        }
    }
}

/// JSON without the comments and trailing commas that TypeScript allows.
fn plain_json(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        match (char, chars.peek()) {
            ('"', _) => {
                plain.push(char);
                while let Some(inside) = chars.next() {
                    plain.push(inside);
                    match inside {
                        '\\' => plain.extend(chars.next()),
                        '"' => break,
                        _ => {}
                    }
                }
            }
            ('/', Some('/')) => {
                while chars.peek().is_some_and(|char| *char != '\n') {
                    chars.next();
                }
            }
            ('/', Some('*')) => {
                chars.next();
                let mut before = ' ';
                for char in chars.by_ref() {
                    if before == '*' && char == '/' {
                        break;
                    }
                    before = char;
                }
            }
            ('}' | ']', _) => {
                let kept = plain.trim_end();
                if kept.ends_with(',') {
                    plain.truncate(kept.len() - 1);
                }
                plain.push(char);
            }
            _ => plain.push(char),
        }
    }
    plain
}

fn cargo_toml(text: &str, entries: &mut Entries) {
    let Ok(manifest) = DeTable::parse(text) else { return };
    let manifest = manifest.get_ref();
    let package = table_at(manifest, "package");
    if let Some(name) = package.and_then(|package| text_at(package, "name")) {
        entries.push(&["name", name]);
    }
    if let Some(lib) = table_at(manifest, "lib") {
        entries.push(&["lib", text_at(lib, "name").unwrap_or(""), text_at(lib, "path").unwrap_or("")]);
    }
    dependencies(manifest, "dependency", entries);
    for (_, target) in table_at(manifest, "target").into_iter().flat_map(DeTable::iter) {
        if let Some(target) = target.get_ref().as_table() {
            dependencies(target, "dependency", entries);
        }
    }
    if let Some(workspace) = table_at(manifest, "workspace") {
        dependencies(workspace, "shared", entries);
    }
}

fn dependencies(table: &DeTable<'_>, kind: &str, entries: &mut Entries) {
    for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
        for (name, said) in table_at(table, section).into_iter().flat_map(DeTable::iter) {
            let name = name.get_ref().as_ref();
            let said = said.get_ref().as_table();
            let field = |field: &str| said.and_then(|said| text_at(said, field));
            entries.push(&[kind, name, field("package").unwrap_or(name), field("path").unwrap_or("")]);
        }
    }
}

fn table_at<'t, 'd>(table: &'t DeTable<'d>, key: &str) -> Option<&'t DeTable<'d>> {
    table.get(key)?.get_ref().as_table()
}

fn text_at<'t>(table: &'t DeTable<'_>, key: &str) -> Option<&'t str> {
    table.get(key)?.get_ref().as_str()
}

fn go_mod(text: &str, entries: &mut Entries) {
    let mut block = "";
    for line in text.lines() {
        let line = line.split("//").next().unwrap_or(line).trim();
        let mut words = line.split_whitespace().map(|word| word.trim_matches('"'));
        let Some(first) = words.next() else { continue };
        if first == ")" {
            block = "";
            continue;
        }
        let (directive, mut words): (&str, Vec<&str>) = if block.is_empty() {
            (first, words.collect())
        } else {
            (block, std::iter::once(first).chain(words).collect())
        };
        if block.is_empty() && words.first() == Some(&"(") {
            block = match directive {
                "require" => "require",
                "replace" => "replace",
                _ => "other",
            };
            continue;
        }
        words.truncate(4);
        match (directive, words.as_slice()) {
            ("module", [path, ..]) => entries.push(&["module", path]),
            ("require", [path, ..]) => entries.push(&["require", path]),
            ("replace", words) => {
                if let Some(at) = words.iter().position(|word| *word == "=>")
                    && let (Some(from), Some(to)) = (words.first(), words.get(at + 1))
                {
                    entries.push(&["replace", from, to]);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(language: Language, text: &str) -> Vec<String> {
        let facts = Manifest(language).extract(ContentId::of(text.as_bytes()), text);
        assert_eq!(facts.outline.parts.len(), 1);
        assert_eq!(facts.outline.parts[0].kind, PartKind::File);
        assert!(facts.outline.strings.is_empty());
        let all = facts.outline.all.as_deref().unwrap_or_default();
        all.iter().map(|entry| facts.outline.name(*entry).replace('\t', " ")).collect()
    }

    #[test]
    fn package_json_says_where_its_modules_are() {
        let text = r##"{"name": "@a/b", "main": "lib/i.js", "exports": {".": {"types": "./t.d.ts", "import": "./i.mjs"}, "./s/*": "./src/*.js"},
            "imports": {"#x": "./x.js"}, "dependencies": {"react": "1"}}"##;
        assert_eq!(
            entries(Language::PackageJson, text),
            [
                "name @a/b",
                "main lib/i.js",
                "export . ./i.mjs",
                "export . ./t.d.ts",
                "export ./s/* ./src/*.js",
                "import #x ./x.js",
                "dependency react"
            ]
        );
        assert_eq!(entries(Language::PackageJson, "{"), [""; 0]);
        assert_eq!(entries(Language::PackageJson, &"[".repeat(100_000)), [""; 0]);
    }

    #[test]
    fn tsconfig_may_hold_comments_and_trailing_commas() {
        let text = "// a\n{ /* b */ \"extends\": \"./base\", \"compilerOptions\": { \"baseUrl\": \".\", // \"c\"\n\"paths\": { \"@/*\": [\"src/*\", \"lib//*\",], }, }, }";
        assert_eq!(
            entries(Language::TsConfig, text),
            ["extends ./base", "base .", "path @/* src/*", "path @/* lib//*"]
        );
    }

    #[test]
    fn cargo_and_go_manifests_name_packages_and_dependencies() {
        let cargo = "[package]\nname = \"a-b\"\n[lib]\npath = \"l.rs\"\n[dependencies]\nserde = \"1\"\nc = { path = \"../c\", package = \"cc\" }\n[workspace.dependencies]\nd = { path = \"d\" }\n";
        assert_eq!(
            entries(Language::CargoToml, cargo),
            ["name a-b", "lib  l.rs", "dependency c cc ../c", "dependency serde serde ", "shared d d d"]
        );
        let toml = "[project.entry-points.pytest11]\na = \"app.plug\"\n[project.entry-points.\"app.more\"]\nb = \"app.more.b:B [x]\"\n[project.scripts]\nc = \"app.cli:main\"\n[tool.pytest.ini_options]\naddopts = \"-p tests.p -pq.r -p no:cache\"\npython_files = [\"check_*.py\"]\nDJANGO_SETTINGS_MODULE = \"proj.settings\"\n";
        let mut found = entries(Language::PythonToml, toml);
        found.sort_unstable();
        assert_eq!(
            found,
            [
                "entry app.more.b",
                "files check_*.py",
                "plugin app.plug",
                "plugin proj.settings",
                "plugin q.r",
                "plugin tests.p"
            ]
        );
        let ini = "[other]\naddopts = -p no.such\n[tool:pytest]\n# x\naddopts =\n    -ra\n    -p tests.p\npython_classes = *Spec\n    Test\npython_functions=should_*\n[options.entry_points]\npytest11 =\n  a = app.plug\napp.more =\n  b = app.more.b:B\nconsole_scripts =\n  c = app.cli:main\n";
        assert_eq!(
            entries(Language::PythonIni, ini),
            [
                "plugin tests.p",
                "classes *Spec",
                "classes Test",
                "functions should_*",
                "plugin app.plug",
                "entry app.more.b"
            ]
        );
        let go = "module example.com/m // x\n\ngo 1.22\n\nrequire (\n\tgithub.com/a/b v1 // indirect\n)\nreplace github.com/a/b => ../b\n";
        assert_eq!(
            entries(Language::GoMod, go),
            ["module example.com/m", "require github.com/a/b", "replace github.com/a/b ../b"]
        );
    }
}
