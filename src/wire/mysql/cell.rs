//! One cell under its mask, in a text row or a binary one.
//!
//! A cell is read as its column's type, masked as a value by [`crate::kernel::mask`], and written back in
//! the form it came in, so that a value masks to the same in both. What doesn't read exactly is NULL: also
//! a text that isn't UTF-8, a date with zeros in it, a time beyond a day, and an unsigned number beyond what
//! a signed one of 64 bits holds.

use std::io::Write as _;

use super::{
    column::{self, Column},
    value::{Printed, TypeCode, Value, single},
};
use crate::kernel::mask::{
    Algorithm, CellMask, ColumnType, Format, Key, Kind, Mask, Nulls, Shown, WHOLE, Width,
    calendar::{DAY, SECOND, civil, days, parse_civil, parse_time, put_date, put_digits, put_time},
    decimal::Decimal,
    json, moment,
    number::{self, DOUBLE_STEPS, SINGLE_STEPS, fixed},
    text,
};

/// What a mask has to know of a column beyond what it holds: how its values are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shape {
    /// The type of the column.
    pub code: TypeCode,
    /// Its numbers have no sign.
    pub unsigned: bool,
    /// Digits behind the point of a second.
    pub decimals: u8,
}

impl Shape {
    /// That of a result's column.
    pub fn of(column: &Column<'_>) -> Self {
        Self {
            code: column.code,
            unsigned: column.flags & column::UNSIGNED != 0,
            decimals: if column.decimals > 6 { 0 } else { column.decimals },
        }
    }
}

/// What a column of a result holds, as far as masking cares.
pub fn column_type(column: &Column<'_>) -> ColumnType {
    let kind = match column.code {
        _ if column.flags & column::ENUM != 0 => Kind::Enumeration,
        _ if column.flags & column::SET != 0 => Kind::Unknown,
        TypeCode::TINY => Kind::Integer(Width::One),
        TypeCode::SHORT | TypeCode::YEAR => Kind::Integer(Width::Two),
        TypeCode::INT24 => Kind::Integer(Width::Three),
        TypeCode::LONG => Kind::Integer(Width::Four),
        TypeCode::LONGLONG => Kind::Integer(Width::Eight),
        TypeCode::FLOAT => Kind::Single,
        TypeCode::DOUBLE => Kind::Double,
        TypeCode::DECIMAL | TypeCode::NEWDECIMAL => Kind::Decimal,
        TypeCode::DATE => Kind::Date,
        TypeCode::TIME => Kind::Time,
        TypeCode::DATETIME | TypeCode::TIMESTAMP => Kind::Timestamp,
        TypeCode::JSON => Kind::Json,
        TypeCode::VARCHAR
        | TypeCode::VAR_STRING
        | TypeCode::STRING
        | TypeCode::TINY_BLOB
        | TypeCode::MEDIUM_BLOB
        | TypeCode::LONG_BLOB
        | TypeCode::BLOB => {
            if column.is_text() {
                Kind::Text
            } else {
                Kind::Bytes
            }
        }
        // Bits, geometries, vectors, and what nobody knows.
        TypeCode(_) => Kind::Unknown,
    };
    ColumnType::One(kind)
}

/// How the cells of one column are masked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Masking<'a> {
    pub(super) mask: &'a CellMask,
    pub(super) shape: Shape,
    pub(super) key: &'a Key,
}

/// Appends what the client gets for a cell, without the length that stands before it; `None` is NULL.
/// Nothing is appended for NULL.
pub(super) fn apply(how: Masking<'_>, cell: Option<&[u8]>, out: &mut Vec<u8>) -> Shown {
    let start = out.len();
    let ColumnType::One(kind) = how.mask.holds else { return Shown::Null };
    let shown = match (&how.mask.mask, cell) {
        (Mask::Whole, Some(_)) => whole(kind, out),
        (Mask::Column(algorithm), Some(cell)) => value(how, (algorithm, kind), cell, out),
        (_, None) if how.mask.nulls == Nulls::Stay => Shown::Null,
        (Mask::Whole, None) => whole(kind, out),
        (Mask::Column(algorithm), None) => null(how, (algorithm, kind), out),
    };
    if shown == Shown::Null {
        out.truncate(start);
    }
    shown
}

/// A derived value: a text that says nothing, or NULL.
fn whole(kind: Kind, out: &mut Vec<u8>) -> Shown {
    if matches!(kind, Kind::Text | Kind::Padded) {
        out.extend_from_slice(WHOLE.as_bytes());
        Shown::Value
    } else {
        Shown::Null
    }
}

