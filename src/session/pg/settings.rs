//! What a client's start-up message sets: what of it the upstream's says, and what the gateway needs to
//! know of it.
//!
//! The names of settings are compared as the server does, without regard to case: `Search_Path` is
//! `search_path`. Those that aren't settings (`user`, `database`, `options`) have one way of writing.

use super::changes::is_on;
use crate::{
    kernel::{
        refusal::{Refusal, RefusalKind},
        sql::{
            READ_ONLY_DEFAULT,
            builtins::{self, SettingRule},
        },
    },
    upstream::UpstreamError,
    wire::pg::{options, startup::Startup},
};

const APPLICATION_NAME: &str = "application_name";
const ENCODING: &str = "client_encoding";
const OPTIONS: &str = "options";

/// The longest name that a server keeps, in bytes. Spec: `NAMEDATALEN`, less one.
const NAME_BYTES_MAX: usize = 63;

/// As much of a name as a server keeps.
pub fn kept(name: &str) -> &str {
    &name[..name.floor_char_boundary(NAME_BYTES_MAX)]
}

/// What the upstream's session is called: after its principal and what the client calls itself. No
/// longer than is kept, or the server would tell the client of a name that isn't its own.
pub fn session_name(principal: &str, application: &str) -> String {
    kept(&format!("{principal}/{application}")).to_owned()
}

/// What the upstream's start-up message says: the client's own parameters as far as settings may be
/// set, the session's name (`application`), and the wall.
///
/// A wish for another encoding in `options` doesn't count if the start-up message names one itself, and
/// libpq and its like always do: the server takes that one.
///
/// # Errors
/// The refusal of a parameter that can't be understood, or may not be set.
pub fn for_upstream(
    startup: &Startup,
    application: &str,
) -> Result<Vec<(String, String)>, Refusal> {
    let mut parameters = Vec::new();
    let is_encoding = |name: &[u8]| name.eq_ignore_ascii_case(ENCODING.as_bytes());
    let encoded = startup.parameters.iter().any(|(name, _)| is_encoding(name));
    let mut options = String::new();
    for (name, value) in &startup.parameters {
        // The session's own name takes its place.
        if name.eq_ignore_ascii_case(APPLICATION_NAME.as_bytes()) {
            continue;
        }
        let (Ok(name), Ok(value)) = (std::str::from_utf8(name), std::str::from_utf8(value)) else {
            return Err(Refusal::new(
                RefusalKind::ProtocolViolation,
                "a start-up parameter is not valid UTF-8",
            ));
        };
        match name {
            "user" | "database" => {}
            OPTIONS => {
                for (name, value) in options::split(value).ok_or_else(not_understood)? {
                    if encoded && is_encoding(name.as_bytes()) {
                        continue;
                    }
                    if may_set(&name, &value)? {
                        options::push(&mut options, &name, &value);
                    }
                }
            }
            name => {
                if may_set(name, value)? {
                    parameters.push((name.to_owned(), value.to_owned()));
                }
            }
        }
    }
    options::push(&mut options, READ_ONLY_DEFAULT, "on");
    parameters.push((OPTIONS.to_owned(), options));
    parameters.push((APPLICATION_NAME.to_owned(), application.to_owned()));
    Ok(parameters)
}

/// What the client calls itself. In another encoding than UTF-8 the server doesn't convert it either: what
/// is beyond ASCII becomes a question mark.
pub fn application_of(startup: &Startup) -> String {
    let is_it = |name: &[u8]| name.eq_ignore_ascii_case(APPLICATION_NAME.as_bytes());
    let found = startup.parameters.iter().rev().find(|(name, _)| is_it(name));
    let sent = found.map_or(&b""[..], |(_, value)| value);
    let plain = |byte: &u8| if byte.is_ascii() { char::from(*byte) } else { '?' };
    std::str::from_utf8(sent).map_or_else(|_| sent.iter().map(plain).collect(), str::to_owned)
}

/// What helps whoever asks for an encoding that can't be had.
const USE_UTF8: &str =
    "Set the environment variable PGCLIENTENCODING=UTF8, or the client's own setting.";

/// What is said where the server converts nothing between its own encoding and the one that the client
/// asked for; `None`: it failed for something else.
pub fn no_conversion(error: &UpstreamError, startup: &Startup) -> Option<Refusal> {
    let encoding = std::str::from_utf8(startup.parameter(ENCODING)?).ok()?;
    error.server_error().filter(|said| said.sqlstate == "0A000")?;
    let text = format!("the target's database has no conversion to client_encoding {encoding}");
    Some(Refusal::new(RefusalKind::NotSupported, text).with_hint(USE_UTF8))
}

fn not_understood() -> Refusal {
    Refusal::new(RefusalKind::NotSupported, "the start-up parameter options is not understood")
        .with_hint("Write it as -c name=value.")
}

/// True if one of the upstream's parameters says where names are looked up.
pub fn bring_path(parameters: &[(String, String)]) -> bool {
    let is_path = |name: &str| builtins::setting(name) == SettingRule::Path;
    parameters.iter().any(|(name, value)| match name.as_str() {
        // Fail closed: what doesn't read may say so.
        OPTIONS => options::split(value).is_none_or(|o| o.iter().any(|(name, _)| is_path(name))),
        name => is_path(name),
    })
}

