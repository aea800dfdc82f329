//! Statements of one line: imports, assignments, expressions.

use super::lexer::Kind;
use super::{Odd, Parser, Result};
use crate::extract::python::kinds::{Field, Role};

impl Parser<'_> {
    pub(super) fn simple_statement(&mut self) -> Result<()> {
        let at = self.rows.len();
        self.may_go_on = false;
        match self.token.kind {
            Kind::Import => self.import()?,
            Kind::From => return self.import_from(),
            Kind::Return => {
                self.open(Role::Inner);
                self.advance()?;
                if !self.ends_statement() {
                    self.expressions()?;
                }
            }
            Kind::Del => {
                self.open(Role::Inner);
                self.advance()?;
                self.expressions()?;
            }
            Kind::Raise => {
                self.open(Role::Inner);
                self.advance()?;
                if !self.ends_statement() {
                    self.expressions()?;
                }
                if self.accept(Kind::From)? {
                    self.expression()?;
                }
            }
            Kind::Assert => {
                self.open(Role::Inner);
                self.advance()?;
                self.expression()?;
                while self.accept(Kind::Comma)? {
                    self.expression()?;
                }
            }
            Kind::Pass | Kind::Break | Kind::Continue => return self.leaf(Role::Inner, Field::None),
            Kind::Global | Kind::Nonlocal => {
                self.open(Role::Scope);
                self.advance()?;
                self.name(Field::None)?;
                while self.accept(Kind::Comma)? {
                    self.name(Field::None)?;
                }
            }
            _ => self.expression_statement()?,
        }
        self.close(at);
        Ok(())
    }

    fn ends_statement(&self) -> bool {
        matches!(self.token.kind, Kind::Newline | Kind::Semicolon)
    }

    fn import(&mut self) -> Result<()> {
        self.open(Role::Import);
        self.advance()?;
        self.imported(false)
    }

    /// Names that are imported, with commas between them.
    fn imported(&mut self, in_brackets: bool) -> Result<()> {
        loop {
            let at = self.rows.len();
            self.dotted_name(Field::Name)?;
            if self.accept(Kind::As)? {
                self.wrap(at, Role::AliasedImport)?;
                self.rows[at].field = Field::Name;
                self.name(Field::Alias)?;
                self.close(at);
            }
            if !self.accept(Kind::Comma)? || in_brackets && self.is(Kind::Close) || self.ends_statement() {
                return Ok(());
            }
        }
    }

    fn dotted_name(&mut self, field: Field) -> Result<()> {
        let at = self.open(Role::DottedName);
        self.rows[at].field = field;
        loop {
            if !self.is(Kind::Name) {
                return Err(Odd);
            }
            self.advance()?;
            if !self.accept(Kind::Dot)? {
                break;
            }
        }
        self.close(at);
        Ok(())
    }

    fn import_from(&mut self) -> Result<()> {
        let at = self.open(Role::ImportFrom);
        self.advance()?;
        let module = self.rows.len();
        if matches!(self.token.kind, Kind::Dot | Kind::Ellipsis) {
            self.open(Role::RelativeImport);
            while matches!(self.token.kind, Kind::Dot | Kind::Ellipsis) {
                self.advance()?;
            }
            if self.is(Kind::Name) {
                self.dotted_name(Field::None)?;
                self.rows.truncate(module + 1);
            }
            self.close(module);
            self.rows[module].field = Field::ModuleName;
        } else if self.word() == b"__future__" {
            self.advance()?;
            self.rows[at].role = Role::ImportFuture;
        } else {
            self.dotted_name(Field::ModuleName)?;
        }
        self.expect(Kind::Import)?;
        if self.is(Kind::Star) && self.rows[at].role == Role::ImportFrom {
            self.leaf(Role::WildcardImport, Field::None)?;
        } else if self.accept(Kind::Open)? {
            self.imported(true)?;
            self.expect(Kind::Close)?;
        } else {
            self.imported(false)?;
        }
        self.close(at);
        Ok(())
    }

    fn expression_statement(&mut self) -> Result<()> {
        let statement = self.open(Role::ExpressionStatement);
        let first = self.word();
        // Of the statements of other Pythons that begin so, tree-sitter weighs one reading against another.
        let is_soft = self.is(Kind::Name) && matches!(first, b"print" | b"exec" | b"type" | b"match");
        let is_type = is_soft && first == b"type";
        self.may_go_on = is_soft;
        let behind = if is_soft { self.peek()? } else { Kind::Dot };
        if !matches!(
            behind,
            Kind::Open
                | Kind::Dot
                | Kind::Equal
                | Kind::Augmented
                | Kind::Colon
                | Kind::Comma
                | Kind::Newline
                | Kind::Semicolon
                | Kind::Compared
                | Kind::In
                | Kind::Is
        ) {
            return Err(Odd);
        }
        let at = self.rows.len();
        if self.is(Kind::Yield) {
            self.yield_expression()?;
        } else {
            let is_list = self.last_expressions()?;
            match self.token.kind {
                // `type (x).y = z` names a type to it.
                Kind::Equal | Kind::Colon if is_type && behind == Kind::Open => return Err(Odd),
                Kind::Equal => self.assignment(at, is_list)?,
                Kind::Colon if !is_list => self.annotated_assignment(at)?,
                Kind::Augmented => {
                    self.patterns(at, is_list)?;
                    self.wrap(at, Role::AugmentedAssignment)?;
                    self.advance()?;
                    self.right_hand_side()?;
                    self.close(at);
                }
                _ => {}
            }
        }
        // Of a star in brackets behind such a word, the readings differ.
        if is_soft && self.rows[at..].iter().any(|row| row.role == Role::ListSplat) {
            return Err(Odd);
        }
        self.close(statement);
        Ok(())
    }

    /// As [`Self::listed_expressions`], where a statement may end behind them. Behind a comma, tree-sitter may take the next
    /// line for more of them.
    fn last_expressions(&mut self) -> Result<bool> {
        let is_list = self.listed_expressions()?;
        let ends_with_comma = self.lexer.text[..self.last_end as usize].ends_with(b",");
        self.may_go_on |= is_list && self.is(Kind::Newline);
        if ends_with_comma && self.ends_statement() { Err(Odd) } else { Ok(is_list) }
    }

    /// Expressions with commas between them, without a row around them; true for a list.
    fn listed_expressions(&mut self) -> Result<bool> {
        let mut is_list = false;
        loop {
            self.starred_or_expression()?;
            if !self.accept(Kind::Comma)? {
                return Ok(is_list);
            }
            is_list = true;
            if matches!(
                self.token.kind,
                Kind::Newline | Kind::Semicolon | Kind::Equal | Kind::Augmented | Kind::Colon | Kind::Close
            ) {
                return Ok(true);
            }
        }
    }

    /// An expression, or several as one node.
    pub(super) fn expressions(&mut self) -> Result<()> {
        let at = self.rows.len();
        if self.listed_expressions()? {
            self.wrap(at, Role::Inner)?;
        }
        Ok(())
    }

    /// The left side was read; `=` comes next.
    fn assignment(&mut self, at: usize, is_list: bool) -> Result<()> {
        self.deeper()?;
        self.patterns(at, is_list)?;
        self.wrap(at, Role::Assignment)?;
        self.advance()?;
        self.right_hand_side()?;
        self.close(at);
        self.depth -= 1;
        Ok(())
    }

    fn annotated_assignment(&mut self, at: usize) -> Result<()> {
        self.patterns(at, false)?;
        self.wrap(at, Role::Assignment)?;
        self.type_behind_colon()?;
        if self.accept(Kind::Equal)? {
            self.right_hand_side()?;
        }
        self.close(at);
        Ok(())
    }

    fn right_hand_side(&mut self) -> Result<()> {
        let at = self.rows.len();
        if self.is(Kind::Yield) {
            self.yield_expression()?;
        } else {
            let is_list = self.last_expressions()?;
            if self.is(Kind::Equal) {
                self.assignment(at, is_list)?;
            } else if is_list {
                // Of many readings that begin with a star, tree-sitter gives up some.
                if self.rows[at..].iter().any(|row| row.role == Role::ListSplat) {
                    return Err(Odd);
                }
                self.wrap(at, Role::Inner)?;
            }
        }
        self.rows[at].field = Field::Right;
        Ok(())
    }

    /// Makes what was read the target of an assignment: tuples and lists become patterns.
    fn patterns(&mut self, at: usize, is_list: bool) -> Result<()> {
        if is_list {
            self.wrap(at, Role::Pattern)?;
            self.inner_patterns(at)?;
        } else {
            self.pattern(at)?;
        }
        self.rows[at].field = Field::Left;
        Ok(())
    }

    fn pattern(&mut self, at: usize) -> Result<()> {
        match self.rows[at].role {
            Role::Identifier | Role::Attribute | Role::Subscript => Ok(()),
            Role::Sequence | Role::Parenthesized => {
                self.rows[at].role = Role::Pattern;
                self.inner_patterns(at)
            }
            // Of anything but a name, tree-sitter takes the star to belong to its first name.
            Role::ListSplat if self.rows[at].size == 2 && self.rows[at + 1].role == Role::Identifier => {
                self.rows[at].role = Role::Splat;
                Ok(())
            }
            _ => Err(Odd),
        }
    }

    fn inner_patterns(&mut self, around: usize) -> Result<()> {
        let end = around + self.rows[around].size as usize;
        let mut at = around + 1;
        while at < end {
            self.pattern(at)?;
            at += self.rows[at].size as usize;
        }
        Ok(())
    }

    /// What a `for` binds: names, attributes, subscripts and tuples of them.
    pub(super) fn targets(&mut self) -> Result<()> {
        let at = self.rows.len();
        let mut is_list = false;
        loop {
            if self.is(Kind::Star) {
                self.starred_or_expression()?;
            } else {
                self.primary()?;
            }
            if !self.accept(Kind::Comma)? {
                break;
            }
            is_list = true;
            if self.is(Kind::In) {
                break;
            }
        }
        self.patterns(at, is_list)
    }

    pub(super) fn yield_expression(&mut self) -> Result<()> {
        let at = self.open(Role::Inner);
        self.advance()?;
        if self.accept(Kind::From)? {
            self.expression()?;
        } else if !matches!(self.token.kind, Kind::Newline | Kind::Semicolon | Kind::Close) {
            self.expressions()?;
        }
        self.close(at);
        Ok(())
    }
}