/// NULL that looks as other values do.
fn null(how: Masking<'_>, (algorithm, kind): (&Algorithm, Kind), out: &mut Vec<u8>) -> Shown {
    match algorithm {
        Algorithm::Null => Shown::Null,
        // These make the same of every value: any will do.
        Algorithm::Full { .. } | Algorithm::Fixed { .. } => match kind {
            Kind::Text | Kind::Padded => text::mask(algorithm, "", how.key, out),
            Kind::Bytes => text::mask_bytes(algorithm, &[], how.key, out),
            Kind::Json => json::mask(algorithm, "0", how.key, out),
            Kind::Integer(_)
            | Kind::Single
            | Kind::Double
            | Kind::Decimal
            | Kind::Money
            | Kind::Boolean
            | Kind::Date
            | Kind::Time
            | Kind::Timestamp
            | Kind::TimestampTz
            | Kind::Interval
            | Kind::Uuid
            | Kind::Jsonb
            | Kind::Inet
            | Kind::Enumeration
            | Kind::Composite
            | Kind::Unknown => shown(any(how, (algorithm, kind), out)),
        },
        Algorithm::Email
        | Algorithm::Card
        | Algorithm::Bucket { .. }
        | Algorithm::Hash
        | Algorithm::Inner(_)
        | Algorithm::Json { .. }
        | Algorithm::Outer(_)
        | Algorithm::Partial
        | Algorithm::Range { .. }
        | Algorithm::Shift { .. }
        | Algorithm::Truncate { .. } => whole(kind, out),
    }
}

fn shown(written: Option<()>) -> Shown {
    if written.is_some() { Shown::Value } else { Shown::Null }
}

/// A fixed value of a kind that isn't text.
fn any(how: Masking<'_>, (algorithm, kind): (&Algorithm, Kind), out: &mut Vec<u8>) -> Option<()> {
    match kind {
        Kind::Integer(width) => integer(how, (algorithm, width), 0, out),
        Kind::Single | Kind::Double => float(how, (algorithm, kind), 0.0, out),
        Kind::Decimal => decimal(algorithm, None, out),
        Kind::Date => date(how, algorithm, 0, out),
        Kind::Time => time(how, algorithm, 0, out),
        Kind::Timestamp => timestamp(how, algorithm, 0, out),
        Kind::Enumeration => label(algorithm, out),
        Kind::Text
        | Kind::Padded
        | Kind::Money
        | Kind::Boolean
        | Kind::TimestampTz
        | Kind::Interval
        | Kind::Uuid
        | Kind::Json
        | Kind::Jsonb
        | Kind::Bytes
        | Kind::Inet
        | Kind::Composite
        | Kind::Unknown => None,
    }
}

/// Appends what becomes of one value, or says NULL; then what was appended isn't for use.
fn value(
    how: Masking<'_>,
    (algorithm, kind): (&Algorithm, Kind),
    cell: &[u8],
    out: &mut Vec<u8>,
) -> Shown {
    match kind {
        Kind::Text | Kind::Padded => match std::str::from_utf8(cell) {
            Ok(value) => text::mask(algorithm, value, how.key, out),
            Err(_) => Shown::Null,
        },
        Kind::Json => match std::str::from_utf8(cell) {
            Ok(document) => json::mask(algorithm, document, how.key, out),
            Err(_) => Shown::Null,
        },
        Kind::Bytes => text::mask_bytes(algorithm, cell, how.key, out),
        Kind::Enumeration => shown(label(algorithm, out)),
        Kind::Integer(_)
        | Kind::Single
        | Kind::Double
        | Kind::Decimal
        | Kind::Date
        | Kind::Time
        | Kind::Timestamp => shown(typed(how, (algorithm, kind), cell, out)),
        Kind::Money
        | Kind::Boolean
        | Kind::TimestampTz
        | Kind::Interval
        | Kind::Uuid
        | Kind::Jsonb
        | Kind::Inet
        | Kind::Composite
        | Kind::Unknown => Shown::Null,
    }
}

