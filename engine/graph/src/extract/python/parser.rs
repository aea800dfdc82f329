//! A parser of common Python that gives the rows which tree-sitter's tree would be turned into, in a fraction of its time.
//!
//! It holds no grammar of its own: what a text means is what tree-sitter's grammar says, with its precedences and spans. Where
//! a text is broken, ambiguous to that grammar or merely rare, the parser is [`Odd`] about the whole file, and tree-sitter
//! reads it. That both give the same rows is what its tests are about, and what `examples/same_rows` asks of any folder.
//!
//! One pass; looked ahead is for a token, and to the end of the brackets of a `with` and of a formatted literal. A node that turns
//! out to stand around what was read is put before it.

mod compound;
mod expressions;
mod lexer;
mod simple;
mod strings;
#[cfg(test)]
mod tests;

use lexer::{Kind, Lexer, Token};

use super::kinds::{Field, Role};
use super::tree::{Detail, Row, Tree};

/// Something that is left to tree-sitter.
#[derive(Debug)]
struct Odd;

type Result<T> = std::result::Result<T, Odd>;

/// Expressions, operands and blocks inside one another.
const MAX_DEPTH: u32 = 120;
/// Columns that tree-sitter can tell from none.
const MAX_COLUMNS: u32 = u16::MAX as u32;
/// Rows that may be moved to put others before them, in all and for each byte of a text: ordinary code moves less than one.
const BASE_MOVES: usize = 4_096;
const MOVES_PER_BYTE: usize = 8;

/// The rows of a text; `None` where tree-sitter must be asked.
pub(super) fn parse(text: &str) -> Option<Tree> {
    let end = u32::try_from(text.len()).ok()?;
    let bytes = text.as_bytes();
    // It ends some tokens of the grammar.
    if memchr::memchr(0, bytes).is_some() {
        return None;
    }
    let mut parser = Parser {
        lexer: Lexer { text: bytes, at: 0, line: 0, brackets: 0, indentation: 0 },
        token: Token { kind: Kind::Newline, start: 0, end: 0, line: 0 },
        last_end: 0,
        rows: Vec::with_capacity(text.len() / 6 + 8),
        moves: BASE_MOVES + MOVES_PER_BYTE * text.len(),
        depth: 0,
        indentation: 0,
        comments: Vec::new(),
        passed_comments: 0,
        code_end: 0,
        may_go_on: false,
    };
    parser.module(end).ok()?;
    Some(Tree { rows: parser.rows, has_errors: false, comments: Vec::new() })
}

struct Parser<'t> {
    lexer: Lexer<'t>,
    /// The token that was not handled.
    token: Token,
    /// Where the token before it ends.
    last_end: u32,
    rows: Vec<Row>,
    /// How many may still be moved.
    moves: usize,
    depth: u32,
    /// Columns before the first token of the line; a tab is eight.
    indentation: u32,
    /// Comments between the last line of code and this one, by their columns and where they end, and how many of them lie in
    /// blocks that ended.
    comments: Vec<(u32, u32)>,
    passed_comments: usize,
    /// Where the last line of code ends, or the last comment of the innermost block behind it.
    code_end: u32,
    /// To tree-sitter the statement that was read may go on in the next line, where a bracket or an operator begins it.
    may_go_on: bool,
}

