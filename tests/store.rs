//! The store, through its public functions alone, on both databases.

#[path = "store/masks.rs"]
mod masks;
#[path = "support/mod.rs"]
mod support;

use std::{
    collections::HashSet,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    time::{Duration, Instant},
};

use hallpass::{
    kernel::{
        access::{
            AtEnd, Change, GrantStatus, Holding, Leaving, PermissionSet, RequestState, Role, Scope,
            Survey,
        },
        ids::{GrantId, Principal, RequestId, RoleName, SessionId, TargetName},
        time::Timestamp,
    },
    store::{
        Actor, Approval, Backend, Baseline, Error, KnownGreeting, NewGrant, NewRequest, Rules,
        SessionBeat, SessionInfo, Store,
    },
    wire::mysql::auth::sha1_digest,
};

const SECOND: i64 = 1_000_000;
const NOON: Timestamp = Timestamp(1_800_000_000 * SECOND);

fn at(seconds: i64) -> Timestamp {
    Timestamp(NOON.0 + seconds * SECOND)
}

fn rules() -> Rules {
    Rules {
        roles: Role::built_in(),
        targets: vec![TargetName::new("shop")],
        max_duration: Duration::from_secs(86_400),
        row_budget: 50_000,
        request_expires: Duration::from_secs(3600),
        native_passwords: false,
    }
}

fn os() -> Actor {
    Actor::Os { user: "root".into(), sudo_user: None }
}

fn principal(name: &str) -> Actor {
    Actor::Principal(Principal::new(name))
}

fn roles(names: &[&str]) -> Vec<RoleName> {
    names.iter().map(|name| RoleName::new(*name)).collect()
}

fn ask(who: &str) -> NewRequest {
    NewRequest {
        principal: Principal::new(who),
        target: TargetName::new("shop"),
        permissions: PermissionSet::parse_list("select").expect("a list"),
        scope: Scope::All,
        duration: Duration::from_secs(1800),
        reason: "INC-42".into(),
    }
}

fn give(who: &str) -> NewGrant {
    NewGrant {
        principal: Principal::new(who),
        target: TargetName::new("shop"),
        permissions: PermissionSet::parse_list("select,dml").expect("a list"),
        scope: Scope::parse_list("public.orders,billing.*,\"Odd\".\"T\"").expect("a scope"),
        from: None,
        duration: Duration::from_secs(1800),
        max_rows: Some(10),
        row_budget: Some(100),
        at_end: AtEnd::FinishStatement,
        reason: "INC-43".into(),
    }
}

async fn open(folder: &Path) -> Store {
    let backend = Backend::Sqlite(folder.join("data").join("hallpass.db"));
    Store::open(backend, rules()).await.expect("opens")
}

/// Adds alice (developer), bob (approver) and olga (owner).
async fn people(store: &Store) {
    for (name, role) in [("alice", "developer"), ("bob", "approver"), ("olga", "owner")] {
        store.principal_add(&os(), NOON, name, &roles(&[role])).await.expect("added");
    }
}

