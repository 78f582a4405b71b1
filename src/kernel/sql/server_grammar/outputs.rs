//! The outputs of one plain SELECT over a catalog some of whose columns can be hidden row by row: see
//! [`crate::kernel::sql::reading::Outputs`].

mod excerpt;

use std::collections::BTreeSet;

use excerpt::Excerpt;
use pg_query::protobuf::{self as pg, node::Node as N};

use crate::kernel::sql::{
    builtins::{RelationRule, STATEMENTS, STATEMENTS_TEXT, catalog_relation},
    reading::{OUTPUTS_MAX, Output, Outputs, RawName, Reading, StatementKind},
    server_grammar::{
        Reader,
        columns::{raw, text},
        walk::Visit,
    },
};

/// What the statement gives out, if it is plain enough to say so of every column, and if there is
/// anything in it to hide.
pub(super) fn of(statement: &pg::RawStmt, reading: &Reading) -> Option<Outputs> {
    let columns = hidden_columns(reading);
    let only_select = reading.kinds.iter().all(|kind| *kind == StatementKind::Select);
    if columns.is_empty() || !only_select {
        return None;
    }
    let Some(N::SelectStmt(select)) = &statement.stmt.as_ref()?.node else { return None };
    if !is_plain(select) || select.target_list.len() > OUTPUTS_MAX {
        return None;
    }
    let mut from = Vec::new();
    let mut merged = BTreeSet::new();
    for item in &select.from_clause {
        sources(item, &mut from, &mut merged)?;
    }
    if merged.iter().any(|name| columns.contains(name.as_str())) {
        return None;
    }
    let names: BTreeSet<&String> = from.iter().map(|(name, _)| name).collect();
    if names.len() != from.len() {
        return None;
    }
    let list =
        select.target_list.iter().map(|n| output(n, &columns)).collect::<Option<Vec<_>>>()?;
    // A merged column stands elsewhere in `*`.
    if !merged.is_empty() && list.contains(&Output::Star(None)) {
        return None;
    }
    let mut rest = (**select).clone();
    let mut plain = list.iter().map(|output| *output == Output::Value);
    rest.target_list.retain(|_| plain.next().unwrap_or(true));
    let mut reader = Reader::new(reading.span.clone());
    reader.select_stmt(&rest);
    let elsewhere = reader.finish().ok()?.columns?;
    let (sorted_by, sorted_by_place) = sort_keys(&select.sort_clause)?;
    Some(Outputs { list, from, elsewhere, sorted_by, sorted_by_place })
}

/// Columns that can be hidden, of the catalogs that the statement may mean, and of an extension's view.
fn hidden_columns(reading: &Reading) -> BTreeSet<&'static str> {
    let of = |name: &str| match catalog_relation("pg_catalog", name) {
        Some(rule) if rule.rule == RelationRule::Activity => rule.admin_columns,
        None if name == STATEMENTS => STATEMENTS_TEXT,
        Some(_) | None => &[],
    };
    reading.relations.iter().flat_map(|used| of(used.name.base())).copied().collect()
}

/// True if every row is made of one row of each relation in FROM, and nothing but its order and its
/// outputs can tell what is in them.
fn is_plain(select: &pg::SelectStmt) -> bool {
    let pg::SelectStmt {
        distinct_clause,
        into_clause,
        target_list: _,
        from_clause: _,
        where_clause: _,
        group_clause,
        group_distinct: _,
        having_clause,
        window_clause,
        values_lists,
        sort_clause: _,
        limit_offset: _,
        limit_count: _,
        limit_option: _,
        locking_clause,
        with_clause,
        op: _,
        all: _,
        larg,
        rarg,
    } = select;
    distinct_clause.is_empty()
        && into_clause.is_none()
        && group_clause.is_empty()
        && having_clause.is_none()
        && window_clause.is_empty()
        && values_lists.is_empty()
        && locking_clause.is_empty()
        && with_clause.is_none()
        && larg.is_none()
        && rarg.is_none()
}

/// The relations of one item of FROM, in the order in which `*` lists their columns, and the columns
/// that joins merge by USING.
fn sources(
    item: &pg::Node,
    into: &mut Vec<(String, RawName)>,
    merged: &mut BTreeSet<String>,
) -> Option<()> {
    match item.node.as_ref()? {
        N::RangeVar(relation) => {
            let alias = relation.alias.as_ref();
            if alias.is_some_and(|a| !a.colnames.is_empty()) {
                return None;
            }
            let known_as = alias.map_or(&relation.relname, |a| &a.aliasname);
            into.push((known_as.clone(), raw(relation)));
            Some(())
        }
        N::JoinExpr(join) => {
            if join.is_natural || join.alias.is_some() || join.join_using_alias.is_some() {
                return None;
            }
            for name in &join.using_clause {
                merged.insert(text(name)?);
            }
            sources(join.larg.as_deref()?, into, merged)?;
            sources(join.rarg.as_deref()?, into, merged)
        }
        _ => None,
    }
}

/// One output. `None`: nobody knows how many columns it is.
fn output(target: &pg::Node, hidden: &BTreeSet<&'static str>) -> Option<Output> {
    let Some(N::ResTarget(target)) = &target.node else { return None };
    let star = |n: &pg::Node| matches!(n.node, Some(N::AStar(_)));
    let value = target.val.as_ref()?;
    match value.node.as_ref()? {
        N::ColumnRef(reference) => match reference.fields.as_slice() {
            [only] if star(only) => return Some(Output::Star(None)),
            [before, last] if star(last) => return Some(Output::Star(Some(text(before)?))),
            [.., last] if star(last) => return None,
            _ => {}
        },
        N::AIndirection(indirection) if indirection.indirection.iter().any(star) => return None,
        _ => {}
    }
    let Some(excerpt) = excerpt::of(value, hidden) else { return Some(Output::Value) };
    let Excerpt { before, name, mut known_as, through } = excerpt;
    if !target.name.is_empty() {
        known_as.clone_from(&target.name);
    }
    Some(Output::Column { before, name, known_as, through })
}

/// Names and places that ORDER BY may mean outputs by. Spec: a bare name is an output's first, a bare
/// number is an output's place, and every other expression knows input columns only.
fn sort_keys(clause: &[pg::Node]) -> Option<(BTreeSet<String>, BTreeSet<usize>)> {
    let (mut names, mut places) = (BTreeSet::new(), BTreeSet::new());
    for key in clause {
        let Some(N::SortBy(key)) = &key.node else { return None };
        match key.node.as_ref()?.node.as_ref()? {
            N::ColumnRef(reference) => {
                if let [only] = reference.fields.as_slice() {
                    names.insert(text(only)?);
                }
            }
            N::AConst(constant) => match &constant.val {
                Some(pg::a_const::Val::Ival(place)) => {
                    places.insert(usize::try_from(place.ival).ok()?);
                }
                _ => return None,
            },
            _ => {}
        }
    }
    Some((names, places))
}