impl Parser<'_> {
    // Tokens.

    fn advance(&mut self) -> Result<()> {
        self.last_end = self.token.end;
        self.token = self.lexer.next()?;
        Ok(())
    }

    fn is(&self, kind: Kind) -> bool {
        self.token.kind == kind
    }

    fn accept(&mut self, kind: Kind) -> Result<bool> {
        let is = self.is(kind);
        if is {
            self.advance()?;
        }
        Ok(is)
    }

    fn expect(&mut self, kind: Kind) -> Result<()> {
        if self.accept(kind)? { Ok(()) } else { Err(Odd) }
    }

    /// The kind of the token behind the next one.
    fn peek(&self) -> Result<Kind> {
        let mut lexer = self.lexer;
        Ok(lexer.next()?.kind)
    }

    fn word(&self) -> &[u8] {
        &self.lexer.text[self.token.start as usize..self.token.end as usize]
    }

    // Rows.

    /// A row for a node that begins with the next token.
    fn open(&mut self, role: Role) -> usize {
        let Token { start, end, line, .. } = self.token;
        self.rows.push(Row { role, field: Field::None, detail: Detail::None, start, end, line, size: 1 });
        self.rows.len() - 1
    }

    /// The node ends with the last token.
    fn close(&mut self, at: usize) {
        self.close_at(at, self.last_end);
    }

    fn close_at(&mut self, at: usize, end: u32) {
        self.rows[at].end = end;
        self.rows[at].size = (self.rows.len() - at) as u32;
    }

    /// Puts a node around all rows from there on.
    fn wrap(&mut self, at: usize, role: Role) -> Result<()> {
        self.moves = self.moves.checked_sub(self.rows.len() - at).ok_or(Odd)?;
        let Row { start, line, .. } = self.rows[at];
        let around = Row { role, field: Field::None, detail: Detail::None, start, end: 0, line, size: 1 };
        self.rows.insert(at, around);
        self.close(at);
        Ok(())
    }

    /// A node of one token.
    fn leaf(&mut self, role: Role, field: Field) -> Result<()> {
        let at = self.open(role);
        self.rows[at].field = field;
        self.advance()
    }

    fn name(&mut self, field: Field) -> Result<()> {
        if self.is(Kind::Name) { self.leaf(Role::Identifier, field) } else { Err(Odd) }
    }

    fn deeper(&mut self) -> Result<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH { Err(Odd) } else { Ok(()) }
    }

    // Lines and blocks.

    fn module(&mut self, end: u32) -> Result<()> {
        let at = self.open(Role::Module);
        self.begin_line()?;
        while !self.is(Kind::End) {
            if self.indentation > 0 {
                return Err(Odd);
            }
            self.statement()?;
        }
        self.close_at(at, end);
        Ok(())
    }

    /// Goes from the end of a line to the first token of the next line of code.
    fn begin_line(&mut self) -> Result<()> {
        self.comments.clear();
        self.passed_comments = 0;
        self.code_end = self.token.end;
        let lexer = &mut self.lexer;
        let mut columns = 0;
        loop {
            match lexer.text.get(lexer.at) {
                Some(b' ') => columns += 1,
                Some(b'\t') => columns += 8,
                Some(b'\n') => {
                    columns = 0;
                    lexer.line += 1;
                }
                _ if columns > MAX_COLUMNS => return Err(Odd),
                Some(b'#') => {
                    lexer.pass_comment();
                    self.comments.push((columns, lexer.at as u32));
                    continue;
                }
                Some(b'\\') => return Err(Odd),
                Some(_) => break,
                None => {
                    self.indentation = 0;
                    let at = lexer.at as u32;
                    self.last_end = self.token.end;
                    self.token = Token { kind: Kind::End, start: at, end: at, line: lexer.line };
                    return Ok(());
                }
            }
            lexer.at += 1;
        }
        self.indentation = columns;
        self.token = self.lexer.next()?;
        Ok(())
    }

    /// `:` and what belongs to it: statements on the same line, or a block of lines.
    fn suite(&mut self) -> Result<()> {
        self.expect(Kind::Colon)?;
        self.deeper()?;
        if self.is(Kind::Newline) {
            let around = self.indentation;
            self.begin_line()?;
            let inside = self.indentation;
            if inside <= around || self.is(Kind::End) {
                return Err(Odd);
            }
            self.lexer.indentation = inside;
            let block = self.open(Role::Block);
            while self.indentation == inside && !self.is(Kind::End) {
                self.statement()?;
            }
            if self.indentation > inside {
                return Err(Odd);
            }
            // Comments that stand as deep as the block are in it, up to the first that does not.
            while let Some((columns, end)) = self.comments.get(self.passed_comments)
                && *columns >= inside
            {
                self.code_end = *end;
                self.passed_comments += 1;
            }
            self.close_at(block, self.code_end);
            self.lexer.indentation = around;
        } else {
            let block = self.open(Role::Block);
            let end = self.simple_statements()?;
            self.close_at(block, end);
        }
        self.depth -= 1;
        Ok(())
    }

    /// Statements up to the end of the line; gives where it ends, and goes to the next one.
    fn simple_statements(&mut self) -> Result<u32> {
        loop {
            self.simple_statement()?;
            if !self.accept(Kind::Semicolon)? || self.is(Kind::Newline) {
                break;
            }
        }
        self.end_line()
    }

    fn end_line(&mut self) -> Result<u32> {
        if !self.is(Kind::Newline) {
            return Err(Odd);
        }
        let end = self.token.end;
        self.begin_line()?;
        let goes_on = matches!(self.token.kind, Kind::Open | Kind::OpenSquare | Kind::Star | Kind::Plus | Kind::Minus);
        if std::mem::take(&mut self.may_go_on) && goes_on {
            return Err(Odd);
        }
        Ok(end)
    }
}
