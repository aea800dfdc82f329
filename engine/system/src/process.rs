//! Child processes: argument lists, bounded output, a deadline over the whole process tree.
//!
//! No shell, no inherited environment but what the caller names, standard input closed. When a
//! [`run`] returns, the child is gone, and so is what it started: on Unix its process group, on Linux
//! also what left the group, on Windows its job. A killed grace-rules (`SIGKILL`) cannot clean up: on Unix its [`Guard`] does.

#[cfg(unix)]
mod guard;
mod tree;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::clock::Stopwatch;
#[cfg(unix)]
pub use guard::Guard;
use tree::Tree;

/// A flag that ends what watches it; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<Flag>);

#[derive(Debug, Default)]
struct Flag {
    set: AtomicBool,
    /// How many [`Held`] there are.
    held: Mutex<usize>,
}

/// While it lives, the first interrupt only sets the flag: there is something to bring to an end in order.
#[derive(Debug)]
pub struct Held(Cancel);

impl Drop for Held {
    fn drop(&mut self) {
        *self.0.held() -= 1;
    }
}

impl Cancel {
    /// A flag that is not set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets it, for good.
    pub fn cancel(&self) {
        self.0.set.store(true, Ordering::SeqCst);
    }

    /// Whether it is set.
    pub fn is_cancelled(&self) -> bool {
        self.0.set.load(Ordering::SeqCst)
    }

    /// A flag that Ctrl-C (and on Unix `SIGTERM`, `SIGHUP`) sets; then the children that are [`run`] end, and `end` ends
    /// this process. While there is a [`Held`], the first interrupt sets the flag and no more.
    ///
    /// Errors if this process already has such a handler.
    pub fn on_interrupt(end: impl Fn() + Send + 'static) -> io::Result<Self> {
        let cancel = Self::new();
        let flag = cancel.clone();
        ctrlc::set_handler(move || flag.interrupted(&end)).map_err(io::Error::other)?;
        Ok(cancel)
    }

    /// Lets an interrupt wait for what is begun now.
    #[must_use]
    pub fn hold(&self) -> Held {
        *self.held() += 1;
        Held(self.clone())
    }

    fn held(&self) -> MutexGuard<'_, usize> {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn interrupted(&self, end: &impl Fn()) {
        // Locked until the end: nothing that must be held begins meanwhile.
        let held = self.held();
        let again = self.0.set.swap(true, Ordering::SeqCst);
        if *held > 0 && !again {
            return;
        }
        // Children see the flag and die in milliseconds; one that cannot die is not waited for.
        let clock = Stopwatch::start();
        while RUNNING.load(Ordering::SeqCst) > 0 && clock.elapsed() < DRAIN {
            std::thread::sleep(Duration::from_millis(1));
        }
        end();
    }
}

/// How many children are being [`run`].
static RUNNING: AtomicUsize = AtomicUsize::new(0);

/// Counts one of them.
struct Running;

impl Running {
    fn new() -> Self {
        RUNNING.fetch_add(1, Ordering::SeqCst);
        Self
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        RUNNING.fetch_sub(1, Ordering::SeqCst);
    }
}

/// What of a stream is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// All of it; a child that writes more bytes than this is killed: [`End::TooMuchOutput`].
    All(usize),
    /// The last so many bytes.
    Tail(usize),
}

/// What to run, and within which bounds.
#[derive(Debug, Clone)]
pub struct Command {
    /// A path, or a name that is looked up in the `PATH` of `env`.
    pub program: OsString,
    /// Arguments, passed as they are.
    pub args: Vec<OsString>,
    /// Working directory.
    pub dir: PathBuf,
    /// The whole environment of the child.
    pub env: BTreeMap<OsString, OsString>,
    /// Bytes for standard input; `None` closes it.
    pub input: Option<Vec<u8>>,
    /// Time after which the tree is killed.
    pub deadline: Duration,
    /// What of standard output is kept.
    pub stdout: Keep,
    /// What of standard error is kept.
    pub stderr: Keep,
    /// Also hunt for descendants that left the process group; for programs that are not trusted to clean up.
    pub hunt: bool,
}

