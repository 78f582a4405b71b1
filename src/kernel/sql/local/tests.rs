use super::*;
use crate::kernel::sql::{
    lex::{Limits, tokenize},
    mode::LexMode,
    text::StatementText,
};

fn all(text: &str) -> Result<Vec<Option<LocalCall>>, UnknownShape> {
    let checked = StatementText::new(text.as_bytes(), 1 << 20).expect("text");
    recognise(&tokenize(&checked, LexMode::POSTGRES, &Limits::DEFAULT).expect("lexes"), text)
}

fn one(text: &str) -> LocalCall {
    match all(text).as_deref() {
        Ok([Some(call)]) => call.clone(),
        other => panic!("{text}: {other:?}"),
    }
}

fn text(value: &str) -> LocalArgument {
    LocalArgument::Text(value.to_owned())
}

#[test]
fn functions_in_the_ways_clients_write_them() {
    let arguments = vec![text("select"), text("30m"), text("it's INC-42")];
    let shape = LocalShape::Function(arguments.clone());
    let expected = |output: Option<&str>| LocalCall {
        output: output.map(str::to_owned),
        ..LocalCall::new("request".to_owned(), shape.clone())
    };
    for (output, sql) in [
        (None, "SELECT hallpass.request('select', '30m', 'it''s INC-42')"),
        (Some("r"), "select \"hallpass\" . Request('select','30m','it''s INC-42') AS r;"),
        (
            Some("x"),
            "SELECT * FROM hallpass.request('select'::text, '30m'::varchar(10), $$it's INC-42$$) x",
        ),
        (
            Some("result"),
            "/* a */ select * from hallpass.request(CAST('select' AS text), interval '30m', E'it\\'s INC-42') as result",
        ),
        (None, "SELECT hallpass.request('sel' -- it's\n 'ect', '30m', 'it''s INC-42')"),
    ] {
        assert_eq!(one(sql), expected(output), "{sql}");
    }
    assert_eq!(
        one("CALL hallpass.request('select', '30m', 'it''s INC-42')").shape,
        LocalShape::Procedure(arguments)
    );
    assert_eq!(one("SELECT hallpass.whoami()").shape, LocalShape::Function(Vec::new()));
}

#[test]
fn parameters_with_and_without_casts() {
    let expected = LocalShape::Function(vec![
        LocalArgument::Parameter(1),
        LocalArgument::Parameter(2),
        LocalArgument::Null,
        text("-17"),
        text("true"),
    ]);
    assert_eq!(one("SELECT hallpass.f($1, $2::text, NULL, -17, true)").shape, expected);
    assert_eq!(
        one("select * from hallpass.f($1::pg_catalog.text,$2,null,-17,TRUE) as result").shape,
        expected
    );
}

#[test]
fn views_with_conditions() {
    assert_eq!(
        one("SELECT * FROM hallpass.requests").shape,
        LocalShape::View(LocalView::default())
    );
    assert_eq!(one("TABLE hallpass.requests").shape, LocalShape::View(LocalView::default()));
    assert_eq!(
        one("SELECT r.* FROM hallpass.requests r LIMIT 200").shape,
        LocalShape::View(LocalView { limit: Some(200), ..LocalView::default() })
    );
    assert_eq!(
        one(
            "SELECT id, r.state FROM hallpass.requests AS r WHERE r.state = 'pending' AND id = $1 \
             ORDER BY id DESC, r.state LIMIT 5"
        )
        .shape,
        LocalShape::View(LocalView {
            columns: vec!["id".into(), "state".into()],
            equals: vec![
                ("state".into(), text("pending")),
                ("id".into(), LocalArgument::Parameter(1))
            ],
            order: vec![("id".into(), true), ("state".into(), false)],
            limit: Some(5),
        })
    );
    assert_eq!(
        one("SELECT count(*) FROM hallpass.requests").shape,
        LocalShape::View(LocalView { columns: vec!["count(*)".into()], ..LocalView::default() })
    );
}

#[test]
fn settings() {
    let set = |value: Option<&str>| LocalShape::Set(value.map(str::to_owned));
    assert_eq!(one("SHOW hallpass.over").shape, LocalShape::Show);
    assert_eq!(one("SET hallpass.over = 'cut'").shape, set(Some("cut")));
    assert_eq!(one("SET SESSION hallpass.over TO Cut").shape, set(Some("cut")));
    assert_eq!(one("set local hallpass.over = 5").shape, set(Some("5")));
    assert_eq!(one("SET hallpass.over = DEFAULT").shape, set(None));
    assert_eq!(one("RESET hallpass.over").shape, set(None));
    assert_eq!(one("SET hallpass.over = 'cut'").name, "over");
}

#[test]
fn other_statements_are_not_ours() {
    for sql in ["SELECT 1", "SELECT 'hallpass.request(1)'", "SELECT hallpass FROM t", ""] {
        assert!(all(sql).expect("fine").iter().all(Option::is_none), "{sql}");
    }
    let mixed = all("BEGIN; SELECT hallpass.f(); COMMIT").expect("fine");
    assert_eq!(mixed.iter().map(Option::is_some).collect::<Vec<_>>(), [false, true, false]);
}

