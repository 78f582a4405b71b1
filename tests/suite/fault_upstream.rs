//! The server behind the gateway freezes, babbles, hangs up half-way or crawls: whoever works there is
//! told in time, nobody else is hurt, no record stays open, and the target comes back by itself.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use nix::sys::signal::{Signal, kill};

use super::fault_store::processes;
use crate::support::{
    Gateway, Postgres, RawClient, eventually,
    gateway::Options,
    raw::{bind, error, execute, parse, query, rows, sync},
};

/// Stands between the gateway and its server, and passes everything on until it is told otherwise.
struct Between {
    port: u16,
    /// Both ends of each connection: the gateway's, the server's.
    open: Arc<Mutex<Vec<(TcpStream, TcpStream)>>>,
    /// How long it waits behind every few bytes of the server.
    crawl: Arc<Mutex<Duration>>,
}

impl Between {
    fn new(server: &Postgres) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let between = Self { port, open: Arc::default(), crawl: Arc::default() };
        let (open, crawl, to) =
            (Arc::clone(&between.open), Arc::clone(&between.crawl), server.address());
        std::thread::spawn(move || {
            for gateway in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(&to) else { continue };
                let both = || Some((gateway.try_clone().ok()?, server.try_clone().ok()?));
                let (Some(kept), Some(there)) = (both(), both()) else { continue };
                open.lock().expect("not poisoned").push(kept);
                let crawl = Arc::clone(&crawl);
                std::thread::spawn(move || pass_on(there.0, there.1, None));
                std::thread::spawn(move || pass_on(server, gateway, Some(&crawl)));
            }
        });
        between
    }

    /// A gateway whose target is behind it.
    fn gateway(&self, server: &Postgres, rest: &str) -> Gateway {
        let options = Options { rest: rest.to_owned(), ..Options::default() };
        let mut gateway = Gateway::start_with(server, &options);
        gateway.signal(Signal::SIGTERM);
        gateway.wait_end();
        let text = fs::read_to_string(gateway.settings()).expect("reads");
        let here = format!("127.0.0.1:{}", self.port);
        fs::write(gateway.settings(), text.replace(&server.address(), &here)).expect("writes");
        gateway.restart();
        gateway
    }

    /// Does this to every connection there is now, and lets later ones be.
    fn to_all(&self, what: impl Fn(&TcpStream, &TcpStream)) {
        for (gateway, server) in self.open.lock().expect("not poisoned").drain(..) {
            what(&gateway, &server);
        }
    }
}

