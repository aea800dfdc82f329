//! Claims about extraction and resolution, each on a small source.

mod extract;
mod resolve;
mod robust;
mod store;
mod support;