#[test]
fn other_shapes_are_refused_wherever_the_schema_stands() {
    for sql in [
        "SELECT * FROM hallpass.requests, users",
        "SELECT * FROM hallpass.requests r JOIN users u ON true",
        "SELECT * FROM users WHERE id IN (SELECT id FROM hallpass.requests)",
        "SELECT id AS x FROM hallpass.requests",
        "SELECT u.id FROM hallpass.requests r",
        "SELECT *, count(*) FROM hallpass.requests",
        "SELECT hallpass.f(now())",
        "SELECT hallpass.f('a' || 'b')",
        "SELECT hallpass.f(a => 'x')",
        "SELECT hallpass.f('x'), hallpass.f('y')",
        "SELECT hallpass.f('x') FROM users",
        "SELECT id FROM hallpass.f('x')",
        "INSERT INTO hallpass.requests VALUES (1)",
        "EXPLAIN SELECT hallpass.f()",
        "PREPARE p AS SELECT hallpass.f()",
        "SELECT * FROM shop.hallpass.requests",
        "SELECT * FROM \"hallpass\".requests WHERE id > 1",
        "SELECT hallpass.f($0)",
        "SELECT hallpass.f(E'\\x41')",
        "SET hallpass.over = a, b",
    ] {
        assert_eq!(all(sql), Err(UnknownShape { statement: 0 }), "{sql}");
    }
    assert_eq!(all("SELECT 1; DROP TABLE hallpass.x"), Err(UnknownShape { statement: 1 }));
}

fn in_mode(sql: &str, mode: LexMode) -> Result<Vec<Option<LocalCall>>, UnknownShape> {
    let checked = StatementText::new(sql.as_bytes(), 1 << 20).expect("text");
    recognise(&tokenize(&checked, mode, &Limits::DEFAULT).expect("lexes"), sql)
}

#[test]
fn calls_as_clients_of_mysql_write_them() {
    let function = |arguments, output: Option<&str>| {
        let call = LocalCall::new("request".to_owned(), LocalShape::Function(arguments));
        Ok(vec![Some(LocalCall { output: output.map(str::to_owned), ..call })])
    };
    let procedure = |arguments| {
        Ok(vec![Some(LocalCall::new("request".to_owned(), LocalShape::Procedure(arguments)))])
    };
    let variable = |name: &str| LocalArgument::Variable(name.to_owned());
    for mode in [LexMode::MYSQL, LexMode::MARIADB] {
        let constants = vec![text("select"), text("1h"), text("it's")];
        for (output, sql) in [
            (None, r"SELECT hallpass.request('select', '1h', 'it\'s')"),
            (Some("Id"), r#"SELECT `hallpass`.`request`("select", '1h', "it's") AS Id"#),
            (Some("Mine"), "SELECT hallpass.request('select', '1h', 'it''s') `Mine`"),
            (Some("a b"), "SELECT hallpass.request('select', '1h', 'it''s') AS 'a b'"),
            (None, "/*!40100 SELECT */ hallpass . request (_utf8mb4'select', N'1h', 'it''s') # x"),
        ] {
            assert_eq!(in_mode(sql, mode), function(constants.clone(), output), "{sql}");
        }
        let sql = "CALL hallpass.request(@_hallpass.request_0, @`B``c`, @'d', @\"E\")";
        let names = ["_hallpass.request_0", "b`c", "d", "e"].map(variable).to_vec();
        assert_eq!(in_mode(sql, mode), procedure(names), "{sql}");
        let sql = "CALL `Hallpass.request`('x')";
        assert_eq!(in_mode(sql, mode), procedure(vec![text("x")]), "{sql}");
        let sql = "CALL hallpass.request(?, 'x', ?)";
        let parameters = vec![LocalArgument::Parameter(1), text("x"), LocalArgument::Parameter(2)];
        assert_eq!(in_mode(sql, mode), procedure(parameters), "{sql}");
        let view = LocalView { equals: vec![("id".to_owned(), text("7"))], ..LocalView::default() };
        let call = LocalCall::new("requests".to_owned(), LocalShape::View(view));
        assert_eq!(
            in_mode("SELECT * FROM hallpass.`requests` WHERE id = 7", mode),
            Ok(vec![Some(call)])
        );
        for sql in [
            "SHOW TABLES FROM hallpass.x",
            "SELECT hallpass.request('a' 'b')",
            "SELECT hallpass.request(1 + 1)",
            "SELECT * FROM t, hallpass.requests",
            "SELECT * FROM `Hallpass`.requests, t",
            "SELECT hallpass.request(@a := 1)",
            "SELECT hallpass.request(@@version)",
            "INSERT INTO t SELECT * FROM hallpass.requests",
        ] {
            assert!(in_mode(sql, mode).is_err(), "{sql}");
        }
        assert_eq!(in_mode("SET @_hallpass.request_0 = 'select'", mode), Ok(vec![None]));
        assert_eq!(in_mode("SELECT 'hallpass.request'", mode), Ok(vec![None]));
    }
}
