//! The running gateway against a real Postgres, through real clients and through raw messages.

#[expect(unreachable_pub, reason = "other tests take it in from elsewhere")]
#[path = "../support/corpus.rs"]
mod corpus;
#[path = "../support/mod.rs"]
mod support;

mod abuse;
mod attack_activity;
mod attack_code;
mod attack_corpus;
mod attack_log_in;
mod attack_masks;
mod attack_meanings;
mod attack_names;
mod attack_scopes;
mod attack_session;
mod attack_walls;
mod audit;
mod cancel;
mod command_line;
mod copy;
mod drivers;
mod encodings;
mod everyday;
mod extended;
mod fault_client;
mod fault_clock;
mod fault_hang;
mod fault_kill;
mod fault_panic;
mod fault_store;
mod fault_trail;
mod fault_upstream;
mod grant_end;
mod grants;
mod harness;
mod layers;
mod left_behind;
mod limits;
mod log_ins;
mod login;
mod mask_settings;
mod mask_test;
mod mask_types;
mod masked_definitions;
mod masked_rows;
mod masking;
mod masking_audit;
mod masking_copies;
mod masking_copy;
mod masks;
mod migrating;
mod operating;
mod outage;
mod records;
mod refusals;
mod revocation;
mod simple;
mod story;
mod tools;
mod transparency;
