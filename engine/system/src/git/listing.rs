//! What git listed of a work tree, with the state of all that the listing hangs on: while that is as it was, git need not
//! walk the tree again.
//!
//! Which files are tracked hangs on the index. Which others are there hangs on the directories, as far as they are not
//! ignored as a whole, on the files that say what is ignored, and on git's configuration. A directory has another state
//! once a name in it comes or goes, so files of no interest are never looked at.

use std::collections::{BTreeSet, VecDeque};
use std::path::{Path, PathBuf};

use super::tree::records;
use super::{GitError, Repository};
use crate::files::{self, Kind, Stamp};
use crate::{env, names};

/// With more directories nothing is remembered.
const MAX_DIRECTORIES: usize = 200_000;
/// Variables by which git finds the user's settings.
const VARIABLES: [&str; 2] = ["HOME", "XDG_CONFIG_HOME"];

/// What git said of a work tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answers {
    /// Of tracked files: tag, mode, blob, stage and path of each.
    pub tracked: Vec<u8>,
    /// The paths of files that are neither tracked nor ignored.
    pub untracked: Vec<u8>,
}

/// [`Answers`] and what they hang on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// What git said.
    pub answers: Answers,
    /// The directories of the work tree that are not ignored, and files in them that say what is: repository-relative.
    pub inside: Vec<(String, Stamp)>,
    /// The index, git's settings and git itself: absolute, `None` for what is not there.
    pub outside: Vec<(String, Option<Stamp>)>,
    /// Where git looks for the user's settings.
    pub surroundings: String,
}

impl Repository {
    /// Asks git what is in the work tree.
    pub(super) fn answers(&self) -> Result<Answers, GitError> {
        let tracked = || self.git(["ls-files", "-s", "-t", "-z"]);
        std::thread::scope(|scope| {
            // Git walks the directories meanwhile, which takes longer.
            let walking = scope.spawn(|| self.git(["ls-files", "-o", "--exclude-standard", "-z"]));
            let tracked = tracked()?;
            let untracked = walking.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            Ok(Answers { tracked, untracked })
        })
    }

    /// Whether git would say the same again.
    pub(super) fn still_holds(&self, known: &Listing) -> bool {
        let look = files::LookIn::new(&self.root);
        known.surroundings == surroundings()
            && !known.inside.is_empty()
            && known.outside.iter().all(|(path, stamp)| match stamp {
                Some(stamp) => files::stat_through(Path::new(path)).is_ok_and(|found| found.stamp == *stamp),
                None => !files::exists(Path::new(path)),
            })
            && known.inside.iter().all(|(path, stamp)| look.by_itself(path).is_ok_and(|found| found.stamp == *stamp))
    }

    /// What some answers of git hang on, if they can be remembered. Git gave them after `moment`, in nanoseconds since
    /// 1970: what changed since, or just before, may be otherwise than it knew.
    #[must_use]
    pub fn listing(&self, answers: &Answers, moment: i64) -> Option<Listing> {
        // A directory elsewhere may keep no time that is worth anything.
        if !cfg!(unix) {
            return None;
        }
        // What takes no process first: an editor that saves by moving a file into place changes a directory each time.
        let known = folders(answers)?;
        let is_young =
            |folder: &String| files::stat(&self.root.join(folder)).is_ok_and(|found| !found.stamp.is_settled(moment));
        if known.iter().any(is_young) {
            return None;
        }
        let outside = self.outside(moment)?;
        let inside = self.inside(known, moment)?;
        Some(Listing { answers: answers.clone(), inside, outside, surroundings: surroundings() })
    }

    fn outside(&self, moment: i64) -> Option<Vec<(String, Option<Stamp>)>> {
        let mut paths = vec![self.git_dir.join("index"), self.program.clone()];
        seen(&paths[0], moment)??;
        paths.extend(["config", "info/exclude"].map(|name| self.common_dir.join(name)));
        paths.push(self.git_dir.join("config.worktree"));
        let settings = self.git(["config", "--list", "-z"]).ok()?;
        // What is included, and under which conditions, is git's own affair.
        if records(&settings).any(|setting| setting.starts_with(b"include")) {
            return None;
        }
        for variable in ["GIT_CONFIG_SYSTEM", "GIT_CONFIG_GLOBAL"] {
            let files = String::from_utf8(self.git(["var", variable]).ok()?).ok()?;
            paths.extend(files.lines().map(PathBuf::from));
        }
        let excludes = if records(&settings).any(|setting| setting.starts_with(b"core.excludesfile\n")) {
            let path =
                String::from_utf8(self.git(["config", "--type=path", "--get", "core.excludesFile"]).ok()?).ok()?;
            self.root.join(path.trim_end_matches('\n'))
        } else {
            let [home, settings] = VARIABLES.map(|name| env::var(name).filter(|value| !value.is_empty()));
            let settings =
                settings.map_or_else(|| home.map(|home| Path::new(&home).join(".config")), |s| Some(s.into()));
            settings?.join("git").join("ignore")
        };
        paths.push(excludes);
        paths.into_iter().map(|path| Some((path.to_str()?.to_owned(), seen(&path, moment)?))).collect()
    }

