//! An attack run on the bare server, and a witness of what it did there.

use std::{collections::BTreeSet, fmt};

use hallpass::kernel::access::PermissionSet;

use super::reads_only;
use crate::support::{
    Message, Postgres, RawClient,
    postgres::{DATABASE, SUPERUSER, SUPERUSER_PASSWORD, UPSTREAM_PASSWORD, UPSTREAM_USER},
    raw::{bind, copy_done, error, execute, parse, query, rows, sync},
};

/// What was to be seen of one attack.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    /// It had to be run by the superuser.
    super_user: bool,
    /// What it did, in the words of `-- shows:`: `writes` (something that a transaction takes along,
    /// NOTIFY included), `locks` (other than reading takes), `ended` (the session), `settings` (others,
    /// or whose rights it has), `sequence` (or large objects' numbers).
    did: BTreeSet<&'static str>,
    /// Rows handed out.
    rows: usize,
    /// Commands that were carried out.
    done: usize,
    /// The code of its error.
    error: Option<String>,
}

impl Seen {
    fn did_if(&mut self, did: bool, word: &'static str) {
        if did {
            self.did.insert(word);
        }
    }

    /// Whether this is what the entry says is to be seen: `rows`, `writes`, `locks`, `settings`,
    /// `sequence`, `ended`, `done`, `error CODE` or `nothing: why`. Unless it says so itself, an entry that needs
    /// no more than reading rights shows rows, every other leaves something behind.
    ///
    /// # Errors
    /// Why not.
    pub(super) fn proves(&self, shows: Option<&str>, needs: PermissionSet) -> Result<(), String> {
        let word = shows.map(|text| text.split([' ', ':']).next().unwrap_or_default());
        let proved = match word {
            None if reads_only(needs) => self.rows > 0,
            None => !self.did.is_empty(),
            Some("rows") => self.rows > 0,
            Some(word @ ("writes" | "locks" | "settings" | "sequence" | "ended")) => {
                self.did.contains(word)
            }
            Some("done") => self.done > 0 && self.error.is_none(),
            Some("error") => {
                self.error.is_some() && self.error.as_deref() == shows.and_then(|s| s.get(6..11))
            }
            Some("nothing") => shows.is_some_and(|text| text.len() > "nothing: ".len()),
            Some(other) => return Err(format!("`{other}` is nothing that a witness knows")),
        };
        if proved { Ok(()) } else { Err(format!("shows no {}", shows.unwrap_or("effect"))) }
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for word in &self.did {
            write!(f, "{word} ")?;
        }
        if self.super_user {
            write!(f, "(superuser) ")?;
        }
        write!(f, "rows={} done={} error={:?}", self.rows, self.done, self.error)
    }
}

/// Who attacks: on a database of its own, each attack in a transaction that is rolled back, or if it
/// can't be, on a copy that is thrown away.
pub(super) struct Attacker<'a> {
    server: &'a Postgres,
    plain: RawClient,
    super_user: RawClient,
}

const OWN: &str = "attacked";
const COPY: &str = "attacked_once";

impl<'a> Attacker<'a> {
    pub(super) fn new(server: &'a Postgres) -> Self {
        server.sql(&format!(
            "CREATE DATABASE {OWN} TEMPLATE {DATABASE} OWNER {UPSTREAM_USER};
             ALTER DATABASE {OWN} SET lock_timeout = '5s'"
        ));
        let (plain, super_user) = (client(server, false, OWN), client(server, true, OWN));
        Self { server, plain, super_user }
    }

    /// Runs it as the gateway's log-in, and if the server won't let that, as the superuser.
    pub(super) fn shown(&mut self, sql: &str) -> Seen {
        let mut seen = Seen::default();
        for is_super in [false, true] {
            seen = if leaves_transactions(sql) {
                self.on_a_copy(is_super, sql)
            } else {
                let client = if is_super { &mut self.super_user } else { &mut self.plain };
                in_transaction(client, sql)
            };
            if seen.error.as_deref() == Some("25001") {
                seen = self.on_a_copy(is_super, sql);
            }
            if seen.did.contains("ended") {
                self.plain = client(self.server, false, OWN);
                self.super_user = client(self.server, true, OWN);
            }
            seen.super_user = is_super;
            if seen.error.as_deref() != Some("42501") {
                break;
            }
        }
        seen
    }

    fn on_a_copy(&self, is_super: bool, sql: &str) -> Seen {
        self.server.sql(&format!(
            "DROP DATABASE IF EXISTS {COPY} WITH (FORCE);
             CREATE DATABASE {COPY} TEMPLATE {DATABASE} OWNER {UPSTREAM_USER}"
        ));
        let mut client = client(self.server, is_super, COPY);
        let before = Standing::of(&mut client);
        let next = |server: &Postgres| server.sql("SELECT pg_snapshot_xmax(pg_current_snapshot())");
        let first = next(self.server);
        let answer = run(&mut client, sql);
        let mut seen = seen(&answer);
        seen.did_if(next(self.server) != first, "writes");
        client.query("ROLLBACK");
        before.compare(&Standing::of(&mut client), &mut seen);
        seen
    }
}