async fn peopled(folder: &Path) -> Store {
    let store = open(folder).await;
    people(&store).await;
    store
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

#[tokio::test]
async fn only_its_owner_can_read_the_store() {
    let folder = folder();
    let store = peopled(folder.path()).await;
    let mode = |name: &str| {
        let path = folder.path().join("data").join(name);
        std::fs::metadata(path).expect("is there").permissions().mode() & 0o777
    };
    assert_eq!(mode(""), 0o700);
    for file in ["hallpass.db", "hallpass.db-wal", "hallpass.db-shm"] {
        assert_eq!(mode(file), 0o600, "{file}");
    }
    store.close().await;
}

#[tokio::test]
async fn a_store_belongs_to_the_owner_of_its_folder() {
    use std::os::unix::fs::{MetadataExt as _, chown};
    let folder = folder();
    let data = folder.path().join("data");
    std::fs::create_dir(&data).expect("makes");
    if nix::unistd::geteuid().is_root() {
        // What an operator's `sudo hallpass principal add` meets before the gateway's first start.
        chown(&data, Some(12_345), Some(12_345)).expect("root gives folders away");
    }
    let store = peopled(folder.path()).await;
    let owner = std::fs::metadata(&data).expect("is there").uid();
    for file in ["hallpass.db", "hallpass.db-wal", "hallpass.db-shm"] {
        let found = std::fs::metadata(data.join(file)).expect("is there").uid();
        assert_eq!(found, owner, "{file}");
    }
    store.close().await;
}

#[test]
fn a_store_across_a_network_should_be_verified() {
    let unverified = |url: &str| Backend::Postgres(url.to_owned()).is_unverified();
    assert!(unverified("postgres://u:p@db.internal/hallpass"));
    assert!(unverified("postgres://u:p@db.internal/hallpass?sslmode=require"));
    assert!(!unverified("postgres://u:p@db.internal/hallpass?sslmode=verify-full"));
    assert!(!unverified("postgres://u:p@127.0.0.1/hallpass"));
    assert!(!unverified("postgres://u:p@localhost/hallpass"));
    assert!(!Backend::Sqlite("x.db".into()).is_unverified());
}

#[tokio::test]
async fn an_older_schema_is_brought_up_to_date() {
    let folder = folder();
    peopled(folder.path()).await.close().await;
    let file = folder.path().join("data/hallpass.db");
    let pool =
        sqlx::SqlitePool::connect(&format!("sqlite://{}", file.display())).await.expect("connects");
    let older = "DROP TABLE leavings; DROP TABLE mask_versions; DROP TABLE greetings; \
         ALTER TABLE secrets DROP COLUMN native_digest; \
         DELETE FROM meta WHERE name = 'mask_key'; DELETE FROM schema_version WHERE version > 1";
    sqlx::raw_sql(older).execute(&pool).await.expect("is as it was");
    pool.close().await;
    let store = open(folder.path()).await;
    let grant = store.grant_create(&os(), at(1), &give("alice")).await.expect("made");
    assert_eq!(store.leavings(grant.id).await.expect("reads"), None);
    let masks = store.snapshot(at(1)).await.expect("reads").masks;
    assert!(masks.trouble.is_none() && masks.rules.list.is_empty());
    store.close().await;
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let folder = folder();
    open(folder.path()).await.close().await;
    let file = folder.path().join("data/hallpass.db");
    let url = format!("sqlite://{}", file.display());
    let pool = sqlx::SqlitePool::connect(&url).await.expect("connects");
    sqlx::query("INSERT INTO schema_version VALUES (99)").execute(&pool).await.expect("inserts");
    pool.close().await;
    let error = Store::open(Backend::Sqlite(file), rules()).await.expect_err("refused");
    assert!(matches!(error, Error::NewerSchema { found: 99, .. }), "{error}");
}

#[tokio::test]
async fn what_is_taken_away_holds_without_a_record_and_what_is_given_waits() {
    let folder = folder();
    let store = peopled(folder.path()).await;
    let (alice, bob) = (Principal::new("alice"), Principal::new("bob"));
    let shop = TargetName::new("shop");
    let one = store.grant_create(&os(), NOON, &give("alice")).await.expect("made");
    let two = store.grant_create(&os(), NOON, &give("alice")).await.expect("made");
    masks::replace_all(&store, 0, &["public.customers.email"]).await;
    let known = store.snapshot(NOON).await.expect("reads");
    masks::replace_all(&store, 1, &["public.customers.phone"]).await;
    store.grant_revoke(&os(), at(1), one.id).await.expect("ends");
    let new = store.grant_create(&os(), at(2), &give("alice")).await.expect("made");
    store.principal_set_disabled(&os(), at(3), &bob, true).await.expect("off");
    store.principal_add(&os(), at(4), "mallory", &roles(&["owner"])).await.expect("added");
    store.principal_set_roles(&os(), at(5), &Principal::new("olga"), &[]).await.expect("set");
    let all = store.snapshot(at(6)).await.expect("reads");
    let less = all.only_taken_away(&known);
    let held: Vec<GrantId> =
        less.rights(&alice, &shop, at(6)).grants.iter().map(|g| g.id).collect();
    assert_eq!(held, [two.id], "one is revoked, {} is not on record", new.id);
    assert!(less.principal("bob").expect("known").disabled);
    assert!(less.principal("mallory").is_none());
    assert!(less.principal("olga").expect("known").duties.is_empty());
    let masked = masks::columns(&less.masks.rules.list);
    assert_eq!(masked, ["public.customers.email", "public.customers.phone"], "nothing is shown");
    assert_eq!(less.version, known.version, "the next look tries again");
}

#[tokio::test]
async fn a_damaged_scope_gives_nothing_rather_than_everything() {
    let folder = folder();
    let store = peopled(folder.path()).await;
    let grant = store.grant_create(&os(), NOON, &give("alice")).await.expect("made");
    let url = format!("sqlite://{}", folder.path().join("data/hallpass.db").display());
    let pool = sqlx::SqlitePool::connect(&url).await.expect("connects");
    sqlx::query("UPDATE grants SET scope = ''").execute(&pool).await.expect("updates");
    assert!(matches!(store.grant(grant.id).await, Err(Error::Corrupt { .. })));
    assert!(matches!(store.snapshot(NOON).await, Err(Error::Corrupt { .. })));
}

mod stories {
    //! What both databases must do alike.

    use super::*;
    pub(super) use crate::masks::{
        a_change_of_rules_is_an_event_and_in_the_snapshot,
        of_two_who_replace_the_same_version_one_wins, rules_are_versions_one_after_the_other,
        rules_that_can_not_be_are_refused, the_key_of_hashes_is_rotated_by_owners_and_never_told,
    };

    pub(super) async fn secrets_are_random_and_live_as_long_as_said(store: &Store) {
        let name = Principal::new("carol");
        let first =
            store.principal_add(&os(), NOON, "carol", &roles(&["developer"])).await.expect("added");
        let text = String::from_utf8(first.reveal().to_vec()).expect("text");
        assert!(text.starts_with("hp_") && text.len() == 29, "its shape");

        let live = async |now: Timestamp| {
            let snapshot = store.snapshot(NOON).await.expect("reads");
            let state = snapshot.principal("carol").expect("is there").clone();
            state.credentials.live(now).count()
        };
        assert_eq!(live(NOON).await, 1);
        let hour = Duration::from_secs(3600);
        let second = store.principal_rotate(&os(), NOON, &name, hour).await.expect("rotates");
        assert_ne!(first.reveal(), second.reveal());
        assert_eq!((live(at(3599)).await, live(at(3600)).await), (2, 1));
        // Rotating without overlap ends both at once.
        store.principal_rotate(&os(), NOON, &name, Duration::ZERO).await.expect("rotates");
        assert_eq!(live(NOON).await, 1);

        let again = store.principal_add(&os(), NOON, "carol", &[]).await;
        assert!(matches!(again, Err(Error::PrincipalExists(_))));
        for bad in ["", "a:b", "os:root", "a/b", "-a", "a b", "a\n", &"x".repeat(64)] {
            let refused = store.principal_add(&os(), NOON, bad, &[]).await;
            assert!(matches!(refused, Err(Error::Invalid { field: "name", .. })), "{bad:?}");
        }
        let unknown = store.principal_add(&os(), NOON, "dave", &roles(&["boss"])).await;
        assert!(matches!(unknown, Err(Error::NoSuchRole { .. })));
    }

    pub(super) async fn a_request_is_approved_by_somebody_else(store: &Store) {
        let alice = Principal::new("alice");
        let request =
            store.request_create(&principal("alice"), NOON, &ask("alice")).await.expect("asks");
        assert_eq!(request.state, RequestState::Pending);

        let approval = Approval::default();
        let own = store.request_approve(&principal("alice"), NOON, request.id, &approval).await;
        assert!(matches!(own, Err(Error::NotAllowed { .. })), "no duty");
        let namesake = Actor::Os { user: "root".into(), sudo_user: Some("alice".into()) };
        let own = store.request_approve(&namesake, NOON, request.id, &approval).await;
        assert!(matches!(own, Err(Error::OwnRequest { .. })), "sudo doesn't help");

        let grant = store
            .request_approve(&principal("bob"), at(60), request.id, &approval)
            .await
            .expect("approved");
        assert_eq!(grant.principal, alice);
        assert_eq!((grant.window.from, grant.window.until), (at(60), at(1860)));
        assert_eq!((grant.request, grant.approved_by.as_str()), (Some(request.id), "bob"));
        let after = store.request(at(61), request.id).await.expect("is there");
        assert_eq!((after.state, after.grant), (RequestState::Approved, Some(grant.id)));

        let snapshot = store.snapshot(at(61)).await.expect("reads");
        let rights = snapshot.rights(&alice, &TargetName::new("shop"), at(61));
        assert_eq!(rights.grants.len(), 1);
        assert!(snapshot.rights(&alice, &TargetName::new("else"), at(61)).grants.is_empty());
    }

    pub(super) async fn an_approver_cant_approve_what_is_theirs(store: &Store) {
        let request =
            store.request_create(&principal("bob"), NOON, &ask("bob")).await.expect("asks");
        let approval = Approval::default();
        let own = store.request_approve(&principal("bob"), NOON, request.id, &approval).await;
        assert!(matches!(own, Err(Error::OwnRequest { .. })));
        let own = store.request_deny(&principal("bob"), NOON, request.id).await;
        assert!(matches!(own, Err(Error::OwnRequest { .. })));
        let other = store.request_create(&principal("bob"), NOON, &ask("alice")).await;
        assert!(matches!(other, Err(Error::NotAllowed { .. })), "nobody asks for others");
        let own = store.grant_create(&principal("olga"), NOON, &give("olga")).await;
        assert!(matches!(own, Err(Error::OwnGrant)));
        let foreign = store.request_withdraw(&principal("alice"), NOON, request.id).await;
        assert!(matches!(foreign, Err(Error::NotAllowed { .. })));
        store.request_withdraw(&principal("bob"), NOON, request.id).await.expect("withdrawn");
        let late = store.request_deny(&principal("olga"), NOON, request.id).await;
        assert!(matches!(
            late,
            Err(Error::Decided { state: RequestState::Withdrawn, by: Some(_), .. })
        ));
    }

    pub(super) async fn of_many_answers_at_once_one_wins(store: &Store) {
        for round in 0..5 {
            let request =
                store.request_create(&principal("alice"), NOON, &ask("alice")).await.expect("asks");
            let answers = (0..8).map(|n| {
                let (store, id) = (store.clone(), request.id);
                tokio::spawn(async move {
                    let actor = principal(if n % 2 == 0 { "bob" } else { "olga" });
                    store.request_approve(&actor, NOON, id, &Approval::default()).await
                })
            });
            let mut won = 0;
            for answer in answers.collect::<Vec<_>>() {
                match answer.await.expect("no panic") {
                    Ok(_) => won += 1,
                    Err(Error::Decided { state: RequestState::Approved, .. }) => {}
                    Err(other) => panic!("{other}"),
                }
            }
            assert_eq!(won, 1, "round {round}");
            let made = store.grants(NOON, false, 1000).await.expect("lists");
            assert_eq!(made.iter().filter(|g| g.request == Some(request.id)).count(), 1);
        }
    }

    pub(super) async fn a_time_that_is_set_right_gives_nobody_anything(store: &Store) {
        let wrong = at(10 * 365 * 86_400);
        let before = store.grant_create(&os(), NOON, &give("alice")).await.expect("made");
        store.note_time(wrong).await.expect("notes it");
        let (wrong_now, alice) = (store.time(NOON), Principal::new("alice"));
        assert!(wrong_now >= wrong);
        let under = store.grant_create(&os(), NOON, &give("alice")).await.expect("made");
        let from = Some(wrong.plus(Duration::from_secs(3600)));
        let ahead = NewGrant { from, ..give("alice") };
        let ahead = store.grant_create(&os(), NOON, &ahead).await.expect("made");
        let revoked = store.grant_create(&os(), NOON, &give("alice")).await.expect("made");
        store.grant_revoke(&os(), NOON, revoked.id).await.expect("revoked");
        let asked =
            store.request_create(&principal("alice"), NOON, &ask("alice")).await.expect("asks");
        let day = Duration::from_secs(86_400);
        store.principal_rotate(&os(), NOON, &alice, day).await.expect("rotates");

        let right = at(60);
        let shown = store.time_correction(right).await.expect("looks");
        let ids: Vec<GrantId> = shown.grants.iter().map(|grant| grant.id).collect();
        assert_eq!(ids, [before.id, under.id, ahead.id]);
        assert_eq!((&shown.requests, &shown.secrets), (&vec![asked.id], &vec![(alice, 1)]));
        assert_eq!(store.time_correction(right).await.expect("looks"), shown, "it changes nothing");
        let own = store.set_time_right(&principal("olga"), &shown).await;
        assert!(matches!(own, Err(Error::NotAllowed { .. })));
        let pending = store.outbox_pending(100).await.expect("reads").len();
        assert_eq!(store.set_time_right(&os(), &shown).await.expect("is set right"), shown);

        for id in [before.id, under.id, ahead.id, revoked.id] {
            let grant = store.grant(id).await.expect("is there");
            assert_eq!(grant.status_at(right), GrantStatus::Revoked, "{id}");
        }
        let after = store.time_correction(right).await.expect("looks");
        assert_eq!(after.seen, right);
        assert!(after.grants.is_empty() && after.requests.is_empty() && after.secrets.is_empty());
        let late = store.set_time_right(&os(), &shown).await;
        assert!(matches!(late, Err(Error::TimeMoves)), "the time has moved since that was shown");
        let events = store.outbox_pending(100).await.expect("reads").split_off(pending);
        let kinds: Vec<bool> = events.iter().map(|e| e.body.contains("time_set_right")).collect();
        assert_eq!(kinds, [true, false, false, false]);
        assert!(events[0].body.contains(&wrong.to_string()[..10]), "{}", events[0].body);
        for event in &events[1..] {
            assert!(event.body.contains("grant_revoked"), "{}", event.body);
            assert!(event.body.contains("\"reason\":\"the store's time was set right\""));
        }
    }

    pub(super) async fn an_unanswered_request_goes_stale(store: &Store) {
        let request =
            store.request_create(&principal("alice"), NOON, &ask("alice")).await.expect("asks");
        let shown = store.request(at(3600), request.id).await.expect("is there");
        assert_eq!(shown.state, RequestState::Stale);
        let approval = Approval::default();
        let late = store.request_approve(&principal("bob"), at(3600), request.id, &approval).await;
        assert!(matches!(late, Err(Error::Decided { state: RequestState::Stale, .. })));
    }

    pub(super) async fn a_grant_is_what_was_asked_for_until_it_is_revoked(store: &Store) {
        let alice = Principal::new("alice");
        let new = give("alice");
        let made = store.grant_create(&os(), NOON, &new).await.expect("made");
        let read = store.grant(made.id).await.expect("is there");
        assert_eq!(read, made);
        assert_eq!((&read.scope, read.permissions), (&new.scope, new.permissions));
        assert_eq!((read.max_rows, read.row_budget, read.at_end), (Some(10), 100, new.at_end));

        let by_other = store.grant_revoke(&principal("carl"), NOON, made.id).await;
        assert!(matches!(by_other, Err(Error::NoSuchPrincipal(_))));
        let revoked = store.grant_revoke(&principal("bob"), at(5), made.id).await.expect("ends");
        assert_eq!(revoked.status_at(at(5)), GrantStatus::Revoked);
        let again = store.grant_revoke(&principal("bob"), at(6), made.id).await;
        assert!(matches!(again, Err(Error::GrantOver { status: GrantStatus::Revoked, .. })));

        let one = store.grant_create(&os(), at(7), &new).await.expect("made");
        let two = store.grant_create(&os(), at(7), &new).await.expect("made");
        let all = store.grant_revoke_all_of(&os(), at(8), &alice).await.expect("ends");
        let ids: HashSet<GrantId> = all.iter().map(|g| g.id).collect();
        assert_eq!(ids, HashSet::from([one.id, two.id]));
        assert!(store.grants(at(9), true, 1000).await.expect("lists").is_empty());
    }

    pub(super) async fn what_cant_be_granted_is_refused(store: &Store) {
        let refused = async |change: &dyn Fn(&mut NewGrant)| {
            let mut new = give("alice");
            change(&mut new);
            store.grant_create(&os(), NOON, &new).await.expect_err("refused")
        };
        let error = refused(&|new| new.duration = Duration::from_secs(86_401)).await;
        assert!(matches!(error, Error::TooLong { .. }), "{error}");
        let error = refused(&|new| new.duration = Duration::ZERO).await;
        assert!(matches!(error, Error::Invalid { field: "duration", .. }), "{error}");
        let error = refused(&|new| new.target = TargetName::new("nowhere")).await;
        assert!(matches!(error, Error::NoSuchTarget { .. }), "{error}");
        let error = refused(&|new| new.permissions = PermissionSet::NONE).await;
        assert!(matches!(error, Error::Invalid { field: "permissions", .. }), "{error}");
        let error = refused(&|new| new.scope = Scope::Only(vec![])).await;
        assert!(matches!(error, Error::Invalid { field: "scope", .. }), "{error}");
        let error = refused(&|new| new.reason = "a\nb".into()).await;
        assert!(matches!(error, Error::Invalid { field: "reason", .. }), "{error}");
        let error = refused(&|new| new.from = Some(at(-1))).await;
        assert!(matches!(error, Error::Invalid { field: "from", .. }), "{error}");
        let error = refused(&|new| new.principal = Principal::new("nobody")).await;
        assert!(matches!(error, Error::NoSuchPrincipal(_)), "{error}");
        for name in ["alice", "bob"] {
            let error = store.grant_create(&principal(name), NOON, &give("olga")).await;
            assert!(matches!(error, Err(Error::NotAllowed { .. })), "{name} is no owner");
        }
    }

    pub(super) async fn waiting_requests_are_bounded(store: &Store) {
        for _ in 0..40 {
            match store.request_create(&principal("olga"), NOON, &ask("olga")).await {
                Ok(_) => {}
                Err(Error::TooManyPending { most: 20, .. }) => return,
                Err(other) => panic!("{other}"),
            }
        }
        panic!("forty requests may wait at once");
    }

    pub(super) async fn used_rows_add_up_and_exhaust(store: &Store) {
        let grant = store.grant_create(&os(), NOON, &give("alice")).await.expect("made");
        store.rows_used(&[(grant.id, 60)]).await.expect("written");
        store.rows_used(&[(grant.id, 40)]).await.expect("written");
        let read = store.grant(grant.id).await.expect("is there");
        assert_eq!((read.rows_used, read.status_at(at(1))), (100, GrantStatus::Exhausted));
        store.rows_used(&[(grant.id, u64::MAX), (grant.id, u64::MAX)]).await.expect("written");
        let read = store.grant(grant.id).await.expect("is there");
        assert_eq!(read.rows_used, i64::MAX as u64, "never back below zero");
    }

    pub(super) async fn every_act_leaves_an_event(store: &Store) {
        let pending = store.outbox_pending(1000).await.expect("reads");
        let ids: Vec<u64> = pending.iter().map(|e| e.id).collect();
        store.outbox_mark_done(&ids).await.expect("done");
        assert!(store.is_recorded().await.expect("reads"));

        let grant = store.grant_create(&os(), NOON, &give("alice")).await.expect("made");
        let snapshot = store.snapshot(NOON).await.expect("reads");
        let [event] = snapshot.unrecorded.as_slice() else { panic!("one act, one event") };
        let body: serde_json::Value = serde_json::from_str(&event.body).expect("JSON");
        assert_eq!(body["kind"], "grant_created");
        assert_eq!((&body["actor"], &body["direct"]), (&"os:root".into(), &true.into()));
        assert_eq!(body["grant"]["id"], grant.id.0);

        let refused = store.grant_create(&os(), NOON, &give("nobody")).await;
        assert!(refused.is_err());
        assert_eq!(store.outbox_pending(10).await.expect("reads").len(), 1, "no act, no event");

        store.grant_revoke(&principal("bob"), NOON, grant.id).await.expect("ends");
        let secret = store
            .principal_rotate(&os(), NOON, &Principal::new("bob"), Duration::ZERO)
            .await
            .expect("rotates");
        let events = store.outbox_pending(10).await.expect("reads");
        let revoked: serde_json::Value = serde_json::from_str(&events[1].body).expect("JSON");
        assert_eq!((&revoked["actor"], &revoked["direct"]), (&"bob".into(), &false.into()));
        assert!(events.windows(2).all(|w| w[0].id < w[1].id));
        let secret = String::from_utf8(secret.reveal().to_vec()).expect("text");
        assert!(events.iter().all(|e| !e.body.contains(&secret)));
    }

    pub(super) async fn time_never_runs_back(store: &Store) {
        let later = at(1000);
        let soon = later..at(1010);
        assert_eq!(store.note_time(later).await.expect("noted"), later);
        let first = store.note_time(NOON).await.expect("noted");
        tokio::time::sleep(Duration::from_millis(20)).await;
        let second = store.note_time(NOON).await.expect("noted");
        assert!(soon.contains(&first) && second > first, "nor does it stand still");
        let grant = store.grant_create(&os(), NOON, &give("alice")).await.expect("made");
        assert!(soon.contains(&grant.window.from), "a clock set back lengthens nothing");
        let snapshot = store.snapshot(NOON).await.expect("reads");
        assert!(soon.contains(&snapshot.highest_time));
        let end = store.note_time(at(1020 + 1800)).await.expect("noted");
        let snapshot = store.snapshot(NOON).await.expect("reads");
        let rights = snapshot.rights(&Principal::new("alice"), &TargetName::new("shop"), NOON);
        assert!(rights.grants.is_empty(), "ended at {end}, whatever the clock says");
    }

    pub(super) async fn a_disabled_principal_has_and_gets_nothing(store: &Store) {
        let alice = Principal::new("alice");
        let shop = TargetName::new("shop");
        let request =
            store.request_create(&principal("alice"), NOON, &ask("alice")).await.expect("asks");
        store.grant_create(&os(), NOON, &give("alice")).await.expect("made");
        store.principal_set_disabled(&principal("olga"), NOON, &alice, true).await.expect("off");
        let snapshot = store.snapshot(NOON).await.expect("reads");
        assert!(snapshot.rights(&alice, &shop, NOON).held().is_empty());
        let again = store.request_create(&principal("alice"), NOON, &ask("alice")).await;
        assert!(matches!(again, Err(Error::PrincipalDisabled(_))));
        let approval = Approval::default();
        let yes = store.request_approve(&principal("bob"), NOON, request.id, &approval).await;
        assert!(matches!(yes, Err(Error::PrincipalDisabled(_))));
        store.principal_set_disabled(&os(), NOON, &alice, false).await.expect("on");

        let bob = Principal::new("bob");
        store.principal_set_disabled(&os(), NOON, &bob, true).await.expect("off");
        let yes = store.request_approve(&principal("bob"), NOON, request.id, &approval).await;
        assert!(matches!(yes, Err(Error::PrincipalDisabled(_))), "nor does he decide");
        store.principal_set_disabled(&os(), NOON, &bob, false).await.expect("on");
        let by_alice = store.principal_set_disabled(&principal("alice"), NOON, &bob, true).await;
        assert!(matches!(by_alice, Err(Error::NotAllowed { .. })));
    }

    pub(super) async fn roles_come_from_the_settings_of_now(store: &Store) {
        let alice = Principal::new("alice");
        let both = roles(&["developer", "auditor"]);
        store.principal_set_roles(&os(), NOON, &alice, &both).await.expect("set");
        let snapshot = store.snapshot(NOON).await.expect("reads");
        let state = snapshot.principal("alice").expect("is there");
        assert_eq!(state.standing.short_list(), "explain,info,issues.create");
        assert_eq!(state.duties.len(), 1);
        let mut fewer = rules();
        fewer.roles.retain(|r| r.name.as_str() != "developer");
        store.set_rules(fewer);
        let snapshot = store.snapshot(NOON).await.expect("reads");
        assert!(snapshot.principal("alice").expect("is there").standing.is_empty());
        store.set_rules(rules());
    }

    pub(super) async fn sessions_are_listed_and_killed(store: &Store) {
        let session = SessionInfo {
            node: "n1".into(),
            id: SessionId(u64::MAX - 5),
            principal: Principal::new("alice"),
            target: TargetName::new("shop"),
            client: "10.0.0.1:5".into(),
            application: "psql".into(),
            since: at(2000),
            last_statement: None,
            state: "idle".into(),
            seen: at(2000),
        };
        store.session_opened(&session).await.expect("shown");
        assert_eq!(store.sessions(at(2000)).await.expect("lists"), std::slice::from_ref(&session));
        let beat = SessionBeat {
            id: session.id,
            application: "dbeaver".into(),
            last_statement: Some(at(2010)),
            state: "active".into(),
        };
        store.session_heartbeat("n1", at(2030), &[beat]).await.expect("shown");
        let listed = store.sessions(at(2080)).await.expect("lists");
        assert_eq!(listed.first().map(|s| s.application.as_str()), Some("dbeaver"));
        assert!(store.sessions(at(2091)).await.expect("lists").is_empty(), "its node is gone");

        let by_bob = store.request_kill(&principal("bob"), at(2031), session.id).await;
        assert!(matches!(by_bob, Err(Error::NotAllowed { .. })));
        store.request_kill(&os(), at(2031), session.id).await.expect("asked");
        let kills = store.kills_pending("n1").await.expect("reads");
        let [kill] = kills.as_slice() else { panic!("one kill") };
        assert_eq!((kill.session, kill.by.as_str()), (session.id, "os:root"));
        assert!(store.kills_pending("n2").await.expect("reads").is_empty());
        store.kill_done(kill.id).await.expect("done");
        store.session_closed("n1", session.id).await.expect("gone");
        let late = store.request_kill(&os(), at(2031), session.id).await;
        assert!(matches!(late, Err(Error::NoSuchSession(_))));
    }

    pub(super) async fn old_checkpoints_are_thinned_to_one_an_hour(store: &Store) {
        for n in 0..900_i64 {
            store.save_checkpoint("n1", &format!("c{n}"), at(n * 10)).await.expect("saved");
        }
        let lines = store.checkpoints("n1").await.expect("reads");
        assert_eq!(lines.first().map(String::as_str), Some("c0"));
        assert_eq!(lines.last().map(String::as_str), Some("c899"));
        assert!((361..=364).contains(&lines.len()), "{}", lines.len());
        assert!(store.checkpoints("n2").await.expect("reads").is_empty());

        store.save_node_key("n1", &[1; 32], at(1)).await.expect("saved");
        store.save_node_key("n1", &[1; 32], at(2)).await.expect("saved again");
        store.save_node_key("n1", &[2; 32], at(3)).await.expect("saved");
        let keys = store.node_keys().await.expect("reads");
        assert_eq!(keys.iter().map(|k| k.since).collect::<Vec<_>>(), [at(1), at(3)]);
    }

    /// `other` is the same store, opened a second time as another process would.
    pub(super) async fn a_change_by_another_process_is_noticed(store: &Store, other: &Store) {
        let mut watch = store.watch().await.expect("watches");
        let act = async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            let grant = other.grant_create(&os(), NOON, &give("alice")).await.expect("made");
            (grant, Instant::now())
        };
        let wake = async {
            let version = watch.changed().await.expect("wakes");
            (version, Instant::now())
        };
        let ((version, woke), (grant, made)) = tokio::join!(wake, act);
        let took = woke.saturating_duration_since(made);
        assert!(took < Duration::from_millis(700), "{took:?}");
        let snapshot = store.snapshot(NOON).await.expect("reads");
        assert_eq!(snapshot.version, version);
        let alice = &snapshot.grants[&Principal::new("alice")];
        assert!(alice.iter().any(|g| g.id == grant.id));

        // What is no act wakes nobody, and a wait that was dropped misses nothing.
        other.note_time(at(3000)).await.expect("noted");
        other.sessions_clear("n9").await.expect("cleared");
        let quiet = tokio::time::timeout(Duration::from_millis(600), watch.changed()).await;
        assert!(quiet.is_err(), "woke without a change");
        other.grant_create(&os(), NOON, &give("alice")).await.expect("made");
        watch.changed().await.expect("wakes");
        watch.close().await;
    }

    /// What a grant left behind is put down once, whoever comes first, and its beginning too.
    pub(crate) async fn what_a_grant_leaves_behind_is_settled_once(store: &Store) {
        let grant = store.grant_create(&os(), at(1), &give("alice")).await.expect("made");
        assert_eq!(store.leavings(grant.id).await.expect("reads"), None);
        let role =
            |name: &str| Holding { kind: "role".into(), name: name.into(), ..Holding::default() };
        let survey = Survey::of(&[role("alice")]);
        let baseline = Baseline::Taken(survey.clone());
        store.leavings_begin(&[grant.id], &baseline, at(2)).await.expect("notes it");
        // The look of another gateway comes too late.
        let late = Baseline::Trouble("gone".into());
        store.leavings_begin(&[grant.id], &late, at(3)).await.expect("changes nothing");
        assert_eq!(store.leavings_baseline(grant.id).await.expect("reads"), Some(survey));
        let seen = store.snapshot(at(3)).await.expect("reads");
        assert!(seen.begun.contains(&grant.id) && seen.unsettled.iter().any(|g| g.id == grant.id));

        let node = Actor::Gateway("eu-1".into());
        let mut items: Vec<Leaving> = (0..600)
            .map(|n| Leaving {
                change: Change::Made,
                kind: "role".into(),
                name: format!("r{n}"),
                detail: "é".repeat(400),
            })
            .collect();
        let settle = |items: &[Leaving]| {
            let (node, items, id) = (node.clone(), items.to_vec(), grant.id);
            async move { store.leavings_settle(&node, at(9), id, Ok(items)).await.expect("settles") }
        };
        assert!(settle(&items).await && !settle(&items).await);
        let left = store.leavings(grant.id).await.expect("reads").expect("is known");
        assert_eq!((left.taken, left.settled, left.more), (at(2), Some(at(9)), 100));
        items.truncate(500);
        for item in &mut items {
            item.detail = format!("{}…", "é".repeat(300));
        }
        assert_eq!((left.items, left.trouble), (items, None));
        assert_eq!(store.leavings_baseline(grant.id).await.expect("reads"), None);
        let seen = store.snapshot(at(10)).await.expect("reads");
        assert!(seen.begun.contains(&grant.id) && seen.unsettled.iter().all(|g| g.id != grant.id));
        let events = store.outbox_pending(1000).await.expect("reads");
        let told: Vec<_> = events.iter().filter(|e| e.body.contains("grant_left_behind")).collect();
        assert_eq!(told.len(), 1);
        assert!(told[0].body.contains("\"actor\":\"gateway:eu-1\""), "{}", told[0].body);
    }

    /// A grant whose beginning is not looked at yet gives nothing where the gateway says so.
    pub(crate) async fn a_withheld_grant_gives_nothing(store: &Store) {
        let grant = store.grant_create(&os(), at(1), &give("alice")).await.expect("made");
        let (alice, shop) = (Principal::new("alice"), TargetName::new("shop"));
        let mut seen = store.snapshot(at(2)).await.expect("reads");
        let held = |s: &hallpass::store::AccessSnapshot| {
            s.rights(&alice, &shop, at(2)).grants.iter().any(|g| g.id == grant.id)
        };
        assert!(held(&seen));
        seen.withheld.insert(grant.id);
        assert!(!held(&seen));
    }

    pub(crate) async fn how_a_server_greeted_last_is_known(store: &Store) {
        assert_eq!(store.greeting("shop db:3306").await.expect("reads"), None);
        for version in ["9.7.1", "9.7.2"] {
            let known = KnownGreeting {
                version: version.into(),
                capabilities: 7 << 32 | 5,
                collation: 255,
            };
            store.greeting_keep("shop db:3306", &known).await.expect("keeps");
            assert_eq!(store.greeting("shop db:3306").await.expect("reads"), Some(known));
        }
        assert_eq!(store.greeting("shop db:3307").await.expect("reads"), None);
    }

    pub(crate) async fn a_digest_by_sha1_is_kept_of_secrets_that_are_made_while_it_is_asked_for(
        store: &Store,
    ) {
        let overlap = Duration::from_secs(3600);
        let secret = |on: bool| async move {
            store.set_rules(Rules { native_passwords: on, ..rules() });
            store.principal_rotate(&os(), NOON, &Principal::new("alice"), overlap).await
        };
        let with = secret(true).await.expect("made");
        secret(false).await.expect("made");
        let seen = store.snapshot(NOON).await.expect("reads");
        let state = seen.principal("alice").expect("there");
        let kept: Vec<_> = state.credentials.live(NOON).map(|v| v.native_digest).collect();
        assert_eq!(kept, [None, Some(sha1_digest(with.reveal())), None]);
    }
}

