//! Settings that pass, settings that don't, and the example held against the code.

use std::collections::BTreeSet;

use super::*;
use crate::kernel::access::Level;

const EXAMPLE: &str = include_str!("../../proxy.toml.example");

fn issues(text: &str) -> Vec<Issue> {
    match Config::parse(Path::new("/etc/hallpass/proxy.toml"), text) {
        Ok(_) => Vec::new(),
        Err(ConfigError::Refused { issues, .. }) => issues,
        Err(error @ ConfigError::Unreadable { .. }) => panic!("{error}"),
    }
}

fn config(text: &str) -> Config {
    Config::parse(Path::new("/etc/hallpass/proxy.toml"), text).expect("accepted")
}

const TARGET: &str = "[[target]]\nname = \"shop\"\naddress = \"db:5432\"\nuser = \"hallpass\"\n";

#[test]
fn an_empty_file_has_all_defaults() {
    let config = config("");
    assert_eq!(config.data_dir, Path::new("/etc/hallpass/hallpass-data"));
    assert_eq!(config.limits.max_rows, 1000);
    assert_eq!(config.roles, Role::built_in());
    let file = PathBuf::from("/etc/hallpass/hallpass-data/hallpass.db");
    assert_eq!(config.store, StoreSetting::Embedded(file));
}

#[test]
fn every_problem_is_named_with_its_line_and_what_is_accepted() {
    let found = issues(
        "data_dir = 5\n\
         [limits]\n\
         max_rows = 0\n\
         max_row = 10\n\
         over = \"truncate\"\n\
         max_duration = \"24 hours\"\n",
    );
    let lines: Vec<usize> = found.iter().map(|i| i.line).collect();
    assert_eq!(lines, [1, 3, 4, 5, 6], "{found:?}");
    let message = |line| found.iter().find(|i| i.line == line).map(|i| i.message.as_str());
    assert!(message(4).is_some_and(|m| m.contains("`max_row`") && m.contains("max_rows, ")));
    assert!(message(5).is_some_and(|m| m.contains("\"error\", \"cut\"")));
}

#[test]
fn the_error_reads_as_file_line_and_reason() {
    let error = Config::parse(Path::new("proxy.toml"), "\n\n[log]\nlevel = \"loud\"\n")
        .expect_err("refused");
    let text = error.to_string();
    assert!(text.starts_with("proxy.toml:4: level = \"loud\": expected one of"), "{text}");
}

#[test]
fn broken_toml_is_named_with_its_line() {
    let found = issues("[limits]\nmax_rows = \n");
    assert_eq!(found.first().map(|i| i.line), Some(2), "{found:?}");
}

#[test]
fn the_default_of_tls_follows_the_address() {
    let listen = |address: &str, more: &str| {
        let text = format!("[[listen]]\nprotocol=\"postgres\"\naddress=\"{address}\"\n{more}");
        config(&text).listeners.first().map(|l| l.tls)
    };
    assert_eq!(listen("0.0.0.0:6432", ""), Some(ListenTls::Require));
    assert_eq!(listen("127.0.0.1:6432", ""), Some(ListenTls::Prefer));
    assert_eq!(listen("./sock", ""), Some(ListenTls::Prefer));
    assert_eq!(listen("0.0.0.0:6432", "tls=\"prefer\"\n"), Some(ListenTls::Prefer));

    let target = |text: &str| config(text).targets.first().map(|t| t.tls);
    assert_eq!(target(TARGET), Some(TargetTls::VerifyFull));
    assert_eq!(target(&TARGET.replace("db:", "127.0.0.1:")), Some(TargetTls::Prefer));
}

#[test]
fn contradictions_are_refused() {
    let listen = "[[listen]]\nprotocol = \"postgres\"\naddress = \"127.0.0.1:1\"\n";
    for (text, line, part) in [
        (format!("{TARGET}{TARGET}"), 6, "two targets"),
        (format!("{listen}{listen}"), 6, "two listeners"),
        (format!("{TARGET}password_env = \"A\"\npassword_file = \"b\"\n"), 5, "only one of"),
        (format!("{TARGET}tls = \"require\"\ntls_ca = \"ca.pem\"\n"), 6, "tls_ca"),
        (format!("{listen}cert = \"c.pem\"\n"), 4, "cert needs key"),
        (format!("{listen}target = \"shop\"\n"), 4, "no [[target]]"),
        (format!("{listen}tls = \"disable\"\ncert = \"c\"\nkey = \"k\"\n"), 5, "no use"),
        ("[audit]\nquota_bytes = \"1MiB\"\n".to_owned(), 2, "not one segment"),
        ("[limits]\nconnections = 5\nconnections_per_principal = 6\n".to_owned(), 3, "more than"),
        ("[limits]\nmessage_bytes = \"1KiB\"\n".to_owned(), 1, "more than message_bytes"),
        (
            "[[listen]]\nprotocol=\"http\"\naddress=\"127.0.0.1:1\"\ncert=\"c\"\nkey=\"k\""
                .to_owned(),
            4,
            "not used",
        ),
    ] {
        let found = issues(&text);
        assert!(
            found.iter().any(|i| i.line == line && i.message.contains(part)),
            "{text}\n{found:?}"
        );
    }
}

