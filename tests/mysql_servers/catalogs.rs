//! What the gateway finds out about what a server contains.

use std::{sync::Arc, time::Duration};

use hallpass::{
    kernel::{
        catalog::{CascadeAction, Catalog, RelationKind, RoutineKind, Volatility},
        mask::{ColumnType, Kind},
        sql::{builtins::mysql_columns, mode::Dialect},
    },
    net::tls::ClientTls,
    upstream::{
        Address, Credential,
        credential::Source,
        mysql::{ConnectOptions, Control, catalog},
    },
    wire::mysql::auth::upstream::ServerKey,
};

use crate::support::mysql::{Family, MySql, SUPERUSER, UPSTREAM_PASSWORD, UPSTREAM_USER};

const PATIENCE: Duration = Duration::from_secs(60);

const MADE: &str = "
    CREATE DATABASE other;
    CREATE TABLE other.parents (id INT, part INT, PRIMARY KEY (part, id)) COMMENT 'x';
    CREATE TABLE other.children (
        id INT PRIMARY KEY, parent_part INT, parent_id INT COMMENT 'whose',
        mail VARCHAR(100), host VARCHAR(100) AS (substring_index(mail, '@', -1)) STORED,
        state ENUM('new', 'it''s paid'),
        CONSTRAINT cares FOREIGN KEY (parent_part, parent_id) REFERENCES other.parents (part, id)
            ON DELETE CASCADE ON UPDATE SET NULL);
    CREATE TABLE other.parted (id INT PRIMARY KEY) PARTITION BY HASH (id) PARTITIONS 2;
    CREATE VIEW other.`a ``view` AS
        SELECT c.email, p.id FROM shop.customers c JOIN other.parents p ON p.id = c.id;
    CREATE FUNCTION other.twice (n INT) RETURNS INT DETERMINISTIC NO SQL RETURN 2 * n;
    CREATE PROCEDURE other.clean () SQL SECURITY INVOKER MODIFIES SQL DATA DELETE FROM other.children;
    CREATE TRIGGER other.watch BEFORE INSERT ON other.children FOR EACH ROW SET NEW.id = NEW.id + 1;
";

pub(super) async fn read(server: &MySql, user: &str, password: &str) -> Catalog {
    let source = match password {
        "" => Source::None,
        text => Source::Command(vec!["printf".into(), "%s".into(), text.into()]),
    };
    let options = ConnectOptions {
        address: Address::Unix(server.socket()),
        tls: ClientTls::disabled(),
        key: ServerKey::None,
        user: user.to_owned(),
        credential: Arc::new(Credential::new(source)),
        timeout: PATIENCE,
        keepalive: PATIENCE,
    };
    let mut control = Control::connect(&options, PATIENCE).await.expect("comes in");
    catalog::read(&mut control, 7).await.expect("reads")
}

