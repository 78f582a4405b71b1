//! What clients, drivers and tools really send passes under the permission its folder says, and
//! attacks don't pass without the one they name.

use hallpass::kernel::{
    access::{Permission, PermissionSet},
    catalog::{Catalog, Relation, RelationKind, TypeShape},
    sql::{
        analyze,
        context::{Context, Overlay, SearchPath, Trust},
        mode::LexMode,
        text::StatementText,
    },
};

#[path = "support/corpus.rs"]
pub mod corpus;

/// Classes of attacks whose texts are innocent without the objects behind them.
const OF_OBJECTS: [&str; 2] = ["09_functions_that_lie", "14_names_that_move"];

/// What an entry needs; `None`: everything, it can't be read.
fn needs(sql: &str) -> Result<Vec<(Permission, String)>, String> {
    let (overlay, trust) = (Overlay::default(), Trust::default());
    let mut catalog = Catalog::default();
    catalog.login = Some("hallpass".into());
    catalog.add_relation(sequence("invoice_number"));
    let types = [
        "customer_status",
        "postal_address",
        "positive_amount",
        "book_kind",
        "order_items",
        "stock",
    ];
    for (name, oid) in types.into_iter().zip(16_500..) {
        catalog.add_shape(name, oid, TypeShape::default());
    }
    let path = SearchPath::usual();
    let cx = Context {
        mode: LexMode::POSTGRES,
        catalog: &catalog,
        path: &path,
        overlay: &overlay,
        trust: &trust,
    };
    let text = StatementText::new(sql.as_bytes(), 1 << 24).map_err(|e| e.to_string())?;
    let batch = analyze(&text, &cx).map_err(|e| e.to_string())?;
    let needs = batch.statements.iter().flat_map(|a| &a.needs);
    Ok(needs.map(|n| (n.permission, n.why.clone())).collect())
}

/// A sequence of `tests/corpus/schema.sql`: object browsers read where one stands.
fn sequence(name: &str) -> Relation {
    Relation::new(16393, "public", name, RelationKind::Sequence)
}

fn on_large_stack(test: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new()
        .stack_size(64 << 20)
        .spawn(test)
        .expect("spawns")
        .join()
        .expect("passes");
}

fn set(list: &str) -> PermissionSet {
    if list.is_empty() {
        PermissionSet::NONE
    } else {
        PermissionSet::parse_list(list).expect("reads")
    }
}

fn everything_passes(folder: &'static str) {
    on_large_stack(move || {
        let (mut refused, mut all) = (Vec::new(), 0);
        for (file, entries) in corpus::read_folder(folder) {
            for entry in entries {
                all += 1;
                let mut held = set(&entry.needs);
                // Drivers ask for settings when they connect; the table says that SHOW is info.
                if entry.needs.is_empty() {
                    held.insert(Permission::Info);
                }
                match needs(&entry.sql) {
                    Err(e) => refused.push(format!("{file}: {}: {e}\n{}", entry.name, entry.sql)),
                    Ok(needs) => refused.extend(
                        needs.iter().filter(|(p, _)| !held.allows(*p)).map(|(p, why)| {
                            format!(
                                "{file}: {} (under {held}): {p}: {why}\n{}",
                                entry.name, entry.sql
                            )
                        }),
                    ),
                }
            }
        }
        assert!(all > 0, "no entries in {folder}");
        assert!(
            refused.is_empty(),
            "{} refusals over {all} entries\n{}",
            refused.len(),
            refused.join("\n----\n")
        );
    });
}

#[test]
fn what_tools_ask_about_catalogs_passes_under_info() {
    everything_passes("info");
}

#[test]
fn queries_pass_under_select() {
    everything_passes("select");
}

#[test]
fn row_changes_pass_under_dml() {
    everything_passes("dml");
}

#[test]
fn migrations_and_restores_pass_under_ddl() {
    everything_passes("ddl");
}

#[test]
fn what_drivers_say_about_the_session_needs_nothing() {
    everything_passes("session");
}

#[test]
fn attacks_need_at_least_what_they_say() {
    on_large_stack(|| {
        let (mut passed, mut all) = (Vec::new(), 0);
        for (file, entries) in corpus::read_folder("attacks") {
            // These lie in objects of the server, so only a catalog read from one can tell.
            if OF_OBJECTS.iter().any(|class| file.contains(class)) {
                continue;
            }
            for entry in entries {
                all += 1;
                let Ok(needs) = needs(&entry.sql) else { continue };
                let wanted = set(&entry.needs);
                for permission in wanted.iter() {
                    // Everything that doesn't include it.
                    let held: PermissionSet = Permission::ALL
                        .into_iter()
                        .filter(|p| !p.includes().contains(permission))
                        .collect();
                    if needs.iter().all(|(p, _)| held.allows(*p)) {
                        passed.push(format!(
                            "{file}: {} passes without {permission}\n{}",
                            entry.name, entry.sql
                        ));
                    }
                }
            }
        }
        assert!(all > 0, "no attacks");
        assert!(passed.is_empty(), "{} of {all}\n{}", passed.len(), passed.join("\n----\n"));
    });
}
