//! The same of MySQL and MariaDB: their names, their types, their ways to tell something.

use std::collections::HashMap;

use super::told;
use crate::kernel::{
    catalog::{Catalog, Column, Relation, RelationKind, Routine, RoutineKind, Volatility},
    mask::{ColumnType, Kind, Width},
    sql::{
        context::{Context, Overlay, SearchPath, Trust},
        lex::{self, Limits},
        lineage::{ColumnId, Lineage, Sensitive, follow},
        mode::{Dialect, LexMode},
        mysql,
        text::StatementText,
    },
};

const CUSTOMERS: u32 = 20_001;

fn relation(oid: u32, name: &str, columns: &str) -> Relation {
    let mut relation = Relation::new(oid, "shop", name, RelationKind::Table);
    relation.columns = columns
        .split_whitespace()
        .zip(1..)
        .map(|(name, number)| Column {
            number,
            name: name.into(),
            type_oid: if matches!(name, "id" | "salary" | "total") { 2 } else { 1 },
            type_name: String::new(),
            generated: None,
        })
        .collect();
    relation
}

fn catalog() -> Catalog {
    let mut catalog = Catalog::default();
    catalog.dialect = Dialect::MySql;
    let text = ColumnType::One(Kind::Text);
    catalog.set_kinds(HashMap::from([(1, text), (2, ColumnType::One(Kind::Integer(Width::Four)))]));
    let mut customers = relation(CUSTOMERS, "customers", "id name email salary domain hidden");
    customers.columns[4].generated = Some("substring_index(`email`,'@',-(1))".into());
    customers.invisible = vec![6];
    customers.unique = vec![1, 3];
    catalog.add_relation(customers);
    catalog.add_relation(relation(20_002, "orders", "id customer_id total note"));
    let mut view = relation(20_010, "contacts", "id mail shout");
    view.kind = RelationKind::View;
    view.reads = vec![CUSTOMERS];
    view.definition = Some(
        "select `c`.`id` AS `id`,`c`.`email` AS `mail`,upper(`c`.`email`) AS `shout` \
         from `shop`.`customers` `c`"
            .into(),
    );
    catalog.add_relation(view);
    catalog.add_routine(Routine {
        oid: 20_020,
        schema: "shop".into(),
        name: "Best_Customer".into(),
        kind: RoutineKind::Function,
        volatility: Volatility::Stable,
        security_definer: false,
        language: "sql".into(),
        extension: None,
        takes_rows: false,
        argument_code: Vec::new(),
        types: Vec::new(),
    });
    catalog
}

fn lineage(text: &str, overlay: &Overlay) -> Lineage {
    let catalog = catalog();
    let marked = [3, 4].map(|number| ColumnId { relation: CUSTOMERS, number });
    let sensitive = Sensitive::compile(marked, &catalog).watching();
    let checked = StatementText::new(text.as_bytes(), usize::MAX).expect("a text");
    let tokens = lex::tokenize(&checked, LexMode::MYSQL, &Limits::DEFAULT).expect("tokens");
    let readings = mysql::read_tokens(text, &tokens, LexMode::MYSQL).expect("reads");
    let shape = readings.first().and_then(|reading| reading.shape.clone());
    let shape = shape.unwrap_or_else(|| panic!("{text} has no rows"));
    let cx = Context {
        mode: LexMode::MYSQL,
        catalog: &catalog,
        path: &SearchPath::Known(vec!["shop".to_owned()]),
        overlay,
        trust: &Trust::default(),
    };
    follow(&shape, &cx, &sensitive)
}

