//! Algorithms over dates and times.

use super::{
    Key,
    algorithm::{Algorithm, Unit},
    calendar::{DAY, HOUR, MINUTE, civil, days, parse_date, parse_time},
    number::fixed,
};

/// What becomes of a day, counted from 2000-01-01; `None` is NULL. `truncate` needs a unit longer than
/// a day.
pub fn date(algorithm: &Algorithm, value: i64, key: &Key) -> Option<i64> {
    match algorithm {
        Algorithm::Truncate { unit } => match unit {
            // A day cut down to its hour, or to itself, would be clear.
            Unit::Minute | Unit::Hour | Unit::Day => None,
            Unit::Week | Unit::Month | Unit::Quarter | Unit::Year => first_day(*unit, value),
        },
        Algorithm::Shift { days } => value.checked_add(shift(value, i64::from(*days), key)?),
        Algorithm::Email
        | Algorithm::Card
        | Algorithm::Bucket { .. }
        | Algorithm::Fixed { .. }
        | Algorithm::Full { .. }
        | Algorithm::Hash
        | Algorithm::Inner(_)
        | Algorithm::Json { .. }
        | Algorithm::Null
        | Algorithm::Outer(_)
        | Algorithm::Partial
        | Algorithm::Range { .. } => parse_date(fixed(algorithm)?),
    }
}

/// What becomes of a time of day, in microseconds from midnight: cut down to the hour or the minute, a
/// fixed one, or NULL.
pub fn time(algorithm: &Algorithm, value: i64) -> Option<i64> {
    match algorithm {
        Algorithm::Truncate { unit: Unit::Hour } => Some(value - value.rem_euclid(HOUR)),
        Algorithm::Truncate { unit: Unit::Minute } => Some(value - value.rem_euclid(MINUTE)),
        Algorithm::Truncate {
            unit: Unit::Day | Unit::Week | Unit::Month | Unit::Quarter | Unit::Year,
        } => None,
        Algorithm::Email
        | Algorithm::Card
        | Algorithm::Bucket { .. }
        | Algorithm::Fixed { .. }
        | Algorithm::Full { .. }
        | Algorithm::Hash
        | Algorithm::Inner(_)
        | Algorithm::Json { .. }
        | Algorithm::Null
        | Algorithm::Outer(_)
        | Algorithm::Partial
        | Algorithm::Range { .. }
        | Algorithm::Shift { .. } => parse_time(fixed(algorithm)?),
    }
}

/// What becomes of a timestamp, in microseconds from 2000-01-01 00:00. Of an instant the day is that of
/// UTC, so that the session's zone doesn't change the mask. A fixed one is a day, or a day and a time.
pub fn timestamp(algorithm: &Algorithm, value: i64, key: &Key) -> Option<i64> {
    match algorithm {
        Algorithm::Truncate { unit } => match unit {
            Unit::Minute => value.checked_sub(value.rem_euclid(MINUTE)),
            Unit::Hour => value.checked_sub(value.rem_euclid(HOUR)),
            Unit::Day | Unit::Week | Unit::Month | Unit::Quarter | Unit::Year => {
                first_day(*unit, value.div_euclid(DAY))?.checked_mul(DAY)
            }
        },
        Algorithm::Shift { days } => {
            value.checked_add(shift(value, i64::from(*days).checked_mul(DAY)?, key)?)
        }
        Algorithm::Email
        | Algorithm::Card
        | Algorithm::Bucket { .. }
        | Algorithm::Fixed { .. }
        | Algorithm::Full { .. }
        | Algorithm::Hash
        | Algorithm::Inner(_)
        | Algorithm::Json { .. }
        | Algorithm::Null
        | Algorithm::Outer(_)
        | Algorithm::Partial
        | Algorithm::Range { .. } => {
            let text = fixed(algorithm)?;
            let (day, clock) = text.split_once(' ').unwrap_or((text, "00:00:00"));
            parse_date(day)?.checked_mul(DAY)?.checked_add(parse_time(clock)?)
        }
    }
}

/// The first day of the unit that a day is in.
fn first_day(unit: Unit, day: i64) -> Option<i64> {
    let (year, month, _) = civil(day);
    match unit {
        Unit::Minute | Unit::Hour | Unit::Day => Some(day),
        // 2000-01-01 was a Saturday: five days behind a Monday.
        Unit::Week => day.checked_sub(day.checked_add(5)?.rem_euclid(7)),
        Unit::Month => days(year, month, 1),
        Unit::Quarter => days(year, (month - 1) / 3 * 3 + 1, 1),
        Unit::Year => days(year, 1, 1),
    }
}

