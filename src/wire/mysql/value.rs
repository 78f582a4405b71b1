//! Values of the binary protocol: parameters, and the cells of binary rows.
//!
//! Spec: <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_binary_resultset.html>.

use std::fmt;

use super::field::Fields;
use crate::wire::WireError;

/// The number of a type on the wire.
///
/// Spec: `enum_field_types` in the server's `include/field_types.h`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct TypeCode(pub u8);

#[expect(missing_docs, reason = "each is the server's own name of a type")]
impl TypeCode {
    pub const DECIMAL: Self = Self(0);
    pub const TINY: Self = Self(1);
    pub const SHORT: Self = Self(2);
    pub const LONG: Self = Self(3);
    pub const FLOAT: Self = Self(4);
    pub const DOUBLE: Self = Self(5);
    pub const NULL: Self = Self(6);
    pub const TIMESTAMP: Self = Self(7);
    pub const LONGLONG: Self = Self(8);
    pub const INT24: Self = Self(9);
    pub const DATE: Self = Self(10);
    pub const TIME: Self = Self(11);
    pub const DATETIME: Self = Self(12);
    pub const YEAR: Self = Self(13);
    pub const VARCHAR: Self = Self(15);
    pub const BIT: Self = Self(16);
    pub const VECTOR: Self = Self(242);
    pub const JSON: Self = Self(245);
    pub const NEWDECIMAL: Self = Self(246);
    pub const ENUM: Self = Self(247);
    pub const SET: Self = Self(248);
    pub const TINY_BLOB: Self = Self(249);
    pub const MEDIUM_BLOB: Self = Self(250);
    pub const LONG_BLOB: Self = Self(251);
    pub const BLOB: Self = Self(252);
    pub const VAR_STRING: Self = Self(253);
    pub const STRING: Self = Self(254);
    pub const GEOMETRY: Self = Self(255);

    /// How its values are written.
    ///
    /// # Errors
    /// A number that is no type, or one that never leaves a server.
    pub fn form(self) -> Result<Form, WireError> {
        Ok(match self {
            Self::NULL => Form::Nothing,
            Self::TINY => Form::Fixed(1),
            Self::SHORT | Self::YEAR => Form::Fixed(2),
            Self::LONG | Self::INT24 | Self::FLOAT => Form::Fixed(4),
            Self::LONGLONG | Self::DOUBLE => Form::Fixed(8),
            Self::DATE | Self::DATETIME | Self::TIMESTAMP => Form::Moment,
            Self::TIME => Form::Span,
            Self::DECIMAL
            | Self::VARCHAR
            | Self::BIT
            | Self::VECTOR
            | Self::JSON
            | Self::NEWDECIMAL
            | Self::ENUM
            | Self::SET
            | Self::TINY_BLOB
            | Self::MEDIUM_BLOB
            | Self::LONG_BLOB
            | Self::BLOB
            | Self::VAR_STRING
            | Self::STRING
            | Self::GEOMETRY => Form::Bytes,
            Self(_) => return Err(WireError::BadValue { what: "type" }),
        })
    }
}

/// How values of a type are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// Not at all.
    Nothing,
    /// So many bytes.
    Fixed(usize),
    /// A byte of length, and as much of year, month, day, hour, minute, second and microseconds.
    Moment,
    /// A byte of length, and as much of sign, days, hours, minutes, seconds and microseconds.
    Span,
    /// A length of variable width and the bytes.
    Bytes,
}

impl Form {
    /// Takes the bytes of one value, without a length that stands before them.
    ///
    /// # Errors
    /// They aren't there, or so many can't be.
    pub fn take<'a>(self, fields: &mut Fields<'a>) -> Result<&'a [u8], WireError> {
        let bad = WireError::BadValue { what: "length of a value" };
        match self {
            Self::Nothing => Ok(&[]),
            Self::Fixed(length) => fields.bytes(length),
            Self::Bytes => fields.string(),
            Self::Moment => match fields.byte()? {
                length @ (0 | 4 | 7 | 11) => fields.bytes(usize::from(length)),
                _ => Err(bad),
            },
            Self::Span => match fields.byte()? {
                length @ (0 | 8 | 12) => fields.bytes(usize::from(length)),
                _ => Err(bad),
            },
        }
    }
}

/// One value.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Value<'a> {
    /// NULL.
    Null,
    /// A whole number.
    Signed(i64),
    /// One that has no sign.
    Unsigned(u64),
    /// A number of single precision.
    Float(f32),
    /// One of double precision.
    Double(f64),
    /// A date, with a time of day unless it is midnight or the type has none.
    Moment {
        /// Year, month, day.
        date: (u16, u8, u8),
        /// Hour, minute, second, microsecond; `None`: a date alone.
        time: Option<(u8, u8, u8, u32)>,
    },
    /// A span of time.
    Span {
        /// It is below zero.
        negative: bool,
        /// Days.
        days: u32,
        /// Hour, minute, second, microsecond.
        time: (u8, u8, u8, u32),
    },
    /// Text, bytes, and everything that is written so.
    Bytes(&'a [u8]),
}

