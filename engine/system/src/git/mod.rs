//! Git, read by plumbing commands only.
//!
//! The repository is hostile: its configuration, attributes and hooks can name programs. So every call
//! drops the inherited `GIT_*` variables, switches off what a switch exists for, forbids all
//! transports, and only commands are used that never run filters, textconv or an external diff. Contents
//! of the work tree are read and hashed by us. `refs/replace`, grafts and commit-graph files are not
//! believed. Nothing here writes to the repository but below `refs/grace/`: documents (`shelf`), and a file on top of another (`refs`).

mod blobs;
mod commits;
mod content;
mod edited;
mod export;
mod listing;
mod plain;
mod refs;
mod revert;
mod revision;
mod shelf;
mod tree;
mod worktree;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha1::Digest as _;

use crate::process::{self, Cancel, Command, End, Keep};
use crate::{env, files};

pub use blobs::{Blob, Blobs};
pub use commits::{CommitInfo, CommitRange, CommitSignature, Person};
pub use content::{KnownFile, Names, Recall};
pub use edited::Written;
pub use export::ExportReport;
pub use listing::{Answers, Listing};
pub use revert::Reverted;
pub use tree::{EntryKind, Status, TreeChange, TreeEntry};
pub use worktree::{Indexed, WorkFile, WorkState, WorkTree, WorkTreeChanges};

/// The name of an object: 20 bytes (SHA-1) or 32 (SHA-256).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Oid {
    bytes: [u8; 32],
    format: ObjectFormat,
}

/// The hash that a repository names objects by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectFormat {
    /// 40 hexadecimal digits.
    Sha1,
    /// 64 hexadecimal digits.
    Sha256,
}

/// What hexadecimal digits stand for.
const DIGITS: [u8; 256] = {
    let mut digits = [NO_DIGIT; 256];
    let mut value = 0;
    while value < 16 {
        digits[b"0123456789abcdef"[value] as usize] = value as u8;
        digits[b"0123456789ABCDEF"[value] as usize] = value as u8;
        value += 1;
    }
    digits
};
const NO_DIGIT: u8 = 128;

impl Oid {
    /// Reads 40 or 64 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let format = match text.len() {
            40 => ObjectFormat::Sha1,
            64 => ObjectFormat::Sha256,
            _ => return None,
        };
        let mut bytes = [0; 32];
        // What is no digit leaves a bit that no digit has.
        let mut strange = 0;
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let [high, low] = [pair[0], pair[1]].map(|digit| DIGITS[usize::from(digit)]);
            strange |= high | low;
            *byte = high << 4 | low & 15;
        }
        (strange & NO_DIGIT == 0).then_some(Self { bytes, format })
    }

    /// The name with these 20 or 32 bytes.
    pub fn from_bytes(name: &[u8]) -> Option<Self> {
        let format = match name.len() {
            20 => ObjectFormat::Sha1,
            32 => ObjectFormat::Sha256,
            _ => return None,
        };
        let mut bytes = [0; 32];
        bytes[..name.len()].copy_from_slice(name);
        Some(Self { bytes, format })
    }

    /// The name that git would give a blob with these bytes.
    pub fn of_blob(format: ObjectFormat, bytes: &[u8]) -> Self {
        let mut hasher = Hasher::blob(format, bytes.len() as u64);
        hasher.update(bytes);
        hasher.finish()
    }

    /// All zeros: git's "nothing" and "not computed".
    pub fn is_zero(&self) -> bool {
        self.bytes.iter().all(|byte| *byte == 0)
    }

    /// The hash.
    pub fn as_bytes(&self) -> &[u8] {
        match self.format {
            ObjectFormat::Sha1 => &self.bytes[..20],
            ObjectFormat::Sha256 => &self.bytes,
        }
    }

    fn empty_tree(format: ObjectFormat) -> Self {
        let mut hasher = Hasher::new(format);
        hasher.update(b"tree 0\0");
        hasher.finish()
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Git's object hash, fed piece by piece.
enum Hasher {
    Sha1(sha1::Sha1),
    Sha256(sha2::Sha256),
}

impl Hasher {
    fn new(format: ObjectFormat) -> Self {
        match format {
            ObjectFormat::Sha1 => Self::Sha1(sha1::Sha1::new()),
            ObjectFormat::Sha256 => Self::Sha256(sha2::Sha256::new()),
        }
    }

    fn blob(format: ObjectFormat, size: u64) -> Self {
        let mut hasher = Self::new(format);
        hasher.update(format!("blob {size}\0").as_bytes());
        hasher
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha1(hasher) => hasher.update(bytes),
            Self::Sha256(hasher) => hasher.update(bytes),
        }
    }

    fn finish(self) -> Oid {
        let mut bytes = [0; 32];
        let format = match self {
            Self::Sha1(hasher) => {
                bytes[..20].copy_from_slice(&hasher.finalize());
                ObjectFormat::Sha1
            }
            Self::Sha256(hasher) => {
                bytes.copy_from_slice(&hasher.finalize());
                ObjectFormat::Sha256
            }
        };
        Oid { bytes, format }
    }
}

