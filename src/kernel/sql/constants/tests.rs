//! Texts whose marked constants are told by their values.

use super::*;

fn guarded() -> Guarded {
    Guarded {
        names: ["email", "salary"].into_iter().map(str::to_owned).collect(),
        columns: ["id", "name", "email", "salary", "city"].map(str::to_owned).to_vec(),
        unknown: false,
    }
}

/// The values that are found, and parameters with a `$`.
fn hidden(text: &str) -> String {
    let guarded = guarded();
    let found = find(text, LexMode::POSTGRES, Guard::Some(&guarded));
    assert!(!found.all && found.rest.is_none(), "{text}");
    let values = found.constants.into_iter().map(|(_, value)| value);
    let parameters = found.parameters.into_iter().map(|number| format!("${number}"));
    values.chain(parameters).collect::<Vec<_>>().join(" ")
}

#[test]
fn constants_beside_a_masked_column_are_found_and_no_others() {
    for (text, expected) in [
        ("SELECT id FROM customers WHERE email = 'a@b.c' AND city = 'Ulm'", "a@b.c"),
        ("SELECT id FROM customers c WHERE c.city = 'Ulm' OR 'x' = C.Email LIMIT 5", "x"),
        ("SELECT id FROM customers WHERE city = 'Ulm' AND id = 5", ""),
        ("SELECT 'x', email, id + 1 FROM customers WHERE id IN (1, 2)", ""),
        ("SELECT id FROM customers WHERE email IN ('a', E'b\\'c', $$d$$) AND id IN (7)", "a b'c d"),
        ("SELECT id FROM customers WHERE email = $1 AND city = $2", "$1"),
        ("SELECT id FROM customers WHERE salary BETWEEN 10 AND 20 AND id BETWEEN 1 AND 2", "10 20"),
        ("SELECT id FROM customers WHERE (city = 'Ulm' OR email = 'x') AND id = 1", "x"),
        ("SELECT id FROM customers WHERE (email) = 'x' AND (id) = 1", "x"),
        ("SELECT id FROM customers WHERE (city, email) = ('Ulm', 'x') AND id = 1", "Ulm x"),
        ("SELECT id FROM customers WHERE NOT (\"email\" LIKE 'x%') AND id = 1", "x%"),
        ("SELECT id FROM customers WHERE \"Email\" = 'x'", ""),
        ("SELECT lower(email) = 'x', lower(city) = 'y' FROM customers", "x"),
        (
            "SELECT CASE email WHEN 'x' THEN 1 END, CASE WHEN id = 5 THEN 6 END FROM customers",
            "x 1",
        ),
        ("SELECT id FROM customers ORDER BY email = 'x', city = 'y'", "x"),
        ("SELECT count(*) FILTER (WHERE email = 'x') FROM customers WHERE id > 1", "x"),
        ("SELECT id FROM customers c WHERE c::text LIKE '%x%' AND c.id = 1", "%x%"),
        ("SELECT id FROM customers c WHERE row(c.*) = row('x') AND c.id = 1", "x"),
        (
            "SELECT id FROM a JOIN customers c ON c.email = 'x' AND a.id = 1 JOIN b USING (id) WHERE id = 2",
            "x",
        ),
        ("DELETE FROM customers WHERE email = 'x' AND id = 3", "x"),
        ("EXPLAIN SELECT id FROM customers WHERE email = 'x' AND id = 3", "x"),
        ("PREPARE p (text) AS SELECT id FROM customers WHERE email = 'x' AND id = $1", "x"),
        ("DECLARE k CURSOR FOR SELECT id FROM customers WHERE email = 'x' AND id = 3", "x"),
        ("COPY (SELECT id FROM customers WHERE email = 'x' AND id = 3) TO STDOUT", "x"),
        ("CREATE INDEX ON customers (id) WHERE email = 'x'", "x"),
    ] {
        assert_eq!(hidden(text), expected, "{text}");
    }
}

