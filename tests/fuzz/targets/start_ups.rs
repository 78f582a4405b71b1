//! What a start-up message sets, as it goes on to the server.

use hallpass::{
    kernel::sql::builtins::{
        SettingRule, is_default_lexer, is_read_encoding, setting, setting_is_fair,
    },
    session::pg::settings,
    wire::pg::{
        frontend, options,
        startup::{Startup, StartupMachine, Step, TlsOffer},
    },
};

use crate::{
    harness::{Target, length_first},
    written,
};

const WALL: &str = "default_transaction_read_only";

/// Whatever a client asks for: what leaves sets nothing that needs admin, the wall is closed by the last
/// word, the session has its own name, and a path doesn't come unnoticed.
#[test]
fn settings_of_a_start_up() {
    let with = |parameters: &[(&[u8], &[u8])]| {
        written(|o| {
            let user = [(&b"user"[..], &b"alice"[..])];
            frontend::startup_message(o, 0, &[&user[..], parameters].concat());
        })
    };
    let seeds = [
        with(&[(b"options", b"-c search_path=a,b --statement-timeout=5s -cTimeZone=Europe/\\ X")]),
        with(&[(b"Search_Path", b"hr"), (b"client_encoding", b"UTF8")]),
        with(&[(b"options", b"-c client_encoding=LATIN1"), (b"Client_Encoding", b"utf-8")]),
        with(&[(b"application_name", b"psql"), (b"work_mem", b"512MB"), (b"a.b", b"c")]),
        with(&[(b"DEFAULT_TRANSACTION_READ_ONLY", b"off"), (b"options", b"-crole=x")]),
        with(&[(b"options", b"-c default-transaction-read-only=on"), (b"database", b"shop")]),
    ];
    let words = [
        "\0",
        "options\0",
        "Search_Path\0",
        "application_name\0",
        "APPLICATION_NAME\0",
        "Default_Transaction_Read_Only\0",
        "transaction_read_only\0",
        "role\0",
        "session_authorization\0",
        "client_encoding\0",
        "standard_conforming_strings\0",
        "work_mem\0",
        "-c ",
        "-c",
        "--",
        "search-path=",
        "SEARCH_PATH=",
        "default_transaction_read_only=",
        "role=",
        "client_encoding=",
        "backslash_quote=",
        "hash_mem_multiplier=",
        "=",
        "\\ ",
        "\\",
        "\u{b}",
        "\n",
        "on",
        "off",
        "1GB",
    ];
    Target::new("settings_of_a_start_up", seeds).words(words).mended(length_first).run(|bytes| {
        let mut machine = StartupMachine::new(TlsOffer::None);
        if let Ok(Step::Start { startup, .. }) = machine.step(bytes) {
            goes_on(&startup);
        }
        if let Ok(text) = std::str::from_utf8(bytes)
            && let Some(pairs) = options::split(text)
        {
            let mut again = String::new();
            for (name, value) in &pairs {
                options::push(&mut again, name, value);
            }
            assert_eq!(options::split(&again), Some(pairs));
        }
    });
}

fn goes_on(startup: &Startup) {
    let Ok(sent) = settings::for_upstream(startup, "alice/x") else { return };
    assert_eq!(settings::for_upstream(startup, "alice/x").as_ref(), Ok(&sent));
    assert_eq!(sent.iter().filter(|(name, _)| name == "options").count(), 1);
    let set = as_the_server_sets(&sent);
    for (name, value) in &set {
        match setting(name) {
            SettingRule::Harmless | SettingRule::Path | SettingRule::Custom => {}
            SettingRule::Resource => assert!(setting_is_fair(name, value), "{name} {value}"),
            SettingRule::Encoding => assert!(is_read_encoding(value), "{value}"),
            SettingRule::Lexer => assert!(is_default_lexer(name, value), "{name} {value}"),
            SettingRule::Wall => assert_eq!((name.as_str(), value.as_str()), (WALL, "on")),
            SettingRule::Identity | SettingRule::Admin => panic!("{name} is set"),
        }
    }
    let last = |wanted: &str| set.iter().rev().find(|(name, _)| name == wanted).map(|(_, v)| v);
    assert_eq!(last("application_name").map(String::as_str), Some("alice/x"));
    assert_eq!(last(WALL).map(String::as_str), Some("on"));
    assert_eq!(settings::bring_path(&sent), last("search_path").is_some());
    // What a bare server would have made of the client's own words.
    // Of all that is sent, the session's own name alone may be in another encoding.
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let own: Vec<_> = startup.parameters.iter().map(|(n, v)| (text(n), text(v))).collect();
    let wish = as_the_server_sets(&own).into_iter().rev().find(|(name, _)| name == WALL);
    let expected = match wish.as_ref().map(|(_, value)| value.as_str()) {
        None | Some("off" | "false" | "0" | "no") => Some(false),
        Some("on" | "true" | "1" | "yes") => Some(true),
        Some(_) => None,
    };
    assert!(expected.is_none_or(|e| settings::begin_read_only(startup) == e), "{wish:?}");
}

/// A second reader, byte by byte, of what a server sets: `options` first, then the others in their order.
fn as_the_server_sets(parameters: &[(String, String)]) -> Vec<(String, String)> {
    let mut set = Vec::new();
    for (_, value) in parameters.iter().filter(|(name, _)| name == "options") {
        let mut words = words_of(value).into_iter();
        while let Some(word) = words.next() {
            let assignment = match word.strip_prefix("-c").or_else(|| word.strip_prefix("--")) {
                Some("") => words.next().expect("something behind -c"),
                Some(assignment) => assignment.to_owned(),
                None => panic!("{word:?} among the options"),
            };
            let (name, value) = assignment.split_once('=').expect("an assignment");
            set.push((name.replace('-', "_"), value.to_owned()));
        }
    }
    let no_settings = ["user", "database", "options"];
    let others = parameters.iter().filter(|(name, _)| !no_settings.contains(&name.as_str()));
    set.extend(others.cloned());
    set.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect()
}

fn words_of(options: &str) -> Vec<String> {
    let mut words: Vec<Vec<u8>> = Vec::new();
    let (mut inside, mut escaped) = (false, false);
    for byte in options.bytes() {
        if !escaped && matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c) {
            inside = false;
            continue;
        }
        if !std::mem::replace(&mut inside, true) {
            words.push(Vec::new());
        }
        escaped = !escaped && byte == b'\\';
        if !escaped {
            words.last_mut().expect("there is one").push(byte);
        }
    }
    words.into_iter().map(|word| String::from_utf8(word).expect("cut at ASCII only")).collect()
}