#[tokio::test]
async fn a_catalog_says_what_there_is_and_what_hangs_on_it() {
    for family in Family::ALL {
        let server = MySql::start(family);
        server.sql(MADE);
        let catalog = read(&server, SUPERUSER, "").await;
        let expected = match family {
            Family::MariaDb => 101_100..101_200,
            Family::MySql => 90_700..90_800,
        };
        assert!(expected.contains(&catalog.server_version_num), "{}", catalog.server_version_num);
        assert_eq!((catalog.epoch, catalog.login.as_deref()), (7, Some("root@localhost")));

        let relation = |name: &str| catalog.relation("other", name).expect(name);
        let children = relation("children");
        let columns: Vec<_> =
            children.columns.iter().map(|c| (c.number, c.name.as_str())).collect();
        assert_eq!(
            columns,
            [
                (1, "id"),
                (2, "parent_part"),
                (3, "parent_id"),
                (4, "mail"),
                (5, "host"),
                (6, "state")
            ]
        );
        assert_eq!(catalog.comment(children.oid, 3), Some("whose"));
        let generated: Vec<_> = children.columns.iter().map(|c| c.generated.is_some()).collect();
        assert_eq!(generated, [false, false, false, false, true, false]);
        let kind = |at: usize| catalog.kinds().get(&children.columns[at].type_oid).copied();
        assert_eq!(kind(3), Some(ColumnType::TEXT));
        assert_eq!(kind(5), Some(ColumnType::One(Kind::Enumeration)));
        let has_label = |label| catalog.has_label(children.columns[5].type_oid, label);
        // The sample's `orders.status` has that one.
        assert!(has_label("it's paid") && !has_label("delivered"));

        let parents = relation("parents");
        assert_eq!(parents.primary_key, [2, 1], "in the key's order");
        let [cascade] = parents.cascades.as_slice() else { panic!("{:?}", parents.cascades) };
        assert_eq!(
            (&cascade.from_columns[..], &cascade.to_columns[..]),
            (&[2, 3][..], &[2, 1][..])
        );
        assert_eq!(cascade.from, children.oid);
        assert_eq!(
            (cascade.on_delete, cascade.on_update),
            (CascadeAction::Deletes, CascadeAction::Updates)
        );
        assert_eq!((relation("parted").partition_key.len(), parents.partition_key.len()), (1, 0));

        let view = relation("a `view");
        assert_eq!(view.kind, RelationKind::View);
        let customers = catalog.relation("shop", "customers").expect("the sample's");
        let mut reads = view.reads.clone();
        reads.sort_unstable();
        let mut wanted = vec![customers.oid, parents.oid];
        wanted.sort_unstable();
        assert_eq!(reads, wanted, "{:?}", view.definition);

        let routine = |name: &str| catalog.routines_named(name).next().expect("there");
        let twice = routine("twice");
        assert_eq!((twice.kind, twice.volatility), (RoutineKind::Function, Volatility::Stable));
        assert!(twice.security_definer);
        let clean = routine("clean");
        assert_eq!((clean.kind, clean.volatility), (RoutineKind::Procedure, Volatility::Volatile));
        assert!(!clean.security_definer);
        assert_eq!(children.triggers, [routine("watch").oid]);

        // The server's own schemas are not the users'.
        assert!(catalog.relations().all(|r| !["mysql", "sys"].contains(&r.schema.as_str())));
        let again = read(&server, SUPERUSER, "").await;
        assert_eq!(again.relation("other", "parted").map(|r| r.oid), Some(relation("parted").oid));
    }
}

#[tokio::test]
async fn a_view_whose_query_is_not_shown_may_read_everything() {
    for family in Family::ALL {
        let server = MySql::start(family);
        server.sql(&format!(
            "CREATE VIEW shop.hidden AS SELECT 1 AS one;
             REVOKE SHOW VIEW ON shop.* FROM {UPSTREAM_USER}@'%'"
        ));
        let catalog = read(&server, UPSTREAM_USER, UPSTREAM_PASSWORD).await;
        let hidden = catalog.relation("shop", "hidden").expect("its name is shown");
        assert_eq!(hidden.definition.as_deref(), Some(""), "{family:?}");
        assert_eq!(hidden.reads.len() + 1, catalog.relations().count());
    }
}

#[test]
fn relations_in_which_columns_are_hidden_have_the_columns_that_are_listed() {
    for (family, dialect) in [(Family::MySql, Dialect::MySql), (Family::MariaDb, Dialect::MariaDb)]
    {
        let server = MySql::start(family);
        for (schema, name) in mysql_columns::listed() {
            let found = server.sql(&format!(
                "SET group_concat_max_len = 100000; SELECT GROUP_CONCAT(LOWER(column_name) \
                 ORDER BY ordinal_position SEPARATOR ' ') FROM information_schema.columns \
                 WHERE table_schema = '{schema}' AND LOWER(table_name) = '{name}'"
            ));
            let listed = mysql_columns::columns(schema, name, dialect);
            let listed = listed.map_or_else(|| "NULL".to_owned(), |columns| columns.join(" "));
            assert_eq!(found, listed, "{family:?} {schema}.{name}");
        }
    }
}