#[test]
fn what_holds_for_masked_columns_is_set_by_target() {
    let mask = |lines: &str| {
        let text = format!("{TARGET}{lines}");
        config(&text).targets.first().map(|t| (t.mask.writes_allowed, t.mask.unknown_refused))
    };
    assert_eq!(mask(""), Some((false, false)));
    assert_eq!(mask("mask.writes = \"allow\"\n"), Some((true, false)));
    assert_eq!(
        mask("[target.mask]\nwrites = \"refuse\"\nunknown = \"refuse\"\n"),
        Some((false, true))
    );
    for (line, part) in [
        ("mask.writes = \"yes\"", "writes = \"yes\": expected one of \"refuse\", \"allow\""),
        ("mask.unknown = true", "unknown = true: expected one of \"mask\", \"refuse\""),
        ("mask.write = \"allow\"", "`write`"),
        ("mask.copy = \"warn\"", "copy = \"warn\": expected one of \"mask\", \"refuse\""),
        ("mask = \"allow\"", "a section [mask]"),
    ] {
        let found = issues(&format!("{TARGET}{line}\n"));
        let named = found.iter().any(|i| i.line == 5 && i.message.contains(part));
        assert!(named, "{line}: {found:?}");
    }
}

#[test]
fn a_url_and_its_password_are_never_printed() {
    let found = issues("store = \"mysql://u:hunter2@h/d\"\n");
    assert!(found.iter().all(|i| !i.message.contains("hunter2")), "{found:?}");
    let config = config("store = \"postgres://u:hunter2@h/d\"\n");
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn a_target_of_mysql_has_no_schema_unless_one_is_given() {
    let text = format!(
        "[[listen]]\nprotocol = \"mysql\"\naddress = \"127.0.0.1:1\"\n{TARGET}engine = \"mariadb\"\n"
    );
    let config = config(&text);
    assert_eq!(config.listeners[0].protocol, Protocol::MySql);
    assert_eq!(config.targets[0].engine, Engine::MariaDb);
    assert_eq!(config.targets[0].database, "");
    let found = issues(&format!("{TARGET}engine = \"oracle\"\n"));
    assert!(found.iter().any(|i| i.line == 5 && i.message.contains("\"mariadb\"")), "{found:?}");
}

#[test]
fn what_is_missing_is_named() {
    let found = issues("[[target]]\nname = \"shop\"\n[[listen]]\n");
    for part in ["target needs address", "target needs user", "needs protocol", "needs address"] {
        assert!(found.iter().any(|i| i.message.contains(part)), "{part}: {found:?}");
    }
}

#[test]
fn a_role_of_the_file_replaces_its_namesake() {
    let config = config(
        "[roles.developer]\nstanding = [\"sql.select\", \"info\"]\n\
         [roles.lead]\nduties = [\"approver\", \"auditor\"]\n",
    );
    let role = |name: &str| config.roles.iter().find(|r| r.name.as_str() == name).cloned();
    assert!(role("developer").is_some_and(|r| r.standing.short_list() == "info,select"));
    assert!(role("lead").is_some_and(|r| r.duties == [Duty::Approver, Duty::Auditor]));
    assert_eq!(config.roles.iter().filter(|r| r.name.as_str() == "developer").count(), 1);

    let found = issues("[roles.x]\nstanding = [\"everything\"]\nduties = [\"boss\"]\n");
    assert_eq!(found.iter().map(|i| i.line).collect::<Vec<_>>(), [2, 3], "{found:?}");
}

#[test]
fn relative_paths_count_from_the_file() {
    let config = config(&format!("data_dir = \"d\"\n{TARGET}password_file = \"s/shop\"\n"));
    assert_eq!(config.data_dir, Path::new("/etc/hallpass/d"));
    let file = PasswordSource::File("/etc/hallpass/s/shop".into());
    assert_eq!(config.targets.first().map(|t| t.password.clone()), Some(file));
}

#[test]
fn a_reload_names_what_waits_for_a_restart() {
    let old = config("");
    assert!(old.restart_keys(&config("[limits]\nmax_rows = 5\n[log]\nlevel=\"warn\"")).is_empty());
    let new = config("data_dir = \"x\"\n[audit]\ndurability = \"synced\"\n");
    assert_eq!(old.restart_keys(&new), ["data_dir", "store", "audit"]);
}

#[test]
fn hostile_files_are_refused_without_harm() {
    for text in [
        "[[[[[",
        "listen = 5",
        "roles = 5\n[limits]",
        "[listen]\naddress = \"a:1\"",
        "[roles]\nx = 1",
        "limits = []",
        "\u{feff}a = 1\n\0",
        "[[target]]\nname = \"a@b\"\naddress = \"x:1\"\nuser = \"u\"",
        "[limits]\nmax_rows = 99999999999999999999999999",
        "[limits]\nmax_rows = -1",
    ] {
        assert!(!issues(text).is_empty(), "{text}");
    }
    let deep = format!("a = {}", "[".repeat(100_000));
    assert!(!issues(&deep).is_empty());
}

#[test]
fn log_ins_for_less_are_read_lowest_first() {
    let config = config(&format!(
        "{TARGET}[target.log_in.ddl]\nuser = \"h_ddl\"\n[target.log_in.read]\nuser = \"h_read\"\n\
         password_env = \"READ\"\n"
    ));
    let lower = &config.targets[0].lower;
    let told: Vec<_> = lower.iter().map(|l| (l.level, l.user.as_str())).collect();
    assert_eq!(told, [(Level::Read, "h_read"), (Level::Ddl, "h_ddl")]);
    assert_eq!(lower[0].password, PasswordSource::Env("READ".into()));
    let users: Vec<_> = config.targets[0].users().collect();
    assert_eq!(users, ["hallpass", "h_read", "h_ddl"]);
}

#[test]
fn a_log_in_for_less_that_is_none_is_named_with_its_line() {
    let told = |more: &str| {
        let found = issues(&format!("{TARGET}{more}"));
        found.into_iter().map(|i| format!("{}: {}", i.line, i.message)).collect::<Vec<_>>()
    };
    let wrong = told("[target.log_in.admin]\nuser = \"h\"\n");
    assert_eq!(wrong, ["5: `admin` is not a level of log-ins; accepted: read, dml, ddl"]);
    assert_eq!(told("[target.log_in.dml]\npassword_env = \"X\"\n"), ["5: log_in needs user"]);
    let unknown = told("[target.log_in.dml]\nuser = \"h\"\ndatabase = \"d\"\n");
    assert!(unknown[0].starts_with("7: unknown key `database` in log_in; accepted: user, "));
}

/// Each `key = value` of the example, in use or commented out, with its section and its line.
fn example_keys() -> Vec<(String, String)> {
    let mut section = String::new();
    let mut keys = Vec::new();
    for line in EXAMPLE.lines() {
        if line.starts_with('[') {
            let name = line.trim_matches(['[', ']']);
            section = name.split('.').next().unwrap_or_default().to_owned();
        }
        let line = line.strip_prefix("# ").unwrap_or(line);
        let Some((key, _)) = line.split_once(" = ") else { continue };
        if key.starts_with("mask.") {
            keys.push((key.to_owned(), line.to_owned()));
        } else if !key.is_empty() && key.chars().all(|c| c.is_ascii_lowercase() || c == '_') {
            let path = if section.is_empty() { key.to_owned() } else { format!("{section}.{key}") };
            keys.push((path, line.to_owned()));
        }
    }
    keys
}

#[test]
fn the_example_is_accepted_as_it_stands() {
    assert_eq!(issues(EXAMPLE), []);
}

#[test]
fn the_example_and_the_code_know_the_same_keys() {
    let (_, _, asked) = read(Path::new("proxy.toml"), EXAMPLE);
    let sections =
        ["listen", "target", "target.log_in", "target.mask", "roles", "limits", "audit", "log"];
    let asked: BTreeSet<String> =
        asked.into_iter().filter(|key| !sections.contains(&key.as_str())).collect();
    let shown: BTreeSet<String> = example_keys().into_iter().map(|(key, _)| key).collect();
    let missing: Vec<_> = asked.difference(&shown).collect();
    let unknown: Vec<_> = shown.difference(&asked).collect();
    assert!(missing.is_empty(), "not in proxy.toml.example: {missing:?}");
    assert!(unknown.is_empty(), "in proxy.toml.example and not a setting: {unknown:?}");
}

#[test]
fn every_value_shown_in_the_example_is_one() {
    for (path, line) in example_keys() {
        let text = match path.split_once('.') {
            None => line.clone(),
            Some(("listen", _)) => format!("[[listen]]\n{line}\n"),
            Some(("target" | "mask", _)) => format!("[[target]]\n{line}\n"),
            Some(("roles", _)) => format!("[roles.x]\n{line}\n"),
            Some((section, _)) => format!("[{section}]\n{line}\n"),
        };
        let key = path.rsplit('.').next().unwrap_or_default();
        let wrong: Vec<_> = issues(&text)
            .into_iter()
            .filter(|i| i.message.contains("unknown key") || i.message.contains(": expected"))
            .filter(|i| i.message.contains(key))
            .collect();
        assert!(wrong.is_empty(), "{line}: {wrong:?}");
    }
}

#[test]
fn networks_of_a_role_are_read_and_what_is_none_is_named() {
    let config = config("[roles.ops]\nallow = [\"10.0.0.0/8\", \"::1\"]\n[roles.dev]\n");
    let [(role, networks)] = config.networks.as_slice() else { panic!("{:?}", config.networks) };
    assert_eq!((role.as_str(), networks.len()), ("ops", 2));
    let found = issues("[roles.ops]\nallow = [\"10.0.0.0/8\",\n\"10.0.0/8\"]\n");
    let [Issue { line: 3, message }] = found.as_slice() else { panic!("{found:?}") };
    assert!(message.contains("`10.0.0/8` is not a network; write 10.0.0.0/8"), "{message}");
    assert_eq!(issues("[roles.ops]\nallow = []\n").len(), 1);
}

#[test]
fn servers_of_two_families_are_never_behind_one_listener() {
    let target = |name: &str, engine: &str| {
        format!(
            "[[target]]\nname = \"{name}\"\nengine = \"{engine}\"\naddress = \"db:3306\"\nuser = \"h\"\n"
        )
    };
    let targets = [target("a", "mysql"), target("b", "mariadb"), target("c", "postgres")].concat();
    let listen = "\n[[listen]]\nprotocol = \"mysql\"\naddress = \"127.0.0.1:3307\"\n";
    let found = issues(&[listen, &targets].concat());
    let [only] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(only.line, 4);
    assert!(only.message.contains("target = \"a\", target = \"b\""), "{}", only.message);
    for fine in [
        [listen, "target = \"a\"\n", &targets].concat(),
        [listen, &target("a", "mysql"), &target("b", "mysql")].concat(),
        [&listen.replace("mysql", "postgres"), &*targets].concat(),
    ] {
        assert_eq!(issues(&fine), [], "{fine}");
    }
    assert_eq!(config(&[listen, &target("a", "mysql")].concat()).listeners[0].line, 2);
}

#[test]
fn a_servers_key_is_fetched_on_loopback_alone_unless_it_is_said() {
    let key = |address: &str, more: &str| {
        let text = format!(
            "[[target]]\nname = \"a\"\nengine = \"mysql\"\naddress = \"{address}\"\nuser = \"h\"\n{more}"
        );
        config(&text).targets[0].rsa_key.clone()
    };
    assert_eq!(key("127.0.0.1:3306", ""), RsaKey::Fetch);
    assert_eq!(key("db:3306", ""), RsaKey::Nothing);
    assert_eq!(key("db:3306", "rsa_key = \"fetch\""), RsaKey::Fetch);
    let file = RsaKey::File("/etc/hallpass/key.pem".into());
    assert_eq!(key("127.0.0.1:3306", "rsa_key = \"key.pem\""), file);
    let postgres = TARGET.to_owned() + "rsa_key = \"fetch\"\n";
    assert_eq!(issues(&postgres).len(), 1);
}

#[test]
fn the_old_method_is_for_listeners_of_mysql_alone() {
    let listen = |protocol: &str| {
        format!(
            "[[listen]]\nprotocol = \"{protocol}\"\naddress = \"127.0.0.1:1\"\nnative_password = true\n"
        )
    };
    assert!(config(&listen("mysql")).listeners[0].native_password);
    assert_eq!(issues(&listen("postgres")).len(), 1);
    assert_eq!(issues(&listen("http")).len(), 1);
}
