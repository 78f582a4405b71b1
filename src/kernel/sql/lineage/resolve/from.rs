//! FROM: what each source gives, and what its names stand for.

use std::rc::Rc;

use crate::kernel::{
    catalog::Relation,
    mask::ColumnType,
    sql::{
        judge::{Resolved, meanings},
        lineage::{
            Label, Purpose,
            names::Names,
            resolve::Follower,
            rows::{Holds, Named, Place, Rows, Table},
            shape::{Alias, Join, Source},
        },
        reading::RawName,
    },
};

/// Built-in functions that return one column, whatever they are given.
const ONE_COLUMN: [&str; 12] = [
    "generate_series",
    "generate_subscripts",
    "json_array_elements",
    "json_array_elements_text",
    "json_object_keys",
    "jsonb_array_elements",
    "jsonb_array_elements_text",
    "jsonb_object_keys",
    "jsonb_path_query",
    "regexp_matches",
    "regexp_split_to_table",
    "string_to_table",
];

impl<'a> Follower<'a> {
    /// Adds what a source brings to the tables in sight; what `*` shows of it.
    pub(super) fn source(
        &mut self,
        source: &'a Source,
        place: &Place<'a>,
        tables: &mut Vec<Table<'a>>,
    ) -> Rows<'a> {
        if !self.spend(1) {
            return Rows::unknown(Label::unknown());
        }
        match source {
            Source::Relation { name, alias } => {
                let cte = match name.0.as_slice() {
                    [only] => place.cte(only, self.names),
                    _ => None,
                };
                // Spec: to MySQL a table keeps its schema whatever it goes by.
                let is_own = cte.is_none() && (alias.name.is_none() || self.names == Names::Folded);
                let rows = match cte {
                    Some((rows, true)) => Rows::clone(&rows),
                    Some((rows, false)) => {
                        let mut either = rows.whole();
                        either.or(&self.relation(name).whole());
                        Rows::unknown(either)
                    }
                    None => self.relation(name),
                };
                let rows = known_as(rows, alias, name.0.last().map(String::as_str), tables);
                if let Some(table) = tables.last_mut() {
                    table.relation = is_own.then_some(name);
                }
                rows
            }
            Source::Query { query, lateral, alias } => {
                let rows = match lateral {
                    true => self.query(query, &place.inside(tables)),
                    false => self.query(query, place),
                };
                known_as(rows, alias, None, tables)
            }
            Source::Function { arguments, columns, alias } => {
                let sees = place.inside(tables);
                let mut given = Label::default();
                for argument in arguments {
                    given.or(&self.value(argument, &sees));
                }
                let given = given.computed();
                // How many rows come of it hangs on what it is given.
                self.used(Purpose::Computes, given.clone());
                let of = |name: &'a str| Named::known(name, given.clone());
                let rows = match (columns, alias.name.as_deref()) {
                    (Some(columns), _) => Rows::known(columns.iter().map(|c| of(c)).collect()),
                    (None, Some(name)) if is_one_column(arguments) => Rows::known(vec![of(name)]),
                    (None, _) => Rows::unknown(given),
                };
                known_as(rows, alias, None, tables)
            }
            Source::Join(join) => self.join(join, place, tables),
            Source::Opaque(what) => {
                let rest = self.doubts(|| (*what).to_owned());
                // How many rows come of it hangs on what nobody knows.
                self.used(Purpose::Computes, rest.clone());
                let rows = Rows::unknown(rest);
                let shared = Rc::new(rows.clone());
                tables.push(Table { known_as: None, relation: None, bare: true, rows: shared });
                rows
            }
        }
    }

    /// What nobody knows.
    pub(super) fn anything(&self) -> Label {
        if self.sensitive.is_empty() { Label::default() } else { Label::unknown() }
    }

    /// What nobody knows because of this.
    pub(super) fn doubts(&mut self, what: impl FnOnce() -> String) -> Label {
        let label = self.anything();
        if label.is_unknown() && self.doubt.is_none() {
            self.doubt = Some(what());
        }
        label
    }

    fn join(&mut self, join: &'a Join, place: &Place<'a>, tables: &mut Vec<Table<'a>>) -> Rows<'a> {
        let first = tables.len();
        let left = self.source(&join.left, place, tables);
        let right = self.source(&join.right, place, tables);
        let sides = tables.get(first..).unwrap_or_default().to_vec();
        self.conditions(&join.on, &place.inside(&sides));
        let merged = self.merged(join, &left, &right);
        if let Some(name) = &join.merged_as {
            let rows = match &merged {
                Some(names) => {
                    Rows::known(names.iter().map(|n| self.both(n, &left, &right)).collect())
                }
                None => Rows::unknown(left.whole()),
            };
            let rows = Rc::new(rows);
            tables.push(Table { known_as: Some(name), relation: None, bare: false, rows });
        }
        // Spec: MySQL, not MariaDB, turns a RIGHT JOIN around where it is a side of a join that merges.
        let merges = join.natural || !join.using.is_empty();
        let turned = merges && (turns(&join.left) || turns(&join.right));
        let rows = match merged.filter(|_| !turned) {
            Some(names) if join.right_first && merges => self.side_by_side(&names, right, left),
            Some(names) => self.side_by_side(&names, left, right),
            None => {
                let (mut rest, right) = (left.whole(), right.whole());
                rest.or(&right);
                // Which columns it joins by, nobody knows.
                self.used(Purpose::Filters, rest.clone());
                Rows::unknown(rest)
            }
        };
        if join.alias.name.is_none() {
            return rows;
        }
        // The sides go by nothing any more.
        let merged_as = tables.get(first + sides.len()..).unwrap_or_default().to_vec();
        tables.truncate(first);
        tables.extend(merged_as);
        known_as(rows, &join.alias, None, tables)
    }

    /// The names of the columns that both sides share. `None`: nobody knows.
    fn merged(
        &mut self,
        join: &'a Join,
        left: &Rows<'a>,
        right: &Rows<'a>,
    ) -> Option<Vec<&'a str>> {
        let names: Vec<&'a str> = if join.natural {
            let (left, right) = (left.columns.as_ref()?, right.columns.as_ref()?);
            if left.iter().chain(right).any(|column| column.name.is_none()) {
                return None;
            }
            let names = self.names;
            let mut all = left.iter().chain(right).filter_map(|column| column.name);
            if !all.all(|name| names.is_plain(name)) {
                // Fail closed: letters beyond ASCII may be one to the server.
                return None;
            }
            let key = |column: &Named<'a>| column.name.map(|name| names.key(name));
            let of_right: std::collections::HashSet<_> = right.iter().map(key).collect();
            left.iter().filter(|c| of_right.contains(&key(c))).filter_map(|c| c.name).collect()
        } else {
            join.using.iter().map(String::as_str).collect()
        };
        for name in &names {
            self.spend(left.width() + right.width());
            let label = self.both(name, left, right).label;
            self.used(Purpose::Filters, label);
        }
        Some(names)
    }

    fn both(&mut self, name: &'a str, left: &Rows<'a>, right: &Rows<'a>) -> Named<'a> {
        let mut label = Label::default();
        for side in [left, right] {
            match side.named(name, self.names) {
                Some(found) => label.or(&found.label),
                None => label.or(&self.anything()),
            }
        }
        Named::known(name, label)
    }

    /// Merged columns as they stand. Spec: to Postgres as USING has them, to MySQL as the first side does.
    fn in_order(&mut self, merged: &[&'a str], first: &Rows<'a>) -> Vec<&'a str> {
        let mut merged = merged.to_vec();
        if let (Names::Folded, Some(columns)) = (self.names, &first.columns) {
            let at = |name: &&str| {
                let is =
                    |c: &Named<'_>| c.name.is_some_and(|known| known.eq_ignore_ascii_case(name));
                columns.iter().position(is)
            };
            self.spend(columns.len());
            merged.sort_by_cached_key(at);
        }
        merged
    }

    /// Spec: first the merged columns, then what is left of one side and of the other.
    fn side_by_side(&mut self, merged: &[&'a str], left: Rows<'a>, right: Rows<'a>) -> Rows<'a> {
        let mut rows = Rows::known(Vec::new());
        if merged.is_empty() {
            self.spend(left.width() + right.width());
            rows.append(&left);
            rows.append(&right);
            return rows;
        }
        self.spend(left.width() + right.width());
        let merged = self.in_order(merged, &left);
        let both = merged.iter().map(|name| self.both(name, &left, &right)).collect();
        rows.append(&Rows::known(both));
        let key = |name: &str| self.names.key(name);
        let names: std::collections::HashSet<String> = merged.iter().map(|n| key(n)).collect();
        for mut side in [left, right] {
            if let Some(columns) = &mut side.columns {
                columns.retain(|c| !c.name.is_some_and(|name| names.contains(&key(name))));
            }
            rows.append(&side);
        }
        rows
    }

    /// The rows of a relation that the statement names.
    pub(super) fn relation(&mut self, name: &RawName) -> Rows<'a> {
        let meanings = meanings(name, self.cx);
        let seen = self.seen(name);
        let sight = self.cx.overlay.sight().filter(|_| !seen.is_empty());
        let mut all: Vec<Rows<'a>> =
            seen.iter().map(|relation| self.columns_of_seen(relation)).collect();
        for meaning in meanings.all() {
            let rows = match meaning {
                // The server says where that is now.
                Resolved::User(relation) if sight.is_some_and(|s| s.of(relation.oid).is_some()) => {
                    continue;
                }
                Resolved::User(relation) => self.columns_of(relation),
                Resolved::Catalog { schema, name, rule: _ } => {
                    match self.cx.catalog.relation(schema, name) {
                        Some(relation) => self.columns_of(relation),
                        None => Rows::unknown(Label::default()),
                    }
                }
                Resolved::Unknown { .. } if self.cx.is_clean_temporary(name) => {
                    Rows::unknown(Label::default())
                }
                Resolved::Unknown { .. } if !seen.is_empty() => continue,
                Resolved::Unreviewed { .. } | Resolved::Unknown { .. } => {
                    Rows::unknown(self.doubts(|| format!("what {name} holds")))
                }
            };
            all.push(rows);
        }
        let mut all = all.into_iter();
        let Some(first) = all.next() else { return Rows::unknown(self.anything()) };
        let mut others = all.peekable();
        if others.peek().is_none() {
            return first;
        }
        // Which of them it is by then, nobody knows; if none has anything to hide, it doesn't matter.
        let mut whole = first.whole();
        others.for_each(|rows| whole.or(&rows.whole()));
        if whole.is_clear() {
            return first;
        }
        if whole.is_unknown() {
            self.doubts(|| format!("which relation {name} is"));
        }
        Rows::unknown(whole.computed())
    }

    fn columns_of(&mut self, relation: &'a Relation) -> Rows<'a> {
        self.spend(relation.columns.len());
        let columns = relation.columns.iter().map(|column| Named {
            hidden: relation.invisible.contains(&column.number),
            kind: match self.cx.catalog.kinds().get(&column.type_oid) {
                Some(ColumnType::One(kind)) => {
                    Some(Holds { kind: *kind, declared: &column.type_name })
                }
                Some(ColumnType::Array(_)) | None => None,
            },
            ..Named::known(&column.name, self.sensitive.label(relation.oid, column.number))
        });
        Rows::known(columns.collect())
    }

    /// COPY TO of a table.
    pub(super) fn copied(&mut self, table: &RawName, columns: &'a [String]) -> Rows<'a> {
        let rows = self.relation(table);
        if columns.is_empty() {
            // Generated columns are left out.
            return self.without_generated(table, rows);
        }
        let column = |name: &'a String| match rows.named(name, self.names) {
            Some(found) => Named::known(name, found.label),
            None => Named::known(name, self.anything()),
        };
        Rows::known(columns.iter().map(column).collect())
    }

    fn without_generated(&self, table: &RawName, mut rows: Rows<'a>) -> Rows<'a> {
        let meanings = meanings(table, self.cx);
        if let (Some(columns), [only]) = (&mut rows.columns, self.seen(table).as_slice()) {
            let is_generated =
                |name: &str| only.columns.iter().any(|c| c.generated && c.name == name);
            columns.retain(|column| !column.name.is_some_and(is_generated));
            return rows;
        }
        if let (Some(columns), Some(Resolved::User(relation))) =
            (&mut rows.columns, meanings.only())
        {
            let generated = relation.columns.iter().filter(|c| c.generated.is_some());
            let generated: std::collections::HashSet<_> =
                generated.map(|c| c.name.as_str()).collect();
            columns.retain(|column| !column.name.is_some_and(|name| generated.contains(name)));
        }
        rows
    }
}

/// A RIGHT JOIN is in it that merges nothing, or may merge nothing.
fn turns(source: &Source) -> bool {
    match source {
        Source::Join(join) => {
            join.right_first && join.using.is_empty() || turns(&join.left) || turns(&join.right)
        }
        Source::Relation { .. }
        | Source::Query { .. }
        | Source::Function { .. }
        | Source::Opaque(_) => false,
    }
}

fn is_one_column(arguments: &[crate::kernel::sql::lineage::shape::Expression]) -> bool {
    use crate::kernel::sql::lineage::shape::Step;
    let [only] = arguments else { return false };
    // The outermost call is the last thing that a value goes through.
    match only.through.last() {
        Some(Step::Function(name)) => match name.0.as_slice() {
            [name] => ONE_COLUMN.contains(&name.as_str()),
            [schema, name] => schema == "pg_catalog" && ONE_COLUMN.contains(&name.as_str()),
            _ => false,
        },
        _ => false,
    }
}

/// Puts a source among the tables in sight.
fn known_as<'a>(
    mut rows: Rows<'a>,
    alias: &'a Alias,
    own: Option<&'a str>,
    tables: &mut Vec<Table<'a>>,
) -> Rows<'a> {
    rows.rename(&alias.columns);
    let known_as = alias.name.as_deref().or(own);
    tables.push(Table { known_as, relation: None, bare: true, rows: Rc::new(rows.clone()) });
    rows.shown()
}
