//! Which relations, routines, operators and types a tree names, and which names are CTEs.

use std::collections::{BTreeMap, HashMap, HashSet};

use pg_query::protobuf::{self as pg, a_const::Val, node::Node as N};

use crate::kernel::sql::{
    reading::{Access, RawName, RelationUse, RoutineUse},
    server_grammar::{Reader, walk},
};

impl Reader {
    pub(super) fn relation(&mut self, relation: &pg::RangeVar, access: Access) {
        self.named(raw_name(relation), access);
    }

    pub(super) fn named(&mut self, name: RawName, access: Access) {
        if !name.0.is_empty() {
            self.reading.relations.insert(RelationUse { name, access });
        }
    }

    /// A relation where rows come from: a bare name may be a CTE's.
    pub(super) fn source(&mut self, relation: &pg::RangeVar, access: Access) {
        if !self.is_cte(relation) {
            self.relation(relation, access);
        }
    }

    pub(super) fn is_cte(&self, relation: &pg::RangeVar) -> bool {
        relation.catalogname.is_empty()
            && relation.schemaname.is_empty()
            && self.scopes.iter().any(|names| names.contains(&relation.relname))
    }

    /// A query or a row-changing statement: its CTEs are seen inside only.
    pub(super) fn in_scope(
        &mut self,
        with: Option<&pg::WithClause>,
        inside: impl FnOnce(&mut Self),
    ) {
        self.scopes.push(HashSet::new());
        if let Some(with) = with {
            self.ctes(with);
        }
        inside(self);
        self.scopes.pop();
    }

    fn ctes(&mut self, with: &pg::WithClause) {
        let pg::WithClause { ctes, recursive, location: _ } = with;
        let name = |n: &pg::Node| match &n.node {
            Some(N::CommonTableExpr(cte)) => Some(cte.ctename.clone()),
            _ => None,
        };
        if *recursive && let Some(scope) = self.scopes.last_mut() {
            scope.extend(ctes.iter().filter_map(name));
        }
        for cte in ctes {
            // Without RECURSIVE a CTE sees those before it, and not itself.
            walk::node(self, cte);
            if let (false, Some(scope)) = (*recursive, self.scopes.last_mut()) {
                scope.extend(name(cte));
            }
        }
    }

    /// FOR UPDATE and its like, on the tables of this query's FROM.
    pub(super) fn row_locks(&mut self, from: &[pg::Node], clauses: &[pg::Node]) {
        let clauses = clauses.iter().filter_map(|clause| match &clause.node {
            Some(N::LockingClause(clause)) => Some(clause),
            _ => None,
        });
        // Each table once, however often it is named: clauses and tables may be many.
        let (mut names, mut all) = (BTreeMap::new(), false);
        for clause in clauses {
            let pg::LockingClause { locked_rels, strength: _, wait_policy: _ } = clause;
            all |= locked_rels.is_empty();
            for locked in locked_rels {
                if let Some(N::RangeVar(locked)) = &locked.node {
                    names.insert(locked.relname.as_str(), locked);
                }
            }
        }
        if all {
            for item in from {
                self.lock_item(item);
            }
        }
        if names.is_empty() {
            return;
        }
        let mut known = HashMap::new();
        for item in from {
            callings(item, &mut known);
        }
        for (name, locked) in names {
            match known.get(name) {
                Some(item) if !all => self.lock_item(item),
                Some(_) => {}
                // The server will find no such table either.
                None => self.source(locked, Access::LockRows),
            }
        }
    }

    fn lock_item(&mut self, item: &pg::Node) {
        self.locks += 1;
        if self.locks > LOCKS_MAX {
            self.unexpected = Some("number of row locks in queries inside each other");
            return;
        }
        match &item.node {
            Some(N::RangeVar(relation)) => self.source(relation, Access::LockRows),
            Some(N::JoinExpr(join)) => {
                for side in [&join.larg, &join.rarg].into_iter().flatten() {
                    self.lock_item(side);
                }
            }
            Some(N::RangeTableSample(sample)) => {
                if let Some(relation) = &sample.relation {
                    self.lock_item(relation);
                }
            }
            Some(N::RangeSubselect(sub)) => {
                if let Some(N::SelectStmt(select)) =
                    sub.subquery.as_ref().and_then(|q| q.node.as_ref())
                {
                    // The subquery's own CTEs hide tables of the same name.
                    self.scopes
                        .push(select.with_clause.as_ref().map_or_else(HashSet::new, cte_names));
                    self.lock_select(select);
                    self.scopes.pop();
                }
            }
            // Functions and the like hold no rows to lock.
            _ => {}
        }
    }

