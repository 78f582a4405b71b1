//! Hallpass: a database gateway for just-in-time access.
//!
//! This page is the map: where things are, what words mean, and what becomes of one statement.
//! Settings are explained in `proxy.toml.example`, operation in the README.
//!
//! # Floors
//!
//! A module only uses what is on its own floor or below; `tests/tidy` says so on every run.
//!
//! ```text
//! 5  api · cli · config          may use everything below; nobody below knows `Config`
//! 4  session                     one client's life; pg is Postgres' own, the rest is no protocol's
//! 3  store · trail · upstream    don't know each other, but upstream asks for trail's Clearance
//! 2  net · telemetry             sockets, TLS, the clock; metrics
//! 1  wire                        bytes and messages, and who owes whom a reply; no input, no output
//! 0  kernel                      values and decisions: no file, no socket, no clock, no runtime
//! ```
//!
//! # Words
//!
//! - *target*: a database that people connect to by name; *upstream*: the real server behind it.
//! - *client*: the program on the other side; *session*: one client connection, and its upstream's.
//! - *principal*: a person or service that logs in to the gateway; has *roles*.
//! - *permission*: `explain`, `info`, `select`, `export`, `dml`, `ddl`, `admin`, `unmask`,
//!   `issues.create`.
//! - *request*: somebody asks for permissions on a target, for a time, with a reason.
//! - *grant*: permissions for one principal on one target, from when until when, on what, how many
//!   rows. It is active, expired, revoked or exhausted.
//! - *rights*: what a session holds at this moment: what its roles stand for, and all live grants.
//! - *statement*, *analysis*: SQL as the client sent it; what it does over its whole tree.
//! - *permit*, *denial*: a yes with its limits and the grants it stands on; a no with what is missing.
//! - *clearance*: a permit whose intent is on the trail. Nothing else opens the door upstream.
//! - *refusal*: what a client is told, with the codes of its protocol.
//! - *mask*, *plan*: how the cells of a sensitive column are hidden; the masks of one result's columns.
//! - *exchange*: what the upstream owes, in order; *wall*: the upstream session's read-only default.
//! - *trail*, *record*, *outcome*: the hash-chained files; an entry; how a statement ended. People
//!   ask the *audit table*, which is made from it.
//!
//! # The life of a statement on Postgres
//!
//! A connection is accepted by [`net::listener`], handed to the least loaded of the
//! [`session::cores`] and stays on that thread. `session/pg/login.rs` (`accept`) negotiates TLS,
//! proves the principal by SCRAM ([`session::login`]), finds the target, logs in there with the
//! gateway's own log-in and a closed wall, and puts the opened session on the trail. From then on one
//! task, `Relay` in `session/pg/mod.rs`, moves both directions. A `Query` with one SELECT then goes
//! like this; `conversation.rs`, `simple.rs` and so on are in `session/pg`:
//!
//! 1. `Relay::fill` reads into the [`upstream::door::Door`], which keeps the client's bytes until
//!    somebody has decided on them. `one_from_client` takes a whole frame ([`wire::pg::frame`],
//!    bounded by type), and `Conversation::client_message` decodes it ([`wire::pg::frontend`]).
//! 2. `Conversation::query` (`simple.rs`) makes it a [`kernel::sql::text::StatementText`]: UTF-8, no
//!    NUL, within the limit. If it isn't known where names are looked up now, `must_ask_path`
//!    (`wall.rs`) asks the same upstream session first, and the frame is held.
//! 3. [`session::gate::read`] asks the core's [`session::cache`] whether it knows a long text as it is;
//!    else it normalizes it and asks for an analysis of the same tokens. Either must have been made under
//!    the same catalog, path and modes. If there is none,
//!    [`kernel::sql::analyze`] reads it: the lexer, the server's own grammar, and `sqlparser` as the
//!    second opinion, of a long text at the same time ([`session::beside`]); then
//!    [`kernel::sql::judge`] resolves names and says what it needs. Large texts go to
//!    [`session::parsers`] meanwhile (`begin_work`).
//! 4. `query_before_judging`: calls of `hallpass.*` branch off to [`session::desk`] and are answered
//!    here (`local.rs`); what depends on a result that still runs is held; in a transaction that the
//!    gateway rolled back only its end passes.
//! 5. `judge_batch` adds what EXECUTE and FETCH name ([`session::names`]) and asks
//!    [`kernel::policy::decide()`], the only maker of a permit, with the session's rights of this
//!    moment. All statements of a text, or none. A text that nobody understands is weighed by
//!    [`session::gate::unreadable`]: it needs `admin`.
//! 6. A denial is put on record and told (`denied` in `refused.rs`, as every refusal of a statement):
//!    at once if nothing is open, else as a failing message of our own, so that the server aborts and
//!    orders by itself.
//! 7. `wall_for` (`wall.rs`) opens the wall for a permit that writes, or closes it when the right to
//!    write has gone; the frame waits until the server has said so.
//!    Where a target has log-ins for less than everything, the session's upstream connection has
//!    followed its rights before this (`levels.rs`), and what it is too low for is refused here.
//! 8. `send_query` puts the intent on the trail: [`trail::Lane::admit`] takes the record and gives the
//!    [`trail::Clearance`] for it, which stands behind a [`trail::Bar`] until the record is in the
//!    file. Sessions that are awake together share one write, before their thread sleeps
//!    (`write_intents` in [`session::cores`]). With `audit.durability = "synced"` the frame also
//!    waits for the disk. If the record can't be written, the client is refused, and what stood behind
//!    it is taken back (`unsent.rs`).
//! 9. The reply is entered in the exchange ([`wire::pg::exchange`]) with a [`session::result::Run`],
//!    and [`upstream::door::Door::send_statement`] lets exactly the client's own bytes go. Its other
//!    ways out are `relay` for messages that carry no statement and `send_control` for a closed list
//!    of texts of the gateway's own. The door lets nothing through before the bar is open.
//! 10. `one_run_from_upstream` looks at what comes back. Rows are judged by their header
//!     (`Conversation::row` in `replies.rs`): `Run::row` counts them against the cap and the grants'
//!     budgets. Whole runs of frames pass as they came; a row that belongs to nothing goes nowhere.
//!     Where admin alone may see a column, its rows are written anew without it (`hide.rs`).
//!     Beyond the cap the statement is cancelled and the client told why, or the result is cut.
//! 11. `result_ends` and `completed` (`changes.rs`) take over what the statement changed: names, settings, path,
//!     transaction ([`session::transaction`]), schema.
//! 12. At ReadyForQuery (`ready`) the outcomes are closed on the trail, and what the end of a
//!     transaction settled. They are written with the next intent, or within 20 ms.
//!
//! In the extended protocol (`extended.rs`) the same is decided at Parse, at Bind and again at
//! Execute, and on record before a Bind leaves, because input functions and planning run there. A
//! Parse whose Bind came with it makes one record. What the server refuses or skips takes back the
//! names it would have made (`take_back`).
//!
//! When a grant ends, `refresh_rights` (`live.rs`) cancels what stands on it and rolls its
//! transaction back; the session stays. However a session ends, `abandon` closes its records. While a
//! disk that hangs holds up a session's thread, the control side acts in its stead (`stead.rs`).
//!
//! # MySQL and MariaDB
//!
//! Their sessions are [`session::mysql`], beside that of Postgres and on the same gate, trail, desk and
//! registry. A client is greeted with what the servers behind its listener say of themselves
//! (`cli/serve/faces.rs`), proves who it is by the digest in the store, and is connected (`login.rs`). A
//! command is answered before the next one is looked at: `commands.rs` names each, `query.rs` judges texts,
//! `prepared.rs` what was prepared, again each time it runs. Before the first judgement, and behind whatever
//! may have changed it, the server is asked how it reads texts and in which schema (`talk.rs`). `replies.rs`
//! takes the answer packet by packet, counts rows and closes records; `live.rs` ends what stands on a right that
//! has ended: KILL QUERY, then ROLLBACK, and only the transaction's end passes until the client has been told.
//! What doesn't react within five seconds ends with its session. `held.rs` holds a name of a moment ago until the
//! catalog knows it. COM_CHANGE_USER ends the session, and `login.rs` begins another one in its connection.
//!
//! [`wire::mysql`] reads and writes what
//! both sides say and masks rows, [`upstream::mysql`] logs in at servers, asks them questions and reads
//! their catalogs. `tests/mysql_servers` tries both at real ones, `tests/mysql_suite` sessions by other
//! people's clients. [`kernel::sql::mysql`] reads their
//! statements: `sqlparser`, fed with the tokens of our own lexer, and our own hand for what it doesn't know;
//! `judge/mysql.rs` and `builtins/mysql.rs` say what is otherwise there. `tests/cases/mysql` has it all.
//!
//! # Masks
//!
//! Rules ([`kernel::mask::rule`]) lie in the store. They fall on a target's catalog whenever either
//! changes (`cli/serve/catalogs.rs`), as its [`kernel::mask::marks`], which are part of the catalog that
//! statements are judged by. [`kernel::sql::lineage`] tells which marked columns a statement's outputs are
//! made of and what else it asks of them; `judge/masks.rs` makes needs of the latter, and
//! [`kernel::policy::decide()`] says which columns may be seen. What is left is an `Order` at the
//! [`session::result::Run`]. When the result's header comes, `session/pg/mask.rs` makes it a plan, by which
//! [`wire::pg::row`] and [`wire::pg::copy_rows`] write the rows anew. `hallpass mask test` and
//! `hallpass explain` go the same way as far as the judgement (`cli/trial.rs`).

pub mod api;
pub mod cli;
pub mod config;
pub mod kernel;
pub mod net;
pub mod session;
pub mod store;
pub mod telemetry;
pub mod trail;
pub mod upstream;
pub mod wire;
