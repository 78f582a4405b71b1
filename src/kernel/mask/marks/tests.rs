//! From rules to what a statement needs and what becomes of its result.

use super::*;
use crate::kernel::{
    access::Permission,
    catalog::{Column as CatalogColumn, Relation, RelationKind},
    mask::{Kind, Width},
    sql::{
        analysis::{Analysis, NeedOn},
        analyze,
        context::{Context, Masking, Overlay, SearchPath, Trust},
        mode::LexMode,
        text::StatementText,
    },
};

const RULES: &str = r#"[
    {"target": "shop", "column": "public.customers.email", "with": "email"},
    {"target": "shop", "column": "*.*.salary", "with": "null"},
    {"target": "shop", "column": "public.customers.nick", "with": "full", "predicates": "allow"},
    {"target": "other", "column": "*.*.*", "with": "full"}
]"#;

fn catalog() -> Catalog {
    let mut catalog = Catalog::default();
    for (oid, name, columns) in [
        (20_001, "customers", "id name email salary nick"),
        (20_002, "orders", "id customer_id note"),
        (20_003, "staff", "id salary"),
    ] {
        let mut relation = Relation::new(oid, "public", name, RelationKind::Table);
        let columns = columns.split_whitespace().zip(1..);
        relation.columns = columns
            .map(|(name, number)| CatalogColumn {
                number,
                name: name.into(),
                type_oid: if name == "salary" || name == "id" { 23 } else { 25 },
                type_name: "text".into(),
                generated: None,
            })
            .collect();
        catalog.add_relation(relation);
    }
    let rules = Rules { version: 7, list: serde_json::from_str(RULES).expect("rules") };
    let key = Arc::new(Key::new(&[7; 32]).expect("long enough"));
    let holds = |oid| match oid {
        23 => ColumnType::One(Kind::Integer(Width::Four)),
        _ => ColumnType::TEXT,
    };
    catalog.marks = Arc::new(Marks::compile(&rules, "shop", &catalog, key, holds));
    catalog
}

fn judged(text: &str) -> Analysis {
    judged_under(text, Masking::default())
}

fn judged_under(text: &str, masking: Masking) -> Analysis {
    let catalog = catalog();
    let cx = Context {
        mode: LexMode::POSTGRES,
        catalog: &catalog,
        path: &SearchPath::usual(),
        overlay: &Overlay::default(),
        trust: &Trust::default().with_masking(masking),
    };
    let checked = StatementText::new(text.as_bytes(), 1 << 20).expect("text");
    let batch = analyze(&checked, &cx).unwrap_or_else(|e| panic!("{text}: {e}"));
    Analysis::clone(batch.statements.last().expect("a statement"))
}

/// Why unmask is needed, if it is.
fn asks(text: &str) -> Vec<String> {
    asks_under(text, Masking::default())
}

fn asks_under(text: &str, masking: Masking) -> Vec<String> {
    let needs = judged_under(text, masking).needs;
    let unmask = needs.into_iter().filter(|need| need.permission == Permission::Unmask);
    unmask.map(|need| need.why).collect()
}

#[test]
fn rules_fall_on_the_columns_of_their_target_only() {
    let catalog = catalog();
    let marked = |relation, number| catalog.marks.marked(ColumnId { relation, number });
    assert_eq!(
        marked(20_001, 3).map(ToString::to_string).as_deref(),
        Some("public.customers.email")
    );
    assert_eq!(marked(20_001, 3).map(|m| (m.rule, m.predicates)), Some((1, Predicates::Equality)));
    assert_eq!(marked(20_003, 2).map(|m| (m.rule, m.predicates)), Some((2, Predicates::Deny)));
    assert_eq!(marked(20_001, 5).map(|m| m.predicates), Some(Predicates::Allow));
    assert!(marked(20_001, 1).is_none() && marked(20_002, 3).is_none());
    assert_eq!(catalog.marks.version(), 7);
}

