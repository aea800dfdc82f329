//! Runs a plan: processes, timeouts, retries, JUnit.
