//! Text of `.grace` to checked items. No salsa, file system, clock or terminal.

pub mod ast;
