//! What clients are greeted with before it is known where they go, and how old ones prove who they are.

use std::{io::Write as _, net::TcpListener};

use hallpass::wire::mysql::{
    Capabilities,
    auth::NATIVE,
    capability,
    greeting::{Greeting, Nonce},
    login::{Challenge, LogIn},
};
use mysql_common::auth::plugins::mysql_native_password::scramble_native;

use crate::{
    change_user::change,
    client::Pair,
    raw::Raw,
    support::{
        PATIENCE, eventually,
        gateway::{Options, TARGET},
        mysql::{Family, SCHEMA},
    },
};

#[test]
fn a_gateway_that_starts_while_the_server_is_down_greets_as_before() {
    for family in Family::ALL {
        let mut pair = Pair::start(family);
        let secret = pair.gateway.principal("alice", "developer");
        let before = Raw::connect(&pair, "alice", &secret).greeting;
        pair.server.stop();
        pair.gateway.restart();
        let greeted = Raw::open(&pair).greeting;
        assert_eq!(greeted.version, before.version, "{family:?}");
        assert_eq!(greeted.capabilities, before.capabilities, "{family:?}");
        assert_eq!(greeted.collation, before.collation, "{family:?}");
        let (_, told) = Raw::connect_with(&pair, ("alice", &secret), Capabilities::MYSQL)
            .err()
            .expect("nobody is there");
        assert!(!told.contains("has answered yet"), "{family:?}: {told}");
        pair.server.restart();
        let back = || Raw::connect_with(&pair, ("alice", &secret), Capabilities::MYSQL).is_ok();
        assert!(eventually(PATIENCE, back), "{family:?}: it doesn't come back");
    }
}

/// Greets everybody as a server of this version would.
fn greets(version: &str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("bound").port();
    let mut out = Vec::new();
    let greeting = Greeting {
        version: version.as_bytes().to_vec(),
        connection: 7,
        nonce: [b'n'; 20],
        capabilities: capability::NEEDED | Capabilities::CONNECT_WITH_DB,
        collation: 45,
        status: 2,
        method: NATIVE.as_bytes().to_vec(),
    };
    greeting.write(&mut out);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            drop(stream.write_all(&out));
        }
    });
    port
}

#[test]
fn check_finds_two_major_versions_behind_one_listener() {
    for (family, engine, other) in
        [(Family::MariaDb, "mariadb", "11.4.2-MariaDB"), (Family::MySql, "mysql", "8.4.3")]
    {
        let port = greets(other);
        let second = format!(
            "[[target]]\nname = \"older\"\nengine = \"{engine}\"\naddress = \"127.0.0.1:{port}\"\nuser = \"x\""
        );
        let pair = Pair::start_with(family, &Options { rest: second, ..Options::default() });
        let output = pair.gateway.cli(&["check"]);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(!output.status.success(), "{said}");
        let line = said.lines().find(|line| line.contains("several major versions"));
        let line = line.unwrap_or_else(|| panic!("{said}"));
        let place = format!("{}:3:", pair.gateway.settings().display());
        assert!(line.contains(&place) && line.contains(other), "{line}");
        assert!(line.contains("target = \"older\""), "{line}");
    }
}

fn with_native() -> Options {
    Options { listener: "native_password = true".to_owned(), ..Options::default() }
}

/// Logs in as a client does that knows nothing but the old method.
fn old_log_in(pair: &Pair, principal: &str, secret: &str, proves: bool) -> Result<Raw, String> {
    let mut raw = Raw::open(pair);
    let needed = capability::NEEDED | Capabilities::CONNECT_WITH_DB;
    raw.capabilities = (needed & raw.greeting.capabilities) | Capabilities::MYSQL;
    let log_in = LogIn {
        capabilities: raw.capabilities,
        packet_max: 1 << 30,
        collation: 45,
        user: format!("{principal}@{TARGET}").into_bytes(),
        proof: if proves { native(&raw.greeting.nonce, secret) } else { Vec::new() },
        schema: Some(SCHEMA.as_bytes().to_vec()),
        method: NATIVE.as_bytes().to_vec(),
        attributes: Vec::new(),
    };
    let mut out = Vec::new();
    log_in.write(&mut out, 1);
    raw.write(&out);
    proves_by_native(&mut raw, secret).map(|_| raw)
}

fn native(nonce: &Nonce, secret: &str) -> Vec<u8> {
    scramble_native(nonce, secret.as_bytes()).map_or_else(Vec::new, Vec::from)
}

