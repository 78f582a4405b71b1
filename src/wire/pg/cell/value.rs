//! Reading one value and writing its mask.

use std::io::Write as _;

use super::{Cell, numeric};
use crate::{
    kernel::mask::{
        Algorithm, Format, Kind, Shown, Width,
        calendar::{
            DAY, HOUR, MINUTE, SECOND, civil, days, digits, parse_civil, parse_time, put_date,
            put_time,
        },
        decimal::Decimal,
        json,
        key::{hex_value, parse_uuid, put_hex, uuid_text},
        moment,
        number::{self, DOUBLE_STEPS, SINGLE_STEPS, fixed},
        spare::with_room,
        text,
    },
    wire::pg::escape::widen,
};

/// A value as it was read.
pub(super) enum Value<'a> {
    Text(&'a str),
    Integer(i64, Width),
    Single(f32),
    Double(f64),
    Decimal(Amount<Decimal>),
    Boolean,
    Date(Amount<i64>),
    Time(i64),
    Timestamp(Amount<i64>, Zone),
    Uuid([u8; 16]),
    Json(&'a str, Jsonb),
    Bytes(&'a [u8]),
    Label,
}

/// What a type can hold besides amounts: infinite dates, and numbers that are none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Amount<T> {
    /// This much.
    Finite(T),
    /// No amount.
    Beyond,
}

impl<T> Amount<T> {
    fn finite(self) -> Option<T> {
        match self {
            Self::Finite(amount) => Some(amount),
            Self::Beyond => None,
        }
    }
}

/// Whether a timestamp prints with a zone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Zone {
    Without,
    Utc,
}

/// Whether the binary form begins with a version byte.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Jsonb {
    Yes,
    No,
}

/// The version of jsonb's binary form.
const JSONB_VERSION: u8 = 1;

/// What a server can hold, from 2000-01-01: days from 4714-11-24 BC to 5874897-12-31.
const DATES: std::ops::RangeInclusive<i64> = -2_451_545..=2_145_031_948;

/// Microseconds from 4714-11-24 00:00 BC up to before 294277-01-01.
const TIMESTAMPS: std::ops::Range<i64> = -211_813_488_000_000_000..9_223_371_331_200_000_000;

impl<'a> Value<'a> {
    /// Reads a cell. `None` for what isn't exactly a value of its type, and for types that only NULL
    /// masks.
    pub(super) fn read(kind: Kind, format: Format, cell: &'a [u8]) -> Option<Self> {
        let is_binary = format == Format::Binary;
        Some(match kind {
            Kind::Text => Self::Text(std::str::from_utf8(cell).ok()?),
            Kind::Padded => Self::Text(std::str::from_utf8(cell).ok()?.trim_end_matches(' ')),
            Kind::Integer(width) if is_binary => Self::Integer(binary_integer(width, cell)?, width),
            Kind::Integer(width) => Self::Integer(width.fit(text_integer(cell)?)?, width),
            Kind::Single if is_binary => Self::Single(f32::from_be_bytes(cell.try_into().ok()?)),
            Kind::Single => Self::Single(ascii(cell)?.parse().ok()?),
            Kind::Double if is_binary => Self::Double(f64::from_be_bytes(cell.try_into().ok()?)),
            Kind::Double => Self::Double(ascii(cell)?.parse().ok()?),
            Kind::Decimal if is_binary => Self::Decimal(numeric::read(cell)?),
            Kind::Decimal => Self::Decimal(match cell {
                b"NaN" | b"Infinity" | b"-Infinity" => Amount::Beyond,
                _ => Amount::Finite(Decimal::parse(ascii(cell)?)?),
            }),
            Kind::Boolean => match (format, cell) {
                (Format::Binary, [0 | 1]) | (Format::Text, [b't' | b'f']) => Self::Boolean,
                (Format::Binary | Format::Text, _) => return None,
            },
            Kind::Date if is_binary => Self::Date(binary_date(cell)?),
            Kind::Date => Self::Date(text_date(ascii(cell)?)?),
            Kind::Time if is_binary => {
                Self::Time(i64::from_be_bytes(cell.try_into().ok()?)).time()?
            }
            Kind::Time => Self::Time(parse_time(ascii(cell)?)?),
            Kind::Timestamp if is_binary => Self::Timestamp(binary_timestamp(cell)?, Zone::Without),
            Kind::Timestamp => {
                Self::Timestamp(text_timestamp(ascii(cell)?, Zone::Without)?, Zone::Without)
            }
            Kind::TimestampTz if is_binary => Self::Timestamp(binary_timestamp(cell)?, Zone::Utc),
            Kind::TimestampTz => {
                Self::Timestamp(text_timestamp(ascii(cell)?, Zone::Utc)?, Zone::Utc)
            }
            Kind::Uuid if is_binary => Self::Uuid(cell.try_into().ok()?),
            Kind::Uuid => Self::Uuid(parse_uuid(cell)?),
            Kind::Json => Self::Json(std::str::from_utf8(cell).ok()?, Jsonb::No),
            Kind::Jsonb => {
                let (version, document) = if is_binary {
                    cell.split_at_checked(1)?
                } else {
                    (&[JSONB_VERSION][..], cell)
                };
                if version != [JSONB_VERSION] {
                    return None;
                }
                Self::Json(std::str::from_utf8(document).ok()?, Jsonb::Yes)
            }
            Kind::Bytes if is_binary => Self::Bytes(cell),
            Kind::Enumeration => Self::Label,
            // Its text needs room of its own: `masked_bytes`.
            Kind::Bytes
            | Kind::Money
            | Kind::Interval
            | Kind::Inet
            | Kind::Composite
            | Kind::Unknown => return None,
        })
    }