impl<'a> Value<'a> {
    /// Reads one value that isn't NULL.
    ///
    /// # Errors
    /// An unknown type, or a value that isn't whole.
    pub fn read(
        fields: &mut Fields<'a>,
        code: TypeCode,
        unsigned: bool,
    ) -> Result<Self, WireError> {
        Self::of(code, unsigned, code.form()?.take(fields)?)
    }

    /// One value that isn't NULL, of bytes whose length was told before them.
    ///
    /// # Errors
    /// They aren't a value of that type.
    pub fn of(code: TypeCode, unsigned: bool, bytes: &'a [u8]) -> Result<Self, WireError> {
        let bad = WireError::BadValue { what: "length of a value" };
        match code.form()? {
            Form::Nothing if !bytes.is_empty() => return Err(bad),
            Form::Fixed(length) if bytes.len() != length => return Err(bad),
            Form::Moment if !matches!(bytes.len(), 0 | 4 | 7 | 11) => return Err(bad),
            Form::Span if !matches!(bytes.len(), 0 | 8 | 12) => return Err(bad),
            Form::Nothing | Form::Fixed(_) | Form::Moment | Form::Span | Form::Bytes => {}
        }
        let mut inner = Fields::new(0, bytes);
        let value = match code {
            TypeCode::NULL => Self::Null,
            TypeCode::FLOAT => Self::Float(f32::from_le_bytes(inner.chunk()?)),
            TypeCode::DOUBLE => Self::Double(f64::from_le_bytes(inner.chunk()?)),
            TypeCode::TINY
            | TypeCode::SHORT
            | TypeCode::YEAR
            | TypeCode::LONG
            | TypeCode::INT24
            | TypeCode::LONGLONG => {
                let negative = !unsigned && bytes.last().is_some_and(|last| last & 0x80 != 0);
                let mut wide = if negative { [0xff; 8] } else { [0; 8] };
                for (to, from) in wide.iter_mut().zip(inner.rest()) {
                    *to = *from;
                }
                if unsigned {
                    Self::Unsigned(u64::from_le_bytes(wide))
                } else {
                    Self::Signed(i64::from_le_bytes(wide))
                }
            }
            TypeCode::DATE | TypeCode::DATETIME | TypeCode::TIMESTAMP => {
                moment(&mut inner, code != TypeCode::DATE)?
            }
            TypeCode::TIME => span(&mut inner)?,
            TypeCode(_) => Self::Bytes(inner.rest()),
        };
        Ok(value)
    }
}

fn moment<'a>(fields: &mut Fields<'_>, has_time: bool) -> Result<Value<'a>, WireError> {
    let date = match fields.left() {
        0 => (0, 0, 0),
        _ => (fields.u16()?, fields.byte()?, fields.byte()?),
    };
    let time = match fields.left() {
        0 => None,
        _ => Some(time_of_day(fields)?),
    };
    Ok(Value::Moment { date, time: if has_time { time.or(Some((0, 0, 0, 0))) } else { time } })
}

fn span<'a>(fields: &mut Fields<'_>) -> Result<Value<'a>, WireError> {
    if fields.is_empty() {
        return Ok(Value::Span { negative: false, days: 0, time: (0, 0, 0, 0) });
    }
    let negative = fields.byte()? != 0;
    let days = fields.u32()?;
    Ok(Value::Span { negative, days, time: time_of_day(fields)? })
}

fn time_of_day(fields: &mut Fields<'_>) -> Result<(u8, u8, u8, u32), WireError> {
    let (hour, minute, second) = (fields.byte()?, fields.byte()?, fields.byte()?);
    let micros = if fields.is_empty() { 0 } else { fields.u32()? };
    Ok((hour, minute, second, micros))
}

/// A float as the server prints it: with an exponent where it is very long.
pub(super) struct Printed(pub(super) f64);

impl fmt::Display for Printed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Spec: `my_gcvt` of the server, `MAX_DECPT_FOR_F_FORMAT`.
        if self.0 == 0.0 || (1e-15..1e15).contains(&self.0.abs()) {
            write!(f, "{}", self.0)
        } else {
            write!(f, "{:e}", self.0)
        }
    }
}

/// A float of 32 bits: the server prints six digits of it.
pub(super) fn single(value: f32) -> Printed {
    let digits = format!("{value:.5e}");
    Printed(digits.parse().unwrap_or_else(|_| f64::from(value)))
}

