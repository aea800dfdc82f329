//! A plan that was made before, found again by everything that decides it.
//!
//! A plan is a function of its [`Input`] and of the program, so a digest of both names it. The moment alone is taken
//! coarsely: dates are all that a plan makes of it, and what hangs on hours came into the input as facts of the past.
//! Whether a remembered plan may be believed is the caller's to say; what decides asks for none.

use std::hash::{Hash, Hasher};

use crate::dates;
use crate::input::Input;
use crate::plan::Plan;

/// Seconds in which no date begins or ends in any zone but at their start.
const QUARTER: i64 = 900;
/// 2011, in seconds since 1970. Before, some zones went back by an hour at one minute past midnight, and so to the day before.
const FIRST: i64 = 1_293_840_000;
/// Bytes of a plan that is remembered, at most.
pub const MAX_BYTES: usize = 4 << 20;

/// What names a plan.
pub type Key = [u8; 32];

/// What names the plan of an input, made by a program of this name; `None` where none is to be remembered.
#[must_use]
pub fn key(input: &Input, program: &impl Hash) -> Option<Key> {
    let Input { before, after, change, rules_before, rules_after, declared, past, as_of } = input;
    if *as_of < FIRST {
        return None;
    }
    let mut digest = Digest::default();
    program.hash(&mut digest);
    (before, after, change).hash(&mut digest);
    (rules_before, rules_after, declared, past).hash(&mut digest);
    as_of.div_euclid(QUARTER).hash(&mut digest);
    Some(digest.end())
}

/// A plan in bytes; `None` where they are too many, or would not be read as that plan (its conditions nest too deeply).
#[must_use]
pub fn bytes(plan: &Plan) -> Option<Vec<u8>> {
    let bytes = serde_json::to_vec(plan).ok().filter(|bytes| bytes.len() <= MAX_BYTES)?;
    (serde_json::from_slice::<Plan>(&bytes).ok()? == *plan).then_some(bytes)
}

/// The plan that such bytes hold, as it is at another moment of the same [`key`].
#[must_use]
pub fn plan(bytes: &[u8], as_of: i64) -> Option<Plan> {
    if bytes.len() > MAX_BYTES {
        return None;
    }
    let plan: Plan = serde_json::from_slice(bytes).ok()?;
    Some(Plan { as_of: dates::iso(as_of), ..plan })
}

/// Takes what is hashed, many small pieces, to BLAKE3 in large ones.
#[derive(Default)]
struct Digest {
    taken: blake3::Hasher,
    waiting: Vec<u8>,
}

impl Digest {
    /// Bytes that are taken at once.
    const MANY: usize = 64 << 10;

    fn end(mut self) -> Key {
        self.taken.update(&self.waiting);
        self.taken.finalize().into()
    }
}

impl Hasher for Digest {
    fn write(&mut self, bytes: &[u8]) {
        self.waiting.extend_from_slice(bytes);
        if self.waiting.len() >= Self::MANY {
            self.taken.update(&self.waiting);
            self.waiting.clear();
        }
    }

