use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use super::*;
use crate::{
    kernel::{
        access::{AtEnd, Grant, Permission, Rights, Scope},
        audit::{
            Ended, Event, Intent, IntentKind, LoginFailed, Outcome, SessionOpened, Settled,
            TransactionEnd,
        },
        ids::{GrantId, Principal, RequestId, SessionId, StatementId, TargetName},
        policy::{Decision, Denial, Permit, decide, decide::Caps},
        sql::{
            analysis::{Analysis, Need, NeedOn, ResolvedRelation, StatementClass},
            constants::Guard,
            mode::LexMode,
            reading::{Access, StatementKind},
        },
        time::Window,
    },
    trail::{Identity, Lane, Trail},
};

const DAY: i64 = 86_400_000_000;
/// 2026-11-23T00:00:00Z.
const TODAY: i64 = 1_795_392_000_000_000;

struct Setting {
    dir: tempfile::TempDir,
    now: Arc<AtomicI64>,
}

impl Setting {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        Self { dir, now: Arc::new(AtomicI64::new(TODAY)) }
    }

    fn trail(&self) -> Trail {
        let identity = Identity::load_or_create(self.dir.path()).expect("a key");
        let now = Arc::clone(&self.now);
        let clock = Arc::new(move || Timestamp(now.load(Ordering::Relaxed)));
        let mut options =
            crate::trail::Options::new(self.dir.path().join("trail"), identity, clock);
        options.segment_bytes = 4000;
        Trail::open(options).expect("opens")
    }

    async fn index(&self) -> Index {
        Index::open(self.options()).await.expect("opens")
    }

    fn options(&self) -> Options {
        let place = Place::Sqlite(self.dir.path().join("audit.db"));
        Options { reserve_bytes: 0, ..Options::new(self.dir.path().join("trail"), place) }
    }
}

async fn all(index: &Index, filter: &Filter) -> Vec<serde_json::Value> {
    index.page(filter, 0, 10_000).await.expect("reads")
}

fn granted() -> Permit {
    let need = Need {
        permission: Permission::Select,
        on: NeedOn::Anything,
        why: "reads public.orders".to_owned(),
    };
    let analysis = Analysis {
        span: 0..0,
        kind: StatementKind::Select,
        class: StatementClass::Select,
        needs: vec![need],
        relations: Vec::new(),
        routines: Vec::new(),
        effects: Vec::new(),
        executes: None,
        fetches: None,
        returns_user_rows: true,
        writes: false,
        hidden: None,
        masked: None,
        rules: None,
        guarded: None,
        local: None,
        parameters: 0,
    };
    let grant = Grant {
        id: GrantId(42),
        principal: Principal::new("alice"),
        target: TargetName::new("shop"),
        permissions: [Permission::Select].into_iter().collect(),
        scope: Scope::All,
        window: Window { from: Timestamp(0), until: Timestamp::FAR_FUTURE },
        max_rows: None,
        row_budget: 50_000,
        rows_used: 0,
        at_end: AtEnd::Cancel,
        request: Some(RequestId(17)),
        approved_by: "bob".to_owned(),
        reason: "INC-42".to_owned(),
        created: Timestamp(0),
        revoked: None,
    };
    let rights = Rights { grants: vec![Arc::new(grant)], ..Rights::default() };
    let caps = Caps { rows: 1000, bytes: 1 << 20, catalog_bytes: 1 << 20 };
    match decide([&analysis], &rights, caps, Timestamp(1)) {
        Decision::Permit(permit) => permit,
        Decision::Denial(denial) => panic!("{denial:?}"),
    }
}

fn orders() -> [ResolvedRelation; 1] {
    [ResolvedRelation {
        schema: "public".to_owned(),
        name: "orders".to_owned(),
        oid: None,
        access: Access::Read,
        is_catalog: false,
    }]
}

fn intent<'a>(time: i64, text: &'a str, relations: &'a [ResolvedRelation]) -> Intent<'a> {
    Intent {
        time: Timestamp(time),
        session: SessionId(7),
        principal: "alice",
        target: "shop",
        kind: IntentKind::Query,
        text,
        inexact: None,
        normalized: None,
        fingerprint: "f00d",
        class: Some(StatementClass::Select),
        relations,
        routines: &[],
        masked: None,
        guard: Guard::Nothing,
        mode: LexMode::POSTGRES,
        parameters: &[],
    }
}

