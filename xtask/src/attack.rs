//! `cargo xtask attack`: everything that the tests of the ledger try some of. Each part prints its counts and fails where a
//! change went undetected, a record was lost, or a proof differs from another program's.

use crate::{host, python};

/// The parts, each with its arguments unless others are given.
const PARTS: &[(&str, &[&str])] =
    &[("kill", &["500"]), ("crowd", &["8", "10000"]), ("trees", &["5000", "1"]), ("files", &["1"])];

pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let python = python::environment()?;
    host::cargo(&["build", "--release", "--package", "grace-ledger", "--example", "attack"]).run()?;
    let binary = host::target()?.join("release").join("examples");
    let binary = binary.join(format!("attack{}", std::env::consts::EXE_SUFFIX));
    let attack =
        |part: &str, arguments: &[&str]| host::program(&binary).args([part]).args(arguments).path_first(&python).run();
    match arguments {
        [] => PARTS.iter().try_for_each(|(part, arguments)| attack(part, arguments)),
        [part, rest @ ..] if PARTS.iter().any(|(known, _)| part == known) => {
            attack(part, &rest.iter().map(String::as_str).collect::<Vec<_>>())
        }
        _ => Err("expected nothing, or one of kill, crowd, trees, files and its numbers".to_owned()),
    }
}