    /// Some value of a kind, for masks that make the same of all.
    pub(super) fn any(kind: Kind) -> Option<Self> {
        Some(match kind {
            Kind::Text | Kind::Padded => Self::Text(""),
            Kind::Integer(width) => Self::Integer(0, width),
            Kind::Single => Self::Single(0.0),
            Kind::Double => Self::Double(0.0),
            Kind::Decimal => Self::Decimal(Amount::Beyond),
            Kind::Boolean => Self::Boolean,
            Kind::Date => Self::Date(Amount::Beyond),
            Kind::Time => Self::Time(0),
            Kind::Timestamp => Self::Timestamp(Amount::Beyond, Zone::Without),
            Kind::TimestampTz => Self::Timestamp(Amount::Beyond, Zone::Utc),
            Kind::Uuid => Self::Uuid([0; 16]),
            Kind::Json => Self::Json("0", Jsonb::No),
            Kind::Jsonb => Self::Json("0", Jsonb::Yes),
            Kind::Bytes => Self::Bytes(&[]),
            Kind::Enumeration => Self::Label,
            Kind::Money | Kind::Interval | Kind::Inet | Kind::Composite | Kind::Unknown => {
                return None;
            }
        })
    }

    /// Itself, if it is a time of day.
    fn time(self) -> Option<Self> {
        matches!(self, Self::Time(0..=DAY)).then_some(self)
    }

    /// Appends the mask of the value in its format.
    pub(super) fn masked(&self, how: &Cell<'_>, out: &mut Vec<u8>) -> Shown {
        match self {
            Self::Text(value) => text::mask(how.algorithm, value, how.key, out),
            Self::Json(document, jsonb) => {
                if *jsonb == Jsonb::Yes && how.format == Format::Binary {
                    out.push(JSONB_VERSION);
                }
                json::mask(how.algorithm, document, how.key, out)
            }
            Self::Bytes(value) => {
                let start = out.len();
                let shown = text::mask_bytes(how.algorithm, value, how.key, out);
                if how.format == Format::Text {
                    hexadecimal(out, start);
                }
                shown
            }
            Self::Integer(..)
            | Self::Single(_)
            | Self::Double(_)
            | Self::Decimal(_)
            | Self::Boolean
            | Self::Date(_)
            | Self::Time(_)
            | Self::Timestamp(..)
            | Self::Uuid(_)
            | Self::Label => {
                if self.put(how, out).is_some() {
                    Shown::Value
                } else {
                    Shown::Null
                }
            }
        }
    }

