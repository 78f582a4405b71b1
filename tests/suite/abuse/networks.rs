//! From where somebody may come: lists of networks at listeners and at roles.

use std::{fs, time::Duration};

use nix::sys::signal::Signal;

use crate::support::{
    Gateway, Message, Postgres, RawClient, eventually,
    gateway::{Options, TARGET},
    raw::{PROTOCOL_3_0, rows},
};

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

fn reload(gateway: &Gateway, from: &str, to: &str) {
    let text = fs::read_to_string(gateway.settings()).expect("reads");
    assert!(text.contains(from));
    fs::write(gateway.settings(), text.replace(from, to)).expect("writes");
    gateway.signal(Signal::SIGHUP);
}

const HERE: [u8; 4] = [127, 0, 0, 1];
const THERE: [u8; 4] = [127, 0, 0, 2];

#[test]
fn a_role_may_log_in_from_its_networks_and_a_reload_ends_who_is_outside() {
    let server = Postgres::start();
    let rest = "[roles.developer]\nstanding = [\"select\"]\nallow = [\"127.0.0.1\"]\n\
                [roles.guest]\nstanding = [\"select\"]\n";
    let gateway =
        Gateway::start_with(&server, &Options { rest: rest.to_owned(), ..Options::default() });
    let (alice, bob) = (gateway.principal("alice", "developer"), gateway.principal("bob", "guest"));
    let both = gateway.principal_with("carol", &["guest", "developer"]);
    let mut inside = log_in(&gateway, HERE, "alice", &alice).expect("from her network");
    let mut guest = log_in(&gateway, THERE, "bob", &bob).expect("from everywhere");

    let told = log_in(&gateway, THERE, "alice", &alice).err().expect("not from there");
    assert_eq!(told.field('C'), "28000");
    assert!(told.field('H').contains("roles.developer.allow"), "{told:?}");
    gateway.audit_shows("the failed log-in", |record| {
        record.to_string().contains("alice may not log in from this address")
    });
    // A second role doesn't open what the first has shut.
    assert!(log_in(&gateway, HERE, "carol", &both).is_ok());
    assert!(log_in(&gateway, THERE, "carol", &both).is_err());
    // Who doesn't know the secret learns nothing of networks.
    let guess = log_in(&gateway, THERE, "alice", "guess").err().expect("a wrong secret");
    let nobody = log_in(&gateway, THERE, "nobody", "guess").err().expect("no such principal");
    assert_eq!(format!("{guess:?}").replace("alice", "nobody"), format!("{nobody:?}"));

    reload(&gateway, "allow = [\"127.0.0.1\"]", "allow = [\"127.0.0.2\"]");
    assert!(inside.ends_after(b"E"), "she is outside now");
    assert_eq!(inside.record.last().expect("told").field('C'), "28000");
    assert_eq!(rows(&guest.query("SELECT 1")), [["1"]]);
    assert!(log_in(&gateway, THERE, "alice", &alice).is_ok());
    assert!(log_in(&gateway, HERE, "alice", &alice).is_err());
}

#[test]
fn a_reload_shuts_and_opens_a_listener() {
    let server = Postgres::start();
    let options =
        Options { listener: "allow = [\"127.0.0.0/8\"]".to_owned(), ..Options::default() };
    let gateway = Gateway::start_with(&server, &options);
    let alice = gateway.principal("alice", "developer");
    assert!(log_in(&gateway, THERE, "alice", &alice).is_ok());
    reload(&gateway, "allow = [\"127.0.0.0/8\"]", "allow = [\"127.0.0.1\"]");
    let closed = || {
        let mut client = RawClient::open_from(THERE, &gateway.address());
        client.startup(PROTOCOL_3_0, &[("user", "alice"), ("database", TARGET)]);
        !matches!(client.try_read(), Ok(Some(_)))
    };
    assert!(eventually(Duration::from_secs(3), closed));
    assert!(log_in(&gateway, HERE, "alice", &alice).is_ok());
}

#[test]
fn health_and_metrics_answer_the_networks_of_their_listener() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    assert_eq!(gateway.http("/healthz").map(|(status, _)| status), Some(200));
    reload(&gateway, "protocol = \"http\"", "protocol = \"http\"\nallow = [\"10.0.0.0/8\"]");
    assert!(eventually(Duration::from_secs(3), || gateway.http("/metrics").is_none()));
}
