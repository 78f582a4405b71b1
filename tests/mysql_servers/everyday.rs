//! What is said to be everyday is read by the servers too; and what their own tools write is read whole.

use std::{fs, path::Path, process::Command};

use hallpass::kernel::{
    catalog::Catalog,
    sql::{
        analyze,
        context::{Context, Overlay, SearchPath, Trust},
        mode::LexMode,
        reading::StatementKind,
        text::StatementText,
    },
};

use crate::support::mysql::{Family, MySql, SUPERUSER};

/// One text of `tests/cases/mysql/everyday_*.md`.
#[derive(Default)]
struct Text {
    sql: String,
    only: Option<String>,
    mode: Option<String>,
}

fn everyday() -> Vec<Text> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/mysql");
    let mut texts = Vec::new();
    for file in fs::read_dir(folder).expect("folder") {
        let path = file.expect("file").path();
        let name = path.file_name().expect("name").to_string_lossy().into_owned();
        if !name.starts_with("everyday_") {
            continue;
        }
        let all = fs::read_to_string(&path).expect("reads");
        for block in all.split("```sql\n").skip(1).filter_map(|rest| rest.split("```").next()) {
            let mut text = Text::default();
            for line in block.lines() {
                if line.starts_with("-->") {
                    texts.push(std::mem::take(&mut text));
                } else if let Some(only) = line.strip_prefix("-- only: ") {
                    text.only = Some(only.to_owned());
                } else if let Some(mode) = line.strip_prefix("-- mode: ") {
                    text.mode = Some(mode.to_owned());
                } else if !line.starts_with("-- database: ") && !line.starts_with("-- trust: ") {
                    text.sql.push_str(line);
                    text.sql.push('\n');
                }
            }
        }
    }
    texts
}

/// They stop the server, or wait.
const NOT_RUN: [&str; 9] = [
    "CLONE",
    "FLUSH TABLES",
    "KILL",
    "LOCK TABLE",
    "RESTART",
    "SET GLOBAL",
    "SHUTDOWN",
    "XA",
    "PURGE",
];

#[test]
fn everyday_statements_are_the_servers_own_language() {
    for family in Family::ALL {
        let server = MySql::start(family);
        let name = if family == Family::MariaDb { "mariadb" } else { "mysql" };
        let mut script = String::new();
        let mut lines = Vec::new();
        let mut add = |sql: &str, of: &str| {
            lines.extend((0..sql.lines().count().max(1)).map(|_| of.to_owned()));
            script.push_str(sql);
            script.push('\n');
        };
        let mut count = 0;
        for text in everyday() {
            let sql = text.sql.trim();
            let other = text.only.as_deref().is_some_and(|only| only != name);
            if other || NOT_RUN.iter().any(|start| sql.starts_with(start)) {
                continue;
            }
            count += 1;
            add("SET @sql = 'SELECT 1', @OLD_CHARACTER_SET_CLIENT = 'utf8mb4';", sql);
            if let Some(mode) = &text.mode {
                add(&format!("SET sql_mode = '{mode}';"), sql);
            }
            if sql.contains('?') && !sql.starts_with("PREPARE") && !sql.starts_with("EXECUTE") {
                let inner = sql.replace('\\', "\\\\").replace('\'', "''");
                add(&format!("PREPARE everyday FROM '{inner}';"), sql);
            } else {
                // The client takes a line of a comment away.
                add(&format!("{sql}\n;"), sql);
            }
            add("SET sql_mode = DEFAULT, NAMES utf8mb4, autocommit = 1;", sql);
        }
        assert!(count > 500, "{count}");
        let output = server.client(script.as_bytes(), &["--force", "--batch"]);
        assert!(!String::from_utf8_lossy(&output.stdout).contains("Usage:"), "it ran nothing");
        let errors = String::from_utf8_lossy(&output.stderr);
        // Syntax, and a form that the server doesn't have.
        let refused: Vec<String> = errors
            .lines()
            .filter(|line| {
                ["ERROR 1064 ", "ERROR 1149 ", "ERROR 1235 "].iter().any(|e| line.starts_with(e))
            })
            .map(|line| {
                let at = line.split("at line ").nth(1).and_then(|l| l.split(':').next());
                let at: usize = at.and_then(|n| n.parse().ok()).expect("a line");
                format!("{line}\n  {}", lines[at - 1])
            })
            .collect();
        assert!(refused.is_empty(), "{family:?}\n{}", refused.join("\n"));
    }
}

