//! Tokens of Python, as far as the parser needs them: names, literals and operators with their places. Comments and white
//! space between tokens are passed over; where lines begin, the parser asks for it.
//!
//! What is unusual is [`Odd`], and left to tree-sitter: other white space than spaces, tabs and newlines, names beyond ASCII,
//! backquotes, a line that begins with a backslash.

use super::{MAX_COLUMNS, Odd, Result};

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Name,
    Number,
    /// A literal without values inside.
    Text,
    /// A literal of which a part may be code.
    Formatted,
    /// The end of a statement's line.
    Newline,
    End,
    Open,
    OpenSquare,
    OpenBrace,
    Close,
    CloseSquare,
    CloseBrace,
    Comma,
    Colon,
    ColonEqual,
    Semicolon,
    Dot,
    Ellipsis,
    Equal,
    /// `+=` and the like.
    Augmented,
    /// `==`, `<` and the like.
    Compared,
    Arrow,
    Plus,
    Minus,
    Star,
    StarStar,
    Slash,
    SlashSlash,
    Percent,
    At,
    Pipe,
    Ampersand,
    Caret,
    ShiftLeft,
    ShiftRight,
    Tilde,
    Exclamation,
    And,
    As,
    Assert,
    Async,
    Await,
    Break,
    Class,
    Continue,
    Def,
    Del,
    Elif,
    Else,
    Except,
    False,
    Finally,
    For,
    From,
    Global,
    If,
    Import,
    In,
    Is,
    Lambda,
    None,
    Nonlocal,
    Not,
    Or,
    Pass,
    Raise,
    Return,
    True,
    Try,
    While,
    With,
    Yield,
}

/// A token and where it lies.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) line: u32,
}

/// A place in a text from which tokens are read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lexer<'t> {
    pub(super) text: &'t [u8],
    pub(super) at: usize,
    /// The line of that place, from 0.
    pub(super) line: u32,
    /// Brackets that are open: inside, lines do not end statements.
    pub(super) brackets: u32,
    /// Columns at which the lines of the innermost block begin; a tab is eight.
    pub(super) indentation: u32,
}

/// Formatted literals inside one another.
const MAX_FORMATTED: u32 = 16;

impl<'t> Lexer<'t> {
    fn byte(&self, ahead: usize) -> u8 {
        self.text.get(self.at + ahead).copied().unwrap_or(0)
    }

    /// The next token.
    pub(super) fn next(&mut self) -> Result<Token> {
        // A line ends where its last token or the comment behind it does.
        let mut end = self.at;
        // Columns before what begins a line inside brackets.
        const BEHIND: u32 = u32::MAX;
        let mut columns = BEHIND;
        loop {
            match self.byte(0) {
                b' ' => {
                    self.at += 1;
                    columns = columns.saturating_add(1);
                }
                b'\t' => {
                    self.at += 1;
                    columns = columns.saturating_add(8);
                }
                b'\n' if self.brackets > 0 => {
                    self.at += 1;
                    self.line += 1;
                    columns = 0;
                }
                b'\n' => return Ok(Token { kind: Kind::Newline, start: end as u32, end: end as u32, line: self.line }),
                b'\\' if self.byte(1) == b'\n' => {
                    self.at += 2;
                    self.line += 1;
                }
                0 if self.at >= self.text.len() => {
                    let kind = if self.brackets > 0 { Kind::End } else { Kind::Newline };
                    return Ok(Token { kind, start: end as u32, end: end as u32, line: self.line });
                }
                // Before the block's own column it may end the block to tree-sitter, by what stands before it.
                _ if columns != BEHIND && (columns < self.indentation || columns > MAX_COLUMNS) => return Err(Odd),
                b'#' => {
                    self.pass_comment();
                    end = self.at;
                }
                _ => break,
            }
        }
        let (start, line) = (self.at, self.line);
        let kind = self.kind()?;
        Ok(Token { kind, start: start as u32, end: self.at as u32, line })
    }

    pub(super) fn pass_comment(&mut self) {
        let rest = self.text.get(self.at..).unwrap_or_default();
        self.at += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
    }