/// Each story on an embedded store of its own, and all of them on a Postgres server.
macro_rules! on_both {
    ($($story:ident),* $(,)?) => {
        mod embedded {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $story() {
                let folder = super::folder();
                let store = super::peopled(folder.path()).await;
                super::stories::$story(&store).await;
                store.close().await;
            })*
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn postgres_tells_the_same_stories() {
            let server = support::Postgres::start();
            $({
                let database = concat!("s_", stringify!($story));
                let store = on_server(&server, database).await;
                stories::$story(&store).await;
                store.close().await;
            })*
            let store = on_server(&server, "s_watch").await;
            let other = Store::open(server_backend(&server, "s_watch"), rules()).await;
            let other = other.expect("opens");
            stories::a_change_by_another_process_is_noticed(&store, &other).await;
            let copy = folder().path().join("copy.db");
            assert!(matches!(store.backup_to(&copy).await, Err(Error::NotEmbedded)));
        }
    };
}

on_both! {
    what_a_grant_leaves_behind_is_settled_once,
    a_withheld_grant_gives_nothing,
    how_a_server_greeted_last_is_known,
    a_digest_by_sha1_is_kept_of_secrets_that_are_made_while_it_is_asked_for,
    secrets_are_random_and_live_as_long_as_said,
    a_request_is_approved_by_somebody_else,
    an_approver_cant_approve_what_is_theirs,
    of_many_answers_at_once_one_wins,
    an_unanswered_request_goes_stale,
    a_grant_is_what_was_asked_for_until_it_is_revoked,
    what_cant_be_granted_is_refused,
    waiting_requests_are_bounded,
    used_rows_add_up_and_exhaust,
    every_act_leaves_an_event,
    time_never_runs_back,
    a_time_that_is_set_right_gives_nobody_anything,
    a_disabled_principal_has_and_gets_nothing,
    roles_come_from_the_settings_of_now,
    sessions_are_listed_and_killed,
    old_checkpoints_are_thinned_to_one_an_hour,
    rules_are_versions_one_after_the_other,
    of_two_who_replace_the_same_version_one_wins,
    rules_that_can_not_be_are_refused,
    a_change_of_rules_is_an_event_and_in_the_snapshot,
    the_key_of_hashes_is_rotated_by_owners_and_never_told,
}