    fn inside(&self, mut known: BTreeSet<String>, moment: i64) -> Option<Vec<(String, Stamp)>> {
        let mut open: VecDeque<String> = known.iter().cloned().collect();
        let mut found = Vec::with_capacity(known.len());
        let mut others = Vec::new();
        while let Some(folder) = open.pop_front() {
            let path = self.root.join(&folder);
            // Before its names are read: one that comes meanwhile gives it another state.
            match files::stat(&path) {
                Ok(stat) if stat.kind == Kind::Directory && stat.stamp.is_settled(moment) => {
                    found.push((folder.clone(), stat.stamp));
                }
                // Of a directory that went, that above it tells.
                Err(error) if error.kind == files::FileErrorKind::NotFound => continue,
                _ => return None,
            }
            for entry in files::list(&path).ok()? {
                let inner = if folder.is_empty() { entry.name } else { format!("{folder}/{}", entry.name) };
                let name = inner.rsplit('/').next().unwrap_or(&inner);
                if entry.odd_name {
                    return None;
                }
                match entry.kind {
                    // A repository of its own, with an index of its own.
                    _ if name == ".git" && !folder.is_empty() => return None,
                    Kind::Directory if name != ".git" && !known.contains(&inner) => others.push(inner),
                    Kind::File if name == ".gitignore" => {
                        let stamp = seen(&self.root.join(&inner), moment)??;
                        found.push((inner, stamp));
                    }
                    _ if name == ".gitignore" => return None,
                    _ => {}
                }
            }
            if open.is_empty() {
                // What is ignored as a whole is of no interest, whatever comes there.
                let others = std::mem::take(&mut others);
                let ignored = if others.is_empty() { BTreeSet::new() } else { self.ignored(&others) };
                let news = others.into_iter().filter(|folder| !ignored.contains(folder));
                open.extend(news.filter(|folder| known.insert(folder.clone())));
            }
            if known.len() > MAX_DIRECTORIES {
                return None;
            }
        }
        Some(found)
    }

    /// Those of some directories that git ignores.
    fn ignored(&self, folders: &[String]) -> BTreeSet<String> {
        let mut command = self.command(["check-ignore", "-z", "--stdin"]);
        // This command takes no pathspecs, and refuses what says how they are read. What it might read so is not asked.
        command.args.retain(|argument| argument != "--literal-pathspecs");
        let plain = folders.iter().filter(|folder| !folder.starts_with(':'));
        command.input = Some(plain.flat_map(|folder| [folder.as_str(), "\0"]).collect::<String>().into_bytes());
        // Where none is ignored git answers no.
        let output = super::run(command, &self.cancel, "check-ignore").unwrap_or_default();
        records(&output).map(|record| names::from_bytes(record).0).collect()
    }
}

/// The directories of the files that git listed; `None` where one of those cannot be followed.
fn folders(answers: &Answers) -> Option<BTreeSet<String>> {
    let mut folders = BTreeSet::from([String::new()]);
    let tracked = records(&answers.tracked).map(|record| record.splitn(2, |byte| *byte == b'\t').nth(1));
    for path in tracked.chain(records(&answers.untracked).map(Some)) {
        let (path, odd_name) = names::from_bytes(path?);
        // What ends so is a repository of its own.
        if odd_name || path.ends_with('/') {
            return None;
        }
        let mut folder = path.as_str();
        while let Some((above, _)) = folder.rsplit_once('/') {
            if !folders.insert(above.to_owned()) {
                break;
            }
            folder = above;
        }
    }
    Some(folders)
}

/// The state of a path that was as it is for a while before `moment`; `None` for what was not.
fn seen(path: &Path, moment: i64) -> Option<Option<Stamp>> {
    match files::stat_through(path) {
        Ok(stat) if stat.stamp.is_settled(moment) => Some(Some(stat.stamp)),
        Ok(_) => None,
        Err(error) => (error.kind == files::FileErrorKind::NotFound).then_some(None),
    }
}

fn surroundings() -> String {
    let value = |name| env::var(name).unwrap_or_default();
    VARIABLES.map(value).join("\0")
}