/// The name of an object that is known to be a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommitId(Oid);

impl CommitId {
    /// The object's name.
    pub fn oid(&self) -> Oid {
        self.0
    }
}

impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Why git could not answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GitError {
    /// No `git` on `PATH` (relative entries, and those inside the repository, are not searched).
    NoGit,
    /// The directory is in no repository.
    NotARepository {
        /// Where it was looked for.
        dir: PathBuf,
    },
    /// A repository without a work tree, or the inside of a git directory.
    NoWorkTree {
        /// Where it was looked for.
        dir: PathBuf,
    },
    /// The directory belongs to another user and git refuses to trust it.
    Untrusted {
        /// Where it was looked for.
        dir: PathBuf,
    },
    /// The repository has no commit yet.
    Unborn,
    /// Nothing has this name.
    BadRevision {
        /// As given.
        rev: String,
        /// Branches and tags with a similar name, best first.
        candidates: Vec<String>,
    },
    /// History does not reach that far: `HEAD~5` of three commits, `HEAD^2` of one that joins nothing.
    NoAncestor {
        /// As given.
        rev: String,
        /// Where the way begins.
        from: String,
    },
    /// Begins with `-` or holds control characters.
    UnsafeRevision {
        /// As given.
        rev: String,
    },
    /// The history was cut off (shallow clone) before this commit.
    BeyondShallow {
        /// As given.
        rev: String,
    },
    /// Named, but not in the object database (partial clone, damage).
    MissingObject {
        /// The object or the revision that leads to it.
        name: String,
    },
    /// Several objects begin so.
    Ambiguous {
        /// As given.
        rev: String,
    },
    /// Several of a tag, a branch and a remote's branch have this name.
    SharedName {
        /// As given.
        rev: String,
    },
    /// Names a blob or tree.
    NotACommit {
        /// As given.
        rev: String,
    },
    /// The two commits share no history.
    NoMergeBase {
        /// The first commit.
        a: CommitId,
        /// The second.
        b: CommitId,
    },
    /// Git did not answer in time.
    TimedOut {
        /// The git command.
        command: String,
    },
    /// The answer exceeds the bound.
    TooMuchOutput {
        /// The git command.
        command: String,
    },
    /// The caller's flag was set.
    Cancelled,
    /// Anything else, in git's words.
    Failed {
        /// The git command.
        command: String,
        /// One line.
        message: String,
    },
}

