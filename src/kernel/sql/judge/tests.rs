//! What a statement does to its session.

use std::sync::Arc;

use crate::kernel::{
    access::Permission,
    catalog::{
        Cascade, CascadeAction, Catalog, Column, Relation, RelationKind, Routine, RoutineKind,
        TypeShape, UserCast, UserOperator, Volatility,
    },
    sql::{
        analysis::{Analysis, NeedOn, SessionEffect, StatementClass},
        analyze,
        context::{Context, Overlay, SearchPath, Trust},
        mode::LexMode,
        reading::{SettingChange, TransactionChange},
        text::StatementText,
    },
};

fn one(text: &str) -> Arc<Analysis> {
    one_in(&Catalog::default(), text)
}

fn one_in(catalog: &Catalog, text: &str) -> Arc<Analysis> {
    let cx = Context {
        mode: LexMode::POSTGRES,
        catalog,
        path: &SearchPath::usual(),
        overlay: &Overlay::default(),
        trust: &Trust::default(),
    };
    let checked = StatementText::new(text.as_bytes(), 1 << 20).expect("text");
    let batch = analyze(&checked, &cx).unwrap_or_else(|e| panic!("{text}: {e}"));
    assert_eq!(batch.statements.len(), 1, "{text}");
    Arc::clone(batch.statements.first().expect("one"))
}

fn effects(text: &str) -> Vec<SessionEffect> {
    one(text).effects.clone()
}

fn setting(name: &str, value: Option<&str>, local: bool) -> SessionEffect {
    SessionEffect::Setting(SettingChange {
        name: name.to_owned(),
        value: value.map(str::to_owned),
        local,
    })
}

#[test]
fn transactions_are_told_as_they_change() {
    let effect = |text| match effects(text).as_slice() {
        [SessionEffect::Transaction(change)] => change.clone(),
        other => panic!("{text}: {other:?}"),
    };
    assert_eq!(effect("BEGIN"), TransactionChange::Begin { read_write: None });
    assert_eq!(effect("BEGIN READ WRITE"), TransactionChange::Begin { read_write: Some(true) });
    assert_eq!(effect("COMMIT AND CHAIN"), TransactionChange::Commit { chain: true });
    assert_eq!(effect("ROLLBACK TO s"), TransactionChange::RollbackTo("s".into()));
    assert_eq!(
        effect("SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE"),
        TransactionChange::Set { read_write: Some(true), session: true }
    );
}

#[test]
fn settings_are_effects_on_every_route() {
    assert_eq!(
        effects("SET search_path = hr, public"),
        [setting("search_path", Some("hr, public"), false)]
    );
    assert_eq!(effects("SET LOCAL search_path TO DEFAULT"), [setting("search_path", None, true)]);
    assert_eq!(effects("RESET ALL"), [setting("*", None, false)]);
    assert_eq!(
        effects("SELECT set_config('Search_Path', 'hr', false)"),
        [setting("search_path", Some("hr"), false)]
    );
    assert_eq!(
        effects("SELECT set_config('search_path', $1, false)"),
        [setting("search_path", None, false)],
        "a value that is no constant is unknown"
    );
}

#[test]
fn prepared_statements_and_cursors_carry_what_they_do() {
    let prepared = effects("PREPARE p AS DELETE FROM t");
    let [SessionEffect::Prepare { name, inner }] = prepared.as_slice() else {
        panic!("{prepared:?}")
    };
    assert!(name == "p" && inner.writes && !one("PREPARE p AS DELETE FROM t").writes);
    let declared = effects("DECLARE c CURSOR WITH HOLD FOR SELECT * FROM t");
    let [SessionEffect::Declare { name, holds, inner }] = declared.as_slice() else {
        panic!("{declared:?}")
    };
    assert!(name == "c" && *holds && inner.returns_user_rows);
    assert_eq!(effects("DEALLOCATE ALL"), [SessionEffect::Deallocate(None)]);
    assert_eq!(effects("DEALLOCATE p"), [SessionEffect::Deallocate(Some("p".into()))]);
    assert_eq!(effects("CLOSE c"), [SessionEffect::Close(Some("c".into()))]);
    assert_eq!(effects("CLOSE ALL"), [SessionEffect::Close(None)]);
}