fn client(server: &Postgres, is_super: bool, database: &str) -> RawClient {
    let (user, password) =
        if is_super { (SUPERUSER, SUPERUSER_PASSWORD) } else { (UPSTREAM_USER, UPSTREAM_PASSWORD) };
    RawClient::connect(&server.address(), user, password, database)
}

/// A statement that ends a transaction takes what came before it out of our hands.
fn leaves_transactions(sql: &str) -> bool {
    let words = ["COMMIT", "ROLLBACK", "ABORT", "END;", "DISCARD", "PREPARE TRANSACTION", "CALL "];
    words.iter().any(|word| sql.contains(word)) && !sql.contains("$$")
}

fn in_transaction(client: &mut RawClient, sql: &str) -> Seen {
    let before = Standing::of(client);
    client.query("BEGIN");
    let answer = run(client, sql);
    let mut seen = seen(&answer);
    if seen.did.contains("ended") {
        return seen;
    }
    let text = "SELECT pg_catalog.pg_current_xact_id_if_assigned() IS NOT NULL";
    let (writes, after) = if seen.error.is_none() {
        (rows(&client.query(text)) == [["t"]], Some(Standing::of(client)))
    } else {
        (false, None)
    };
    seen.did_if(writes, "writes");
    client.query("ROLLBACK");
    let after = after.unwrap_or_else(|| Standing::of(client));
    before.compare(&after, &mut seen);
    client.query("ROLLBACK");
    client.query("RESET SESSION AUTHORIZATION");
    client.query("DISCARD ALL");
    seen
}

/// As a simple Query; a text with parameters by Bind, each of them 1.
fn run(client: &mut RawClient, sql: &str) -> Vec<Message> {
    client.send_bytes(&query(sql));
    let mut answer = until_ready(client);
    if error(&answer).is_some_and(|e| e.field('C') == "42P02") {
        client.query("ROLLBACK; BEGIN");
        let values = [Some("1"), Some("1"), Some("1")];
        let count = (1..=values.len()).filter(|n| sql.contains(&format!("${n}"))).count();
        let messages =
            [parse("", sql, &[]), bind("", "", &values[..count], 0), execute("", 0), sync()];
        client.send_bytes(&messages.concat());
        answer = until_ready(client);
    }
    answer
}

/// Whoever asks for rows to copy in gets none.
fn until_ready(client: &mut RawClient) -> Vec<Message> {
    let mut answer = Vec::new();
    loop {
        let Some(message) = client.try_read().expect("a message in time") else { return answer };
        if message.tag == b'G' {
            client.send_bytes(&copy_done());
        }
        let ready = message.tag == b'Z';
        answer.push(message);
        if ready {
            return answer;
        }
    }
}

fn seen(answer: &[Message]) -> Seen {
    let mut seen = Seen {
        rows: answer.iter().filter(|m| matches!(m.tag, b'D' | b'd')).count(),
        done: answer.iter().filter(|m| m.tag == b'C').count(),
        error: error(answer).map(|e| e.field('C')),
        ..Seen::default()
    };
    seen.did_if(answer.last().is_none_or(|m| m.tag != b'Z'), "ended");
    seen
}

/// How the session stands: what it holds and how it is set.
struct Standing {
    locks: String,
    settings: String,
    sequences: String,
}

impl Standing {
    fn of(client: &mut RawClient) -> Self {
        let mut one = |text: &str| {
            let answer = client.query(text);
            rows(&answer).first().map(|row| row.join(" ")).unwrap_or_default()
        };
        Self {
            // LISTEN holds on to nothing, but is heard of here.
            locks: one(LOCKS),
            settings: one(SETTINGS),
            sequences: one(SEQUENCES),
        }
    }

    fn compare(&self, after: &Self, seen: &mut Seen) {
        seen.did_if(self.locks != after.locks, "locks");
        seen.did_if(self.settings != after.settings, "settings");
        seen.did_if(self.sequences != after.sequences, "sequence");
    }
}

const LOCKS: &str = "
    SELECT pg_catalog.count(*), (SELECT pg_catalog.count(*) FROM pg_catalog.pg_listening_channels())
    FROM pg_catalog.pg_locks
    WHERE pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()
      AND (locktype OPERATOR(pg_catalog.=) 'advisory' OR locktype OPERATOR(pg_catalog.=) 'relation'
           AND mode OPERATOR(pg_catalog.<>) 'AccessShareLock'
           AND relation OPERATOR(pg_catalog.>=) 16384)";

const SETTINGS: &str = "
    SELECT current_user, session_user, pg_catalog.current_setting('role'),
           pg_catalog.string_agg(pg_catalog.concat(name, setting), ' ' ORDER BY name)
    FROM pg_catalog.pg_settings WHERE source OPERATOR(pg_catalog.=) 'session'
      AND name OPERATOR(pg_catalog.<>) 'transaction_read_only'
      AND name OPERATOR(pg_catalog.<>) 'transaction_isolation'
      AND name OPERATOR(pg_catalog.<>) 'transaction_deferrable'";

const SEQUENCES: &str = "
    SELECT pg_catalog.string_agg(pg_catalog.concat(sequencename, last_value), ' ' ORDER BY sequencename)
    FROM pg_catalog.pg_sequences";
