//! Floods of whoever has no log-in at all, from as many addresses as it takes. Each goes on for
//! half a second, or as many seconds as `HALLPASS_ABUSE_SECONDS` says.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpStream},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use super::{
    log_in::guess,
    watch::{Ward, hands, lasts},
};
use crate::support::{
    Gateway, Postgres, RawClient, eventually,
    gateway::{Options, TARGET},
    raw::{self, PROTOCOL_3_0},
    tls,
};

const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];
const GSSENC_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 48];

/// One of many addresses that attacks come from, the bystander's none of them.
fn address(number: u32) -> [u8; 4] {
    let [_, _, high, low] = number.to_be_bytes();
    [127, 1, high, low.max(1)]
}

/// A connection of an attacker's; `None`: the system has no more for him.
fn open(gateway: &Gateway, number: u32) -> Option<TcpStream> {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).ok()?;
    socket.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    socket.set_write_timeout(Some(Duration::from_secs(5))).ok()?;
    socket.bind(&std::net::SocketAddr::from((address(number), 0)).into()).ok()?;
    let to: std::net::SocketAddr = gateway.address().parse().expect("an address");
    socket.connect(&to.into()).ok()?;
    Some(socket.into())
}

/// Sends this and reads to the end, as far as there is one.
fn say(gateway: &Gateway, number: u32, bytes: &[u8]) -> Vec<u8> {
    let mut answer = Vec::new();
    if let Some(mut stream) = open(gateway, number)
        && stream.write_all(bytes).is_ok()
    {
        drop(stream.shutdown(Shutdown::Write));
        drop(stream.take(1 << 16).read_to_end(&mut answer));
    }
    answer
}

fn startup(parameters: &[(&str, &str)]) -> Vec<u8> {
    let mut body = PROTOCOL_3_0.to_be_bytes().to_vec();
    for (name, value) in parameters {
        body.extend([name.as_bytes(), b"\0", value.as_bytes(), b"\0"].concat());
    }
    body.push(0);
    let length = i32::try_from(body.len() + 4).expect("short");
    [&length.to_be_bytes(), body.as_slice()].concat()
}

fn packet(length: i32, rest: &[u8]) -> Vec<u8> {
    [&length.to_be_bytes(), rest].concat()
}

fn start(tls: &'static str, rest: &str) -> (Postgres, Gateway, String) {
    let server = Postgres::start();
    let options = Options { tls, rest: rest.to_owned(), ..Options::default() };
    let gateway = Gateway::start_with(&server, &options);
    let bob = gateway.principal("bob", "developer");
    (server, gateway, bob)
}

#[test]
fn nonsense_before_a_log_in_harms_nobody() {
    let (_server, gateway, bob) = start("prefer", "");
    let ward = Ward::new(&gateway, "bob", &bob);
    let user = startup(&[("user", "bob"), ("database", TARGET)]);
    ward.unharmed("bytes behind a request for encryption", 32 << 20, || {
        hands(4, |hand, until| {
            let junk = vec![b'j'; 8 << 10];
            while Instant::now() < until {
                for request in [SSL_REQUEST, GSSENC_REQUEST] {
                    for behind in [&user, &junk] {
                        let answer = say(&gateway, hand, &[&request, behind.as_slice()].concat());
                        assert!(!answer.starts_with(b"S"), "taken: {answer:?}");
                    }
                }
            }
        });
    });
    let many: Vec<_> = (0..900).map(|n| (format!("p{n}"), String::new())).collect();
    let many: Vec<_> = many.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let long = "v".repeat(9_900);
    let mut nonsense: Vec<_> = [0, 3, 4, 7, -1, i32::MIN, i32::MAX, 10_001, 1 << 20]
        .map(|length| packet(length, &vec![b'x'; 12 << 10]))
        .to_vec();
    nonsense.extend((0..user.len()).map(|cut| user[..cut].to_vec()));
    nonsense.extend([
        startup(&many),
        startup(&[("user", &long)]),
        startup(&[("user", "bob"), ("_pq_.x", &long)]),
        raw::cancel_request(&[7; 12]),
        raw::cancel_request(&[7; 252]),
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        vec![0x16; 8 << 10],
    ]);
    ward.unharmed("start-up packets that are none", 32 << 20, || {
        hands(4, |hand, until| {
            for bytes in nonsense.iter().cycle().take_while(|_| Instant::now() < until) {
                say(&gateway, hand, bytes);
            }
        });
    });
}

