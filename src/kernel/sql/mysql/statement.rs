//! Statements that the parser reads: queries, changes of rows, and what holds a query.

use std::ops::Range;

use sqlparser::ast::{AnalyzeFormat, AnalyzeFormatKind, DescribeAlias, Statement};

use super::{Walker, clauses, eyes::Piece, outputs, parameters, parse, query::query_kind, rewrite};
use crate::kernel::sql::{
    lex::TokenKind,
    lineage::shape::Shape,
    mode::LexMode,
    reading::{Reading, RoutineUse, StatementKind},
};

/// A statement that reads or changes rows.
pub(super) fn read(pieces: &[Piece<'_>], span: Range<usize>, mode: LexMode) -> Option<Reading> {
    let seen = clauses::left_out(pieces);
    let statement = parse::statement(&rewrite::rewrite(&seen)?, mode)?;
    let mut walker = Walker::new(span, mode);
    let top = walker.rows(&statement)?;
    walker.witness(&seen);
    if writes_file(pieces) {
        walker.kind(StatementKind::CopyServer);
    }
    let mut reading = walker.finish(top)?;
    reading.parameters = parameters(pieces);
    reading.outputs = outputs::of(&statement, &reading, mode);
    reading.shape = shape(&statement);
    Some(reading)
}

/// How rows flow through it.
pub(super) fn shape(statement: &Statement) -> Option<Box<Shape>> {
    super::shape::of(statement).map(Box::new)
}

/// Rows that flow in a way that nobody models.
pub(super) fn opaque(what: &'static str) -> Shape {
    Shape::Opaque(what)
}

/// `INTO OUTFILE`, `INTO DUMPFILE`.
pub(super) fn writes_file(pieces: &[Piece<'_>]) -> bool {
    pieces.windows(2).any(|pair| match pair {
        [into, what] => into.is("into") && what.is_one_of(&["outfile", "dumpfile"]),
        _ => false,
    })
}

/// True if planning it may tell values: it keeps them in variables, or calls what may quote its arguments
/// in an error.
///
/// Spec: both servers read tables of one row for a plan, and run subqueries that they take for constants.
fn tells(reading: &Reading) -> bool {
    let quiet = |routine: &RoutineUse| {
        routine.name.schema().is_none() && QUIET.binary_search(&routine.name.base()).is_ok()
    };
    !reading.mysql.assigned.is_empty() || !reading.routines.iter().all(quiet)
}

/// Functions whose errors don't quote what they are given.
const QUIET: [&str; 66] = [
    "abs",
    "avg",
    "ceil",
    "ceiling",
    "char_length",
    "coalesce",
    "concat",
    "concat_ws",
    "count",
    "cume_dist",
    "curdate",
    "current_date",
    "current_time",
    "current_timestamp",
    "curtime",
    "database",
    "date",
    "date_add",
    "date_format",
    "date_sub",
    "datediff",
    "day",
    "dayofmonth",
    "dayofweek",
    "dense_rank",
    "first_value",
    "floor",
    "greatest",
    "group_concat",
    "hour",
    "if",
    "ifnull",
    "instr",
    "isnull",
    "lag",
    "last_value",
    "lead",
    "least",
    "left",
    "length",
    "locate",
    "lower",
    "ltrim",
    "max",
    "min",
    "minute",
    "month",
    "now",
    "ntile",
    "nullif",
    "percent_rank",
    "rand",
    "rank",
    "replace",
    "right",
    "round",
    "row_number",
    "rtrim",
    "substr",
    "substring",
    "sum",
    "trim",
    "unix_timestamp",
    "upper",
    "week",
    "year",
];

impl Walker {
    /// A statement that reads or changes rows, walked; its kind.
    pub(super) fn rows(&mut self, statement: &Statement) -> Option<StatementKind> {
        match statement {
            Statement::Query(query) => {
                self.query(query);
                let kind = query_kind(query);
                self.kind(kind);
                Some(kind)
            }
            Statement::Insert(_) | Statement::Update(_) | Statement::Delete(_) => {
                Some(self.change(statement))
            }
            _ => None,
        }
    }
}

/// EXPLAIN and its like, of a statement.
pub(super) fn explained(
    pieces: &[Piece<'_>],
    span: Range<usize>,
    mode: LexMode,
    (runs, prints): (bool, bool),
) -> Option<Reading> {
    let first = pieces.first()?;
    let verbs = ["select", "with", "values", "table", "insert", "replace", "update", "delete"];
    if !first.is_one_of(&verbs) && !first.is_sign(TokenKind::OpenParen) {
        return None;
    }
    let seen = clauses::left_out(pieces);
    let statement = parse::statement(&rewrite::rewrite(&seen)?, mode)?;
    let mut walker = Walker::new(span, mode);
    walker.rows(&statement)?;
    walker.witness(&seen);
    if writes_file(pieces) {
        walker.kind(StatementKind::CopyServer);
    }
    let top = if runs { StatementKind::ExplainAnalyze } else { StatementKind::Explain };
    let mut reading = walker.finish(top)?;
    reading.parameters = parameters(pieces);
    reading.mysql.prints = prints || tells(&reading);
    let json = AnalyzeFormatKind::Keyword(AnalyzeFormat::JSON);
    reading.shape = shape(&Statement::Explain {
        describe_alias: DescribeAlias::Explain,
        analyze: runs,
        verbose: false,
        query_plan: false,
        estimate: false,
        statement: Box::new(statement),
        format: prints.then_some(json),
        options: None,
    });
    Some(reading)
}
