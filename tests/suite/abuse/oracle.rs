//! What somebody without a secret learns by trying names: nothing, neither by what is said nor by how
//! long it takes. `HALLPASS_ORACLE_ROUNDS` log-ins of each kind are timed, 100 unless it is set.

use std::time::{Duration, Instant};

use super::log_in::guess;
use crate::support::{
    Gateway, Message, Postgres, RawClient,
    gateway::{Options, TARGET},
    raw::PROTOCOL_3_0,
};

/// Who claims what. `{}` is the target's name.
const CLAIMS: [(&str, &str); 11] = [
    ("nobody", "{}"),
    ("alice", "{}"),
    ("alice", "no-such-target"),
    ("nobody", "no-such-target"),
    ("disabled", "{}"),
    ("rotated", "{}"),
    ("outside", "{}"),
    ("alice@{}", "shop"),
    ("nobody@{}", "shop"),
    ("alice@no-such-target", "shop"),
    ("nobody@no-such-target", "shop"),
];

/// What a guess is told, the name taken out, and its salt.
struct Told {
    said: String,
    salt: String,
    took: Duration,
}

fn told(gateway: &Gateway, round: u32, (user, database): (&str, &str)) -> Told {
    let [_, _, high, low] = round.to_be_bytes();
    let (user, database) = (user.replace("{}", TARGET), database.replace("{}", TARGET));
    let mut client = RawClient::open_from([127, 2, high, low], &gateway.address());
    let began = Instant::now();
    client.startup(PROTOCOL_3_0, &[("user", &user), ("database", &database)]);
    let messages = guess(&mut client).expect("an answer to each message");
    assert!(matches!(client.try_read(), Ok(None)), "it goes on");
    let took = began.elapsed();
    let text = |m: &Message| String::from_utf8_lossy(&m.body).into_owned();
    let challenge = text(&messages[1]);
    let salt = challenge.split(',').find_map(|part| part.strip_prefix("s=")).expect("a salt");
    let nonce = challenge.split(',').next().expect("a nonce");
    let blank = |text: &str| "_".repeat(text.len());
    let said = messages.iter().map(|m| {
        let text = text(m).replace(salt, &blank(salt)).replace(nonce, &blank(nonce));
        format!("{} {}\n", char::from(m.tag), text.replace(&format!("\"{user}\""), "NAME"))
    });
    Told { said: said.collect(), salt: salt.to_owned(), took }
}

/// How probable it is that one of these took longer than one of those: a half if nothing tells them
/// apart.
fn longer(these: &[Duration], those: &[Duration]) -> f64 {
    let pairs = these.iter().flat_map(|a| those.iter().map(move |b| a > b));
    let count = these.len() * those.len();
    pairs.filter(|longer| *longer).count() as f64 / count as f64
}

#[test]
fn guesses_at_names_and_targets_look_alike_and_take_alike() {
    let server = Postgres::start();
    let rest = "[limits]\nlog_ins_per_address = 1000\n\
                [roles.guest]\nstanding = [\"select\"]\nallow = [\"10.0.0.0/8\"]\n";
    let gateway =
        Gateway::start_with(&server, &Options { rest: rest.to_owned(), ..Options::default() });
    for (name, role) in [
        ("alice", "developer"),
        ("disabled", "developer"),
        ("rotated", "developer"),
        ("outside", "guest"),
    ] {
        gateway.principal(name, role);
    }
    gateway.must(&["principal", "disable", "disabled"]);
    gateway.must(&["principal", "rotate", "rotated", "--overlap", "1s"]);
    std::thread::sleep(Duration::from_millis(1200));

    let rounds = std::env::var("HALLPASS_ORACLE_ROUNDS").ok().and_then(|n| n.parse().ok());
    let rounds: u32 = rounds.unwrap_or(100);
    let mut all: Vec<Vec<Told>> = CLAIMS.iter().map(|_| Vec::new()).collect();
    for round in 1..=rounds {
        // Each of a name waits for none before it, and what comes first is another each time.
        for at in 0..CLAIMS.len() {
            let at = (at + round as usize) % CLAIMS.len();
            all[at].push(told(&gateway, round, CLAIMS[at]));
        }
    }
    let times: Vec<Vec<_>> = all.iter().map(|a| a.iter().map(|t| t.took).collect()).collect();
    for (claim, heard) in CLAIMS.iter().zip(&all) {
        for told in heard {
            assert_eq!(told.said, all[0][0].said, "{claim:?}");
            assert_eq!(told.salt, heard[0].salt, "the salt of {claim:?} changes");
        }
        // A name's salt says nothing about what stands behind it.
        let name = claim.0.split('@').next();
        let first = CLAIMS.iter().position(|c| c.0.split('@').next() == name).expect("itself");
        assert_eq!(heard[0].salt, all[first][0].salt, "{claim:?} and {:?}", CLAIMS[first]);
    }
    for (claim, times_of) in CLAIMS.iter().zip(&times) {
        let known = longer(times_of, &times[0]);
        eprintln!("{claim:?} takes longer than an unknown name with probability {known:.2}");
        assert!((0.33..=0.67).contains(&known), "{claim:?}: {known:.2}");
    }
}
