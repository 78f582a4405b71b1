//! Layer B: `sqlparser`, fed with our own tokens.

use sqlparser::{
    ast::{BinaryOperator, Expr, Ident, Statement},
    dialect::{BindPlaceholderStyle, Dialect, MySqlDialect},
    keywords::Keyword,
    parser::{Parser, ParserError},
    tokenizer::{Token as Seen, Word},
};

use super::{
    eyes::{self, Piece},
    rewrite,
};
use crate::kernel::sql::mode::LexMode;
#[cfg(test)]
use crate::kernel::sql::{
    lex::{self, Limits},
    text::StatementText,
};

/// How deep sqlparser may nest. Our limit on brackets comes first.
const RECURSION_LIMIT: usize = 400;

/// The tree of one statement, which is what the server would read but for what [`rewrite`] takes away.
/// `None`: it can't be parsed.
///
/// What differs from the tree of the text itself:
/// - `@name` and `@@name` are identifiers without quotes that begin with `@`, in lower case; a column of
///   such a name has quotes. `@a := x` is a `BinaryOp` with `Assignment` whose right side is all of `x`.
/// - `||` is `OR` unless the mode says otherwise; `!` is `~`.
/// - Strings of all quotings are `SingleQuotedString`; `x'…'`, `0x…`, `b'…'` are `HexStringLiteral`.
/// - `FROM DUAL` is gone, `LOCK IN SHARE MODE` is `FOR SHARE`, `TABLE t` is `SELECT * FROM t`, commas
///   between tables in parentheses and behind UPDATE are `CROSS JOIN`, `DO x` is `SELECT x`; INTO stands
///   before FROM.
#[cfg(test)]
pub(super) fn parse(statement: &str, mode: LexMode) -> Option<Statement> {
    let text = StatementText::new(statement.as_bytes(), usize::MAX).ok()?;
    let tokens = lex::tokenize(&text, mode, &Limits::DEFAULT).ok()?;
    let [range] = tokens.statements() else { return None };
    let pieces = eyes::pieces(statement, &tokens, tokens.of(range), mode)?;
    self::statement(&rewrite::rewrite(&pieces)?, mode)
}