impl Command {
    /// A command with an empty environment, one minute, and 64 KiB of tail per stream.
    pub fn new(program: impl Into<OsString>, dir: &Path) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            dir: dir.to_path_buf(),
            env: BTreeMap::new(),
            input: None,
            deadline: Duration::from_secs(60),
            stdout: Keep::Tail(64 * 1024),
            stderr: Keep::Tail(64 * 1024),
            hunt: true,
        }
    }
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// With this exit code.
    Exited(i32),
    /// By this signal, sent by somebody else.
    Signalled(i32),
    /// Killed at its deadline.
    TimedOut,
    /// Killed because the flag was set.
    Cancelled,
    /// Killed because it wrote more than [`Keep::All`] allows.
    TooMuchOutput,
    /// Never ran; why.
    NotStarted(String),
}

/// One captured stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Output {
    /// What was kept.
    pub bytes: Vec<u8>,
    /// Bytes written in all, as far as they were read.
    pub total: u64,
}

impl Output {
    /// As text, invalid bytes replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

/// The result of [`run`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// How it ended.
    pub end: End,
    /// Wall time.
    pub duration: Duration,
    /// Standard output.
    pub stdout: Output,
    /// Standard error.
    pub stderr: Output,
}

/// Names the trees of nested runs, outermost first; descendants carry it in their environment.
const MARK: &str = "GRACE_PROCESS_TREE";
/// How long the readers of a dead tree may take to empty its pipes.
const DRAIN: Duration = Duration::from_secs(2);

/// What the marks of all children of this process begin with.
fn own_mark() -> &'static str {
    static OWN: OnceLock<String> = OnceLock::new();
    OWN.get_or_init(|| {
        let own = format!("{}-{}", std::process::id(), jiff::Timestamp::now().as_nanosecond());
        // A nested run stands behind the run that it is part of.
        let outer = std::env::var(MARK).ok().filter(|outer| !outer.is_empty() && outer.len() < 1024);
        outer.map_or_else(|| own.clone(), |outer| format!("{outer}:{own}"))
    })
}

/// Guards the children that this process will [`run`], and its directory for temporary files, against its being killed:
/// `program` is started with `arguments` and two more, and must call [`guard`] with those. Without it, all else works.
///
/// # Errors
/// When it cannot be started.
#[cfg(unix)]
pub fn guarded(program: &Path, arguments: &[&str], scratch: &Path) -> io::Result<Guard> {
    Guard::start(program, arguments, own_mark(), scratch)
}

/// On Windows nothing guards yet: what a process leaves behind that is ended by force stays.
///
/// # Errors
/// Never.
#[cfg(windows)]
pub fn guarded(_program: &Path, _arguments: &[&str], _scratch: &Path) -> io::Result<Guard> {
    Ok(Guard(()))
}

/// On Windows there is none.
#[cfg(windows)]
#[derive(Debug)]
pub struct Guard(());

/// What a program does that [`guarded`] has started: waits until standard input closes, then ends the children of who
/// held it and removes its directory for temporary files.
pub fn guard(mark: &str, scratch: &Path) {
    #[cfg(unix)]
    guard::watch(io::stdin().lock(), mark, scratch);
    #[cfg(windows)]
    let _ = (mark, scratch);
}

fn new_mark() -> OsString {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("{}-{}", own_mark(), COUNT.fetch_add(1, Ordering::Relaxed)).into()
}

fn prepare(command: &Command, mark: &OsString) -> std::process::Command {
    let mut process = std::process::Command::new(&command.program);
    process.args(&command.args).current_dir(&command.dir).env_clear().envs(&command.env).env(MARK, mark);
    process.stdout(Stdio::piped()).stderr(Stdio::piped());
    process.stdin(if command.input.is_some() { Stdio::piped() } else { Stdio::null() });
    process
}

/// Runs `command` until it ends, its deadline passes or `cancel` is set; then nothing of it is left.
pub fn run(command: &Command, cancel: &Cancel) -> Finished {
    run_watched(command, cancel, |_| ())
}