#[test]
fn handshakes_harm_nobody() {
    let (_server, gateway, bob) = start("prefer", "");
    let ward = Ward::new(&gateway, "bob", &bob);
    ward.unharmed("tls handshakes", 64 << 20, || {
        hands(4, |hand, until| {
            while Instant::now() < until {
                let Some(mut stream) = open(&gateway, hand) else { continue };
                let answered =
                    stream.write_all(&SSL_REQUEST).is_ok() && stream.read_exact(&mut [0]).is_ok();
                if answered {
                    drop(tls::connect(stream, &[]));
                }
            }
        });
    });
    ward.unharmed("half handshakes", 64 << 20, || {
        let held: Vec<_> = (0..400)
            .filter_map(|number| {
                let mut stream = open(&gateway, number / 190)?;
                // The beginning of a ClientHello of the longest record there is.
                let begun =
                    [&[0x16, 3, 1, 64, 0, 1, 0, 63, 252, 3, 3], [7; 4096].as_slice()].concat();
                if number.is_multiple_of(2) {
                    stream.write_all(&SSL_REQUEST).ok()?;
                    stream.read_exact(&mut [0]).ok()?;
                }
                stream.write_all(&begun).ok()?;
                Some(stream)
            })
            .collect();
        std::thread::sleep(lasts());
        drop(held);
    });
}

#[test]
fn slow_log_ins_and_floods_of_connections_harm_nobody() {
    let rest = "[limits]\nlogin_timeout = \"3s\"\n";
    let (_server, gateway, bob) = start("disable", rest);
    let ward = Ward::new(&gateway, "bob", &bob);
    let user = startup(&[("user", "bob"), ("database", TARGET)]);
    ward.unharmed("slow log-ins", 64 << 20, || {
        let mut slow: Vec<_> =
            (0..570).filter_map(|number| open(&gateway, 10 + number / 190)).collect();
        let began = Instant::now();
        let mut byte = user.iter();
        // Byte by byte, and none of them lives longer than a log-in may take.
        while !slow.is_empty() && began.elapsed() < Duration::from_secs(8) {
            if let Some(byte) = byte.next() {
                for stream in &mut slow {
                    drop(stream.write_all(&[*byte]));
                }
            }
            std::thread::sleep(Duration::from_millis(500));
            slow.retain(|stream| {
                stream.set_nonblocking(true).expect("a socket option");
                let ended = matches!((&*stream).read(&mut [0; 512]), Ok(0));
                stream.set_nonblocking(false).expect("a socket option");
                !ended
            });
        }
        assert!(slow.is_empty(), "{} slow log-ins are still there", slow.len());
    });
    ward.unharmed("connections that come and go", 64 << 20, || {
        hands(4, |hand, until| {
            while Instant::now() < until {
                let held: Vec<_> = (0..50).filter_map(|_| open(&gateway, 20 + hand)).collect();
                drop(held);
            }
        });
    });
}

/// A log-in with a wrong proof; the code of what it is told.
fn guess_as(gateway: &Gateway, number: u32, user: &str) -> Option<String> {
    let mut client = RawClient::open_from(address(number), &gateway.address());
    client.try_send_bytes(&startup(&[("user", user), ("database", TARGET)])).ok()?;
    Some(guess(&mut client)?[2].field('C'))
}

#[test]
fn a_flood_of_wrong_secrets_holds_up_neither_log_ins_nor_whoever_ends_sessions() {
    let (_server, gateway, bob) = start("disable", "");
    let carol = gateway.principal("carol", "developer");
    let ward = Ward::new(&gateway, "bob", &bob);
    ward.unharmed("wrong secrets", 64 << 20, || {
        let done = AtomicBool::new(false);
        let flood = |hand: u32| {
            let mut number = hand << 12;
            while !done.load(Ordering::Relaxed) {
                number += 1;
                // Five of each address and name: none of them has to wait.
                let told = guess_as(&gateway, number / 5, ["bob", "who"][number as usize % 2]);
                assert!(matches!(told.as_deref(), None | Some("28P01")), "{told:?}");
            }
        };
        std::thread::scope(|scope| {
            for hand in 1..7 {
                let flood = &flood;
                scope.spawn(move || flood(hand));
            }
            // However this ends, the flood does too.
            let _done = Done(&done);
            let end = Instant::now() + lasts();
            let mut session = gateway.connect("carol", &carol);
            let mut id = String::new();
            let listed = eventually(Duration::from_secs(10), || {
                let list = gateway.json(&["session", "list"]);
                let hers =
                    list.as_array().and_then(|l| l.iter().find(|s| s["principal"] == "carol"));
                id = hers.and_then(|s| s["id"].as_str()).unwrap_or_default().to_owned();
                hers.is_some()
            });
            assert!(listed, "her session is not listed");
            gateway.must(&["session", "kill", &id]);
            let killed = Instant::now();
            session.wait_at_most(Duration::from_secs(10));
            let ended = session.ends_after(b"E");
            let took = killed.elapsed();
            eprintln!("a session was ended within {took:.1?}");
            std::thread::sleep(end.saturating_duration_since(Instant::now()));
            assert!(ended && took < Duration::from_secs(3), "a session ended after {took:?}");
        });
    });
}

/// Set when it goes.
struct Done<'d>(&'d AtomicBool);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