/// The tree of one statement of these pieces, which were rewritten.
pub(super) fn statement(pieces: &[Piece<'_>], mode: LexMode) -> Option<Statement> {
    // Spec: `a JOIN b JOIN c ON x` joins c to both, `a JOIN b JOIN c ON x ON y` joins b and c first.
    parsed(pieces, mode, Joins::ToTheLeft).or_else(|| parsed(pieces, mode, Joins::Inside))
}

fn parsed(pieces: &[Piece<'_>], mode: LexMode, joins: Joins) -> Option<Statement> {
    let dialect = Eyes(MySqlDialect {}, joins);
    let mut parser = parser(&dialect, pieces, mode)?;
    let mut statements = parser.parse_statements().ok()?;
    let statement = statements.pop()?;
    statements.is_empty().then_some(statement)
}

/// An expression alone.
pub(super) fn expression(pieces: &[Piece<'_>], mode: LexMode) -> Option<Expr> {
    let pieces = rewrite::rewrite(pieces)?;
    let dialect = Eyes(MySqlDialect {}, Joins::ToTheLeft);
    let mut parser = parser(&dialect, &pieces, mode)?;
    let expression = parser.parse_expr().ok()?;
    (parser.peek_token_ref().token == Seen::EOF).then_some(expression)
}

fn parser<'d>(dialect: &'d Eyes, pieces: &[Piece<'_>], mode: LexMode) -> Option<Parser<'d>> {
    let seen: Option<Vec<Seen>> = pieces.iter().map(|piece| eyes::seen(piece, mode)).collect();
    Some(Parser::new(dialect).with_recursion_limit(RECURSION_LIMIT).with_tokens(seen?))
}

/// What a join belongs to that follows one without ON.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Joins {
    /// All that stands before it.
    ToTheLeft,
    /// The table before it alone, as if in parentheses with that.
    Inside,
}

/// MySQL's dialect, with what it gets wrong put right.
#[derive(Debug)]
struct Eyes(MySqlDialect, Joins);

impl Dialect for Eyes {
    /// So that the parser takes it for MySQL's own.
    fn dialect(&self) -> std::any::TypeId {
        self.0.dialect()
    }

    /// `@a := x` takes all of `x`, whatever operators stand in it.
    fn parse_prefix(&self, parser: &mut Parser<'_>) -> Option<Result<Expr, ParserError>> {
        let Seen::Word(Word { value, quote_style: None, keyword: Keyword::NoKeyword }) =
            &parser.peek_token_ref().token
        else {
            return None;
        };
        let assigned = parser.peek_nth_token_ref(1).token == Seen::Assignment;
        if !assigned || !value.starts_with('@') {
            return None;
        }
        let variable = Expr::Identifier(Ident::new(value.clone()));
        parser.next_token();
        parser.next_token();
        Some(parser.parse_expr().map(|value| Expr::BinaryOp {
            left: Box::new(variable),
            op: BinaryOperator::Assignment,
            right: Box::new(value),
        }))
    }

    fn parse_infix(
        &self,
        parser: &mut Parser<'_>,
        expr: &Expr,
        precedence: u8,
    ) -> Option<Result<Expr, ParserError>> {
        // Anything else that is assigned isn't known.
        if parser.peek_token_ref().token == Seen::Assignment {
            return Some(Err(ParserError::ParserError("assigns what is no variable".to_owned())));
        }
        self.0.parse_infix(parser, expr, precedence)
    }

    fn get_next_precedence(&self, parser: &Parser<'_>) -> Option<Result<u8, ParserError>> {
        self.0.get_next_precedence(parser)
    }

    fn parse_statement(&self, _: &mut Parser<'_>) -> Option<Result<Statement, ParserError>> {
        None
    }

    fn is_identifier_start(&self, ch: char) -> bool {
        self.0.is_identifier_start(ch)
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        self.0.is_identifier_part(ch)
    }

    fn is_delimited_identifier_start(&self, ch: char) -> bool {
        self.0.is_delimited_identifier_start(ch)
    }

    fn identifier_quote_style(&self, identifier: &str) -> Option<char> {
        self.0.identifier_quote_style(identifier)
    }

    fn ordered_bind_placeholder_style(&self) -> Option<BindPlaceholderStyle> {
        self.0.ordered_bind_placeholder_style()
    }

    fn supports_string_literal_table_alias(&self, explicit: bool) -> bool {
        self.0.supports_string_literal_table_alias(explicit)
    }

    fn supports_string_literal_backslash_escape(&self) -> bool {
        self.0.supports_string_literal_backslash_escape()
    }

    fn is_table_factor_alias(&self, explicit: bool, kw: &Keyword, parser: &mut Parser<'_>) -> bool {
        self.0.is_table_factor_alias(explicit, kw, parser)
    }

    fn supports_left_associative_joins_without_parens(&self) -> bool {
        self.1 == Joins::ToTheLeft
    }

    fn supports_string_literal_concatenation(&self) -> bool {
        self.0.supports_string_literal_concatenation()
    }

    fn ignores_wildcard_escapes(&self) -> bool {
        self.0.ignores_wildcard_escapes()
    }

    fn supports_numeric_prefix(&self) -> bool {
        self.0.supports_numeric_prefix()
    }

    fn supports_literal_prefix_in_qualified_name(&self) -> bool {
        self.0.supports_literal_prefix_in_qualified_name()
    }

    fn supports_bitwise_shift_operators(&self) -> bool {
        self.0.supports_bitwise_shift_operators()
    }

    fn supports_singular_value_keyword(&self) -> bool {
        self.0.supports_singular_value_keyword()
    }

    fn supports_multiline_comment_hints(&self) -> bool {
        self.0.supports_multiline_comment_hints()
    }

    fn require_interval_qualifier(&self) -> bool {
        self.0.require_interval_qualifier()
    }

    fn supports_limit_comma(&self) -> bool {
        self.0.supports_limit_comma()
    }

    fn supports_create_table_select(&self) -> bool {
        self.0.supports_create_table_select()
    }

    fn supports_insert_set(&self) -> bool {
        self.0.supports_insert_set()
    }

    fn supports_user_host_grantee(&self) -> bool {
        self.0.supports_user_host_grantee()
    }

    fn supports_table_hints(&self) -> bool {
        self.0.supports_table_hints()
    }

    fn requires_single_line_comment_whitespace(&self) -> bool {
        self.0.requires_single_line_comment_whitespace()
    }

    fn supports_hash_comment(&self) -> bool {
        self.0.supports_hash_comment()
    }

    fn supports_match_against(&self) -> bool {
        self.0.supports_match_against()
    }

    fn supports_select_modifiers(&self) -> bool {
        self.0.supports_select_modifiers()
    }

    fn supports_set_names(&self) -> bool {
        self.0.supports_set_names()
    }

    fn supports_comma_separated_set_assignments(&self) -> bool {
        self.0.supports_comma_separated_set_assignments()
    }

    fn supports_alter_column_position(&self) -> bool {
        self.0.supports_alter_column_position()
    }

    fn supports_update_order_by(&self) -> bool {
        self.0.supports_update_order_by()
    }

    fn supports_data_type_signed_suffix(&self) -> bool {
        self.0.supports_data_type_signed_suffix()
    }

    fn supports_data_type_zerofill_suffix(&self) -> bool {
        self.0.supports_data_type_zerofill_suffix()
    }

    fn supports_cross_join_constraint(&self) -> bool {
        self.0.supports_cross_join_constraint()
    }

    fn supports_double_ampersand_operator(&self) -> bool {
        self.0.supports_double_ampersand_operator()
    }

    fn supports_binary_kw_as_cast(&self) -> bool {
        self.0.supports_binary_kw_as_cast()
    }

    fn supports_table_partitions(&self) -> bool {
        self.0.supports_table_partitions()
    }

    fn supports_comment_optimizer_hint(&self) -> bool {
        self.0.supports_comment_optimizer_hint()
    }

    fn supports_constraint_keyword_without_name(&self) -> bool {
        self.0.supports_constraint_keyword_without_name()
    }

    fn supports_key_column_option(&self) -> bool {
        self.0.supports_key_column_option()
    }

    fn supports_group_by_with_modifier(&self) -> bool {
        self.0.supports_group_by_with_modifier()
    }
}