/// As [`run`]; `watch` sees standard output as it comes, on another thread.
pub fn run_watched(command: &Command, cancel: &Cancel, watch: impl FnMut(&[u8]) + Send + 'static) -> Finished {
    let clock = Stopwatch::start();
    let ended = |end, stdout, stderr| Finished { end, duration: clock.elapsed(), stdout, stderr };
    // Counted before the flag is looked at, so that an interrupt either stops it here or waits for it.
    let _running = Running::new();
    if cancel.is_cancelled() {
        return ended(End::Cancelled, Output::default(), Output::default());
    }
    let mark = new_mark();
    let mut tree = match Tree::spawn(prepare(command, &mark), mark) {
        Ok(tree) => tree,
        Err(error) => return ended(End::NotStarted(error.to_string()), Output::default(), Output::default()),
    };
    if let (Some(bytes), Some(mut stdin)) = (command.input.clone(), tree.stdin()) {
        // A child that does not read its input ends the thread by closing the pipe when it dies.
        std::thread::spawn(move || {
            let _ = stdin.write_all(&bytes);
        });
    }
    let stdout = Capture::start(tree.stdout(), command.stdout, watch);
    let stderr = Capture::start(tree.stderr(), command.stderr, |_| ());

    let mut end = loop {
        match tree.poll() {
            Ok(Some(end)) => break end,
            Ok(None) => {}
            Err(error) => break End::NotStarted(format!("lost sight of the process: {error}")),
        }
        if cancel.is_cancelled() {
            break End::Cancelled;
        }
        if clock.elapsed() >= command.deadline {
            break End::TimedOut;
        }
        if stdout.overflowed() || stderr.overflowed() {
            break End::TooMuchOutput;
        }
        // Looks again after an eighth of the time so far: a short command is not kept waiting, a long one costs nothing.
        let pause = (clock.elapsed() / 8).clamp(Duration::from_micros(200), Duration::from_millis(10));
        std::thread::sleep(pause.min(clock.remaining(command.deadline)));
    };
    tree.end(command.hunt);
    let (stdout, stderr) = (stdout.finish(), stderr.finish());
    if matches!(end, End::Exited(_)) && (stdout.1 || stderr.1) {
        end = End::TooMuchOutput;
    }
    ended(end, stdout.0, stderr.0)
}

#[derive(Debug, Default)]
struct Buffer {
    bytes: Vec<u8>,
    total: u64,
    overflow: bool,
}

/// A thread that empties one pipe into a bounded buffer.
struct Capture {
    buffer: Arc<Mutex<Buffer>>,
    thread: Option<JoinHandle<()>>,
}

impl Capture {
    fn start(
        pipe: Option<impl Read + Send + 'static>,
        keep: Keep,
        mut watch: impl FnMut(&[u8]) + Send + 'static,
    ) -> Self {
        let buffer = Arc::new(Mutex::new(Buffer::default()));
        let thread = pipe.map(|mut pipe| {
            let buffer = Arc::clone(&buffer);
            std::thread::spawn(move || {
                let mut chunk = vec![0; 64 * 1024];
                loop {
                    let count = match pipe.read(&mut chunk) {
                        Ok(0) => return,
                        Ok(count) => count,
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                        Err(_) => return,
                    };
                    watch(&chunk[..count]);
                    buffer.lock().unwrap_or_else(PoisonError::into_inner).push(&chunk[..count], keep);
                }
            })
        });
        Self { buffer, thread }
    }

    fn overflowed(&self) -> bool {
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner).overflow
    }

    /// The output, and whether it overflowed. A pipe that a survivor still holds is not waited for beyond [`DRAIN`].
    fn finish(self) -> (Output, bool) {
        if let Some(thread) = self.thread {
            let clock = Stopwatch::start();
            while !thread.is_finished() && clock.elapsed() < DRAIN {
                std::thread::sleep(Duration::from_micros(200));
            }
        }
        let mut buffer = self.buffer.lock().unwrap_or_else(PoisonError::into_inner);
        let buffer = std::mem::take(&mut *buffer);
        (Output { bytes: buffer.bytes, total: buffer.total }, buffer.overflow)
    }
}

impl Buffer {
    fn push(&mut self, chunk: &[u8], keep: Keep) {
        self.total += chunk.len() as u64;
        match keep {
            Keep::All(max) => {
                let room = max.saturating_sub(self.bytes.len());
                self.overflow |= chunk.len() > room;
                self.bytes.extend_from_slice(&chunk[..chunk.len().min(room)]);
            }
            Keep::Tail(max) => {
                self.bytes.extend_from_slice(chunk);
                let excess = self.bytes.len().saturating_sub(max);
                self.bytes.drain(..excess);
            }
        }
    }
}

