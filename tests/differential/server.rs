//! One session straight to the server, as the gateway's log-in, and what the server shows of a statement.

use std::collections::{BTreeMap, BTreeSet};

use super::support::{
    Message, Postgres, RawClient,
    postgres::{DATABASE, UPSTREAM_PASSWORD, UPSTREAM_USER},
    raw,
};

/// A connection and what it needs to be told to run something and forget it.
pub(crate) struct Session {
    client: RawClient,
}

/// What the server showed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Witness {
    /// SQLSTATE and text, if it failed. Then nothing but [`Witness::marks`] is known.
    pub(crate) error: Option<(String, String)>,
    /// Routines that said they ran, `KIND:NAME`.
    pub(crate) marks: BTreeSet<String>,
    /// Relations by their oids, and the locks on them.
    pub(crate) locks: BTreeSet<(u32, String)>,
    /// Tables whose rows changed.
    pub(crate) changed: BTreeSet<u32>,
    /// Routines that are neither built in nor inlined.
    pub(crate) routines: BTreeSet<u32>,
    /// Advisory locks are held.
    pub(crate) advisory: bool,
    /// The transaction has a number: it wrote.
    pub(crate) wrote: bool,
    /// Relations and types that it made or changed, by name.
    pub(crate) made: BTreeSet<String>,
    /// Settings that differ from what the session began with.
    pub(crate) settings: BTreeMap<String, String>,
    /// Prepared statements.
    pub(crate) prepared: BTreeSet<String>,
    /// Cursors.
    pub(crate) cursors: BTreeSet<String>,
    /// It ended the transaction that it was to run in.
    pub(crate) ended_transaction: bool,
    /// What came back.
    pub(crate) answer: Vec<Message>,
}

/// Everything in one question. All names are qualified: the statement may have changed the path.
const SHOWN: &str = "
SELECT 'lock', l.relation::pg_catalog.text, l.mode FROM pg_catalog.pg_locks l
WHERE l.pid = pg_catalog.pg_backend_pid() AND l.locktype = 'relation'
UNION ALL SELECT 'advisory', '', '' FROM pg_catalog.pg_locks l
WHERE l.pid = pg_catalog.pg_backend_pid() AND l.locktype = 'advisory'
UNION ALL SELECT 'wrote', '', '' WHERE pg_catalog.pg_current_xact_id_if_assigned() IS NOT NULL
UNION ALL SELECT 'changed', t.relid::pg_catalog.text, '' FROM pg_catalog.pg_stat_xact_all_tables t
WHERE t.n_tup_ins + t.n_tup_upd + t.n_tup_del > 0
UNION ALL SELECT 'routine', f.funcid::pg_catalog.text, '' FROM pg_catalog.pg_stat_xact_user_functions f
UNION ALL SELECT 'setting', s.name, s.setting FROM pg_catalog.pg_settings s WHERE s.source = 'session'
UNION ALL SELECT 'setting', 'role', current_user::pg_catalog.text
WHERE current_user::pg_catalog.text <> session_user::pg_catalog.text
UNION ALL SELECT 'made', c.relname, '' FROM pg_catalog.pg_class c
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.xmin::pg_catalog.text = THIS_TRANSACTION
UNION ALL SELECT 'made', t.typname, '' FROM pg_catalog.pg_type t
WHERE t.typtype IN ('d', 'e', 'r') AND t.typelem = 0 AND t.xmin::pg_catalog.text = THIS_TRANSACTION
UNION ALL SELECT 'prepared', p.name, '' FROM pg_catalog.pg_prepared_statements p
UNION ALL SELECT 'cursor', c.name, '' FROM pg_catalog.pg_cursors c WHERE c.name <> ''";

/// As `xmin` shows it.
const THIS_TRANSACTION: &str = "(pg_catalog.pg_current_xact_id_if_assigned()::pg_catalog.text::pg_catalog.numeric \
    OPERATOR(pg_catalog.%) 4294967296)::pg_catalog.text";

/// Leaves the session as it was, what outlives a transaction included.
const FORGET: &str = "ROLLBACK; DEALLOCATE ALL; SELECT pg_catalog.pg_advisory_unlock_all(), \
    pg_catalog.pg_stat_force_next_flush()";