#[test]
fn names_are_told_where_something_runs_by_name() {
    assert_eq!(one("EXECUTE p (1)").executes.as_deref(), Some("p"));
    assert_eq!(one("EXPLAIN ANALYZE EXECUTE p").executes.as_deref(), Some("p"));
    assert_eq!(one("EXPLAIN EXECUTE p").executes.as_deref(), Some("p"));
    assert_eq!(one("CREATE TABLE t AS EXECUTE p").executes.as_deref(), Some("p"));
    assert_eq!(one("FETCH 5 FROM c").fetches.as_deref(), Some("c"));
    assert_eq!(one("MOVE 5 IN c").fetches.as_deref(), Some("c"), "MOVE runs the query too");
    assert_eq!(one("SELECT 1").executes, None);
}

#[test]
fn discards_say_how_much() {
    assert_eq!(effects("DISCARD ALL"), [SessionEffect::DiscardAll]);
    assert_eq!(effects("DISCARD TEMP"), [SessionEffect::DiscardPart]);
}

#[test]
fn schema_changes_name_what_they_touch() {
    let names = |text: &str| match effects(text).as_slice() {
        [SessionEffect::SchemaChange(names), ..] => names.clone(),
        other => panic!("{text}: {other:?}"),
    };
    assert_eq!(names("CREATE TEMP TABLE t (id int)"), ["t"]);
    assert_eq!(names("SELECT 1 AS a INTO t"), ["t"]);
    assert_eq!(names("CREATE VIEW v AS SELECT * FROM t"), ["v"]);
    assert_eq!(names("DROP TABLE a.b, c"), ["b", "c"]);
    assert_eq!(names("ALTER TABLE t RENAME TO pg_class"), ["pg_class", "t"]);
    assert!(effects("INSERT INTO t VALUES (1)").is_empty());
}

#[test]
fn code_that_may_do_anything_is_told() {
    for text in [
        "DO 'x'",
        "CALL p()",
        "SELECT nosuchfunction()",
        "EXPLAIN SELECT nosuchfunction()",
        "CREATE EXTENSION hstore",
        "SELECT set_config('search' || '_path', 'hr', false)",
        "SELECT query_to_xml('SELECT set_config(''search_path'', ''hr'', false)', true, false, '')",
        "UPDATE pg_settings SET setting = 'hr' WHERE name = 'search_path'",
    ] {
        assert!(effects(text).contains(&SessionEffect::RunsUserCode), "{text}");
    }
    for text in ["SELECT lower('A')", "EXPLAIN SELECT lower('A')", "DELETE FROM t"] {
        assert!(!effects(text).contains(&SessionEffect::RunsUserCode), "{text}");
    }
}

#[test]
fn code_of_redefined_tables_and_deferred_triggers_is_told() {
    let mut catalog = sneaky();
    catalog.add_relation(table(1, "plain", 23));
    catalog.add_relation(Relation { calls: vec![900], ..table(2, "checked", 23) });
    catalog.add_relation(Relation { triggers: vec![900], ..table(3, "watched", 23) });
    let told = |text| one_in(&catalog, text).effects.contains(&SessionEffect::RunsUserCode);
    for text in [
        "ALTER TABLE checked ADD y int",
        "CREATE INDEX ON checked (x)",
        "ANALYZE",
        "ANALYZE checked",
        "REINDEX TABLE checked",
        "SET CONSTRAINTS ALL IMMEDIATE",
    ] {
        assert!(told(text), "{text}");
    }
    for text in
        ["ALTER TABLE plain ADD y int", "CREATE INDEX ON plain (x)", "SELECT x FROM checked"]
    {
        assert!(!told(text), "{text}");
    }
}

/// A catalog with a routine that may do anything, of oid 900.
fn sneaky() -> Catalog {
    let mut catalog = Catalog::default();
    catalog.add_routine(Routine {
        oid: 900,
        schema: "public".into(),
        name: "sneaky".into(),
        kind: RoutineKind::Function,
        volatility: Volatility::Volatile,
        security_definer: false,
        language: "plpgsql".into(),
        extension: None,
        takes_rows: false,
        argument_code: vec![],
        types: vec![],
    });
    catalog
}