fn check(cases: &str) {
    let mut wrong = String::new();
    for case in cases.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (text, expected) = case.split_once(" =>").expect("a case");
        let told = told(&lineage(text.trim(), &Overlay::default()));
        if told != expected.trim() {
            wrong += &format!("{text}=> {told}\n    not {}\n", expected.trim());
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn names_are_those_of_mysql() {
    check(
        "
        SELECT Id, EMAIL FROM customers => - email
        SELECT * FROM customers => - - email salary (email)
        SELECT c.*, hidden FROM customers c => - - email salary (email) -
        SELECT shop.c.email, c.Email FROM customers c => email email
        SELECT s.E FROM (SELECT email AS e FROM customers) s => email
        SELECT * FROM (SELECT email, id FROM customers) AS s (x, y) => email -
        WITH customers AS (SELECT 1 AS email) SELECT email FROM customers => -
        WITH customers AS (SELECT 1 AS email) SELECT email FROM shop.customers => email
        WITH Customers AS (SELECT 1 AS email) SELECT email FROM customers => (email+salary)
        SELECT c FROM customers c => ?
        SELECT nothing FROM customers => ?
        SELECT x.email FROM orders x, nowhere => ?
        SELECT (SELECT t.email FROM orders t LIMIT 1) FROM customers t => (email)
        SELECT (SELECT émail FROM orders) FROM customers => (email)
        ",
    );
}

#[test]
fn a_query_inside_may_name_outputs_outside() {
    check(
        "
        SELECT email AS e, (SELECT e) FROM customers => email (email)
        SELECT (SELECT email AS e2 FROM customers HAVING (SELECT e2) LIMIT 1) FROM (SELECT 1 AS e2) d => (email) | filters email
        SELECT name AS n FROM customers HAVING n > 'a' ORDER BY n => -
        SELECT email AS n FROM customers HAVING n = 'a' => email | equals1 email
        SELECT upper(email) AS n FROM customers HAVING n = 'A' => (email) | filters email
        SELECT email AS id, id AS email FROM customers ORDER BY upper(id) => email - | compares email
        SELECT lower(email) AS email FROM customers WHERE email = 'x' => (email) | equals1 email
        ",
    );
}

#[test]
fn joins_merge_in_the_order_of_the_first_side() {
    check(
        "
        SELECT * FROM orders JOIN customers USING (id) => - - - - - email salary (email)
        SELECT * FROM orders RIGHT JOIN customers USING (id) => - - email salary (email) - - -
        SELECT * FROM orders RIGHT JOIN customers ON TRUE => - - - - - - email salary (email)
        SELECT * FROM orders NATURAL RIGHT JOIN customers => - - email salary (email) - - -
        SELECT * FROM customers a JOIN customers b USING (EMAIL, ID) => - email - salary (email) - salary (email) | filters email
        SELECT o.id FROM customers a RIGHT JOIN orders o ON TRUE RIGHT JOIN contacts e USING (id) => - | filters email+salary
        ",
    );
}

#[test]
fn equality_is_asked_for_by_constants_of_the_columns_type() {
    check(
        "
        SELECT id FROM customers WHERE email = 'a' => - | equals1 email
        SELECT id FROM customers WHERE 'a' = email OR email IN ('b', 'c') => - | equals3 email
        SELECT id FROM customers WHERE email <=> 'a' => - | equals1 email
        SELECT id FROM customers WHERE email <=> NULL => - | asks email
        SELECT id FROM customers WHERE email = ? => - | equals1 email
        SELECT id FROM customers WHERE (id, email) = (1, 'a') => - | equals1 email
        SELECT id FROM customers WHERE NOT (email = 'a') => - | equals1 email
        SELECT id FROM customers WHERE salary = 5 => - | equals1 salary
        SELECT id FROM customers WHERE salary = '5' => - | equals1 salary
        SELECT id FROM customers WHERE email = 0 => - | filters email
        SELECT id FROM customers WHERE email = TRUE => - | filters email
        SELECT id FROM customers WHERE email = -1 => - | filters email
        SELECT id FROM customers WHERE email IN ('a', 0) => - | filters email
        SELECT id FROM customers WHERE email = DATE '2024-01-01' => - | filters email
        SELECT id FROM customers WHERE email = 'a' COLLATE utf8mb4_bin => - | filters email
        SELECT id FROM customers WHERE BINARY email = 'a' => - | filters email | computes email
        SELECT id FROM customers WHERE email + 0 = 'a' => - | filters email | computes email
        SELECT id FROM customers WHERE email = @v => - | filters email | computes email
        SELECT id FROM customers WHERE email = id => - | filters email
        SELECT id FROM customers WHERE email => - | filters email
        SELECT id FROM customers WHERE NOT email = 'a' => - | filters email
        SELECT id FROM customers WHERE email RLIKE '^a' => - | filters email | computes email
        SELECT id FROM customers WHERE email LIKE 'a%' => - | filters email
        SELECT id FROM customers WHERE domain = 'x' => - | filters email
        SELECT id FROM contacts WHERE mail = 'x' => - | equals1 email
        SELECT id FROM contacts WHERE mail = 0 => - | filters email
        SELECT id FROM customers WHERE email IS NULL => - | asks email
        SELECT id FROM customers WHERE !email IS NULL => - | filters email | computes email
        ",
    );
    let told = lineage("SELECT id FROM customers WHERE email = ? AND id = ?", &Overlay::default());
    assert_eq!(told.texts.len(), 1, "only what is compared with text has to be text");
}

#[test]
fn what_warns_or_fails_by_a_value_asks_for_it() {
    check(
        "
        SELECT upper(email), concat(email, '!', id), coalesce(name, email) FROM customers => (email) (email) (email)
        SELECT if(id > 5, email, 'x'), ifnull(email, ''), nullif(email, '') FROM customers => (email) (email) (email)
        SELECT left(email, 3), substring(email, 1, 2), trim(email), length(email) FROM customers => (email) (email) (email) (email)
        SELECT email = 'x', email LIKE 'a%', email IS NULL FROM customers => (email) (email) - | asks email
        SELECT case when salary > 1000 then 'much' end FROM customers => (salary)
        SELECT sum(salary), avg(salary), count(email), min(email), count(*) FROM customers => (salary) (salary) - (email) - | asks email
        SELECT cast(email AS char), convert(email USING utf8mb4), json_object('e', email) FROM customers => (email) (email) (email)
        SELECT if(total > 5, email, note), concat(email, sum(total)) FROM customers, orders => (email) (email)
        SELECT case when email = 'x' then name + 0 end, case when email = 'x' then name = 0 end FROM customers => (email) (email) | computes email
        SELECT email + 0 FROM customers => (email) | computes email
        SELECT extractvalue(email, '/a') FROM customers => (email) | computes email
        SELECT ~salary, exp(salary) FROM customers => (salary) (salary) | computes salary
        SELECT json_extract(email, '$.a') FROM customers => (email) | computes email
        SELECT json_object(email, 1) FROM customers => (email) | computes email
        SELECT group_concat(name ORDER BY email) FROM customers => - | compares email
        SELECT !email, repeat(email, 5) FROM customers => (email) (email) | computes email
        SELECT concat(email, (SELECT 1 FROM orders WHERE id > 3)) FROM customers => (email) | computes email
        SELECT best_customer(), shop.BEST_CUSTOMER(), other.thing(1) FROM orders => ? ? ? | computes ?
        SELECT * FROM customers c, JSON_TABLE(c.email, '$[*]' COLUMNS (x INT PATH '$')) j => - - email salary (email) (email) | computes email
        ",
    );
}

#[test]
fn what_only_warns_passes_where_no_row_is_written() {
    check(
        "
        SELECT sum(email), email = 0, if(email, 1, 2), email AND 1 FROM customers => (email) (email) (email) (email)
        SELECT left('abc', email), cast(email AS signed), cast(email AS char(3)), year(email) FROM customers => (email) (email) (email) (email)
        SELECT group_concat(email), sum(concat(salary, 'x')), replace(email, '@', '#') FROM customers => (email) (salary) (email)
        SELECT salary * 12, -salary, salary / 7, salary DIV 10, salary % 3, abs(salary), mod(salary, 2) FROM customers => (salary) (salary) (salary) (salary) (salary) (salary) (salary)
        SELECT timestampdiff(year, email, curdate()), email + INTERVAL 1 DAY, lpad(email, 50, ' ') FROM customers => (email) (email) (email)
        SELECT json_objectagg(id, email), repeat('*', char_length(email)) FROM customers => (email) (email)
        EXPLAIN FORMAT=JSON SELECT cast(email AS signed) FROM customers => * (email)
        SELECT cast(email AS binary), cast(email AS json) FROM customers => (email) (email) | computes email
        SELECT salary * 3000000000 FROM customers => (salary) | computes salary
        SELECT salary * 1e300 FROM customers => (salary) | computes salary
        SELECT salary * ? FROM customers => (salary) | computes salary
        SELECT salary * note FROM customers, orders => (salary) | computes salary
        SELECT salary * salary * salary FROM customers => (salary) | computes salary
        SELECT year('2000-01-01') - year(email) FROM customers => (email) | computes email
        SELECT lag(salary, 1, 1e300) OVER (ORDER BY id) * salary FROM customers => (salary) | computes salary
        SELECT json_objectagg(email, id), json_object(nullif(email, 'a'), 1) FROM customers => (email) (email) | computes email
        SELECT if(email = 'a', json_object(name, 1), 0) FROM customers => (email) | computes email
        SELECT repeat('x', 90000000), if(email = 'a', repeat('x', 90000000), '') FROM customers => - (email) | computes email
        SELECT replace(email, 'a', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa') FROM customers => (email) | computes email
        SELECT email + INTERVAL salary DAY FROM customers => (email+salary) | computes email+salary
        SELECT stddev(email) FROM customers => (email) | computes email
        INSERT INTO orders (note) SELECT x.id FROM (SELECT id, cast(email AS signed) FROM customers) x =>  | computes email
        UPDATE orders o JOIN (SELECT id, email = 0 FROM customers) x USING (id) SET note = 'x' =>  | computes email
        ",
    );
}

#[test]
fn a_unit_is_no_argument() {
    check(
        "
        SELECT timestampdiff(year, email, '2020-01-01') FROM customers => (email)
        SELECT timestampdiff(day, '2020-01-01', email), timestampadd(day, 1, email) FROM customers => (email) (email)
        SELECT id FROM customers WHERE timestampdiff(year, email, now()) > 30 => - | filters email
        SELECT get_format(date, 'EUR') FROM customers => -
        ",
    );
}

#[test]
fn variables_are_copies() {
    check(
        "
        SELECT @v, @@version => - -
        SELECT @v := id FROM customers => -
        SELECT @v := email FROM customers => (email) | stores email
        SELECT email INTO @v FROM customers WHERE id = 1 => * - | stores email
        SET @v = (SELECT email FROM customers LIMIT 1) => * - | stores email
        SET @v = (SELECT max(id) FROM customers) => * -
        SELECT id FROM customers WHERE (@v := email) IS NOT NULL => - | filters email | stores email
        ",
    );
    let mut tainted = Overlay::default();
    tainted.taint();
    assert_eq!(told(&lineage("SELECT @v, @@version, 1", &tainted)), "? - -");
}

#[test]
fn changes_say_what_they_copy_and_what_they_overwrite() {
    check(
        "
        INSERT INTO orders (note) SELECT email FROM customers =>  | stores email
        INSERT INTO orders (note) SELECT name FROM customers =>
        INSERT INTO customers (email) VALUES ('x') =>
        INSERT INTO customers SET email = 'x' =>
        INSERT INTO customers (id, email) VALUES (1, 'x') ON DUPLICATE KEY UPDATE name = 'y' =>  | equals1 email
        INSERT INTO customers (id) VALUES (1) ON DUPLICATE KEY UPDATE email = VALUES(email) =>  | stores email | assigns email
        INSERT INTO customers (id, name) VALUES (1, 'x') AS new ON DUPLICATE KEY UPDATE name = new.name =>
        INSERT INTO customers (id) VALUES (1) ON DUPLICATE KEY UPDATE name = customers.email =>  | stores email
        INSERT IGNORE INTO customers (email) VALUES ('x') =>  | equals1 email
        REPLACE INTO customers (id, name) VALUES (1, 'x') =>
        REPLACE INTO customers (id, email) VALUES (1, 'x') =>  | equals1 email | assigns email
        REPLACE INTO customers VALUES (1, 'x', 'y', 2) =>  | equals1 email | assigns email | assigns email | assigns salary
        UPDATE customers SET email = 'x' =>  | assigns email
        UPDATE customers SET Email = 'x' WHERE id = 1 =>  | assigns email
        UPDATE customers SET name = email =>  | stores email
        UPDATE customers SET name = 'x' WHERE email = 'y' ORDER BY salary LIMIT 1 =>  | equals1 email | compares salary
        UPDATE orders o JOIN customers c ON c.id = o.customer_id SET o.note = c.email =>  | stores email
        UPDATE orders o, customers c SET c.email = 'x' WHERE c.id = o.id =>  | assigns email
        UPDATE orders o, customers c SET email = 'x' =>  | assigns email
        DELETE FROM customers WHERE email = 'x' =>  | equals1 email
        DELETE c FROM customers c JOIN orders o ON o.note = c.email =>  | filters email
        DELETE FROM customers WHERE email > 'x' =>  | filters email
        CREATE TABLE t AS SELECT id, email FROM customers => * - | stores email
        CREATE TABLE t SELECT id FROM customers => * -
        CREATE VIEW v AS SELECT email FROM customers => * - | stores email
        EXPLAIN FORMAT=TRADITIONAL SELECT email FROM customers WHERE id = 1 => * -
        EXPLAIN SELECT email FROM customers WHERE id = 1 => * (email)
        EXPLAIN FORMAT=JSON SELECT email FROM customers WHERE id = 1 => * (email)
        EXPLAIN ANALYZE SELECT id FROM customers => * -
        ",
    );
}

#[test]
fn arms_and_ctes_add_up() {
    check(
        "
        SELECT id, name FROM customers UNION ALL SELECT name, email FROM customers => - email
        SELECT email FROM customers UNION SELECT 'x' => email | compares email
        (SELECT email FROM customers ORDER BY id LIMIT 1) LIMIT 2 => email
        ((SELECT id, email FROM customers LIMIT 5) ORDER BY email LIMIT 3) => - email | compares email
        WITH RECURSIVE t AS (SELECT 1 AS a, email AS b FROM customers UNION SELECT 2, 'x' UNION ALL SELECT a + 1, b FROM t WHERE a < 3) SELECT * FROM t => - email | compares email
        SELECT a FROM (VALUES ROW(1, 'x'), ROW(2, 'y')) v (a, b) => -
        TABLE customers => - - email salary (email)
        SELECT count(*) FROM customers GROUP BY email WITH ROLLUP => - | compares email
        SELECT count(*), name FROM customers GROUP BY 2 ORDER BY 1 => - -
        SELECT rank() OVER (ORDER BY salary), lag(email) OVER w FROM customers WINDOW w AS (ORDER BY id) => - (email) | compares salary
        SELECT count(DISTINCT email) FROM customers => (email) | compares email
        SELECT mail, shout FROM contacts => email (email)
        ",
    );
}
