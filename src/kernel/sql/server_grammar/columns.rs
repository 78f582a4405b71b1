//! What a tree says about columns: see [`crate::kernel::sql::reading::Columns`].

use std::collections::{BTreeMap, BTreeSet};

use pg_query::protobuf::{self as pg, node::Node as N};

use crate::kernel::sql::{
    reading::{Access, Columns, RawName, RelationUse},
    server_grammar::{Reader, relations::name_of},
};

/// Columns in the making.
#[derive(Default)]
pub(super) struct Mentions {
    columns: Columns,
    /// Relations by the name or alias that stands for them anywhere in the statement.
    aliases: BTreeMap<String, BTreeSet<RawName>>,
    /// Names that are a whole row if they are an alias.
    rows: BTreeSet<String>,
    /// What stands before a dot, and the name behind it.
    dotted: BTreeSet<(String, String)>,
    /// What functions in FROM go by, with the columns that they all are given there.
    functions: BTreeMap<String, BTreeSet<String>>,
    /// A function in FROM goes by a name that we don't know.
    unnamed_function: bool,
    /// What subqueries and CTEs go by, and relations whose columns got other names.
    queries: BTreeSet<String>,
}

/// The most relations that may share an alias and are still told apart.
const SHARED_MAX: usize = 64;

impl Mentions {
    pub(super) fn finish(mut self) -> Columns {
        for row in &self.rows {
            if let Some(relations) = self.aliases.get(row) {
                self.columns.whole.extend(relations.iter().cloned());
            }
        }
        for (before, name) in std::mem::take(&mut self.dotted) {
            self.behind_dot(&before, &name);
        }
        self.columns
    }

    /// `f.x` calls `x(f)` if `f` has no column `x`. The whole row of a table or a subquery is a row;
    /// that of a function in FROM is whatever it returns. Tried: `SELECT g.pg_terminate_backend FROM
    /// generate_series(4711, 4711) g` terminates.
    fn behind_dot(&mut self, before: &str, name: &str) {
        let function = self.functions.get(before);
        if self.unnamed_function || function.is_some_and(|columns| !columns.contains(name)) {
            self.columns.fields.insert(name.to_owned());
        }
        let relations = self.aliases.get(before);
        if function.is_none() && relations.is_none() || self.queries.contains(before) {
            self.columns.dotted.insert((name.to_owned(), None));
        }
        if relations.is_some_and(|relations| relations.len() > SHARED_MAX) {
            // Fail closed: a row of anything. Each name with each relation would grow as the square of
            // the text.
            self.columns.dotted.insert((name.to_owned(), None));
            return;
        }
        let relations = relations.into_iter().flatten();
        self.columns.dotted.extend(relations.map(|r| (name.to_owned(), Some(r.clone()))));
    }
}

impl Reader {
    /// A relation and what it goes by.
    pub(super) fn known_as(&mut self, relation: &pg::RangeVar) {
        let name = raw(relation);
        let alias = relation.alias.as_ref();
        let known_as = alias.map_or(&relation.relname, |a| &a.aliasname).clone();
        // Columns under other names can't be told apart: any may be meant by a name, or none, and then
        // `t.x` calls `x(t)`. Tried: `SELECT c.relname FROM pg_class c (a, b)` calls.
        if alias.is_some_and(|a| !a.colnames.is_empty()) {
            self.mentions.columns.whole.insert(name.clone());
            self.query_known_as(&known_as);
        }
        self.mentions.aliases.entry(known_as).or_default().insert(name);
    }

    /// The row that ON CONFLICT would have inserted is one of the table's.
    pub(super) fn target_known_as(&mut self, target: &pg::RangeVar, name: &str) {
        self.mentions.aliases.entry(name.to_owned()).or_default().insert(raw(target));
    }

    /// A subquery, or a CTE that is read.
    pub(super) fn query_known_as(&mut self, name: &str) {
        self.mentions.queries.insert(name.to_owned());
    }

    /// A function in FROM, what it goes by, and the columns it is given there.
    pub(super) fn function_in_from(&mut self, function: &pg::RangeFunction) {
        let mut columns: BTreeSet<String> = BTreeSet::new();
        let defined = function.coldeflist.iter().filter_map(|n| match &n.node {
            Some(N::ColumnDef(column)) => Some(column.colname.clone()),
            _ => None,
        });
        columns.extend(defined);
        let known_as = match &function.alias {
            Some(alias) => {
                columns.extend(alias.colnames.iter().filter_map(text));
                Some(alias.aliasname.clone())
            }
            None => own_name(&function.functions),
        };
        let Some(known_as) = known_as else {
            self.mentions.unnamed_function = true;
            return;
        };
        let functions = &mut self.mentions.functions;
        match functions.get_mut(&known_as) {
            Some(before) => before.retain(|column| columns.contains(column)),
            None => drop(functions.insert(known_as, columns)),
        }
    }

