//! Days and times as ISO 8601 writes them, counted from 2000-01-01 so that all a server can hold fits.

use crate::kernel::time::{civil_from_days, days_from_civil};

/// Microseconds of a second, a minute, an hour, a day.
pub const SECOND: i64 = 1_000_000;
/// See [`SECOND`].
pub const MINUTE: i64 = 60 * SECOND;
/// See [`SECOND`].
pub const HOUR: i64 = 60 * MINUTE;
/// See [`SECOND`].
pub const DAY: i64 = 24 * HOUR;

/// From 1970-01-01 to 2000-01-01.
const EPOCH_DAYS: i64 = 10_957;

/// A year beyond all calendars here; the arithmetic below holds up to it.
const YEAR_MAX: i64 = 10_000_000;

/// Year, month and day of a day counted from 2000-01-01. Year 0 is 1 BC.
pub fn civil(days: i64) -> (i64, i64, i64) {
    civil_from_days(days.saturating_add(EPOCH_DAYS))
}

/// The reverse of [`civil`]; `None` for a day that isn't in the calendar.
pub fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(-YEAR_MAX..=YEAR_MAX).contains(&year) || !(1..=12).contains(&month) {
        return None;
    }
    let days = days_from_civil(year, month, day).saturating_sub(EPOCH_DAYS);
    (civil(days) == (year, month, day)).then_some(days)
}

/// Reads `2024-03-15`, years of four digits or more: days from 2000-01-01.
pub fn parse_date(text: &str) -> Option<i64> {
    let (year, month, day) = parse_civil(text)?;
    days(year, month, day)
}

/// The year, month and day of [`parse_date`]'s form, whether there was such a day or not.
pub fn parse_civil(text: &str) -> Option<(i64, i64, i64)> {
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || year.len() < 4 {
        return None;
    }
    Some((digits(year, 4..=7)?, digits(month, 2..=2)?, digits(day, 2..=2)?))
}

/// Reads `10:20:30.123456`, the fraction optional: microseconds from midnight, up to `24:00:00`.
pub fn parse_time(text: &str) -> Option<i64> {
    let (clock, fraction) = match text.split_once('.') {
        Some((clock, fraction)) => (clock, digits_of_fraction(fraction)?),
        None => (text, 0),
    };
    let mut parts = clock.split(':');
    let (hour, minute, second) = (parts.next()?, parts.next()?, parts.next()?);
    let (hour, minute) = (digits(hour, 2..=2)?, digits(minute, 2..=2)?);
    let second = digits(second, 2..=2)?;
    if parts.next().is_some() || hour > 24 || minute > 59 || second > 59 {
        return None;
    }
    let micros = hour * HOUR + minute * MINUTE + second * SECOND + fraction;
    (micros <= DAY).then_some(micros)
}

/// Appends [`parse_date`]'s form; years before 1 are printed as positive years, for the caller to say
/// that they are BC.
pub fn put_date(out: &mut Vec<u8>, days: i64) {
    let (year, month, day) = civil(days);
    let year = if year > 0 { year } else { 1_i64.saturating_sub(year) };
    put_digits(out, year, 4);
    out.push(b'-');
    put_digits(out, month, 2);
    out.push(b'-');
    put_digits(out, day, 2);
}

/// Appends [`parse_time`]'s form; a fraction only where there is one, without zeros behind.
pub fn put_time(out: &mut Vec<u8>, micros: i64) {
    put_digits(out, micros / HOUR, 2);
    out.push(b':');
    put_digits(out, micros / MINUTE % 60, 2);
    out.push(b':');
    put_digits(out, micros / SECOND % 60, 2);
    let fraction = micros % SECOND;
    if fraction != 0 {
        out.push(b'.');
        put_digits(out, fraction, 6);
        while out.last() == Some(&b'0') {
            out.pop();
        }
    }
}

/// Appends a number from 0 up with at least so many digits, at most 20.
pub fn put_digits(out: &mut Vec<u8>, number: i64, least: usize) {
    if let (2, 0..100) = (least, number) {
        out.extend_from_slice(&[b'0' + (number / 10) as u8, b'0' + (number % 10) as u8]);
        return;
    }
    let mut rest = number.unsigned_abs();
    let mut digits = [b'0'; 20];
    let mut used = 0_usize;
    for place in digits.iter_mut().rev() {
        if rest == 0 && used >= least {
            break;
        }
        *place = b'0' + (rest % 10) as u8;
        rest /= 10;
        used += 1;
    }
    let from = digits.len().saturating_sub(used);
    out.extend_from_slice(digits.get(from..).unwrap_or_default());
}

/// A number of so many digits and nothing else.
pub fn digits(text: &str, count: std::ops::RangeInclusive<usize>) -> Option<i64> {
    if !count.contains(&text.len()) {
        return None;
    }
    text.bytes().try_fold(0_i64, |number, byte| {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit <= 9)?;
        number.checked_mul(10)?.checked_add(i64::from(digit))
    })
}

/// One to six digits behind the point of a second, in microseconds.
fn digits_of_fraction(text: &str) -> Option<i64> {
    let number = digits(text, 1..=6)?;
    let missing = 6_u32.checked_sub(u32::try_from(text.len()).ok()?)?;
    Some(number * 10_i64.pow(missing))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn printed(put: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        put(&mut out);
        String::from_utf8(out).expect("ASCII")
    }

    #[test]
    fn days_count_from_2000() {
        assert_eq!(parse_date("2000-01-01"), Some(0));
        assert_eq!(parse_date("1999-12-31"), Some(-1));
        assert_eq!(parse_date("2024-02-29"), Some(8_825));
        assert_eq!(days(0, 12, 31), Some(-730_120));
        assert_eq!(printed(|out| put_date(out, -730_120)), "0001-12-31");
    }

    #[test]
    fn other_orders_and_days_that_do_not_exist_are_refused() {
        for text in [
            "",
            "03-15-2024",
            "15.03.2024",
            "2024-3-15",
            "2023-02-29",
            "2024-13-01",
            "2024-00-01",
            "2024-01-00",
            "2024-01-01-01",
            "20240101",
            "+2024-01-01",
            "99999999-01-01",
        ] {
            assert_eq!(parse_date(text), None, "{text}");
        }
        for text in [
            "",
            "1:2:3",
            "25:00:00",
            "24:00:01",
            "10:60:00",
            "10:00:60",
            "10:00",
            "10:00:00.",
            "10:00:00.1234567",
        ] {
            assert_eq!(parse_time(text), None, "{text}");
        }
        assert_eq!(parse_time("24:00:00"), Some(DAY));
        assert_eq!(parse_time("00:00:00.5"), Some(500_000));
    }

    proptest! {
        #[test]
        fn what_prints_reads_the_same(days in -730_119_i64..100_000_000, micros in 0..=DAY) {
            prop_assert_eq!(parse_date(&printed(|out| put_date(out, days))), Some(days));
            prop_assert_eq!(parse_time(&printed(|out| put_time(out, micros))), Some(micros));
        }
    }
}