impl fmt::Display for GitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoGit => f.write_str("git is not installed"),
            Self::NotARepository { dir } => write!(f, "`{}` is not in a git repository", dir.display()),
            Self::NoWorkTree { dir } => write!(f, "`{}` is not in the work tree of a git repository", dir.display()),
            Self::Untrusted { dir } => {
                write!(f, "git does not trust the repository at `{}`: another user owns it", dir.display())
            }
            Self::Unborn => f.write_str("the repository has no commit yet"),
            Self::BadRevision { rev, .. } => write!(f, "no commit, branch or tag is named `{rev}`"),
            Self::NoAncestor { rev, from } => write!(f, "`{from}` has no ancestor `{rev}`"),
            Self::UnsafeRevision { rev } => write!(f, "`{}` cannot name a revision", rev.escape_debug()),
            Self::BeyondShallow { rev } => write!(f, "`{rev}` lies beyond the end of this shallow clone"),
            Self::MissingObject { name } => write!(f, "the repository lacks the object that `{name}` names"),
            Self::Ambiguous { rev } => write!(f, "`{rev}` is the beginning of several object names"),
            Self::SharedName { rev } => write!(f, "several of tags, branches and remote branches are named `{rev}`"),
            Self::NotACommit { rev } => write!(f, "`{rev}` names no commit"),
            Self::NoMergeBase { a, b } => write!(f, "`{a}` and `{b}` share no history"),
            Self::TimedOut { command } => write!(f, "`git {command}` did not answer in time"),
            Self::TooMuchOutput { command } => write!(f, "the answer of `git {command}` is too large"),
            Self::Cancelled => f.write_str("interrupted"),
            Self::Failed { command, message } => write!(f, "`git {command}` failed: {message}"),
        }
    }
}

impl std::error::Error for GitError {}

impl GitError {
    /// What to do about it, if that is known.
    pub fn help(&self) -> Option<String> {
        Some(match self {
            Self::NoGit => "install git, or give the change as `--diff FILE`".to_owned(),
            Self::NotARepository { .. } => {
                "run inside a repository, or give the change as `--diff FILE` or `--files`".to_owned()
            }
            Self::NoWorkTree { .. } => "run inside a checkout of the repository".to_owned(),
            Self::Untrusted { dir } => {
                format!("if you trust it: git config --global --add safe.directory {}", dir.display())
            }
            Self::Unborn => "make the first commit, or use `--staged`".to_owned(),
            Self::BadRevision { candidates, .. } => match candidates.as_slice() {
                [] => return None,
                [one] => format!("did you mean `{one}`?"),
                many => format!("did you mean one of `{}`?", many.join("`, `")),
            },
            Self::BeyondShallow { .. } => {
                "fetch more history: git fetch --unshallow (in CI: fetch-depth: 0)".to_owned()
            }
            Self::MissingObject { .. } => {
                "fetch it, for example with git fetch --refetch, or repair the repository with git fsck".to_owned()
            }
            Self::Ambiguous { .. } => "write more digits".to_owned(),
            Self::SharedName { rev } => format!("write which: refs/remotes/{rev}, refs/heads/{rev} or refs/tags/{rev}"),
            _ => return None,
        })
    }
}

/// Bounds on every call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Time for one command, or for one answer of a long-lived one.
    pub deadline: Duration,
    /// Bytes of output of one command.
    pub output: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { deadline: Duration::from_secs(60), output: 512 << 20 }
    }
}

/// A repository with a work tree.
#[derive(Debug, Clone)]
pub struct Repository {
    program: PathBuf,
    root: PathBuf,
    git_dir: PathBuf,
    common_dir: PathBuf,
    format: ObjectFormat,
    shallow: bool,
    limits: Limits,
    cancel: Cancel,
}