/// A number, a date or a time. `None` is NULL.
fn typed(
    how: Masking<'_>,
    (algorithm, kind): (&Algorithm, Kind),
    cell: &[u8],
    out: &mut Vec<u8>,
) -> Option<()> {
    let read = match how.mask.format {
        // A decimal is a text in both.
        Format::Binary if kind != Kind::Decimal => {
            Some(Value::of(how.shape.code, how.shape.unsigned, cell).ok()?)
        }
        Format::Binary | Format::Text => None,
    };
    let ascii = || std::str::from_utf8(cell).ok();
    match (kind, read) {
        (Kind::Integer(width), Some(Value::Signed(number))) => {
            integer(how, (algorithm, width), number, out)
        }
        (Kind::Integer(width), Some(Value::Unsigned(number))) => {
            integer(how, (algorithm, width), i64::try_from(number).ok()?, out)
        }
        (Kind::Integer(width), None) => {
            integer(how, (algorithm, width), ascii()?.parse().ok()?, out)
        }
        (Kind::Single | Kind::Double, Some(Value::Float(number))) => {
            float(how, (algorithm, kind), f64::from(number), out)
        }
        (Kind::Single | Kind::Double, Some(Value::Double(number))) => {
            float(how, (algorithm, kind), number, out)
        }
        (Kind::Single | Kind::Double, None) => {
            float(how, (algorithm, kind), ascii()?.parse().ok()?, out)
        }
        (Kind::Decimal, None) => decimal(algorithm, Decimal::parse(ascii()?), out),
        (Kind::Date, Some(Value::Moment { date: day, time: None })) => {
            date(how, algorithm, day_of(day)?, out)
        }
        (Kind::Date, None) => date(how, algorithm, text_day(ascii()?)?, out),
        (Kind::Time, Some(Value::Span { negative: false, days: 0, time: clock })) => {
            time(how, algorithm, micros_of(clock)?, out)
        }
        (Kind::Time, None) => time(how, algorithm, parse_time(ascii()?)?, out),
        (Kind::Timestamp, Some(Value::Moment { date: day, time: Some(clock) })) => {
            let micros = day_of(day)?.checked_mul(DAY)?.checked_add(micros_of(clock)?)?;
            timestamp(how, algorithm, micros, out)
        }
        (Kind::Timestamp, None) => {
            let (day, clock) = ascii()?.split_once(' ')?;
            let micros = text_day(day)?.checked_mul(DAY)?.checked_add(parse_time(clock)?)?;
            timestamp(how, algorithm, micros, out)
        }
        // Fail closed: what doesn't read as its type isn't shown as it is.
        (_, _) => None,
    }
}

/// Days from 2000-01-01. Years from 1 to 9999, as servers have them; zeros are no day.
fn day_of((year, month, day): (u16, u8, u8)) -> Option<i64> {
    days(i64::from(year), i64::from(month), i64::from(day)).filter(|_| year > 0)
}

fn text_day(text: &str) -> Option<i64> {
    let (year, month, day) = parse_civil(text)?;
    days(year, month, day).filter(|_| (1..=9999).contains(&year))
}

fn micros_of((hour, minute, second, micros): (u8, u8, u8, u32)) -> Option<i64> {
    if hour > 23 || minute > 59 || second > 59 || micros > 999_999 {
        return None;
    }
    let seconds = i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
    Some(seconds * SECOND + i64::from(micros))
}

fn integer(
    how: Masking<'_>,
    (algorithm, width): (&Algorithm, Width),
    value: i64,
    out: &mut Vec<u8>,
) -> Option<()> {
    let value = if how.shape.unsigned {
        // What has no sign reaches twice as far; a hash needn't.
        let room = if matches!(algorithm, Algorithm::Hash) { width } else { Width::Eight };
        let value = number::integer(algorithm, value, room, how.key)?;
        Some(value).filter(|value| (0..=unsigned_max(width)).contains(value))?
    } else {
        number::integer(algorithm, value, width, how.key)?
    };
    if how.mask.format == Format::Text {
        return write!(out, "{value}").ok();
    }
    let bytes = value.to_le_bytes();
    let length = match width {
        Width::One => 1,
        Width::Two => 2,
        // Three travel as four.
        Width::Three | Width::Four => 4,
        Width::Eight => 8,
    };
    out.extend_from_slice(bytes.get(..length)?);
    Some(())
}

/// The most that a type without a sign holds, as far as one with a sign does.
fn unsigned_max(width: Width) -> i64 {
    match width {
        Width::One => 0xff,
        Width::Two => 0xffff,
        Width::Three => 0xff_ffff,
        Width::Four => 0xffff_ffff,
        Width::Eight => i64::MAX,
    }
}

