//! What the lineage of MySQL's statements says of their results, held against the servers' own words: how
//! many columns there are, what they are called, and which column of which table each of them is.

use std::{collections::BTreeSet, fmt::Write as _};

use hallpass::kernel::{
    catalog::{Catalog, RelationKind},
    sql::{
        context::{Context, Overlay, SearchPath, Trust},
        lex::{self, Limits},
        lineage::{ColumnId, Lineage, Sensitive, follow},
        mode::LexMode,
        mysql,
        text::StatementText,
    },
};
use hallpass::wire::mysql::{Capabilities, column::Column};

use crate::{
    catalogs, forms,
    support::mysql::{Family, MySql, SCHEMA, SUPERUSER},
};

/// Beside the shop's own tables.
const MADE: &str = "
    CREATE TABLE people (id INT PRIMARY KEY, Mail VARCHAR(100), host VARCHAR(100)
        AS (substring_index(mail, '@', -1)) STORED, shout VARCHAR(100) AS (upper(`mail`)) VIRTUAL,
        secret VARCHAR(20) INVISIBLE, doc JSON, born DATE) PARTITION BY HASH (id) PARTITIONS 2;
    INSERT INTO people (id, mail, secret, doc, born) VALUES
        (1, 'ada@example.com', 's1', '{\"a\": [1, 2], \"b\": \"x\"}', '1990-01-02'),
        (2, 'ben@example.org', 's2', '{\"a\": [], \"b\": null}', NULL);
    CREATE VIEW contacts AS SELECT id, email AS mail, upper(email) AS shout FROM customers WHERE id < 50;
    CREATE VIEW mails AS SELECT x.mail AS m, count(*) AS n FROM contacts x JOIN orders o
        ON o.customer_id = x.id GROUP BY x.mail;
    CREATE VIEW both_ways (who, what) AS SELECT full_name, email FROM employees
        UNION ALL SELECT full_name, concat(phone, '') FROM customers WHERE id < 20;
    CREATE VIEW deep AS WITH w AS (SELECT c.id, c.email e FROM customers c WHERE c.id < 9)
        SELECT w.*, (SELECT max(o.note) FROM orders o WHERE o.customer_id = w.id) AS last FROM w;
";

fn catalog_modes(family: Family) -> LexMode {
    match family {
        Family::MariaDb => LexMode::MARIADB,
        Family::MySql => LexMode::MYSQL,
    }
}

/// Every column of every table.
fn all_columns(catalog: &Catalog) -> Vec<ColumnId> {
    let tables = catalog.relations().filter(|relation| relation.kind == RelationKind::Table);
    tables
        .flat_map(|table| {
            let of = |number| ColumnId { relation: table.oid, number };
            table.columns.iter().filter(|c| c.generated.is_none()).map(move |c| of(c.number))
        })
        .collect()
}

fn lineage(text: &str, mode: LexMode, catalog: &Catalog, marked: &Sensitive) -> Option<Lineage> {
    let checked = StatementText::new(text.as_bytes(), usize::MAX).ok()?;
    let tokens = lex::tokenize(&checked, mode, &Limits::DEFAULT).ok()?;
    let readings = mysql::read_tokens(text, &tokens, mode).ok()?;
    let shape = readings.first()?.shape.clone()?;
    let cx = Context {
        mode,
        catalog,
        path: &SearchPath::Known(vec![SCHEMA.to_owned()]),
        overlay: &Overlay::default(),
        trust: &Trust::default(),
    };
    Some(follow(&shape, &cx, marked))
}

/// What is wrong, in words. `merges`: columns of both sides of a join are one, so that it shows both.
fn compare(
    told: Option<Lineage>,
    header: &[Column<'_>],
    catalog: &Catalog,
    sensitive: &Sensitive,
    merges: bool,
) -> String {
    let Some(told) = told else { return "has no shape".to_owned() };
    let doubt = told.doubt.clone().unwrap_or_default();
    let Some(outputs) = told.outputs else { return format!("outputs unknown: {doubt}") };
    if outputs.len() != header.len() {
        return format!("{} outputs, {} columns", outputs.len(), header.len());
    }
    let mut wrong = String::new();
    for (at, (output, column)) in outputs.iter().zip(header).enumerate() {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if let Some(name) = &output.name
            && !name.eq_ignore_ascii_case(&text(column.name))
        {
            write!(wrong, "{at} is called {name}, not {}; ", text(column.name)).expect("a string");
        }
        if output.label.is_unknown() {
            write!(wrong, "{at} is unknown: {doubt}; ").expect("a string");
            continue;
        }
        let relation = catalog.relation(&text(column.schema), &text(column.org_table));
        let Some(relation) = relation else { continue };
        let org_name = text(column.org_name);
        let Some(of) = relation.columns.iter().find(|c| c.name == org_name) else { continue };
        let known: BTreeSet<_> = output.label.columns().collect();
        let shows: BTreeSet<_> = sensitive.label(relation.oid, of.number).columns().collect();
        let is_table = relation.kind == RelationKind::Table;
        if !shows.is_subset(&known) || shows.is_empty() && is_table {
            write!(wrong, "{at} is {}.{org_name}; ", relation.name).expect("a string");
        }
        if is_table && !merges && of.generated.is_none() && known.len() > 1 {
            write!(wrong, "{at} is {}.{org_name} and nothing else; ", relation.name)
                .expect("a string");
        }
    }
    wrong
}

/// One a line, or over several that are indented; `-- only: mariadb` before it.
fn statements() -> Vec<(Option<Family>, String)> {
    let (mut all, mut only) = (Vec::new(), None);
    for line in include_str!("shapes.sql").lines() {
        match line.trim_end() {
            "" => {}
            "-- only: mariadb" => only = Some(Family::MariaDb),
            "-- only: mysql" => only = Some(Family::MySql),
            line if line.starts_with("--") => {}
            line if line.starts_with(' ') => {
                let (_, last): &mut (_, String) = all.last_mut().expect("a statement before it");
                last.push('\n');
                last.push_str(line);
            }
            line => all.push((only.take(), line.to_owned())),
        }
    }
    all
}

#[tokio::test]
async fn results_are_what_the_shape_of_their_statement_says() {
    let mut wrong = String::new();
    for family in Family::ALL {
        let server = MySql::start(family);
        server.sql(MADE);
        let catalog = catalogs::read(&server, SUPERUSER, "").await;
        let sensitive = Sensitive::compile(all_columns(&catalog), &catalog);
        let mut client = forms::Client::connect(&server, Capabilities::NONE).await;
        for (only, text) in statements() {
            if only.is_some_and(|only| only != family) {
                continue;
            }
            let what = match client.header(&text).await {
                Err(error) => format!("the server: {error}"),
                Ok(columns) => {
                    let columns = forms::columns(&columns);
                    let told = lineage(&text, catalog_modes(family), &catalog, &sensitive);
                    let merges = text.contains("USING") || text.contains("NATURAL");
                    compare(told, &columns, &catalog, &sensitive, merges)
                }
            };
            if !what.is_empty() {
                writeln!(wrong, "{family:?}: {text}\n    {what}").expect("a string");
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}