    /// Appends the mask of a value that isn't text, JSON or bytes; `None` is NULL.
    fn put(&self, how: &Cell<'_>, out: &mut Vec<u8>) -> Option<()> {
        let (algorithm, is_binary) = (how.algorithm, how.format == Format::Binary);
        match *self {
            Self::Integer(value, width) => {
                let value = number::integer(algorithm, value, width, how.key)?;
                if is_binary {
                    put_integer(out, value, width);
                } else {
                    write!(out, "{value}").ok()?;
                }
            }
            Self::Single(value) => {
                let value = number::float(algorithm, f64::from(value), SINGLE_STEPS)? as f32;
                let value = Some(value).filter(|value| value.is_finite())?;
                if is_binary {
                    out.extend(value.to_be_bytes());
                } else {
                    put_float(out, format_args!("{value:?}"));
                }
            }
            Self::Double(value) => {
                let value = number::float(algorithm, value, DOUBLE_STEPS)?;
                if is_binary {
                    out.extend(value.to_be_bytes());
                } else {
                    put_float(out, format_args!("{value:?}"));
                }
            }
            Self::Decimal(value) => {
                let value = number::decimal(algorithm, value.finite())?;
                if is_binary { numeric::put(out, value)? } else { write!(out, "{value}").ok()? }
            }
            Self::Boolean => {
                let value = number::boolean(algorithm)?;
                out.push(match (is_binary, value) {
                    (true, value) => u8::from(value),
                    (false, true) => b't',
                    (false, false) => b'f',
                });
            }
            Self::Date(value) => {
                let value = moment::date(algorithm, finite(value, algorithm)?, how.key)?;
                let value = Some(value).filter(|value| DATES.contains(value))?;
                if is_binary {
                    out.extend(i32::try_from(value).ok()?.to_be_bytes());
                } else {
                    put_date(out, value);
                    put_era(out, value);
                }
            }
            Self::Time(value) => {
                let value = moment::time(algorithm, value)?;
                if is_binary { out.extend(value.to_be_bytes()) } else { put_time(out, value) }
            }
            Self::Timestamp(value, zone) => {
                let value = moment::timestamp(algorithm, finite(value, algorithm)?, how.key)?;
                let value = Some(value).filter(|value| TIMESTAMPS.contains(value))?;
                if is_binary {
                    out.extend(value.to_be_bytes());
                } else {
                    put_timestamp(out, value, zone);
                }
            }
            Self::Uuid(value) => {
                let value = number::uuid(algorithm, value, how.key)?;
                if is_binary { out.extend(value) } else { out.extend(uuid_text(value)) }
            }
            Self::Label => out.extend_from_slice(fixed(algorithm)?.as_bytes()),
            // Written by their own functions.
            Self::Text(_) | Self::Json(..) | Self::Bytes(_) => return None,
        }
        Some(())
    }
}

/// Infinite days and timestamps are masked by what is the same for all, or are NULL.
fn finite(value: Amount<i64>, algorithm: &Algorithm) -> Option<i64> {
    value.finite().or_else(|| fixed(algorithm).map(|_| 0))
}

fn ascii(cell: &[u8]) -> Option<&str> {
    if cell.is_ascii() { std::str::from_utf8(cell).ok() } else { None }
}

fn text_integer(cell: &[u8]) -> Option<i64> {
    let text = ascii(cell)?;
    // The server prints no `+`.
    if text.starts_with('+') { None } else { text.parse().ok() }
}

fn binary_integer(width: Width, cell: &[u8]) -> Option<i64> {
    Some(match width {
        // No type of Postgres is that wide.
        Width::One | Width::Three => return None,
        Width::Two => i16::from_be_bytes(cell.try_into().ok()?).into(),
        Width::Four => i32::from_be_bytes(cell.try_into().ok()?).into(),
        Width::Eight => i64::from_be_bytes(cell.try_into().ok()?),
    })
}

/// A float as it prints: with an exponent where it is long, and whole numbers without a point.
fn put_float(out: &mut Vec<u8>, printed: std::fmt::Arguments<'_>) {
    // Writing to memory doesn't fail.
    drop(out.write_fmt(printed));
    if out.ends_with(b".0") {
        out.truncate(out.len().saturating_sub(2));
    }
}

fn put_integer(out: &mut Vec<u8>, value: i64, width: Width) {
    let bytes = value.to_be_bytes();
    // The value fits its width, so that only copies of its sign are left out.
    let from = match width {
        Width::One => 7,
        Width::Two => 6,
        Width::Three => 5,
        Width::Four => 4,
        Width::Eight => 0,
    };
    out.extend_from_slice(bytes.get(from..).unwrap_or_default());
}

fn binary_date(cell: &[u8]) -> Option<Amount<i64>> {
    match i32::from_be_bytes(cell.try_into().ok()?) {
        i32::MAX | i32::MIN => Some(Amount::Beyond),
        days => Some(Amount::Finite(i64::from(days))),
    }
}

fn text_date(text: &str) -> Option<Amount<i64>> {
    if matches!(text, "infinity" | "-infinity") {
        return Some(Amount::Beyond);
    }
    let (date, is_bc) = era(text);
    day(date, is_bc).map(Amount::Finite)
}

fn binary_timestamp(cell: &[u8]) -> Option<Amount<i64>> {
    match i64::from_be_bytes(cell.try_into().ok()?) {
        i64::MAX | i64::MIN => Some(Amount::Beyond),
        micros => Some(Amount::Finite(micros)),
    }
}