impl Repository {
    /// The repository whose work tree holds `dir`.
    pub fn discover(dir: &Path) -> Result<Self, GitError> {
        let Ok(dir) = files::canonical(dir) else {
            return Err(GitError::NotARepository { dir: dir.to_path_buf() });
        };
        let dir = if dir.is_file() { dir.parent().map(Path::to_path_buf).unwrap_or(dir) } else { dir };
        // The root is not known yet: what lies in any directory with a `.git` above does not count as a tool.
        let outer = dir.ancestors().find(|dir| files::exists(&dir.join(".git"))).unwrap_or(&dir);
        let program = env::find_program("git", &env::search_path(Some(outer))).ok_or(GitError::NoGit)?;
        let flags = [
            "--is-inside-work-tree",
            "--show-object-format",
            "--is-shallow-repository",
            "--path-format=absolute",
            "--show-toplevel",
            "--absolute-git-dir",
            "--git-common-dir",
        ];
        let args: Vec<OsString> = std::iter::once("rev-parse").chain(flags).map(OsString::from).collect();
        let output = match run(command(&program, &dir, &[], args, Limits::default()), &Cancel::new(), "rev-parse") {
            Ok(output) => output,
            Err(GitError::Failed { message, .. }) if message.contains("not a git repository") => {
                return Err(GitError::NotARepository { dir });
            }
            Err(GitError::Failed { message, .. }) if message.contains("dubious ownership") => {
                return Err(GitError::Untrusted { dir });
            }
            Err(GitError::Failed { message, .. }) if message.contains("must be run in a work tree") => {
                return Err(GitError::NoWorkTree { dir });
            }
            Err(error) => return Err(error),
        };
        let answers: Vec<&[u8]> = output.strip_suffix(b"\n").unwrap_or(&output).split(|byte| *byte == b'\n').collect();
        if answers.first().is_none_or(|inside| *inside != b"true") {
            return Err(GitError::NoWorkTree { dir });
        }
        let [_, format, shallow, root, git_dir, common_dir] = answers[..] else {
            return Err(GitError::Failed {
                command: "rev-parse".to_owned(),
                message: "the path of the repository holds a line break".to_owned(),
            });
        };
        let root = files::canonical(&path_of(root)).map_err(|_| GitError::NoWorkTree { dir: dir.clone() })?;
        // `core.worktree` may point anywhere; it is believed only where it agrees with where we were asked.
        if !dir.starts_with(&root) {
            return Err(GitError::NoWorkTree { dir });
        }
        Ok(Self {
            program,
            root,
            git_dir: path_of(git_dir),
            common_dir: path_of(common_dir),
            format: if format == b"sha256" { ObjectFormat::Sha256 } else { ObjectFormat::Sha1 },
            shallow: shallow == b"true",
            limits: Limits::default(),
            cancel: Cancel::new(),
        })
    }

    /// With other bounds.
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// With a flag that ends its commands.
    pub fn with_cancel(mut self, cancel: Cancel) -> Self {
        self.cancel = cancel;
        self
    }

    /// The top of the work tree, absolute, links resolved.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// This work tree's git directory.
    pub fn git_dir(&self) -> &Path {
        &self.git_dir
    }

    /// The git directory that all work trees of the repository share.
    pub fn common_dir(&self) -> &Path {
        &self.common_dir
    }

    /// The hash that objects are named by.
    pub fn object_format(&self) -> ObjectFormat {
        self.format
    }

    /// Whether history is cut off.
    pub fn is_shallow(&self) -> bool {
        self.shallow
    }

    /// A directory inside the work tree, as a repository-relative path (`""` for the root).
    pub fn relative(&self, path: &Path) -> Option<String> {
        let path = files::canonical(path).ok()?;
        crate::names::relative(&self.root, &path).map(|(path, _)| path)
    }

    fn command<A: Into<OsString>>(&self, args: impl IntoIterator<Item = A>) -> Command {
        let mut git_dir = OsString::from("--git-dir=");
        git_dir.push(&self.git_dir);
        let mut work_tree = OsString::from("--work-tree=");
        work_tree.push(&self.root);
        let args = args.into_iter().map(Into::into).collect();
        command(&self.program, &self.root, &[git_dir, work_tree], args, self.limits)
    }

    /// Standard output of a git command that succeeds.
    fn git<A: Into<OsString>>(&self, args: impl IntoIterator<Item = A>) -> Result<Vec<u8>, GitError> {
        let args: Vec<OsString> = args.into_iter().map(Into::into).collect();
        let name = args.first().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        run(self.command(args), &self.cancel, &name)
    }
}

/// `-c` settings that override the repository's.
const OVERRIDES: &[&str] = &[
    "advice.graftFileDeprecated=false",
    "core.fsmonitor=false",
    "core.untrackedCache=false",
    "core.commitGraph=false",
    "core.quotePath=false",
    "core.pager=cat",
    "core.askPass=",
    "core.alternateRefsCommand=",
    "credential.helper=",
    "diff.external=",
    "diff.orderFile=",
    "log.showSignature=false",
    "protocol.allow=never",
    "submodule.recurse=false",
];

