//! Expressions and annotations, by the precedences of tree-sitter's grammar (not Python's: `^` binds tighter than `&`).

use super::lexer::Kind;
use super::{Odd, Parser, Result};
use crate::extract::python::kinds::{Field, Role};
use crate::extract::python::tree::{Detail, Row};

const OR: u8 = 10;
const AND: u8 = 11;
const NOT: u8 = 12;
const UNARY: u8 = 20;
const POWER: u8 = 21;

/// How tightly an operator between two operands binds.
fn precedence(kind: Kind) -> Option<u8> {
    Some(match kind {
        Kind::Pipe => 14,
        Kind::Ampersand => 15,
        Kind::Caret => 16,
        Kind::ShiftLeft | Kind::ShiftRight => 17,
        Kind::Plus | Kind::Minus => 18,
        Kind::Star | Kind::At | Kind::Slash | Kind::Percent | Kind::SlashSlash => 19,
        Kind::StarStar => POWER,
        _ => return None,
    })
}

impl Parser<'_> {
    /// Any expression without commas.
    pub(super) fn expression(&mut self) -> Result<()> {
        self.deeper()?;
        let at = self.rows.len();
        self.disjunction()?;
        if self.is(Kind::If) {
            self.wrap(at, Role::Conditional)?;
            self.advance()?;
            self.expression()?;
            self.expect(Kind::Else)?;
            self.expression()?;
            self.close(at);
        }
        self.depth -= 1;
        Ok(())
    }

    /// `= value` or `: value`.
    pub(super) fn value_behind_sign(&mut self) -> Result<()> {
        self.advance()?;
        let at = self.rows.len();
        self.expression()?;
        self.rows[at].field = Field::Value;
        Ok(())
    }

    /// One that is no choice by `if`: that would belong to a comprehension.
    fn disjunction(&mut self) -> Result<()> {
        let at = self.rows.len();
        self.boolean(OR)?;
        if self.is(Kind::ColonEqual) {
            if self.rows.len() != at + 1 || self.rows[at].role != Role::Identifier {
                return Err(Odd);
            }
            self.wrap(at, Role::NamedExpression)?;
            self.rows[at + 1].field = Field::Name;
            self.advance()?;
            let value = self.rows.len();
            self.boolean(OR)?;
            self.rows[value].field = Field::Value;
            self.close(at);
        }
        Ok(())
    }

    fn boolean(&mut self, least: u8) -> Result<()> {
        let at = self.rows.len();
        match self.token.kind {
            Kind::Not => {
                self.deeper()?;
                self.open(Role::Inner);
                self.advance()?;
                self.boolean(NOT)?;
                self.close(at);
                self.depth -= 1;
            }
            Kind::Lambda => return self.lambda(),
            _ => self.comparison()?,
        }
        loop {
            let binds = match self.token.kind {
                Kind::Or => OR,
                Kind::And => AND,
                _ => return Ok(()),
            };
            if binds < least {
                return Ok(());
            }
            self.wrap(at, Role::Choice)?;
            self.rows[at + 1].field = Field::Left;
            self.advance()?;
            let right = self.rows.len();
            self.boolean(binds + 1)?;
            self.rows[right].field = Field::Right;
            self.close(at);
        }
    }

    fn lambda(&mut self) -> Result<()> {
        self.deeper()?;
        let at = self.open(Role::Lambda);
        self.advance()?;
        if !self.is(Kind::Colon) {
            let parameters = self.open(Role::LambdaParameters);
            self.parameters(Kind::Colon)?;
            self.close(parameters);
        }
        self.expect(Kind::Colon)?;
        self.expression()?;
        self.close(at);
        self.depth -= 1;
        Ok(())
    }

    fn comparison(&mut self) -> Result<()> {
        let at = self.rows.len();
        self.binary(0)?;
        let mut is_compared = false;
        loop {
            match self.token.kind {
                Kind::Compared | Kind::In => self.advance()?,
                Kind::Is => {
                    self.advance()?;
                    self.accept(Kind::Not)?;
                }
                Kind::Not if self.peek()? == Kind::In => {
                    self.advance()?;
                    self.advance()?;
                }
                _ => break,
            }
            is_compared = true;
            self.binary(0)?;
        }
        if is_compared {
            self.wrap(at, Role::Inner)?;
        }
        Ok(())
    }

    fn binary(&mut self, least: u8) -> Result<()> {
        let at = self.rows.len();
        match self.token.kind {
            Kind::Plus | Kind::Minus | Kind::Tilde | Kind::Await => {
                self.deeper()?;
                let role = if self.is(Kind::Await) { Role::Await } else { Role::Inner };
                self.open(role);
                self.advance()?;
                self.binary(UNARY + 1)?;
                self.close(at);
                self.depth -= 1;
            }
            _ => self.primary()?,
        }
        while let Some(binds) = precedence(self.token.kind).filter(|binds| *binds >= least) {
            self.wrap(at, Role::Binary)?;
            self.rows[at].detail = match self.token.kind {
                Kind::Slash => Detail::Divides,
                Kind::Plus | Kind::Percent => Detail::Appends,
                _ => Detail::None,
            };
            self.rows[at + 1].field = Field::Left;
            self.advance()?;
            let right = self.rows.len();
            if binds == POWER {
                self.deeper()?;
                self.binary(POWER)?;
                self.depth -= 1;
            } else {
                self.binary(binds + 1)?;
            }
            self.rows[right].field = Field::Right;
            self.close(at);
        }
        Ok(())
    }

    /// A name, literal or bracket with what follows it directly: attributes, calls, subscripts.
    pub(super) fn primary(&mut self) -> Result<()> {
        // Whatever nests passes here.
        self.deeper()?;
        self.operand()?;
        self.depth -= 1;
        Ok(())
    }

    fn operand(&mut self) -> Result<()> {
        let at = self.rows.len();
        self.atom()?;
        loop {
            match self.token.kind {
                Kind::Dot => {
                    self.wrap(at, Role::Attribute)?;
                    self.rows[at + 1].field = Field::Object;
                    self.advance()?;
                    self.name(Field::Attribute)?;
                }
                Kind::Open => {
                    self.wrap(at, Role::Call)?;
                    self.rows[at + 1].field = Field::Function;
                    let arguments = self.rows.len();
                    self.arguments()?;
                    self.rows[arguments].field = Field::Arguments;
                }
                Kind::OpenSquare => {
                    self.wrap(at, Role::Subscript)?;
                    self.rows[at + 1].field = Field::Value;
                    self.subscripts()?;
                }
                _ => return Ok(()),
            }
            self.close(at);
        }
    }

    fn atom(&mut self) -> Result<()> {
        match self.token.kind {
            Kind::Name => self.leaf(Role::Identifier, Field::None),
            Kind::Number | Kind::True | Kind::False | Kind::None | Kind::Ellipsis => self.leaf(Role::Leaf, Field::None),
            Kind::Text | Kind::Formatted => self.strings(),
            Kind::Open => self.parenthesis(),
            Kind::OpenSquare => self.list(),
            Kind::OpenBrace => self.braces(),
            _ => Err(Odd),
        }
    }

    /// An expression, or one with a star before it, of which only the plainest are handled.
    pub(super) fn starred_or_expression(&mut self) -> Result<()> {
        if !self.is(Kind::Star) {
            return self.expression();
        }
        let at = self.open(Role::ListSplat);
        self.advance()?;
        self.name(Field::None)?;
        self.close(at);
        let ends = matches!(
            self.token.kind,
            Kind::Comma | Kind::Newline | Kind::Semicolon | Kind::Equal | Kind::In | Kind::Close | Kind::CloseSquare
        );
        if ends { Ok(()) } else { Err(Odd) }
    }

    /// An element of brackets.
    fn element(&mut self, is_first: bool) -> Result<()> {
        if !self.is(Kind::Star) {
            return self.expression();
        }
        let at = self.open(Role::ListSplat);
        self.advance()?;
        if self.is(Kind::Await) {
            self.binary(UNARY)?;
        } else {
            self.primary()?;
        }
        self.close(at);
        match self.token.kind {
            Kind::CloseSquare | Kind::CloseBrace if is_first => self.narrow_star(at),
            Kind::Comma | Kind::Close | Kind::CloseSquare | Kind::CloseBrace => Ok(()),
            _ => Err(Odd),
        }
    }

    /// Of an element that stands alone, tree-sitter takes the star to belong to the name that it begins with: `[*a.b]` is
    /// `[(*a).b]` to it. The star's row, which stands around all of the element, goes there.
    fn narrow_star(&mut self, at: usize) -> Result<()> {
        let Row { start, line, .. } = self.rows[at];
        let begins = |row: &Row| matches!(row.role, Role::Attribute | Role::Call | Role::Subscript);
        let followed = self.rows[at + 1..].iter().take_while(|row| begins(row)).count();
        let name = at + 1 + followed;
        if followed == 0 {
            return Ok(());
        }
        // What else it takes the star to belong to hangs on how much follows.
        if self.rows[name].role != Role::Identifier {
            return Err(Odd);
        }
        self.rows[at..name].rotate_left(1);
        for row in &mut self.rows[at..name - 1] {
            *row = Row { start, line, size: row.size + 1, ..*row };
        }
        let Row { field, end, .. } = self.rows[name];
        self.rows[name].field = Field::None;
        self.rows[name - 1] = Row { field, end, size: 2, ..self.rows[name - 1] };
        Ok(())
    }

    fn parenthesis(&mut self) -> Result<()> {
        let at = self.open(Role::Sequence);
        self.advance()?;
        if self.is(Kind::Close) {
        } else if self.is(Kind::Yield) {
            self.yield_expression()?;
            self.rows[at].role = Role::Parenthesized;
        } else {
            let is_starred = self.is(Kind::Star);
            self.element(true)?;
            match self.token.kind {
                Kind::Comma => self.elements(Kind::Close)?,
                Kind::Close if !is_starred => self.rows[at].role = Role::Parenthesized,
                Kind::For | Kind::Async => {
                    self.clauses()?;
                    self.rows[at].role = Role::Inner;
                }
                _ => return Err(Odd),
            }
        }
        self.expect(Kind::Close)?;
        self.close(at);
        Ok(())
    }

    /// The elements behind the first one.
    fn elements(&mut self, end: Kind) -> Result<()> {
        while self.accept(Kind::Comma)? && !self.is(end) {
            self.element(false)?;
        }
        Ok(())
    }

    fn list(&mut self) -> Result<()> {
        let at = self.open(Role::Sequence);
        self.advance()?;
        if !self.is(Kind::CloseSquare) {
            self.element(true)?;
            if matches!(self.token.kind, Kind::For | Kind::Async) {
                self.clauses()?;
                self.rows[at].role = Role::Inner;
            } else {
                self.elements(Kind::CloseSquare)?;
            }
        }
        self.expect(Kind::CloseSquare)?;
        self.close(at);
        Ok(())
    }

    /// A dictionary or a set.
    fn braces(&mut self) -> Result<()> {
        let around = self.open(Role::Inner);
        self.advance()?;
        let mut is_dictionary = None;
        while !self.is(Kind::CloseBrace) {
            let at = self.rows.len();
            let is_unpacked = self.is(Kind::StarStar);
            let is_pair = if is_unpacked {
                self.open(Role::Inner);
                self.advance()?;
                self.expression()?;
                self.close(at);
                true
            } else {
                self.element(at == around + 1)?;
                let has_value = self.is(Kind::Colon);
                if has_value {
                    self.wrap(at, Role::Inner)?;
                    self.value_behind_sign()?;
                    self.close(at);
                }
                has_value
            };
            if *is_dictionary.get_or_insert(is_pair) != is_pair {
                return Err(Odd);
            }
            let may_repeat = at == around + 1 && !is_unpacked;
            if matches!(self.token.kind, Kind::For | Kind::Async) && may_repeat {
                self.clauses()?;
                break;
            }
            if !self.accept(Kind::Comma)? {
                break;
            }
        }
        self.expect(Kind::CloseBrace)?;
        self.close(around);
        Ok(())
    }

    /// `for … in … if …`, as often as they follow.
    fn clauses(&mut self) -> Result<()> {
        loop {
            let at = self.rows.len();
            match self.token.kind {
                Kind::For | Kind::Async => {
                    self.open(Role::For);
                    self.accept(Kind::Async)?;
                    self.expect(Kind::For)?;
                    self.targets()?;
                    self.expect(Kind::In)?;
                    let right = self.rows.len();
                    self.disjunction_without_lambda()?;
                    self.rows[right].field = Field::Right;
                }
                Kind::If => {
                    self.open(Role::Inner);
                    self.advance()?;
                    self.disjunction_without_lambda()?;
                }
                _ => return Ok(()),
            }
            self.close(at);
        }
    }

    /// Of a lambda there, tree-sitter weighs whether an `if` behind it is its own.
    fn disjunction_without_lambda(&mut self) -> Result<()> {
        let at = self.rows.len();
        self.disjunction()?;
        if self.rows[at].role == Role::Lambda { Err(Odd) } else { Ok(()) }
    }

    /// The arguments of a call, or the generator that is its only one.
    pub(super) fn arguments(&mut self) -> Result<()> {
        let around = self.open(Role::Arguments);
        self.advance()?;
        while !self.is(Kind::Close) {
            let at = self.rows.len();
            match self.token.kind {
                Kind::Star | Kind::StarStar => {
                    self.open(if self.is(Kind::Star) { Role::ListSplat } else { Role::Inner });
                    self.advance()?;
                    self.expression()?;
                    self.close(at);
                }
                _ => {
                    self.expression()?;
                    let is_name = self.rows.len() == at + 1 && self.rows[at].role == Role::Identifier;
                    if self.is(Kind::Equal) && is_name {
                        self.wrap(at, Role::KeywordArgument)?;
                        self.rows[at + 1].field = Field::Name;
                        self.value_behind_sign()?;
                        self.close(at);
                    } else if matches!(self.token.kind, Kind::For | Kind::Async) && at == around + 1 {
                        self.clauses()?;
                        self.rows[around].role = Role::Inner;
                        break;
                    }
                }
            }
            if !self.accept(Kind::Comma)? {
                break;
            }
        }
        self.expect(Kind::Close)?;
        self.close(around);
        Ok(())
    }

    /// `[…]` behind a value.
    fn subscripts(&mut self) -> Result<()> {
        self.advance()?;
        loop {
            let at = self.rows.len();
            if !self.is(Kind::Colon) {
                self.expression()?;
            }
            if self.is(Kind::Colon) {
                if self.rows.len() == at {
                    self.open(Role::Inner);
                } else {
                    self.wrap(at, Role::Inner)?;
                }
                let mut colons = 0;
                while self.is(Kind::Colon) && colons < 2 {
                    self.advance()?;
                    colons += 1;
                    if !matches!(self.token.kind, Kind::Colon | Kind::Comma | Kind::CloseSquare) {
                        self.expression()?;
                    }
                }
                self.close(at);
            }
            if !self.accept(Kind::Comma)? || self.is(Kind::CloseSquare) {
                break;
            }
        }
        self.expect(Kind::CloseSquare)
    }

    /// A type: `list[int] | None` is no expression to tree-sitter, where it begins with a name and a bracket.
    pub(super) fn annotation(&mut self) -> Result<()> {
        self.deeper()?;
        let at = self.rows.len();
        self.type_operand()?;
        while self.is(Kind::Pipe) {
            self.wrap(at, Role::Inner)?;
            self.advance()?;
            self.type_operand()?;
            self.close(at);
            self.wrap(at, Role::Type)?;
        }
        self.depth -= 1;
        Ok(())
    }

    /// Whether the next token is a name that is none to tree-sitter everywhere.
    pub(super) fn is_no_plain_name(&self) -> bool {
        matches!(self.word(), b"print" | b"exec" | b"match")
    }

    fn type_operand(&mut self) -> Result<()> {
        let at = self.open(Role::Type);
        if self.is(Kind::Name) && self.peek()? == Kind::OpenSquare {
            if self.is_no_plain_name() {
                return Err(Odd);
            }
            let generic = self.open(Role::Inner);
            self.leaf(Role::Identifier, Field::None)?;
            let parameters = self.open(Role::Inner);
            self.advance()?;
            loop {
                self.annotation()?;
                if !self.accept(Kind::Comma)? || self.is(Kind::CloseSquare) {
                    break;
                }
            }
            self.expect(Kind::CloseSquare)?;
            self.close(parameters);
            self.close(generic);
        } else {
            self.expression()?;
        }
        self.close(at);
        Ok(())
    }
}
