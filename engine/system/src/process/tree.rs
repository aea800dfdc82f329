//! A child with everything it starts, as one thing that can be ended.

#[cfg(target_os = "linux")]
pub(super) use linux::hunt_marked;
#[cfg(unix)]
pub(super) use unix::Tree;
#[cfg(windows)]
pub(super) use windows::Tree;

#[cfg(unix)]
mod unix {
    use std::ffi::OsString;
    use std::io;
    use std::os::unix::process::CommandExt as _;
    use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

    use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

    use crate::process::{End, guard};

    /// A child that leads its own process group.
    pub(in crate::process) struct Tree {
        child: Child,
        #[cfg_attr(
            not(target_os = "linux"),
            expect(dead_code, reason = "only Linux shows another process's environment")
        )]
        mark: OsString,
        ended: bool,
    }

    impl Tree {
        pub(in crate::process) fn spawn(mut command: Command, mark: OsString) -> io::Result<Self> {
            let child = command.process_group(0).spawn()?;
            guard::begins(Pid::from_child(&child));
            Ok(Self { child, mark, ended: false })
        }

        pub(in crate::process) fn stdin(&mut self) -> Option<ChildStdin> {
            self.child.stdin.take()
        }

        pub(in crate::process) fn stdout(&mut self) -> Option<ChildStdout> {
            self.child.stdout.take()
        }

        pub(in crate::process) fn stderr(&mut self) -> Option<ChildStderr> {
            self.child.stderr.take()
        }

        fn pid(&self) -> Pid {
            Pid::from_child(&self.child)
        }

        /// How the leader ended, if it did. It stays unreaped, so that its id, the group's, is not given away yet.
        pub(in crate::process) fn poll(&mut self) -> io::Result<Option<End>> {
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
            let Some(status) = waitid(WaitId::Pid(self.pid()), options)? else { return Ok(None) };
            Ok(Some(match (status.exit_status(), status.terminating_signal()) {
                (Some(code), _) => End::Exited(code),
                (None, Some(signal)) => End::Signalled(signal),
                (None, None) => return Ok(None),
            }))
        }

        /// Kills what is left of the tree and reaps the leader.
        pub(in crate::process) fn end(&mut self, hunt: bool) {
            if self.ended {
                return;
            }
            self.ended = true;
            #[cfg(target_os = "linux")]
            let strays = if hunt { super::linux::find(Some(self.pid()), &self.mark) } else { Vec::new() };
            #[cfg(not(target_os = "linux"))]
            let _ = hunt;
            // Fails if the group is empty: nothing to do then.
            let _ = kill_process_group(self.pid(), Signal::KILL);
            #[cfg(target_os = "linux")]
            if hunt {
                super::linux::kill(strays);
                super::linux::hunt(Some(self.pid()), &self.mark);
            }
            guard::ends(self.pid());
            // Fails only if somebody else reaped it: it is gone all the same.
            let _ = self.child.wait();
        }
    }

    impl Drop for Tree {
        fn drop(&mut self) {
            self.end(true);
        }
    }
}

#[cfg(target_os = "linux")]
mod linux {
    //! Descendants that left the process group (`setsid`, daemons): found by ancestry while their parents live, and by the mark in
    //! the environment that they were started with. One that does both, clears its environment and outlives its parents, is not found.

    use std::collections::{BTreeMap, BTreeSet};
    use std::ffi::OsStr;
    use std::os::fd::OwnedFd;

    use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

