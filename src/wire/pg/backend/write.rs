//! Encoders for what the gateway itself tells a client.

use super::{
    super::{Format, body, types},
    AUTHENTICATION, BACKEND_KEY_DATA, BIND_COMPLETE, CLOSE_COMPLETE, COMMAND_COMPLETE, DATA_ROW,
    EMPTY_QUERY_RESPONSE, ERROR_RESPONSE, ErrorFields, NEGOTIATE_PROTOCOL_VERSION, NO_DATA,
    NOTICE_RESPONSE, PARAMETER_DESCRIPTION, PARAMETER_STATUS, PARSE_COMPLETE, PORTAL_SUSPENDED,
    READY_FOR_QUERY, ROW_DESCRIPTION, TransactionStatus,
};
use crate::kernel::{
    refusal::{Refusal, Severity},
    sql::charset::ClientText,
};

/// Appends the ErrorResponse for a refusal. `text`: how the client reads it, here as everywhere.
pub fn error(out: &mut Vec<u8>, refusal: &Refusal, text: ClientText) {
    let codes = refusal.kind.codes();
    let severity = match codes.severity {
        Severity::Error => "ERROR",
        Severity::Fatal => "FATAL",
    };
    report(out, (severity, codes.sqlstate), refusal, text);
}

/// Appends the same, but as one that ends the session whatever its kind.
pub fn fatal(out: &mut Vec<u8>, refusal: &Refusal, text: ClientText) {
    report(out, ("FATAL", refusal.kind.codes().sqlstate), refusal, text);
}

/// Appends a NoticeResponse of severity NOTICE.
pub fn notice(out: &mut Vec<u8>, message: &str, text: ClientText) {
    severity_notice(out, ("NOTICE", "00000"), message, text);
}

/// Appends what a server says of a name that is longer than it keeps.
/// `text`: how the client reads it.
pub fn name_is_cut(out: &mut Vec<u8>, (name, kept): (&str, &str), text: ClientText) {
    let message = format!("identifier \"{name}\" will be truncated to \"{kept}\"");
    severity_notice(out, ("NOTICE", "42622"), &message, text);
}

/// Appends a NoticeResponse of severity WARNING.
pub fn warning(out: &mut Vec<u8>, message: &str, text: ClientText) {
    severity_notice(out, ("WARNING", "01000"), message, text);
}

/// Appends a ReadyForQuery.
pub fn ready_for_query(out: &mut Vec<u8>, status: TransactionStatus) {
    body::message(out, READY_FOR_QUERY, |out| out.push(status.code()));
}

/// A column of a result that the gateway itself gives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OwnColumn<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its type; see [`types`].
    pub type_oid: u32,
    /// The form of its values.
    pub format: Format,
}

