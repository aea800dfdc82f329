//! Tests of what is asked of endpoints, in one binary, against a server of our own with scripted faults.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests fail by panicking; the stub is a server")]

mod endpoint;
mod http;
mod probe;
#[path = "../../../../tests/support/stub_http.rs"]
mod stub_http;
#[path = "../../../../tests/support/stub_model.rs"]
mod stub_model;
