//! Algorithms over numbers, truth values and UUIDs.

use super::{Key, algorithm::Algorithm, decimal::Decimal, key::parse_uuid, kind::Width};

/// What becomes of an integer; `None` is NULL.
///
/// `bucket` needs a whole width above 1: with 1, or parts of it, integers would stay clear. A bucket
/// that begins below what the type holds is NULL.
pub fn integer(algorithm: &Algorithm, value: i64, width: Width, key: &Key) -> Option<i64> {
    match algorithm {
        Algorithm::Fixed { value } => value.parse().ok().and_then(|value| width.fit(value)),
        Algorithm::Hash => Some(key.hash_integer(value, width.bits())),
        Algorithm::Bucket { width: step } => {
            let step = step.to_integer().filter(|step| *step > 1)?;
            width.fit(value.checked_sub(value.rem_euclid(step))?)
        }
        Algorithm::Email
        | Algorithm::Card
        | Algorithm::Full { .. }
        | Algorithm::Inner(_)
        | Algorithm::Json { .. }
        | Algorithm::Null
        | Algorithm::Outer(_)
        | Algorithm::Partial
        | Algorithm::Range { .. }
        | Algorithm::Shift { .. }
        | Algorithm::Truncate { .. } => None,
    }
}

/// What becomes of a decimal number. `value` is `None` for what isn't a number, an infinity, or more
/// digits than are counted with. A `bucket` no wider than a step of the value's last digit is NULL: the
/// value would stay clear.
pub fn decimal(algorithm: &Algorithm, value: Option<Decimal>) -> Option<Decimal> {
    match algorithm {
        Algorithm::Fixed { value } => Decimal::parse(value),
        Algorithm::Bucket { width } => {
            value.filter(|value| width.is_wider_than_a_digit_of(*value))?.floor_to(*width)
        }
        Algorithm::Email
        | Algorithm::Card
        | Algorithm::Full { .. }
        | Algorithm::Hash
        | Algorithm::Inner(_)
        | Algorithm::Json { .. }
        | Algorithm::Null
        | Algorithm::Outer(_)
        | Algorithm::Partial
        | Algorithm::Range { .. }
        | Algorithm::Shift { .. }
        | Algorithm::Truncate { .. } => None,
    }
}

/// The whole numbers that floats of 32 bits tell apart.
pub const SINGLE_STEPS: f64 = 16_777_216.0;
/// The same of 64 bits.
pub const DOUBLE_STEPS: f64 = 9_007_199_254_740_992.0;

/// What becomes of a float, counted with 64 bits; what isn't finite is NULL. So is what lies more
/// buckets from 0 than the type has `steps` ([`SINGLE_STEPS`], [`DOUBLE_STEPS`]): its neighbours would
/// be buckets of their own, and it would stay clear.
pub fn float(algorithm: &Algorithm, value: f64, steps: f64) -> Option<f64> {
    match algorithm {
        Algorithm::Fixed { value } => value.parse().ok().filter(|value: &f64| value.is_finite()),
        Algorithm::Bucket { width } => {
            let width = width.to_float();
            let bucket = (value / width).floor();
            if bucket.is_nan() || bucket.abs() >= steps {
                return None;
            }
            // Never −0.
            Some(bucket * width + 0.0).filter(|value| value.is_finite())
        }
        Algorithm::Email
        | Algorithm::Card
        | Algorithm::Full { .. }
        | Algorithm::Hash
        | Algorithm::Inner(_)
        | Algorithm::Json { .. }
        | Algorithm::Null
        | Algorithm::Outer(_)
        | Algorithm::Partial
        | Algorithm::Range { .. }
        | Algorithm::Shift { .. }
        | Algorithm::Truncate { .. } => None,
    }
}

/// What becomes of a truth value: a fixed one, written `true`, `t`, `false` or `f`, or NULL.
pub fn boolean(algorithm: &Algorithm) -> Option<bool> {
    match fixed(algorithm)? {
        "true" | "t" => Some(true),
        "false" | "f" => Some(false),
        _ => None,
    }
}

/// What becomes of a UUID.
pub fn uuid(algorithm: &Algorithm, value: [u8; 16], key: &Key) -> Option<[u8; 16]> {
    if matches!(algorithm, Algorithm::Hash) {
        return Some(key.hash_uuid(value));
    }
    parse_uuid(fixed(algorithm)?.as_bytes())
}

