//! Points in time, windows and durations as people write them. Time is always an argument here.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

/// Microseconds since 1970-01-01T00:00:00Z.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// A time later than every other: the end of what never ends.
    pub const FAR_FUTURE: Self = Self(i64::MAX);

    /// This much later; stops at [`Timestamp::FAR_FUTURE`].
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(micros))
    }

    /// How long from `earlier` to here; zero if `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Whole seconds since the epoch, rounded down.
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// Year, month and day in UTC.
    pub fn date(self) -> (i64, u32, u32) {
        let (year, month, day) = civil_from_days(self.seconds().div_euclid(86_400));
        (year, month as u32, day as u32)
    }

    /// Reads RFC 3339 (`2026-11-23T14:05:00Z`, fraction and offset allowed).
    ///
    /// # Errors
    /// [`BadTime`] with the text.
    pub fn parse_rfc3339(text: &str) -> Result<Self, BadTime> {
        parse_rfc3339(text).ok_or_else(|| BadTime { text: text.chars().take(64).collect() })
    }

    /// `14:05Z`: for messages, where the day is clear.
    pub fn clock(self) -> String {
        let second = self.seconds().rem_euclid(86_400);
        format!("{:02}:{:02}Z", second / 3600, second / 60 % 60)
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC with microseconds: `2026-11-23T14:05:00.000000Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.seconds();
        let (year, month, day) = civil_from_days(seconds.div_euclid(86_400));
        let second = seconds.rem_euclid(86_400);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:06}Z",
            second / 3600,
            second / 60 % 60,
            second % 60,
            self.0.rem_euclid(1_000_000)
        )
    }
}

/// A text that is no RFC 3339 time.
#[derive(Debug, thiserror::Error)]
#[error("`{text}` is not a time; write it as 2026-11-23T14:05:00Z")]
pub struct BadTime {
    text: String,
}

/// From when until when something holds: `from <= now < until`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Window {
    /// First instant inside.
    pub from: Timestamp,
    /// First instant after.
    pub until: Timestamp,
}

impl Window {
    /// True if `now` is inside.
    pub fn contains(&self, now: Timestamp) -> bool {
        self.from <= now && now < self.until
    }
}

/// A text that is no duration.
#[derive(Debug, thiserror::Error)]
#[error("`{text}` is not a duration; write a number and s, m, h or d, as in 90s, 30m, 2h, 1d")]
pub struct BadDuration {
    text: String,
}

/// Reads `90s`, `30m`, `2h`, `1d`, and sums like `1h30m`. Zero and empty texts are refused.
///
/// # Errors
/// [`BadDuration`] with the text.
pub fn parse_duration(text: &str) -> Result<Duration, BadDuration> {
    let bad = || BadDuration { text: text.chars().take(64).collect() };
    let mut total: u64 = 0;
    let mut digits: Option<u64> = None;
    for c in text.trim().chars() {
        if let Some(digit) = c.to_digit(10) {
            let so_far = digits.unwrap_or(0);
            digits = Some(
                so_far
                    .checked_mul(10)
                    .and_then(|n| n.checked_add(u64::from(digit)))
                    .ok_or_else(bad)?,
            );
            continue;
        }
        let unit = match c {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            _ => return Err(bad()),
        };
        let count = digits.take().ok_or_else(bad)?;
        total = count.checked_mul(unit).and_then(|n| total.checked_add(n)).ok_or_else(bad)?;
    }
    // More than a century is a typing mistake, and would overflow later sums.
    if digits.is_some() || total == 0 || total > 100 * 366 * 86_400 {
        return Err(bad());
    }
    Ok(Duration::from_secs(total))
}

/// Writes a duration as people would: `30m`, `2h`, `1d`, `1h30m`, `45s`.
pub fn format_duration(duration: Duration) -> String {
    let mut rest = duration.as_secs();
    if rest == 0 {
        return "0s".to_owned();
    }
    let mut out = String::new();
    for (unit, seconds) in [("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)] {
        if rest >= seconds {
            out.push_str(&format!("{}{unit}", rest / seconds));
            rest %= seconds;
        }
    }
    out
}

/// Days since 1970-01-01 to year, month, day in the proleptic Gregorian calendar.
pub(crate) fn civil_from_days(days: i64) -> (i64, i64, i64) {
    // Counts in eras of 400 years that begin on 1 March, so that the leap day comes last.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// The reverse of [`civil_from_days`].
pub(crate) fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_index = (month + 9) % 12;
    let day_of_year = (153 * month_index + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn parse_rfc3339(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    let number = |range: std::ops::Range<usize>| -> Option<i64> {
        let digits = text.get(range)?;
        digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
    };
    let at = |index: usize, wanted: &[u8]| bytes.get(index).is_some_and(|b| wanted.contains(b));
    let punctuation = at(4, b"-") && at(7, b"-") && at(10, b"Tt ") && at(13, b":") && at(16, b":");
    if !punctuation {
        return None;
    }
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    let in_range = (1..=12).contains(&month) && hour < 24 && minute < 60 && second < 60;
    let days = days_from_civil(year, month, day);
    if !in_range || civil_from_days(days) != (year, month, day) {
        return None;
    }
    let mut rest = text.get(19..)?;
    let mut micros = 0;
    if let Some(fraction) = rest.strip_prefix('.') {
        let length = fraction.bytes().take_while(u8::is_ascii_digit).count();
        if length == 0 || length > 9 {
            return None;
        }
        let padded = format!("{:0<6}", fraction.get(..length.min(6))?);
        micros = padded.parse().ok()?;
        rest = fraction.get(length..)?;
    }
    let offset = match rest {
        "Z" | "z" => 0,
        _ => {
            let sign = match rest.as_bytes().first()? {
                b'+' => 1,
                b'-' => -1,
                _ => return None,
            };
            let (hours, minutes) = rest.get(1..)?.split_once(':')?;
            let below = |t: &str, bound: i64| {
                let digits = t.len() == 2 && t.bytes().all(|b| b.is_ascii_digit());
                digits.then(|| t.parse::<i64>().ok()).flatten().filter(|n| *n < bound)
            };
            sign * (below(hours, 24)? * 3600 + below(minutes, 60)? * 60)
        }
    };
    let seconds = days * 86_400 + hour * 3600 + minute * 60 + second - offset;
    // An offset may lead out of the years that are written with four digits.
    let year = civil_from_days(seconds.div_euclid(86_400)).0;
    (0..=9999).contains(&year).then_some(Timestamp(seconds * 1_000_000 + micros))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_people_write_them() {
        assert_eq!(parse_duration("30m").expect("reads"), Duration::from_secs(1800));
        assert_eq!(parse_duration("1h30m").expect("reads"), Duration::from_secs(5400));
        for bad in ["", "0s", "30", "m", "-5m", "1y", "99999999999999999999s", "1000000d"] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
        assert_eq!(format_duration(Duration::from_secs(5400)), "1h30m");
    }

    #[test]
    fn times_survive_print_and_parse() {
        for text in [
            "2026-11-23T14:05:00.000000Z",
            "1969-12-31T23:59:59.999999Z",
            "2000-02-29T00:00:00.000001Z",
        ] {
            assert_eq!(Timestamp::parse_rfc3339(text).expect("reads").to_string(), text);
        }
        let offset = Timestamp::parse_rfc3339("2026-11-23T15:05:00+01:00").expect("reads");
        assert_eq!(offset.to_string(), "2026-11-23T14:05:00.000000Z");
        for bad in [
            "2026-02-30T00:00:00Z",
            "2026-11-23",
            "2026-11-23T25:00:00Z",
            "2026-11-23T14:05:00",
            "2026-11-23T14:05:00+-1:00",
            "2026-11-23T14:05:00+24:00",
            "2026-11-23T14:05:00+00:60",
            "0000-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-00:01",
        ] {
            assert!(Timestamp::parse_rfc3339(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_window_is_open_at_its_end() {
        let window = Window { from: Timestamp(10), until: Timestamp(20) };
        assert!(!window.contains(Timestamp(9)) && window.contains(Timestamp(10)));
        assert!(window.contains(Timestamp(19)) && !window.contains(Timestamp(20)));
    }
}
