//! What the outputs of a statement tell, and what it asks.
//!
//! `email` and `salary` of `customers` are marked. An output is written `-` if it tells nothing, `email`
//! if it is the column's own value, `(email)` if it is made of it, `?` if nobody knows; `*` if nobody
//! knows how many there are. Behind them stands what else is asked.

mod mysql;

use std::fmt::Write as _;

use crate::kernel::{
    catalog::{Catalog, Column, Relation, RelationKind, Routine, RoutineKind, Volatility},
    sql::{
        context::{Context, Overlay, SearchPath, Trust},
        lineage::{ColumnId, Label, Lineage, Purpose, Sensitive, follow},
        mode::LexMode,
        server_grammar,
    },
};

const CUSTOMERS: u32 = 20_001;

fn relation(oid: u32, name: &str, columns: &str) -> Relation {
    let mut relation = Relation::new(oid, "public", name, RelationKind::Table);
    let columns = columns.split_whitespace().zip(1..);
    relation.columns = columns
        .map(|(name, number)| Column {
            number,
            name: name.into(),
            type_oid: 25,
            type_name: "text".into(),
            generated: None,
        })
        .collect();
    relation
}

fn catalog() -> Catalog {
    let mut catalog = Catalog::default();
    let mut customers = relation(CUSTOMERS, "customers", "id name email salary domain");
    if let Some(column) = customers.columns.last_mut() {
        column.generated = Some("split_part(email, '@'::text, 2)".into());
    }
    catalog.add_relation(customers);
    catalog.add_relation(relation(20_002, "orders", "id customer_id total"));
    let mut part = relation(20_003, "customers_eu", "salary id name email domain");
    part.parents = vec![CUSTOMERS];
    catalog.add_relation(part);
    for (oid, name, columns, reads, definition) in [
        (
            20_010,
            "contacts",
            "id mail shout",
            CUSTOMERS,
            "SELECT c.id, c.email AS mail, upper(c.email) AS shout FROM public.customers c",
        ),
        (
            20_011,
            "mails",
            "m n",
            20_010,
            "SELECT x.mail AS m, count(*) AS n FROM public.contacts x GROUP BY x.mail",
        ),
        (20_012, "torn", "a b", CUSTOMERS, "SELECT c.id FROM public.customers c"),
    ] {
        let mut view = relation(oid, name, columns);
        view.kind = RelationKind::View;
        view.reads = vec![reads];
        view.definition = Some(definition.into());
        catalog.add_relation(view);
    }
    catalog.add_routine(Routine {
        oid: 20_020,
        schema: "public".into(),
        name: "best_customer".into(),
        kind: RoutineKind::Function,
        volatility: Volatility::Stable,
        security_definer: false,
        language: "plpgsql".into(),
        extension: None,
        takes_rows: false,
        argument_code: Vec::new(),
        types: Vec::new(),
    });
    catalog
}

fn marked() -> [ColumnId; 2] {
    [3, 4].map(|number| ColumnId { relation: CUSTOMERS, number })
}

fn lineage(text: &str) -> Lineage {
    let catalog = catalog();
    let sensitive = Sensitive::compile(marked(), &catalog);
    let readings = server_grammar::read(text, LexMode::POSTGRES);
    let readings = readings.unwrap_or_else(|e| panic!("{text}: {e}"));
    let shape = readings.first().and_then(|r| r.shape.clone());
    let shape = shape.unwrap_or_else(|| panic!("{text} has no rows"));
    let cx = Context {
        mode: LexMode::POSTGRES,
        catalog: &catalog,
        path: &SearchPath::usual(),
        overlay: &Overlay::default(),
        trust: &Trust::default(),
    };
    follow(&shape, &cx, &sensitive)
}

fn label(label: &Label) -> String {
    if label.is_clear() {
        return "-".into();
    }
    let names = label.columns().map(|column| match column.number {
        3 => "email",
        _ => "salary",
    });
    let names = names.collect::<Vec<_>>().join("+");
    match (label.is_unknown(), label.is_derived()) {
        (true, _) => "?".into(),
        (false, true) => format!("({names})"),
        (false, false) => names,
    }
}

