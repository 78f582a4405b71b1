//! FROM: relations, joins, functions that return rows.

use std::collections::HashSet;

use sqlparser::ast::{
    Join, JoinConstraint, JoinOperator, TableAlias, TableFactor, TableSample, TableSampleKind,
    TableWithJoins, XmlTableColumnOption,
};

use crate::kernel::sql::{
    engine::{
        Walker,
        names::{VALUES_WITHOUT_ARGUMENTS, fold, is_word},
    },
    reading::{Access, RawName},
};

impl Walker {
    /// The items of a FROM; returns the relations in them, those of subqueries included, because
    /// FOR UPDATE reaches those too.
    pub(super) fn from(&mut self, items: &[TableWithJoins]) -> Vec<RawName> {
        items.iter().flat_map(|item| self.table_with_joins(item, Access::Read)).collect()
    }

    pub(super) fn table_with_joins(
        &mut self,
        item: &TableWithJoins,
        access: Access,
    ) -> Vec<RawName> {
        let mut relations = self.factor(&item.relation, access);
        for join in &item.joins {
            let Join { relation, global, join_operator } = join;
            self.foreign |= *global;
            relations.extend(self.factor(relation, Access::Read));
            self.join(join_operator);
        }
        relations
    }

    fn join(&mut self, operator: &JoinOperator) {
        use JoinOperator::*;
        match operator {
            Join(on) | Inner(on) | Left(on) | LeftOuter(on) | Right(on) | RightOuter(on)
            | FullOuter(on) | CrossJoin(on) => match on {
                JoinConstraint::On(expr) => self.expr(expr),
                JoinConstraint::Using(columns) | JoinConstraint::UsingAlias(columns, _) => {
                    for column in columns {
                        let name = self.name(column);
                        self.columns.names.insert(name.base().to_owned());
                    }
                }
                JoinConstraint::Natural | JoinConstraint::None => {}
            },
            Semi(_)
            | LeftSemi(_)
            | RightSemi(_)
            | Anti(_)
            | LeftAnti(_)
            | RightAnti(_)
            | CrossApply
            | OuterApply
            | AsOf { .. }
            | StraightJoin(_)
            | ArrayJoin
            | LeftArrayJoin
            | InnerArrayJoin => self.foreign = true,
        }
    }

