//! What the gateway answers itself: calls of `hallpass.*` in SQL, and HTTP. Both with a store in a folder
//! and nothing behind them.

use std::{
    collections::HashMap,
    io::{Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpStream},
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use hallpass::{
    api,
    kernel::{
        access::{PermissionSet, RequestState, Role},
        ids::{Principal, RequestId, RoleName, SessionId, TargetName},
        policy::decide::Caps,
        refusal::RefusalKind,
        secret::Secret,
        sql::{
            analysis::{LocalArgument, LocalCall, LocalShape},
            lex::{Limits as LexLimits, tokenize},
            local::recognise,
            mode::LexMode,
            text::StatementText,
        },
        time::Timestamp,
    },
    net::Clock,
    session::{
        budget::Budgets,
        desk::{self, Caller, Cell, Kind, Table},
        probes::Probes,
        registry::Registry,
        services::{Limits, Over, Services, World},
    },
    store::{Actor, Backend, Rules, Store},
    wire::pg::{FrontendLimits, scram::MockSecret},
};
use tokio::{
    runtime::{Builder, Runtime},
    sync::{Notify, mpsc, watch},
};

use crate::harness::Target;

const NOW: Timestamp = Timestamp(1_790_000_000_000_000);
const LONGEST: Duration = Duration::from_secs(24 * 3600);

fn limits() -> Limits {
    Limits {
        caps: Caps { rows: 1, bytes: 1, catalog_bytes: 1 },
        over: Over::Error,
        statement_bytes: 1 << 20,
        frames: FrontendLimits::default(),
        login_timeout: LONGEST,
        idle_timeout: None,
        idle_in_transaction_timeout: None,
        connections_per_principal: 1,
        log_ins_per_address: 1,
        names: 1,
        names_bytes: 1,
        room_bytes: 1,
        max_duration: LONGEST,
        row_budget: 1,
        mask_probes: 1,
        parameter_bytes: 1,
    }
}

/// Alice may ask, Bob has asked for something himself.
async fn services(folder: &std::path::Path) -> Services {
    let rules = Rules {
        roles: Role::built_in(),
        targets: vec![TargetName::new("shop")],
        max_duration: LONGEST,
        row_budget: 1,
        request_expires: LONGEST,
        native_passwords: false,
    };
    let store = Store::open(Backend::Sqlite(folder.join("store.db")), rules).await.expect("opens");
    let root = Actor::Os { user: "root".to_owned(), sudo_user: None };
    for name in ["alice", "bob"] {
        let roles = [RoleName::new("developer")];
        store.principal_add(&root, NOW, name, &roles).await.expect("is added");
    }
    let (clock, hands) = Clock::manual(NOW);
    // It stands still.
    drop(hands);
    let (looks, _) = mpsc::channel(1);
    let snapshot = store.snapshot(NOW).await.expect("a snapshot");
    Services {
        masks: watch::Sender::new(Arc::clone(&snapshot.masks)),
        access: arc_swap::ArcSwap::from_pointee(snapshot),
        world: arc_swap::ArcSwap::from_pointee(World {
            targets: HashMap::new(),
            roles: HashMap::new(),
            networks: HashMap::new(),
            limits: limits(),
        }),
        registry: Arc::new(Registry::default()),
        doorstep: Arc::default(),
        room: Arc::default(),
        budgets: Budgets::default(),
        probes: Probes::default(),
        clock,
        metrics: Arc::default(),
        store,
        control: tokio::runtime::Handle::current(),
        mock: MockSecret::new(Secret::new(*b"a secret for nobody")),
        next_session: AtomicU64::new(1),
        store_changed: Notify::new(),
        looks,
    }
}

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("runs")
}

fn caller(name: &str) -> Caller {
    let (principal, target) = (Principal::new(name), TargetName::new("shop"));
    Caller { principal, target, session: SessionId(1) }
}

/// An input is a text and its parameters, each behind this; an empty one is NULL.
const NEXT: u8 = 1;