#[test]
fn what_only_shows_columns_needs_no_more_than_select() {
    for text in [
        "SELECT * FROM customers",
        "SELECT email, upper(email) FROM customers WHERE id = 5",
        "SELECT id FROM customers WHERE email = 'ann@example.org'",
        "SELECT id FROM customers WHERE email IN ('a', 'b', $1)",
        "SELECT id FROM customers WHERE nick LIKE 'a%' ORDER BY nick",
        "SELECT count(*), count(email) FROM customers",
        "SELECT c.name, o.note FROM customers c JOIN orders o ON o.customer_id = c.id",
        "SELECT email FROM customers ORDER BY id LIMIT 5",
        "INSERT INTO customers (id, email) VALUES (1, 'x')",
        "UPDATE customers SET name = 'x' WHERE id = 1",
        "DELETE FROM customers WHERE id = 1",
        "CREATE TABLE t AS SELECT id, name FROM customers",
        "CREATE TABLE t (id int)",
        "EXPLAIN SELECT email FROM customers",
        "VACUUM orders",
    ] {
        assert_eq!(asks(text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn what_tells_values_in_another_way_needs_unmask() {
    for (text, part) in [
        ("SELECT id FROM customers WHERE salary = 5", "finds rows by public.customers.salary"),
        ("SELECT id FROM customers WHERE email IN ('a','b','c','d','e','f')", "finds rows by"),
        ("SELECT id FROM customers WHERE email LIKE 'a%'", "finds rows by public.customers.email"),
        ("EXPLAIN SELECT id FROM customers WHERE email > 'a'", "finds rows by"),
        ("SELECT id FROM customers ORDER BY email", "sorts or groups by"),
        ("SELECT DISTINCT salary FROM staff", "sorts or groups by public.staff.salary"),
        ("SELECT 1 / (salary - 5) FROM staff", "computes with public.staff.salary"),
        ("UPDATE customers SET email = 'x'", "overwrites public.customers.email"),
        ("UPDATE customers SET name = email", "copies public.customers.email"),
        ("CREATE TABLE t AS SELECT email FROM customers", "copies public.customers.email"),
        ("CREATE VIEW v AS SELECT * FROM customers", "copies"),
        ("ALTER TABLE customers RENAME COLUMN email TO e", "renames public.customers.email"),
        ("DO $$BEGIN END$$", "nothing can be masked"),
        ("COPY customers TO '/tmp/x'", "nothing can be masked"),
        ("SELECT pg_read_file('/etc/passwd')", "nothing can be masked"),
    ] {
        let asks = asks(text);
        assert!(asks.iter().any(|why| why.contains(part)), "{text}: {asks:?}");
    }
}

#[test]
fn where_writes_are_allowed_masked_columns_get_values_from_nowhere_only() {
    let allowed = Masking { writes_allowed: true, ..Masking::default() };
    for text in [
        "UPDATE customers SET email = 'x', salary = 5 WHERE id = 1",
        "UPDATE customers SET email = name WHERE id = 1 RETURNING email",
        "UPDATE customers SET (email, salary) = ('x', $1) WHERE email = 'y'",
        "INSERT INTO customers (id, email) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET email = 'x'",
        "MERGE INTO customers c USING orders o ON c.id = o.customer_id WHEN MATCHED THEN UPDATE SET email = o.note",
    ] {
        assert!(!asks(text).is_empty(), "{text}");
        assert_eq!(asks_under(text, allowed), Vec::<String>::new(), "{text}");
    }
    for (text, part) in [
        ("UPDATE customers SET email = nick", "copies"),
        ("UPDATE customers SET email = email || 'x'", "copies"),
        (
            "UPDATE customers SET nick = excluded_one FROM (SELECT email AS excluded_one FROM customers) s",
            "copies",
        ),
        (
            "UPDATE customers SET email = (SELECT email FROM customers WHERE id = 2) WHERE id = 1",
            "copies",
        ),
        ("UPDATE customers SET name = email", "copies public.customers.email"),
        ("UPDATE customers SET email = 'x' WHERE email LIKE 'a%'", "finds rows by"),
        ("UPDATE customers SET email = 'x' WHERE salary > 5", "finds rows by"),
        ("UPDATE customers SET salary = 1 / (salary - 5)", "computes with"),
        ("UPDATE customers SET email = 'x' RETURNING 1 / (salary - 5)", "computes with"),
        (
            "INSERT INTO customers (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET name = customers.email",
            "copies",
        ),
    ] {
        let asks = asks_under(text, allowed);
        assert!(asks.iter().any(|why| why.contains(part)), "{text}: {asks:?}");
    }
}

#[test]
fn where_masked_copies_are_refused_other_copies_and_reads_go_on() {
    let refused = Masking { copies_refused: true, ..Masking::default() };
    for text in [
        "COPY customers TO STDOUT",
        "COPY customers (id, email) TO STDOUT",
        "COPY (SELECT id, upper(email) FROM customers) TO STDOUT (FORMAT csv)",
        "COPY (SELECT * FROM nowhere) TO STDOUT",
    ] {
        assert_eq!(asks(text), Vec::<String>::new(), "{text}");
        let asks = asks_under(text, refused);
        assert!(asks.iter().any(|why| why.contains("mask.copy")), "{text}: {asks:?}");
    }
    for text in [
        "COPY customers (id, name) TO STDOUT",
        "COPY orders TO STDOUT",
        "COPY (SELECT id FROM customers WHERE email = 'x') TO STDOUT",
        "COPY customers FROM STDIN",
        "SELECT * FROM customers",
    ] {
        assert_eq!(asks_under(text, refused), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn where_what_is_not_known_is_refused_the_refusal_says_what_that_is() {
    let refused = Masking { unknown_refused: true, ..Masking::default() };
    for (text, part) in [
        ("SELECT * FROM nowhere", "what nowhere holds"),
        ("SELECT id, x FROM customers", "can't be told (x)"),
        ("DECLARE k CURSOR FOR SELECT * FROM nowhere", "what nowhere holds"),
        ("PREPARE p AS SELECT * FROM nowhere", "what nowhere holds"),
        ("COPY (SELECT * FROM nowhere) TO STDOUT", "what nowhere holds"),
        ("DELETE FROM customers WHERE id = 1 RETURNING x", "can't be told (x)"),
    ] {
        let before = asks(text);
        assert!(!before.iter().any(|why| why.contains("mask.unknown")), "{text}: {before:?}");
        let asks = asks_under(text, refused);
        let found = asks.iter().find(|why| why.contains("mask.unknown"));
        assert!(found.is_some_and(|why| why.contains(part)), "{text}: {asks:?}");
    }
    for text in [
        "SELECT * FROM customers",
        "SELECT email, upper(email), count(*) OVER () FROM customers WHERE id = 5",
        "SELECT * FROM orders, generate_series(1, 3) AS g",
        "SELECT count(*) FROM nowhere",
        "SELECT relname, pg_get_expr(relpartbound, oid) FROM pg_class",
        "EXECUTE p",
        "EXPLAIN EXECUTE p",
        "FETCH 5 FROM k",
        "COPY customers FROM STDIN",
        "CREATE TABLE t (id int)",
        "SHOW work_mem",
    ] {
        let asks = asks_under(text, refused);
        assert_eq!(asks, Vec::<String>::new(), "{text}");
    }
}

fn described(name: &str, relation: u32, number: i16, holds: ColumnType) -> Described<'_> {
    Described { name: name.as_bytes(), relation, number, holds, format: Format::Text }
}

const NUMBER: ColumnType = ColumnType::One(Kind::Integer(Width::Four));

fn order(text: &str, shown: &Shown) -> Option<Order> {
    judged(text).masked.and_then(|masked| masked.order(&Arc::new(shown.clone())))
}

#[test]
fn a_plan_masks_what_either_witness_says() {
    let order = order("SELECT id, email, upper(email) AS u FROM customers", &Shown::default());
    let order = order.expect("masked");
    let plan = |email: (u32, i16), id: (u32, i16)| {
        order.plan(&[
            described("id", id.0, id.1, NUMBER),
            described("email", email.0, email.1, ColumnType::TEXT),
            described("u", 0, 0, ColumnType::TEXT),
        ])
    };
    let masks = |plan: Result<Plan, Mismatch>| -> Vec<bool> {
        let plan = plan.expect("fits");
        let (masks, _) = plan.masks().expect("masked");
        masks.iter().map(Option::is_some).collect()
    };
    assert_eq!(masks(plan((20_001, 3), (20_001, 1))), [false, true, true]);
    // The header can't take a mask away, and it can put one where lineage has none.
    assert_eq!(masks(plan((0, 0), (20_001, 1))), [false, true, true]);
    assert_eq!(masks(plan((20_001, 3), (20_001, 4))), [true, true, true]);
    assert_eq!(masks(plan((20_001, 3), (20_003, 0))), [true, true, true]);
}

#[test]
fn a_header_of_another_shape_has_no_plan() {
    let order = order("SELECT id, email FROM customers", &Shown::default()).expect("masked");
    let id = described("id", 20_001, 1, NUMBER);
    let email = described("email", 20_001, 3, ColumnType::TEXT);
    let other = described("other", 20_001, 3, ColumnType::TEXT);
    assert!(order.plan(&[id, email]).is_ok());
    for columns in [&[id][..], &[id, email, email], &[id, other], &[email, id], &[]] {
        assert!(order.plan(columns).is_err(), "{columns:?}");
    }
}

#[test]
fn where_what_is_not_known_is_refused_it_has_no_plan() {
    let marks = Arc::clone(&catalog().marks);
    let unknown = Arc::new(Masked::unknown(&marks));
    let columns = [described("id", 20_001, 1, NUMBER)];
    let order = || unknown.order(&Arc::default()).expect("masked");
    assert_eq!(order().plan(&columns).expect("a plan").masked(), 1);
    assert_eq!(order().refusing(true).plan(&columns).err(), Some(Mismatch::Unknown));
    // What is known goes on.
    let known = self::order("SELECT id, email FROM customers", &Shown::default());
    let columns = [columns[0], described("email", 20_001, 3, ColumnType::TEXT)];
    assert!(known.expect("masked").refusing(true).plan(&columns).is_ok());
}

#[test]
fn what_may_be_seen_is_not_masked() {
    let text = "SELECT email, salary FROM customers";
    let columns =
        [described("email", 20_001, 3, ColumnType::TEXT), described("salary", 20_001, 4, NUMBER)];
    let email = ColumnId { relation: 20_001, number: 3 };
    let shown = Shown { all: false, columns: BTreeSet::from([email]) };
    let plan = order(text, &shown).expect("one is left").plan(&columns).expect("fits");
    assert_eq!(plan.masked(), 1);
    assert!(order(text, &Shown { all: true, columns: BTreeSet::new() }).is_none());
}

#[test]
fn texts_of_the_server_are_withheld_where_they_may_quote() {
    let scrubs = |text: &str| order(text, &Shown::default()).is_some_and(|order| order.scrubs());
    assert!(scrubs("SELECT id FROM customers"));
    assert!(scrubs("UPDATE customers SET name = 'x' WHERE id = 1"));
    assert!(!scrubs("SELECT * FROM orders"));
    assert!(judged("SELECT * FROM orders").masked.is_none());
}

#[test]
fn a_grant_on_some_tables_reaches_their_columns_only() {
    let needs = judged("SELECT id FROM customers WHERE salary > 5").needs;
    let unmask = needs.iter().find(|need| need.permission == Permission::Unmask).expect("needed");
    let on = NeedOn::Relation { schema: "public".into(), name: "customers".into(), of: Vec::new() };
    assert_eq!(unmask.on, on);
}

#[test]
fn a_rule_by_comment_holds_and_an_enum_gets_labels_only() {
    let mut catalog = catalog();
    catalog.add_comment(20_002, 3, "what they said; hallpass:pii");
    catalog.set_kinds(HashMap::from([(30_000, ColumnType::One(Kind::Enumeration))]));
    catalog.add_label(30_000, "sad");
    let mut relation = Relation::new(20_004, "public", "moods", RelationKind::Table);
    relation.columns = vec![CatalogColumn {
        number: 1,
        name: "mood".into(),
        type_oid: 30_000,
        type_name: "public.mood".into(),
        generated: None,
    }];
    catalog.add_relation(relation);
    let marked = |with: &str| {
        let rules = format!(
            r#"[{{"target": "*", "tag": "pii", "with": "full"}}, {{"target": "*", "type": "mood", "with": "{with}"}}]"#
        );
        let rules = Rules { version: 8, list: serde_json::from_str(&rules).expect("rules") };
        let key = Arc::new(Key::new(&[7; 32]).expect("long enough"));
        Marks::compile(&rules, "shop", &catalog, key, |_| ColumnType::TEXT)
    };
    let (note, mood) =
        (ColumnId { relation: 20_002, number: 3 }, ColumnId { relation: 20_004, number: 1 });
    let marks = marked("fixed('sad')");
    assert_eq!(marks.marked(note).map(|m| (m.rule, m.by_comment)), Some((1, true)));
    let mood_mark = marks.marked(mood).expect("marked");
    assert_eq!((mood_mark.with.name(), mood_mark.predicates), ("fixed", Predicates::Deny));
    assert_eq!(marked("fixed('merry')").marked(mood).map(|m| m.with.name()), Some("null"));
}

#[test]
fn what_nobody_knows_hides_more_than_what_is_known() {
    let catalog = catalog();
    let (known, blind) = (Some(&*catalog.marks), Marks::blind(8, None));
    let (nothing, reached) = (Shown::default(), BTreeSet::new());
    assert!(blind.hides_more(known, &nothing, Some(&reached)));
    assert!(blind.hides_more(None, &nothing, None));
    assert!(!blind.hides_more(Some(&blind), &nothing, None));
    assert!(!blind.hides_more(None, &Shown { all: true, ..Shown::default() }, None));
    assert!(!catalog.marks.hides_more(known, &nothing, None));
    assert!(catalog.marks.hides_more(None, &nothing, None));
    assert!(!catalog.marks.hides_more(None, &nothing, Some(&reached)));
}