fn command(program: &Path, dir: &Path, before: &[OsString], args: Vec<OsString>, limits: Limits) -> Command {
    let null = if cfg!(windows) { "NUL" } else { "/dev/null" };
    let mut command = Command::new(program, dir);
    command.args.push("--no-pager".into());
    command.args.push("--no-replace-objects".into());
    command.args.push("--literal-pathspecs".into());
    for setting in OVERRIDES
        .iter()
        .map(|s| (*s).to_owned())
        .chain([format!("core.hooksPath={null}"), format!("core.attributesFile={null}")])
    {
        command.args.push("-c".into());
        command.args.push(setting.into());
    }
    command.args.extend(before.iter().cloned());
    command.args.extend(args);
    command.env = environment(dir, null);
    command.deadline = limits.deadline;
    command.stdout = Keep::All(limits.output);
    command.hunt = false;
    command
}

/// The whole environment of git: the user's settings stay readable (`safe.directory`, `core.excludesFile`), `GIT_*` are ours alone.
fn environment(dir: &Path, null: &str) -> BTreeMap<OsString, OsString> {
    let inherited = [
        "HOME",
        "XDG_CONFIG_HOME",
        "USERPROFILE",
        "HOMEDRIVE",
        "HOMEPATH",
        "APPDATA",
        "LOCALAPPDATA",
        "PROGRAMDATA",
        "SYSTEMROOT",
        "TMPDIR",
        "TEMP",
        "TMP",
    ];
    let mut variables: BTreeMap<OsString, OsString> = env::inherited(&inherited).into_iter().collect();
    if let Ok(path) = std::env::join_paths(env::search_path(Some(dir))) {
        variables.insert("PATH".into(), path);
    }
    let ours = [
        ("LC_ALL", "C"),
        // An empty list would mean "ask the configuration" to some versions.
        ("GIT_ALLOW_PROTOCOL", "none"),
        ("GIT_ATTR_NOSYSTEM", "1"),
        ("GIT_GRAFT_FILE", null),
        ("GIT_NO_LAZY_FETCH", "1"),
        ("GIT_NO_REPLACE_OBJECTS", "1"),
        ("GIT_OPTIONAL_LOCKS", "0"),
        ("GIT_TERMINAL_PROMPT", "0"),
    ];
    variables.extend(ours.map(|(name, value)| (name.into(), value.into())));
    variables
}

fn run(command: Command, cancel: &Cancel, name: &str) -> Result<Vec<u8>, GitError> {
    let finished = process::run(&command, cancel);
    let failed = |message: String| GitError::Failed { command: name.to_owned(), message };
    match finished.end {
        End::Exited(0) => Ok(finished.stdout.bytes),
        End::Exited(code) => Err(explain_failure(name, code, &finished.stderr.text())),
        End::Signalled(signal) => Err(failed(format!("killed by signal {signal}"))),
        End::TimedOut => Err(GitError::TimedOut { command: name.to_owned() }),
        End::TooMuchOutput => Err(GitError::TooMuchOutput { command: name.to_owned() }),
        End::Cancelled => Err(GitError::Cancelled),
        End::NotStarted(message) => Err(failed(message)),
    }
}

fn explain_failure(name: &str, code: i32, stderr: &str) -> GitError {
    let lines = || stderr.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("hint:"));
    let line = lines().find(|line| line.starts_with("fatal:")).or_else(|| lines().next());
    let message = match line {
        Some(line) => line.trim_start_matches("fatal: ").trim_start_matches("error: ").chars().take(400).collect(),
        None => format!("exit code {code}"),
    };
    GitError::Failed { command: name.to_owned(), message }
}

#[cfg(unix)]
fn path_of(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt as _;
    PathBuf::from(std::ffi::OsStr::from_bytes(bytes))
}

#[cfg(not(unix))]
fn path_of(bytes: &[u8]) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(bytes).into_owned())
}
