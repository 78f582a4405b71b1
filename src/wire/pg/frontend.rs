//! What a client says: strict decoding into borrowed views, and the encoders for what the gateway
//! itself says to an upstream.
//!
//! Strict means: every field is read from this message alone, strings end at the one NUL that
//! belongs to them, counts fit, and nothing is left over. A message that the server and we could
//! read differently doesn't decode. Names and texts are bytes without NUL; whether they are UTF-8 is
//! asked by `StatementText`.

use super::{
    Format,
    body::{self, Body},
    frame,
};
use crate::wire::WireError;

/// Bind.
pub const BIND: u8 = b'B';
/// Close.
pub const CLOSE: u8 = b'C';
/// CopyData, in this direction.
pub const COPY_DATA: u8 = b'd';
/// CopyDone, in this direction.
pub const COPY_DONE: u8 = b'c';
/// CopyFail.
pub const COPY_FAIL: u8 = b'f';
/// Describe.
pub const DESCRIBE: u8 = b'D';
/// Execute.
pub const EXECUTE: u8 = b'E';
/// Flush.
pub const FLUSH: u8 = b'H';
/// FunctionCall.
pub const FUNCTION_CALL: u8 = b'F';
/// Parse.
pub const PARSE: u8 = b'P';
/// PasswordMessage, SASLInitialResponse, SASLResponse, GSSResponse: told apart by what was asked.
pub const PASSWORD: u8 = b'p';
/// Query.
pub const QUERY: u8 = b'Q';
/// Sync.
pub const SYNC: u8 = b'S';
/// Terminate.
pub const TERMINATE: u8 = b'X';

/// Any message of a client after the start-up.
#[derive(Clone, Copy, Debug)]
pub enum FrontendMessage<'a> {
    /// Runs a text that may hold several statements.
    Query {
        /// The text, without its NUL.
        text: &'a [u8],
    },
    /// Prepares one statement.
    Parse(Parse<'a>),
    /// Makes a portal of a prepared statement and parameters.
    Bind(Bind<'a>),
    /// Asks for the shape of a statement or portal.
    Describe(Named<'a>),
    /// Forgets a statement or portal.
    Close(Named<'a>),
    /// Runs a portal.
    Execute(Execute<'a>),
    /// Ends a pipelined batch.
    Sync,
    /// Asks for answers now.
    Flush,
    /// A piece of a COPY FROM STDIN.
    CopyData(&'a [u8]),
    /// The end of it.
    CopyDone,
    /// Its failure.
    CopyFail {
        /// The client's words for the error message.
        reason: &'a [u8],
    },
    /// Calls a function by oid.
    FunctionCall(FunctionCall),
    /// An answer to an authentication request, undecoded.
    Password(&'a [u8]),
    /// Goodbye.
    Terminate,
}

/// Prepares one statement.
#[derive(Clone, Copy, Debug)]
pub struct Parse<'a> {
    /// The statement's name; empty for the unnamed one.
    pub name: &'a [u8],
    /// Its text.
    pub text: &'a [u8],
    /// Oids of its parameters' types, 0 where the server shall infer.
    pub parameter_types: Oids<'a>,
}

/// Makes a portal of a prepared statement and parameters.
#[derive(Clone, Copy, Debug)]
pub struct Bind<'a> {
    /// The portal's name; empty for the unnamed one.
    pub portal: &'a [u8],
    /// The statement's name.
    pub statement: &'a [u8],
    /// Formats of the parameters; none, one for all, or one each.
    pub formats: Formats<'a>,
    /// The parameters.
    pub parameters: Parameters<'a>,
    /// Formats of the result columns; none, one for all, or one each. The number of columns isn't
    /// known here, so only the codes are checked.
    pub result_formats: Formats<'a>,
}

/// What a Describe or Close is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NameKind {
    /// `S`: a prepared statement.
    Statement,
    /// `P`: a portal.
    Portal,
}

impl NameKind {
    /// The byte on the wire.
    pub fn code(self) -> u8 {
        match self {
            Self::Statement => b'S',
            Self::Portal => b'P',
        }
    }
}

/// The name of a statement or portal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Named<'a> {
    /// Which of the two.
    pub kind: NameKind,
    /// Its name; empty for the unnamed one.
    pub name: &'a [u8],
}

/// Calls a function without SQL: the "fast path" of large objects.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FunctionCall {
    /// Its `pg_proc.oid`.
    pub oid: u32,
    /// How many arguments it is given.
    pub arguments: usize,
}

/// Runs a portal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Execute<'a> {
    /// The portal's name.
    pub portal: &'a [u8],
    /// The most rows wanted now; 0 and below for all.
    pub max_rows: i32,
}