    fn kind(&mut self) -> Result<Kind> {
        let first = self.byte(0);
        if is_name_start(first) {
            return self.name();
        }
        if first.is_ascii_digit() || first == b'.' && self.byte(1).is_ascii_digit() {
            return self.number();
        }
        let (kind, length) = match (first, self.byte(1), self.byte(2)) {
            (b'"' | b'\'', ..) => return self.string(self.at),
            (b'.', b'.', b'.') => (Kind::Ellipsis, 3),
            (b'*', b'*', b'=') | (b'/', b'/', b'=') | (b'<', b'<', b'=') | (b'>', b'>', b'=') => (Kind::Augmented, 3),
            (b'*', b'*', _) => (Kind::StarStar, 2),
            (b'/', b'/', _) => (Kind::SlashSlash, 2),
            (b'<', b'<', _) => (Kind::ShiftLeft, 2),
            (b'>', b'>', _) => (Kind::ShiftRight, 2),
            (b'<', b'>', _) => return Err(Odd),
            (b'=' | b'!' | b'<' | b'>', b'=', _) => (Kind::Compared, 2),
            (b'+' | b'-' | b'*' | b'/' | b'%' | b'@' | b'&' | b'|' | b'^', b'=', _) => (Kind::Augmented, 2),
            (b'-', b'>', _) => (Kind::Arrow, 2),
            (b':', b'=', _) => (Kind::ColonEqual, 2),
            (b'(', ..) => (Kind::Open, 1),
            (b'[', ..) => (Kind::OpenSquare, 1),
            (b'{', ..) => (Kind::OpenBrace, 1),
            (b')', ..) => (Kind::Close, 1),
            (b']', ..) => (Kind::CloseSquare, 1),
            (b'}', ..) => (Kind::CloseBrace, 1),
            (b',', ..) => (Kind::Comma, 1),
            (b':', ..) => (Kind::Colon, 1),
            (b';', ..) => (Kind::Semicolon, 1),
            (b'.', ..) => (Kind::Dot, 1),
            (b'=', ..) => (Kind::Equal, 1),
            (b'<' | b'>', ..) => (Kind::Compared, 1),
            (b'+', ..) => (Kind::Plus, 1),
            (b'-', ..) => (Kind::Minus, 1),
            (b'*', ..) => (Kind::Star, 1),
            (b'/', ..) => (Kind::Slash, 1),
            (b'%', ..) => (Kind::Percent, 1),
            (b'@', ..) => (Kind::At, 1),
            (b'|', ..) => (Kind::Pipe, 1),
            (b'&', ..) => (Kind::Ampersand, 1),
            (b'^', ..) => (Kind::Caret, 1),
            (b'~', ..) => (Kind::Tilde, 1),
            (b'!', ..) => (Kind::Exclamation, 1),
            _ => return Err(Odd),
        };
        self.at += length;
        match kind {
            Kind::Open | Kind::OpenSquare | Kind::OpenBrace => self.brackets += 1,
            Kind::Close | Kind::CloseSquare | Kind::CloseBrace => {
                self.brackets = self.brackets.checked_sub(1).ok_or(Odd)?;
            }
            _ => {}
        }
        Ok(kind)
    }

    fn name(&mut self) -> Result<Kind> {
        let start = self.at;
        while is_name_part(self.byte(0)) {
            self.at += 1;
        }
        let name = &self.text[start..self.at];
        match self.byte(0) {
            // Names beyond ASCII go by tables of Unicode.
            128.. => return Err(Odd),
            b'"' | b'\'' if is_prefix(name) => return self.string(start),
            _ => {}
        }
        Ok(if (2..=8).contains(&name.len()) { keyword(name) } else { Kind::Name })
    }

