//! Tests of the language: one binary.

mod examples;