/// Whatever she says: alice gets a request of her own that reads back as she was told, or a refusal that
/// is hers to mend, and touches nothing of Bob's.
#[test]
fn calls_of_the_gateway() {
    let seeds = [
        "SELECT hallpass.request('select', '30m', 'INC-42')",
        "SELECT hallpass.request($1, $2, $3, $4)\u{1}select,dml\u{1}1h30m\u{1}why\u{1}public.\"A b\"",
        "SELECT * FROM hallpass.request(text 'dml', interval '1h', cast('x' as varchar(3)), '*')",
        "CALL hallpass.request('ddl', '1d', E'a\\nb', 'a.*,b.\"c\"')",
        "SELECT hallpass.withdraw(R-17), hallpass.approve(1)",
        "SELECT hallpass.withdraw('R-1'); SELECT hallpass.deny(1)",
        "SELECT hallpass.revoke($1)\u{1}G-1",
        "\u{1}select,info\u{1}30m\u{1}INC-42\u{1}public.orders,billing.*",
        "x\u{1}dml\u{1}1h\u{1}why",
        "xx\u{1}R-1",
        "SELECT id, r.state FROM hallpass.requests AS r WHERE r.principal = 'bob' ORDER BY id DESC LIMIT 5",
        "SELECT count(*) FROM hallpass.grants WHERE status = $1 AND id = 7\u{1}active",
        "SELECT * FROM hallpass.whoami LIMIT ALL",
        "TABLE hallpass.requests",
        "SHOW hallpass.x; SET hallpass.y = 'z'",
    ];
    let seeds = seeds.map(|text| text.as_bytes().to_vec());
    let words = [
        "SELECT hallpass.request(",
        "SELECT hallpass.withdraw(",
        "SELECT hallpass.approve(",
        "SELECT hallpass.deny(",
        "SELECT hallpass.revoke(",
        "SELECT * FROM hallpass.requests",
        "'select'",
        "'admin'",
        "'30m'",
        "'100d'",
        "'0s'",
        "'x'",
        "'a.b'",
        "'*'",
        "NULL",
        "$1",
        "$2",
        "$65536",
        "\u{1}",
        ", ",
        ")",
        " WHERE id = ",
        " ORDER BY created DESC",
        " LIMIT 1",
        "::text",
        "E'\\n'",
        "U&'\\0041'",
        "\u{202e}",
        "\u{1}select",
        "\u{1}dml,ddl",
        "\u{1}30m",
        "\u{1}1d",
        "\u{1}24h1s",
        "\u{1}why",
        "\u{1}public.\"A.b\",x.*",
        "\u{1}R-2",
        "\u{1}1",
    ];
    let folder = tempfile::tempdir().expect("a folder");
    let runtime = runtime();
    let services = runtime.block_on(services(folder.path()));
    let asked = runtime.block_on(ask_for_bob(&services));
    let target = Target::new("calls_of_the_gateway", seeds).longest(600).words(words);
    target.run(|bytes| {
        let mut parts = bytes.split(|byte| *byte == NEXT);
        let Ok(text) = StatementText::new(parts.next().unwrap_or_default(), 1 << 20) else {
            return;
        };
        let parameters: Vec<Option<String>> = parts
            .map(|part| std::str::from_utf8(part).ok().filter(|p| !p.is_empty()).map(str::to_owned))
            .collect();
        let mut calls = calls_in(&text);
        // The parameters as arguments, too.
        let numbers = 1..=u16::try_from(parameters.len()).expect("few");
        let arguments = numbers.map(LocalArgument::Parameter).collect();
        let name = NAMES[text.as_str().len() % NAMES.len()].to_owned();
        calls.push(LocalCall::new(name, LocalShape::Function(arguments)));
        for call in calls {
            runtime.block_on(alice_calls(&services, &call, &parameters, asked));
        }
    });
}

const NAMES: [&str; 6] = ["request", "request", "withdraw", "approve", "deny", "revoke"];

fn calls_in(text: &StatementText<'_>) -> Vec<LocalCall> {
    let Ok(tokens) = tokenize(text, LexMode::POSTGRES, &LexLimits::DEFAULT) else {
        return Vec::new();
    };
    let Ok(calls) = recognise(&tokens, text.as_str()) else { return Vec::new() };
    assert_eq!(calls.len(), tokens.statements().len());
    calls.into_iter().flatten().collect()
}

async fn ask_for_bob(services: &Services) -> RequestId {
    let text = StatementText::new(b"SELECT hallpass.request('dml', '1h', 'mine')", 100);
    let text = text.expect("a text");
    let call = calls_in(&text).pop().expect("a call");
    desk::answer(services, &caller("bob"), &call, &[]).await.expect("he may ask");
    let requests = services.store.requests(NOW, true, 2).await.expect("reads");
    requests.first().expect("his").id
}

async fn alice_calls(
    services: &Services,
    call: &LocalCall,
    parameters: &[Option<String>],
    of_bob: RequestId,
) {
    let store = &services.store;
    let answer = desk::answer(services, &caller("alice"), call, parameters).await;
    let pending = store.requests(NOW, true, 3).await.expect("reads");
    match answer {
        Ok(table) => {
            assert_eq!(desk::columns(call).as_ref(), Ok(&table.columns));
            fits(&table);
            match (&call.shape, call.name.as_str()) {
                (LocalShape::Function(_) | LocalShape::Procedure(_), "request") => {
                    hers(services, &table, &pending).await;
                }
                (LocalShape::View(_), _) => {}
                _ => panic!("nothing else can have an effect: {call:?}"),
            }
        }
        Err(refusal) => {
            assert_ne!(refusal.kind, RefusalKind::Internal, "{call:?}: {}", refusal.message);
            assert!(!refusal.message.is_empty());
            assert_eq!(pending.len(), 1, "{call:?} had an effect");
        }
    }
    let bobs = store.request(NOW, of_bob).await.expect("is there");
    assert_eq!(bobs.state, RequestState::Pending);
}

