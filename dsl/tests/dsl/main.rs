//! Tests of the language: one binary.

mod codes;
mod examples;
mod formatting;
mod malformed;
mod properties;
mod support;
