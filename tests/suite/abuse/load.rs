//! What a developer with a log-in, and with grants for what the attack needs, can make the gateway do.
//! Each goes on for half a second, or as many seconds as `HALLPASS_ABUSE_SECONDS` says.

use std::time::{Duration, Instant};

use super::watch::{Ward, hands, lasts};
use crate::support::{
    Gateway, Postgres, RawClient,
    raw::{bind, copy_data, copy_fail, error, execute, flush, frame, parse, query, sync},
};

struct Scene {
    _server: Postgres,
    gateway: Gateway,
    mallory: String,
    bob: String,
}

impl Scene {
    fn set() -> Self {
        let server = Postgres::start();
        let gateway = Gateway::start(&server);
        let mallory = gateway.principal("mallory", "developer");
        let bob = gateway.principal("bob", "developer");
        Self { _server: server, gateway, mallory, bob }
    }

    fn ward(&self) -> Ward<'_> {
        Ward::new(&self.gateway, "bob", &self.bob)
    }

    fn attacker(&self) -> RawClient {
        self.gateway.connect("mallory", &self.mallory)
    }

    /// Sends one packet over and over from several sessions whose answers somebody throws away.
    fn pour(&self, sessions: u32, packet: &[u8]) {
        hands(sessions, |_, until| {
            let mut client = self.attacker();
            let mut reader = client.second_hand();
            let drain = std::thread::spawn(move || {
                drop(std::io::copy(&mut reader, &mut std::io::sink()));
            });
            client.gives_up_writing_after(Duration::from_millis(500));
            while Instant::now() < until {
                if client.try_send_bytes(packet).is_err() {
                    break;
                }
            }
            client.vanish();
            drop(drain.join());
        });
    }
}

/// Sends a message of so many bytes piece by piece, without holding it.
fn send_long(client: &mut RawClient, tag: u8, before: &[u8], length: usize, fill: u8) {
    let whole = i32::try_from(4 + before.len() + length).expect("below 2 GiB");
    client.gives_up_writing_after(Duration::from_secs(1));
    let begun = [&[tag], whole.to_be_bytes().as_slice(), before].concat();
    let piece = vec![fill; 1 << 16];
    if client.try_send_bytes(&begun).is_ok() {
        for _ in 0..length.div_ceil(piece.len()) {
            if client.try_send_bytes(&piece).is_err() {
                break;
            }
        }
    }
}

/// Messages of a hundred megabytes of four kinds.
fn long_messages(scene: &Scene, ward: &Ward<'_>) {
    const LONG: usize = 100 << 20;
    let values = [b"\0\0\0\0\0\x01".as_slice(), &i32::to_be_bytes(LONG as i32)].concat();
    let kinds: [(&str, u8, &[u8]); 4] = [
        ("statements", b'Q', b"SELECT '"),
        ("texts to prepare", b'P', b"\0SELECT '"),
        ("values", b'B', &values),
        ("copy data", b'd', b""),
    ];
    for (name, tag, before) in kinds {
        ward.unharmed(&format!("{name} of 100 MB"), 128 << 20, || {
            std::thread::scope(|scope| {
                for _ in 0..3 {
                    scope.spawn(|| {
                        send_long(&mut scene.attacker(), tag, before, LONG, b'x');
                    });
                }
            });
        });
    }
}

/// Copy data without end.
fn copies(scene: &Scene, ward: &Ward<'_>) {
    ward.unharmed("copy data", 64 << 20, || {
        hands(3, |_, until| {
            let mut client = scene.attacker();
            client.send_bytes(&query("COPY customers FROM STDIN"));
            client.read_until(b'G');
            client.gives_up_writing_after(Duration::from_secs(1));
            let piece = copy_data(&vec![b'x'; 1 << 20]);
            while Instant::now() < until && client.try_send_bytes(&piece).is_ok() {}
            drop(client.try_send_bytes(&copy_fail("enough")));
        });
    });
}

/// Results that nobody reads: they wait at the server.
fn unread_results(scene: &Scene, ward: &Ward<'_>) {
    ward.unharmed("unread results", 64 << 20, || {
        let deaf: Vec<_> = (0..20)
            .map(|number| {
                let mut client = scene.attacker();
                let text = "SELECT repeat('x', 100000) FROM generate_series(1, 100000)";
                if number % 2 == 0 {
                    client.send_bytes(&query(text));
                } else {
                    let packet =
                        [parse("", text, &[]), bind("", "", &[], 1), execute("", 0), sync()];
                    client.send_bytes(&packet.concat());
                }
                client
            })
            .collect();
        std::thread::sleep(lasts());
        for client in deaf {
            client.vanish();
        }
    });
}