fn table(oid: u32, name: &str, type_oid: u32) -> Relation {
    let mut relation = Relation::new(oid, "public", name, RelationKind::Table);
    relation.columns = vec![Column {
        number: 1,
        name: "x".into(),
        type_oid,
        type_name: "?".into(),
        generated: None,
    }];
    relation
}

#[test]
fn a_key_that_acts_is_known_by_whatever_name_its_column_goes() {
    let mut catalog = Catalog::default();
    let column = |number, name: &str| Column {
        number,
        name: name.into(),
        type_oid: 23,
        type_name: "integer".into(),
        generated: None,
    };
    let cascade = Cascade {
        from: 2,
        from_columns: vec![1],
        to_columns: vec![1],
        on_delete: CascadeAction::Nothing,
        on_update: CascadeAction::Updates,
    };
    let columns = vec![column(1, "id"), column(2, "n")];
    let roots =
        Relation { columns: columns.clone(), cascades: vec![cascade], ..table(1, "roots", 23) };
    catalog.add_relation(roots);
    catalog.add_relation(table(2, "stems", 23));
    // Its `n` is the table's `id`.
    let mut view = Relation::new(3, "public", "swapped", RelationKind::View);
    view.columns = columns;
    view.reads = vec![1];
    catalog.add_relation(view);
    let reaches = |text: &str| {
        let stems = |on: &NeedOn| matches!(on, NeedOn::Relation { name, .. } if name == "stems");
        one_in(&catalog, text).needs.iter().any(|need| stems(&need.on))
    };
    for text in [
        "UPDATE roots SET id = 1",
        "UPDATE swapped SET n = 1",
        "UPDATE roots SET renamed_a_moment_ago = 1",
        "INSERT INTO swapped VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET n = 1",
    ] {
        assert!(reaches(text), "{text}");
    }
    for text in ["UPDATE roots SET n = 1", "DELETE FROM roots", "INSERT INTO swapped VALUES (1)"] {
        assert!(!reaches(text), "{text}");
    }
}

#[test]
fn a_cast_from_or_to_a_users_type_waits_for_a_value_of_one() {
    let mut catalog = sneaky();
    for relation in
        [table(1, "plain", 23), table(2, "typed", 16_500), table(3, "odd", 23), table(4, "t", 23)]
    {
        catalog.add_relation(relation);
    }
    let cast = |target: &str, to: Option<u32>| UserCast {
        target: target.into(),
        target_oid: to.unwrap_or(25),
        routine: 900,
        from: None,
        to,
        implicit: true,
        in_expressions: true,
    };
    // The rows of the table of that name, which are the type.
    let rows = TypeShape { parts: vec![23], calls: Vec::new(), compares: Vec::new() };
    catalog.add_shape("odd", 16_500, rows);
    let mut everywhere = catalog.clone();
    everywhere.add_cast(cast("text", None));
    catalog.add_cast(cast("odd", Some(16_500)));
    let free = [
        "SELECT 1",
        "SELECT x, count(*) FROM plain WHERE x = 1 GROUP BY x",
        "SELECT x::int8, cast(x AS double precision) FROM plain JOIN t USING (x)",
        "SELECT relname FROM pg_class",
        "INSERT INTO plain VALUES (1)",
    ];
    let bound = [
        "SELECT * FROM typed",
        "SELECT x FROM odd",
        "SELECT 1::odd",
        "SELECT x::mood FROM plain",
        "SELECT $1",
        "SELECT x FROM unheard_of",
        "SELECT sneaky()",
        "EXECUTE p(1)",
        "CREATE TABLE more (y odd)",
        "SELECT * FROM json_to_record('{}') AS r (y odd)",
    ];
    for text in free {
        assert_ne!(one_in(&catalog, text).class, StatementClass::Admin, "{text}");
        assert_eq!(one_in(&everywhere, text).class, StatementClass::Admin, "{text}");
    }
    for text in bound {
        assert_eq!(one_in(&catalog, text).class, StatementClass::Admin, "{text}");
    }
    catalog.add_operator(
        "=",
        UserOperator { schema: "public".into(), routine: 900, operands: vec![16_600] },
    );
    assert_ne!(one_in(&catalog, "SELECT 1").class, StatementClass::Admin);
    catalog.add_operator(
        "=",
        UserOperator { schema: "public".into(), routine: 16_501, operands: vec![] },
    );
    let unknown = one_in(&catalog, "SELECT 1");
    assert_eq!(unknown.class, StatementClass::Admin, "of any type, by a routine nobody knows");
}

