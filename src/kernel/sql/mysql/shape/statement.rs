//! Statements: what becomes of the rows of those that read, write or hand out some.

use sqlparser::ast::{AnalyzeFormat, AnalyzeFormatKind, SetExpr, Statement};

use crate::kernel::sql::{
    lineage::shape::Shape,
    mysql::shape::{changes, query, unknown},
};

pub(super) fn of(statement: &Statement) -> Option<Shape> {
    use Statement as S;
    Some(match statement {
        S::Query(inner) if stores(&inner.body) => Shape::Stored(query(inner)),
        S::Query(inner) => Shape::Query(query(inner)),
        S::Insert(_) | S::Update(_) | S::Delete(_) => {
            Shape::Query(changes::of(statement).unwrap_or_else(unknown))
        }
        S::CreateView(view) => Shape::Stored(query(&view.query)),
        S::CreateTable(table) => Shape::Stored(query(table.query.as_deref()?)),
        S::Explain { statement, analyze, format, options, estimate, query_plan, .. } => {
            let prints = *analyze
                || *estimate
                || *query_plan
                || options.is_some()
                || format.is_some_and(|format| !is_tabular(format));
            explained(of(statement), prints)
        }
        // All others are read by our own hand, and a new kind of statement is none of these servers'.
        _ => Shape::Opaque("a statement of another kind"),
    })
}

/// SELECT … INTO, in any arm.
fn stores(body: &SetExpr) -> bool {
    match body {
        SetExpr::Select(select) => select.into.is_some(),
        SetExpr::Query(query) => stores(&query.body),
        SetExpr::SetOperation { left, right, op: _, set_quantifier: _ } => {
            stores(left) || stores(right)
        }
        SetExpr::Values(_)
        | SetExpr::Insert(_)
        | SetExpr::Update(_)
        | SetExpr::Delete(_)
        | SetExpr::Merge(_)
        | SetExpr::Table(_) => false,
    }
}

/// The form without a value of any row. Others print conditions, in which the values of rows stand that
/// the server has read already.
fn is_tabular(format: AnalyzeFormatKind) -> bool {
    let (AnalyzeFormatKind::Keyword(format) | AnalyzeFormatKind::Assignment(format)) = format;
    match format {
        AnalyzeFormat::TRADITIONAL => true,
        AnalyzeFormat::TEXT
        | AnalyzeFormat::GRAPHVIZ
        | AnalyzeFormat::JSON
        | AnalyzeFormat::TREE => false,
    }
}

fn explained(inner: Option<Shape>, prints: bool) -> Shape {
    match inner {
        Some(Shape::Query(query) | Shape::Explained(query)) if !prints => Shape::Explained(query),
        Some(Shape::Query(query) | Shape::Explained(query) | Shape::Printed(query)) => {
            Shape::Printed(query)
        }
        Some(shape @ (Shape::Stored(_) | Shape::Copied { .. } | Shape::Opaque(_))) => shape,
        None => Shape::Opaque("what stands inside this statement"),
    }
}
