//! Reading SQL: from text to what it does. The only door to the parsers.
//!
//! Three layers, any doubt refuses: our own strict lexer, `sqlparser`, and for Postgres the server's
//! own grammar. Each parser's tree is reduced to a [`reading::Reading`]: effects and names as
//! written. Readings are compared, then resolved against the catalog into an
//! [`analysis::Analysis`].

pub mod analysis;
pub mod fingerprint;
pub mod lex;
pub mod local;
pub mod mode;
pub mod normalize;
pub mod reading;
pub mod server_grammar;
pub mod text;
