//! Ends the children of a process that was killed (`SIGKILL`) and could not do it itself, and removes its directory for
//! temporary files.
//!
//! A second process of the same program waits on a pipe of which only the first holds the other end, and is told the
//! group of each child as it begins and ends. When the pipe closes, whatever closed it, it kills the groups that are
//! left and, on Linux, what carries the mark of the first. Where nothing is left, that is all in vain and harms nothing.

use std::collections::BTreeSet;
use std::io::{self, BufRead as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

use crate::files;

/// The pipe of the guard of this process, while there is one.
static PIPE: Mutex<Option<ChildStdin>> = Mutex::new(None);

/// While it lives, a guard watches.
#[derive(Debug)]
pub struct Guard(Child);

impl Guard {
    /// Starts `program`, which must come to [`super::guard`] with what it is given as its last arguments.
    pub(super) fn start(program: &Path, arguments: &[&str], mark: &str, scratch: &Path) -> io::Result<Self> {
        let mut command = Command::new(program);
        // A group of its own: what kills ours, or the Ctrl-C of a terminal, does not reach it.
        command.args(arguments).arg(mark).arg(scratch).process_group(0);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        *PIPE.lock().unwrap_or_else(PoisonError::into_inner) = child.stdin.take();
        Ok(Self(child))
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // It ends with the pipe.
        PIPE.lock().unwrap_or_else(PoisonError::into_inner).take();
        let _ = self.0.wait();
    }
}

/// Tells the guard, if there is one, of a group that begins.
pub(super) fn begins(group: Pid) {
    say('+', group);
}

/// Tells the guard of a group that has ended; its id must not have been given away yet.
pub(super) fn ends(group: Pid) {
    say('-', group);
}

fn say(sign: char, group: Pid) {
    if let Some(pipe) = &mut *PIPE.lock().unwrap_or_else(PoisonError::into_inner) {
        // A guard that died guards nothing; what it should have guarded runs on.
        let _ = pipe.write_all(format!("{sign}{}\n", group.as_raw_nonzero()).as_bytes());
    }
}

/// What the second process does: reads `pipe` until it closes, then ends what is left.
pub(super) fn watch(pipe: impl io::Read, mark: &str, scratch: &Path) {
    let mut groups = BTreeSet::new();
    for line in io::BufReader::new(pipe).lines() {
        let Ok(line) = line else { break };
        let group = |text: &str| text.parse().ok().and_then(Pid::from_raw);
        if let Some(group) = line.strip_prefix('+').and_then(group) {
            groups.insert(group.as_raw_nonzero());
        } else if let Some(group) = line.strip_prefix('-').and_then(group) {
            groups.remove(&group.as_raw_nonzero());
        }
    }
    for group in groups.into_iter().filter_map(|group| Pid::from_raw(group.get())) {
        // Fails if the group is empty: nothing to do then.
        let _ = kill_process_group(group, Signal::KILL);
    }
    #[cfg(target_os = "linux")]
    super::tree::hunt_marked(mark);
    #[cfg(not(target_os = "linux"))]
    let _ = mark;
    // Nobody can make it remove anything else. What was killed may write to it until it is gone.
    let is_ours = files::is_temporary_dir(scratch);
    for _ in 0..50 {
        if !is_ours || files::remove_dirs(scratch).is_ok() {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