/// The fixed value, of the algorithm that has one.
pub fn fixed(algorithm: &Algorithm) -> Option<&str> {
    match algorithm {
        Algorithm::Fixed { value } => Some(value),
        Algorithm::Email
        | Algorithm::Card
        | Algorithm::Bucket { .. }
        | Algorithm::Full { .. }
        | Algorithm::Hash
        | Algorithm::Inner(_)
        | Algorithm::Json { .. }
        | Algorithm::Null
        | Algorithm::Outer(_)
        | Algorithm::Partial
        | Algorithm::Range { .. }
        | Algorithm::Shift { .. }
        | Algorithm::Truncate { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Key {
        Key::new(b"a key of the tests").expect("long enough")
    }

    fn algorithm(text: &str) -> Algorithm {
        text.parse().expect(text)
    }

    #[test]
    fn integers_keep_their_type_or_are_null() {
        for (text, value, width, shown) in [
            ("bucket(10)", 17, Width::Four, Some(10)),
            ("bucket(10)", -1, Width::Four, Some(-10)),
            ("bucket(10.0)", 10, Width::Four, Some(10)),
            // Below the least of the type.
            ("bucket(10)", -32_768, Width::Two, None),
            ("bucket(10)", i64::MIN, Width::Eight, None),
            // These would show it.
            ("bucket(1)", 17, Width::Four, None),
            ("bucket(0.5)", 17, Width::Four, None),
            ("fixed(0)", 17, Width::Two, Some(0)),
            ("fixed(40000)", 17, Width::Two, None),
            ("fixed(x)", 17, Width::Four, None),
            ("full", 17, Width::Four, None),
            ("inner(0, 4)", 123_456, Width::Four, None),
            ("null", 17, Width::Four, None),
        ] {
            assert_eq!(integer(&algorithm(text), value, width, &key()), shown, "{text} of {value}");
        }
        let hashed = integer(&algorithm("hash"), -5, Width::Two, &key()).expect("a hash");
        assert!((0..=32_767).contains(&hashed));
    }

    #[test]
    fn floats_are_bucketed_or_null() {
        let float = |text: &str, value| float(&algorithm(text), value, DOUBLE_STEPS);
        assert_eq!(float("bucket(0.5)", 1.7), Some(1.5));
        assert_eq!(float("bucket(10)", -0.1), Some(-10.0));
        assert_eq!(float("bucket(10)", 5.0).map(f64::to_bits), Some(0.0_f64.to_bits()));
        assert_eq!(float("bucket(10)", f64::NAN), None);
        assert_eq!(float("bucket(10)", f64::INFINITY), None);
        assert_eq!(float("bucket(10)", 1e300), None);
        assert_eq!(float("fixed(NaN)", 1.0), None);
        assert_eq!(float("fixed(1.5)", f64::NAN), Some(1.5));
        assert_eq!(float("hash", 1.0), None);
    }

    #[test]
    fn truth_values_and_uuids_are_fixed_or_null() {
        assert_eq!(boolean(&algorithm("fixed(true)")), Some(true));
        assert_eq!(boolean(&algorithm("fixed(no)")), None);
        assert_eq!(boolean(&algorithm("hash")), None);
        assert_eq!(uuid(&algorithm("full"), [1; 16], &key()), None);
        let nil = "fixed(00000000-0000-0000-0000-000000000000)";
        assert_eq!(uuid(&algorithm(nil), [1; 16], &key()), Some([0; 16]));
        assert_ne!(uuid(&algorithm("hash"), [1; 16], &key()), Some([1; 16]));
    }

    #[test]
    fn decimals_are_bucketed_or_null() {
        let value = Decimal::parse("12.34");
        assert_eq!(decimal(&algorithm("bucket(5)"), value), Decimal::parse("10.00"));
        assert_eq!(decimal(&algorithm("bucket(5)"), None), None);
        // These would show it.
        assert_eq!(decimal(&algorithm("bucket(0.01)"), value), None);
        assert_eq!(decimal(&algorithm("bucket(0.001)"), value), None);
        assert_eq!(decimal(&algorithm("bucket(1)"), Decimal::parse("12")), None);
        assert_eq!(decimal(&algorithm("fixed(1.5)"), None), Decimal::parse("1.5"));
        assert_eq!(decimal(&algorithm("hash"), value), None);
    }
}
