//! Model fingerprints of both sides: the shipped ones, and the project's own in `grace/fingerprints/`, which win.

use std::collections::BTreeMap;
use std::sync::Arc;

use grace_engine::input::PastFacts;
use grace_fingerprints::{Fingerprint, Problem as Mistake};
use grace_system::ProblemKind;

use super::side::{Files, Problem, Reader};
use crate::failure::Result;

/// Where a project keeps fingerprints.
const DIRECTORY: &str = "grace/fingerprints/";
/// Largest fingerprint, in bytes.
const MAX_FINGERPRINT: u64 = 256 * 1024;

type Models = BTreeMap<String, Arc<Fingerprint>>;

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
    let shipped: Models = grace_fingerprints::shipped()
        .iter()
        .filter_map(|(path, text)| grace_fingerprints::parse(path, text).ok())
        .map(|model| (model.model_name.clone(), Arc::new(model)))
        .collect();
    for (side, models) in [(before, &mut past.models_before), (after, &mut past.models_after)] {
        models.clone_from(&shipped);
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