/// `2024-03-15 10:20:30.5`, with a zone `+02`, `-03:30` or `+01:02:03`.
fn text_timestamp(text: &str, zone: Zone) -> Option<Amount<i64>> {
    if matches!(text, "infinity" | "-infinity") {
        return Some(Amount::Beyond);
    }
    let (text, is_bc) = era(text);
    let (date, clock) = text.split_once(' ')?;
    let (clock, east) = match zone {
        Zone::Without => (clock, 0),
        Zone::Utc => {
            let (clock, offset) = clock.split_at_checked(clock.find(['+', '-'])?)?;
            (clock, offset_micros(offset)?)
        }
    };
    let micros = day(date, is_bc)?.checked_mul(DAY)?.checked_add(parse_time(clock)?)?;
    micros.checked_sub(east).map(Amount::Finite)
}

fn offset_micros(text: &str) -> Option<i64> {
    let (sign, text) = text.split_at_checked(1)?;
    let mut micros = 0_i64;
    let mut units = [HOUR, MINUTE, SECOND].into_iter();
    for part in text.split(':') {
        micros = micros.checked_add(digits(part, 2..=2)?.checked_mul(units.next()?)?)?;
    }
    Some(if sign == "-" { -micros } else { micros })
}

/// What stands before ` BC`, and whether that stood there.
fn era(text: &str) -> (&str, bool) {
    text.strip_suffix(" BC").map_or((text, false), |text| (text, true))
}

fn day(text: &str, is_bc: bool) -> Option<i64> {
    let (year, month, day) = parse_civil(text)?;
    days(if is_bc { 1_i64.checked_sub(year)? } else { year }, month, day)
}

fn put_timestamp(out: &mut Vec<u8>, micros: i64, zone: Zone) {
    let day = micros.div_euclid(DAY);
    put_date(out, day);
    out.push(b' ');
    put_time(out, micros.rem_euclid(DAY));
    if zone == Zone::Utc {
        out.extend_from_slice(b"+00");
    }
    put_era(out, day);
}

fn put_era(out: &mut Vec<u8>, day: i64) {
    if civil(day).0 <= 0 {
        out.extend_from_slice(b" BC");
    }
}

/// Appends the mask of bytes that came as they print.
pub(super) fn masked_bytes(how: &Cell<'_>, cell: &[u8], out: &mut Vec<u8>) -> Shown {
    with_room(|bytes| match text_bytes(cell, bytes) {
        Some(()) => Value::Bytes(bytes).masked(how, out),
        // Fail closed: what doesn't read as bytes isn't shown as it is.
        None => Shown::Null,
    })
}

/// Bytes as they print: `\x` and hexadecimal digits, or the older form with `\\` and `\ooo`.
fn text_bytes(cell: &[u8], out: &mut Vec<u8>) -> Option<()> {
    if let Some(digits) = cell.strip_prefix(b"\\x") {
        let (pairs, []) = digits.as_chunks::<2>() else { return None };
        out.reserve(pairs.len());
        for [high, low] in pairs {
            out.push(hex_value(*high)? << 4 | hex_value(*low)?);
        }
        return Some(());
    }
    let mut rest = cell;
    while let [first, behind @ ..] = rest {
        let byte;
        (byte, rest) = match (first, behind) {
            (b'\\', [b'\\', behind @ ..]) => (b'\\', behind),
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', behind @ ..]) => {
                ((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'), behind)
            }
            (b'\\', _) => return None,
            (plain, behind) => (*plain, behind),
        };
        out.push(byte);
    }
    Some(())
}

/// Bytes that were just written as they print.
fn hexadecimal(out: &mut Vec<u8>, start: usize) {
    with_room(|bytes| {
        bytes.extend_from_slice(out.get(start..).unwrap_or_default());
        out.truncate(start);
        out.extend_from_slice(b"\\x");
        put_hex(out, bytes);
    });
}

/// Quotes an element of an array where the server does.
pub(super) fn quote_element(out: &mut Vec<u8>, start: usize) {
    let element = out.get(start..).unwrap_or_default();
    let quotes = element.is_empty()
        || element.eq_ignore_ascii_case(b"null")
        || element
            .iter()
            .any(|byte| matches!(byte, b'"' | b'\\' | b'{' | b'}' | b',' | b' ' | b'\t'..=b'\r'));
    if quotes {
        widen(out, start, Some(b'"'), (b'\\', |byte| matches!(byte, b'"' | b'\\').then_some(byte)));
    }
}
