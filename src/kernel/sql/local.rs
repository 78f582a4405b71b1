//! Recognises the statements that the gateway answers itself: those that name its schema,
//! `hallpass`.
//!
//! They come in a few shapes, see [`SHAPES`]. A statement that names the schema in any other shape is
//! an error of its own, so that the client is told what to write, and nothing of it reaches the
//! upstream.

use crate::kernel::sql::{
    analysis::{LocalArgument, LocalCall, LocalShape, LocalView},
    lex::{Token, TokenKind, Tokens},
};

/// The gateway's schema.
pub const SCHEMA: &str = "hallpass";

/// What can be written.
pub const SHAPES: &str = "SELECT hallpass.f(…), SELECT * FROM hallpass.f(…), CALL hallpass.f(…), \
                          SELECT columns FROM hallpass.view [WHERE column = value AND …] \
                          [ORDER BY column [DESC]] [LIMIT n], SHOW hallpass.x, \
                          SET hallpass.x = value, RESET hallpass.x";

/// A statement names the schema `hallpass` in a shape that isn't answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("hallpass.* is answered by the gateway, and only in these forms: {SHAPES}")]
pub struct UnknownShape {
    /// Which statement of the text, from 0.
    pub statement: usize,
}

/// For each statement of a text: the call to the gateway it is, or `None` if it names nothing of the
/// gateway's.
///
/// # Errors
/// [`UnknownShape`] for the first statement that names the schema in another way.
pub fn recognise(tokens: &Tokens, text: &str) -> Result<Vec<Option<LocalCall>>, UnknownShape> {
    let statements = tokens.statements().iter().enumerate();
    statements
        .map(|(statement, range)| {
            let own = tokens.of(range);
            if !names_schema(tokens, own, text) {
                return Ok(None);
            }
            let mut reader = Reader { tokens, own, text, at: 0 };
            match reader.statement() {
                Some(call) if reader.at == own.len() => Ok(Some(call)),
                _ => Err(UnknownShape { statement }),
            }
        })
        .collect()
}

/// True if `hallpass.` stands anywhere, with or without quotes.
fn names_schema(tokens: &Tokens, own: &[Token], text: &str) -> bool {
    calls_in_one_name(tokens, own, text)
        || own.windows(2).any(|pair| match pair {
            [name, dot] if dot.kind == TokenKind::Dot => match name.kind {
                TokenKind::Word => name.text(text).eq_ignore_ascii_case(SCHEMA),
                TokenKind::QuotedIdentifier => unquoted(name.text(text)).is_some_and(|name| {
                    // MySQL knows schemas in any case as one where its file system does.
                    name == SCHEMA || !tokens.is_postgres() && name.eq_ignore_ascii_case(SCHEMA)
                }),
                _ => false,
            },
            _ => false,
        })
}

/// True for ``CALL `hallpass.f`(…)``, as PyMySQL quotes what its `callproc` is given.
fn calls_in_one_name(tokens: &Tokens, own: &[Token], text: &str) -> bool {
    let [call, name, ..] = own else { return false };
    !tokens.is_postgres()
        && call.kind == TokenKind::Word
        && call.text(text).eq_ignore_ascii_case("call")
        && name.kind == TokenKind::QuotedIdentifier
        && unquoted(name.text(text)).is_some_and(|name| in_one(&name).is_some())
}

/// What stands behind `hallpass.` in one name.
fn in_one(name: &str) -> Option<String> {
    let (schema, name) = name.split_once('.')?;
    schema.eq_ignore_ascii_case(SCHEMA).then(|| name.to_lowercase())
}

/// A name without its quotes, `"` or a backtick.
fn unquoted(written: &str) -> Option<String> {
    let quote = written.chars().next().filter(|c| matches!(c, '"' | '`'))?;
    let inner = written.strip_prefix(quote)?.strip_suffix(quote)?;
    Some(inner.replace(&format!("{quote}{quote}"), &quote.to_string()))
}

