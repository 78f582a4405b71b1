//! How long it takes to judge an analytic query where columns are masked, read anew and from the cache.

use std::{hint::black_box, sync::Arc, time::Instant};

use hallpass::{
    kernel::{
        access::{Permission, Rights},
        catalog::{Catalog, Column, Relation, RelationKind},
        mask::{
            Key, Rules,
            marks::{Marks, Shown},
        },
        policy::{Decision, decide, decide::Caps},
        sql::{
            self,
            analysis::Batch,
            context::{Context, Overlay, SearchPath, Trust},
            mode::LexMode,
            normalize::{self, Normal},
            text::StatementText,
        },
        time::Timestamp,
    },
    session::{
        beside::analyze,
        cache::{Cache, Edition, ReadingState},
    },
    wire::pg::types::column_type,
};

const COLUMNS: [(&str, u32, &str); 20] = [
    ("id", 20, "bigint"),
    ("customer_id", 20, "bigint"),
    ("product_id", 20, "bigint"),
    ("email", 25, "text"),
    ("phone", 25, "text"),
    ("name", 25, "text"),
    ("birth_date", 1082, "date"),
    ("ssn", 25, "text"),
    ("iban", 25, "text"),
    ("country", 25, "text"),
    ("city", 25, "text"),
    ("status", 25, "text"),
    ("amount", 1700, "numeric"),
    ("discount", 1700, "numeric"),
    ("quantity", 23, "integer"),
    ("note", 25, "text"),
    ("created_at", 1184, "timestamp with time zone"),
    ("updated_at", 1184, "timestamp with time zone"),
    ("is_open", 16, "boolean"),
    ("payload", 3802, "jsonb"),
];

const RULES: &str = r#"[
    {"target": "shop", "column": "*.*.email", "with": "email"},
    {"target": "shop", "column": "*.*.phone", "with": "inner(3, 2)"},
    {"target": "shop", "column": "*.*.ssn", "with": "null"},
    {"target": "shop", "column": "*.*.iban", "with": "outer(2, 4)"},
    {"target": "shop", "column": "*.*.birth_date", "with": "truncate(year)"}
]"#;

