//! What a record says of a statement's parameters.

use ring::hmac;

use super::{
    Digest,
    json::{Object, key, push_hex, push_text},
    record::{Detail, PARAMETER_BYTES_MAX, Parameter, ParameterDetail},
    scrub::scrub,
    shown::{self, Shown},
};

/// Appends the parameters of a statement, as far as they are wanted on record.
pub(super) fn write(
    line: &mut Object<'_>,
    parameters: &[Parameter<'_>],
    (shown, detail): (&Shown<'_>, &Detail),
) {
    match &detail.parameters {
        ParameterDetail::Text => {
            let mut number = 0;
            line.array(key!("parameters"), parameters, |out, value| {
                number += 1;
                match value {
                    Parameter::Null => out.extend_from_slice(b"null"),
                    _ if shown.hides(number) => push_digest(out, value, detail.key.as_ref()),
                    Parameter::Text(text) => push_parameter(out, &scrub(text)),
                    Parameter::Binary(bytes) => push_binary(out, bytes),
                }
            });
        }
        ParameterDetail::Hmac(key) => line.array(key!("parameters"), parameters, |out, value| {
            push_digest(out, value, Some(key));
        }),
        ParameterDetail::None => line.number(key!("parameter_count"), parameters.len() as u64),
    }
}

fn push_digest(out: &mut Vec<u8>, value: &Parameter<'_>, key: Option<&hmac::Key>) {
    let bytes = match value {
        Parameter::Null => return out.extend_from_slice(b"null"),
        Parameter::Text(text) => text.as_bytes(),
        Parameter::Binary(bytes) => bytes,
    };
    out.extend_from_slice(b"{\"hmac\":\"");
    match key {
        Some(key) => push_hex(out, &shown::digest(key, bytes)),
        None => out.extend_from_slice(b"***"),
    }
    out.extend_from_slice(b"\"}");
}

/// A long value is kept by its start, its length and its digest.
fn push_parameter(out: &mut Vec<u8>, text: &str) {
    if text.len() <= PARAMETER_BYTES_MAX {
        return push_text(out, text);
    }
    let start = text.floor_char_boundary(PARAMETER_BYTES_MAX);
    push_cut(out, text.get(..start).unwrap_or_default(), text.as_bytes());
}

fn push_binary(out: &mut Vec<u8>, bytes: &[u8]) {
    let kept = bytes.get(..PARAMETER_BYTES_MAX / 2).unwrap_or(bytes);
    let mut hex = b"\\x".to_vec();
    push_hex(&mut hex, kept);
    let hex = String::from_utf8(hex).unwrap_or_default();
    if kept.len() == bytes.len() { push_text(out, &hex) } else { push_cut(out, &hex, bytes) }
}

fn push_cut(out: &mut Vec<u8>, start: &str, whole: &[u8]) {
    let mut cut = Object::open(out);
    cut.text(key!("start"), start);
    cut.number(key!("bytes"), whole.len() as u64);
    cut.shown(key!("sha256"), Digest::of(whole));
    cut.close();
}