#[test]
fn what_a_masked_column_gets_is_found() {
    for (text, expected) in [
        ("UPDATE customers SET name = 'n', email = 'x', salary = $1 WHERE id = 5", "x $1"),
        ("UPDATE customers SET (name, email) = ('n', 'x') WHERE id = 5", "n x"),
        ("INSERT INTO customers (id, email, name) VALUES (1, 'x', 'n'), (2, 'y', $1)", "x y"),
        ("INSERT INTO customers VALUES (1, 'n', 'x', 5, 'Ulm')", "x 5"),
        ("INSERT INTO customers VALUES (1, 'n', 'x', 5, 'Ulm', 'more')", "x 5 more"),
        ("INSERT INTO customers (id, email) SELECT 5, 'x' FROM orders WHERE total = 7", "x"),
        (
            "INSERT INTO customers (id, name) VALUES (1, 'n') ON CONFLICT (id) DO UPDATE SET email = 'x', name = 'm' RETURNING id + 1",
            "x",
        ),
        (
            "MERGE INTO customers c USING orders o ON c.id = 5 WHEN MATCHED AND o.total = 3 THEN UPDATE SET email = 'x' WHEN NOT MATCHED THEN INSERT (id, email) VALUES (8, 'y')",
            "x y",
        ),
        (
            "WITH w AS (UPDATE customers SET email = 'x', name = 'n' WHERE id = 1 RETURNING id) SELECT * FROM w WHERE id = 4",
            "x",
        ),
    ] {
        assert_eq!(hidden(text), expected, "{text}");
    }
}

#[test]
fn what_is_compared_by_another_way_is_found() {
    for (text, expected) in [
        ("SELECT id FROM customers WHERE email = (SELECT 'x') AND id = 1", "x"),
        ("SELECT id FROM customers WHERE 'x' IN (SELECT email FROM customers) AND id = 1", "x"),
        ("SELECT id FROM customers JOIN (VALUES ('x')) v(m) ON m = email WHERE id = 1", "x"),
        ("WITH g AS (SELECT 'x' AS m) SELECT id FROM customers, g WHERE email = m AND id = 1", "x"),
        ("SELECT * FROM (SELECT id, email AS m FROM customers) s WHERE m = 'x' AND id = 1", "x"),
        (
            "SELECT * FROM (SELECT id, upper(email) FROM customers) s WHERE upper = 'x' AND id = 1",
            "x",
        ),
        ("SELECT * FROM (SELECT * FROM customers) s (a, b, c) WHERE c = 'x'", "x"),
        ("SELECT email FROM customers INTERSECT SELECT 'x'", "x"),
        ("SELECT 'x' EXCEPT SELECT email FROM customers", "x"),
        ("SELECT id FROM customers JOIN unnest(ARRAY['x']) u ON u = email WHERE id = 1", "x"),
        (
            "SELECT id FROM customers WHERE EXISTS (SELECT FROM customers c WHERE c.email = 'x') AND id = 1",
            "x",
        ),
        (
            "SELECT id, 'a' FROM customers UNION ALL SELECT id, 'b' FROM customers WHERE email = 'x'",
            "x",
        ),
    ] {
        assert_eq!(hidden(text), expected, "{text}");
    }
}

#[test]
fn where_it_cannot_be_told_all_are_found() {
    let all = |text: &str, guard| find(text, LexMode::POSTGRES, guard);
    let unknown = Guarded { unknown: true, ..guarded() };
    for guard in [Guard::All, Guard::Some(&unknown)] {
        let found = all("SELEC 'x', 5 FRM t WHERE a = $1", guard);
        assert_eq!(found.constants.len(), 2);
        assert!(found.all);
    }
    let guarded = guarded();
    let found = all("SELECT 1 FROM t WHERE email = 'never ends", Guard::Some(&guarded));
    assert!(found.all && found.rest.is_some_and(|rest| rest <= 30), "{found:?}");
    let mysql = LexMode { dialect: Dialect::MySql, ..LexMode::POSTGRES };
    let text = "SELECT id FROM customers WHERE `email` = \"x\" AND city = 'y'";
    let values = find(text, mysql, Guard::Some(&guarded)).constants;
    assert_eq!(values.into_iter().map(|(_, value)| value).collect::<Vec<_>>(), ["x"]);
    assert_eq!(all("SELECT 'x'", Guard::Nothing), Found::default());
}