/// Two kilobytes, as a dashboard writes them.
const QUERY: &str = "
WITH monthly AS (
    SELECT date_trunc('month', o.created_at) AS month, c.country, p.name AS product, o.customer_id,
           count(*) AS orders, sum(o.amount) AS revenue, sum(o.amount * o.discount) AS discounted,
           avg(o.quantity) AS average_quantity, max(o.created_at) AS last_order
    FROM table_17 o
    JOIN table_42 c ON c.id = o.customer_id
    LEFT JOIN table_99 p ON p.id = o.product_id
    WHERE o.created_at >= timestamptz '2024-01-01' AND o.created_at < timestamptz '2025-01-01'
      AND o.status IN ('paid', 'shipped', 'returned') AND c.country = ANY (ARRAY['DE', 'FR', 'IT', 'ES'])
      AND NOT EXISTS (SELECT 1 FROM table_250 r WHERE r.customer_id = o.customer_id AND r.is_open)
    GROUP BY 1, 2, 3, 4
), ranked AS (
    SELECT m.*, rank() OVER (PARTITION BY m.month, m.country ORDER BY m.revenue DESC) AS place,
           lag(m.revenue) OVER (PARTITION BY m.customer_id, m.product ORDER BY m.month) AS before,
           sum(m.revenue) OVER (PARTITION BY m.country ORDER BY m.month
                                ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS rolling
    FROM monthly m
), returned AS (
    SELECT x.customer_id, count(*) AS returns, sum(x.amount) AS amount
    FROM table_300 x WHERE x.status = 'returned' AND x.quantity BETWEEN 1 AND 50
    GROUP BY x.customer_id HAVING count(*) > 2
)
SELECT r.month, r.country, r.product, c.name, c.email, c.phone, c.city, c.birth_date, r.orders,
       round(r.revenue, 2) AS revenue, round(r.revenue - coalesce(r.before, 0), 2) AS growth, r.place,
       CASE WHEN r.revenue > 10000 THEN 'large' WHEN r.revenue > 1000 THEN 'middle' ELSE 'small' END AS class,
       coalesce(t.returns, 0) AS returns, (t.amount / nullif(r.revenue, 0))::numeric(6, 3) AS share,
       (SELECT max(l.updated_at) FROM table_401 l WHERE l.customer_id = c.id) AS seen, n.note,
       upper(left(c.city, 1)) || substr(c.city, 2) AS place_name, extract(week FROM r.last_order) AS week
FROM ranked r
JOIN table_42 c ON c.id = r.customer_id
LEFT JOIN returned t ON t.customer_id = c.id
LEFT JOIN LATERAL (SELECT string_agg(k.note, '; ') AS note FROM table_123 k
                   WHERE k.customer_id = c.id AND k.created_at > now() - interval '90 days') n ON true
WHERE r.place <= 20
ORDER BY r.month, r.country, r.place, revenue DESC LIMIT 500";

fn catalog() -> Catalog {
    let mut catalog = Catalog::default();
    for (number, oid) in (1..=500).zip(20_000..) {
        let name = format!("table_{number}");
        let mut relation = Relation::new(oid, "public", name, RelationKind::Table);
        let column = |(at, (name, type_oid, type_name)): (i16, &(&str, u32, &str))| Column {
            number: at,
            name: (*name).into(),
            type_oid: *type_oid,
            type_name: (*type_name).into(),
            generated: None,
        };
        relation.columns = (1..).zip(&COLUMNS).map(column).collect();
        catalog.add_relation(relation);
    }
    let rules = Rules { version: 1, list: serde_json::from_str(RULES).expect("rules") };
    let key = Arc::new(Key::new(&[7; 32]).expect("long enough"));
    catalog.marks = Arc::new(Marks::compile(&rules, "shop", &catalog, key, column_type));
    catalog
}

/// The best of some runs, in microseconds each.
fn best(runs: usize, times: usize, mut work: impl FnMut()) -> f64 {
    let run = |_| {
        let began = Instant::now();
        (0..times).for_each(|_| work());
        began.elapsed().as_secs_f64() * 1e6 / f64::from(u32::try_from(times).expect("few"))
    };
    (0..runs).map(run).fold(f64::MAX, f64::min)
}

#[test]
fn the_time_of_an_analysis() {
    if std::env::var_os("HALLPASS_TIME_MASKS").is_none() {
        return;
    }
    let work = || {
        let (masked, mut bare) = (catalog(), catalog());
        bare.marks = Arc::default();
        let state = ReadingState {
            mode: LexMode::POSTGRES,
            path: SearchPath::usual(),
            overlay: Overlay::default(),
        };
        let trust = Trust::default();
        let read = |catalog: &Catalog| -> Arc<Batch> {
            let ReadingState { mode, path, overlay } = &state;
            let cx = Context { mode: *mode, catalog, path, overlay, trust: &trust };
            let text = StatementText::new(QUERY.as_bytes(), 1 << 20).expect("text");
            Arc::new(analyze(&text, &cx).unwrap_or_else(|e| panic!("{e}")))
        };
        let alone = || {
            let ReadingState { mode, path, overlay } = &state;
            let cx = Context { mode: *mode, catalog: &masked, path, overlay, trust: &trust };
            let text = StatementText::new(QUERY.as_bytes(), 1 << 20).expect("text");
            sql::analyze(&text, &cx).unwrap_or_else(|e| panic!("{e}"))
        };
        let alone = best(7, 40, || drop(black_box(alone())));
        let without = best(7, 40, || drop(black_box(read(&bare))));
        let miss = best(7, 40, || drop(black_box(read(&masked))));

        let rights =
            Rights { standing: [Permission::Select].into_iter().collect(), ..Rights::default() };
        let caps = Caps { rows: 1000, bytes: 1 << 20, catalog_bytes: 1 << 20 };
        let (mut cache, mut normal) = (Cache::default(), Normal::default());
        let id = cache.state(&state);
        let read_as = (Edition { target: 1, epoch: 1 }, id);
        let mut hit = |query: &str, is_new: bool| {
            let text = StatementText::new(query.as_bytes(), 1 << 20).expect("text");
            let batch = cache.known_text(read_as, query, state.mode).or_else(|| {
                normalize::normalize(&text, state.mode, &mut normal).expect("it is read");
                let mut key = cache.key(read_as.0, id);
                key.extend_from_slice(&normal.key);
                match cache.find(key) {
                    Ok(batch) => {
                        cache.keep_text(read_as, query, (state.mode, &normal), &batch);
                        Some(batch)
                    }
                    Err(key) => {
                        assert!(is_new);
                        cache.insert(key, read(&masked));
                        None
                    }
                }
            });
            let Some(batch) = batch else { return };
            let [only] = batch.statements.as_slice() else { panic!("one statement") };
            let analyses = batch.statements.iter().map(AsRef::as_ref);
            let decision = decide(analyses, &rights, caps, Timestamp(0));
            let Decision::Permit(permit) = decision else { panic!("{decision:?}") };
            let nothing = Arc::<Shown>::default();
            let shown = permit.shown().unwrap_or(&nothing);
            let masked = only.masked.as_ref().expect("it reads masked columns");
            assert!(black_box(masked.order(shown)).is_some_and(|order| order.masks()));
        };
        hit(QUERY, true);
        let same = best(7, 4000, || hit(QUERY, false));
        // Never the same text twice in a row: other constants, and so the same key.
        let others: Vec<_> =
            (0..10_000).map(|n| QUERY.replace("> 10000 ", &format!("> {n} "))).collect();
        let mut next = others.iter().cycle();
        let other = best(7, 4000, || hit(next.next().expect("endless"), false));
        eprintln!(
            "a query of {} bytes over 500 tables: {miss:.0} us read anew ({without:.0} without rules, {alone:.0} on one thread), {same:.1} us from the cache, \
             {other:.1} with other constants",
            QUERY.len()
        );
        assert!(miss < 1000.0 && same < 5.0 && other < 5.0, "{miss} us, {same} us, {other} us");
    };
    let thread = std::thread::Builder::new().stack_size(64 << 20).spawn(work);
    thread.expect("spawns").join().expect("passes");
}
