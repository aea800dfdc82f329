//! What extraction reads out of one file. Pure: `extract(language, path, text)`.