#[test]
fn statements_without_a_place_for_expressions_run_no_operator() {
    let mut catalog = sneaky();
    catalog.add_operator(
        "=",
        UserOperator { schema: "public".into(), routine: 900, operands: vec![] },
    );
    for text in [
        "BEGIN",
        "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
        "SAVEPOINT s",
        "COMMIT",
        "SET work_mem = '1MB'",
        "DEALLOCATE ALL",
        "FETCH 1 FROM c",
        "DISCARD PLANS",
    ] {
        let analysis = one_in(&catalog, text);
        assert!(analysis.class <= StatementClass::Info, "{text}: {:?}", analysis.needs);
        assert!(!analysis.effects.contains(&SessionEffect::RunsUserCode), "{text}");
    }
    for text in ["SELECT 1", "EXECUTE p(1)", "PREPARE p AS SELECT 1", "VALUES (1)"] {
        assert_eq!(one_in(&catalog, text).class, StatementClass::Admin, "{text}");
    }
}

#[test]
fn a_plan_has_no_effects() {
    assert!(effects("EXPLAIN CREATE TABLE t AS SELECT 1").is_empty());
    assert!(effects("EXPLAIN DECLARE c CURSOR FOR SELECT 1").is_empty());
    assert!(!effects("EXPLAIN ANALYZE CREATE TABLE t AS SELECT 1").is_empty());
}

#[test]
fn a_span_is_the_statement_without_its_semicolon() {
    assert_eq!(one("  SELECT 1 ; ").span, 2..10);
}

#[test]
fn reasons_read_well_in_an_error() {
    let why = |text: &str| one(text).needs.first().map(|n| n.why.clone()).unwrap_or_default();
    assert_eq!(why("SELECT * FROM hr.salaries"), "reads hr.salaries");
    assert_eq!(why("DELETE FROM orders"), "writes orders");
    assert_eq!(why("SELECT pg_sleep(1)"), "calls pg_sleep()");
    assert_eq!(why("TRUNCATE orders"), "empties a table with TRUNCATE: orders");
    assert_eq!(
        why("SELECT query || '' FROM pg_stat_activity"),
        "reads other people's SQL in pg_stat_activity.query: name other columns"
    );
}

#[test]
fn a_type_that_was_made_a_moment_ago_needs_select_on_all_and_opens_no_wall() {
    let text = "SELECT 'a'::made_just_now";
    assert_eq!(one(text).class, StatementClass::Admin, "nothing was read yet");
    let mut catalog = Catalog::default();
    catalog.epoch = 1;
    catalog.server_version_num = 150_000;
    let later = one_in(&catalog, text);
    let needs: Vec<_> = later.needs.iter().map(|n| (n.permission, n.on.clone())).collect();
    assert_eq!(
        needs,
        [(Permission::Select, NeedOn::WholeTarget), (Permission::Select, NeedOn::Code)]
    );
    assert!(!later.writes && later.effects.contains(&SessionEffect::RunsUserCode));
}

#[test]
fn what_is_hidden_is_known_by_its_place() {
    let hidden = |text: &str| {
        let analysis = one(text);
        let hidden = analysis.hidden.as_ref();
        hidden.map(|h| (h.width, h.columns.iter().copied().collect::<Vec<_>>()))
    };
    assert_eq!(hidden("SELECT query FROM pg_stat_activity"), Some((1, vec![0])));
    assert_eq!(
        hidden("SELECT pid, a.query, now(), query AS q FROM pg_stat_activity a"),
        Some((4, vec![1, 3]))
    );
    assert_eq!(hidden("SELECT pid FROM pg_stat_activity"), None);
    // Nobody knows the columns of what was never read.
    assert_eq!(hidden("SELECT * FROM pg_stat_activity"), None);
    assert_eq!(hidden("SELECT a.query, c.* FROM pg_stat_activity a, pg_class c"), None);
    assert_eq!(one("SELECT * FROM pg_stat_activity").class, StatementClass::Admin);
}

