//! Points at which a debug build ends itself without a word, as a power cut does: a test names one and looks at what is left. A release
//! build has none.

/// The variable that names the point.
#[cfg(debug_assertions)]
const VARIABLE: &str = "GRACE_RULES_ABORT_AT";

/// Ends this process where the variable names this point: `before run`, `after shelf`.
#[cfg(debug_assertions)]
pub fn pass(point: &str) {
    if grace_system::env::var_os(VARIABLE).is_some_and(|named| named == point) {
        std::process::abort();
    }
}

/// Nothing.
#[cfg(not(debug_assertions))]
pub const fn pass(_point: &str) {}
