//! Stories of mask rules: versions, one after the other, whoever is faster.

use hallpass::{
    kernel::mask::Rule,
    store::{Actor, Error, MASK_RULES_MAX, MaskChange, MaskPlace, MaskVersion, Store},
};
use serde_json::{Value, json};

use super::{NOON, at, os, principal};

fn rule(column: &str, with: &str) -> Rule {
    let json = json!({"target": "shop", "column": column, "with": with});
    serde_json::from_value(json).expect("a rule")
}

/// The columns that rules mean.
pub(super) fn columns(rules: &[Rule]) -> Vec<String> {
    let column = |rule: &Rule| json!(rule)["column"].as_str().expect("a column").to_owned();
    rules.iter().map(column).collect()
}

/// The rules after a change, or why there was none.
async fn change(
    store: &Store,
    actor: &Actor,
    seconds: i64,
    change: MaskChange,
) -> Result<MaskVersion, Error> {
    store.masks_change(actor, at(seconds), change, "").await.map(|(made, _)| made)
}

fn replace(expected: u64, list: Vec<Rule>) -> MaskChange {
    MaskChange::Replace { expected, list }
}

fn add(rule: Rule, place: MaskPlace) -> MaskChange {
    MaskChange::Add { rule, place }
}

fn remove(number: usize, expected: Option<u64>) -> MaskChange {
    MaskChange::Remove { number, expected }
}

/// Masks these columns and no others.
pub(super) async fn replace_all(store: &Store, expected: u64, columns: &[&str]) {
    let list = columns.iter().map(|column| rule(column, "full")).collect();
    change(store, &os(), 0, replace(expected, list)).await.expect("replaced");
}

pub(super) async fn rules_are_versions_one_after_the_other(store: &Store) {
    let first = store.masks().await.expect("reads");
    assert_eq!((first.rules.version, first.rules.list.len(), first.at), (0, 0, None));

    let email = rule("public.customers.email", "email");
    let first = add(email.clone(), MaskPlace::Last);
    let (made, changes) = store.masks_change(&os(), NOON, first, "INC-7").await.expect("added");
    assert_eq!((changes.added.len(), changes.removed.len()), (1, 0));
    assert_eq!((made.rules.version, made.by.as_deref()), (1, Some("os:root")));
    let owner = principal("olga");
    let phone = rule("public.customers.phone", "inner(0, 2)");
    change(store, &owner, 1, add(phone.clone(), MaskPlace::First)).await.expect("added");
    let read = store.masks().await.expect("reads");
    assert_eq!(read.rules.list, [phone.clone(), email.clone()]);
    assert_eq!((read.at, read.note.as_str()), (Some(at(1)), ""));

    let list = vec![email.clone(), rule("*.*.ssn", "null")];
    let made = change(store, &os(), 2, replace(2, list.clone())).await.expect("replaced");
    assert_eq!(made.rules.version, 3);
    let again = change(store, &os(), 3, replace(3, list)).await.expect("the same");
    assert_eq!(again.rules.version, 3, "the same rules are no new version");
    let made = change(store, &os(), 4, remove(1, Some(3))).await.expect("removed");
    assert_eq!(made.rules.version, 4);
    assert_eq!(columns(&made.rules.list), ["*.*.ssn"]);

    let history = store.mask_history(3).await.expect("reads");
    let told: Vec<_> = history.iter().map(|v| (v.rules.version, v.rules.list.len())).collect();
    assert_eq!(told, [(4, 1), (3, 2), (2, 2)], "older ones stay as they were");
    assert_eq!(store.mask_version(3).await.expect("reads"), history[1]);
    assert!(matches!(store.mask_version(9).await, Err(Error::NoSuchMaskVersion { version: 9 })));
}

pub(super) async fn of_two_who_replace_the_same_version_one_wins(store: &Store) {
    let (one, two) = (rule("a.b.one", "null"), rule("a.b.two", "null"));
    let (os, owner) = (os(), principal("olga"));
    let (one, two) = tokio::join!(
        change(store, &os, 0, replace(0, vec![one])),
        change(store, &owner, 0, replace(0, vec![two])),
    );
    let (won, lost) = match (one, two) {
        (Ok(won), Err(lost)) | (Err(lost), Ok(won)) => (won, lost),
        other => panic!("one wins: {other:?}"),
    };
    assert!(matches!(lost, Error::MasksChanged { expected: 0, found: 1, .. }), "{lost}");
    assert!(lost.to_string().contains(won.by.as_deref().expect("somebody")), "{lost}");
    assert_eq!(store.masks().await.expect("reads").rules, won.rules);

    // Rules that are added don't ask for a version: none of them is lost.
    let adding = (0..10).map(|n| {
        let (store, os) = (store.clone(), os.clone());
        tokio::spawn(async move {
            let added = rule(&format!("a.b.c{n}"), "null");
            change(&store, &os, 0, add(added, MaskPlace::Last)).await.expect("added");
        })
    });
    for added in adding.collect::<Vec<_>>() {
        added.await.expect("done");
    }
    let read = store.masks().await.expect("reads");
    assert_eq!((read.rules.version, read.rules.list.len()), (11, 11));
}