/// A checked list of oids.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Oids<'a>(&'a [u8]);

impl<'a> Oids<'a> {
    /// How many.
    pub fn len(&self) -> usize {
        self.0.len() / 4
    }

    /// True if there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All, in order.
    pub fn iter(&self) -> impl Iterator<Item = u32> + use<'a> {
        self.0
            .chunks_exact(4)
            .map(|four| four.first_chunk::<4>().map_or(0, |four| u32::from_be_bytes(*four)))
    }

    /// Takes `count` oids from a message.
    pub(super) fn read(body: &mut Body<'a>, count: usize) -> Result<Self, WireError> {
        body.bytes(count.saturating_mul(4)).map(Self)
    }
}

/// A checked list of format codes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Formats<'a>(&'a [u8]);

impl<'a> Formats<'a> {
    /// How many codes were sent.
    pub fn len(&self) -> usize {
        self.0.len() / 2
    }

    /// True if none were sent: all is text.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The codes as sent.
    pub fn iter(&self) -> impl Iterator<Item = Format> + use<'a> {
        self.0.chunks_exact(2).map(|two| if two == [0, 1] { Format::Binary } else { Format::Text })
    }

    /// The format of the value at `index` (from 0): no codes mean text, one code stands for all.
    /// `None` if there are several codes and this one isn't among them.
    pub fn of(&self, index: usize) -> Option<Format> {
        match self.len() {
            0 => Some(Format::Text),
            1 => self.iter().next(),
            _ => self.iter().nth(index),
        }
    }

    fn read(body: &mut Body<'a>) -> Result<Self, WireError> {
        let count = body.count()?;
        let bytes = body.bytes(count.saturating_mul(2))?;
        // Fail closed: a code we don't know is a value that we would read in the wrong form.
        if bytes.chunks_exact(2).any(|two| two != [0, 0] && two != [0, 1]) {
            return Err(WireError::BadValue { what: "format code" });
        }
        Ok(Self(bytes))
    }
}

/// A checked list of parameters.
#[derive(Clone, Copy, Debug)]
pub struct Parameters<'a> {
    count: usize,
    bytes: &'a [u8],
}

impl<'a> Parameters<'a> {
    /// How many.
    pub fn len(&self) -> usize {
        self.count
    }

    /// True if there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// All, in order; `None` is NULL.
    pub fn iter(&self) -> impl Iterator<Item = Option<&'a [u8]>> + use<'a> {
        let mut body = Body::new(BIND, self.bytes);
        (0..self.count).map_while(move |_| body.value().ok())
    }

    fn read(body: &mut Body<'a>) -> Result<Self, WireError> {
        let count = body.count()?;
        let start = *body;
        for _ in 0..count {
            body.value()?;
        }
        let mut whole = start;
        let bytes = whole.rest();
        let mut left = *body;
        let used = bytes.len().saturating_sub(left.rest().len());
        Ok(Self { count, bytes: bytes.get(..used).unwrap_or_default() })
    }
}

