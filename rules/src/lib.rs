//! The shipped rule packs and bundles, embedded.