/// Appends a RowDescription of columns of our own.
pub fn row_description(out: &mut Vec<u8>, columns: &[OwnColumn<'_>], text: ClientText) {
    body::message(out, ROW_DESCRIPTION, |out| {
        body::put_count(out, columns.len());
        for column in columns {
            body::put_string(out, &text.write(column.name));
            out.extend([0; 6]);
            out.extend(column.type_oid.to_be_bytes());
            out.extend(types::size_of(column.type_oid).to_be_bytes());
            out.extend((-1_i32).to_be_bytes());
            out.extend([0, u8::from(column.format == Format::Binary)]);
        }
    });
}

/// Appends a DataRow.
pub fn data_row(out: &mut Vec<u8>, cells: &[Option<&[u8]>]) {
    body::message(out, DATA_ROW, |out| {
        body::put_count(out, cells.len());
        for cell in cells {
            body::put_value(out, *cell);
        }
    });
}

/// Appends an ErrorResponse or NoticeResponse that is `start`, the first bytes of one, as far as it goes:
/// the last text ends where it does, before a character that is cut.
pub fn cut_short(out: &mut Vec<u8>, start: &[u8], text: ClientText) {
    let Some((tag, rest)) = start.split_first() else { return };
    body::message(out, *tag, |out| {
        let fields = rest.get(4..).unwrap_or_default();
        let whole = fields.iter().rposition(|byte| *byte == 0).map_or(0, |end| end + 1);
        let (fields, last) = fields.split_at_checked(whole).unwrap_or_default();
        out.extend_from_slice(fields);
        if let Some(last) = last.get(..text.whole(last)).filter(|last| !last.is_empty()) {
            body::put_string(out, last);
        }
        out.push(0);
    });
}

/// Appends a CommandComplete.
pub fn command_complete(out: &mut Vec<u8>, tag: &str) {
    body::message(out, COMMAND_COMPLETE, |out| body::put_string(out, tag.as_bytes()));
}

/// Appends an EmptyQueryResponse.
pub fn empty_query_response(out: &mut Vec<u8>) {
    body::message(out, EMPTY_QUERY_RESPONSE, |_| {});
}

/// Appends a ParseComplete.
pub fn parse_complete(out: &mut Vec<u8>) {
    body::message(out, PARSE_COMPLETE, |_| {});
}

/// Appends a BindComplete.
pub fn bind_complete(out: &mut Vec<u8>) {
    body::message(out, BIND_COMPLETE, |_| {});
}

/// Appends a CloseComplete.
pub fn close_complete(out: &mut Vec<u8>) {
    body::message(out, CLOSE_COMPLETE, |_| {});
}

/// Appends a NoData.
pub fn no_data(out: &mut Vec<u8>) {
    body::message(out, NO_DATA, |_| {});
}

/// Appends a PortalSuspended.
pub fn portal_suspended(out: &mut Vec<u8>) {
    body::message(out, PORTAL_SUSPENDED, |_| {});
}

/// Appends a ParameterDescription.
pub fn parameter_description(out: &mut Vec<u8>, type_oids: &[u32]) {
    body::message(out, PARAMETER_DESCRIPTION, |out| {
        body::put_count(out, type_oids.len());
        out.extend(type_oids.iter().flat_map(|oid| oid.to_be_bytes()));
    });
}

/// Appends a ParameterStatus.
pub fn parameter_status(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    body::message(out, PARAMETER_STATUS, |out| {
        body::put_string(out, name);
        body::put_string(out, value);
    });
}

/// Appends a BackendKeyData.
pub fn backend_key_data(out: &mut Vec<u8>, process: i32, key: &[u8]) {
    body::message(out, BACKEND_KEY_DATA, |out| {
        out.extend(process.to_be_bytes());
        out.extend_from_slice(key);
    });
}

/// Appends an AuthenticationOk.
pub fn authentication_ok(out: &mut Vec<u8>) {
    authentication(out, 0, &[]);
}

/// Appends an AuthenticationSASL that offers these mechanisms.
pub fn authentication_sasl(out: &mut Vec<u8>, mechanisms: &[&str]) {
    let mut names = Vec::new();
    for name in mechanisms {
        body::put_string(&mut names, name.as_bytes());
    }
    names.push(0);
    authentication(out, 10, &names);
}

/// Appends an AuthenticationSASLContinue.
pub fn authentication_sasl_continue(out: &mut Vec<u8>, data: &[u8]) {
    authentication(out, 11, data);
}

/// Appends an AuthenticationSASLFinal.
pub fn authentication_sasl_final(out: &mut Vec<u8>, data: &[u8]) {
    authentication(out, 12, data);
}

/// Appends a NegotiateProtocolVersion: the minor version we will speak, and the options we don't
/// know.
pub fn negotiate_protocol_version(out: &mut Vec<u8>, minor: u16, unknown: &[Vec<u8>]) {
    body::message(out, NEGOTIATE_PROTOCOL_VERSION, |out| {
        out.extend(((3 << 16) | i32::from(minor)).to_be_bytes());
        out.extend(i32::try_from(unknown.len()).unwrap_or(0).to_be_bytes());
        for name in unknown {
            body::put_string(out, name);
        }
    });
}

fn authentication(out: &mut Vec<u8>, code: i32, data: &[u8]) {
    body::message(out, AUTHENTICATION, |out| {
        out.extend(code.to_be_bytes());
        out.extend_from_slice(data);
    });
}

fn severity_notice(
    out: &mut Vec<u8>,
    (severity, sqlstate): (&str, &str),
    message: &str,
    text: ClientText,
) {
    body::message(out, NOTICE_RESPONSE, |out| {
        for (code, field) in [(b'S', severity), (b'V', severity), (b'C', sqlstate), (b'M', message)]
        {
            put_field(out, code, field, text);
        }
        out.push(0);
    });
}

/// Appends an error or a notice of the server's without what may quote values: its message unless
/// `keeps_message`, its detail, hint and context. What stays says what kind it is and where: severity,
/// SQLSTATE, position, names of the constraint and of what it is on, and the server's own place.
pub fn scrubbed(out: &mut Vec<u8>, tag: u8, fields: &ErrorFields<'_>, keeps_message: bool) {
    // RAISE says what it likes in place of names, and where it stands.
    let raised = fields.field(b'W').is_some();
    body::message(out, tag, |out| {
        for (code, text) in fields.iter() {
            let text = match code {
                b'M' if !keeps_message => SCRUBBED.as_bytes(),
                b's' | b't' | b'c' | b'd' | b'n' if raised => continue,
                b'S' | b'V' | b'C' | b'M' | b'P' | b's' | b't' | b'c' | b'd' | b'n' | b'F'
                | b'L' | b'R' => text,
                _ => continue,
            };
            out.push(code);
            body::put_string(out, text);
        }
        if !keeps_message && tag == ERROR_RESPONSE {
            out.push(b'H');
            body::put_string(out, HOW_TO_READ.as_bytes());
        }
        out.push(0);
    });
}

/// What the server says is there to be read with unmask.
const HOW_TO_READ: &str =
    "With sql.unmask it is shown: SELECT hallpass.request('unmask', '30m', 'say why');";

/// What stands for a message of the server's.
const SCRUBBED: &str =
    "the server's message is withheld: it may quote masked values (see the SQLSTATE)";

fn report(
    out: &mut Vec<u8>,
    (severity, sqlstate): (&str, &str),
    refusal: &Refusal,
    text: ClientText,
) {
    body::message(out, ERROR_RESPONSE, |out| {
        let mut field = |code, value: &str| put_field(out, code, value, text);
        field(b'S', severity);
        field(b'V', severity);
        field(b'C', sqlstate);
        field(b'M', &refusal.message);
        if let Some(detail) = &refusal.detail {
            field(b'D', detail);
        }
        if let Some(hint) = &refusal.hint {
            field(b'H', hint);
        }
        if let Some(position) = refusal.position {
            field(b'P', &position.to_string());
        }
        // Who said it: shown by psql's \errverbose, so that nobody looks for it in the server.
        field(b'R', "hallpass");
        out.push(0);
    });
}

fn put_field(out: &mut Vec<u8>, code: u8, value: &str, text: ClientText) {
    out.push(code);
    body::put_string(out, &text.write(value));
}