fn server_backend(server: &support::Postgres, database: &str) -> Backend {
    let dsn = server.upstream_dsn();
    let (server, _) = dsn.rsplit_once('/').expect("a URL with a database");
    Backend::Postgres(format!("{server}/{database}"))
}

/// A peopled store in a database of its own, opened by two processes at once.
async fn on_server(server: &support::Postgres, database: &str) -> Store {
    server.sql(&format!("CREATE DATABASE \"{database}\" OWNER hallpass"));
    let open = || Store::open(server_backend(server, database), rules());
    let (one, two) = tokio::join!(open(), open());
    two.expect("the second one waits for the first one's migration").close().await;
    let store = one.expect("opens");
    people(&store).await;
    store
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_embedded_store_notices_another_process() {
    let folder = folder();
    let store = peopled(folder.path()).await;
    let other = open(folder.path()).await;
    stories::a_change_by_another_process_is_noticed(&store, &other).await;
}

#[tokio::test]
async fn a_copy_holds_what_the_store_held() {
    let folder = folder();
    let store = peopled(folder.path()).await;
    let request =
        store.request_create(&principal("alice"), NOON, &ask("alice")).await.expect("asks");
    let copy = folder.path().join("copy.db");
    store.backup_to(&copy).await.expect("copied");
    assert_eq!(std::fs::metadata(&copy).expect("is there").permissions().mode() & 0o777, 0o600);
    assert!(store.backup_to(&copy).await.is_err(), "nothing is overwritten");
    store.request_withdraw(&os(), NOON, request.id).await.expect("withdrawn");

    let restored = Store::open(Backend::Sqlite(copy), rules()).await.expect("opens");
    let read = restored.request(NOON, RequestId(request.id.0)).await.expect("is there");
    assert_eq!(read.state, RequestState::Pending);
    assert_eq!(restored.principals(NOON).await.expect("lists").len(), 3);
}