impl fmt::Display for Value<'_> {
    /// As the server writes it in a text row. Bytes that aren't UTF-8 are shown as what stands for them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = |f: &mut fmt::Formatter<'_>, micros: u32| match micros {
            0 => Ok(()),
            _ => write!(f, ".{micros:06}"),
        };
        match self {
            Self::Null => f.write_str("NULL"),
            Self::Signed(number) => number.fmt(f),
            Self::Unsigned(number) => number.fmt(f),
            Self::Float(number) => single(*number).fmt(f),
            Self::Double(number) => Printed(*number).fmt(f),
            Self::Moment { date: (year, month, day), time } => {
                write!(f, "{year:04}-{month:02}-{day:02}")?;
                let Some((hour, minute, second, fraction)) = time else { return Ok(()) };
                write!(f, " {hour:02}:{minute:02}:{second:02}")?;
                micros(f, *fraction)
            }
            Self::Span { negative, days, time: (hour, minute, second, fraction) } => {
                let sign = if *negative { "-" } else { "" };
                let hours = u64::from(*days) * 24 + u64::from(*hour);
                write!(f, "{sign}{hours:02}:{minute:02}:{second:02}")?;
                micros(f, *fraction)
            }
            Self::Bytes(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => f.write_str(text),
                Err(_) => {
                    f.write_str("0x")?;
                    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(code: TypeCode, unsigned: bool, bytes: &[u8]) -> String {
        let mut fields = Fields::new(0, bytes);
        let value = Value::read(&mut fields, code, unsigned).expect("a value").to_string();
        fields.end().expect("all of it");
        value
    }

    #[test]
    fn values_are_shown_as_the_server_writes_them() {
        for (code, unsigned, bytes, text) in [
            (TypeCode::TINY, false, &[0xff][..], "-1"),
            (TypeCode::TINY, true, &[0xff], "255"),
            (TypeCode::SHORT, false, &[0, 0x80], "-32768"),
            (TypeCode::YEAR, true, &[0xd0, 0x07], "2000"),
            (TypeCode::INT24, false, &[0xff, 0xff, 0xff, 0xff], "-1"),
            (TypeCode::LONG, true, &[0xff, 0xff, 0xff, 0xff], "4294967295"),
            (TypeCode::LONGLONG, false, &[0, 0, 0, 0, 0, 0, 0, 0x80], "-9223372036854775808"),
            (TypeCode::LONGLONG, true, &[0xff; 8], "18446744073709551615"),
            (TypeCode::FLOAT, false, &1.5_f32.to_le_bytes(), "1.5"),
            (TypeCode::DOUBLE, false, &0.1_f64.to_le_bytes(), "0.1"),
            (TypeCode::DATE, false, &[4, 0xea, 0x07, 11, 26], "2026-11-26"),
            (TypeCode::DATE, false, &[0], "0000-00-00"),
            (TypeCode::DATETIME, false, &[4, 0xea, 0x07, 11, 26], "2026-11-26 00:00:00"),
            (TypeCode::DATETIME, false, &[7, 0xea, 0x07, 11, 6, 1, 2, 3], "2026-11-06 01:02:03"),
            (
                TypeCode::TIMESTAMP,
                false,
                &[11, 0xea, 0x07, 11, 6, 1, 2, 3, 1, 0, 0, 0],
                "2026-11-06 01:02:03.000001",
            ),
            (TypeCode::TIME, false, &[0], "00:00:00"),
            (TypeCode::TIME, false, &[8, 1, 34, 0, 0, 0, 22, 59, 59], "-838:59:59"),
            (
                TypeCode::TIME,
                false,
                &[12, 0, 0, 0, 0, 0, 1, 2, 3, 64, 66, 15, 0],
                "01:02:03.1000000",
            ),
            (TypeCode::VAR_STRING, false, b"\x03abc", "abc"),
            (TypeCode::BLOB, false, b"\x02\xff\x00", "0xff00"),
            (TypeCode::NULL, false, b"", "NULL"),
        ] {
            assert_eq!(shown(code, unsigned, bytes), text);
        }
    }

    #[test]
    fn lengths_that_a_type_does_not_have_are_refused() {
        for (code, bytes) in [
            (TypeCode::DATE, &[5, 0, 0, 0, 0, 0][..]),
            (TypeCode::TIME, &[7, 0, 0, 0, 0, 0, 0, 0]),
            (TypeCode::LONG, &[0, 0, 0]),
            (TypeCode::STRING, b"\x04abc"),
            (TypeCode(14), &[0; 12]),
            (TypeCode(20), &[0; 12]),
            (TypeCode(244), &[0; 12]),
        ] {
            assert!(Value::read(&mut Fields::new(0, bytes), code, false).is_err(), "{code:?}");
        }
    }

    proptest! {
        #[test]
        fn no_value_panics(code: u8, unsigned: bool, bytes in prop::collection::vec(any::<u8>(), 0..20)) {
            let mut fields = Fields::new(0, &bytes);
            if let Ok(value) = Value::read(&mut fields, TypeCode(code), unsigned) {
                drop(value.to_string());
            }
        }
    }
}
