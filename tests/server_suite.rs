//! The scripts of PostgreSQL's own regression suite, run by psql against the server itself and through
//! the gateway by somebody who may do everything: both print the same, byte for byte.
//!
//! Each side has a server of its own, copied from one template and taken through the same scripts in
//! the same order, so that even object ids and row orders agree. `tests/regress/left_out` says which
//! scripts are not run, and why. Needs what `tests/regress/fetch` fetches; without it the test fails
//! where `CI` is set, and says that it was left out elsewhere. `HALLPASS_REGRESS` names the scripts to
//! run instead, separated by spaces.

#[path = "support/mod.rs"]
mod support;

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use support::{
    Gateway, Postgres, Psql,
    gateway::{Options, TARGET},
    postgres::{self, DATABASE, SUPERUSER, SUPERUSER_PASSWORD, program},
};
use tempfile::TempDir;

#[test]
fn the_servers_own_suite_prints_the_same_through_the_gateway() {
    let suite = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/.cache/regress");
    if !suite.join("parallel_schedule").is_file() {
        assert!(std::env::var_os("CI").is_none(), "run tests/regress/fetch first");
        eprintln!("SKIPPED: run tests/regress/fetch for PostgreSQL's own regression suite");
        return;
    }
    let scripts = scripts(&suite);
    let folder = folder(&suite);
    let (one, two) = (server(), server());
    // What the others stand on, before there is a gateway: while that reads the catalog, VACUUM leaves
    // more pages to be visited, and plans differ.
    let setup = |server: &Postgres, name| {
        let password = SUPERUSER_PASSWORD.to_owned();
        Side { name, port: server.port(), password }.run(&suite, folder.path(), SETUP)
    };
    assert_eq!(setup(&one, "direct"), setup(&two, "through"));
    let listener = format!("target = \"{TARGET}\"");
    let gateway = Gateway::start_with(
        &two,
        &Options {
            listener,
            upstream_user: SUPERUSER.to_owned(),
            upstream_password: SUPERUSER_PASSWORD.to_owned(),
            ..Options::default()
        },
    );
    // The same name on both sides: psql shows it, and scripts connect again under it.
    let secret = gateway.almighty(SUPERUSER);
    let direct = Side { name: "direct", port: one.port(), password: SUPERUSER_PASSWORD.to_owned() };
    let through = Side { name: "through", port: gateway.port(), password: secret };
    let run = |side: &Side| -> Vec<String> {
        scripts.iter().map(|script| side.run(&suite, folder.path(), script)).collect()
    };
    let (expected, got) = std::thread::scope(|scope| {
        let other = scope.spawn(|| run(&through));
        (run(&direct), other.join().expect("psql runs"))
    });
    let differing: Vec<String> = scripts
        .iter()
        .zip(expected.iter().zip(&got))
        .filter(|(_, (expected, got))| expected != got)
        .map(|(script, (expected, got))| difference(script, expected, got))
        .collect();
    assert!(
        differing.is_empty(),
        "{} of {} scripts print something else:\n{}",
        differing.len(),
        scripts.len(),
        differing.join("\n")
    );
}

/// The script that loads the tables of the others.
const SETUP: &str = "test_setup";

/// The scripts to run, in the suite's own order, but for [`SETUP`].
fn scripts(suite: &Path) -> Vec<String> {
    let schedule = fs::read_to_string(suite.join("parallel_schedule")).expect("a schedule");
    let listed = schedule.lines().filter_map(|line| line.strip_prefix("test:"));
    let all: Vec<&str> = listed.flat_map(str::split_whitespace).collect();
    let left_out = include_str!("regress/left_out");
    let left_out: Vec<&str> = left_out
        .lines()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty())
        .map(|line| {
            let (name, reason) = line.split_once(char::is_whitespace).expect("a reason");
            assert!(!reason.trim().is_empty() && all.contains(&name), "left_out: {line}");
            name
        })
        .collect();
    let chosen = std::env::var("HALLPASS_REGRESS").ok();
    let chosen: Option<Vec<&str>> = chosen.as_deref().map(|c| c.split_whitespace().collect());
    all.into_iter()
        .filter(|name| match &chosen {
            _ if *name == SETUP => false,
            Some(chosen) => chosen.contains(name),
            None => !left_out.contains(name),
        })
        .map(str::to_owned)
        .collect()
}

/// The suite's data where a server may read it, and a folder for each side that it may write.
fn folder(suite: &Path) -> TempDir {
    let folder = tempfile::Builder::new().prefix("hallpass-regress-").tempdir().expect("a folder");
    let open = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("may be opened");
    };
    open(folder.path(), 0o755);
    let data = folder.path().join("data");
    fs::create_dir(&data).expect("a folder");
    open(&data, 0o755);
    for file in fs::read_dir(suite.join("data")).expect("the suite has data") {
        let file = file.expect("listed");
        let copy = data.join(file.file_name());
        fs::copy(file.path(), &copy).expect("copies");
        open(&copy, 0o644);
    }
    for side in ["direct", "through"] {
        let results = folder.path().join(side).join("results");
        fs::create_dir_all(&results).expect("a folder");
        open(&results, 0o777);
    }
    folder
}

