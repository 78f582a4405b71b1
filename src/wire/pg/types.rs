//! Type oids that never change, and reading parameters for the trail.

use super::Format;
use crate::kernel::{
    mask::{ColumnType, Kind, Width},
    sql::charset::ClientText,
};

macro_rules! oids {
    ($($(#[$doc:meta])* $name:ident = $oid:literal;)*) => {
        $($(#[$doc])* pub const $name: u32 = $oid;)*
    };
}

oids! {
    /// `bool`.
    BOOL = 16;
    /// `bytea`.
    BYTEA = 17;
    /// `"char"`: one byte.
    CHAR = 18;
    /// `name`.
    NAME = 19;
    /// `int8`.
    INT8 = 20;
    /// `int2`.
    INT2 = 21;
    /// `int4`.
    INT4 = 23;
    /// `text`.
    TEXT = 25;
    /// `oid`.
    OID = 26;
    /// `json`.
    JSON = 114;
    /// `xml`.
    XML = 142;
    /// `float4`.
    FLOAT4 = 700;
    /// `float8`.
    FLOAT8 = 701;
    /// A literal whose type isn't known yet.
    UNKNOWN = 705;
    /// `cidr`.
    CIDR = 650;
    /// `macaddr8`.
    MACADDR8 = 774;
    /// `money`.
    MONEY = 790;
    /// `macaddr`.
    MACADDR = 829;
    /// `inet`.
    INET = 869;
    /// `bpchar`: `char(n)`.
    BPCHAR = 1042;
    /// `varchar`.
    VARCHAR = 1043;
    /// `date`.
    DATE = 1082;
    /// `time`.
    TIME = 1083;
    /// `timestamp`.
    TIMESTAMP = 1114;
    /// `timestamptz`.
    TIMESTAMPTZ = 1184;
    /// `interval`.
    INTERVAL = 1186;
    /// `numeric`.
    NUMERIC = 1700;
    /// `record`: a row of fields.
    RECORD = 2249;
    /// `uuid`.
    UUID = 2950;
    /// `jsonb`.
    JSONB = 3802;
}

/// `pg_type.typlen` of the types above, −1 for types of varying width.
pub fn size_of(type_oid: u32) -> i16 {
    match type_oid {
        BOOL | CHAR => 1,
        INT2 => 2,
        INT4 | OID | FLOAT4 | DATE => 4,
        INT8 | FLOAT8 | TIMESTAMP | TIMESTAMPTZ | TIME => 8,
        UUID => 16,
        NAME => 64,
        UNKNOWN => -2,
        _ => -1,
    }
}

/// What a column of a built-in type holds, as far as masking cares. Of all other oids – enums, composites,
/// types of extensions – the catalog has to tell; where it doesn't, only NULL masks them.
pub fn column_type(type_oid: u32) -> ColumnType {
    match ARRAYS.iter().find(|(array, _)| *array == type_oid) {
        Some((_, element)) => ColumnType::Array(kind(*element)),
        None => ColumnType::One(kind(type_oid)),
    }
}

fn kind(type_oid: u32) -> Kind {
    match type_oid {
        // Not `name`: it can't hold a hash.
        TEXT | VARCHAR | UNKNOWN => Kind::Text,
        BPCHAR => Kind::Padded,
        INT2 => Kind::Integer(Width::Two),
        INT4 => Kind::Integer(Width::Four),
        INT8 => Kind::Integer(Width::Eight),
        FLOAT4 => Kind::Single,
        FLOAT8 => Kind::Double,
        NUMERIC => Kind::Decimal,
        MONEY => Kind::Money,
        BOOL => Kind::Boolean,
        DATE => Kind::Date,
        TIME => Kind::Time,
        TIMESTAMP => Kind::Timestamp,
        TIMESTAMPTZ => Kind::TimestampTz,
        INTERVAL => Kind::Interval,
        UUID => Kind::Uuid,
        JSON => Kind::Json,
        JSONB => Kind::Jsonb,
        BYTEA => Kind::Bytes,
        INET | CIDR | MACADDR | MACADDR8 => Kind::Inet,
        RECORD => Kind::Composite,
        _ => Kind::Unknown,
    }
}

/// Array types with the types of their elements.
const ARRAYS: [(u32, u32); 27] = [
    (199, JSON),
    (651, CIDR),
    (775, MACADDR8),
    (791, MONEY),
    (1000, BOOL),
    (1001, BYTEA),
    (1003, NAME),
    (1005, INT2),
    (1007, INT4),
    (1009, TEXT),
    (1014, BPCHAR),
    (1015, VARCHAR),
    (1016, INT8),
    (1021, FLOAT4),
    (1022, FLOAT8),
    (1040, MACADDR),
    (1041, INET),
    (1115, TIMESTAMP),
    (1182, DATE),
    (1183, TIME),
    (1185, TIMESTAMPTZ),
    (1187, INTERVAL),
    (1231, NUMERIC),
    (2287, RECORD),
    (2951, UUID),
    (3807, JSONB),
    (1002, CHAR),
];

/// The most bytes of a parameter that are written down; the rest becomes `…`.
pub const PARAMETER_TEXT_MAX: usize = 4096;

/// A parameter as people read it: text as it is, binary forms of common types decoded, everything
/// else as `\x` and hexadecimal digits. Never fails: what doesn't fit its type is shown as bytes.
pub fn parameter_text(type_oid: u32, (format, how): (Format, ClientText), bytes: &[u8]) -> String {
    let decoded = match format {
        Format::Text => text(bytes, how),
        Format::Binary => binary(type_oid, bytes, how),
    };
    decoded.unwrap_or_else(|| hex(bytes))
}

fn binary(type_oid: u32, bytes: &[u8], how: ClientText) -> Option<String> {
    match type_oid {
        BOOL => match bytes {
            [0] => Some("f".to_owned()),
            [1] => Some("t".to_owned()),
            _ => None,
        },
        INT2 => bytes.try_into().ok().map(|b| i16::from_be_bytes(b).to_string()),
        INT4 => bytes.try_into().ok().map(|b| i32::from_be_bytes(b).to_string()),
        OID => bytes.try_into().ok().map(|b| u32::from_be_bytes(b).to_string()),
        INT8 => bytes.try_into().ok().map(|b| i64::from_be_bytes(b).to_string()),
        FLOAT4 => bytes.try_into().ok().map(|b| f32::from_be_bytes(b).to_string()),
        FLOAT8 => bytes.try_into().ok().map(|b| f64::from_be_bytes(b).to_string()),
        TEXT | VARCHAR | BPCHAR | NAME | CHAR | JSON | XML | UNKNOWN => text(bytes, how),
        // Spec: the binary form of jsonb is a version byte, 1, and the text.
        JSONB => match bytes {
            [1, rest @ ..] => text(rest, how),
            _ => None,
        },
        UUID => bytes.try_into().ok().map(uuid),
        DATE => date(i32::from_be_bytes(bytes.try_into().ok()?)),
        TIME => time(i64::from_be_bytes(bytes.try_into().ok()?)),
        TIMESTAMP => timestamp(i64::from_be_bytes(bytes.try_into().ok()?), ""),
        TIMESTAMPTZ => timestamp(i64::from_be_bytes(bytes.try_into().ok()?), "+00"),
        NUMERIC => numeric(bytes),
        _ => None,
    }
}

/// `None` if the bytes are no text in the client's encoding.
fn text(bytes: &[u8], how: ClientText) -> Option<String> {
    let text = how.read(bytes).ok()?;
    if text.len() <= PARAMETER_TEXT_MAX {
        return Some(text.into_owned());
    }
    let end = text.floor_char_boundary(PARAMETER_TEXT_MAX);
    Some(format!("{}…", text.get(..end).unwrap_or_default()))
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let shown = bytes.len().min(PARAMETER_TEXT_MAX / 2);
    let digit = |value: u8| DIGITS.get(usize::from(value)).copied().map_or('?', char::from);
    let mut out = String::with_capacity(shown.saturating_mul(2).saturating_add(5));
    out.push_str("\\x");
    for byte in bytes.iter().take(shown) {
        out.push(digit(byte >> 4));
        out.push(digit(byte & 15));
    }
    if shown < bytes.len() {
        out.push('…');
    }
    out
}

fn uuid(bytes: [u8; 16]) -> String {
    let digits = format!("{:032x}", u128::from_be_bytes(bytes));
    let mut out = String::with_capacity(36);
    for (at, digit) in digits.chars().enumerate() {
        if matches!(at, 8 | 12 | 16 | 20) {
            out.push('-');
        }
        out.push(digit);
    }
    out
}

/// Days from 2000-01-01.
fn date(days: i32) -> Option<String> {
    match days {
        i32::MAX => Some("infinity".to_owned()),
        i32::MIN => Some("-infinity".to_owned()),
        _ => {
            let (year, month, day) = civil(i64::from(days))?;
            Some(with_era(year, &format!("-{month:02}-{day:02}")))
        }
    }
}

/// Microseconds since midnight.
fn time(micros: i64) -> Option<String> {
    if !(0..=86_400_000_000).contains(&micros) {
        return None;
    }
    let (second, fraction) = (micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000));
    let clock = format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
    if fraction == 0 {
        return Some(clock);
    }
    Some(format!("{clock}.{}", format!("{fraction:06}").trim_end_matches('0')))
}

/// Microseconds from 2000-01-01 00:00.
fn timestamp(micros: i64, zone: &str) -> Option<String> {
    match micros {
        i64::MAX => Some("infinity".to_owned()),
        i64::MIN => Some("-infinity".to_owned()),
        _ => {
            let (year, month, day) = civil(micros.div_euclid(86_400_000_000))?;
            let clock = time(micros.rem_euclid(86_400_000_000))?;
            Some(with_era(year, &format!("-{month:02}-{day:02} {clock}{zone}")))
        }
    }
}

fn with_era(year: i64, rest: &str) -> String {
    if year > 0 {
        format!("{year:04}{rest}")
    } else {
        format!("{:04}{rest} BC", 1_i64.saturating_sub(year))
    }
}

/// Days from 2000-01-01 to year, month, day, in the proleptic Gregorian calendar.
fn civil(days: i64) -> Option<(i64, i64, i64)> {
    // Counts in eras of 400 years that begin on 1 March, so that the leap day comes last.
    let shifted = days.checked_add(10_957 + 719_468)?;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    Some((year_of_era + era * 400 + i64::from(month <= 2), month, day))
}

/// Spec: four Int16 (digits, weight, sign, scale), then digits to the base of 10,000.
fn numeric(bytes: &[u8]) -> Option<String> {
    let (head, mut digits) = bytes.split_first_chunk::<8>()?;
    let [c0, c1, w0, w1, s0, s1, d0, d1] = *head;
    let count = usize::from(u16::from_be_bytes([c0, c1]));
    let weight = i16::from_be_bytes([w0, w1]);
    let scale = usize::from(u16::from_be_bytes([d0, d1]));
    let negative = match u16::from_be_bytes([s0, s1]) {
        0x0000 => false,
        0x4000 => true,
        0xc000 => return Some("NaN".to_owned()),
        0xd000 => return Some("Infinity".to_owned()),
        0xf000 => return Some("-Infinity".to_owned()),
        _ => return None,
    };
    // Larger ones exist, but nobody reads them; they are shown as bytes.
    if digits.len() != count.checked_mul(2)? || scale > 1000 || !(-250..=250).contains(&weight) {
        return None;
    }
    let mut group = || {
        let Some((two, rest)) = digits.split_first_chunk::<2>() else { return Some(0) };
        digits = rest;
        Some(u16::from_be_bytes(*two)).filter(|group| *group < 10_000)
    };
    let mut whole = String::new();
    for _ in 0..=weight.max(-1) {
        whole.push_str(&format!("{:04}", group()?));
    }
    let mut fraction = "0000".repeat(usize::from(weight.saturating_add(1).min(0).unsigned_abs()));
    while fraction.len() < scale {
        fraction.push_str(&format!("{:04}", group()?));
    }
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        digits => digits,
    };
    let sign = if negative { "-" } else { "" };
    let fraction = fraction.get(..scale)?;
    let point = if scale > 0 { "." } else { "" };
    Some(format!("{sign}{whole}{point}{fraction}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(oid: u32, bytes: &[u8]) -> String {
        parameter_text(oid, (Format::Binary, ClientText::UTF8), bytes)
    }

    #[test]
    fn binary_forms_read_as_the_server_prints_them() {
        assert_eq!(read(INT4, &[255, 255, 255, 254]), "-2");
        assert_eq!(read(BOOL, &[1]), "t");
        assert_eq!(read(FLOAT8, &1.5_f64.to_be_bytes()), "1.5");
        assert_eq!(read(JSONB, b"\x01{}"), "{}");
        assert_eq!(read(UUID, &[0xab; 16]), "abababab-abab-abab-abab-abababababab");
        assert_eq!(read(DATE, &0_i32.to_be_bytes()), "2000-01-01");
        assert_eq!(read(DATE, &(-730_120_i32).to_be_bytes()), "0001-12-31 BC");
        assert_eq!(read(TIMESTAMPTZ, &1_500_000_i64.to_be_bytes()), "2000-01-01 00:00:01.5+00");
        assert_eq!(read(TIMESTAMP, &(-1_i64).to_be_bytes()), "1999-12-31 23:59:59.999999");
        assert_eq!(read(TIMESTAMP, &i64::MAX.to_be_bytes()), "infinity");
    }

    #[test]
    fn numerics_keep_their_scale() {
        // From the server: select numeric_send(x).
        assert_eq!(read(NUMERIC, &[0, 2, 0, 0, 0, 0, 0, 2, 0, 12, 0x0d, 0x48]), "12.34");
        assert_eq!(read(NUMERIC, &[0, 1, 255, 255, 0x40, 0, 0, 4, 0, 5]), "-0.0005");
        assert_eq!(read(NUMERIC, &[0, 1, 0, 1, 0, 0, 0, 0, 0, 3]), "30000");
        assert_eq!(read(NUMERIC, &[0, 1, 255, 254, 0, 0, 0, 8, 0, 7]), "0.00000007");
        assert_eq!(read(NUMERIC, &[0, 0, 0, 0, 0, 0, 0, 0]), "0");
        assert_eq!(read(NUMERIC, &[0, 0, 0, 0, 0xc0, 0, 0, 0]), "NaN");
    }

    #[test]
    fn what_does_not_fit_its_type_is_shown_as_bytes() {
        assert_eq!(read(INT4, &[1]), "\\x01");
        assert_eq!(read(TEXT, &[0xff, 0xfe]), "\\xfffe");
        assert_eq!(read(12345, &[0, 0xa0]), "\\x00a0");
    }

    #[test]
    fn long_parameters_are_cut_between_characters() {
        let long = "ä".repeat(PARAMETER_TEXT_MAX);
        let shown = parameter_text(TEXT, (Format::Text, ClientText::UTF8), long.as_bytes());
        assert!(shown.ends_with('…') && shown.len() <= PARAMETER_TEXT_MAX + 3);
        assert!(read(BYTEA, &[0; 10_000]).len() <= PARAMETER_TEXT_MAX + 5);
    }

    proptest! {
        #[test]
        fn no_value_of_any_type_panics(oid in 0u32..4000, bytes: Vec<u8>) {
            let _ = read(oid, &bytes).len();
        }

        #[test]
        fn no_date_numeric_or_time_panics(bytes: [u8; 8], more: Vec<u8>) {
            let _ = (read(DATE, &bytes[..4]), read(TIMESTAMP, &bytes), read(TIME, &bytes));
            let mut whole = bytes.to_vec();
            whole.extend(more);
            let _ = read(NUMERIC, &whole).len();
        }
    }
}