pub(super) async fn rules_that_can_not_be_are_refused(store: &Store) {
    let known = rule("a.b.c", "null");
    change(store, &os(), 0, add(known.clone(), MaskPlace::Last)).await.expect("added");
    for who in ["alice", "bob"] {
        let refused =
            change(store, &principal(who), 0, add(rule("a.b.d", "null"), MaskPlace::Last)).await;
        assert!(matches!(refused, Err(Error::NotAllowed { .. })), "{who}");
        let refused = change(store, &principal(who), 0, replace(1, Vec::new())).await;
        assert!(matches!(refused, Err(Error::NotAllowed { .. })), "{who}");
        let refused = change(store, &principal(who), 0, remove(1, None)).await;
        assert!(matches!(refused, Err(Error::NotAllowed { .. })), "{who}");
    }
    let other = rule("A.B.C", "hash");
    let refused = change(store, &os(), 0, add(other.clone(), MaskPlace::First)).await;
    assert!(matches!(refused, Err(Error::MaskRuleThere { number: 1 })));
    let refused = change(store, &os(), 0, replace(1, vec![known.clone(), other])).await;
    assert!(matches!(refused, Err(Error::MaskRuleTwice { first: 1, second: 2 })));
    for number in [0, 2] {
        let refused = change(store, &os(), 0, remove(number, None)).await;
        assert!(matches!(refused, Err(Error::NoSuchMaskRule { count: 1, .. })));
    }
    let refused = change(store, &os(), 0, remove(1, Some(7))).await;
    assert!(matches!(refused, Err(Error::MasksChanged { expected: 7, found: 1, .. })));

    let mut json = json!(rule("a.b.d", "null"));
    json["target"] = "shpo".into();
    let mistyped: Rule = serde_json::from_value(json.clone()).expect("a rule");
    let refused = change(store, &os(), 0, add(mistyped, MaskPlace::Last)).await;
    let told = refused.expect_err("no such target").to_string();
    assert!(told.contains("rule 2") && told.contains("there are: shop"), "{told}");
    json["target"] = "sh*".into();
    let pattern: Rule = serde_json::from_value(json).expect("a rule");
    change(store, &os(), 0, add(pattern, MaskPlace::Last)).await.expect("means shop");

    let many = |count: usize| (0..count).map(|n| rule(&format!("a.b.c{n}"), "null")).collect();
    let refused = change(store, &os(), 0, replace(2, many(MASK_RULES_MAX + 1))).await;
    assert!(matches!(refused, Err(Error::TooManyMaskRules { .. })));
    let refused = store.masks_change(&os(), NOON, replace(2, many(1)), "two\nlines").await;
    assert!(matches!(refused, Err(Error::Invalid { field: "note", .. })));
    change(store, &os(), 0, replace(2, many(MASK_RULES_MAX))).await.expect("as many as may be");
}

pub(super) async fn a_change_of_rules_is_an_event_and_in_the_snapshot(store: &Store) {
    let before = store.snapshot(NOON).await.expect("reads");
    assert_eq!((before.masks.rules.version, before.masks.trouble.is_none()), (0, true));
    let (email, phone) = (rule("a.b.email", "email"), rule("a.b.phone", "full"));
    let list = vec![email.clone(), phone.clone()];
    store.masks_change(&os(), NOON, replace(0, list), "INC-7").await.expect("made");
    let changed = rule("a.b.email", "hash");
    let list = vec![changed.clone(), rule("a.b.card", "card")];
    change(store, &principal("olga"), 0, replace(1, list.clone())).await.expect("made");

    let after = store.snapshot(NOON).await.expect("reads");
    assert_eq!((after.masks.rules.version, &after.masks.rules.list), (2, &list));
    assert!(after.version > before.version, "whoever watches the store is woken");
    let digest = |value: &[u8]| (before.masks.key.hash(value), after.masks.key.hash(value));
    let (one, two) = digest(b"x");
    assert_eq!(one, two, "the key stays");

    let bodies: Vec<Value> = (after.unrecorded.iter())
        .map(|event| serde_json::from_str(&event.body).expect("JSON"))
        .filter(|body: &Value| body["kind"] == "masks_changed")
        .collect();
    let [first, second] = bodies.as_slice() else { panic!("two changes: {bodies:?}") };
    assert_eq!((&first["version_before"], &first["version"]), (&json!(0), &json!(1)));
    assert_eq!((&first["note"], &first["direct"]), (&json!("INC-7"), &json!(true)));
    assert_eq!(first["added"], json!([email, phone]));
    assert_eq!((&second["actor"], &second["direct"]), (&json!("olga"), &json!(false)));
    assert_eq!(second["removed"], json!([phone]));
    assert_eq!(
        (&second["changed_from"], &second["changed_to"]),
        (&json!([email]), &json!([changed]))
    );
    assert_eq!((&second["added_count"], &second["rules_count"]), (&json!(1), &json!(2)));
}

pub(super) async fn the_key_of_hashes_is_rotated_by_owners_and_never_told(store: &Store) {
    for who in ["alice", "bob"] {
        let refused = store.mask_key_rotate(&principal(who), NOON, "", None).await;
        assert!(matches!(refused, Err(Error::NotAllowed { .. })), "{who}");
    }
    let before = store.snapshot(NOON).await.expect("reads").masks;
    let (old, new) =
        store.mask_key_rotate(&principal("olga"), NOON, "INC-9", None).await.expect("done");
    let snapshot = store.snapshot(NOON).await.expect("reads");
    let after = &snapshot.masks;
    assert_eq!((before.key.name(), after.key.name()), (old.clone(), new.clone()));
    assert_ne!(before.key.hash(b"x"), after.key.hash(b"x"));
    assert!(!after.is_same(&before) && after.rules == before.rules, "sessions are told");
    assert_eq!(store.mask_key_name().await.expect("reads"), new);
    let last = snapshot.unrecorded.last().expect("an event");
    let event: Value = serde_json::from_str(&last.body).expect("JSON");
    assert_eq!(
        [&event["kind"], &event["actor"], &event["key_before"], &event["key"], &event["note"]],
        ["mask_key_rotated", "olga", &old, &new, "INC-9"]
    );
    // Until it is on the trail the old one stays in force.
    assert_eq!(after.only_more_than(&before).key.name(), old);
}
