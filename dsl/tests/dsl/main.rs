//! Tests of the language: one binary.

mod checking;
mod codes;
mod examples;
mod formatting;
mod malformed;
mod properties;
mod support;
mod vocabulary;