/// Runs on a thread with this stack; an overflow would end the whole test process.
fn on_stack(bytes: usize, work: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(bytes).spawn(work).expect("spawns");
    thread.join().expect("no panic");
}

/// Statements of every way to nest, this deep.
fn nested(depth: usize) -> Vec<String> {
    let around = |open: &str, inner: &str, close: &str| {
        format!("SELECT {}{inner}{}", open.repeat(depth), close.repeat(depth))
    };
    vec![
        around("(", "1", ")"),
        around("(SELECT ", "1", ")"),
        around("abs(", "1", ")"),
        around("NOT ", "true", ""),
        around("- ", "1", ""),
        around("CASE WHEN true THEN ", "1", " END"),
        around("ARRAY[", "1", "]"),
        around("1 + ", "1", ""),
        around("1 IN (SELECT ", "1", ")"),
        around("ROW(", "1", ")"),
        around("CAST(", "1", " AS int)"),
        format!("SELECT 1{}", " + 1".repeat(depth)),
        format!("SELECT 1{}", "::int".repeat(depth)),
        format!("SELECT true{}", " OR true".repeat(depth)),
        format!("SELECT a{}", "[1]".repeat(depth)),
        format!("SELECT (a){}", ".b".repeat(depth)),
        format!("SELECT 1{}", " UNION ALL SELECT 1".repeat(depth)),
        format!("SELECT * FROM {}t{}", "(SELECT * FROM ".repeat(depth), ") x".repeat(depth)),
        format!("SELECT * FROM t{}", " JOIN t USING (a)".repeat(depth)),
        format!("{}SELECT 1{}", "WITH x AS (".repeat(depth), ") SELECT 1".repeat(depth)),
    ]
}

/// True if the lexer lets it through and says which stack it needs.
fn lexed(text: &str) -> Option<bool> {
    use crate::kernel::sql::lex::{Limits, tokenize};
    let checked = StatementText::new(text.as_bytes(), 1 << 20).ok()?;
    let tokens = tokenize(&checked, LexMode::POSTGRES, &Limits::DEFAULT).ok()?;
    Some(tokens.needs_large_stack())
}

fn analyzed(text: &str) {
    let catalog = Catalog::default();
    let (path, overlay, trust) = (SearchPath::usual(), Overlay::default(), Trust::default());
    let mode = LexMode::POSTGRES;
    let cx = Context { mode, catalog: &catalog, path: &path, overlay: &overlay, trust: &trust };
    let checked = StatementText::new(text.as_bytes(), 1 << 20).expect("text");
    // Read or refused, but not dead.
    drop(analyze(&checked, &cx));
}

#[test]
fn what_needs_no_large_stack_fits_into_an_ordinary_one() {
    let texts: Vec<String> = [5, 10, 20, 40, 60, 80, 100, 150, 200, 300]
        .into_iter()
        .flat_map(nested)
        .filter(|text| lexed(text) == Some(false))
        .collect();
    assert!(texts.len() > 60, "{} texts", texts.len());
    on_stack(2 << 20, move || texts.iter().for_each(|text| analyzed(text)));
}

#[test]
fn what_the_lexer_lets_through_fits_into_a_large_stack() {
    let texts: Vec<String> = [100, 400, 490, 1000, 2500, 4900]
        .into_iter()
        .flat_map(nested)
        .filter(|text| lexed(text).is_some())
        .collect();
    assert!(texts.len() > 30, "{} texts", texts.len());
    on_stack(64 << 20, move || texts.iter().for_each(|text| analyzed(text)));
}

/// The catalog of a server that has `pg_class` and `pg_stats`, with tables in `a` and `b`.
fn of_two_schemas() -> Catalog {
    let mut catalog = Catalog::default();
    let names = [
        ("pg_catalog", "pg_class"),
        ("pg_catalog", "pg_stats"),
        ("a", "t"),
        ("b", "t"),
        ("b", "alone"),
        ("b", "pg_stats"),
        ("b", "pg_wait_events"),
    ];
    for (oid, (schema, name)) in (1_u32..).zip(names) {
        let (schema, name) = (schema.to_owned(), name.to_owned());
        catalog.add_relation(Relation::new(oid + 20_000, schema, name, RelationKind::Table));
    }
    catalog
}

