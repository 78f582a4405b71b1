//! Cases of MySQL and MariaDB: `tests/cases/mysql`. As `classify`, but the database is `shop`, and every text
//! is read as by both servers. Where they differ the answer has both: `--> mysql: …; mariadb: …`. Stage lines:
//! `-- only: mariadb`, `-- mode: ANSI_QUOTES`, `-- database: billing`, `-- trust: entry`.
//!
//! `tests/mysql_servers/everyday` runs those of `everyday_*.md` at the servers themselves.

use std::sync::atomic::{AtomicUsize, Ordering};

use hallpass::kernel::{
    catalog::{Catalog, Column, Relation, RelationKind, Routine, RoutineKind, Volatility},
    sql::{
        analyze,
        context::{Context, Overlay, SearchPath, Trust},
        mode::{LexMode, SqlMode},
        text::StatementText,
    },
};

use super::{Stage, describe, same_key::with_the_key_in};

#[derive(Default)]
pub(super) struct Case {
    sql: String,
    only: Option<String>,
    mode: String,
    database: Option<String>,
    trust: Vec<String>,
}

impl Stage for Case {
    fn line(&mut self, line: &str) {
        if let Some(only) = line.strip_prefix("-- only: ") {
            self.only = Some(only.trim().to_owned());
        } else if let Some(mode) = line.strip_prefix("-- mode: ") {
            mode.trim().clone_into(&mut self.mode);
        } else if let Some(database) = line.strip_prefix("-- database: ") {
            self.database = Some(database.trim().to_owned());
        } else if let Some(entry) = line.strip_prefix("-- trust: ") {
            self.trust.push(entry.trim().to_owned());
        } else {
            self.sql.push_str(line);
            self.sql.push('\n');
        }
    }

    fn sql(&self) -> &str {
        &self.sql
    }

    fn answer(&self) -> String {
        let of = |mode| self.answer_of(mode);
        match self.only.as_deref() {
            Some("mysql") => of(LexMode::MYSQL),
            Some("mariadb") => of(LexMode::MARIADB),
            Some(other) => panic!("no server is called {other}"),
            None => {
                let (mysql, maria) = (of(LexMode::MYSQL), of(LexMode::MARIADB));
                if mysql == maria { mysql } else { format!("mysql: {mysql} / mariadb: {maria}") }
            }
        }
    }
}

impl Case {
    fn answer_of(&self, mode: LexMode) -> String {
        let mode = LexMode { sql: SqlMode::of(&self.mode).expect("a known mode"), ..mode };
        let catalog = shop();
        let database = self.database.clone().unwrap_or_else(|| "shop".to_owned());
        let path = SearchPath::Known(vec![database]);
        let trust = Trust::parse(self.trust.iter().map(String::as_str))
            .expect("trust reads")
            .with_log_ins(["hallpass".to_owned()]);
        let overlay = Overlay::default();
        let cx = Context { mode, catalog: &catalog, path: &path, overlay: &overlay, trust: &trust };
        let (found, for_its_key) = judged(self.sql.trim(), &cx);
        if !for_its_key {
            return found;
        }
        // What the cache of analyses stands on.
        let others = with_the_key_in(self.sql.trim(), mode);
        KEYS.fetch_add(others.len(), Ordering::Relaxed);
        let apart = |other: &String| {
            let (read, _) = judged(other, &cx);
            (read != found).then(|| format!("{found}; but of the same key {other}: {read}"))
        };
        others.iter().find_map(apart).unwrap_or(found)
    }
}

/// What it says, and whether that holds for every text of its key.
fn judged(sql: &str, cx: &Context<'_>) -> (String, bool) {
    let text = StatementText::new(sql.as_bytes(), 1 << 20).expect("text");
    match analyze(&text, cx) {
        Ok(batch) => {
            let each: Vec<String> = batch.statements.iter().map(|a| describe(a)).collect();
            let said = if each.is_empty() { "nothing".to_owned() } else { each.join(" | ") };
            (said, batch.stands_for_its_key())
        }
        Err(e) => (format!("unreadable: {e}"), false),
    }
}

/// Texts that have been held against others of their key.
pub(super) static KEYS: AtomicUsize = AtomicUsize::new(0);

/// The sample's schemas.
fn shop() -> Catalog {
    let mut catalog = Catalog::default();
    catalog.epoch = 1;
    catalog.login = Some("hallpass".into());
    for (oid, schema, name, kind, columns) in [
        (
            1,
            "shop",
            "customers",
            RelationKind::Table,
            "id full_name email phone birth_date country city newsletter credit created_at",
        ),
        (2, "shop", "products", RelationKind::Table, "id sku name price tags attributes"),
        (
            3,
            "shop",
            "orders",
            RelationKind::Table,
            "id customer_id status placed_at shipped_at total note",
        ),
        (
            4,
            "shop",
            "order_items",
            RelationKind::Table,
            "order_id position product_id quantity unit_price",
        ),
        (
            5,
            "shop",
            "payments",
            RelationKind::Table,
            "id order_id method card_number iban amount paid_at",
        ),
        (
            6,
            "shop",
            "employees",
            RelationKind::Table,
            "id full_name email team manager_id salary national_id hired_on",
        ),
        (7, "billing", "invoices", RelationKind::Table, "number order_id issued_on gross tax"),
        (8, "shop", "numbers", RelationKind::Table, "n"),
        (9, "shop", "monthly_revenue", RelationKind::View, "month revenue"),
        (11, "shop", "slow_orders", RelationKind::View, "id"),
        (12, "shop", "picked", RelationKind::View, "id"),
        (13, "shop", "odd", RelationKind::View, "id"),
        (10, "shop", "invoice_number", RelationKind::Sequence, "next_not_cached_value"),
    ] {
        let mut relation = Relation::new(oid, schema, name, kind);
        for (number, column) in (1_i16..).zip(columns.split(' ')) {
            relation.columns.push(Column {
                number,
                name: column.to_owned(),
                type_oid: 1,
                type_name: "varchar(100)".to_owned(),
                generated: None,
            });
        }
        let query = match name {
            "monthly_revenue" => {
                "select date_format(`shop`.`payments`.`paid_at`,'%Y-%m') AS `month`"
            }
            "slow_orders" => "select sleep(1) AS `id` from `shop`.`orders`",
            "picked" => "select `shop`.`pick`('a',1,2) AS `id`",
            "odd" => "select something that nobody reads",
            _ => "",
        };
        if kind == RelationKind::View {
            relation.reads = if name == "monthly_revenue" { vec![5] } else { Vec::new() };
            relation.definition = Some(query.to_owned());
        }
        catalog.add_relation(relation);
    }
    for (oid, name, kind, volatility) in [
        (50, "pick", RoutineKind::Function, Volatility::Stable),
        (51, "Refund", RoutineKind::Procedure, Volatility::Volatile),
    ] {
        catalog.add_routine(Routine {
            oid,
            schema: "shop".into(),
            name: name.into(),
            kind,
            volatility,
            security_definer: false,
            language: "sql".into(),
            extension: None,
            takes_rows: false,
            argument_code: Vec::new(),
            types: Vec::new(),
        });
    }
    catalog
}