/// As many cells as columns, of their kinds.
fn fits(table: &Table) {
    for row in &table.rows {
        assert_eq!(row.len(), table.columns.len());
        for (cell, (_, kind)) in row.iter().zip(&table.columns) {
            assert!(match cell {
                Cell::Null => true,
                Cell::Text(text) => *kind == Kind::Text && !text.contains("bob"),
                Cell::Number(_) => *kind == Kind::Number,
                Cell::Time(_) => *kind == Kind::Time,
            });
        }
    }
}

/// A request of alice's was made: within the limits, and as the answer says. She takes it back.
async fn hers(
    services: &Services,
    table: &Table,
    pending: &[hallpass::kernel::access::AccessRequest],
) {
    let [[Cell::Text(line)]] = [table.rows[0].as_slice()] else { panic!("one line: {table:?}") };
    let [new, _] = pending else { panic!("Bob's, and hers: {pending:?}") };
    assert_eq!((new.principal.as_str(), new.target.as_str()), ("alice", "shop"));
    assert_ne!(new.permissions, PermissionSet::NONE);
    assert!((1..=LONGEST.as_secs()).contains(&new.duration_seconds));
    assert!(new.reason.chars().count() <= 500 && !new.reason.contains(char::is_control));
    let said = format!("{} asks for {} on {} of shop for ", new.id, new.permissions, new.scope);
    assert!(line.starts_with(&said), "{line}");
    let actor = Actor::Principal(Principal::new("alice"));
    services.store.request_withdraw(&actor, NOW, new.id).await.expect("it is hers");
}

/// Whatever comes: what is answered is HTTP, nothing fails inside, and only the three paths are found.
/// There is no query, body, cookie or token that anything behind the listener would read.
#[test]
fn requests_over_http() {
    let seeds = [
        "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /readyz?a=%41&b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        "GET /metrics HTTP/1.0\r\n\r\n",
        "HEAD /metrics HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer x\r\nCookie: a=b\r\n\r\n",
        "POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n{\"a\":1}",
        "GET /nothing HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        "GET http://x/readyz HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nUpgrade: websocket\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ];
    let seeds = seeds.map(|text| text.as_bytes().to_vec());
    let words = [
        "GET ",
        "HEAD ",
        "OPTIONS ",
        "/healthz",
        "/%68ealthz",
        "/../metrics",
        "//",
        "?a=b",
        " HTTP/1.1\r\n",
        "\r\n",
        "\r\n\r\n",
        "\n",
        ": ",
        "Content-Length: 99999999999999999999\r\n",
        "Content-Length: -1\r\n",
        "Transfer-Encoding: chunked\r\n",
        "ffffffffffffffff\r\n",
        "Connection: keep-alive\r\n",
    ];
    let folder = tempfile::tempdir().expect("a folder");
    let runtime = runtime();
    let address = runtime.block_on(async {
        let services = Arc::new(services(folder.path()).await);
        let health = api::Health::default();
        health.set_ready(true);
        let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = socket.local_addr().expect("it has one");
        let guarded = api::Guarded::new(socket, Box::new(|_| true));
        let router = api::router(api::State { health, services });
        tokio::spawn(async move { axum::serve(guarded, router).await });
        address
    });
    let target = Target::new("requests_over_http", seeds).longest(2000).words(words);
    target.run(|bytes| {
        let answer = String::from_utf8_lossy(&asked(address, bytes)).into_owned();
        let text = String::from_utf8_lossy(bytes);
        let statuses = answer.split("HTTP/1.1 ").skip(1).chain(answer.split("HTTP/1.0 ").skip(1));
        let statuses: Vec<&str> = statuses.filter_map(|rest| rest.get(..3)).collect();
        let known = ["100", "200", "400", "404", "405", "408", "413", "414", "417", "431"];
        assert!(statuses.iter().all(|status| known.contains(status)), "{answer}");
        let named = |path: &str| text.matches(path).count();
        let found = named("/healthz") + named("/readyz") + named("/metrics");
        assert!(statuses.iter().filter(|status| **status == "200").count() <= found, "{answer}");
        assert!(answer.is_empty() || answer.starts_with("HTTP/1."), "{answer}");
    });
}

fn asked(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a socket option");
    // It may have hung up before the end.
    drop(stream.write_all(bytes));
    drop(stream.shutdown(Shutdown::Write));
    let mut answer = Vec::new();
    if let Err(error) = stream.read_to_end(&mut answer) {
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "it hangs");
    }
    answer
}