pub(super) fn told(lineage: &Lineage) -> String {
    let mut told = match &lineage.outputs {
        Some(outputs) => outputs.iter().map(|o| label(&o.label)).collect::<Vec<_>>().join(" "),
        None => format!("* {}", label(&lineage.rest)),
    };
    for found in &lineage.uses {
        let purpose = match found.purpose {
            Purpose::Equals(constants) => format!("equals{constants}"),
            Purpose::Filters => "filters".into(),
            Purpose::AsksNull => "asks".into(),
            Purpose::Compares => "compares".into(),
            Purpose::Computes => "computes".into(),
            Purpose::Stores => "stores".into(),
            Purpose::Assigns => "assigns".into(),
        };
        // Whether it is computed is of no interest there.
        let of = label(&found.of);
        write!(told, " | {purpose} {}", of.trim_matches(['(', ')'])).expect("a string");
    }
    told.trim().to_owned()
}

/// A statement and what it tells, one a line, `=>` between them.
fn check(cases: &str) {
    let mut wrong = String::new();
    for case in cases.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (text, expected) = case.split_once("=>").expect("a case");
        let told = told(&lineage(text.trim()));
        if told != expected.trim() {
            writeln!(wrong, "{text}=> {told}\n    not {}", expected.trim()).expect("a string");
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn a_column_keeps_its_label_under_every_name() {
    check(
        "
        SELECT id, email FROM customers => - email
        SELECT c.email AS x, c.name FROM customers AS c => email -
        SELECT * FROM customers => - - email salary (email)
        SELECT c.* FROM customers c, orders o => - - email salary (email)
        SELECT o.*, c.* FROM customers c, orders o => - - - - - email salary (email)
        SELECT email, * FROM customers => email - - email salary (email)
        SELECT b FROM customers AS c (a, x, b) => email
        SELECT email FROM public.customers => email
        SELECT public.customers.email FROM public.customers => email
        SELECT (c).email, (c).name FROM customers c => email -
        SELECT (c).* FROM customers c => - - email salary (email)
        SELECT s.e FROM (SELECT email AS e FROM customers) s => email
        SELECT * FROM (SELECT email, id FROM customers) AS s (x) => email -
        SELECT x FROM (SELECT email, id FROM customers) AS s (x) => email
        TABLE customers => - - email salary (email)
        WITH w AS (SELECT email, id FROM customers) SELECT * FROM w => email -
        WITH w (a, b) AS (SELECT email, id FROM customers) SELECT b, a FROM w => - email
        WITH customers AS (SELECT 1 AS email) SELECT email FROM customers => -
        SELECT email FROM customers_eu => email
        SELECT * FROM customers_eu => salary - - email (email)
        SELECT ctid, xmin, tableoid FROM customers => - - -
        SELECT customers.ctid FROM customers => -
        ",
    );
}

#[test]
fn the_nearest_query_gives_a_name_its_meaning() {
    check(
        "
        SELECT (SELECT email) FROM customers => (email)
        SELECT (SELECT name) FROM customers => -
        SELECT (SELECT o.id FROM orders o WHERE o.customer_id = c.id) FROM customers c => -
        SELECT (SELECT c.email FROM orders o LIMIT 1) FROM customers c => (email)
        SELECT (SELECT id FROM orders LIMIT 1) FROM customers => -
        SELECT l.e FROM customers c, LATERAL (SELECT c.email AS e) l => email
        SELECT l.e FROM customers c CROSS JOIN LATERAL (SELECT c.name AS e) l => -
        SELECT (SELECT s.x FROM (SELECT email AS x) s) FROM customers => (email)
        ",
    );
}

#[test]
fn joins_show_merged_columns_first() {
    check(
        "
        SELECT * FROM orders JOIN customers USING (id) => - - - - email salary (email)
        SELECT * FROM customers JOIN orders USING (id) => - - email salary (email) - -
        SELECT * FROM customers NATURAL JOIN orders => - - email salary (email) - -
        SELECT * FROM customers a JOIN customers b USING (email) => email - - salary (email) - - salary (email) | filters email
        SELECT * FROM customers a FULL JOIN contacts b ON a.id = b.id => - - email salary (email) - email (email)
        SELECT j.email, j.id FROM (customers JOIN orders USING (id)) AS j => email -
        SELECT m.id FROM customers JOIN orders USING (id) AS m => -
        SELECT id, email FROM customers JOIN orders USING (id) => - email
        SELECT a.name FROM customers a JOIN customers b ON a.email = b.email => - | filters email
        ",
    );
}

#[test]
fn what_is_made_of_a_column_tells_of_it() {
    check(
        "
        SELECT upper(email), lower(name) FROM customers => (email) -
        SELECT email || name, id FROM customers => (email) -
        SELECT CASE WHEN salary = '5' THEN 1 ELSE 2 END FROM customers => (salary)
        SELECT coalesce(name, email) FROM customers => (email)
        SELECT email::text FROM customers => (email)
        SELECT c FROM customers c => (email+salary)
        SELECT to_json(c) FROM customers c => (email+salary)
        SELECT row(id, email) FROM customers => (email)
        SELECT row(c.*) FROM customers c => (email+salary)
        SELECT ARRAY(SELECT email FROM customers) => (email)
        SELECT ARRAY[name, email] FROM customers => (email)
        SELECT min(email), count(*), count(email) FROM customers => (email) - - | asks email
        SELECT string_agg(email, ',') FROM customers => (email)
        SELECT email IS NULL, name FROM customers => - - | asks email
        SELECT EXISTS (SELECT FROM customers WHERE email = 'x') => - | equals1 email
        SELECT 'a' IN (SELECT email FROM customers) => (email)
        SELECT json_build_array(id, email) FROM customers => (email)
        SELECT lag(email) OVER (ORDER BY id) FROM customers => (email)
        SELECT mode() WITHIN GROUP (ORDER BY email) FROM customers => (email) | compares email | computes email
        SELECT to_json(c) FROM customers c, LATERAL (SELECT count(*)) l => (email+salary)
        SELECT rank() OVER (ORDER BY salary) FROM customers => - | compares salary
        SELECT email COLLATE \"C\" FROM customers => (email)
        ",
    );
}

#[test]
fn what_may_fail_or_make_rows_by_a_value_asks_for_it() {
    check(
        "
        SELECT 1 / (salary - 5) FROM customers => (salary) | computes salary
        SELECT email::int FROM customers => (email) | computes email
        SELECT generate_series(1, salary) FROM customers => (salary) | computes salary
        SELECT id FROM customers, generate_series(1, salary) => - | computes salary
        SELECT id FROM customers LIMIT (SELECT salary FROM customers LIMIT 1) => - | computes salary
        SELECT c.best_customer FROM customers c => (email+salary) | computes email+salary
        SELECT email[1] FROM customers => (email)
        SELECT email[salary] FROM customers => (email+salary) | computes email+salary
        SELECT email[1:2] FROM customers => (email) | computes email
        SELECT email LIKE 'a%', email LIKE name FROM customers => (email) (email) | computes email
        SELECT split_part(email, '@', 2), split_part(email, '@', id) FROM customers => (email) (email) | computes email
        ",
    );
}

#[test]
fn arms_add_up_by_place() {
    check(
        "
        SELECT id, name FROM customers UNION ALL SELECT name, email FROM customers => - email
        SELECT email FROM customers UNION ALL SELECT salary FROM customers => email+salary
        SELECT email FROM customers UNION SELECT 'x' => email | compares email
        SELECT id FROM customers EXCEPT SELECT id FROM orders => -
        VALUES (1, (SELECT email FROM customers LIMIT 1)), (2, 'x') => - (email)
        WITH RECURSIVE w (a, b) AS (SELECT id, name FROM customers UNION ALL SELECT b, email FROM w, customers) SELECT a, b FROM w => email email
        WITH RECURSIVE w AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM w WHERE n < 9) SELECT n FROM w, customers => -
        ",
    );
}

#[test]
fn views_and_generated_columns_tell_what_they_are_made_of() {
    check(
        "
        SELECT * FROM contacts => - email (email)
        SELECT m, n FROM mails => email -
        SELECT domain FROM customers => (email)
        SELECT a FROM torn => ?
        SELECT best_customer() => ? | computes ?
        SELECT * FROM best_customer() => * ? | computes ?
        ",
    );
}

#[test]
fn conditions_and_orders_ask() {
    check(
        "
        SELECT id FROM customers WHERE email = 'a@b' => - | equals1 email
        SELECT id FROM customers WHERE $1 = email AND id = 5 => - | equals1 email
        SELECT id FROM customers WHERE NOT (email IN ('a', 'b', $1)) => - | equals3 email
        SELECT id FROM customers WHERE email IS NOT NULL OR id = 1 => - | asks email
        SELECT id FROM customers WHERE email LIKE 'a%' => - | filters email
        SELECT id FROM customers WHERE upper(email) = 'A' => - | filters email
        SELECT id FROM customers WHERE domain = 'x' => - | filters email
        SELECT id FROM customers WHERE email > 'a' => - | filters email
        SELECT id FROM customers WHERE id IN (SELECT id FROM customers WHERE salary > '5') => - | filters salary
        SELECT id FROM customers ORDER BY email => - | compares email
        SELECT id, email FROM customers ORDER BY 2 => - email | compares email
        SELECT id, email AS x FROM customers ORDER BY x => - email | compares email
        SELECT id, email FROM customers ORDER BY id => - email
        SELECT id AS k, email FROM customers ORDER BY k => - email
        SELECT DISTINCT email FROM customers => email | compares email
        SELECT DISTINCT ON (salary) id FROM customers => - | compares salary
        SELECT email, count(*) FROM customers GROUP BY email => email - | compares email
        SELECT count(*) FROM customers GROUP BY 1, salary => - | compares salary
        SELECT name, count(*) FROM customers GROUP BY name HAVING min(email) > 'a' => - - | filters email
        SELECT count(DISTINCT email) FROM customers => (email) | compares email
        SELECT count(*) FILTER (WHERE email = 'x') FROM customers => - | equals1 email
        SELECT string_agg(name, ',' ORDER BY salary) FROM customers => - | compares salary
        EXPLAIN SELECT id FROM customers WHERE email LIKE 'a%' => * - | filters email
        ",
    );
}

#[test]
fn writes_say_what_they_copy_and_what_they_overwrite() {
    check(
        "
        INSERT INTO orders (total) SELECT email FROM customers =>  | stores email
        INSERT INTO orders (total) SELECT name FROM customers => 
        INSERT INTO customers (email) VALUES ('x') => 
        INSERT INTO customers (id, email) VALUES (1, 'x') RETURNING id, email => - email
        INSERT INTO customers (id) VALUES (1) ON CONFLICT (email) DO NOTHING =>  | equals1 email
        INSERT INTO customers (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET email = excluded.email =>  | stores email | assigns email
        UPDATE customers SET email = 'x' =>  | assigns email
        UPDATE customers SET name = email =>  | stores email
        UPDATE customers SET name = 'x' WHERE id = 1 RETURNING * => - - email salary (email)
        UPDATE customers SET (name, email) = (SELECT name, 'x' FROM orders) =>  | assigns email
        UPDATE orders SET total = 1 FROM customers c WHERE c.id = customer_id RETURNING c.email => email
        DELETE FROM customers WHERE email = 'x' RETURNING customers.email => email | equals1 email
        WITH d AS (DELETE FROM customers RETURNING email) SELECT * FROM d => email
        MERGE INTO orders o USING customers c ON o.id = c.id WHEN MATCHED THEN UPDATE SET total = c.email =>  | stores email
        MERGE INTO orders o USING customers c ON o.id = c.id WHEN NOT MATCHED THEN INSERT (total) VALUES (c.salary) =>  | stores salary
        MERGE INTO orders o USING customers c ON o.id = c.id WHEN MATCHED AND c.salary > '1' THEN DELETE =>  | filters salary
        CREATE TABLE t AS SELECT id, email FROM customers => * - | stores email
        CREATE TABLE t AS SELECT id FROM customers => * -
        CREATE VIEW v AS SELECT email FROM customers => * - | stores email
        SELECT email INTO t FROM customers => * - | stores email
        COPY customers TO STDOUT => - - email salary
        COPY customers (email, id) TO STDOUT => email -
        COPY (SELECT email FROM customers) TO STDOUT => email
        ",
    );
}

#[test]
fn what_nobody_knows_is_unknown() {
    check(
        "
        SELECT nothing FROM customers => ?
        SELECT x FROM nowhere => ?
        SELECT * FROM nowhere => * ?
        SELECT id, x FROM customers, nowhere => ? ?
        SELECT * FROM customers, unnest(ARRAY[1]) => * (email+salary)
        SELECT u FROM customers, unnest(ARRAY[1]) AS u => -
        SELECT * FROM customers, generate_series(1, 2) AS g => - - email salary (email) -
        SELECT name FROM customers, json_to_recordset('[]') AS r (a int, b text) => -
        ",
    );
}
