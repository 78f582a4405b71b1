//! What a plan tells of rows: shown at the servers themselves, and that it needs `select` here.

use hallpass::kernel::{
    access::Permission,
    catalog::Catalog,
    sql::{
        analyze,
        context::{Context, Overlay, SearchPath, Trust},
        mode::LexMode,
        text::StatementText,
    },
};

use crate::support::mysql::{Family, MySql};

/// Plans of which an error, a variable or a message gives out a value, and what asks for it then.
const TELLING: [(&str, &str); 3] = [
    (
        "EXPLAIN FORMAT=TRADITIONAL SELECT 1 WHERE \
         (@told := (SELECT MIN(email) FROM shop.customers)) IS NULL",
        "SELECT @told",
    ),
    (
        "EXPLAIN FORMAT=TRADITIONAL SELECT 1 WHERE \
         EXTRACTVALUE(1, (SELECT CONCAT('~', MIN(email)) FROM shop.customers))",
        "SHOW ERRORS",
    ),
    (
        "EXPLAIN FORMAT=TRADITIONAL SELECT id FROM shop.customers WHERE id = 1 AND email + 0 = 5",
        "SHOW WARNINGS",
    ),
];

#[test]
fn what_a_plan_tells_of_rows_needs_select() {
    for family in Family::ALL {
        let server = MySql::start(family);
        let mode = if family == Family::MariaDb { LexMode::MARIADB } else { LexMode::MYSQL };
        for (plan, asks) in TELLING {
            let script = format!("{plan};\n{asks};\n");
            let output = server.client(script.as_bytes(), &["--force", "--batch"]);
            let told = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(told.contains("@example."), "{family:?}: {plan}: {told}");
            assert!(needs_select(&script, mode), "{family:?}: {plan}");
        }
    }
}

/// True if one of the statements of a text needs `select`, on a table or on anything.
fn needs_select(text: &str, mode: LexMode) -> bool {
    let (catalog, overlay, trust) = (Catalog::default(), Overlay::default(), Trust::default());
    let path = SearchPath::Known(vec!["shop".to_owned()]);
    let cx = Context { mode, catalog: &catalog, path: &path, overlay: &overlay, trust: &trust };
    let text = StatementText::new(text.as_bytes(), 1 << 16).expect("a text");
    let batch = analyze(&text, &cx).expect("it is read");
    let mut needs = batch.statements.iter().flat_map(|statement| &statement.needs);
    needs.any(|need| need.permission == Permission::Select)
}
