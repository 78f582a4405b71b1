//! Excerpts of a column that is hidden: `left(query, 60)`, which every look at long statements takes.

use std::collections::BTreeSet;

use pg_query::protobuf::{self as pg, a_const::Val, node::Node as N};

use crate::kernel::sql::server_grammar::columns::text;

/// A column, or what reviewed functions leave of it.
pub(super) struct Excerpt {
    /// What stands before the dot.
    pub(super) before: Option<String>,
    /// The column.
    pub(super) name: String,
    /// As the server calls such an output.
    pub(super) known_as: String,
    /// The functions and types that it goes through, but for those written with their schema.
    pub(super) through: BTreeSet<String>,
}

/// An expression over exactly one of these columns and constants, whose result is text and alone depends
/// on what is in the column: it neither fails because of it, nor takes time for finding something in it.
pub(super) fn of(expression: &pg::Node, hidden: &BTreeSet<&'static str>) -> Option<Excerpt> {
    match expression.node.as_ref()? {
        N::ColumnRef(reference) => {
            let (before, name) = match reference.fields.as_slice() {
                [only] => (None, text(only)?),
                [before, last] => (Some(text(before)?), text(last)?),
                _ => return None,
            };
            let known_as = name.clone();
            let through = BTreeSet::new();
            hidden.contains(name.as_str()).then_some(Excerpt { before, name, known_as, through })
        }
        N::TypeCast(cast) => {
            let to = cast.type_name.as_ref().filter(|t| t.array_bounds.is_empty() && !t.setof)?;
            let (is_own, name) = own_name(&to.names)?;
            // Spec: with a length, an explicit cast cuts what is too long.
            if !["text", "varchar", "bpchar"].contains(&name.as_str()) {
                return None;
            }
            let mut excerpt = of(cast.arg.as_deref()?, hidden)?;
            excerpt.through.extend((!is_own).then_some(name));
            Some(excerpt)
        }
        N::FuncCall(call) => {
            let (is_own, name) = own_name(&call.funcname)?;
            let (column, others) = plain_arguments(call)?.split_first()?;
            if !leaves_alone(&name, others) {
                return None;
            }
            let mut excerpt = of(column, hidden)?;
            excerpt.known_as.clone_from(&name);
            excerpt.through.extend((!is_own).then_some(name));
            Some(excerpt)
        }
        _ => None,
    }
}

/// A name of the server's own, and whether its schema is written.
fn own_name(names: &[pg::Node]) -> Option<(bool, String)> {
    match names {
        [only] => Some((false, text(only)?)),
        [schema, name] if text(schema)? == "pg_catalog" => Some((true, text(name)?)),
        _ => None,
    }
}

fn plain_arguments(call: &pg::FuncCall) -> Option<&[pg::Node]> {
    let pg::FuncCall {
        funcname: _,
        args,
        agg_order,
        agg_filter,
        over,
        agg_within_group,
        agg_star,
        agg_distinct,
        func_variadic,
        funcformat: _,
        location: _,
    } = call;
    let plain = agg_order.is_empty()
        && agg_filter.is_none()
        && over.is_none()
        && !(*agg_within_group || *agg_star || *agg_distinct || *func_variadic);
    plain.then_some(args)
}

/// True if the function of this name takes the text before such constants and says no more than what is
/// left of it. `replace` may only put one character in another's place: where it made the text longer,
/// memory and time would tell what was found; `regexp_replace` may only look for white space.
fn leaves_alone(name: &str, others: &[pg::Node]) -> bool {
    let numbers = || others.iter().all(|n| number(n).is_some());
    match (name, others) {
        ("left" | "right", [_]) | ("substr" | "substring", [_] | [_, _]) => numbers(),
        ("upper" | "lower" | "btrim" | "ltrim" | "rtrim", []) => true,
        ("btrim" | "ltrim" | "rtrim", [set]) => short(set),
        ("replace", [from, to]) => short(from) && short(to),
        ("regexp_replace", [pattern, to]) => is_white_space(pattern) && short(to),
        ("regexp_replace", [pattern, to, flags]) => {
            is_white_space(pattern) && short(to) && constant(flags).is_some_and(|f| f == "g")
        }
        _ => false,
    }
}

fn number(n: &pg::Node) -> Option<i32> {
    match &n.node {
        // `substring(x FOR 80)` casts its numbers to what they are.
        Some(N::TypeCast(cast)) => {
            let to = &cast.type_name.as_ref()?.names;
            (own_name(to)? == (true, "int4".to_owned())).then(|| number(cast.arg.as_deref()?))?
        }
        Some(N::AConst(pg::AConst { val: Some(Val::Ival(number)), .. })) => Some(number.ival),
        _ => None,
    }
}

fn constant(n: &pg::Node) -> Option<&str> {
    match &n.node {
        Some(N::AConst(pg::AConst { val: Some(Val::Sval(text)), .. })) => Some(&text.sval),
        _ => None,
    }
}

/// At most one character: a constant, or `chr(10)`.
fn short(n: &pg::Node) -> bool {
    match &n.node {
        Some(N::FuncCall(call)) => {
            let is_chr = own_name(&call.funcname).is_some_and(|(_, name)| name == "chr");
            let code =
                plain_arguments(call).is_some_and(|a| matches!(a, [n] if number(n).is_some()));
            is_chr && code
        }
        _ => constant(n).is_some_and(|text| text.chars().count() <= 1),
    }
}

/// True if a pattern looks for white space only, in a way that takes no longer for one text than another.
fn is_white_space(pattern: &pg::Node) -> bool {
    let Some(pattern) = constant(pattern) else { return false };
    let single = ["\\s", "\\n", "\\r", "\\t", " ", "\n", "\r", "\t"];
    let one = pattern.strip_suffix('+').unwrap_or(pattern);
    let set = one.strip_prefix('[').and_then(|one| one.strip_suffix(']'));
    match set {
        None => single.contains(&one),
        Some(mut left) => {
            while let Some(rest) = single.iter().find_map(|s| left.strip_prefix(s)) {
                left = rest;
            }
            left.is_empty() && !one.contains("[]")
        }
    }
}
