//! What people write: settings, and the small texts of settings, calls and command lines.

use std::path::Path;

use hallpass::{
    config::{Address, Config, DatabaseUrl, StoreSetting},
    kernel::{
        access::{Permission, PermissionSet, Scope},
        audit::scrub::scrub,
        ids::{GrantId, RequestId},
        sql::{
            Trust, builtins,
            charset::{Charset, ClientText},
        },
        time::{Timestamp, format_duration, parse_duration},
    },
    net::{Network, tls::TlsMode},
    store::Backend,
    trail::Checkpoint,
    upstream,
    wire::pg::array,
};

use crate::harness::Target;

#[test]
fn settings() {
    let example = include_str!("../../../proxy.toml.example");
    let mut seeds: Vec<Vec<u8>> =
        example.split("\n\n").map(|part| part.as_bytes().to_vec()).collect();
    seeds.push(b"[roles.x]\nallow = [\"10.0.0.0/8\"]\n".to_vec());
    seeds.push(format!("store = \"postgres://u:{PASSWORD}@h:5432/d\"\n").into_bytes());
    seeds.push(WHOLE.as_bytes().to_vec());
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
        match Config::parse(Path::new("proxy.toml"), text) {
            Ok(config) => fits(&config, text),
            Err(error) => {
                let said = error.to_string();
                let again = Config::parse(Path::new("proxy.toml"), text).expect_err("as before");
                assert_eq!(again.to_string(), said);
                assert!(!said.contains(PASSWORD) || !hides_password(text), "{said}");
                let lines = text.split('\n').count();
                for line in said.lines().filter_map(|line| line.strip_prefix("proxy.toml:")) {
                    let number = line.split(':').next().and_then(|n| n.parse::<usize>().ok());
                    assert!(number.is_some_and(|n| (1..=lines).contains(&n)), "{line}");
                }
            }
        }
    });
}

/// A value that is taken for fair stays so with less, and no unit makes it small.
fn settings_values(value: &str) {
    if builtins::setting_is_fair("work_mem", value) {
        let digits: String = value.chars().filter(char::is_ascii_digit).collect();
        let number = digits.parse::<f64>().expect("a number");
        assert!(number <= 1_073_741_824.0 || value.contains('.') || number == 0.0, "{value}");
        assert!(builtins::setting_is_fair("maintenance_work_mem", value));
    }
    if builtins::is_read_encoding(value) {
        assert!(value.is_ascii());
    }
    let rule = builtins::setting(value);
    assert_eq!(builtins::setting(&value.to_ascii_uppercase()), rule);
}

/// Nobody who reads what the gateway says learns it.
const PASSWORD: &str = "hunter2hunter2";

/// True if it stands nowhere but as the password of the store's URL.
fn hides_password(text: &str) -> bool {
    let lines = text.lines().filter(|line| line.contains(PASSWORD));
    let in_url = format!(":{PASSWORD}@");
    let mut lines = lines.map(|line| {
        line.starts_with("store = \"p")
            && line.matches(PASSWORD).count() == 1
            && line.contains(&in_url)
    });
    lines.all(|hidden| hidden)
}

const WHOLE: &str = r#"
data_dir = "d"
[[listen]]
protocol = "postgres"
address = "127.0.0.1:6432"
tls = "disable"
target = "a"
[[target]]
name = "a"
engine = "postgres"
address = "db.internal:5432"
database = "shop"
user = "hallpass"
password_file = "p"
tls = "verify-full"
trust = ["ext:postgis", "billing.refund(dml)"]
[roles.dev]
standing = ["info"]
duties = ["approver"]
allow = ["10.0.0.0/8"]
[limits]
max_rows = 5
max_duration = "8h"
message_bytes = "16MiB"
[audit]
statements = "text"
[log]
format = "json"
"#;

/// What was taken is whole: names that lead somewhere, places that can be read again, no password to
/// see.
fn fits(config: &Config, text: &str) {
    let again = Config::parse(Path::new("proxy.toml"), text).expect("as before");
    assert_eq!(config.restart_keys(&again), Vec::<&str>::new());
    assert!(!format!("{config:?}").contains(PASSWORD) || !hides_password(text));
    for target in &config.targets {
        assert_eq!(config.target(target.name.as_str()), Some(target), "two of a name");
        let printed = target.address.to_string();
        assert_eq!(Address::parse(&printed).as_ref(), Some(&target.address));
        if !printed.ends_with(":0") {
            let by_upstream: upstream::Address = printed.parse().expect("reads there too");
            assert_eq!(by_upstream.to_string(), printed);
        }
        Trust::parse(target.trust.iter().map(String::as_str)).expect("it was looked at");
    }
    let targets = config.listeners.iter().filter_map(|listener| listener.target.as_ref());
    assert!({ targets }.all(|name| config.target(name.as_str()).is_some()));
    assert!(config.limits.statement_bytes > 0 && config.limits.max_duration.as_secs() > 0);
    if let StoreSetting::Postgres(url) = &config.store {
        let _ = Backend::Postgres(url.as_str().to_owned()).is_unverified();
    }
}

