//! Finding the few bytes that mean something among many that don't, many at a time.

const LANES: usize = 64;

/// Every place in a text where one of some bytes stands, from front to back.
pub(super) struct Signs<'a, const N: usize> {
    text: &'a [u8],
    signs: [[u8; LANES]; N],
    /// Where the block begins whose places are in `hits`.
    base: usize,
    /// Where the next block begins.
    next: usize,
    /// A bit for each place that hasn't been given, the first one lowest.
    hits: u64,
}

impl<'a, const N: usize> Signs<'a, N> {
    pub(super) fn new(text: &'a [u8], signs: [u8; N]) -> Self {
        Self { text, signs: signs.map(|sign| [sign; LANES]), base: 0, next: 0, hits: 0 }
    }

    /// The next place, and the byte there.
    #[inline]
    pub(super) fn next(&mut self) -> Option<(usize, u8)> {
        while self.hits == 0 {
            self.load()?;
        }
        let at = self.base + self.hits.trailing_zeros() as usize;
        self.hits &= self.hits.wrapping_sub(1);
        Some((at, *self.text.get(at)?))
    }

    /// Goes over a byte that follows the last place: it doesn't mean what it would elsewhere.
    #[inline(never)]
    pub(super) fn skip(&mut self, byte: u8) {
        if self.signs.iter().any(|sign| sign.first() == Some(&byte)) {
            // Nothing stands between, so it is the next one.
            self.next();
        }
    }

    #[inline(never)]
    fn load(&mut self) -> Option<()> {
        let rest = self.text.get(self.next..)?;
        self.base = self.next;
        if let Some(block) = rest.first_chunk() {
            self.hits = hits(block, &self.signs);
            self.next = self.next.saturating_add(LANES);
            return Some(());
        }
        if rest.is_empty() {
            return None;
        }
        self.next = self.text.len();
        let mut block = [0; LANES];
        block.get_mut(..rest.len())?.copy_from_slice(rest);
        let all = u64::MAX >> LANES.saturating_sub(rest.len());
        self.hits = hits(&block, &self.signs) & all;
        Some(())
    }
}

/// A bit for each place where one of the signs stands.
fn hits<const N: usize>(block: &[u8; LANES], signs: &[[u8; LANES]; N]) -> u64 {
    let mut found = [0; LANES];
    compare(block, signs, &mut found);
    let mut hits = 0;
    for eight in found.as_chunks::<8>().0.iter().rev() {
        // Multiplied so, the lowest bit of each byte comes to stand in the highest byte, side by side.
        let bits = u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        hits = hits << 8 | bits;
    }
    hits
}

/// PERFORMANCE: by itself, and over whole arrays, so that the compiler makes a few instructions on sixteen
/// bytes each of it.
#[inline(never)]
fn compare<const N: usize>(block: &[u8; LANES], signs: &[[u8; LANES]; N], found: &mut [u8; LANES]) {
    for (at, (found, byte)) in found.iter_mut().zip(block).enumerate() {
        let mut is_sign = false;
        for sign in signs {
            is_sign |= sign.get(at) == Some(byte);
        }
        *found = u8::from(is_sign);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn all_places_are_found_in_order(text in "[ab,\\\\\n]{0,270}") {
            let mut signs = Signs::new(text.as_bytes(), [b',', b'\n', b'\\']);
            let found: Vec<_> = std::iter::from_fn(|| signs.next()).collect();
            let places = text.bytes().enumerate().filter(|(_, byte)| matches!(byte, b',' | b'\n' | b'\\'));
            prop_assert_eq!(found, places.collect::<Vec<_>>());
        }

        #[test]
        fn no_byte_is_taken_for_another(text: Vec<u8>, sign: u8) {
            let mut signs = Signs::new(&text, [sign, 0]);
            let found: Vec<_> = std::iter::from_fn(|| signs.next()).collect();
            let places = text.iter().copied().enumerate().filter(|(_, byte)| [sign, 0].contains(byte));
            prop_assert_eq!(found, places.collect::<Vec<_>>());
        }
    }
}