impl Session {
    /// As the gateway's log-in.
    pub(crate) fn open(server: &Postgres) -> Self {
        Self::open_database(server, DATABASE)
    }

    /// The same in another database.
    pub(crate) fn open_database(server: &Postgres, database: &str) -> Self {
        let client =
            RawClient::connect(&server.address(), UPSTREAM_USER, UPSTREAM_PASSWORD, database);
        let mut session = Self { client };
        session.rows("SET statement_timeout = '3s'; SET lock_timeout = '2s'");
        // These are no longer what the witness is asked for.
        session.rows("SELECT pg_stat_force_next_flush()");
        session
    }

    /// The rows of a question that must be answered.
    pub(crate) fn rows(&mut self, sql: &str) -> Vec<Vec<String>> {
        let answer = self.client.query(sql);
        assert!(raw::error(&answer).is_none(), "{sql}: {:?}", raw::error(&answer));
        raw::rows(&answer)
    }

    /// Runs a text in a transaction that is rolled back.
    pub(crate) fn witness(&mut self, sql: &str) -> Witness {
        self.rows("BEGIN");
        let mut witness = Witness { answer: say(&mut self.client, sql), ..Witness::default() };
        for message in &witness.answer {
            let text = message.field('M');
            match (message.tag, text.strip_prefix("ran ")) {
                (b'N', Some(mark)) => drop(witness.marks.insert(mark.to_owned())),
                (b'E', _) => witness.error = Some((message.field('C'), text)),
                _ => {}
            }
        }
        match status(&witness.answer) {
            b'T' => self.look(&mut witness),
            b'I' => witness.ended_transaction = true,
            _ => {}
        }
        self.rows(FORGET);
        witness
    }

    /// The error of a text in a read-only transaction.
    pub(crate) fn read_only_error(&mut self, sql: &str) -> Option<(String, String)> {
        self.rows("BEGIN READ ONLY");
        let answer = say(&mut self.client, sql);
        self.rows(FORGET);
        raw::error(&answer).map(|e| (e.field('C'), e.field('M')))
    }

    fn look(&mut self, witness: &mut Witness) {
        for row in self.rows(&SHOWN.replace("THIS_TRANSACTION", THIS_TRANSACTION)) {
            let [what, name, value] = row.as_slice() else { panic!("{row:?}") };
            let oid = || name.parse().expect("an oid");
            match what.as_str() {
                "lock" => drop(witness.locks.insert((oid(), value.clone()))),
                "advisory" => witness.advisory = true,
                "wrote" => witness.wrote = true,
                "changed" => drop(witness.changed.insert(oid())),
                "routine" => drop(witness.routines.insert(oid())),
                "setting" if TIMEOUTS.contains(&(name, value)) => {}
                "setting" => drop(witness.settings.insert(name.clone(), value.clone())),
                "made" => drop(witness.made.insert(name.clone())),
                "prepared" => drop(witness.prepared.insert(name.clone())),
                "cursor" => drop(witness.cursors.insert(name.clone())),
                other => panic!("{other}"),
            }
        }
    }
}

/// What [`Session::open`] has set itself.
const TIMEOUTS: [(&str, &str); 2] = [("statement_timeout", "3000"), ("lock_timeout", "2000")];

/// Sends a text, gives COPY FROM STDIN one row of NULLs, and reads up to ReadyForQuery.
pub(crate) fn say(client: &mut RawClient, sql: &str) -> Vec<Message> {
    client.send_bytes(&raw::query(sql));
    let mut answer = Vec::new();
    loop {
        let message = client.read();
        match message.tag {
            b'G' => {
                let columns = usize::from(message.body[2]);
                let row = vec!["\\N"; columns].join("\t") + "\n";
                client.send_bytes(&raw::copy_data(row.as_bytes()));
                client.send_bytes(&raw::copy_done());
            }
            b'Z' => {
                answer.push(message);
                return answer;
            }
            _ => {}
        }
        answer.push(message);
    }
}

/// The transaction's status after an answer.
pub(crate) fn status(answer: &[Message]) -> u8 {
    answer.last().and_then(|ready| ready.body.first().copied()).expect("ReadyForQuery")
}
