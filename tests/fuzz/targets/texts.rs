//! What people write: settings, and the small texts of settings, calls and command lines.

use std::path::Path;

use hallpass::{
    config::{Address, Config, DatabaseUrl},
    kernel::{
        access::{Permission, PermissionSet, Scope},
        audit::scrub::scrub,
        ids::{GrantId, RequestId},
        sql::Trust,
        time::{Timestamp, format_duration, parse_duration},
    },
    net::Network,
    trail::Checkpoint,
};

use crate::harness::Target;

#[test]
fn settings() {
    let example = include_str!("../../../proxy.toml.example");
    let mut seeds: Vec<Vec<u8>> =
        example.split("\n\n").map(|part| part.as_bytes().to_vec()).collect();
    seeds.push(b"[roles.x]\nallow = [\"10.0.0.0/8\"]\n".to_vec());
    let words = [
        "[[target]]\n",
        "name = ",
        "\"",
        "\n",
        " = ",
        "[limits]\n",
        "true",
        "\"10m\"",
        "[",
        "]",
        "{",
    ];
    Target::new("settings", seeds).words(words).run(|bytes| {
        let Ok(text) = std::str::from_utf8(bytes) else { return };
        if let Err(error) = Config::parse(Path::new("proxy.toml"), text) {
            assert!(!error.to_string().is_empty());
        }
    });
}

#[test]
fn small_texts() {
    let seeds = [
        "10.0.0.0/8",
        "fd00::/8",
        "[::1]:5432",
        "db.internal:5432",
        "/run/x",
        "1h30m",
        "90d",
        "2026-01-02T03:04:05.678901Z",
        "public.orders, public.*",
        "SELECT 'secret' -- 'x'",
        "password=hunter2 postgres://u:p@h/d",
        r#"{"checkpoint":1,"node":"b7","time":"2026-11-26T00:46:10Z","lanes":[],"previous":"00","signature":"77"}"#,
    ];
    let seeds = seeds.map(|text| text.as_bytes().to_vec());
    let words =
        ["10MiB", "TiB", "G-1", "R-", "select", "dml,", "ext:postgis", "(dml)", "f(", "*", "::"];
    Target::new("small_texts", seeds).words(words).run(|bytes| {
        let Ok(text) = std::str::from_utf8(bytes) else { return };
        if let Some(address) = Address::parse(text) {
            assert_eq!(Address::parse(&address.to_string()), Some(address));
        }
        let _ = Network::parse(text);
        if let Ok(duration) = parse_duration(text) {
            assert_eq!(parse_duration(&format_duration(duration)).ok(), Some(duration));
        }
        drop(DatabaseUrl::parse(text));
        if let Ok(id) = text.parse::<GrantId>() {
            assert_eq!(id.to_string().parse::<GrantId>().ok(), Some(id));
        }
        let _ = (text.parse::<RequestId>(), text.parse::<Permission>());
        if let Ok(permissions) = PermissionSet::parse_list(text) {
            let again = PermissionSet::parse_list(&permissions.short_list());
            assert_eq!(again.ok(), Some(permissions));
        }
        drop(Trust::parse([text]));
        if let Ok(time) = Timestamp::parse_rfc3339(text) {
            assert_eq!(Timestamp::parse_rfc3339(&time.to_string()).ok(), Some(time));
        }
        drop(Scope::parse_list(text));
        drop(scrub(text));
        if let Some(checkpoint) = Checkpoint::parse(text) {
            assert_eq!(checkpoint.line(), text);
        }
    });
}