/// A child that answers questions: write to it, read from it within a deadline. Killed when dropped.
pub(crate) struct Conversation {
    tree: Tree,
    stdin: Option<Box<dyn io::Write + Send>>,
    chunks: mpsc::Receiver<Vec<u8>>,
    current: Vec<u8>,
    position: usize,
    patience: Duration,
    stderr: Arc<Mutex<Buffer>>,
}

impl Conversation {
    /// Starts `command`; its `deadline` is how long one answer may take. `input` and `stdout` are not used.
    pub(crate) fn start(command: &Command) -> io::Result<Self> {
        let mark = new_mark();
        let mut process = prepare(command, &mark);
        process.stdin(Stdio::piped());
        let mut tree = Tree::spawn(process, mark)?;
        let stdin = tree.stdin();
        let stderr = Capture::start(tree.stderr(), command.stderr, |_| ());
        // Bounded: a child that floods us waits, and we hold a megabyte at most.
        let (sender, chunks) = mpsc::sync_channel(16);
        if let Some(mut stdout) = tree.stdout() {
            std::thread::spawn(move || {
                loop {
                    let mut chunk = vec![0; 64 * 1024];
                    match stdout.read(&mut chunk) {
                        Ok(count) if count > 0 => {
                            chunk.truncate(count);
                            if sender.send(chunk).is_err() {
                                return;
                            }
                        }
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                        _ => return,
                    }
                }
            });
        }
        Ok(Self {
            tree,
            stdin: stdin.map(|stdin| Box::new(stdin) as Box<dyn io::Write + Send>),
            chunks,
            current: Vec::new(),
            position: 0,
            patience: command.deadline,
            stderr: stderr.buffer,
        })
    }

    /// Sends `bytes`: no more than a pipe always holds (4 KiB), or both sides may wait for each other.
    pub(crate) fn ask(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(stdin) = &mut self.stdin else { return Err(io::ErrorKind::BrokenPipe.into()) };
        stdin.write_all(bytes)?;
        stdin.flush()
    }

    /// What the child wrote to standard error so far.
    pub(crate) fn stderr_text(&self) -> String {
        String::from_utf8_lossy(&self.stderr.lock().unwrap_or_else(PoisonError::into_inner).bytes).into_owned()
    }
}

impl Conversation {
    /// Unread bytes; empty at the end of the output.
    fn fill(&mut self) -> io::Result<&[u8]> {
        if self.position == self.current.len() {
            match self.chunks.recv_timeout(self.patience) {
                Ok(chunk) => {
                    self.current = chunk;
                    self.position = 0;
                }
                Err(mpsc::RecvTimeoutError::Disconnected) => return Ok(&[]),
                Err(mpsc::RecvTimeoutError::Timeout) => return Err(io::ErrorKind::TimedOut.into()),
            }
        }
        Ok(&self.current[self.position..])
    }

    /// Bytes up to a line feed, which is left out; [`io::ErrorKind::UnexpectedEof`] if the child ended first.
    pub(crate) fn line(&mut self, max: usize) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        loop {
            let bytes = self.fill()?;
            if bytes.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let end = bytes.iter().position(|byte| *byte == b'\n');
            let count = end.unwrap_or(bytes.len());
            line.extend_from_slice(&bytes[..count]);
            self.position += count + usize::from(end.is_some());
            if end.is_some() {
                return Ok(line);
            }
            if line.len() > max {
                return Err(io::ErrorKind::InvalidData.into());
            }
        }
    }

    /// Exactly `count` bytes.
    pub(crate) fn exact(&mut self, count: usize) -> io::Result<Vec<u8>> {
        let mut taken = Vec::with_capacity(count);
        while taken.len() < count {
            let bytes = self.fill()?;
            if bytes.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let part = bytes.len().min(count - taken.len());
            taken.extend_from_slice(&bytes[..part]);
            self.position += part;
        }
        Ok(taken)
    }
}

impl Drop for Conversation {
    fn drop(&mut self) {
        self.stdin = None;
        self.tree.end(false);
    }
}