    /// Handles of the living descendants of `leader`, itself left out, and of what carries the mark.
    pub(super) fn find(leader: Option<Pid>, mark: &OsStr) -> Vec<OwnedFd> {
        let mut handles = BTreeMap::new();
        let mut children: BTreeMap<i32, Vec<i32>> = BTreeMap::new();
        let mut found = BTreeSet::new();
        let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
        for pid in entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok()) {
            // The handle comes first: what is read afterwards is about the process that it holds, or nobody.
            let Some(handle) = Pid::from_raw(pid).and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok()) else {
                continue;
            };
            let Some((parent, alive)) = parent_of(pid) else { continue };
            children.entry(parent).or_default().push(pid);
            if alive {
                handles.insert(pid, handle);
                if carries(pid, mark) {
                    found.insert(pid);
                }
            }
        }
        let leader = leader.map(|leader| leader.as_raw_nonzero().get());
        let mut next: Vec<i32> = leader.into_iter().chain(found).collect();
        let mut seen = BTreeSet::new();
        while let Some(pid) = next.pop() {
            if seen.insert(pid) {
                next.extend(children.get(&pid).into_iter().flatten());
            }
        }
        leader.map(|leader| seen.remove(&leader));
        seen.into_iter().filter_map(|pid| handles.remove(&pid)).collect()
    }

    pub(super) fn kill(handles: Vec<OwnedFd>) {
        for handle in handles {
            // One that ended meanwhile needs no killing.
            let _ = pidfd_send_signal(handle, Signal::KILL);
        }
    }

    /// Finds and kills until nothing is found: what is killed may have started more.
    pub(super) fn hunt(leader: Option<Pid>, mark: &OsStr) {
        for _ in 0..50 {
            let found = find(leader, mark);
            if found.is_empty() {
                return;
            }
            kill(found);
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
    }

    /// Ends what carries a mark that begins so, with its descendants.
    pub(in crate::process) fn hunt_marked(mark: &str) {
        hunt(None, OsStr::new(mark));
    }

    /// Parent and whether the process still runs (a zombie does not), from `/proc/PID/stat`.
    fn parent_of(pid: i32) -> Option<(i32, bool)> {
        let stat = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
        // The name stands in parentheses and may hold anything, so fields are counted from the last one.
        let after = stat.iter().rposition(|byte| *byte == b')')? + 1;
        let mut fields = std::str::from_utf8(stat.get(after..)?).ok()?.split_ascii_whitespace();
        let state = fields.next()?;
        let parent = fields.next()?.parse().ok()?;
        Some((parent, !matches!(state, "Z" | "X")))
    }

    fn carries(pid: i32, mark: &OsStr) -> bool {
        let Ok(environment) = std::fs::read(format!("/proc/{pid}/environ")) else { return false };
        let wanted = [crate::process::MARK.as_bytes(), b"=", mark.as_encoded_bytes()].concat();
        // A nested run appends its own mark after a colon; the mark of one child, its number after the process's.
        environment.split(|byte| *byte == 0).any(|variable| {
            let rest = variable.strip_prefix(&wanted[..]);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b":") || rest.starts_with(b"-"))
        })
    }
}

#[cfg(windows)]
mod windows {
    use std::ffi::OsString;
    use std::io;
    use std::process::{ChildStderr, ChildStdin, ChildStdout, Command};

    use process_wrap::std::{ChildWrapper, CommandWrap, JobObject};

    use crate::process::End;

    /// A child in a job object of its own, which holds all that it starts.
    pub(in crate::process) struct Tree {
        child: Box<dyn ChildWrapper>,
        ended: bool,
    }

    impl Tree {
        pub(in crate::process) fn spawn(command: Command, _mark: OsString) -> io::Result<Self> {
            Ok(Self { child: CommandWrap::from(command).wrap(JobObject).spawn()?, ended: false })
        }

        pub(in crate::process) fn stdin(&mut self) -> Option<ChildStdin> {
            self.child.stdin().take()
        }

        pub(in crate::process) fn stdout(&mut self) -> Option<ChildStdout> {
            self.child.stdout().take()
        }

        pub(in crate::process) fn stderr(&mut self) -> Option<ChildStderr> {
            self.child.stderr().take()
        }

        pub(in crate::process) fn poll(&mut self) -> io::Result<Option<End>> {
            Ok(self.child.try_wait()?.map(|status| End::Exited(status.code().unwrap_or(-1))))
        }

        /// Ends the job: nobody leaves it, so there is nothing to hunt for.
        pub(in crate::process) fn end(&mut self, _hunt: bool) {
            if !self.ended {
                self.ended = true;
                // Fails if the job is empty already.
                let _ = self.child.start_kill();
                let _ = self.child.inner_mut().wait();
            }
        }
    }

    impl Drop for Tree {
        fn drop(&mut self) {
            self.end(true);
        }
    }
}