    pub(super) fn joined(&mut self, join: &pg::JoinExpr) {
        let using = join.using_clause.iter().filter_map(text);
        self.mentions.columns.names.extend(using);
        if !join.is_natural && join.alias.is_none() {
            return;
        }
        let mut inside = BTreeSet::new();
        for side in [&join.larg, &join.rarg].into_iter().flatten() {
            self.direct(side, &mut inside);
        }
        // NATURAL compares whatever columns share a name.
        if join.is_natural {
            self.mentions.columns.whole.extend(inside.iter().cloned());
        }
        let Some(alias) = &join.alias else { return };
        if !alias.colnames.is_empty() {
            self.mentions.columns.whole.extend(inside.iter().cloned());
            self.query_known_as(&alias.aliasname);
        }
        self.mentions.aliases.entry(alias.aliasname.clone()).or_default().extend(inside);
    }

    pub(super) fn column(&mut self, reference: &pg::ColumnRef) {
        let is_star = |n: &pg::Node| matches!(n.node, Some(N::AStar(_)));
        let names = name_of(&reference.fields);
        // A bare star belongs to its query: `stars`.
        let Some(last) = names.0.last().cloned() else { return };
        if !reference.fields.last().is_some_and(is_star) {
            self.mentions.columns.names.insert(last.clone());
            if let Some(before) = names.schema() {
                self.mentions.columns.qualified.insert(last.clone());
                self.mentions.dotted.insert((before.to_owned(), last.clone()));
            }
        }
        self.mentions.rows.insert(last);
    }

    pub(super) fn fields(&mut self, indirection: &pg::AIndirection) {
        let fields = indirection.indirection.iter().filter_map(text);
        self.mentions.columns.fields.extend(fields);
    }

    /// A bare `*` among outputs stands for all relations of the FROM beside it.
    pub(super) fn stars(&mut self, outputs: &[pg::Node], from: &[pg::Node]) {
        if outputs.iter().any(is_bare_star) {
            let mut relations = BTreeSet::new();
            for item in from {
                self.direct(item, &mut relations);
            }
            self.mentions.columns.whole.extend(relations);
        }
    }

    /// RETURNING reads the table that is written.
    pub(super) fn returns(
        &mut self,
        target: Option<&pg::RangeVar>,
        clause: Option<&pg::ReturningClause>,
    ) {
        let (Some(target), Some(clause)) = (target, clause) else { return };
        let name = raw(target);
        self.reading.relations.insert(RelationUse { name: name.clone(), access: Access::Read });
        if clause.exprs.iter().any(is_bare_star) {
            self.mentions.columns.whole.insert(name);
        }
    }

    /// COPY of a table says which columns, or means all.
    pub(super) fn copied(&mut self, copy: &pg::CopyStmt) {
        let Some(relation) = &copy.relation else { return };
        if copy.attlist.is_empty() {
            self.mentions.columns.whole.insert(raw(relation));
        }
        self.mentions.columns.names.extend(copy.attlist.iter().filter_map(text));
    }

    fn direct(&self, item: &pg::Node, into: &mut BTreeSet<RawName>) {
        match &item.node {
            Some(N::RangeVar(relation)) if !self.is_cte(relation) => {
                into.insert(raw(relation));
            }
            Some(N::JoinExpr(join)) => {
                for side in [&join.larg, &join.rarg].into_iter().flatten() {
                    self.direct(side, into);
                }
            }
            Some(N::RangeTableSample(sample)) => {
                if let Some(relation) = &sample.relation {
                    self.direct(relation, into);
                }
            }
            // What a subquery or a function returns, it mentions itself.
            _ => {}
        }
    }
}

/// The name of the one function called, if it is a call as people write them: `cast(1 AS int)` goes
/// by a name that the server makes up.
fn own_name(functions: &[pg::Node]) -> Option<String> {
    let [only] = functions else { return None };
    let Some(N::List(with_columns)) = &only.node else { return None };
    match with_columns.items.first().and_then(|n| n.node.as_ref()) {
        Some(N::FuncCall(call)) => name_of(&call.funcname).0.last().cloned(),
        _ => None,
    }
}

pub(super) fn raw(relation: &pg::RangeVar) -> RawName {
    let parts = [&relation.catalogname, &relation.schemaname, &relation.relname];
    RawName(parts.into_iter().filter(|p| !p.is_empty()).cloned().collect())
}

pub(super) fn text(n: &pg::Node) -> Option<String> {
    match &n.node {
        Some(N::String(s)) => Some(s.sval.clone()),
        _ => None,
    }
}

fn is_bare_star(output: &pg::Node) -> bool {
    let Some(N::ResTarget(target)) = &output.node else { return false };
    let Some(N::ColumnRef(reference)) = target.val.as_ref().and_then(|v| v.node.as_ref()) else {
        return false;
    };
    matches!(reference.fields.as_slice(), [only] if matches!(only.node, Some(N::AStar(_))))
}