fn needs_along(path: &[&str], overlay: &Overlay, text: &str) -> Vec<(Permission, String)> {
    let catalog = of_two_schemas();
    let cx = Context {
        mode: LexMode::POSTGRES,
        catalog: &catalog,
        path: &SearchPath::Known(path.iter().map(|s| (*s).to_owned()).collect()),
        overlay,
        trust: &Trust::default(),
    };
    let checked = StatementText::new(text.as_bytes(), 1 << 20).expect("text");
    let batch = analyze(&checked, &cx).unwrap_or_else(|e| panic!("{text}: {e}"));
    let last = batch.statements.last().expect("one");
    let on = |on: &NeedOn| match on {
        NeedOn::Relation { schema, name, .. } => format!("{schema}.{name}"),
        other => format!("{other:?}"),
    };
    let mut needs: Vec<_> = last.needs.iter().map(|n| (n.permission, on(&n.on))).collect();
    needs.sort();
    needs
}

#[test]
fn a_bare_name_is_judged_by_everything_that_it_may_come_to_mean() {
    use Permission::{Admin, Info, Select};
    let own = |path: &[&str], text: &str| needs_along(path, &Overlay::default(), text);
    let select = |name: &str| (Select, name.to_owned());
    let usual = ["pg_catalog", "a", "b"];
    assert_eq!(own(&usual, "TABLE t"), [select("a.t"), select("b.t")]);
    assert_eq!(own(&usual, "TABLE a.t"), [select("a.t")]);
    assert_eq!(own(&usual, "TABLE alone"), [select("b.alone")]);
    let info = (Info, "Anything".to_owned());
    assert_eq!(own(&usual, "SELECT relname FROM pg_class"), std::slice::from_ref(&info));
    // The list knows it, this server does not.
    let both = [info.clone(), select("b.pg_wait_events")];
    assert_eq!(own(&usual, "TABLE pg_wait_events"), both);
    let admin = (Admin, "WholeTarget".to_owned());
    let behind = [info, select("b.pg_stats"), admin.clone()];
    assert_eq!(own(&["b", "pg_catalog"], "TABLE pg_stats"), behind);
    let sure = |text: &str, overlay: &Overlay| {
        let needs = needs_along(&["pg_catalog", "pg_temp_1"], overlay, text);
        assert!(needs.contains(&admin), "{text}: {needs:?}");
    };
    let (mut touched, mut anything) = (Overlay::default(), Overlay::default());
    touched.add(["pg_stats".to_owned()]);
    anything.add_anything();
    sure("TABLE pg_stats", &touched);
    sure("TABLE pg_stats", &anything);
    sure("SET search_path = b; TABLE pg_stats", &Overlay::default());
    sure("CREATE TABLE b.pg_stats (a int); TABLE pg_stats", &Overlay::default());
    sure("DISCARD TEMP; EXECUTE q", &Overlay::default());
    sure("DROP TABLE b.t; EXECUTE q", &Overlay::default());
}

#[test]
fn rows_get_no_catalogs_name_without_the_right_to_read_them() {
    let own = |text: &str| needs_along(&["a"], &Overlay::default(), text);
    for (text, on) in [
        ("ALTER TABLE b.alone RENAME TO tables", "b.alone"),
        ("ALTER TABLE b.pg_wait_events SET SCHEMA a", "b.pg_wait_events"),
        ("ALTER TABLE b.alone INHERIT b.pg_wait_events", "b.alone"),
        ("ALTER SCHEMA b RENAME TO c", "WholeTarget"),
    ] {
        let needs = own(text);
        assert!(needs.contains(&(Permission::Select, on.to_owned())), "{text}: {needs:?}");
    }
    let needs = own("ALTER TABLE b.alone RENAME TO other");
    assert!(needs.iter().all(|(p, _)| *p == Permission::Ddl), "{needs:?}");
}