/// What is printed as the server does reads the same, and what reads is one thing.
#[test]
fn arrays_of_a_server() {
    let seeds = [
        "{pg_catalog,public}",
        r#"{"a,b","c\"d",e}"#,
        "{}",
        r#"{"",NULL,"NULL","a b","{}"}"#,
        "{1,16384}",
        "[0:1]={1,2}",
        "{{1,2},{3,4}}",
    ];
    let words = ["{", "}", ",", "\"", "\\", "NULL", "null", " ", "\"\"", "\u{b}"];
    let seeds = seeds.map(|text| text.as_bytes().to_vec());
    Target::new("arrays_of_a_server", seeds).longest(256).words(words).run(|bytes| {
        let Ok(text) = std::str::from_utf8(bytes) else { return };
        if let Some(elements) = array::elements(text) {
            assert!(elements.len() <= text.len());
            assert_eq!(array::elements(&printed(&elements)), Some(elements.clone()));
            let texts: Vec<String> = elements.into_iter().flatten().collect();
            assert_eq!(array::texts(text), Some(texts));
        }
        let elements: Vec<Option<String>> = text
            .split(',')
            .map(|element| (element != "NULL").then(|| element.to_owned()))
            .collect();
        assert_eq!(array::elements(&printed(&elements)), Some(elements));
    });
}

/// A text in an encoding of one byte a character is as long as its bytes, cut by ASCII in the same places,
/// and goes back as it came; what is none is an error, and for people a mark in its place.
#[test]
fn texts_in_other_encodings() {
    let all = Charset::all();
    let seeds = [
        &b"\0SELECT '\xe4' AS \"\xc4\""[..],
        b"\x07caf\xe9 \x80\x93\x94",
        b"\x10\xff\xa0\x81 -- x\n",
    ];
    let seeds = seeds.map(<[u8]>::to_vec);
    Target::new("texts_in_other_encodings", seeds).longest(256).run(|bytes| {
        let Some((first, bytes)) = bytes.split_first() else { return };
        let name = all[usize::from(*first) % all.len()].name;
        let by_bytes = ClientText::of("SQL_ASCII", name);
        for how in [ClientText::of(name, "UTF8"), ClientText::of(name, name), by_bytes] {
            let lossy = how.read_lossy(bytes);
            assert_eq!(lossy.chars().count(), bytes.len());
            assert!(how.whole(bytes) <= bytes.len());
            let read = how.read(bytes);
            assert_eq!(how.read_name(bytes), read);
            let Ok(text) = read else { continue };
            assert_eq!(text, lossy);
            for (byte, c) in bytes.iter().zip(text.chars()) {
                assert_eq!(
                    byte.is_ascii().then_some(char::from(*byte)),
                    Some(c).filter(char::is_ascii)
                );
            }
            assert_eq!(how.write(&text), bytes);
        }
        // Whatever the encoding of who reads it, what we say is something that it has.
        let text = String::from_utf8_lossy(bytes);
        for how in [ClientText::of(name, "UTF8"), ClientText::UNKNOWN, ClientText::UTF8] {
            let written = how.write(&text);
            assert!(how.read(&written).is_ok() && how.whole(&written) == written.len());
        }
    });
}

/// As the server prints an array: quotes only where they must be.
fn printed(elements: &[Option<String>]) -> String {
    let odd = |c: char| matches!(c, '"' | '\\' | '{' | '}' | ',' | ' ' | '\t'..='\r');
    let one = |element: &Option<String>| match element {
        None => "NULL".to_owned(),
        Some(text)
            if text.is_empty() || text.eq_ignore_ascii_case("null") || text.contains(odd) =>
        {
            format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
        }
        Some(text) => text.clone(),
    };
    format!("{{{}}}", elements.iter().map(one).collect::<Vec<_>>().join(","))
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
        "2026-01-02 03:04:05-23:59",
        "1048576kB",
        "utf-8",
        "Search_Path",
        "verify-full",
        "postgres://u:p@h:5432/d?sslmode=verify-full&options=-c%20a%3Db",
        "SELECT 'secret' -- 'x'",
        "password=hunter2 postgres://u:p@h/d",
        r#"{"checkpoint":1,"node":"b7","time":"2026-11-26T00:46:10Z","lanes":[],"previous":"00","signature":"77"}"#,
    ];
    let seeds = seeds.map(|text| text.as_bytes().to_vec());
    let words = [
        "10MiB",
        "TiB",
        "G-1",
        "R-",
        "select",
        "dml,",
        "ext:postgis",
        "(dml)",
        "f(",
        "*",
        "::",
        "0000-",
        "9999-12-31T23:59:59",
        "+23:59",
        "GB",
        "?sslmode=",
        "%",
    ];
    Target::new("small_texts", seeds).words(words).run(|bytes| {
        let Ok(text) = std::str::from_utf8(bytes) else { return };
        if let Some(address) = Address::parse(text) {
            assert_eq!(Address::parse(&address.to_string()), Some(address));
        }
        let _ = Network::parse(text);
        if let Ok(duration) = parse_duration(text) {
            assert_eq!(parse_duration(&format_duration(duration)).ok(), Some(duration));
        }
        if let Ok(address) = text.parse::<upstream::Address>() {
            assert_eq!(address.to_string().parse().as_ref(), Ok(&address));
        }
        if let Some(url) = DatabaseUrl::parse(text) {
            assert_eq!(url.as_str(), text);
            assert_eq!(format!("{url:?}"), "DatabaseUrl(…)");
        }
        let _ = Backend::Postgres(text.to_owned()).is_unverified();
        let _ = text.parse::<TlsMode>();
        settings_values(text);
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
        if let Ok(scope) = Scope::parse_list(text) {
            assert_eq!(Scope::parse_list(&scope.to_string()).ok().as_ref(), Some(&scope));
        }
        drop(scrub(text));
        if let Some(checkpoint) = Checkpoint::parse(text) {
            assert_eq!(checkpoint.line(), text);
        }
    });
}