#[test]
fn long_messages_and_endless_refusals_and_syncs_leave_others_their_turn() {
    let scene = Scene::set();
    let ward = scene.ward();
    long_messages(&scene, &ward);
    let denied = query("SELECT * FROM customers").repeat(500);
    let wrong = query("SELEC 1").repeat(500);
    let parsed = [parse("", "SELEC 1", &[]), sync()].concat().repeat(500);
    let nonsense = [frame(b'B', b"x"), sync(), frame(b'E', b""), sync()].concat().repeat(500);
    let calls = query("SELECT hallpass.request('select', '30m', '')").repeat(20);
    let many = [sync().repeat(100_000), flush().repeat(100_000)].concat();
    for (name, packet) in [
        ("refusals", denied),
        ("texts that can't be read", wrong),
        ("the same by Parse", parsed),
        ("messages that can't be read", nonsense),
        ("calls of hallpass.*", calls),
        ("syncs and flushes", many),
    ] {
        ward.unharmed(name, 64 << 20, || scene.pour(3, &packet));
    }
}

#[test]
fn costly_texts_leave_others_their_turn() {
    let scene = Scene::set();
    scene.gateway.grant("mallory", "select");
    let ward = scene.ward();
    let list = (0..60_000).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    let texts = [
        format!("SELECT 1{}", " + 1".repeat(40_000)),
        format!("SELECT {}1{}", "(".repeat(200_000), ")".repeat(200_000)),
        format!("SELECT {}1", "/*".repeat(200_000)),
        format!("SELECT {}1{}", "/*".repeat(200_000), "*/".repeat(200_000)),
        format!("SELECT 1 WHERE 1 IN ({list})"),
        format!("SELECT {}1", "NOT ".repeat(100_000)),
        "SELECT 1; ".repeat(50_000),
        "SELECT 2; ".repeat(4_990),
    ];
    for text in &texts {
        ward.unharmed(&text[..40], 700 << 20, || {
            let mut client = scene.attacker();
            client.send_bytes(&query(text));
            while client.read().tag != b'Z' {}
            client.record.clear();
        });
    }
    // A text that is long and nothing else doesn't wait behind all of those.
    let some = list[..100_000].trim_end_matches(',');
    let long = |number: usize| format!("SELECT 1 AS bob_{number} WHERE 1 IN ({some})");
    let mut bob = scene.gateway.connect("bob", &scene.bob);
    let mut took = |number: usize| {
        let began = Instant::now();
        let answer = bob.query(&long(number));
        assert!(error(&answer).is_none(), "{answer:?}");
        began.elapsed()
    };
    let alone = took(1);
    let queue: Vec<_> = (0..24)
        .map(|number| {
            let mut client = scene.attacker();
            client.send_bytes(&query(
                &texts[4].replace("1 WHERE", &format!("1 AS mallory_{number} WHERE")),
            ));
            client
        })
        .collect();
    std::thread::sleep(Duration::from_millis(200));
    let beside = took(2);
    eprintln!("a long text took {beside:.1?}, alone {alone:.1?}");
    assert!(beside < alone * 8 + Duration::from_secs(1), "{beside:.1?}, alone {alone:.1?}");
    for client in queue {
        client.vanish();
    }
}

#[test]
fn what_runs_under_a_grant_without_end_leaves_others_their_turn() {
    let scene = Scene::set();
    scene.gateway.grant("mallory", "dml,select,export");
    let ward = scene.ward();
    copies(&scene, &ward);
    unread_results(&scene, &ward);
    let mut points = query("BEGIN");
    for number in 0..20_000 {
        points.extend(query(&format!("SAVEPOINT s{number}")));
    }
    ward.unharmed("savepoints", 128 << 20, || scene.pour(1, &points));
    ward.unharmed("notifications", 64 << 20, || {
        // Whoever listens reads nothing.
        let deaf: Vec<_> = (0..10)
            .map(|_| {
                let mut client = scene.attacker();
                let answer = client.query("LISTEN storm");
                assert!(error(&answer).is_none(), "{answer:?}");
                client
            })
            .collect();
        let text = format!("NOTIFY storm, '{}'", "x".repeat(7000));
        scene.pour(2, &query(&text).repeat(100));
        drop(deaf);
    });
}
