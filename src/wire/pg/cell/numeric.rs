//! The binary form of `numeric`.
//!
//! Spec: four 16-bit numbers – how many digits to the base of 10,000, the weight of the first (its
//! power of that base), the sign, the scale in decimal digits – and then the digits.

use super::value::Amount;
use crate::kernel::mask::decimal::{Decimal, power};

const NEGATIVE: u16 = 0x4000;

/// `None` for what isn't exactly a number, or is one of more digits than are counted with.
pub(super) fn read(cell: &[u8]) -> Option<Amount<Decimal>> {
    let (head, digits) = cell.split_first_chunk::<8>()?;
    let [c0, c1, w0, w1, s0, s1, d0, d1] = *head;
    let count = usize::from(u16::from_be_bytes([c0, c1]));
    if digits.len() != count.checked_mul(2)? {
        return None;
    }
    let is_negative = match u16::from_be_bytes([s0, s1]) {
        0 => false,
        NEGATIVE => true,
        0xc000 | 0xd000 | 0xf000 => return Some(Amount::Beyond),
        _ => return None,
    };
    let scale = u16::from_be_bytes([d0, d1]);
    // The last digit's power of ten, counted from the last place of the scale.
    let weight = i32::from(i16::from_be_bytes([w0, w1]));
    let last = weight.checked_sub(i32::try_from(count).ok()?.checked_sub(1)?)?.checked_mul(4)?;
    let up = last.checked_add(i32::from(scale))?;
    let mut coefficient = 0_i128;
    let mut pairs = digits.chunks_exact(2).peekable();
    while let Some(pair) = pairs.next() {
        let [high, low] = pair else { return None };
        let digit = u16::from_be_bytes([*high, *low]);
        if digit >= 10_000 {
            return None;
        }
        let is_last = pairs.peek().is_none();
        // Behind the scale the last digit has zeros, which aren't counted: they may be too many.
        let (unit, zeros) = match up {
            -3..=-1 if is_last => (power(u32::try_from(4 + up).ok()?)?, power(up.unsigned_abs())?),
            _ if is_last && up < 0 => return None,
            _ => (10_000, 1),
        };
        if i128::from(digit) % zeros != 0 {
            return None;
        }
        coefficient = coefficient.checked_mul(unit)?.checked_add(i128::from(digit) / zeros)?;
    }
    if up > 0 && coefficient != 0 {
        coefficient = coefficient.checked_mul(power(up.unsigned_abs())?)?;
    }
    let coefficient = if is_negative { -coefficient } else { coefficient };
    // Checks the scale.
    Decimal { coefficient, scale }.rescale(scale).map(Amount::Finite)
}

/// Appends it as the server does, without zero digits in front and behind. `None` if it can't be
/// written; then something may have been appended.
pub(super) fn put(out: &mut Vec<u8>, value: Decimal) -> Option<()> {
    let scale = u32::from(value.scale);
    let magnitude = value.coefficient.unsigned_abs();
    let unit = power(scale)?.unsigned_abs();
    let (mut whole, mut fraction) = (magnitude / unit, magnitude % unit);
    let mut digits = [0_u16; 24];
    let mut first = digits.len();
    let mut push = |digit: u128| {
        first = first.checked_sub(1)?;
        *digits.get_mut(first)? = u16::try_from(digit).ok()?;
        Some(())
    };
    // The point stands between two digits to the base of 10,000, so that the last may have zeros behind
    // the scale. Only that digit is widened by them: the whole number might not hold them.
    if scale % 4 > 0 {
        let (part, zeros) =
            (power(scale % 4)?.unsigned_abs(), power(4 - scale % 4)?.unsigned_abs());
        push(fraction % part * zeros)?;
        fraction /= part;
    }
    for _ in 0..scale / 4 {
        push(fraction % 10_000)?;
        fraction /= 10_000;
    }
    let mut before = 0_i32;
    while whole > 0 {
        push(whole % 10_000)?;
        whole /= 10_000;
        before += 1;
    }
    let all = digits.get(first..)?;
    let zeros = all.iter().take_while(|digit| **digit == 0).count();
    let all = all.get(zeros..)?;
    let used = all.iter().rposition(|digit| *digit != 0).map_or(0, |last| last + 1);
    let all = all.get(..used)?;
    let weight = if all.is_empty() { 0 } else { before - 1 - i32::try_from(zeros).ok()? };
    out.extend(u16::try_from(all.len()).ok()?.to_be_bytes());
    out.extend(i16::try_from(weight).ok()?.to_be_bytes());
    let is_negative = value.coefficient < 0;
    out.extend(if is_negative { NEGATIVE } else { 0 }.to_be_bytes());
    out.extend(value.scale.to_be_bytes());
    out.extend(all.iter().flat_map(|digit| digit.to_be_bytes()));
    Some(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).expect(text)
    }

    fn written(value: Decimal) -> Vec<u8> {
        let mut out = Vec::new();
        put(&mut out, value).expect("can be written");
        out
    }

    #[test]
    fn numbers_are_written_as_the_server_does() {
        // From the server: select numeric_send(x).
        for (text, bytes) in [
            ("12.34", &[0, 2, 0, 0, 0, 0, 0, 2, 0, 12, 0x0d, 0x48][..]),
            ("-0.0005", &[0, 1, 255, 255, 0x40, 0, 0, 4, 0, 5]),
            ("30000", &[0, 1, 0, 1, 0, 0, 0, 0, 0, 3]),
            ("0.00000007", &[0, 1, 255, 254, 0, 0, 0, 8, 0, 7]),
            ("0", &[0, 0, 0, 0, 0, 0, 0, 0]),
            ("0.00", &[0, 0, 0, 0, 0, 0, 0, 2]),
        ] {
            assert_eq!(written(decimal(text)), bytes, "{text}");
            assert_eq!(read(bytes), Some(Amount::Finite(decimal(text))), "{text}");
        }
        assert_eq!(read(&[0, 0, 0, 0, 0xc0, 0, 0, 0]), Some(Amount::Beyond));
    }

    #[test]
    fn what_is_no_number_is_none() {
        for bytes in [
            &[][..],
            &[0, 1, 0, 0, 0, 0, 0, 0],
            &[0, 1, 0, 0, 0, 0, 0, 0, 0x27, 0x10],
            &[0, 0, 0, 0, 0x12, 0, 0, 0],
            // A digit behind its scale.
            &[0, 2, 0, 0, 0, 0, 0, 1, 0, 12, 0x0d, 0x48],
            // More digits than are counted with.
            &[0, 1, 0x7f, 255, 0, 0, 0, 0, 0, 1],
            &[0, 1, 0, 0, 0, 0, 0x3f, 0xff, 0, 1],
        ] {
            assert_eq!(read(bytes), None, "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_the_same(coefficient: i128, scale in 0_u16..39, down in 0_u32..120) {
            let value = Decimal { coefficient: coefficient >> down, scale };
            prop_assert_eq!(read(&written(value)), Some(Amount::Finite(value)));
        }

        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            let _ = read(&bytes);
        }
    }
}
