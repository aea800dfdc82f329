//! Facts as bytes, and back. What is read is checked as a whole before anybody sees it: a record that was damaged, or made
//! to harm, is no record.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::code::PartKind;
use crate::facts::{
    ContentId, FileFacts, MAX_PARSED_BYTES, NameId, NameList, Outline, OutlineParts, PartDigests, PartFact, PartPlace,
    Places, Problem,
};

/// Deepest nesting of parts that is believed; extraction stops before.
const MAX_DEPTH: u32 = 128;
/// No line, column or length is larger: texts beyond the bound are not parsed, and each line takes a byte.
const MAX_POSITION: u32 = MAX_PARSED_BYTES as u32 + 1;

#[derive(Serialize)]
struct Out<'a> {
    outline: &'a Outline,
    places: &'a Places,
    digests: &'a [PartDigests],
    reads_otherwise: bool,
    quiet: Option<&'a [(u32, u32)]>,
    problems: &'a [Problem],
}

/// As [`Out`], field by field.
#[derive(Deserialize)]
struct In {
    outline: OutlineParts,
    places: Places,
    digests: Box<[PartDigests]>,
    reads_otherwise: bool,
    quiet: Option<Box<[(u32, u32)]>>,
    problems: Box<[Problem]>,
}

/// The record of some facts; `None` where they cannot be written.
pub(super) fn encode(facts: &FileFacts) -> Option<Vec<u8>> {
    let out = Out {
        outline: &facts.outline,
        places: &facts.places,
        digests: &facts.digests,
        reads_otherwise: facts.reads_otherwise,
        quiet: facts.quiet.as_deref(),
        problems: &facts.problems,
    };
    postcard::to_stdvec(&out).ok()
}

/// The facts of a record; `None` where it is none.
pub(super) fn decode(content: ContentId, bytes: &[u8]) -> Option<FileFacts> {
    let (read, rest) = postcard::take_from_bytes::<In>(bytes).ok()?;
    if !rest.is_empty() || !is_sound(&read) {
        return None;
    }
    Some(FileFacts {
        content,
        // Its digest is never read but computed: equality of outlines rests on it.
        outline: Arc::new(Outline::seal(read.outline)),
        places: read.places,
        digests: read.digests,
        reads_otherwise: read.reads_otherwise,
        quiet: read.quiet,
        problems: read.problems,
    })
}

/// Whether everything that points somewhere points into the record, and the parts are in order.
fn is_sound(read: &In) -> bool {
    let OutlineParts { names, parts, imports, references, bindings, strings, lists, module_names, all, generated: _ } =
        &read.outline;
    let name = |id: NameId| id == NameId::NONE || (id.0 as usize) < names.len();
    let list = |list: NameList| list.start.checked_add(list.len).is_some_and(|end| end as usize <= lists.len());
    let part = |ordinal: u32| (ordinal as usize) < parts.len();
    let position = |position: u32| position <= MAX_POSITION;
    let place = |place: &PartPlace| {
        1 <= place.start
            && place.start <= place.def
            && place.def <= place.end
            && [place.end, place.name_column, place.name_len].into_iter().all(position)
    };
    names.is_sound()
        && are_nested(parts)
        && parts.iter().all(|part| {
            [part.name, part.local_name, part.returns, part.fixture_name].into_iter().all(name)
                && [part.decorators, part.bases, part.parameters].into_iter().all(list)
                && (part.occurrence as usize) < parts.len()
        })
        && imports
            .iter()
            .all(|import| part(import.part) && [import.module, import.name, import.alias].into_iter().all(name))
        && references.iter().all(|reference| part(reference.part) && name(reference.chain))
        && bindings.iter().all(|binding| part(binding.part) && name(binding.target) && name(binding.source))
        && strings.iter().all(|string| part(string.part) && name(string.text))
        && lists.iter().chain(module_names).chain(all.iter().flatten()).copied().all(name)
        && read.places.parts.len() == parts.len()
        && read.places.parts.iter().all(place)
        && read.places.sites.len() == imports.len() + references.len() + strings.len()
        && read.places.sites.iter().copied().all(position)
        && (read.digests.is_empty() || read.digests.len() == parts.len())
        && read.problems.iter().all(|problem| position(problem.line))
}

