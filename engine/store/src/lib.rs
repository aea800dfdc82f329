//! Outcomes in DuckDB; the only crate that links it.
