//! Text of `.grace` to checked items. No salsa, file system, clock or terminal.
//!
//! [`parse`] reads one file and never fails; [`check`] looks at all files of a rule book together.

pub mod ast;
mod check;
mod codes;
pub mod diagnostic;
mod format;
mod lexer;
mod lower;
mod memo;
mod names;
mod parse;
mod parser;
mod reference;
mod similar;
mod source_map;
pub mod vocabulary;
pub mod walk;

pub use check::{Role, SourceFile, check};
pub use diagnostic::{Code, Diagnostic, Related, Severity, Source, render};
pub use format::{FormatError, format};
pub use memo::parse_once;
pub use names::{NameKind, Names, Place};
pub use parse::{Broken, DEEPEST, LARGEST, Parsed, parse};
pub use reference::reference;
pub use source_map::{LineColumn, LineIndex, SourceMap, line_column};
