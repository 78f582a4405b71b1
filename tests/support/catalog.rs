//! A small shop as a catalog, for judging without a server.

use hallpass::kernel::catalog::{
    Catalog, Column, Relation, RelationKind, Routine, RoutineKind, TypeShape, UserCast,
    UserOperator, UserType, Volatility,
};

/// Tables in public, hr and billing; views over them; code of every kind.
pub(crate) fn shop() -> Catalog {
    let mut catalog = Catalog::default();
    catalog.epoch = 1;
    catalog.server_version_num = 150_000;
    catalog.database = "shop".into();
    catalog.login = Some("hallpass".into());
    for (oid, schema, name, columns) in [
        (101, "public", "customers", "id name email"),
        (102, "public", "orders", "id customer_id total status"),
        (103, "public", "payments", "id order_id amount"),
        (104, "hr", "salaries", "id person amount"),
        (105, "public", "stock", "id amount note"),
        (106, "public", "contacts", "id mail"),
        (107, "public", "events", "id at"),
        (109, "public", "ruled", "id"),
        (115, "evil", "pg_class", "relname"),
    ] {
        catalog.add_relation(relation(oid, schema, name, RelationKind::Table, columns));
    }
    let mut part = relation(108, "public", "events_2026", RelationKind::Table, "id at");
    part.parents = vec![107];
    part.triggers = vec![905];
    catalog.add_relation(part);
    for (oid, schema, name) in [(120, "public", "orders_id_seq"), (121, "hr", "salaries_id_seq")] {
        catalog.add_relation(relation(oid, schema, name, RelationKind::Sequence, "last_value"));
    }
    let mut stock = relation(105, "public", "stock", RelationKind::Table, "id amount note");
    stock.triggers = vec![905];
    catalog.add_relation(stock);
    let mut contacts = relation(106, "public", "contacts", RelationKind::Table, "id");
    contacts.columns.push(Column {
        number: 2,
        name: "mail".into(),
        type_oid: 801,
        type_name: "email".into(),
        generated: None,
    });
    catalog.add_relation(contacts);
    let mut ruled = relation(109, "public", "ruled", RelationKind::Table, "id");
    ruled.has_rules = true;
    catalog.add_relation(ruled);
    for (oid, name, kind, reads, calls) in [
        (110, "order_totals", RelationKind::View, vec![102], vec![]),
        (111, "pay_overview", RelationKind::View, vec![110, 104], vec![]),
        (112, "monthly", RelationKind::MaterializedView, vec![102, 103], vec![]),
        (113, "refunding", RelationKind::View, vec![103], vec![901]),
        (114, "settings_view", RelationKind::View, vec![9999], vec![]),
        (130, "buffers", RelationKind::View, vec![], vec![922]),
        (131, "buffers_of_orders", RelationKind::View, vec![102], vec![922]),
    ] {
        let mut view = relation(oid, "public", name, kind, "id amount");
        view.reads = reads;
        view.calls = calls;
        catalog.add_relation(view);
    }
    let mut statements =
        relation(132, "public", "pg_stat_statements", RelationKind::View, "calls query");
    statements.columns[0].type_name = "bigint".into();
    statements.calls = vec![923];
    catalog.add_relation(statements);
    catalog.extensions = ["citext", "pg_trgm"].map(str::to_owned).into();
    use Volatility::{Immutable, Stable, Volatile};
    for (oid, schema, name, volatility, definer, language, extension) in [
        (901, "billing", "refund", Volatile, false, "plpgsql", None),
        (902, "billing", "vat", Immutable, false, "sql", None),
        (903, "billing", "peek", Stable, true, "sql", None),
        (904, "public", "lower", Immutable, false, "sql", None),
        (905, "public", "audit", Volatile, true, "plpgsql", None),
        (906, "public", "st_area", Immutable, false, "c", Some("postgis")),
        (907, "public", "uuid_generate_v4", Volatile, false, "c", Some("uuid-ossp")),
        (908, "public", "citext_eq", Immutable, false, "c", Some("citext")),
        (909, "public", "sneaky_eq", Immutable, false, "plpgsql", None),
        (910, "public", "check_email", Immutable, false, "plpgsql", None),
        (911, "public", "replace", Immutable, false, "sql", Some("citext")),
        (912, "public", "full_name", Stable, false, "sql", None),
        (913, "public", "total", Stable, false, "sql", None),
        (914, "billing", "settle", Volatile, false, "plpgsql", None),
        (915, "public", "cast_it", Immutable, false, "sql", None),
        (917, "public", "crosstab", Stable, false, "c", Some("tablefunc")),
        (918, "public", "similarity", Immutable, false, "c", Some("pg_trgm")),
        (919, "public", "gen_random_uuid", Volatile, false, "c", Some("pgcrypto")),
        (920, "public", "gen_salt", Volatile, false, "sql", Some("pgcrypto")),
        (921, "public", "pgstattuple", Volatile, false, "c", Some("pgstattuple")),
        (922, "public", "pg_buffercache_pages", Volatile, false, "c", Some("pg_buffercache")),
        (923, "public", "pg_stat_statements", Volatile, false, "c", Some("pg_stat_statements")),
        (916, "public", "weigh", Volatile, false, "plpgsql", None),
    ] {
        let kind = if name == "settle" { RoutineKind::Procedure } else { RoutineKind::Function };
        catalog.add_routine(Routine {
            oid,
            schema: schema.into(),
            name: name.into(),
            kind,
            volatility,
            security_definer: definer,
            language: language.into(),
            extension: extension.map(str::to_owned),
            takes_rows: ["full_name", "total"].contains(&name),
            argument_code: vec![],
            types: vec![],
        });
    }
    let operator = |routine| UserOperator { schema: "public".into(), routine, operands: vec![] };
    catalog.add_operator("=", operator(908));
    catalog.add_operator("===", operator(909));
    catalog.add_shape("money_amount", 16_600, TypeShape::default());
    catalog.add_type("email", UserType { schema: "public".into(), calls: vec![910] });
    catalog.add_cast(UserCast {
        target_oid: 25,
        target: "money_amount".into(),
        routine: 915,
        implicit: false,
        in_expressions: false,
        from: None,
        to: None,
    });
    catalog
}

fn relation(oid: u32, schema: &str, name: &str, kind: RelationKind, columns: &str) -> Relation {
    let columns = columns
        .split_whitespace()
        .zip(1..)
        .map(|(name, number)| Column {
            number,
            name: name.into(),
            type_oid: 25,
            type_name: "text".into(),
            generated: None,
        })
        .collect();
    let mut relation = Relation::new(oid, schema, name, kind);
    relation.columns = columns;
    relation
}
