//! Tests of the whole: command line, incremental, corpus, documentation.