/// Whether the first part holds all others and each of those stands after the one around it, not too deeply.
fn are_nested(parts: &[PartFact]) -> bool {
    let Some((first, rest)) = parts.split_first() else { return false };
    let is_top = |part: &PartFact| matches!(part.kind, PartKind::File | PartKind::Module);
    if !is_top(first) || first.parent != PartFact::NO_PARENT {
        return false;
    }
    let mut depths = Vec::with_capacity(parts.len());
    depths.push(0);
    rest.iter().all(|part| {
        let Some(&around) = depths.get(part.parent as usize) else { return false };
        depths.push(around + 1);
        !is_top(part) && around < MAX_DEPTH
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::extract::extract;
    use crate::facts::Language;
    use crate::graph::{CodeGraph, GraphFile};

    const TEXT: &str = r#"
"""A module.

>>> 1 + 1
2
"""
from __future__ import annotations
import os, app.core as core
from .near import *
from app.kernel import Kernel as K, start

__all__ = ["Kernel", "run"]
pytest_plugins = ["tests.plugin"]

@decorated("x")
class Kernel(K, metaclass=Meta):
    """Starts."""
    table = load("data/kernel.json")

    @property
    def name(self) -> str:
        return self._name

    @staticmethod
    async def start(first, *rest, **named):
        def inner(x):
            return x
        return await inner(core.boot(first))

@pytest.fixture(name="kernel", autouse=True)
def made(tmp_path):
    return Kernel("model:7b", "app.core.kernel")

def run():
    helper = importlib.import_module("app.plugins")
    try:
        import fast
    except ImportError:
        fast = None
    return helper.go()
"#;

    fn facts() -> FileFacts {
        extract(Language::Python, TEXT.as_bytes())
    }

    #[test]
    fn facts_come_back_as_they_were() {
        for facts in [facts(), FileFacts { digests: Box::default(), ..facts() }, extract(Language::Python, b"\xff")] {
            let read = decode(facts.content, &encode(&facts).unwrap()).unwrap();
            assert_eq!(read, facts);
            assert_eq!(read.outline.digest(), facts.outline.digest());
            // Equality of outlines looks at the digest alone.
            assert_eq!(format!("{read:?}"), format!("{facts:?}"));
        }
    }

    #[test]
    fn facts_of_every_language_come_back() {
        let samples = [
            (
                Language::TypeScript,
                "import { a as b } from './a';\nexport class C extends b { m(): void { a(this.x); } }\n",
            ),
            (Language::Tsx, "export default () => <a.B c={d()} />;\n"),
            (Language::JavaScript, "const a = require('./a');\nexports.f = async function () { return a.b(); };\n"),
            (Language::Rust, "use a::b;\nmod c;\nimpl T for S { fn f(&self) { b::g(self.x) } }\n#[test]\nfn t() {}\n"),
            (Language::Go, "package a\nimport \"b/c\"\ntype T struct{}\nfunc (t *T) F() { c.G(t) }\n"),
            (Language::PackageJson, "{\"name\": \"a\", \"exports\": {\".\": \"./a.js\"}}"),
            (Language::TsConfig, "{\"compilerOptions\": {\"paths\": {\"@/*\": [\"src/*\"]}}}"),
            (Language::CargoToml, "[package]\nname = \"a\"\n"),
            (Language::GoMod, "module a/b\n"),
        ];
        for (language, text) in samples {
            let facts = extract(language, text.as_bytes());
            assert_eq!(decode(facts.content, &encode(&facts).unwrap()).as_ref(), Some(&facts), "{language:?}");
        }
    }

    #[test]
    fn a_record_with_more_or_less_is_none() {
        let facts = facts();
        let whole = encode(&facts).unwrap();
        for cut in 0..whole.len() {
            assert!(decode(facts.content, &whole[..cut]).is_none(), "cut at {cut} of {}", whole.len());
        }
        assert!(decode(facts.content, &[&whole[..], &[0]].concat()).is_none());
    }

    #[test]
    fn what_points_outside_of_its_record_is_refused() {
        let broken = |change: &dyn Fn(&mut Outline, &mut Places)| {
            let mut facts = facts();
            change(Arc::make_mut(&mut facts.outline), &mut facts.places);
            decode(facts.content, &encode(&facts).unwrap()).is_none()
        };
        assert!(!broken(&|_, _| {}));
        let far = NameId(1_000_000);
        assert!(broken(&|outline, _| outline.parts[1].name = far));
        assert!(broken(&|outline, _| outline.parts[1].parent = 1));
        assert!(broken(&|outline, _| outline.parts[1].parent = PartFact::NO_PARENT));
        assert!(broken(&|outline, _| outline.parts[0].parent = 0));
        assert!(broken(&|outline, _| outline.parts[2].kind = PartKind::Module));
        assert!(broken(&|outline, _| outline.parts[1].occurrence = 99));
        assert!(broken(&|outline, _| outline.parts[1].bases = NameList { start: u32::MAX, len: 2 }));
        assert!(broken(&|outline, _| outline.parts = Box::default()));
        assert!(broken(&|outline, _| outline.imports[0].part = 99));
        assert!(broken(&|outline, _| outline.imports[0].module = far));
        assert!(broken(&|outline, _| outline.references[0].chain = far));
        assert!(broken(&|outline, _| outline.bindings[0].part = 99));
        assert!(broken(&|outline, _| outline.strings[0].text = far));
        assert!(broken(&|outline, _| outline.lists[0] = far));
        assert!(broken(&|outline, _| outline.module_names[0] = far));
        assert!(broken(&|outline, _| outline.all = Some(Box::new([far]))));
        assert!(broken(&|_, places| places.sites = Box::default()));
        assert!(broken(&|_, places| places.parts = Box::default()));
        assert!(broken(&|_, places| places.parts[1].end = u32::MAX));
        assert!(broken(&|_, places| places.parts[1].start = 0));
        assert!(broken(&|_, places| places.parts[1].def = places.parts[1].end + 1));
    }

    #[test]
    fn a_nesting_that_never_ends_is_refused() {
        let mut facts = facts();
        let outline = Arc::make_mut(&mut facts.outline);
        let one = PartFact { parent: 0, kind: PartKind::Function, occurrence: 0, ..outline.parts[2] };
        let deep = (0..1_000).map(|parent| PartFact { parent, ..one });
        outline.parts = [outline.parts[0]].into_iter().chain(deep).collect();
        let place = facts.places.parts[0];
        facts.places.parts = vec![place; 1_001].into();
        facts.digests = Box::default();
        assert!(decode(facts.content, &encode(&facts).unwrap()).is_none());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        /// Whatever bytes a record holds, what is made of it can be resolved.
        #[test]
        fn no_record_harms(edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
            let facts = facts();
            let mut bytes = encode(&facts).unwrap();
            for (at, byte) in edits {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            if let Some(read) = decode(facts.content, &bytes) {
                let file = |path: &str, facts: &FileFacts| GraphFile {
                    path: path.into(),
                    language: Some(Language::Python),
                    outline: Some(Arc::clone(&facts.outline)),
                    opaque: facts.opaque(),
                    has_problems: facts.hides_code(),
                };
                let _graph = CodeGraph::build(vec![file("app/__init__.py", &read), file("app/kernel.py", &facts), file("near.py", &read)]);
            }
        }
    }
}