/// Answers challenges by the old method alone; the last nonce that it was over.
fn proves_by_native(raw: &mut Raw, secret: &str) -> Result<Nonce, String> {
    let mut over = raw.greeting.nonce;
    loop {
        let (sequence, payload) = raw.receive().map_err(|error| error.to_string())?;
        match Challenge::read(&payload).expect("a challenge") {
            Challenge::Accepted => return Ok(over),
            Challenge::Refused => return Err(String::from_utf8_lossy(&payload).into_owned()),
            Challenge::More(_) => {}
            Challenge::Switch { method, data } if method == NATIVE.as_bytes() => {
                over = data.try_into().expect("twenty bytes");
                raw.send(sequence + 1, &native(&over, secret));
            }
            Challenge::Switch { method, .. } => {
                return Err(format!("switched to {}", String::from_utf8_lossy(method)));
            }
        }
    }
}

#[test]
fn who_changes_to_somebody_else_by_the_old_method_proves_that_anew() {
    for family in Family::ALL {
        let pair = Pair::start_with(family, &with_native());
        let alice = pair.gateway.principal("alice", "developer");
        let bob = pair.gateway.principal("bob", "developer");
        let mut raw = old_log_in(&pair, "alice", &alice, true).expect("it is on");
        // Over the nonce of before, as somebody may have heard it: it isn't taken.
        let heard = native(&raw.greeting.nonce, &bob);
        raw.send(0, &change("bob", &heard, NATIVE));
        let over = proves_by_native(&mut raw, &bob).expect("it proves it anew");
        assert_ne!(over, raw.greeting.nonce, "{family:?}");
        assert_eq!(raw.value("SELECT principal FROM hallpass.whoami"), "bob", "{family:?}");
        raw.send(0, &change("alice", &heard, NATIVE));
        let told = proves_by_native(&mut raw, &bob).expect_err("it is bob's");
        assert!(told.contains("switched to caching_sha2"), "{family:?}: {told}");
    }
}

#[test]
fn old_clients_log_in_by_sha1_where_that_is_switched_on_and_nowhere_else() {
    for family in Family::ALL {
        let mut pair = Pair::start(family);
        let before = pair.gateway.principal("before", "developer");
        for proves in [true, false] {
            let told = old_log_in(&pair, "before", &before, proves).err().expect("it is off");
            assert!(told.contains("switched to caching_sha2"), "{told}");
        }
        let settings = pair.gateway.settings();
        let text = std::fs::read_to_string(&settings).expect("reads");
        let on = text.replacen("tls = \"disable\"", "tls = \"disable\"\nnative_password = true", 1);
        std::fs::write(&settings, on).expect("writes");
        pair.gateway.restart();
        // Of a secret that is older nothing is kept to check it by.
        let told = old_log_in(&pair, "before", &before, true).err().expect("nothing is kept");
        assert!(told.contains("switched to caching_sha2"), "{told}");
        let alice = pair.gateway.principal("alice", "developer");
        for proves in [true, false] {
            let mut raw = old_log_in(&pair, "alice", &alice, proves).expect("it is on");
            assert_eq!(raw.value("SELECT 'in'"), "in");
        }
        // What is wrong, and who doesn't exist, is told the same.
        for (name, secret) in [("alice", "hp_wrong"), ("nobody", "hp_wrong"), ("alice", "")] {
            let told = old_log_in(&pair, name, secret, !secret.is_empty()).err().expect("wrong");
            assert!(told.contains("switched to caching_sha2"), "{name}: {told}");
        }
        // New ones go on as before.
        assert_eq!(Raw::connect(&pair, "alice", &alice).value("SELECT 'new'"), "new");
        // Debian's own, told to begin with the old one.
        if family == Family::MariaDb {
            let client = pair.client("alice", &alice);
            let output =
                client.run_with(&["--default-auth=mysql_native_password", "-N"], "SELECT 'old';");
            let errors = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "old", "{errors}");
        }
        pair.gateway.audit_shows("how it logged in", |record| {
            record.to_string().contains("mysql_native_password")
        });
        // Switched off again, what is kept opens nothing.
        std::fs::write(&settings, text).expect("writes");
        pair.gateway.restart();
        let told = old_log_in(&pair, "alice", &alice, true).err().expect("it is off");
        assert!(told.contains("switched to caching_sha2"), "{told}");
    }
    let pair = Pair::start_with(Family::MySql, &with_native());
    let alice = pair.gateway.principal("alice", "developer");
    old_log_in(&pair, "alice", &alice, true).expect("it is on from the start");
}
