//! What is asked of MariaDB 10.11 and MySQL 9.7 themselves.

mod catalogs;
mod everyday;
mod forms;
mod lexer;
mod lineage;
mod plans;
#[path = "../support/mod.rs"]
mod support;
mod upstream;
mod warnings;

use support::{
    Postgres,
    mysql::{Family, MySql},
};

/// Read alike by all servers, and answered alike.
const SAMPLED: [&str; 6] = [
    "SELECT count(*), max(id), sum(credit) FROM customers",
    "SELECT id, full_name, email, phone, birth_date, country, city, credit FROM customers \
     WHERE id < 300 ORDER BY id",
    "SELECT count(*), sum(total), min(placed_at) FROM orders WHERE status = 'delivered'",
    "SELECT sum(quantity * unit_price) FROM order_items",
    "SELECT id, method, card_number, iban, amount FROM payments ORDER BY order_id LIMIT 50",
    "SELECT full_name, salary, national_id, manager_id, hired_on FROM employees ORDER BY id",
];

#[test]
fn both_servers_start_with_the_rows_that_postgres_has() {
    let postgres = Postgres::start();
    for family in Family::ALL {
        let mut server = MySql::start(family);
        let version = server.sql("SELECT version()");
        let expected = match family {
            Family::MariaDb => "10.11.",
            Family::MySql => "9.7.",
        };
        assert!(version.starts_with(expected), "{version}");
        for query in SAMPLED {
            let plain = |rows: String| {
                rows.replace(['\t', '|'], " ").replace("NULL", "").replace("+00", "")
            };
            assert_eq!(plain(server.sql(query)), plain(postgres.sql(query)), "{family:?}: {query}");
        }
        assert!(server.log().contains("SELECT sum(quantity * unit_price)"), "{family:?}");
        server.stop();
        server.restart();
        assert_ne!(server.sql("SELECT count(*) FROM billing.invoices WHERE tax > 0"), "0");
    }
}
