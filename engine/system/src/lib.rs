//! The one door outside: files, clock, environment, processes, git.