/// How far a value is moved: from −`most` to `most`, and never by nothing.
fn shift(value: i64, most: i64, key: &Key) -> Option<i64> {
    let most = most.max(1);
    let picked = i64::try_from(key.pick(value, most.checked_mul(2)?.unsigned_abs())).ok()?;
    let moved = picked.checked_sub(most)?;
    Some(if moved >= 0 { moved.checked_add(1)? } else { moved })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key() -> Key {
        Key::new(b"a key of the tests").expect("long enough")
    }

    fn algorithm(text: &str) -> Algorithm {
        text.parse().expect(text)
    }

    fn day(text: &str) -> i64 {
        parse_date(text).expect(text)
    }

    #[test]
    fn a_day_is_cut_down_to_its_unit() {
        for (unit, shown) in [
            ("year", Some("2024-01-01")),
            ("quarter", Some("2024-04-01")),
            ("month", Some("2024-05-01")),
            // 2024-05-16 was a Thursday.
            ("week", Some("2024-05-13")),
            ("day", None),
            ("hour", None),
        ] {
            let algorithm = algorithm(&format!("truncate({unit})"));
            assert_eq!(date(&algorithm, day("2024-05-16"), &key()), shown.map(day), "{unit}");
        }
        let monday = day("2024-05-13");
        assert_eq!(date(&algorithm("truncate(week)"), monday, &key()), Some(monday));
        assert_eq!(date(&algorithm("truncate(week)"), -5, &key()), Some(-5));
        assert_eq!(date(&algorithm("truncate(year)"), day("1999-12-31"), &key()), Some(-365));
    }

    #[test]
    fn a_timestamp_is_cut_down_also_before_2000() {
        let at = |date: &str, time: &str| day(date) * DAY + parse_time(time).expect(time);
        let value = at("1969-05-16", "10:20:30.5");
        for (unit, shown) in [
            ("year", at("1969-01-01", "00:00:00")),
            ("day", at("1969-05-16", "00:00:00")),
            ("hour", at("1969-05-16", "10:00:00")),
            ("minute", at("1969-05-16", "10:20:00")),
        ] {
            let algorithm = algorithm(&format!("truncate({unit})"));
            assert_eq!(timestamp(&algorithm, value, &key()), Some(shown), "{unit}");
        }
        let fixed = algorithm("fixed('2020-02-03 04:05:06')");
        assert_eq!(timestamp(&fixed, value, &key()), Some(at("2020-02-03", "04:05:06")));
        assert_eq!(date(&fixed, 0, &key()), None);
        assert_eq!(
            timestamp(&algorithm("fixed(2020-02-03)"), 0, &key()),
            Some(at("2020-02-03", "00:00:00"))
        );
        assert_eq!(time(&algorithm("truncate(hour)"), DAY - 1), Some(23 * HOUR));
        assert_eq!(time(&algorithm("truncate(year)"), DAY - 1), None);
        assert_eq!(time(&algorithm("shift(3)"), DAY - 1), None);
    }

    proptest! {
        #[test]
        fn a_shift_stays_within_its_days_and_is_never_nothing(value in -100_000_i64..100_000, days in 1_u32..400) {
            let algorithm = Algorithm::Shift { days };
            let moved = date(&algorithm, value, &key()).expect("in range") - value;
            prop_assert!(moved != 0 && moved.unsigned_abs() <= u64::from(days));
            let micros = value * DAY + 17;
            let moved = timestamp(&algorithm, micros, &key()).expect("in range") - micros;
            prop_assert!(moved != 0 && moved.unsigned_abs() <= u64::from(days) * DAY.unsigned_abs());
        }

        #[test]
        fn no_value_overflows(value: i64, days in 1_u32..36_525) {
            for unit in Unit::ALL {
                let algorithm = Algorithm::Truncate { unit: unit.0 };
                let _ = (date(&algorithm, value / DAY, &key()), timestamp(&algorithm, value, &key()));
            }
            let _ = timestamp(&Algorithm::Shift { days }, value, &key());
        }
    }
}
