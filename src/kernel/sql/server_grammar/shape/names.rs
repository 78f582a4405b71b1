//! The names that the server makes up for outputs that have none: `SELECT upper(x)` gives `upper`, and
//! ORDER BY may say so.

use pg_query::protobuf::{self as pg, node::Node as N};

use crate::kernel::sql::server_grammar::{columns::text, relations::name_of};

/// What every output is called that nothing better is found for.
const NOTHING_BETTER: &str = "?column?";

/// The name for a value; `None`: it isn't known here.
pub(super) fn made_up(value: &pg::Node) -> Option<String> {
    Some(match figured(value) {
        Figured::Good(name) | Figured::Poor(name) => name,
        Figured::None => NOTHING_BETTER.to_owned(),
        Figured::Unknown => return None,
    })
}

/// Spec: `FigureColname` of the server. A poor name gives way to one from outside.
enum Figured {
    Good(String),
    Poor(String),
    None,
    Unknown,
}

fn figured(value: &pg::Node) -> Figured {
    let good = |name: &str| Figured::Good(name.to_owned());
    let Some(node) = &value.node else { return Figured::Unknown };
    match node {
        N::ColumnRef(reference) => last(&reference.fields),
        N::AIndirection(n) => match (last(&n.indirection), n.arg.as_deref()) {
            (Figured::None, Some(arg)) => figured(arg),
            (name, _) => name,
        },
        // Older servers call what has a syntax of its own by other names: EXTRACT was date_part.
        N::FuncCall(call) => match pg::CoercionForm::try_from(call.funcformat) {
            Ok(pg::CoercionForm::CoerceExplicitCall) => last(&call.funcname),
            _ => Figured::Unknown,
        },
        N::AExpr(e) => match pg::AExprKind::try_from(e.kind) {
            Ok(pg::AExprKind::AexprNullif) => good("nullif"),
            Ok(_) => Figured::None,
            Err(_) => Figured::Unknown,
        },
        N::TypeCast(cast) => match cast.arg.as_deref().map(figured) {
            Some(Figured::None | Figured::Poor(_)) => {
                let names = cast.type_name.as_ref().map(|t| name_of(&t.names).0);
                names.and_then(|mut names| names.pop()).map_or(Figured::Unknown, Figured::Poor)
            }
            Some(figured) => figured,
            None => Figured::Unknown,
        },
        N::CollateClause(collate) => collate.arg.as_deref().map_or(Figured::Unknown, figured),
        N::CaseExpr(case) => match case.defresult.as_deref().map(figured) {
            Some(figured @ (Figured::Good(_) | Figured::Unknown)) => figured,
            Some(Figured::Poor(_) | Figured::None) | None => Figured::Poor("case".to_owned()),
        },
        N::SubLink(link) => match pg::SubLinkType::try_from(link.sub_link_type) {
            Ok(pg::SubLinkType::ExistsSublink) => good("exists"),
            Ok(pg::SubLinkType::ArraySublink) => good("array"),
            Ok(pg::SubLinkType::AnySublink | pg::SubLinkType::AllSublink) => Figured::None,
            // It is that of the subquery's output.
            _ => Figured::Unknown,
        },
        N::AArrayExpr(_) => good("array"),
        N::RowExpr(_) => good("row"),
        N::CoalesceExpr(_) => good("coalesce"),
        N::GroupingFunc(_) => good("grouping"),
        N::MinMaxExpr(e) => match pg::MinMaxOp::try_from(e.op) {
            Ok(pg::MinMaxOp::IsGreatest) => good("greatest"),
            Ok(pg::MinMaxOp::IsLeast) => good("least"),
            _ => Figured::Unknown,
        },
        N::AConst(_) | N::ParamRef(_) | N::BoolExpr(_) | N::NullTest(_) | N::BooleanTest(_) => {
            Figured::None
        }
        _ => Figured::Unknown,
    }
}

/// The last name among these, if they are names.
fn last(names: &[pg::Node]) -> Figured {
    names.iter().rev().find_map(text).map_or(Figured::None, Figured::Good)
}