fn ended(statement: StatementId, rows: u64) -> Outcome<'static> {
    Outcome {
        time: Timestamp(TODAY + 500),
        session: SessionId(7),
        statement,
        ended: Ended::Completed,
        rows,
        affected: None,
        bytes: rows * 10,
        sqlstate: None,
        policy: Duration::from_micros(9),
        upstream: Duration::from_micros(400),
        transaction: None,
    }
}

/// A morning's work.
fn story(control: &mut Lane, lane: &mut Lane) {
    let opened = SessionOpened {
        session: SessionId(7),
        principal: "alice",
        roles: &["developer".to_owned()],
        login: "scram-sha-256",
        tls: "TLSv1.3",
        client: "10.0.0.7:51234",
        application: "psql",
        target: "shop",
        upstream_user: "hallpass",
        backend: Some(4711),
    };
    lane.note(Timestamp(TODAY), &Event::SessionOpened(&opened)).expect("is noted");
    let body = serde_json::json!({"grant": "G-42", "to": "alice"});
    let event = Event::Stored { kind: "grant.create", actor: "os:root", direct: true, body: &body };
    control.note(Timestamp(TODAY), &event).expect("is noted");
    let body = serde_json::json!({"grant": "G-42", "principal": "alice", "target": "shop",
        "since": "2026-11-23T14:05:00.000000Z", "more": 0, "trouble": null, "items": [
            {"change": "made", "kind": "role", "name": "evil", "detail": "superuser"},
            {"change": "gone", "kind": "trigger", "name": "audits on public.orders"}]});
    let kind = "grant_left_behind";
    let event = Event::Stored { kind, actor: "gateway:eu-1", direct: false, body: &body };
    control.note(Timestamp(TODAY), &event).expect("is noted");
    let failed = LoginFailed {
        session: SessionId(8),
        principal: "mallory\0",
        target: "shop",
        client: "10.6.6.6:1",
        application: "",
        tls: "",
        reason: "wrong password",
    };
    control.note(Timestamp(TODAY), &Event::LoginFailed(&failed)).expect("is noted");
    let denial = Denial {
        missing: vec![crate::kernel::policy::Missing {
            need: Need {
                permission: Permission::Dml,
                on: NeedOn::Relation {
                    schema: "public".into(),
                    name: "orders".into(),
                    of: Vec::new(),
                },
                why: String::new(),
            },
            out_of_scope: false,
        }],
        held: [Permission::Info].into_iter().collect(),
    };
    lane.deny(&intent(TODAY + 1, "DELETE FROM orders", &[]), &denial).expect("is noted");
    for n in 0..10 {
        let orders = orders();
        let text = "SELECT * FROM orders WHERE id = 1";
        let clearance =
            lane.admit(granted(), &intent(TODAY + 2 + n, text, &orders)).expect("is admitted");
        lane.outcome(&ended(clearance.statement(), 3));
        lane.settled(&Settled {
            time: Timestamp(TODAY + 3),
            session: SessionId(7),
            transaction: TransactionEnd::Committed,
            statements: &[clearance.statement()],
        });
    }
}

#[tokio::test]
async fn a_statement_is_one_row_with_its_outcome_grant_and_client() {
    let setting = Setting::new();
    let trail = setting.trail();
    let (mut control, mut lane) =
        (trail.lane(0).expect("a lane").write_each(), trail.lane(1).expect("a lane").write_each());
    let index = setting.index().await;
    story(&mut control, &mut lane);
    // The last outcome is still buffered: it comes with the next batch.
    index.catch_up().await.expect("catches up");
    lane.flush().expect("is written");
    assert!(index.lag().bytes > 0);
    index.catch_up().await.expect("catches up");
    assert_eq!(index.lag().bytes, 0);
    let filter = Filter {
        user: Some("alice".into()),
        grep: Some("ORDERS where".into()),
        ..Filter::default()
    };
    let rows = all(&index, &filter).await;
    assert_eq!(rows.len(), 10);
    for row in &rows {
        for (column, value) in [
            ("statement", "SELECT * FROM orders WHERE id = 1"),
            ("decision", "permit"),
            ("ended", "completed"),
            ("transaction_end", "committed"),
            ("grants", "G-42"),
            ("request", "R-17"),
            ("approver", "bob"),
            ("reason", "INC-42"),
            ("client", "10.0.0.7:51234"),
            ("application", "psql"),
        ] {
            assert_eq!(row[column], value, "{row}");
        }
        assert_eq!((&row["rows"], &row["upstream_us"]), (&3.into(), &400.into()));
        assert_eq!(row["relations"], serde_json::json!(["read public.orders"]));
    }
    let denied = all(&index, &Filter { denied: true, ..Filter::default() }).await;
    let kinds: Vec<_> = denied.iter().map(|row| row["kind"].as_str()).collect();
    assert_eq!(kinds, [Some("login.failed"), Some("query")]);
    assert_eq!(denied[1]["missing"], "sql.dml on public.orders");
    let after = Filter { since: Some(Timestamp(TODAY + 11)), ..Filter::default() };
    assert_eq!(all(&index, &after).await.len(), 1);
    let texts = count(&index, "audit_text").await;
    assert_eq!(texts, 2, "each text once");
}

