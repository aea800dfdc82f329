//! Tests of the language: one binary.

mod codes;
mod examples;
mod support;
