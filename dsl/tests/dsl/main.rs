//! Tests of the language: one binary.

mod checking;
mod codes;
mod examples;
mod formatting;
mod malformed;
mod measures;
mod properties;
mod support;
mod vocabulary;
