//! Making room for escapes in what was just written, without a second buffer.

/// Widens what stands behind `start`: before each byte for which `letter` gives one, `escape` is put, and
/// the letter in the byte's place; the whole is put between `quote`s, if there is one.
pub(super) fn widen(
    out: &mut Vec<u8>,
    start: usize,
    quote: Option<u8>,
    (escape, letter): (u8, impl Fn(u8) -> Option<u8>),
) {
    let before = out.len();
    let tail = out.get(start..).unwrap_or_default();
    let escapes = tail.iter().filter(|byte| letter(**byte).is_some()).count();
    let quotes = if quote.is_some() { 2 } else { 0 };
    if escapes.saturating_add(quotes) == 0 {
        return;
    }
    out.resize(before.saturating_add(escapes).saturating_add(quotes), 0);
    // From the back, so that nothing is written over before it has moved.
    let mut to = out.len();
    let mut put = |out: &mut Vec<u8>, byte: u8| {
        to = to.saturating_sub(1);
        if let Some(place) = out.get_mut(to) {
            *place = byte;
        }
    };
    if let Some(quote) = quote {
        put(out, quote);
    }
    for from in (start..before).rev() {
        let byte = out.get(from).copied().unwrap_or_default();
        match letter(byte) {
            Some(letter) => {
                put(out, letter);
                put(out, escape);
            }
            None => put(out, byte),
        }
    }
    if let Some(quote) = quote {
        put(out, quote);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_just_written_is_widened() {
        let escaped = |byte: u8| matches!(byte, b'"' | b'\\').then_some(byte);
        let mut out = b"a\"b\"\\c".to_vec();
        widen(&mut out, 2, Some(b'"'), (b'\\', escaped));
        assert_eq!(out, b"a\"\"b\\\"\\\\c\"");
        let mut out = b"\"xyz".to_vec();
        widen(&mut out, 1, None, (b'\\', escaped));
        assert_eq!(out, b"\"xyz");
        widen(&mut out, 4, Some(b'\''), (b'\\', escaped));
        assert_eq!(out, b"\"xyz''");
    }
}
