//! Tables: FROM, joins, and what UPDATE and DELETE name.

use sqlparser::ast::{JoinConstraint, JoinOperator, TableAlias, TableFactor, TableWithJoins};

use super::Walker;
use crate::kernel::sql::{
    mysql::expression::{name, raw_name},
    reading::{Access, RawName},
};

impl Walker {
    /// Tables and their joins; returns the relations, with what `*` stands for.
    pub(super) fn joined(&mut self, item: &TableWithJoins, access: Access) -> Vec<RawName> {
        let mut relations = self.factor(&item.relation, access);
        for join in &item.joins {
            self.foreign |= join.global;
            relations.extend(self.factor(&join.relation, access));
            match &join.join_operator {
                JoinOperator::Join(on)
                | JoinOperator::Inner(on)
                | JoinOperator::Left(on)
                | JoinOperator::LeftOuter(on)
                | JoinOperator::Right(on)
                | JoinOperator::RightOuter(on)
                | JoinOperator::CrossJoin(on)
                | JoinOperator::StraightJoin(on) => self.constraint(on),
                JoinOperator::FullOuter(_)
                | JoinOperator::Semi(_)
                | JoinOperator::LeftSemi(_)
                | JoinOperator::RightSemi(_)
                | JoinOperator::Anti(_)
                | JoinOperator::LeftAnti(_)
                | JoinOperator::RightAnti(_)
                | JoinOperator::CrossApply
                | JoinOperator::OuterApply
                | JoinOperator::AsOf { .. }
                | JoinOperator::ArrayJoin
                | JoinOperator::LeftArrayJoin
                | JoinOperator::InnerArrayJoin => self.foreign = true,
            }
        }
        relations
    }

    fn constraint(&mut self, constraint: &JoinConstraint) {
        match constraint {
            JoinConstraint::On(expr) => self.expr(expr),
            JoinConstraint::Using(names) => {
                for name in names {
                    match raw_name(name) {
                        Some(name) => {
                            self.columns.names.insert(name.base().to_lowercase());
                        }
                        None => self.foreign = true,
                    }
                }
            }
            JoinConstraint::Natural => {
                // Fail closed: every column of either side may be compared.
                self.natural = true;
            }
            JoinConstraint::UsingAlias(..) => self.foreign = true,
            JoinConstraint::None => {}
        }
    }

    /// One table, query or function in FROM.
    pub(super) fn factor(&mut self, factor: &TableFactor, access: Access) -> Vec<RawName> {
        match factor {
            TableFactor::Table {
                name,
                alias,
                args,
                with_hints,
                version,
                with_ordinality,
                partitions: _,
                json_path,
                sample,
                index_directives: _,
                inheritance,
            } => {
                self.foreign |= args.is_some()
                    || !with_hints.is_empty()
                    || version.is_some()
                    || *with_ordinality
                    || json_path.is_some()
                    || sample.is_some()
                    || inheritance.is_some();
                self.bad_alias(alias.as_ref());
                match raw_name(name) {
                    Some(raw) => self.table(&raw, alias.as_ref(), access),
                    None => {
                        self.foreign = true;
                        Vec::new()
                    }
                }
            }
            TableFactor::Derived { lateral: _, subquery, alias, sample } => {
                self.foreign |= sample.is_some() || alias.as_ref().is_some_and(|a| a.at.is_some());
                if let Some(alias) = alias {
                    self.aliases.entry(name(&alias.name)).or_default();
                }
                // What it reads it names itself.
                self.query(subquery);
                Vec::new()
            }
            TableFactor::JsonTable { json_expr, json_path: _, columns: _, alias: _ } => {
                self.expr(json_expr);
                Vec::new()
            }
            TableFactor::NestedJoin { table_with_joins, alias } => {
                self.foreign |= alias.is_some();
                self.joined(table_with_joins, access)
            }
            TableFactor::TableFunction { .. }
            | TableFactor::Function { .. }
            | TableFactor::UNNEST { .. }
            | TableFactor::OpenJsonTable { .. }
            | TableFactor::Pivot { .. }
            | TableFactor::Unpivot { .. }
            | TableFactor::UnpivotExpr { .. }
            | TableFactor::MatchRecognize { .. }
            | TableFactor::XmlTable { .. }
            | TableFactor::SemanticView { .. } => {
                self.foreign = true;
                Vec::new()
            }
        }
    }

    fn bad_alias(&mut self, alias: Option<&TableAlias>) {
        self.foreign |= alias.is_some_and(|a| a.at.is_some() || !a.columns.is_empty());
    }

    fn table(&mut self, raw: &RawName, alias: Option<&TableAlias>, access: Access) -> Vec<RawName> {
        let known_as = alias.map_or_else(|| raw.base().to_owned(), |a| name(&a.name));
        let bound = |scope: &std::collections::HashSet<String>| scope.contains(raw.base());
        if raw.schema().is_none() && self.ctes.iter().any(bound) {
            self.aliases.entry(known_as).or_default();
            return Vec::new();
        }
        self.relation(raw.clone(), access);
        self.aliases.entry(known_as).or_default().insert(raw.clone());
        vec![raw.clone()]
    }
}
