//! Exact decimal numbers of at most 38 digits, as far as masking needs them.

use std::{fmt, io::Write as _};

use super::spare::with_room;

/// The most digits behind the point.
pub const SCALE_MAX: u16 = 38;

/// `coefficient × 10^−scale`; the scale is kept as it came, so that `1.50` stays `1.50`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Decimal {
    /// All digits, signed.
    pub coefficient: i128,
    /// How many of them stand behind the point: at most [`SCALE_MAX`].
    pub scale: u16,
}

impl Decimal {
    /// Reads digits with an optional sign in front and a point inside: `-12.30`. `None` for every other
    /// form, `NaN` and infinities among them, and for more digits than it holds.
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if whole.is_empty() || digits.ends_with('.') {
            return None;
        }
        let scale = u16::try_from(fraction.len()).ok().filter(|scale| *scale <= SCALE_MAX)?;
        let mut coefficient: i128 = 0;
        if digits.len() <= SHORT_DIGITS {
            // PERFORMANCE: nearly all numbers are this short.
            let mut short = 0_i64;
            for byte in whole.bytes().chain(fraction.bytes()) {
                let digit = byte.wrapping_sub(b'0');
                if digit > 9 {
                    return None;
                }
                short = short * 10 + i64::from(digit);
            }
            coefficient = short.into();
        } else {
            for byte in whole.bytes().chain(fraction.bytes()) {
                if !byte.is_ascii_digit() {
                    return None;
                }
                coefficient = coefficient.checked_mul(10)?.checked_add(i128::from(byte - b'0'))?;
            }
        }
        Some(Self { coefficient: if negative { -coefficient } else { coefficient }, scale })
    }

    /// As [`Decimal::parse`], and with an exponent, as JSON numbers have it: `1.5e3`.
    pub fn parse_exponent(text: &str) -> Option<Self> {
        let Some(at) = text.find(['e', 'E']) else { return Self::parse(text) };
        let (digits, exponent) = text.split_at_checked(at)?;
        let exponent = exponent.get(1..)?;
        let exponent: i32 = exponent.strip_prefix('+').unwrap_or(exponent).parse().ok()?;
        let Self { coefficient, scale } = Self::parse(digits)?;
        let scale = i32::from(scale).checked_sub(exponent)?;
        if scale < 0 {
            let coefficient = coefficient.checked_mul(power(scale.unsigned_abs())?)?;
            return Some(Self { coefficient, scale: 0 });
        }
        let scale = u16::try_from(scale).ok().filter(|scale| *scale <= SCALE_MAX)?;
        Some(Self { coefficient, scale })
    }

    /// The number with this many digits behind the point. `None` if that takes more than it holds, or if
    /// digits other than 0 would go.
    pub fn rescale(self, scale: u16) -> Option<Self> {
        if scale > SCALE_MAX {
            return None;
        }
        if scale == self.scale {
            return Some(self);
        }
        let coefficient = if scale >= self.scale {
            self.coefficient.checked_mul(power(u32::from(scale - self.scale))?)?
        } else {
            let factor = power(u32::from(self.scale - scale))?;
            if self.coefficient % factor != 0 {
                return None;
            }
            self.coefficient / factor
        };
        Some(Self { coefficient, scale })
    }

    /// The largest multiple of `width` that isn't larger, with the digits behind the point that the two
    /// have at most. `None` if `width` isn't above 0, or for more digits than it holds.
    pub fn floor_to(self, width: Self) -> Option<Self> {
        let scale = self.scale.max(width.scale);
        let (value, width) = (self.rescale(scale)?, width.rescale(scale)?);
        if width.coefficient <= 0 {
            return None;
        }
        let over = rem_euclid(value.coefficient, width.coefficient)?;
        Some(Self { coefficient: value.coefficient.checked_sub(over)?, scale })
    }

    /// As a whole number, if it is one.
    pub fn to_integer(self) -> Option<i64> {
        i64::try_from(self.rescale(0)?.coefficient).ok()
    }

    /// As a float, rounded.
    pub fn to_float(self) -> f64 {
        // Both exact in a float, so that only the division rounds.
        if self.coefficient.unsigned_abs() < 1 << 53 && self.scale <= 22 {
            return self.coefficient as f64 / 10_f64.powi(i32::from(self.scale));
        }
        with_room(|digits| {
            // Writing to memory doesn't fail.
            drop(write!(digits, "{self}"));
            std::str::from_utf8(digits).ok()?.parse().ok()
        })
        .unwrap_or(f64::NAN)
    }

    /// True if it is more than a step of `other`'s last digit.
    pub fn is_wider_than_a_digit_of(self, other: Self) -> bool {
        let step = Self { coefficient: 1, scale: other.scale };
        let scale = self.scale.max(other.scale);
        match (self.rescale(scale), step.rescale(scale)) {
            (Some(width), Some(step)) => width.coefficient > step.coefficient,
            // A width too long to be written with so many digits behind the point is wide.
            (None, _) => true,
            (Some(_), None) => false,
        }
    }

    /// Above zero.
    pub fn is_positive(self) -> bool {
        self.coefficient > 0
    }
}

