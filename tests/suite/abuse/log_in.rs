//! What somebody without a secret can do at the door.

use std::time::{Duration, Instant};

use super::watch::unharmed;
use crate::support::{
    Gateway, Message, Postgres, RawClient,
    gateway::{Options, TARGET},
    raw::{PROTOCOL_3_0, frame},
};

const HERE: [u8; 4] = [127, 0, 0, 1];
const THERE: [u8; 4] = [127, 0, 0, 2];

fn log_in(
    gateway: &Gateway,
    from: [u8; 4],
    user: &str,
    secret: &str,
) -> Result<RawClient, Message> {
    let mut client = RawClient::open_from(from, &gateway.address());
    client.startup(PROTOCOL_3_0, &[("user", user), ("database", TARGET)]);
    client.login(secret).map(|()| client)
}

/// Behind a start-up message: a proof of some bytes or other, as cheap as can be for who sends it. What
/// comes back; `None` if the connection ends before that.
pub(super) fn guess(client: &mut RawClient) -> Option<[Message; 3]> {
    let offer = client.try_read().ok()??;
    let first = b"n,,n=,r=abcdefghijklmnopqrstuvwx";
    let length = i32::try_from(first.len()).expect("short").to_be_bytes();
    let first = frame(b'p', &[b"SCRAM-SHA-256\0", length.as_slice(), first].concat());
    client.try_send_bytes(&first).ok()?;
    let challenge = client.try_read().ok()??;
    let text = String::from_utf8_lossy(challenge.body.get(4..)?).into_owned();
    let nonce = text.split(',').next()?;
    let proof = format!("c=biws,{nonce},p={}=", "A".repeat(43));
    client.try_send_bytes(&frame(b'p', proof.as_bytes())).ok()?;
    Some([offer, challenge, client.try_read().ok()??])
}

#[test]
fn guesses_from_one_address_wait_and_the_owner_elsewhere_does_not() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.principal("alice", "developer");
    let guess = |user: &str| {
        let began = Instant::now();
        let told = log_in(&gateway, THERE, user, "guess").err().expect("a wrong secret");
        assert_eq!(told.field('C'), "28P01", "{told:?}");
        (began.elapsed(), format!("{told:?}").replace(user, "NAME"))
    };
    // Eleven guesses: six of them wait, 0.1 to 3.2 seconds, 6.3 in all.
    let [known, unknown] = ["alice", "nobody"].map(|user| {
        let guesses: Vec<_> = (0..11).map(|_| guess(user)).collect();
        let waited: Duration = guesses.iter().map(|(time, _)| *time).sum();
        assert!(waited > Duration::from_secs(6), "{user}: {waited:?}");
        guesses.into_iter().map(|(_, told)| told).collect::<Vec<_>>()
    });
    assert_eq!(known, unknown);
    let began = Instant::now();
    assert!(log_in(&gateway, HERE, "alice", &secret).is_ok());
    let took = began.elapsed();
    assert!(took < Duration::from_secs(2), "the owner waited {took:?}");
    // Side by side they don't go faster: what would wait too long is refused.
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..16)
            .map(|_| scope.spawn(|| log_in(&gateway, THERE, "nobody", "guess").err()))
            .collect();
        let codes: Vec<_> = threads
            .into_iter()
            .map(|thread| thread.join().expect("an answer").expect("refused").field('C'))
            .collect();
        assert!(codes.iter().any(|code| code == "53300"), "{codes:?}");
    });
}

#[test]
fn log_ins_that_begin_together_are_no_way_to_more_guesses() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.principal("alice", "developer");
    // Each is ready to guess, and may if it is asked for its proof.
    let mut guesses: Vec<_> = (0..40)
        .map(|_| {
            let mut client = RawClient::open_from(THERE, &gateway.address());
            client.startup(PROTOCOL_3_0, &[("user", "alice"), ("database", TARGET)]);
            client
        })
        .collect();
    let until = Instant::now() + Duration::from_secs(2);
    let asked = guesses.iter_mut().map(|client| {
        let left = until.saturating_duration_since(Instant::now());
        usize::from(!client.is_silent_for(left.max(Duration::from_millis(1))))
    });
    assert_eq!(asked.sum::<usize>(), 5, "as many may guess at one time as may guess wrong");
    drop(guesses);
    // Whoever knows the secret and comes with as many at once hardly waits.
    let began = Instant::now();
    std::thread::scope(|scope| {
        let log_in = || log_in(&gateway, THERE, "alice", &secret);
        let threads: Vec<_> = (0..40).map(|_| scope.spawn(log_in)).collect();
        assert!(threads.into_iter().all(|thread| thread.join().expect("an answer").is_ok()));
    });
    let took = began.elapsed();
    assert!(took < Duration::from_secs(5), "a pool took {took:?}");
}

#[test]
fn one_address_does_not_fill_the_gateway_before_it_logs_in() {
    let server = Postgres::start();
    let rest = "[limits]\nconnections = 60\nconnections_per_principal = 50\n\
                log_ins_per_address = 40\n";
    let gateway =
        Gateway::start_with(&server, &Options { rest: rest.to_owned(), ..Options::default() });
    let bob = gateway.principal("bob", "developer");
    unharmed("silent connections", (&gateway, "bob", &bob), 64 << 20, || {
        let silent: Vec<_> =
            (0..300).map(|_| RawClient::open_from(THERE, &gateway.address())).collect();
        let began = Instant::now();
        log_in(&gateway, HERE, "bob", &bob).expect("room for others");
        assert!(began.elapsed() < Duration::from_secs(5));
        std::thread::sleep(Duration::from_millis(500));
        drop(silent);
    });
}

#[test]
fn log_ins_side_by_side_stay_within_the_limit_of_their_principal() {
    let server = Postgres::start();
    let rest = "[limits]\nconnections_per_principal = 5\n";
    let gateway =
        Gateway::start_with(&server, &Options { rest: rest.to_owned(), ..Options::default() });
    let secret = gateway.principal("mallory", "developer");
    std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..30).map(|_| scope.spawn(|| log_in(&gateway, HERE, "mallory", &secret))).collect();
        let sessions: Vec<_> =
            threads.into_iter().filter_map(|t| t.join().expect("an answer").ok()).collect();
        assert!((1..=5).contains(&sessions.len()), "{} sessions", sessions.len());
    });
}