    /// Eight bytes of it; [`Self::end`] has all.
    fn finish(&self) -> u64 {
        let digest = self.taken.clone().update(&self.waiting).finalize();
        digest.as_bytes().first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use grace_fingerprints::shipped;
    use grace_graph::change::{Content, FileChange, FileSide};
    use grace_graph::facts::ContentId;
    use jiff::Timestamp;
    use jiff::tz::TimeZone;

    use super::*;
    use crate::input::{Book, BookFile, BundleRun, CodeOwners, Tree, TreeContent, TreeFile, VerifiedBot};
    use crate::reach::{PastReach, Reach};

    fn tree(path: &str, content: TreeContent) -> Tree {
        Tree { files: vec![TreeFile { path: Arc::from(path), content }] }
    }

    fn change(text: &str, executable: bool) -> Vec<FileChange> {
        let side = FileSide { path: Arc::from("a.py"), executable, content: Content::Text(Arc::from(text)) };
        vec![FileChange { before: None, after: Some(side), asserted: false }]
    }

    fn book(text: &str) -> Option<Book> {
        let text = Ok(Arc::from(text));
        Some(Book { files: vec![BookFile { path: Arc::from("a.grace"), text, role: grace_dsl::Role::Own }] })
    }

    #[test]
    fn whatever_decides_a_plan_gives_another_key() {
        let moment = 1_780_000_200;
        let base = Input { as_of: moment, ..Input::default() };
        let mut others: Vec<Input> = Vec::new();
        let mut other = |change: &dyn Fn(&mut Input)| {
            let mut input = base.clone();
            change(&mut input);
            others.push(input);
        };
        other(&|_| {});
        other(&|input| input.before = tree("a.py", TreeContent::Other));
        other(&|input| input.after = tree("a.py", TreeContent::Other));
        other(&|input| input.after = tree("a.py", TreeContent::Code(ContentId([1; 32]))));
        other(&|input| input.after = tree("a.py", TreeContent::Code(ContentId([2; 32]))));
        other(&|input| input.after = tree("a.py", TreeContent::Opaque(Arc::from("too large"))));
        other(&|input| input.after = tree("b.py", TreeContent::Other));
        other(&|input| input.change.files = change("a = 1\n", false));
        other(&|input| input.change.files = change("a = 2\n", false));
        other(&|input| input.change.files = change("a = 2\n", true));
        other(&|input| input.rules_before = book(""));
        other(&|input| input.rules_after = book(""));
        other(&|input| input.rules_after = book("grace 1\n"));
        other(&|input| input.declared.operation = Some("deploy".to_owned()));
        other(&|input| input.declared.actor = Some("deploy".to_owned()));
        other(&|input| input.declared.verified_bot = VerifiedBot::Nobody);
        other(&|input| input.declared.ticket = Some("T-1".to_owned()));
        other(&|input| input.declared.branch = Some("T-1".to_owned()));
        other(&|input| input.declared.rationale = Some("T-1".to_owned()));
        other(&|input| drop(input.declared.story.insert("who".to_owned(), "T-1".to_owned())));
        other(&|input| drop(input.past.runs.insert("lint".to_owned(), vec![BundleRun::Passed])));
        other(&|input| drop(input.past.runs.insert("lint".to_owned(), vec![BundleRun::Failed])));
        other(&|input| input.past.kpis.extend([("boot".to_owned(), 1)]));
        other(&|input| input.past.kpis.extend([("boot".to_owned(), 2)]));
        other(&|input| input.past.grants.extend(["w".to_owned()]));
        other(&|input| {
            input.past.codeowners = Some(CodeOwners { path: Arc::from("CODEOWNERS"), text: Arc::from("* @a") });
        });
        other(&|input| input.past.unread_codeowners = Some(("CODEOWNERS".to_owned(), "no".to_owned())));
        other(&|input| drop(input.past.failed.insert("lint".to_owned(), Default::default())));
        other(&|input| {
            input.past.unread_models.extend([("m.yaml".to_owned(), "no".to_owned())]);
        });
        other(&|input| input.past.model_files.extend([("m.yaml".to_owned(), Vec::new())]));
        other(&|input| input.past.rates.extend([(("pass rate".to_owned(), "lint".to_owned()), 1)]));
        other(&|input| input.past.model_fields.extend([(("m".to_owned(), "licence".to_owned()), None)]));
        for (reach, differs, unlike) in [
            (Reach::default(), &[][..], None),
            (Reach { whole: vec!["a.py".to_owned()], ..Reach::default() }, &[], None),
            (Reach { tests: [("a.py::a".to_owned(), Default::default())].into(), ..Reach::default() }, &[], None),
            (Reach::default(), &["a.py".to_owned()], None),
            (Reach::default(), &[], Some("another Python".to_owned())),
        ] {
            let reach = PastReach {
                bundle: "unit".to_owned(),
                run: Vec::new(),
                setup: Vec::new(),
                ran_in: [0; 32],
                unlike,
                reach: Arc::new(reach),
                differs: differs.to_vec(),
            };
            other(&|input| input.past.reach = vec![reach.clone()]);
        }
        for content in [
            Content::Binary([1; 32]),
            Content::Binary([2; 32]),
            Content::TooLarge { size: 1, digest: [1; 32] },
            Content::TooLarge { size: 2, digest: [1; 32] },
            Content::Link(Arc::from("a")),
            Content::Submodule(Arc::from("a")),
            Content::Unknown(Arc::from("a")),
        ] {
            let mut files = change("", false);
            files[0].after.as_mut().unwrap().content = content;
            other(&|input| input.change.files = files.clone());
        }
        let mut removed = change("a = 1\n", false);
        removed[0].before = removed[0].after.take();
        other(&|input| input.change.files = removed.clone());
        removed[0].asserted = true;
        other(&|input| input.change.files = removed.clone());
        let mut unread = book("").unwrap();
        unread.files[0].text = Err(Arc::from(""));
        other(&|input| input.rules_after = Some(unread.clone()));
        unread.files[0].role = grace_dsl::Role::Used;
        other(&|input| input.rules_after = Some(unread.clone()));
        unread.files[0].path = Arc::from("b.grace");
        other(&|input| input.rules_after = Some(unread.clone()));
        for (path, text) in shipped().iter().take(2) {
            let model = Arc::new(grace_fingerprints::parse(path, text).unwrap());
            other(&|input| drop(input.past.models_before.insert("m".to_owned(), Arc::clone(&model))));
            other(&|input| drop(input.past.models_after.insert("m".to_owned(), Arc::clone(&model))));
        }
        other(&|input| input.as_of += QUARTER);
        let keys: std::collections::BTreeSet<_> = others.iter().map(|input| key(input, &"one").unwrap()).collect();
        assert_eq!(keys.len(), others.len());
        assert!(keys.contains(&key(&base, &"one").unwrap()));
        assert!(!keys.contains(&key(&base, &"another program").unwrap()));
        // Long ago, zones were not in step with the quarters.
        assert_eq!(key(&Input::default(), &"one"), None);
    }

    #[test]
    fn the_moment_counts_by_the_quarter_of_an_hour() {
        let at = |as_of| key(&Input { as_of, ..Input::default() }, &"one");
        assert_eq!(at(1_780_000_200), at(1_780_001_099));
        assert_ne!(at(1_780_000_200), at(1_780_001_100));
        assert_ne!(at(1_780_000_200), at(1_780_000_199));
    }

    #[test]
    fn no_date_begins_or_ends_within_a_quarter() {
        let last = Timestamp::from_second(2_208_988_800).unwrap(); // 2040
        let mut zones = 0;
        for name in jiff::tz::db().available() {
            let zone = TimeZone::get(name.as_str()).unwrap();
            let date = |second: i64| Timestamp::from_second(second).unwrap().to_zoned(zone.clone()).date();
            let in_step =
                |at: Timestamp| assert_eq!(i64::from(zone.to_offset(at).seconds()) % QUARTER, 0, "{name} {at}");
            let first = Timestamp::from_second(FIRST).unwrap();
            in_step(first);
            for change in zone.following(first).take_while(|change| change.timestamp() < last) {
                let at = change.timestamp();
                in_step(at);
                let start = at.as_second().div_euclid(QUARTER) * QUARTER;
                let around = [start, at.as_second() - 1, at.as_second(), start + QUARTER - 1];
                let within: Vec<_> = around.into_iter().filter(|second| *second >= start).map(date).collect();
                assert!(within.windows(2).all(|pair| pair[0] == pair[1]), "{name} {at}: {within:?}");
            }
            zones += 1;
        }
        assert!(zones > 400, "{zones}");
    }

    #[test]
    fn bytes_that_are_no_plan_are_none() {
        let nested = [r#"{"not":"#.repeat(10_000), "}".repeat(10_000)].concat();
        for bytes in ["", "{}", "[", "null", r#"{"schema":1}"#, &nested, &" ".repeat(MAX_BYTES + 1)] {
            assert_eq!(plan(bytes.as_bytes(), FIRST), None);
        }
    }

    #[test]
    fn pieces_are_taken_as_one_text() {
        let (mut small, mut large) = (Digest::default(), Digest::default());
        let text: Vec<u8> = (0..300_000_u32).map(|at| (at % 251) as u8).collect();
        text.chunks(7).for_each(|piece| small.write(piece));
        large.write(&text);
        assert_eq!(small.finish(), large.finish());
        assert_eq!(small.end(), *blake3::hash(&text).as_bytes());
        assert_eq!(large.end(), *blake3::hash(&text).as_bytes());
    }
}