/// Decodes one whole frame, header included; [`frame::from_client`] said where it ends.
///
/// # Errors
/// Anything that isn't exactly one message of its type.
pub fn decode(frame: &[u8]) -> Result<FrontendMessage<'_>, WireError> {
    let tag = *frame.first().ok_or(WireError::Truncated { tag: 0 })?;
    let mut body = Body::new(tag, frame::body(frame));
    let message = match tag {
        QUERY => FrontendMessage::Query { text: body.string()? },
        PARSE => FrontendMessage::Parse(Parse::read(&mut body)?),
        BIND => FrontendMessage::Bind(Bind::read(&mut body)?),
        DESCRIBE => FrontendMessage::Describe(Named::read(&mut body)?),
        CLOSE => FrontendMessage::Close(Named::read(&mut body)?),
        EXECUTE => {
            FrontendMessage::Execute(Execute { portal: body.string()?, max_rows: body.i32()? })
        }
        SYNC => FrontendMessage::Sync,
        FLUSH => FrontendMessage::Flush,
        COPY_DATA => FrontendMessage::CopyData(body.rest()),
        COPY_DONE => FrontendMessage::CopyDone,
        COPY_FAIL => FrontendMessage::CopyFail { reason: body.string()? },
        FUNCTION_CALL => FrontendMessage::FunctionCall(FunctionCall::read(&mut body)?),
        PASSWORD => FrontendMessage::Password(body.rest()),
        TERMINATE => FrontendMessage::Terminate,
        _ => return Err(WireError::UnknownTag { tag }),
    };
    body.end()?;
    Ok(message)
}

impl<'a> Parse<'a> {
    fn read(body: &mut Body<'a>) -> Result<Self, WireError> {
        let (name, text) = (body.string()?, body.string()?);
        let count = body.count()?;
        Ok(Self { name, text, parameter_types: Oids::read(body, count)? })
    }
}

impl FunctionCall {
    fn read(body: &mut Body<'_>) -> Result<Self, WireError> {
        let oid = body.i32()?.cast_unsigned();
        Formats::read(body)?;
        let arguments = Parameters::read(body)?;
        // The format of the result, which the server checks as it does those of the arguments.
        body.i16()?;
        Ok(Self { oid, arguments: arguments.len() })
    }
}

impl<'a> Bind<'a> {
    fn read(body: &mut Body<'a>) -> Result<Self, WireError> {
        let (portal, statement) = (body.string()?, body.string()?);
        let formats = Formats::read(body)?;
        let parameters = Parameters::read(body)?;
        if formats.len() > 1 && formats.len() != parameters.len() {
            return Err(WireError::BadValue { what: "number of parameter formats" });
        }
        Ok(Self { portal, statement, formats, parameters, result_formats: Formats::read(body)? })
    }
}

impl<'a> Named<'a> {
    fn read(body: &mut Body<'a>) -> Result<Self, WireError> {
        let kind = match body.byte()? {
            b'S' => NameKind::Statement,
            b'P' => NameKind::Portal,
            _ => return Err(WireError::BadValue { what: "kind of a name" }),
        };
        Ok(Self { kind, name: body.string()? })
    }
}

/// The body of a password message in clear or as MD5: one string.
///
/// # Errors
/// Anything but exactly one NUL-terminated string.
pub fn decode_password(body: &[u8]) -> Result<&[u8], WireError> {
    let mut body = Body::new(PASSWORD, body);
    let password = body.string()?;
    body.end()?;
    Ok(password)
}

/// The body of a SASLInitialResponse: mechanism, and its first message if it has one.
///
/// # Errors
/// Fields that don't fit.
pub fn decode_sasl_initial(body: &[u8]) -> Result<(&[u8], Option<&[u8]>), WireError> {
    let mut body = Body::new(PASSWORD, body);
    let mechanism = body.string()?;
    let data = body.value()?;
    body.end()?;
    Ok((mechanism, data))
}

/// Appends a Query.
pub fn query(out: &mut Vec<u8>, text: &str) {
    body::message(out, QUERY, |out| body::put_string(out, text.as_bytes()));
}

/// Appends a Parse.
pub fn parse(out: &mut Vec<u8>, name: &[u8], text: &str, parameter_types: &[u32]) {
    body::message(out, PARSE, |out| {
        body::put_string(out, name);
        body::put_string(out, text.as_bytes());
        body::put_count(out, parameter_types.len());
        out.extend(parameter_types.iter().flat_map(|oid| oid.to_be_bytes()));
    });
}