/// Reads one statement. Every method returns `None` where the text goes another way.
struct Reader<'a> {
    tokens: &'a Tokens,
    own: &'a [Token],
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn statement(&mut self) -> Option<LocalCall> {
        if self.keyword("select") {
            return self.select();
        }
        if self.keyword("call") {
            let name = if calls_in_one_name(self.tokens, self.own, self.text) {
                in_one(&self.name()?)?
            } else {
                self.schema_name()?
            };
            return Some(LocalCall::new(name, LocalShape::Procedure(self.arguments()?)));
        }
        if self.keyword("table") {
            let name = self.schema_name()?;
            return Some(LocalCall::new(name, LocalShape::View(LocalView::default())));
        }
        if self.keyword("show") {
            return Some(LocalCall::new(self.schema_name()?, LocalShape::Show));
        }
        if self.keyword("reset") {
            return Some(LocalCall::new(self.schema_name()?, LocalShape::Set(None)));
        }
        if self.keyword("set") {
            let _scope = self.keyword("session") || self.keyword("local");
            let name = self.schema_name()?;
            if !self.operator("=") && !self.keyword("to") {
                return None;
            }
            return Some(LocalCall::new(name, self.setting_value()?));
        }
        None
    }

    fn select(&mut self) -> Option<LocalCall> {
        // SELECT hallpass.f(…) [[AS] alias]
        let start = self.at;
        if let Some(name) = self.schema_name()
            && let Some(arguments) = self.arguments()
        {
            let output = self.output_name();
            return Some(LocalCall { name, shape: LocalShape::Function(arguments), output });
        }
        self.at = start;
        let columns = self.columns()?;
        if !self.keyword("from") {
            return None;
        }
        let name = self.schema_name()?;
        let all = columns.iter().all(|(of, column)| of.is_none() && column == "*");
        if self.peek_kind() == Some(TokenKind::OpenParen) {
            let arguments = self.arguments()?;
            let output = self.output_name();
            return all.then_some(LocalCall {
                name,
                shape: LocalShape::Function(arguments),
                output,
            });
        }
        let alias = self.alias(&["where", "order", "limit"]).unwrap_or_else(|| name.clone());
        let of_view = |of: &Option<String>| of.as_ref().is_none_or(|of| *of == alias);
        if !columns.iter().all(|(of, _)| of_view(of)) {
            return None;
        }
        let mut view = LocalView {
            columns: columns.into_iter().map(|(_, column)| column).collect(),
            ..LocalView::default()
        };
        match view.columns.as_slice() {
            [all] if all == "*" => view.columns.clear(),
            [_count] => {}
            columns if columns.iter().any(|c| c == "*" || c == COUNT) => return None,
            _ => {}
        }
        self.conditions(&alias, &mut view)?;
        Some(LocalCall::new(name, LocalShape::View(view)))
    }

    /// `*`, `t.*`, `count(*)`, `a`, `t.a`, each with the alias it was written with.
    fn columns(&mut self) -> Option<Vec<(Option<String>, String)>> {
        let mut columns = Vec::new();
        loop {
            if self.operator("*") {
                columns.push((None, "*".to_owned()));
            } else {
                let first = self.name()?;
                if self.token(TokenKind::Dot) {
                    let column = if self.operator("*") { "*".to_owned() } else { self.name()? };
                    columns.push((Some(first), column));
                } else if first == "count" && self.token(TokenKind::OpenParen) {
                    if !self.operator("*") || !self.token(TokenKind::CloseParen) {
                        return None;
                    }
                    columns.push((None, COUNT.to_owned()));
                } else {
                    columns.push((None, first));
                }
            }
            if !self.token(TokenKind::Comma) {
                return Some(columns);
            }
        }
    }

    fn conditions(&mut self, alias: &str, view: &mut LocalView) -> Option<()> {
        if self.keyword("where") {
            loop {
                let column = self.column(alias)?;
                if !self.operator("=") {
                    return None;
                }
                view.equals.push((column, self.argument()?));
                if !self.keyword("and") {
                    break;
                }
            }
        }
        if self.keyword("order") {
            if !self.keyword("by") {
                return None;
            }
            loop {
                let column = self.column(alias)?;
                let descending = self.keyword("desc");
                if !descending {
                    self.keyword("asc");
                }
                view.order.push((column, descending));
                if !self.token(TokenKind::Comma) {
                    break;
                }
            }
        }
        if self.keyword("limit") && !self.keyword("all") {
            let token = self.next_of(|kind| kind == TokenKind::Integer)?;
            view.limit = Some(token.text(self.text).parse().ok()?);
        }
        Some(())
    }

    fn column(&mut self, alias: &str) -> Option<String> {
        let first = self.name()?;
        if !self.token(TokenKind::Dot) {
            return Some(first);
        }
        if first == alias { self.name() } else { None }
    }

    /// `(a, b, …)`.
    fn arguments(&mut self) -> Option<Vec<LocalArgument>> {
        if !self.token(TokenKind::OpenParen) {
            return None;
        }
        let mut arguments = Vec::new();
        if self.token(TokenKind::CloseParen) {
            return Some(arguments);
        }
        loop {
            arguments.push(self.argument()?);
            if self.token(TokenKind::CloseParen) {
                return Some(arguments);
            }
            if !self.token(TokenKind::Comma) {
                return None;
            }
        }
    }

    /// A constant or parameter, with the casts that drivers put behind or around it.
    fn argument(&mut self) -> Option<LocalArgument> {
        let argument = if self.keyword("cast") {
            if !self.token(TokenKind::OpenParen) {
                return None;
            }
            let inner = self.value()?;
            if !self.keyword("as") {
                return None;
            }
            self.type_name()?;
            self.token(TokenKind::CloseParen).then_some(inner)?
        } else {
            self.value()?
        };
        while self.token(TokenKind::Cast) {
            self.type_name()?;
        }
        Some(argument)
    }

    fn value(&mut self) -> Option<LocalArgument> {
        let token = *self.own.get(self.at)?;
        let written = token.text(self.text);
        self.at += 1;
        match token.kind {
            TokenKind::Parameter if written == "?" => {
                let seen = self.own.get(..self.at)?;
                let number = seen.iter().filter(|t| t.kind == TokenKind::Parameter).count();
                Some(LocalArgument::Parameter(u16::try_from(number).ok()?))
            }
            TokenKind::UserVariable => self.variable(&token).map(LocalArgument::Variable),
            TokenKind::Parameter => {
                Some(LocalArgument::Parameter(written.get(1..)?.parse().ok().filter(|n| *n > 0)?))
            }
            TokenKind::Integer | TokenKind::Float => Some(LocalArgument::Text(written.to_owned())),
            TokenKind::Operator if matches!(written, "-" | "+") => {
                let number =
                    self.next_of(|k| matches!(k, TokenKind::Integer | TokenKind::Float))?;
                let sign = if written == "-" { "-" } else { "" };
                Some(LocalArgument::Text(format!("{sign}{}", number.text(self.text))))
            }
            TokenKind::Word => {
                let word = written.to_ascii_lowercase();
                match word.as_str() {
                    "null" => Some(LocalArgument::Null),
                    "true" | "false" => Some(LocalArgument::Text(word)),
                    // `text 'x'`, `interval '30m'`, and of MySQL `_utf8mb4'x'`.
                    "_utf8mb4" | "_utf8mb3" | "_utf8" | "text" | "varchar" | "interval"
                    | "integer" | "bigint" => {
                        let token = self.next_of(TokenKind::is_string)?;
                        self.tokens.string_value(&token, self.text).map(LocalArgument::Text)
                    }
                    _ => None,
                }
            }
            kind if kind.is_string() => {
                self.tokens.string_value(&token, self.text).map(LocalArgument::Text)
            }
            _ => None,
        }
    }

    /// The name of a user variable, in the one case they are kept in.
    fn variable(&self, token: &Token) -> Option<String> {
        let written = token.text(self.text).strip_prefix('@')?;
        let quoted =
            Token { kind: TokenKind::String, start: token.start.checked_add(1)?, ..*token };
        let name = match written.chars().next()? {
            '`' => unquoted(written)?,
            '\'' | '"' => self.tokens.string_value(&quoted, self.text)?,
            _ => written.to_owned(),
        };
        Some(name.to_lowercase())
    }

    /// `text`, `pg_catalog.varchar(10)`, `character varying`, `text[]`: read and forgotten.
    fn type_name(&mut self) -> Option<()> {
        let first = self.name()?;
        if self.token(TokenKind::Dot) {
            self.name()?;
        } else if first == "character" {
            self.keyword("varying");
        } else if first == "double" {
            self.keyword("precision");
        }
        if self.token(TokenKind::OpenParen) {
            self.next_of(|kind| kind == TokenKind::Integer)?;
            if !self.token(TokenKind::CloseParen) {
                return None;
            }
        }
        Some(())
    }

    /// What SET sets it to.
    fn setting_value(&mut self) -> Option<LocalShape> {
        if self.keyword("default") {
            return Some(LocalShape::Set(None));
        }
        if self.peek_kind() == Some(TokenKind::Word) {
            return self.name().map(|word| LocalShape::Set(Some(word)));
        }
        match self.value()? {
            LocalArgument::Text(value) => Some(LocalShape::Set(Some(value))),
            LocalArgument::Parameter(_) | LocalArgument::Variable(_) | LocalArgument::Null => None,
        }
    }

    /// `hallpass.name`.
    fn schema_name(&mut self) -> Option<String> {
        if self.name()? != SCHEMA || !self.token(TokenKind::Dot) {
            return None;
        }
        self.name()
    }

    /// An alias, unless one of these words follows instead.
    fn alias(&mut self, not: &[&str]) -> Option<String> {
        if self.keyword("as") {
            return self.name();
        }
        let token = self.own.get(self.at)?;
        let word = token.text(self.text);
        if not.iter().any(|w| word.eq_ignore_ascii_case(w)) {
            return None;
        }
        self.name()
    }

    /// `[AS] x` behind a call: what its column is called. MySQL leaves such names as they were written, and
    /// knows them as strings too.
    fn output_name(&mut self) -> Option<String> {
        self.keyword("as");
        if self.tokens.is_postgres() {
            return self.name();
        }
        let is_name = |kind| matches!(kind, TokenKind::Word | TokenKind::QuotedIdentifier);
        let token = self.next_of(|kind| is_name(kind) || kind.is_string())?;
        let written = token.text(self.text);
        match token.kind {
            TokenKind::Word => Some(written.to_owned()),
            TokenKind::QuotedIdentifier => unquoted(written),
            _ => self.tokens.string_value(&token, self.text),
        }
    }

    /// An identifier as the server folds it.
    fn name(&mut self) -> Option<String> {
        let token =
            self.next_of(|kind| matches!(kind, TokenKind::Word | TokenKind::QuotedIdentifier))?;
        let written = token.text(self.text);
        if token.kind == TokenKind::Word {
            return Some(written.to_ascii_lowercase());
        }
        let name = unquoted(written)?;
        Some(if self.tokens.is_postgres() { name } else { name.to_lowercase() })
    }

    fn keyword(&mut self, word: &str) -> bool {
        self.accept(|token, text| {
            token.kind == TokenKind::Word && token.text(text).eq_ignore_ascii_case(word)
        })
        .is_some()
    }

    fn operator(&mut self, operator: &str) -> bool {
        self.accept(|token, text| token.kind == TokenKind::Operator && token.text(text) == operator)
            .is_some()
    }

    fn token(&mut self, kind: TokenKind) -> bool {
        self.accept(|token, _| token.kind == kind).is_some()
    }

    fn next_of(&mut self, is: impl Fn(TokenKind) -> bool) -> Option<Token> {
        self.accept(|token, _| is(token.kind))
    }

    fn accept(&mut self, is: impl Fn(&Token, &str) -> bool) -> Option<Token> {
        let token = *self.own.get(self.at)?;
        if !is(&token, self.text) {
            return None;
        }
        self.at += 1;
        Some(token)
    }

    fn peek_kind(&self) -> Option<TokenKind> {
        self.own.get(self.at).map(|t| t.kind)
    }
}

/// The column of `count(*)`.
const COUNT: &str = "count(*)";

#[cfg(test)]
mod tests;
