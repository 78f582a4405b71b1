//! The store of principals and grants goes away, freezes or is locked: what nobody could take back counts
//! for a while, then only roles do, and all comes back by itself.

use std::{fs, time::Duration};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use sqlx::{Connection as _, SqliteConnection};

use crate::support::{
    Gateway, Postgres, RawClient, eventually,
    gateway::Options,
    raw::{error, rows},
};

const BRIEFLY: &str = "[limits]\nstore_offline_max = \"3s\"\n";

fn brief(server: &Postgres) -> Gateway {
    Gateway::start_with(server, &Options { rest: BRIEFLY.to_owned(), ..Options::default() })
}

fn reads(client: &mut RawClient) -> bool {
    error(&client.query("SELECT id FROM orders LIMIT 1")).is_none()
}

fn readiness(gateway: &Gateway) -> Option<u16> {
    gateway.http("/readyz").map(|(status, _)| status)
}

#[test]
fn a_store_whose_file_is_taken_away_or_replaced_gives_nothing_any_more_until_it_is_back() {
    let server = Postgres::start();
    let gateway = brief(&server);
    let secret = gateway.principal("alice", "developer");
    gateway.grant("alice", "select");
    let mut client = gateway.connect("alice", &secret);
    assert!(reads(&mut client));
    let file = gateway.data().join("hallpass.db");
    let aside = gateway.data().join("aside.db");
    for replaced in [false, true] {
        fs::rename(&file, &aside).expect("moves it");
        if replaced {
            fs::copy(&aside, &file).expect("copies it");
        }
        assert!(reads(&mut client), "it is live, and goes on for a while");
        let over = || !reads(&mut client);
        assert!(eventually(Duration::from_secs(12), over), "nobody could revoke it");
        assert_eq!(rows(&client.query("SELECT 'standing'")), [["standing"]]);
        assert_eq!(readiness(&gateway), Some(503));
        let asked = client.query("SELECT hallpass.request('select', '30m', 'lost otherwise')");
        assert!(error(&asked).is_some(), "it would be in a file that nobody reads: {asked:?}");
        fs::rename(&aside, &file).expect("moves it back");
        assert!(eventually(Duration::from_secs(15), || reads(&mut client)), "it counts again");
        assert!(eventually(Duration::from_secs(5), || readiness(&gateway) == Some(200)));
    }
    gateway.must(&["audit", "verify"]);
}

#[test]
fn a_store_that_somebody_has_locked_hurts_nobody_but_who_writes_to_it() {
    let server = Postgres::start();
    let gateway = brief(&server);
    let secret = gateway.principal("alice", "developer");
    let grant = gateway.grant("alice", "select");
    let mut client = gateway.connect("alice", &secret);
    let file = gateway.data().join("hallpass.db");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let mut holder = runtime.block_on(async {
        let url = format!("sqlite://{}", file.display());
        let mut holder = SqliteConnection::connect(&url).await.expect("connects");
        sqlx::query("BEGIN IMMEDIATE").execute(&mut holder).await.expect("locks");
        holder
    });
    // Longer than the store may be away: it is there, and can be read.
    for _ in 0..4 {
        std::thread::sleep(Duration::from_secs(1));
        assert!(reads(&mut client));
        assert!(reads(&mut gateway.connect("alice", &secret)));
    }
    assert_eq!(readiness(&gateway), Some(200));
    runtime.block_on(async {
        sqlx::query("ROLLBACK").execute(&mut holder).await.expect("lets go");
        holder.close().await.expect("closes");
    });
    gateway.must(&["grant", "revoke", &grant]);
    assert!(eventually(Duration::from_secs(3), || !reads(&mut client)), "it was revoked");
    gateway.must(&["audit", "verify"]);
}

/// The postmaster and all its children.
pub(crate) fn processes(server: &Postgres) -> Vec<Pid> {
    let parent = server.pid();
    let children = fs::read_dir("/proc").expect("there").flatten().filter_map(|entry| {
        let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
        let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
        // Behind the name, which may hold anything: the state, then the parent.
        let of: i32 = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?;
        (of == parent).then_some(Pid::from_raw(pid))
    });
    std::iter::once(Pid::from_raw(parent)).chain(children).collect()
}

#[test]
fn a_store_that_freezes_is_as_good_as_gone_and_thaws_by_itself() {
    let (keeper, server) = (Postgres::start(), Postgres::start());
    let gateway = super::outage::with_store_on(&keeper, &server, BRIEFLY);
    let secret = gateway.principal("alice", "developer");
    let grant = gateway.grant("alice", "select");
    let mut client = gateway.connect("alice", &secret);
    assert!(reads(&mut client));
    let frozen = processes(&keeper);
    let signal = |signal| frozen.iter().for_each(|pid| kill(*pid, signal).expect("reaches it"));
    signal(Signal::SIGSTOP);
    assert!(reads(&mut client), "it is live, and goes on for a while");
    assert!(eventually(Duration::from_secs(15), || !reads(&mut client)), "nobody could revoke it");
    // Who is known comes in, and what needs no grant goes on.
    let mut late = gateway.connect("alice", &secret);
    assert_eq!(rows(&late.query("SELECT 'standing'")), [["standing"]]);
    assert_eq!(readiness(&gateway), Some(503));
    signal(Signal::SIGCONT);
    assert!(eventually(Duration::from_secs(30), || reads(&mut client)), "it counts again");
    gateway.must(&["grant", "revoke", &grant]);
    assert!(eventually(Duration::from_secs(5), || !reads(&mut client)), "it was revoked");
}
