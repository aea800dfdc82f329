//! Literals, and the values inside formatted ones.

use super::lexer::{Kind, Lexer};
use super::{Odd, Parser, Result};
use crate::extract::python::kinds::Role;

impl Parser<'_> {
    /// One literal, or several that stand side by side.
    pub(super) fn strings(&mut self) -> Result<()> {
        let at = self.rows.len();
        self.string()?;
        if matches!(self.token.kind, Kind::Text | Kind::Formatted) {
            while matches!(self.token.kind, Kind::Text | Kind::Formatted) {
                self.string()?;
            }
            self.wrap(at, Role::Concatenated)?;
        }
        Ok(())
    }

    fn string(&mut self) -> Result<()> {
        let at = self.open(Role::String);
        if self.is(Kind::Formatted) {
            let (token, behind) = (self.token, self.lexer);
            self.deeper()?;
            self.lexer = Lexer { at: token.start as usize, line: token.line, brackets: 0, ..behind };
            self.values(token.end as usize)?;
            self.depth -= 1;
            (self.token, self.lexer) = (token, behind);
        }
        self.advance()?;
        self.close(at);
        Ok(())
    }

    /// The values of a formatted literal that ends there.
    fn values(&mut self, end: usize) -> Result<()> {
        let quotes = self.lexer.quotes();
        self.lexer.at += quotes.length;
        let end = end - if quotes.is_triple { 3 } else { 1 };
        while self.lexer.at < end {
            let next = |ahead: usize| self.lexer.text.get(self.lexer.at + ahead).copied().unwrap_or(0);
            match next(0) {
                b'{' if next(1) == b'{' => self.lexer.at += 2,
                b'}' if next(1) == b'}' => self.lexer.at += 2,
                // The literal was passed over otherwise.
                b'}' => return Err(Odd),
                byte if byte == quotes.quote
                    && (!quotes.is_triple || next(1) == quotes.quote && next(2) == quotes.quote) =>
                {
                    return Err(Odd);
                }
                b'{' => self.value(Role::Verbatim)?,
                b'\\' if !quotes.is_raw && next(1) == b'N' && next(2) == b'{' => {
                    self.lexer.named_character(quotes.quote)?;
                }
                b'\\' if matches!(next(1), b'{' | b'}') => self.lexer.at += 1,
                b'\\' => {
                    self.lexer.line += u32::from(next(1) == b'\n');
                    self.lexer.at += 2;
                }
                byte => {
                    self.lexer.line += u32::from(byte == b'\n');
                    self.lexer.at += 1;
                }
            }
        }
        if self.lexer.at == end { Ok(()) } else { Err(Odd) }
    }

    /// `{expression}` with what may follow the expression; the lexer is at the brace, and goes behind the other one.
    fn value(&mut self, role: Role) -> Result<()> {
        let line = self.lexer.line;
        self.token = self.lexer.next()?;
        self.deeper()?;
        let at = self.open(role);
        self.advance()?;
        if self.is(Kind::Yield) {
            return Err(Odd);
        }
        self.expression()?;
        // Where a format begins with a sign of equality, tree-sitter sees a name that is bound.
        if self.rows[at + 1].role == Role::NamedExpression {
            return Err(Odd);
        }
        self.accept(Kind::Equal)?;
        if self.is(Kind::Exclamation) {
            // `!r`, written without a space.
            let letter = self.lexer.text.get(self.lexer.at).copied().unwrap_or(0);
            self.advance()?;
            if !letter.is_ascii_lowercase() || self.token.end - self.token.start != 1 {
                return Err(Odd);
            }
            self.advance()?;
        }
        if self.is(Kind::Colon) {
            let format = self.open(Role::Verbatim);
            loop {
                let byte = *self.lexer.text.get(self.lexer.at).ok_or(Odd)?;
                match byte {
                    b'{' => self.value(Role::Inner)?,
                    b'}' => break,
                    b'\n' => return Err(Odd),
                    _ => self.lexer.at += 1,
                }
            }
            self.close_at(format, self.lexer.at as u32);
            self.token = self.lexer.next()?;
        }
        // A value that goes on in another line: how far it reaches, tree-sitter sees otherwise.
        if !self.is(Kind::CloseBrace) || self.lexer.line != line {
            return Err(Odd);
        }
        let end = self.token.end;
        self.close_at(at, end);
        self.depth -= 1;
        Ok(())
    }
}