/// A view of everyday, whose query the servers print in their own way.
const VIEW: &str = "CREATE VIEW shop.printed AS SELECT c.id, CONCAT(c.full_name, ' ', c.city) AS who, \
    IF(c.newsletter, 'yes', 'it\\'s no') AS news, COALESCE(o.note, '') AS note, COUNT(*) AS n, \
    GROUP_CONCAT(DISTINCT o.status ORDER BY o.status SEPARATOR ', ') AS states, \
    CAST(o.total AS CHAR) AS text, o.placed_at + INTERVAL 1 DAY AS later, \
    TIMESTAMPDIFF(DAY, o.placed_at, o.shipped_at) AS days, EXTRACT(YEAR FROM o.placed_at) AS year, \
    TRIM(BOTH ' ' FROM c.city) AS city, SUBSTRING(c.email, 1, 3) AS begins, \
    CASE o.status WHEN 'new' THEN 1 ELSE 2 END AS kind, shop.choice(c.id) AS picked, \
    CONVERT(c.city USING utf8mb4) AS converted, c.id IN (1, 2) AS few, o.total BETWEEN 1 AND 2 AS fair \
    FROM customers c LEFT JOIN orders o ON o.customer_id = c.id AND o.total > 1 \
    WHERE c.email LIKE '%@example.com' AND NOT c.country = 'US' \
    AND EXISTS (SELECT 1 FROM payments p WHERE p.order_id = o.id) \
    GROUP BY c.id, o.id HAVING n > 0 ORDER BY c.id DESC LIMIT 5";

#[test]
fn views_are_read_as_the_servers_print_them() {
    for family in Family::ALL {
        let server = MySql::start(family);
        server.sql("CREATE FUNCTION shop.choice(a int) RETURNS int DETERMINISTIC NO SQL RETURN a");
        server.sql(&format!("SET sql_mode = ''; {VIEW}"));
        let printed = server.sql(
            "SELECT VIEW_DEFINITION FROM information_schema.VIEWS WHERE TABLE_NAME = 'printed'",
        );
        let mode = if family == Family::MariaDb { LexMode::MARIADB } else { LexMode::MYSQL };
        assert_eq!(kinds(&printed, mode), Ok(vec![StatementKind::Select]), "{printed}");
    }
}

/// The texts that the command-line client sends of a dump.
fn sent(dump: &str) -> Vec<String> {
    let mut delimiter = ";".to_owned();
    let (mut texts, mut text) = (Vec::new(), String::new());
    for line in dump.lines() {
        if let Some(new) = line.strip_prefix("DELIMITER ") {
            new.trim().clone_into(&mut delimiter);
        } else if !(text.is_empty() && (line.is_empty() || line.starts_with("--"))) {
            text.push_str(line);
            match text.strip_suffix(&delimiter) {
                Some(whole) => {
                    texts.push(whole.trim().to_owned());
                    text.clear();
                }
                None => text.push('\n'),
            }
        }
    }
    assert!(text.trim().is_empty(), "{text}");
    texts
}

#[test]
fn dumps_of_the_sample_are_read_whole() {
    for family in Family::ALL {
        let server = MySql::start(family);
        server.sql(
            "CREATE VIEW shop.of_germany AS SELECT id, city FROM shop.customers WHERE country = 'DE'",
        );
        server.sql("CREATE TRIGGER shop.stamp BEFORE INSERT ON shop.orders FOR EACH ROW SET NEW.note = 'x'");
        let output = Command::new(family.program("dump"))
            .arg("--no-defaults")
            .arg("--socket")
            .arg(server.socket())
            .args(["--user", SUPERUSER, "--routines", "--triggers", "--events"])
            .args(["--add-drop-database", "--databases", "shop", "billing"])
            .output()
            .expect("runs");
        let dump = String::from_utf8(output.stdout).expect("UTF-8");
        let mode = if family == Family::MariaDb { LexMode::MARIADB } else { LexMode::MYSQL };
        let texts = sent(&dump);
        assert!(texts.len() > 80, "{}", texts.len());
        let unread: Vec<String> = texts
            .iter()
            .filter_map(|text| match kinds(text, mode) {
                Ok(kinds) if !kinds.contains(&StatementKind::Other) => None,
                Ok(_) => Some(text.clone()),
                Err(e) => Some(format!("{e}: {text}")),
            })
            .map(|text| text.chars().take(300).collect())
            .collect();
        assert!(unread.is_empty(), "{family:?}\n{}", unread.join("\n\n"));
    }
}

fn kinds(text: &str, mode: LexMode) -> Result<Vec<StatementKind>, String> {
    let (catalog, overlay, trust) = (Catalog::default(), Overlay::default(), Trust::default());
    let path = SearchPath::Known(vec!["shop".to_owned()]);
    let cx = Context { mode, catalog: &catalog, path: &path, overlay: &overlay, trust: &trust };
    let text = StatementText::new(text.as_bytes(), 1 << 26).map_err(|e| e.to_string())?;
    let batch = analyze(&text, &cx).map_err(|e| e.to_string())?;
    Ok(batch.statements.iter().map(|statement| statement.kind).collect())
}