impl fmt::Display for Decimal {
    /// All digits, without an exponent: `-0.05`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.coefficient < 0 { "-" } else { "" };
        let digits = self.coefficient.unsigned_abs();
        let scale = usize::from(self.scale);
        // PERFORMANCE: numbers of 128 bits are divided by hand.
        if let (Ok(digits), Some(unit)) =
            (u64::try_from(digits), 10_u64.checked_pow(u32::from(self.scale)))
        {
            return match scale {
                0 => write!(f, "{sign}{digits}"),
                _ => write!(f, "{sign}{}.{:0scale$}", digits / unit, digits % unit),
            };
        }
        match power(u32::from(self.scale)) {
            _ if scale == 0 => write!(f, "{sign}{digits}"),
            Some(unit) => {
                let unit = unit.unsigned_abs();
                write!(f, "{sign}{}.{:0scale$}", digits / unit, digits % unit)
            }
            // A scale that no constructor here gives.
            None => f.write_str("NaN"),
        }
    }
}

/// So many digits, and a point, are a number of 64 bits.
const SHORT_DIGITS: usize = 18;

/// What is left of a division, from 0 up; `None` for a division by 0. PERFORMANCE: by the processor if both
/// fit.
fn rem_euclid(value: i128, by: i128) -> Option<i128> {
    match (i64::try_from(value), i64::try_from(by)) {
        (Ok(value), Ok(by)) => value.checked_rem_euclid(by).map(i128::from),
        _ => value.checked_rem_euclid(by),
    }
}

/// Ten to the power of this; `None` beyond what 128 bits hold.
pub fn power(exponent: u32) -> Option<i128> {
    10_i128.checked_pow(exponent)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn floor(value: &str, width: &str) -> Option<String> {
        let read = |text| Decimal::parse(text).expect("a number");
        read(value).floor_to(read(width)).map(|d| d.to_string())
    }

    #[test]
    fn a_decimal_prints_as_it_was_read() {
        for text in ["0", "-1", "12.30", "-0.05", "0.00", "170141183460469231731687303715884105727"]
        {
            assert_eq!(Decimal::parse(text).map(|d| d.to_string()).as_deref(), Some(text));
        }
        for text in ["", "-", ".5", "5.", "1e3", "NaN", "+1", "1.2.3", "१", " 1"] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
        let long = format!("0.{}", "1".repeat(39));
        assert_eq!(Decimal::parse(&long), None);
    }

    #[test]
    fn exponents_move_the_point() {
        let read = |text| Decimal::parse_exponent(text).map(|d| d.to_string());
        assert_eq!(read("1.5e3").as_deref(), Some("1500"));
        assert_eq!(read("15E-1").as_deref(), Some("1.5"));
        assert_eq!(read("1.5e+0").as_deref(), Some("1.5"));
        assert_eq!(read("1e99"), None);
        assert_eq!(read("1e"), None);
    }

    #[test]
    fn a_width_is_compared_with_the_last_digit() {
        let wider = |width, value| {
            let read = |text| Decimal::parse(text).expect("a number");
            read(width).is_wider_than_a_digit_of(read(value))
        };
        assert!(wider("1", "12.3") && wider("2", "12") && wider("0.02", "1.00"));
        assert!(!wider("1", "12") && !wider("0.1", "12.3") && !wider("0.010", "1.00"));
        assert!(wider("1000000000000000000", "0.00000000000000000000000000000000000001"));
    }

    #[test]
    fn a_float_is_the_nearest() {
        let float = |text| Decimal::parse(text).expect("a number").to_float().to_string();
        assert_eq!(float("0.1"), "0.1");
        assert_eq!(float("-12.50"), "-12.5");
        assert_eq!(float("0.12345678901234567890123456789"), "0.12345678901234568");
    }

    #[test]
    fn a_bucket_begins_at_or_below_its_values() {
        assert_eq!(floor("17", "10").as_deref(), Some("10"));
        assert_eq!(floor("-1", "10").as_deref(), Some("-10"));
        assert_eq!(floor("17.99", "10").as_deref(), Some("10.00"));
        assert_eq!(floor("8", "2.5").as_deref(), Some("7.5"));
        assert_eq!(floor("8", "0"), None);
    }

    proptest! {
        #[test]
        fn a_bucket_is_a_multiple_within_its_width(value in -1_000_000_i64..1_000_000, scale in 0_u16..5,
                                                   width in 1_i64..100_000) {
            let value = Decimal { coefficient: value.into(), scale };
            let width = Decimal { coefficient: width.into(), scale: 2 };
            let floor = value.floor_to(width).expect("small numbers");
            let at = |d: Decimal| d.rescale(10).expect("small").coefficient;
            prop_assert_eq!(at(floor).rem_euclid(at(width)), 0);
            prop_assert!(at(floor) <= at(value) && at(value) < at(floor) + at(width));
        }
    }
}
