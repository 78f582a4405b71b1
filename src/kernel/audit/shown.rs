//! A statement's text as a record shows it: constants that have to do with masked columns are keyed digests,
//! so that guesses can be counted and compared, and none can be read. All else stands as it was sent.

use std::borrow::Cow;

use ring::hmac;

use super::{
    json::push_hex,
    record::{Detail, Intent, StatementDetail},
};
use crate::kernel::sql::constants::{self, Found, Guard};

/// 128 bits of a keyed digest are enough to tell values apart.
pub(super) const HMAC_BYTES: usize = 16;

/// What is shown of one statement.
#[derive(Debug)]
pub(super) struct Shown<'a> {
    /// Its text.
    pub(super) text: Cow<'a, str>,
    /// How many digests stand in it.
    pub(super) digests: u64,
    found: Found,
    /// What stands for what.
    hidden: Vec<(&'a str, String)>,
}

impl<'a> Shown<'a> {
    /// Of an intent.
    pub(super) fn of(intent: &Intent<'a>, detail: &Detail) -> Self {
        let text = Cow::Borrowed(intent.text);
        let nothing = Self { text, digests: 0, found: Found::default(), hidden: Vec::new() };
        if intent.guard == Guard::Nothing {
            return nothing;
        }
        let found = constants::find(intent.text, intent.mode, intent.guard);
        if found.constants.is_empty() && found.rest.is_none()
            || detail.statement != StatementDetail::Full
        {
            return Self { found, ..nothing };
        }
        let mut out = String::with_capacity(intent.text.len());
        let mut hidden = Vec::with_capacity(found.constants.len());
        let mut from = 0;
        let key = detail.key.as_ref();
        for (place, value) in &found.constants {
            let instead = format!("'{}'", named(key, value.as_bytes()));
            // Tokens begin and end at characters; if one did not, less would be shown.
            out.push_str(intent.text.get(from..place.start).unwrap_or_default());
            out.push_str(&instead);
            from = place.end;
            hidden.push((intent.text.get(place.clone()).unwrap_or_default(), instead));
        }
        match found.rest {
            None => out.push_str(intent.text.get(from..).unwrap_or_default()),
            Some(rest) => {
                out.push_str(intent.text.get(from..rest).unwrap_or_default());
                let rest = intent.text.get(rest..).unwrap_or_default();
                let readable = rest.find(['\'', '"', '$', '\\']).unwrap_or(rest.len());
                let (start, end) = rest.split_at(readable);
                // What stands in no quotes is no string; digits may be a number.
                out.extend(start.chars().map(|c| if c.is_ascii_digit() { '*' } else { c }));
                if !end.is_empty() {
                    out.push_str(&format!("[{} bytes, {}]", end.len(), named(key, end.as_bytes())));
                }
            }
        }
        let digests = hidden.len() as u64;
        Self { text: Cow::Owned(out), digests, found, hidden }
    }

    /// True if the parameter of this number, from 1, isn't shown.
    pub(super) fn hides(&self, parameter: usize) -> bool {
        self.found.all || self.found.parameters.contains(&parameter)
    }

    /// A message that may quote the text.
    pub(super) fn message<'m>(&self, message: &'m str) -> Cow<'m, str> {
        if self.found.rest.is_some() {
            // Where it can't be read, it may be quoted from there on.
            let (start, quoted) = message.split_once(" at or near ").unwrap_or((message, ""));
            return if quoted.is_empty() {
                message.into()
            } else {
                format!("{start} (withheld)").into()
            };
        }
        let mut message = Cow::Borrowed(message);
        for (written, instead) in &self.hidden {
            let quoted = format!("\"{written}\"");
            if message.contains(&quoted) {
                message = message.replace(&quoted, &format!("\"{instead}\"")).into();
            } else if written.len() > 2 && written.contains('\'') && message.contains(written) {
                message = message.replace(written, instead).into();
            }
        }
        message
    }
}

/// The digest of a value, by its first bytes.
pub(super) fn digest(key: &hmac::Key, value: &[u8]) -> Vec<u8> {
    let tag = hmac::sign(key, value);
    tag.as_ref().get(..HMAC_BYTES).unwrap_or_default().to_vec()
}

fn named(key: Option<&hmac::Key>, value: &[u8]) -> String {
    let Some(key) = key else { return "hmac:***".to_owned() };
    let mut hex = b"hmac:".to_vec();
    push_hex(&mut hex, &digest(key, value));
    String::from_utf8(hex).unwrap_or_default()
}