fn pass_on(mut from: TcpStream, mut to: TcpStream, crawl: Option<&Mutex<Duration>>) {
    let mut bytes = [0; 4096];
    loop {
        let pause = crawl.map(|crawl| *crawl.lock().expect("not poisoned")).unwrap_or_default();
        let most = if pause.is_zero() { bytes.len() } else { 3 };
        let Ok(count) = from.read(&mut bytes[..most]) else { break };
        std::thread::sleep(pause);
        if count == 0 || to.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    drop(to.shutdown(Shutdown::Write));
}

/// The code of the last word, unless the client got half a message, behind which none would be read.
fn told_the_end(client: &mut RawClient, half_a_message: bool) -> Option<String> {
    let mut last = None;
    while let Ok(Some(message)) = client.try_read() {
        last = Some(message);
    }
    let Some(last) = last else {
        assert!(half_a_message, "no last word");
        return None;
    };
    assert_eq!((last.tag, last.field('V').as_str()), (b'E', "FATAL"), "{last:?}");
    Some(last.field('C'))
}

#[test]
fn a_server_that_babbles_or_hangs_up_costs_the_sessions_that_are_there_and_nothing_else() {
    let server = Postgres::start();
    let between = Between::new(&server);
    let gateway = between.gateway(&server, "");
    let secret = gateway.almighty("alice");
    type Fault = (&'static str, fn(&TcpStream, &TcpStream));
    let faults: [Fault; 4] = [
        ("garbage", |mut gateway, _| drop(gateway.write_all(&[0xfe; 300]))),
        ("an impossible length", |mut gateway, _| drop(gateway.write_all(b"D\0\0\0\x01"))),
        ("half of a message, and the end", |mut gateway, _| {
            drop(gateway.write_all(b"D\0\0\0\x20\0\x01\0\0"));
            drop(gateway.shutdown(Shutdown::Write));
        }),
        ("the end in one direction", |gateway, _| drop(gateway.shutdown(Shutdown::Write))),
    ];
    for (n, (name, fault)) in faults.into_iter().enumerate() {
        let mark = format!("pg_sleep(60), 'fault {n}'");
        let mut idle = gateway.connect("alice", &secret);
        let mut busy = gateway.connect("alice", &secret);
        let mut open = gateway.connect("alice", &secret);
        open.query("BEGIN");
        open.query(&format!("UPDATE orders SET note = 'fault {n}' WHERE id = 5"));
        busy.send_bytes(&query(&format!("SELECT {mark}")));
        assert!(busy.is_silent_for(Duration::from_millis(300)));
        let began = Instant::now();
        between.to_all(fault);
        for client in [&mut idle, &mut busy, &mut open] {
            let code = told_the_end(client, name.starts_with("half"));
            let fits = |code: &String| ["08006", "XX000", "08P01"].contains(&code.as_str());
            assert!(code.as_ref().is_none_or(fits), "{name}: {code:?}");
        }
        assert!(began.elapsed() < Duration::from_secs(10), "{name}: {:?}", began.elapsed());
        gateway.audit_shows(name, |r| {
            r["statement"].as_str().is_some_and(|s| s.contains(&mark)) && r["ended"].is_string()
        });
        let left = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'hallpass' \
                    AND state <> 'idle' AND application_name <> 'hallpass/control'";
        assert!(eventually(Duration::from_secs(10), || server.sql(left) == "0"), "{name}: runs on");
        assert_eq!(
            server.sql(&format!("SELECT count(*) FROM orders WHERE note = 'fault {n}'")),
            "0"
        );
        let mut again = gateway.connect("alice", &secret);
        assert_eq!(rows(&again.query("SELECT 'back'")), [["back"]], "{name}");
    }
    gateway.must(&["audit", "verify"]);
}

#[test]
fn a_server_that_crawls_is_waited_for() {
    let server = Postgres::start();
    let between = Between::new(&server);
    let gateway = between.gateway(&server, "");
    let secret = gateway.almighty("alice");
    let mut slow = gateway.connect("alice", &secret);
    let batch =
        |text: &str| [parse("", text, &[]), bind("", "", &[], 0), execute("", 0), sync()].concat();
    *between.crawl.lock().expect("not poisoned") = Duration::from_millis(10);
    slow.send_bytes(&batch("SELECT g FROM generate_series(1, 40) g"));
    assert_eq!(rows(&slow.read_until(b'Z')).len(), 40);
    slow.send_bytes(&query("SELECT 1/0"));
    assert_eq!(error(&slow.read_until(b'Z')).expect("fails").field('C'), "22012");
    *between.crawl.lock().expect("not poisoned") = Duration::ZERO;
    assert_eq!(rows(&slow.query("SELECT 'quick again'")), [["quick again"]]);
}

#[test]
fn a_server_that_freezes_holds_up_its_own_sessions_and_what_is_taken_away_is_told() {
    let server = Postgres::start();
    let rest = "[limits]\ndrain_timeout = \"1s\"\n";
    let mut gateway =
        Gateway::start_with(&server, &Options { rest: rest.to_owned(), ..Options::default() });
    let secret = gateway.principal("alice", "developer");
    let grant = gateway.grant("alice", "select,dml");
    let mut idle = gateway.connect("alice", &secret);
    let mut busy = gateway.connect("alice", &secret);
    busy.send_bytes(&query("SELECT count(*) FROM orders a, orders b, orders c"));
    assert!(busy.is_silent_for(Duration::from_millis(300)));
    let frozen = processes(&server);
    let signal = |signal| frozen.iter().for_each(|pid| kill(*pid, signal).unwrap_or_default());
    signal(Signal::SIGSTOP);
    gateway.must(&["grant", "revoke", &grant]);
    // What the gateway answers itself goes on.
    let own = eventually(Duration::from_secs(5), || {
        let answer = idle.query("SELECT * FROM hallpass.whoami");
        error(&answer).is_none()
    });
    assert!(own, "it waits for a server that it doesn't need");
    let began = Instant::now();
    let mut told = None;
    while told.is_none() && began.elapsed() < Duration::from_secs(25) {
        match busy.try_read() {
            Ok(Some(message)) if message.tag == b'E' => told = Some(message.field('M')),
            Ok(Some(_)) => {}
            Ok(None) | Err(_) => break,
        }
    }
    // Who knocks meanwhile is told that nobody opens, and a stop waits no longer than is set.
    let began = Instant::now();
    gateway.signal(Signal::SIGTERM);
    assert_eq!(gateway.wait_end(), Some(0));
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    signal(Signal::SIGCONT);
    gateway.restart();
    let mut again = gateway.connect("alice", &secret);
    assert_eq!(rows(&again.query("SELECT 'back'")), [["back"]]);
    gateway.must(&["audit", "verify"]);
    assert!(told.is_some_and(|told| told.contains(&grant)), "it was never told");
}