    fn number(&mut self) -> Result<Kind> {
        if self.byte(0) == b'0' && matches!(self.byte(1), b'x' | b'X' | b'o' | b'O' | b'b' | b'B') {
            let is_digit: fn(u8) -> bool = match self.byte(1) {
                b'x' | b'X' => |byte| byte.is_ascii_hexdigit(),
                b'o' | b'O' => |byte| matches!(byte, b'0'..=b'7'),
                _ => |byte| matches!(byte, b'0' | b'1'),
            };
            self.at += 2;
            let mut digits = 0;
            loop {
                let underscore = usize::from(self.byte(0) == b'_');
                if !is_digit(self.byte(underscore)) {
                    break;
                }
                self.at += underscore + 1;
                digits += 1;
            }
            if digits == 0 {
                return Err(Odd);
            }
        } else {
            self.digits();
            if self.byte(0) == b'.' {
                self.at += 1;
                self.digits();
            }
            if matches!(self.byte(0), b'e' | b'E') {
                let sign = usize::from(matches!(self.byte(1), b'+' | b'-'));
                if self.byte(1 + sign).is_ascii_digit() {
                    self.at += 1 + sign;
                    self.digits();
                }
            }
            if matches!(self.byte(0), b'j' | b'J') {
                self.at += 1;
            }
        }
        // A name right behind it: whatever that is.
        if is_name_part(self.byte(0)) || self.byte(0) >= 128 { Err(Odd) } else { Ok(Kind::Number) }
    }

    fn digits(&mut self) {
        while self.byte(0).is_ascii_digit() {
            self.at += 1;
            if self.byte(0) == b'_' && self.byte(1).is_ascii_digit() {
                self.at += 1;
            }
        }
    }

    /// A literal that begins there, its prefix with it.
    fn string(&mut self, start: usize) -> Result<Kind> {
        self.at = start;
        self.literal(0)
    }

    /// Passes over a literal; code in it is only searched for its end.
    fn literal(&mut self, depth: u32) -> Result<Kind> {
        if depth > MAX_FORMATTED {
            return Err(Odd);
        }
        let Quotes { length, quote, is_triple, is_formatted, is_raw, is_bytes } = self.quotes();
        self.at += length;
        loop {
            match self.byte(0) {
                0 if self.at >= self.text.len() => return Err(Odd),
                b'\n' if !is_triple => return Err(Odd),
                b'\n' => {
                    self.line += 1;
                    self.at += 1;
                }
                b'\\' => {
                    if !is_raw && !is_bytes && self.byte(1) == b'N' && self.byte(2) == b'{' {
                        self.named_character(quote)?;
                        continue;
                    }
                    // There tree-sitter steps over the character behind the letter, too.
                    let is_no_escape = is_bytes && !is_raw && matches!(self.byte(1), b'N' | b'u' | b'U');
                    if is_no_escape && (self.byte(2) == quote || matches!(self.byte(2), b'\\' | b'\n')) {
                        return Err(Odd);
                    }
                    match self.byte(1) {
                        b'\n' => {
                            self.line += 1;
                            self.at += 2;
                        }
                        // Code may begin behind it, or the next character begin an escape.
                        b'{' | b'}' if is_formatted => self.at += 1,
                        _ => self.at += 2,
                    }
                }
                byte if byte == quote => {
                    if !is_triple {
                        self.at += 1;
                        break;
                    }
                    if self.byte(1) == quote && self.byte(2) == quote {
                        self.at += 3;
                        break;
                    }
                    self.at += 1;
                }
                b'{' if is_formatted && self.byte(1) == b'{' => self.at += 2,
                b'{' if is_formatted => {
                    self.at += 1;
                    self.pass_value(quote, depth)?;
                }
                b'}' if is_formatted => {
                    if self.byte(1) != b'}' {
                        return Err(Odd);
                    }
                    self.at += 2;
                }
                _ => self.at += 1,
            }
        }
        Ok(if is_formatted { Kind::Formatted } else { Kind::Text })
    }

    /// `\N{…}`.
    pub(super) fn named_character(&mut self, quote: u8) -> Result<()> {
        let rest = &self.text[self.at..];
        let end = rest.iter().position(|byte| *byte == b'}' || *byte == quote || *byte == b'\n').ok_or(Odd)?;
        if rest[end] != b'}' || end == 3 {
            return Err(Odd);
        }
        self.at += end + 1;
        Ok(())
    }

    /// Goes behind the brace that ends a value, which begins here.
    fn pass_value(&mut self, quote: u8, depth: u32) -> Result<()> {
        let mut open = 0_u32;
        loop {
            match self.byte(0) {
                b'{' | b'(' | b'[' => open += 1,
                b'}' if open == 0 => {
                    self.at += 1;
                    return Ok(());
                }
                b'}' | b')' | b']' => open = open.checked_sub(1).ok_or(Odd)?,
                b':' if open == 0 => {
                    self.at += 1;
                    return self.pass_format(quote, depth);
                }
                b'"' | b'\'' => {
                    let mut start = self.at;
                    while start > 0 && is_name_part(self.text[start - 1]) {
                        start -= 1;
                    }
                    if start < self.at && is_prefix(&self.text[start..self.at]) {
                        self.at = start;
                    }
                    self.literal(depth + 1)?;
                    continue;
                }
                b'\n' | b'\r' | b'#' | b'\\' | b'`' => return Err(Odd),
                0 if self.at >= self.text.len() => return Err(Odd),
                _ => {}
            }
            self.at += 1;
        }
    }