    /// One item; `access` is what is done with it if it is a relation.
    pub(super) fn factor(&mut self, factor: &TableFactor, access: Access) -> Vec<RawName> {
        match factor {
            TableFactor::Table {
                name,
                alias,
                args,
                with_hints,
                version,
                with_ordinality: _,
                partitions,
                json_path,
                sample,
                index_directives,
                inheritance: _,
            } => {
                self.foreign |= !with_hints.is_empty()
                    || version.is_some()
                    || !partitions.is_empty()
                    || json_path.is_some()
                    || !index_directives.is_empty();
                self.sample(sample.as_ref());
                let raw = self.name(name);
                if let Some(arguments) = args {
                    self.foreign |= arguments.settings.is_some();
                    let literals = self.arguments(&arguments.args);
                    self.function_in_from(name, raw, literals);
                    return Vec::new();
                }
                if is_word(name, &VALUES_WITHOUT_ARGUMENTS) {
                    return Vec::new();
                }
                self.relation_in_from(raw, alias.as_ref(), access)
            }
            TableFactor::Derived { lateral: _, subquery, alias, sample } => {
                self.sample(sample.as_ref());
                let relations = self.query(subquery);
                // FOR UPDATE OF may name it.
                if let Some(alias) = alias {
                    let name = fold(&alias.name);
                    self.aliases.entry(name).or_default().extend(relations.iter().cloned());
                }
                self.renames(alias.as_ref(), &relations);
                relations
            }
            TableFactor::Function { lateral: _, name, args, with_ordinality: _, alias: _ } => {
                let raw = self.name(name);
                let literals = self.arguments(args);
                self.function_in_from(name, raw, literals);
                Vec::new()
            }
            TableFactor::UNNEST {
                alias: _,
                array_exprs,
                with_offset,
                with_offset_alias,
                with_ordinality: _,
            } => {
                self.foreign |= *with_offset || with_offset_alias.is_some();
                self.exprs(array_exprs);
                self.routine(RawName(vec!["unnest".into()]), vec![None; array_exprs.len()]);
                Vec::new()
            }
            TableFactor::NestedJoin { table_with_joins, alias } => {
                let relations = self.table_with_joins(table_with_joins, access);
                if let Some(alias) = alias {
                    let name = fold(&alias.name);
                    self.aliases.entry(name).or_default().extend(relations.iter().cloned());
                }
                self.renames(alias.as_ref(), &relations);
                relations
            }
            TableFactor::XmlTable { namespaces, row_expression, passing, columns, alias: _ } => {
                self.exprs(namespaces.iter().map(|n| &n.uri));
                self.expr(row_expression);
                self.exprs(passing.arguments.iter().map(|a| &a.expr));
                for column in columns {
                    match &column.option {
                        XmlTableColumnOption::ForOrdinality => {}
                        XmlTableColumnOption::NamedInfo { r#type, path, default, nullable: _ } => {
                            self.data_type(r#type);
                            self.exprs(path.iter().chain(default));
                        }
                    }
                }
                Vec::new()
            }
            // JSON_TABLE's paths and defaults are read by layer C alone.
            TableFactor::JsonTable { .. }
            | TableFactor::TableFunction { .. }
            | TableFactor::OpenJsonTable { .. }
            | TableFactor::Pivot { .. }
            | TableFactor::Unpivot { .. }
            | TableFactor::UnpivotExpr { .. }
            | TableFactor::MatchRecognize { .. }
            | TableFactor::SemanticView { .. } => {
                self.foreign = true;
                Vec::new()
            }
        }
    }

    fn function_in_from(
        &mut self,
        name: &sqlparser::ast::ObjectName,
        raw: RawName,
        literals: Vec<Option<String>>,
    ) {
        if !super::names::is_expression(name, true) {
            self.routine(raw, literals);
        }
    }

    fn relation_in_from(
        &mut self,
        raw: RawName,
        alias: Option<&TableAlias>,
        access: Access,
    ) -> Vec<RawName> {
        let bound = |scope: &HashSet<String>| scope.contains(raw.base());
        // What is written is never a CTE.
        let is_cte =
            access == Access::Read && raw.schema().is_none() && self.ctes.iter().any(bound);
        if is_cte {
            return Vec::new();
        }
        self.relation(raw.clone(), access);
        // A sampling method that the parser took for an alias.
        self.foreign |= alias.is_some_and(|a| fold(&a.name) == "tablesample");
        let known_as = alias.map_or_else(|| raw.base().to_owned(), |a| fold(&a.name));
        self.aliases.entry(known_as).or_default().insert(raw.clone());
        self.renames(alias, std::slice::from_ref(&raw));
        vec![raw]
    }

    /// An alias that renames columns hides which of them are meant.
    fn renames(&mut self, alias: Option<&TableAlias>, relations: &[RawName]) {
        if alias.is_some_and(|a| !a.columns.is_empty()) {
            self.columns.whole.extend(relations.iter().cloned());
        }
    }

    fn sample(&mut self, sample: Option<&TableSampleKind>) {
        let Some(
            TableSampleKind::BeforeTableAlias(sample) | TableSampleKind::AfterTableAlias(sample),
        ) = sample
        else {
            return;
        };
        let TableSample { modifier: _, name: _, quantity, seed: _, bucket, offset } = &**sample;
        // A method of an extension is taken for a call.
        let method_unknown = quantity.as_ref().is_some_and(|q| !q.parenthesized);
        self.foreign |= bucket.is_some() || offset.is_some() || method_unknown;
        self.exprs(quantity.iter().map(|q| &q.value));
    }
}