/// Appends a Bind with parameters in text form and results wanted as text.
pub fn bind(out: &mut Vec<u8>, portal: &[u8], statement: &[u8], parameters: &[Option<&[u8]>]) {
    body::message(out, BIND, |out| {
        body::put_string(out, portal);
        body::put_string(out, statement);
        body::put_count(out, 0);
        body::put_count(out, parameters.len());
        for parameter in parameters {
            body::put_value(out, *parameter);
        }
        body::put_count(out, 0);
    });
}

/// Appends a Describe.
pub fn describe(out: &mut Vec<u8>, kind: NameKind, name: &[u8]) {
    named(out, DESCRIBE, kind, name);
}

/// Appends a Close.
pub fn close(out: &mut Vec<u8>, kind: NameKind, name: &[u8]) {
    named(out, CLOSE, kind, name);
}

/// Appends an Execute; `max_rows` 0 for all.
pub fn execute(out: &mut Vec<u8>, portal: &[u8], max_rows: i32) {
    body::message(out, EXECUTE, |out| {
        body::put_string(out, portal);
        out.extend(max_rows.to_be_bytes());
    });
}

/// Appends a Sync.
pub fn sync(out: &mut Vec<u8>) {
    body::message(out, SYNC, |_| {});
}

/// Appends a Flush.
pub fn flush(out: &mut Vec<u8>) {
    body::message(out, FLUSH, |_| {});
}

/// Appends a CopyFail.
pub fn copy_fail(out: &mut Vec<u8>, reason: &str) {
    body::message(out, COPY_FAIL, |out| body::put_string(out, reason.as_bytes()));
}

/// Appends a Terminate.
pub fn terminate(out: &mut Vec<u8>) {
    body::message(out, TERMINATE, |_| {});
}

/// Appends a start-up message; `minor` is the protocol's, 0 or 2.
pub fn startup_message(out: &mut Vec<u8>, minor: u16, parameters: &[(&[u8], &[u8])]) {
    body::untagged(out, |out| {
        out.extend(((3 << 16) | i32::from(minor)).to_be_bytes());
        for (name, value) in parameters {
            body::put_string(out, name);
            body::put_string(out, value);
        }
        out.push(0);
    });
}

/// Appends a CancelRequest.
pub fn cancel_request(out: &mut Vec<u8>, process: i32, key: &[u8]) {
    body::untagged(out, |out| {
        out.extend(CANCEL_CODE.to_be_bytes());
        out.extend(process.to_be_bytes());
        out.extend_from_slice(key);
    });
}

/// Appends an SSLRequest.
pub fn ssl_request(out: &mut Vec<u8>) {
    body::untagged(out, |out| out.extend(SSL_CODE.to_be_bytes()));
}

/// Appends a password message, in clear or as MD5.
pub fn password(out: &mut Vec<u8>, password: &[u8]) {
    body::message(out, PASSWORD, |out| body::put_string(out, password));
}

/// Appends a SASLInitialResponse.
pub fn sasl_initial_response(out: &mut Vec<u8>, mechanism: &str, data: &[u8]) {
    body::message(out, PASSWORD, |out| {
        body::put_string(out, mechanism.as_bytes());
        body::put_value(out, Some(data));
    });
}

/// Appends a SASLResponse.
pub fn sasl_response(out: &mut Vec<u8>, data: &[u8]) {
    body::message(out, PASSWORD, |out| out.extend_from_slice(data));
}

/// The code of a CancelRequest: 1234 and 5678.
pub const CANCEL_CODE: i32 = 80_877_102;
/// The code of an SSLRequest: 1234 and 5679.
pub const SSL_CODE: i32 = 80_877_103;
/// The code of a GSSENCRequest: 1234 and 5680.
pub const GSSENC_CODE: i32 = 80_877_104;

fn named(out: &mut Vec<u8>, tag: u8, kind: NameKind, name: &[u8]) {
    body::message(out, tag, |out| {
        out.push(kind.code());
        body::put_string(out, name);
    });
}

#[cfg(test)]
mod tests;
