//! Model fingerprints: schema and strict reading.