fn float(
    how: Masking<'_>,
    (algorithm, kind): (&Algorithm, Kind),
    value: f64,
    out: &mut Vec<u8>,
) -> Option<()> {
    let is_single = kind == Kind::Single;
    let value =
        number::float(algorithm, value, if is_single { SINGLE_STEPS } else { DOUBLE_STEPS })?;
    let value = if is_single { f64::from(value as f32) } else { value };
    if !value.is_finite() {
        return None;
    }
    match (how.mask.format, is_single) {
        (Format::Binary, true) => out.extend((value as f32).to_le_bytes()),
        (Format::Binary, false) => out.extend(value.to_le_bytes()),
        (Format::Text, true) => write!(out, "{}", single(value as f32)).ok()?,
        (Format::Text, false) => write!(out, "{}", Printed(value)).ok()?,
    }
    Some(())
}

fn decimal(algorithm: &Algorithm, value: Option<Decimal>, out: &mut Vec<u8>) -> Option<()> {
    let value = number::decimal(algorithm, value)?;
    write!(out, "{value}").ok()
}

fn label(algorithm: &Algorithm, out: &mut Vec<u8>) -> Option<()> {
    out.extend_from_slice(fixed(algorithm)?.as_bytes());
    Some(())
}

fn date(how: Masking<'_>, algorithm: &Algorithm, value: i64, out: &mut Vec<u8>) -> Option<()> {
    let value = in_calendar(moment::date(algorithm, value, how.key)?)?;
    match how.mask.format {
        Format::Text => put_date(out, value),
        Format::Binary => put_binary_date(out, value)?,
    }
    Some(())
}

fn time(how: Masking<'_>, algorithm: &Algorithm, value: i64, out: &mut Vec<u8>) -> Option<()> {
    let value = Some(moment::time(algorithm, value)?).filter(|value| (0..DAY).contains(value))?;
    let value = cut(value, how.shape.decimals);
    match how.mask.format {
        Format::Text => put_clock(out, value, how.shape.decimals),
        Format::Binary if value == 0 => {}
        Format::Binary => {
            out.extend([0; 5]);
            put_binary_clock(out, value)?;
        }
    }
    Some(())
}

fn timestamp(how: Masking<'_>, algorithm: &Algorithm, value: i64, out: &mut Vec<u8>) -> Option<()> {
    let value = moment::timestamp(algorithm, value, how.key)?;
    let value = cut(value, how.shape.decimals);
    let (day, clock) = (in_calendar(value.div_euclid(DAY))?, value.rem_euclid(DAY));
    match how.mask.format {
        Format::Text => {
            put_date(out, day);
            out.push(b' ');
            put_clock(out, clock, how.shape.decimals);
        }
        Format::Binary => {
            put_binary_date(out, day)?;
            if clock != 0 {
                put_binary_clock(out, clock)?;
            }
        }
    }
    Some(())
}

/// Without the digits of a second that the column doesn't have.
fn cut(micros: i64, decimals: u8) -> i64 {
    let unit = 10_i64.pow(u32::from(6_u8.saturating_sub(decimals)));
    micros.saturating_sub(micros.rem_euclid(unit))
}

/// A day that a server can hold.
fn in_calendar(day: i64) -> Option<i64> {
    Some(day).filter(|day| (1..=9999).contains(&civil(*day).0))
}

fn put_binary_date(out: &mut Vec<u8>, day: i64) -> Option<()> {
    let (year, month, day) = civil(day);
    out.extend(u16::try_from(year).ok()?.to_le_bytes());
    out.push(u8::try_from(month).ok()?);
    out.push(u8::try_from(day).ok()?);
    Some(())
}

fn put_binary_clock(out: &mut Vec<u8>, micros: i64) -> Option<()> {
    let (seconds, fraction) = (micros / SECOND, micros % SECOND);
    out.push(u8::try_from(seconds / 3600).ok()?);
    out.push(u8::try_from(seconds / 60 % 60).ok()?);
    out.push(u8::try_from(seconds % 60).ok()?);
    if fraction != 0 {
        out.extend(u32::try_from(fraction).ok()?.to_le_bytes());
    }
    Some(())
}

/// A time of day with as many digits behind the point as the column has.
fn put_clock(out: &mut Vec<u8>, micros: i64, decimals: u8) {
    put_time(out, micros - micros % SECOND);
    if decimals == 0 {
        return;
    }
    out.push(b'.');
    let end = out.len().saturating_add(usize::from(decimals));
    put_digits(out, micros % SECOND, 6);
    out.truncate(end);
}

#[cfg(test)]
mod tests;
