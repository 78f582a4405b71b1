//! What somebody can do to the listener for health and metrics: no log-in stands before it.

use std::{
    io::Read as _,
    net::TcpStream,
    time::{Duration, Instant},
};

use super::watch::unharmed;
use crate::support::{Gateway, Postgres, RawClient};

const THERE: [u8; 4] = [127, 0, 0, 2];
/// A little longer than the gateway waits for a request, or for somebody to take its answer.
const PATIENCE: Duration = Duration::from_secs(8);

fn open(gateway: &Gateway) -> (RawClient, TcpStream) {
    let client = RawClient::open_from(THERE, &gateway.http_address());
    let reader = client.second_hand();
    (client, reader)
}

/// True if the gateway hangs up by then.
fn ends_by(reader: &mut TcpStream, until: Instant) -> bool {
    loop {
        let left = until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        reader.set_read_timeout(Some(left)).expect("a socket option");
        match reader.read(&mut [0; 4096]) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => return error.kind() == std::io::ErrorKind::ConnectionReset,
        }
    }
}

#[test]
fn whoever_holds_connections_to_http_holds_few_and_not_for_long() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let bob = gateway.principal("bob", "developer");
    unharmed("silent http", (&gateway, "bob", &bob), 32 << 20, || {
        let mut silent: Vec<_> = (0..300).map(|_| open(&gateway)).collect();
        let soon = Instant::now() + Duration::from_millis(500);
        let kept = silent.iter_mut().filter_map(|(_, r)| (!ends_by(r, soon)).then_some(()));
        let kept = kept.count();
        assert!((1..=32).contains(&kept), "{kept} connections of one address");
        assert_eq!(gateway.http("/healthz").map(|(status, _)| status), Some(200));
        drop(silent);
        // A request that comes byte by byte, one whose answers nobody reads, one that never ends, and
        // one with a body that nobody wants.
        let until = Instant::now() + PATIENCE;
        let (mut slow, mut reader) = open(&gateway);
        let (mut deaf, _) = open(&gateway);
        let (mut long, _) = open(&gateway);
        let (mut fat, _) = open(&gateway);
        let request = b"GET /metrics HTTP/1.1\r\nHost: x\r\n".as_slice();
        for client in [&mut long, &mut fat] {
            client.send_bytes(request);
        }
        fat.send_bytes(b"Content-Length: 1000000000\r\n\r\n");
        let many = [request, b"\r\n"].concat().repeat(1000);
        let long_lines = b"X-Filler: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n".repeat(500);
        for (client, bytes) in
            [(&mut long, &long_lines), (&mut fat, &vec![b'b'; 1 << 14]), (&mut deaf, &many)]
        {
            client.gives_up_writing_after(PATIENCE);
            let mut sent = 0;
            while sent < 64 << 20 && client.try_send_bytes(bytes).is_ok() {
                sent += bytes.len();
            }
            assert!(sent < 64 << 20, "all that was sent was taken");
            assert!(Instant::now() < until, "nothing more is taken and the connection stays");
        }
        while Instant::now() < until && slow.try_send_bytes(b"G").is_ok() {
            std::thread::sleep(Duration::from_millis(200));
        }
        assert!(ends_by(&mut reader, until), "a request may take for ever");
    });
}