    /// Goes behind the brace that ends a value, of which the format begins here.
    fn pass_format(&mut self, quote: u8, depth: u32) -> Result<()> {
        if depth > MAX_FORMATTED {
            return Err(Odd);
        }
        loop {
            match self.byte(0) {
                b'{' => {
                    self.at += 1;
                    self.pass_value(quote, depth + 1)?;
                    continue;
                }
                b'}' => {
                    self.at += 1;
                    return Ok(());
                }
                b'\n' | b'\r' | b'\\' => return Err(Odd),
                byte if byte == quote => return Err(Odd),
                0 if self.at >= self.text.len() => return Err(Odd),
                _ => self.at += 1,
            }
        }
    }

    /// What a literal begins with that begins here.
    pub(super) fn quotes(&self) -> Quotes {
        let mut quotes =
            Quotes { length: 0, quote: 0, is_triple: false, is_formatted: false, is_raw: false, is_bytes: false };
        loop {
            match self.byte(quotes.length) {
                b'f' | b'F' | b't' | b'T' => quotes.is_formatted = true,
                b'r' | b'R' => quotes.is_raw = true,
                b'b' | b'B' => quotes.is_bytes = true,
                b'u' | b'U' => {}
                other => {
                    quotes.quote = other;
                    break;
                }
            }
            quotes.length += 1;
        }
        let at = quotes.length;
        quotes.is_triple = self.byte(at + 1) == quotes.quote && self.byte(at + 2) == quotes.quote;
        quotes.length += if quotes.is_triple { 3 } else { 1 };
        quotes
    }
}

/// What a literal begins with.
pub(super) struct Quotes {
    /// Of the prefix and the quotes.
    pub(super) length: usize,
    pub(super) quote: u8,
    pub(super) is_triple: bool,
    pub(super) is_formatted: bool,
    pub(super) is_raw: bool,
    pub(super) is_bytes: bool,
}

fn is_name_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_'
}

fn is_name_part(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// What stands before the quotes of a literal.
fn is_prefix(name: &[u8]) -> bool {
    match name {
        [one] => matches!(one | 32, b'f' | b't' | b'r' | b'b' | b'u'),
        [one, other] => matches!((one | 32, other | 32), (b'r', b'f' | b't' | b'b') | (b'f' | b't' | b'b', b'r')),
        _ => false,
    }
}

fn keyword(name: &[u8]) -> Kind {
    match name {
        b"and" => Kind::And,
        b"as" => Kind::As,
        b"assert" => Kind::Assert,
        b"async" => Kind::Async,
        b"await" => Kind::Await,
        b"break" => Kind::Break,
        b"class" => Kind::Class,
        b"continue" => Kind::Continue,
        b"def" => Kind::Def,
        b"del" => Kind::Del,
        b"elif" => Kind::Elif,
        b"else" => Kind::Else,
        b"except" => Kind::Except,
        b"False" => Kind::False,
        b"finally" => Kind::Finally,
        b"for" => Kind::For,
        b"from" => Kind::From,
        b"global" => Kind::Global,
        b"if" => Kind::If,
        b"import" => Kind::Import,
        b"in" => Kind::In,
        b"is" => Kind::Is,
        b"lambda" => Kind::Lambda,
        b"None" => Kind::None,
        b"nonlocal" => Kind::Nonlocal,
        b"not" => Kind::Not,
        b"or" => Kind::Or,
        b"pass" => Kind::Pass,
        b"raise" => Kind::Raise,
        b"return" => Kind::Return,
        b"True" => Kind::True,
        b"try" => Kind::Try,
        b"while" => Kind::While,
        b"with" => Kind::With,
        b"yield" => Kind::Yield,
        _ => Kind::Name,
    }
}