#[tokio::test]
async fn the_views_answer_the_auditors_questions() {
    let setting = Setting::new();
    let trail = setting.trail();
    let (mut control, mut lane) =
        (trail.lane(0).expect("a lane").write_each(), trail.lane(1).expect("a lane").write_each());
    story(&mut control, &mut lane);
    // A plan's lines are no rows of the table.
    let orders = orders();
    let explain = intent(TODAY + 20, "EXPLAIN SELECT * FROM orders", &orders);
    let explain = Intent { class: Some(StatementClass::Explain), ..explain };
    let clearance = lane.admit(granted(), &explain).expect("is admitted");
    lane.outcome(&ended(clearance.statement(), 2));
    drop((control, lane));
    let index = setting.index().await;
    index.catch_up().await.expect("catches up");
    assert_eq!(
        count(&index, "who_saw WHERE relation = 'public.orders' AND approver = 'bob'").await,
        10
    );
    assert_eq!(
        count(&index, "grants_used WHERE grant_id = 'G-42' AND statements = 11 AND rows = 32")
            .await,
        1
    );
    assert_eq!(count(&index, "denied WHERE missing = 'sql.dml on public.orders'").await, 1);
    assert_eq!(
        count(&index, "direct_changes WHERE actor = 'os:root' AND kind = 'grant.create'").await,
        1
    );
    assert_eq!(
        count(&index, "left_behind WHERE grant_id = 'G-42' AND principal = 'alice'").await,
        2
    );
    let evil = "left_behind WHERE kind = 'role' AND name = 'evil' AND detail = 'superuser'";
    assert_eq!(count(&index, evil).await, 1);
}