    fn lock_select(&mut self, select: &pg::SelectStmt) {
        for item in &select.from_clause {
            self.lock_item(item);
        }
        for arm in [&select.larg, &select.rarg].into_iter().flatten() {
            self.lock_select(arm);
        }
    }

    pub(super) fn call(&mut self, call: &pg::FuncCall) {
        if call.funcformat != pg::CoercionForm::CoerceSqlSyntax as i32 {
            let named = call.func_variadic
                || call.args.iter().any(|a| matches!(a.node, Some(N::NamedArgExpr(_))));
            let literals = call
                .args
                .iter()
                // Named arguments stand in any order: no position is certain.
                .map(|a| if named { None } else { string_constant(a) })
                .collect();
            self.reading.routines.insert(RoutineUse { name: name_of(&call.funcname), literals });
        }
        walk::func_call(self, call);
    }

    pub(super) fn operator(&mut self, name: &[pg::Node]) {
        if let Some(name) = name_of(name).0.pop() {
            self.reading.operators.insert(name);
        }
    }

    pub(super) fn expression(&mut self, e: &pg::AExpr) {
        use pg::AExprKind as K;
        match K::try_from(e.kind) {
            // Spec: `x NOT BETWEEN a AND b` is `x < a OR x > b`.
            Ok(
                K::AexprBetween | K::AexprNotBetween | K::AexprBetweenSym | K::AexprNotBetweenSym,
            ) => {
                self.reading.operators.extend(["<", "<=", ">", ">="].map(str::to_owned));
            }
            _ => self.operator(&e.name),
        }
        walk::a_expr(self, e);
    }
}

/// The name that a relation is written with.
pub(super) fn raw_name(relation: &pg::RangeVar) -> RawName {
    let pg::RangeVar {
        catalogname,
        schemaname,
        relname,
        inh: _,
        relpersistence: _,
        alias: _,
        location: _,
    } = relation;
    let parts = [catalogname, schemaname, relname];
    RawName(parts.into_iter().filter(|p| !p.is_empty()).cloned().collect())
}

/// A dotted name.
pub(super) fn name_of(parts: &[pg::Node]) -> RawName {
    RawName(
        parts
            .iter()
            .filter_map(|n| match &n.node {
                Some(N::String(s)) => Some(s.sval.clone()),
                _ => None,
            })
            .collect(),
    )
}

fn cte_names(with: &pg::WithClause) -> HashSet<String> {
    with.ctes
        .iter()
        .filter_map(|n| match &n.node {
            Some(N::CommonTableExpr(cte)) => Some(cte.ctename.clone()),
            _ => None,
        })
        .collect()
}

/// Row locks of a statement, those of a query counted again for each query around it that locks.
const LOCKS_MAX: u32 = 400_000;

/// What the items of a FROM list go by; of two of the same name the first counts.
fn callings<'a>(item: &'a pg::Node, known: &mut HashMap<&'a str, &'a pg::Node>) {
    let mut called = |alias: Option<&'a pg::Alias>, name: Option<&'a str>| {
        if let Some(name) = alias.map(|a| a.aliasname.as_str()).or(name) {
            known.entry(name).or_insert(item);
        }
    };
    match &item.node {
        Some(N::RangeVar(relation)) => {
            called(relation.alias.as_ref(), Some(&relation.relname));
        }
        Some(N::JoinExpr(join)) => {
            called(join.alias.as_ref(), None);
            for side in [&join.larg, &join.rarg].into_iter().flatten() {
                callings(side, known);
            }
        }
        Some(N::RangeTableSample(sample)) => {
            if let Some(relation) = sample.relation.as_deref() {
                callings(relation, known);
            }
        }
        Some(N::RangeSubselect(sub)) => called(sub.alias.as_ref(), None),
        _ => {}
    }
}

/// A string constant, also under a cast that leaves its text as it is.
fn string_constant(n: &pg::Node) -> Option<String> {
    match &n.node {
        Some(N::AConst(c)) => match &c.val {
            Some(Val::Sval(s)) if !c.isnull => Some(s.sval.clone()),
            _ => None,
        },
        Some(N::TypeCast(cast)) => {
            let kind = cast.type_name.as_ref()?;
            let keeps_text = kind.typmods.is_empty()
                && kind.array_bounds.is_empty()
                && matches!(name_of(&kind.names).base(), "text" | "regclass");
            if !keeps_text {
                return None;
            }
            cast.arg.as_deref().and_then(string_constant)
        }
        _ => None,
    }
}