/// True if the client itself asks for read-only transactions from the start, the last word counting:
/// the server reads `options` first.
pub fn begin_read_only(startup: &Startup) -> bool {
    let named = |name: &[u8]| name.eq_ignore_ascii_case(READ_ONLY_DEFAULT.as_bytes());
    let options = startup.parameter(OPTIONS).and_then(|text| std::str::from_utf8(text).ok());
    let options = options.and_then(options::split);
    let in_options = options.into_iter().flatten().filter(|(name, _)| named(name.as_bytes()));
    let parameters = startup.parameters.iter().filter(|(name, _)| named(name));
    let parameters = parameters.filter_map(|(_, value)| std::str::from_utf8(value).ok());
    let values = in_options.map(|(_, value)| value).chain(parameters.map(str::to_owned));
    values.last().is_some_and(|value| is_on(&value))
}

/// True if it is handed on; false if it is left out without effect.
fn may_set(name: &str, value: &str) -> Result<bool, Refusal> {
    let lower = name.to_ascii_lowercase();
    let refuse = |why: &str| {
        Err(Refusal::new(
            RefusalKind::NotSupported,
            format!("the start-up parameter {lower} {why}"),
        )
        .with_hint("Leave it out of the connection's settings."))
    };
    match builtins::setting(&lower) {
        SettingRule::Resource if !builtins::setting_is_fair(&lower, value) => {
            refuse("is higher than a statement may without sql.admin")
        }
        SettingRule::Harmless | SettingRule::Resource | SettingRule::Path | SettingRule::Custom => {
            Ok(true)
        }
        SettingRule::Encoding if builtins::is_read_encoding(value) => Ok(true),
        SettingRule::Encoding => Err(Refusal::new(
            RefusalKind::NotSupported,
            format!("the start-up parameter {lower} must be UTF8 or have one byte a character"),
        )
        .with_hint(USE_UTF8)),
        SettingRule::Wall => Ok(false),
        SettingRule::Lexer if builtins::is_default_lexer(&lower, value) => Ok(true),
        SettingRule::Lexer => refuse("can't be changed here"),
        SettingRule::Identity | SettingRule::Admin => refuse("needs sql.admin"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn startup(parameters: &[(&str, &str)]) -> Startup {
        let bytes = |text: &str| text.as_bytes().to_vec();
        let parameters = parameters.iter().map(|(name, value)| (bytes(name), bytes(value)));
        Startup { minor: 0, negotiate: None, parameters: parameters.collect() }
    }

    fn sent(parameters: &[(&str, &str)]) -> Vec<(String, String)> {
        for_upstream(&startup(parameters), "alice/psql").expect("is taken")
    }

    #[test]
    fn start_up_can_not_open_the_wall_or_change_who_one_is() {
        assert_eq!(may_set("default_transaction_read_only", "off"), Ok(false));
        assert_eq!(may_set("Default_Transaction_Read_Only", "off"), Ok(false));
        for name in ["role", "session_authorization", "session_replication_role", "no_such_setting"]
        {
            assert!(may_set(name, "x").is_err(), "{name}");
        }
        assert!(may_set("client_encoding", "SJIS").is_err());
        for encoding in ["UTF8", "WIN1252", "latin1", "SQL_ASCII"] {
            assert_eq!(may_set("client_encoding", encoding), Ok(true));
        }
        assert_eq!(may_set("DateStyle", "ISO"), Ok(true));
    }

    #[test]
    fn a_path_is_known_to_come_with_the_start_up_however_it_is_written() {
        for parameter in [
            ("search_path", "hr"),
            ("Search_Path", "hr"),
            ("SEARCH_PATH", "hr"),
            ("options", "-c search_path=hr"),
            ("options", "--Search-Path=hr"),
        ] {
            assert!(bring_path(&sent(&[("user", "alice"), parameter])), "{parameter:?}");
        }
        for parameter in [("DateStyle", "ISO"), ("options", "-c work_mem=1MB"), ("a.path", "hr")] {
            assert!(!bring_path(&sent(&[("user", "alice"), parameter])), "{parameter:?}");
        }
    }

    #[test]
    fn a_session_has_its_own_name_and_one_encoding_however_they_are_written() {
        let both = [
            ("Application_Name", "mallory/psql"),
            ("Client_Encoding", "UTF8"),
            ("options", "-c client_encoding=LATIN1 -c a.b=c\\ d"),
        ];
        let expected = [
            ("Client_Encoding", "UTF8"),
            ("options", "-c a.b=c\\ d -c default_transaction_read_only=on"),
            ("application_name", "alice/psql"),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(sent(&both), expected);
    }

    #[test]
    fn a_name_is_cut_where_the_server_cuts_it() {
        let long = "x".repeat(65);
        assert_eq!(kept(&long), &long[..63]);
        assert_eq!(kept("psql"), "psql");
        let wide = "ä".repeat(40);
        assert_eq!(kept(&wide), "ä".repeat(31));
        assert_eq!(session_name("alice", &long), format!("alice/{}", &long[..57]));
        assert_eq!(application_of(&startup(&[("Application_Name", "x")])), "x");
    }

    #[test]
    fn the_last_word_on_read_only_counts() {
        let name = "Default_Transaction_Read_Only";
        assert!(begin_read_only(&startup(&[(name, "on"), ("options", "-c a.b=c")])));
        let options = ("options", "--default-transaction-read-only=yes");
        assert!(begin_read_only(&startup(&[options])));
        assert!(!begin_read_only(&startup(&[(name, "off"), options])));
    }
}
