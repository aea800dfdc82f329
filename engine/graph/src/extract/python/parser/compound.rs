//! Statements that hold others: what begins with a keyword and goes on behind a colon.

use super::lexer::Kind;
use super::{Odd, Parser, Result};
use crate::extract::python::kinds::{Field, Role};
use crate::extract::python::tree::Detail;

impl Parser<'_> {
    pub(super) fn statement(&mut self) -> Result<()> {
        let begin = self.rows.len();
        match self.token.kind {
            Kind::If => self.if_statement(),
            Kind::While => self.while_statement(),
            Kind::For => self.for_statement(),
            Kind::Try => self.try_statement(),
            Kind::With => self.with_statement(),
            Kind::Def => self.function(),
            Kind::Class => self.class(),
            Kind::At => self.decorated(),
            Kind::Async => {
                let is_async = self.token;
                self.advance()?;
                match self.token.kind {
                    Kind::Def => self.function(),
                    Kind::For => self.for_statement(),
                    Kind::With => self.with_statement(),
                    _ => Err(Odd),
                }?;
                let row = &mut self.rows[begin];
                (row.start, row.line) = (is_async.start, is_async.line);
                if row.role == Role::Function {
                    row.detail = Detail::Async;
                }
                Ok(())
            }
            _ => self.simple_statements().map(drop),
        }
    }

    /// `keyword condition: suite`.
    fn conditional(&mut self, role: Role) -> Result<usize> {
        let at = self.open(role);
        self.advance()?;
        self.expression()?;
        self.suite()?;
        self.close_at(at, self.code_end);
        Ok(at)
    }

    fn if_statement(&mut self) -> Result<()> {
        let indentation = self.indentation;
        let at = self.conditional(Role::If)?;
        while self.continues(Kind::Elif, indentation) {
            self.conditional(Role::Inner)?;
        }
        self.otherwise(indentation)?;
        self.close_at(at, self.code_end);
        Ok(())
    }

    fn while_statement(&mut self) -> Result<()> {
        let indentation = self.indentation;
        let at = self.conditional(Role::Inner)?;
        self.otherwise(indentation)?;
        self.close_at(at, self.code_end);
        Ok(())
    }

    /// Whether a statement goes on with such a clause on the line that was begun.
    fn continues(&self, kind: Kind, indentation: u32) -> bool {
        self.is(kind) && self.indentation == indentation
    }

    /// `else: suite`, where there is one, or `finally: suite`.
    fn clause(&mut self, kind: Kind, indentation: u32) -> Result<()> {
        if self.continues(kind, indentation) {
            let at = self.open(Role::Inner);
            self.advance()?;
            self.suite()?;
            self.close_at(at, self.code_end);
        }
        Ok(())
    }

    fn otherwise(&mut self, indentation: u32) -> Result<()> {
        self.clause(Kind::Else, indentation)
    }

    fn for_statement(&mut self) -> Result<()> {
        let indentation = self.indentation;
        let at = self.open(Role::For);
        self.advance()?;
        self.targets()?;
        self.expect(Kind::In)?;
        let right = self.rows.len();
        self.expressions()?;
        self.rows[right].field = Field::Right;
        self.suite()?;
        self.otherwise(indentation)?;
        self.close_at(at, self.code_end);
        Ok(())
    }

    fn try_statement(&mut self) -> Result<()> {
        let indentation = self.indentation;
        let at = self.open(Role::Try);
        self.advance()?;
        self.suite()?;
        while self.continues(Kind::Except, indentation) {
            let clause = self.open(Role::Except);
            self.advance()?;
            if !self.is(Kind::Colon) {
                let value = self.rows.len();
                self.item()?;
                self.rows[value].field = Field::Value;
            }
            self.suite()?;
            self.close_at(clause, self.code_end);
        }
        self.otherwise(indentation)?;
        self.clause(Kind::Finally, indentation)?;
        self.close_at(at, self.code_end);
        Ok(())
    }

    fn with_statement(&mut self) -> Result<()> {
        let at = self.open(Role::Inner);
        self.advance()?;
        let clause = self.open(Role::Inner);
        let in_brackets = self.is(Kind::Open) && self.lists_items()?;
        if in_brackets {
            self.advance()?;
        }
        loop {
            let item = self.open(Role::Inner);
            let value = self.rows.len();
            self.item()?;
            self.rows[value].field = Field::Value;
            self.close(item);
            if !self.accept(Kind::Comma)? || in_brackets && self.is(Kind::Close) {
                break;
            }
        }
        if in_brackets {
            self.expect(Kind::Close)?;
        }
        self.close(clause);
        self.suite()?;
        self.close_at(at, self.code_end);
        Ok(())
    }

    /// Whether the bracket that comes next encloses several items of a `with` and nothing follows it.
    fn lists_items(&self) -> Result<bool> {
        let mut lexer = self.lexer;
        let (around, mut commas, mut last) = (lexer.brackets - 1, 0, Kind::Open);
        loop {
            let kind = lexer.next()?.kind;
            match kind {
                Kind::End => return Err(Odd),
                Kind::Comma if lexer.brackets == around + 1 => commas += 1,
                _ if lexer.brackets == around => break,
                // One that would be a generator has none.
                Kind::Lambda | Kind::For if lexer.brackets == around + 1 => return Err(Odd),
                _ => {}
            }
            last = kind;
        }
        // A comma behind a single item makes a tuple of it.
        let several = commas > usize::from(last == Kind::Comma);
        Ok(several && lexer.next()?.kind == Kind::Colon)
    }

    /// An expression that may be given a name: `open(x) as file`.
    fn item(&mut self) -> Result<()> {
        let at = self.rows.len();
        self.expression()?;
        if self.is(Kind::As) {
            // Behind these, tree-sitter takes the name to belong to a part of them.
            let is_choice = matches!(self.rows[at].role, Role::Conditional | Role::NamedExpression);
            if is_choice || self.rows[at..].iter().any(|row| row.role == Role::Lambda) {
                return Err(Odd);
            }
            self.wrap(at, Role::AsPattern)?;
            self.advance()?;
            let target = self.open(Role::AsTarget);
            self.rows[target].field = Field::Alias;
            self.primary()?;
            self.close(target);
            self.close(at);
        }
        Ok(())
    }

    fn function(&mut self) -> Result<()> {
        let at = self.open(Role::Function);
        self.advance()?;
        self.name(Field::Name)?;
        let parameters = self.open(Role::Parameters);
        self.expect(Kind::Open)?;
        self.parameters(Kind::Close)?;
        self.expect(Kind::Close)?;
        self.close(parameters);
        if self.accept(Kind::Arrow)? {
            let returns = self.rows.len();
            self.annotation()?;
            self.rows[returns].field = Field::ReturnType;
            // What stands behind the colon on the same line may go on with the type.
            if matches!(self.peek()?, Kind::Name | Kind::Open | Kind::OpenSquare) {
                return Err(Odd);
            }
        }
        self.suite()?;
        self.close_at(at, self.code_end);
        Ok(())
    }

    /// Parameters of a function, or of a lambda: up to its colon.
    pub(super) fn parameters(&mut self, end: Kind) -> Result<()> {
        let has_types = end == Kind::Close;
        while !self.is(end) {
            let at = self.rows.len();
            match self.token.kind {
                Kind::Star if matches!(self.peek()?, Kind::Comma | Kind::Close | Kind::Colon) => {
                    self.leaf(Role::Inner, Field::None)?;
                }
                Kind::Slash => self.leaf(Role::Inner, Field::None)?,
                Kind::Star | Kind::StarStar => {
                    self.open(Role::Splat);
                    self.advance()?;
                    self.name(Field::None)?;
                    self.close(at);
                    if has_types && self.is(Kind::Colon) {
                        self.wrap(at, Role::TypedParameter)?;
                        self.type_behind_colon()?;
                        self.close(at);
                    }
                }
                _ => {
                    self.name(Field::None)?;
                    let has_type = has_types && self.is(Kind::Colon);
                    if has_type {
                        self.wrap(at, Role::TypedParameter)?;
                        self.type_behind_colon()?;
                    }
                    if self.is(Kind::Equal) {
                        if has_type {
                            self.rows[at].role = Role::DefaultParameter;
                        } else {
                            self.wrap(at, Role::DefaultParameter)?;
                        }
                        self.rows[at + 1].field = Field::Name;
                        self.value_behind_sign()?;
                    }
                    if self.rows.len() > at + 1 {
                        self.close(at);
                    }
                }
            }
            if !self.accept(Kind::Comma)? && !self.is(end) {
                return Err(Odd);
            }
        }
        Ok(())
    }

    /// `: type`, also `: *Ts` of a parameter.
    pub(super) fn type_behind_colon(&mut self) -> Result<()> {
        self.advance()?;
        let at = self.rows.len();
        if self.is(Kind::Star) {
            self.open(Role::Type);
            let splat = self.open(Role::Inner);
            self.advance()?;
            if self.is_no_plain_name() || self.word() == b"type" {
                return Err(Odd);
            }
            self.name(Field::None)?;
            self.close(splat);
            self.close(at);
            if !matches!(self.token.kind, Kind::Comma | Kind::Close) {
                return Err(Odd);
            }
        } else {
            self.annotation()?;
        }
        self.rows[at].field = Field::Type;
        Ok(())
    }

    fn class(&mut self) -> Result<()> {
        let at = self.open(Role::Class);
        self.advance()?;
        self.name(Field::Name)?;
        if self.is(Kind::Open) {
            let bases = self.rows.len();
            self.arguments()?;
            if self.rows[bases].role != Role::Arguments {
                return Err(Odd);
            }
            self.rows[bases].field = Field::Superclasses;
        }
        self.suite()?;
        self.close_at(at, self.code_end);
        Ok(())
    }

    fn decorated(&mut self) -> Result<()> {
        let indentation = self.indentation;
        let at = self.open(Role::Decorated);
        while self.is(Kind::At) {
            let decorator = self.open(Role::Decorator);
            self.advance()?;
            self.expression()?;
            let end = self.end_line()?;
            self.close_at(decorator, end);
            // To tree-sitter a comment before the block's own column ends the block here.
            if self.indentation != indentation || self.comments.iter().any(|(columns, _)| *columns < indentation) {
                return Err(Odd);
            }
        }
        let definition = self.rows.len();
        self.statement()?;
        if !matches!(self.rows[definition].role, Role::Function | Role::Class) {
            return Err(Odd);
        }
        self.rows[definition].field = Field::Definition;
        self.close_at(at, self.code_end);
        Ok(())
    }
}
