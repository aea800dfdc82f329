//! The command line as its users meet it: whole outputs of the built binary on small repositories made here.
//!
//! Each snapshot holds standard output, standard error and the exit code. What differs between machines (paths, times,
//! ids) is replaced; commits have fixed dates, so their names are the same everywhere.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests start git and the binary on real directories"
)]

#[path = "cli/agents.rs"]
mod agents;
#[path = "cli/approvals.rs"]
mod approvals;
#[path = "cli/audit.rs"]
mod audit;
#[path = "cli/auditors.rs"]
mod auditors;
#[path = "cli/backtest.rs"]
mod backtest;
#[path = "cli/bad_input.rs"]
mod bad_input;
#[path = "cli/cache.rs"]
mod cache;
#[path = "cli/commands.rs"]
mod commands;
#[path = "cli/crash.rs"]
mod crash;
#[path = "cli/cycles.rs"]
mod cycles;
#[path = "cli/drift.rs"]
mod drift;
#[path = "cli/drift_outside.rs"]
mod drift_outside;
#[cfg(all(unix, debug_assertions))]
#[path = "cli/failpoints.rs"]
mod failpoints;
#[path = "cli/lifting.rs"]
mod lifting;
#[path = "cli/measured.rs"]
mod measured;
#[path = "cli/models.rs"]
mod models;
#[path = "cli/people.rs"]
mod people;
#[path = "cli/readme.rs"]
mod readme;
#[path = "cli/real_model.rs"]
mod real_model;
#[path = "cli/record.rs"]
mod record;
#[path = "cli/replay.rs"]
mod replay;
#[path = "cli/schemas.rs"]
mod schemas;
#[path = "cli/store.rs"]
mod store;
#[path = "cli/stories.rs"]
mod stories;
#[path = "../support/stub_http.rs"]
mod stub_http;
#[path = "../support/stub_model.rs"]
mod stub_model;
#[path = "cli/support.rs"]
mod support;
#[path = "cli/task_grace.rs"]
mod task_grace;
#[path = "cli/tasks.rs"]
mod tasks;
#[path = "cli/trends.rs"]
mod trends;
#[path = "cli/watch.rs"]
mod watch;