/// A server whose database is empty and set as the suite expects it.
fn server() -> Postgres {
    let options = postgres::Options {
        settings: vec![("max_prepared_transactions", "2".into()), ("log_statement", "none".into())],
        ..postgres::Options::default()
    };
    let server = Postgres::start_with(&options);
    let socket = server.socket_folder().display();
    let dsn = format!("host={socket} port={} user={SUPERUSER} dbname=postgres", server.port());
    Psql::new(dsn).must(&format!(
        "DROP DATABASE {DATABASE};
         CREATE DATABASE {DATABASE} TEMPLATE template0;
         ALTER DATABASE {DATABASE} SET lc_messages TO 'C';
         ALTER DATABASE {DATABASE} SET lc_monetary TO 'C';
         ALTER DATABASE {DATABASE} SET lc_numeric TO 'C';
         ALTER DATABASE {DATABASE} SET lc_time TO 'C';
         ALTER DATABASE {DATABASE} SET timezone_abbreviations TO 'Default';"
    ));
    server
}

/// One of the two ways to the server.
struct Side {
    name: &'static str,
    port: u16,
    password: String,
}

impl Side {
    /// A number that is the port, not digits of another.
    fn without_port(&self, part: &str) -> String {
        let digits = part.trim_end_matches(|c: char| !c.is_ascii_digit());
        match part.strip_prefix(digits) {
            Some(rest) if digits == self.port.to_string() => format!("PORT{rest}"),
            Some(_) | None => part.to_owned(),
        }
    }

    /// What psql prints for one script, errors and notices included.
    fn run(&self, suite: &Path, folder: &Path, script: &str) -> String {
        let input = fs::File::open(suite.join(format!("{script}.sql"))).expect("a script");
        let own: PathBuf = folder.join(self.name);
        let printed = own.join(format!("{script}.out"));
        let output = fs::File::create(&printed).expect("a file");
        let errors = output.try_clone().expect("a second handle");
        let status = Command::new("timeout")
            .arg("120")
            .arg(program("psql"))
            .args(["-X", "-a", "-q", "-d", DATABASE])
            .args(["-v", "HIDE_TABLEAM=on", "-v", "HIDE_TOAST_COMPRESSION=on"])
            .env("PGHOST", "127.0.0.1")
            .env("PGPORT", self.port.to_string())
            .env("PGUSER", SUPERUSER)
            .env("PGPASSWORD", &self.password)
            .env("PGTZ", "PST8PDT")
            .env("PGDATESTYLE", "Postgres, MDY")
            .env("PGOPTIONS", "-c intervalstyle=postgres_verbose")
            .env("PG_ABS_SRCDIR", folder)
            .env("PG_ABS_BUILDDIR", &own)
            .env("PG_LIBDIR", "/nowhere")
            .env("PG_DLSUFFIX", ".so")
            .env("LC_ALL", "C.UTF-8")
            .env_remove("PGSERVICE")
            .env_remove("PGPASSFILE")
            .stdin(Stdio::from(input))
            .stdout(Stdio::from(output))
            .stderr(Stdio::from(errors))
            .status()
            .expect("psql starts");
        let bytes = fs::read(&printed).expect("it printed");
        let text = String::from_utf8_lossy(&bytes)
            .replace(&own.display().to_string(), "OWN")
            .split_inclusive(|c: char| !c.is_ascii_digit())
            .map(|part| self.without_port(part))
            .collect::<String>();
        let vacuums = text.to_ascii_lowercase().contains("vacuum");
        let text = if vacuums { without_plans(&text) } else { text };
        format!("{text}\n{status}")
    }
}

/// Leaves out plans, from their heading to the count of their rows.
fn without_plans(text: &str) -> String {
    let mut inside = false;
    let kept = text.lines().filter(|line| {
        let within = inside;
        inside = line.trim() == "QUERY PLAN" || inside && !line.starts_with('(');
        !within && !inside
    });
    kept.collect::<Vec<_>>().join("\n")
}

/// The first lines that differ.
fn difference(script: &str, expected: &str, got: &str) -> String {
    let same = expected.lines().zip(got.lines()).take_while(|(a, b)| a == b).count();
    let part = |text: &str| {
        let lines: Vec<&str> = text.lines().skip(same.saturating_sub(3)).take(12).collect();
        lines.join("\n    ")
    };
    format!(
        "{script}, line {}:\n  directly:\n    {}\n  through the gateway:\n    {}",
        same + 1,
        part(expected),
        part(got)
    )
}
