//! Model fingerprints of both sides: the shipped ones, and the project's own in `grace/fingerprints/`, which win.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use grace_dsl::ast::{BandTest, Compare, ItemKind, Quantity};
use grace_engine::input::{Book, PastFacts};
use grace_fingerprints::{Fingerprint, Level, Problem as Mistake};
use grace_models::judge::{Band, Test};
use grace_system::ProblemKind;
use grace_system::config::Config;

use super::memory::Cache;
use super::side::{Files, Problem, Reader};
use super::{Place, books, change};
use crate::failure::{Failure, Result};

/// Where a project keeps fingerprints.
const DIRECTORY: &str = "grace/fingerprints/";
/// Largest fingerprint, in bytes.
const MAX_FINGERPRINT: u64 = 256 * 1024;

/// Fingerprints by name.
pub type Models = BTreeMap<String, Arc<Fingerprint>>;

/// The models of the work tree, and what its rules call low, medium and high.
#[derive(Debug)]
pub struct Fleet {
    /// By name.
    pub models: Models,
    /// Of its rules; where they say nothing of bands, those that ship.
    pub bands: Vec<Band>,
    /// What could not be read.
    pub problems: Vec<Problem>,
}

/// Reads the models of the work tree.
///
/// # Errors
/// When git cannot answer or the directory cannot be read.
pub fn here(place: &Place) -> Result<Fleet> {
    let repository = place.optional_repository()?;
    let reader = Reader::new(&place.root, repository, Cache::Unused);
    let (listed, _, mut problems) = change::one_tree(place, &reader, None)?;
    let mut past = PastFacts::default();
    fill(&reader, &Files::new(), &listed, &mut past, &mut problems)?;
    let book = books::of_side(&reader, &listed)?;
    let mut bands = bands(&book);
    if bands.is_empty() {
        bands = grace_packs::pack("grace.validation").map(|pack| bands_in(pack.text)).unwrap_or_default();
    }
    // What else lies in the tree is no concern here.
    problems.retain(|problem| problem.path.starts_with(DIRECTORY));
    Ok(Fleet { models: past.models_after, bands, problems })
}

/// The bands of some rule books, each once.
#[must_use]
pub fn bands<'b>(books: impl IntoIterator<Item = &'b Book>) -> Vec<Band> {
    let mut found: Vec<Band> = Vec::new();
    let files = books.into_iter().flat_map(|book| &book.files);
    for band in files.filter_map(|file| file.text.as_deref().ok()).flat_map(bands_in) {
        if !found.contains(&band) {
            found.push(band);
        }
    }
    found
}

fn bands_in(text: &str) -> Vec<Band> {
    // Most files have none, and parsing costs.
    if !text.contains("band") {
        return Vec::new();
    }
    let band = |item: &grace_dsl::ast::Item| {
        let ItemKind::Band { evidence, levels } = &item.kind else { return None };
        let level = |word: &str| Level::NAMES.iter().find(|(name, _)| *name == word).map(|(_, level)| *level);
        let levels = levels.iter().filter_map(|one| Some((level(&one.level.text)?, test(one.test)))).collect();
        Some(Band { name: item.name.clone(), metric: evidence.text.clone(), levels })
    };
    grace_dsl::parse_once(text).items.iter().filter_map(band).collect()
}

fn test(test: BandTest) -> Test {
    // Percent in thousandths to ten-thousandths of 1.
    let share = |quantity: Quantity| u32::try_from(quantity.thousandths / 10).unwrap_or(0);
    match test {
        BandTest::Upper(Compare::AtMost, bound) => Test::UpperAtMost(share(bound)),
        BandTest::Upper(Compare::Less, bound) => Test::UpperBelow(share(bound)),
        BandTest::Lower(Compare::AtLeast, bound) => Test::LowerAtLeast(share(bound)),
        BandTest::Lower(Compare::More, bound) => Test::LowerAbove(share(bound)),
        BandTest::Within(from, to) => Test::Within(share(from), share(to)),
        BandTest::Upper(..) | BandTest::Lower(..) => Test::Never,
    }
}

/// The operator's configuration, which lies outside of what is judged.
///
/// # Errors
/// When it cannot be read, lies inside, or says what cannot be.
pub fn config(place: &Place) -> Result<Config> {
    let mut inside = vec![place.root.as_path()];
    inside.extend(place.repository.as_ref().ok().map(|repository| repository.common_dir()));
    Config::read(&inside).map_err(|error| {
        let help = error.help();
        let failure = Failure::new("config", error);
        help.map_or_else(|| failure.clone(), |help| failure.clone().help(help))
    })
}

/// The models that are known without any project.
fn shipped() -> &'static Models {
    static SHIPPED: OnceLock<Models> = OnceLock::new();
    SHIPPED.get_or_init(|| {
        let texts = grace_fingerprints::shipped().iter();
        let read = texts.filter_map(|(path, text)| grace_fingerprints::parse(path, text).ok());
        read.map(|model| (model.model_name.clone(), Arc::new(model))).collect()
    })
}

/// Fills in the models of both sides. A file that cannot be read or is no fingerprint is a problem, and its model unknown; so is
/// a second file of one model. Gives the mistakes in the files of `after` one by one, for those that draw them.
pub(super) fn fill(
    reader: &Reader<'_>,
    before: &Files,
    after: &Files,
    past: &mut PastFacts,
    problems: &mut Vec<Problem>,
) -> Result<Vec<Mistake>> {
    let mut mistakes = Vec::new();
    let shipped = shipped();
    for (side, models) in [(before, &mut past.models_before), (after, &mut past.models_after)] {
        models.clone_from(shipped);
        mistakes.clear();
        let mut described: BTreeMap<String, String> = BTreeMap::new();
        for (path, entry) in side.range(DIRECTORY.to_owned()..).take_while(|(path, _)| path.starts_with(DIRECTORY)) {
            if !(path.ends_with(".yaml") || path.ends_with(".yml")) {
                continue;
            }
            let model = match reader.text(path, entry, MAX_FINGERPRINT)? {
                Ok(text) => grace_fingerprints::parse(path, &text).map_err(|found| {
                    let sentence = grace_fingerprints::summary(&found);
                    mistakes.extend(found);
                    sentence
                }),
                Err(why) => Err(why.to_string()),
            };
            let wrong = match model {
                Ok(model) => {
                    let name = model.model_name.clone();
                    let names = past.model_files.entry(path.clone()).or_default();
                    if !names.contains(&name) {
                        names.push(name.clone());
                    }
                    match described.get(&name) {
                        // Neither of the two is believed.
                        Some(first) => {
                            models.remove(&name);
                            Err(format!("it is of model `{name}`, as {first} is; keep one of the two"))
                        }
                        None => {
                            models.insert(name.clone(), Arc::new(model));
                            described.insert(name, path.clone());
                            Ok(())
                        }
                    }
                }
                Err(message) => Err(message),
            };
            if let Err(message) = wrong {
                past.unread_models.insert(path.clone(), message.clone());
                let problem = Problem { path: path.clone(), kind: ProblemKind::Unreadable, message };
                if !problems.contains(&problem) {
                    problems.push(problem);
                }
            }
        }
    }
    Ok(mistakes)
}
