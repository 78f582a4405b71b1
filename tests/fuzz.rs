//! Bytes from outside against everything that reads them: one target for each parser. Nothing panics,
//! nothing takes long, and what is read is written back the same. How a run goes, and how to let it go
//! on for hours: `tests/support/fuzz.rs`.
//!
//! What reads bytes that somebody else wrote, and the target that feeds it:
//!
//! | from | parser | target |
//! | --- | --- | --- |
//! | client | `wire::pg::startup` (packets, TLS and GSS requests, cancel) | `start_up` |
//! | client | `session::pg::settings`, `wire::pg::options` (start-up parameters, `options`) | `settings_of_a_start_up` |
//! | client | `wire::pg::{frame, frontend, body}` (every message) | `messages_of_a_client` |
//! | client | `wire::pg::scram::server`, passwords | `answers_to_a_challenge` |
//! | client | `wire::pg::types::parameter_text` (values for the record) | `messages_of_a_server` |
//! | client, server | `wire::pg::exchange` (order of messages and replies) | `what_is_owed` |
//! | client, server | CopyData, its frames and counts, `session::result`; rows inside are read by nobody | `copy_data` |
//! | client | `kernel::sql::charset` (texts and names in other encodings) | `texts_in_other_encodings` |
//! | client | `kernel::sql::lex`, `normalize`, `text` | `tokens` |
//! | client | `kernel::sql` (grammars, judgement, settings' values, search paths), `session::gate` | `statements` |
//! | client | the key of the cache of analyses | `same_key` |
//! | client | `kernel::sql::local`, `session::desk` (`hallpass.*`: permissions, durations, reasons, scopes, ids, WHERE) | `calls_of_the_gateway` |
//! | client | what stands in the trail of a text: `kernel::audit::scrub` | `small_texts` |
//! | HTTP | `api` (paths; no query, body, cookie or token is read there) | `requests_over_http` |
//! | server | `wire::pg::{backend, row}` (every message, rows written anew) | `messages_of_a_server` |
//! | server | `wire::pg::scram::client` | `challenges_of_a_server` |
//! | server | `upstream::pg` (a whole log-in), `ServerError` | `log_ins_at_a_hostile_server` |
//! | server | `upstream::{control, catalog, survey}`, node trees | `catalogs_of_a_hostile_server` |
//! | server | `wire::pg::array` (paths, keys, operands) | `arrays_of_a_server` |
//! | server | `net::end_point` (certificates) | `certificates` |
//! | server | `wire::pg::cell`, `kernel::mask::{text, number, moment}` (cells under masks) | `masked_cells` |
//! | server | `kernel::mask::json` (documents under masks) | `masked_documents` |
//! | server | `wire::pg::row` (rows under a plan) | `masked_rows` |
//! | server | `wire::pg::copy_rows` (text, CSV, binary under a plan) | `masked_copies` |
//! | client, server | `wire::mysql::{greeting, login}` | `log_ins_of_mysql` |
//! | client | `wire::mysql::{command, execute, value}` | `commands_of_mysql` |
//! | server | `wire::mysql::{packet, response, reply, column, row}` | `answers_of_mysql` |
//! | server | `wire::mysql::{cell, row}` (rows under a plan) | `masked_rows_of_mysql` |
//! | people | `kernel::mask::{algorithm, path, pattern, rule}` | `mask_rules` |
//! | files | `config` (`proxy.toml`: addresses, URLs, sizes, durations, networks, trust, roles) | `settings` |
//! | files | `net::tls`, `trail::identity`, `upstream::credential` (keys, certificates, passwords) | `files_of_a_node` |
//! | files | `trail::{recover, segment, verify, index}` (lanes) | `torn_and_altered_trails` |
//! | files | `trail::checkpoint` | `altered_checkpoints` |
//! | files, people | durations, times, ids, scopes, permissions, addresses, URLs, networks, TLS modes, values of settings, checkpoints as text | `small_texts` |
//!
//! Left out is what others wrote and test: TLS records (rustls), JSON and TOML themselves (serde_json,
//! toml), HTTP (hyper, with our listener before it as `requests_over_http`), command lines (clap). The
//! store's rows are the gateway's own.
//!
//! `tokens`, `statements` and `same_key` are in `tests/fuzz_sql.rs`. Texts made to cost much are in
//! `tests/hostile_texts.rs`.

#[path = "fuzz/targets/calls.rs"]
mod calls;
#[path = "support/catalog.rs"]
mod catalog;
#[path = "fuzz/targets/copies.rs"]
mod copies;
#[path = "fuzz/targets/files.rs"]
mod files;
#[path = "support/fuzz.rs"]
mod harness;
#[path = "fuzz/targets/masks.rs"]
mod masks;
#[path = "fuzz/targets/messages.rs"]
mod messages;
#[path = "fuzz/targets/mysql.rs"]
mod mysql;
#[path = "fuzz/targets/servers.rs"]
mod servers;
#[path = "fuzz/targets/start_ups.rs"]
mod start_ups;
#[path = "fuzz/targets/texts.rs"]
mod texts;
#[path = "fuzz/targets/trails.rs"]
mod trails;

fn written(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out);
    out
}