#[tokio::test]
async fn a_table_of_before_gets_the_new_views() {
    let setting = Setting::new();
    let first = setting.index().await;
    let Database::Sqlite(pool) = &first.database else { panic!("a file was asked for") };
    // Not what it was in each view, but in all that is added since.
    let older = "DROP VIEW who_saw_unmasked; DROP VIEW left_behind;
        ALTER TABLE audit_record RENAME TO younger; UPDATE audit_version SET version = 1;
        CREATE TABLE audit_record AS SELECT * FROM younger";
    let older = format!("DROP VIEW audit; DROP VIEW who_saw; DROP VIEW grants_used; DROP VIEW denied;
        DROP VIEW direct_changes; {older}; ALTER TABLE audit_record DROP COLUMN masked;
        ALTER TABLE audit_record DROP COLUMN unmasked; CREATE VIEW audit AS SELECT * FROM audit_record");
    sqlx::raw_sql(sqlx::AssertSqlSafe(older)).execute(pool).await.expect("is as it was");
    drop(first);
    let index = setting.index().await;
    assert_eq!(count(&index, "left_behind").await, 0);
    assert_eq!(count(&index, "who_saw_unmasked").await, 0);
    assert_eq!(count(&index, "audit WHERE masked IS NOT NULL OR unmasked IS NOT NULL").await, 0);
    assert_eq!(count(&index, "audit_version WHERE version = 3").await, 1);
}

#[tokio::test]
async fn several_indexers_and_a_rebuild_make_no_doubles() {
    let setting = Setting::new();
    let trail = setting.trail();
    let (mut control, mut lane) =
        (trail.lane(0).expect("a lane").write_each(), trail.lane(1).expect("a lane").write_each());
    let (one, two) = (setting.index().await, setting.index().await);
    story(&mut control, &mut lane);
    let (a, b) = tokio::join!(one.catch_up(), two.catch_up());
    a.and(b).expect("both catch up");
    let rows = count(&one, "audit").await;
    story(&mut control, &mut lane);
    drop((control, lane));
    let (a, b) = tokio::join!(two.catch_up(), one.catch_up());
    a.and(b).expect("both catch up");
    assert_eq!(count(&two, "audit").await, 2 * rows);
    let before = all(&one, &Filter::default()).await.len();
    one.rebuild().await.expect("is made again");
    assert_eq!(all(&one, &Filter::default()).await.len(), before);
    assert_eq!(count(&one, "audit WHERE ended IS NULL AND statement_id IS NOT NULL").await, 0);
}

#[tokio::test]
async fn what_a_crash_left_open_is_unknown_after_the_next_start() {
    let setting = Setting::new();
    let index = setting.index().await;
    {
        let trail = setting.trail();
        let mut lane = trail.lane(1).expect("a lane").write_each();
        let _ = lane.admit(granted(), &intent(TODAY, "SELECT 1", &[])).expect("is admitted");
    }
    index.catch_up().await.expect("catches up");
    let trail = setting.trail();
    let mut control = trail.lane(0).expect("a lane").write_each();
    control.note(Timestamp(TODAY + 9), &Event::Started { version: "0" }).expect("is noted");
    let mut lane = trail.lane(1).expect("a lane").write_each();
    let _ = lane.admit(granted(), &intent(TODAY + 10, "SELECT 2", &[])).expect("is admitted");
    index.catch_up().await.expect("catches up");
    assert_eq!(count(&index, "audit WHERE ended = 'unknown' AND statement = 'SELECT 1'").await, 1);
    assert_eq!(count(&index, "audit WHERE ended IS NULL AND statement = 'SELECT 2'").await, 1);
}

#[tokio::test]
async fn the_oldest_days_go_first() {
    let setting = Setting::new();
    let trail = setting.trail();
    let mut lane = trail.lane(1).expect("a lane").write_each();
    for day in 0..10 {
        let text = format!("SELECT {day}");
        let _ = lane.admit(granted(), &intent(TODAY + day * DAY, &text, &[])).expect("is admitted");
    }
    let last = Timestamp(TODAY + 9 * DAY);
    let mut options = setting.options();
    options.keep = Some(Duration::from_secs(5 * 86_400));
    let index = Index::open(options.clone()).await.expect("opens");
    index.catch_up().await.expect("catches up");
    index.prune(last).await.expect("prunes");
    assert_eq!(count(&index, "audit").await, 6);
    assert_eq!(count(&index, "audit_text").await, 6);
    index.close().await;
    options.quota_bytes = Some(1500);
    let index = Index::open(options).await.expect("opens");
    index.prune(last).await.expect("prunes");
    let left = count(&index, "audit").await;
    assert!((1..4).contains(&left), "{left} rows");
    assert_eq!(count(&index, "audit WHERE statement = 'SELECT 9'").await, 1);
}

#[tokio::test]
async fn another_trail_and_a_full_disk_stop_the_table_not_the_trail() {
    let setting = Setting::new();
    let trail = setting.trail();
    let mut lane = trail.lane(1).expect("a lane").write_each();
    let _ = lane.admit(granted(), &intent(TODAY, "SELECT 1", &[])).expect("is admitted");
    let mut options = setting.options();
    options.reserve_bytes = u64::MAX;
    let index = Index::open(options).await.expect("opens");
    assert!(matches!(index.catch_up().await, Err(IndexError::DiskNearlyFull { .. })));
    let index = setting.index().await;
    index.catch_up().await.expect("catches up");
    drop((lane, trail));
    std::fs::remove_dir_all(setting.dir.path().join("trail")).expect("removes");
    let trail = setting.trail();
    let _lane = trail.lane(1).expect("a lane").write_each();
    assert!(matches!(index.catch_up().await, Err(IndexError::OtherTrail { lane: 1 })));
}

/// How many rows `FROM …` has.
async fn count(index: &Index, from: &str) -> i64 {
    let sql = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {from}"));
    match &index.database {
        Database::Sqlite(pool) => sqlx::query_scalar(sql).fetch_one(pool).await.expect("counts"),
        Database::Postgres(pool) => sqlx::query_scalar(sql).fetch_one(pool).await.expect("counts"),
    }
}
