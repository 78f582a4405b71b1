//! Algorithms over characters, and over bytes, which are cut alike.

use smallvec::SmallVec;

use super::{
    Key, Shown, WHOLE,
    algorithm::{Algorithm, Ends, PARTS_MAX, Slice},
    key::put_hex,
};

/// The most bytes that `inner` and `outer` put in place of one run of characters: a long value with a
/// long substitution isn't made many times as long.
pub const RUN_BYTES_MAX: usize = 1 << 16;

/// Appends what becomes of a text.
pub fn mask(algorithm: &Algorithm, value: &str, key: &Key, out: &mut Vec<u8>) -> Shown {
    mask_text(algorithm, Text::of(value), key, out)
}

/// As [`mask`], of what should be a text in UTF-8. What isn't is NULL.
pub fn mask_utf8(algorithm: &Algorithm, value: &[u8], key: &Key, out: &mut Vec<u8>) -> Shown {
    // PERFORMANCE: most are ASCII, and that is known sooner than that a text is UTF-8.
    if value.is_ascii() {
        return mask_text(algorithm, Text { bytes: value, beyond_ascii: None }, key, out);
    }
    match std::str::from_utf8(value) {
        Ok(text) => mask_text(algorithm, Text { bytes: value, beyond_ascii: Some(text) }, key, out),
        Err(_) => Shown::Null,
    }
}

/// A text, and whether its bytes are its characters.
#[derive(Clone, Copy)]
struct Text<'a> {
    bytes: &'a [u8],
    /// The same, if there is more than ASCII in it.
    beyond_ascii: Option<&'a str>,
}

impl<'a> Text<'a> {
    fn of(text: &'a str) -> Self {
        Self { bytes: text.as_bytes(), beyond_ascii: (!text.is_ascii()).then_some(text) }
    }
}

fn mask_text(algorithm: &Algorithm, value: Text<'_>, key: &Key, out: &mut Vec<u8>) -> Shown {
    match algorithm {
        Algorithm::Null
        // What these make isn't a text.
        | Algorithm::Bucket { .. }
        | Algorithm::Truncate { .. }
        | Algorithm::Shift { .. }
        | Algorithm::Json { .. } => return Shown::Null,
        Algorithm::Fixed { value } => out.extend_from_slice(value.as_bytes()),
        Algorithm::Hash => put_hex(out, &key.hash(value.bytes)),
        Algorithm::Email => match value.beyond_ascii {
            Some(text) => any_email(text, out),
            None => ascii_email(value.bytes, out),
        },
        Algorithm::Card => card(value.bytes, out),
        Algorithm::Full { .. }
        | Algorithm::Partial
        | Algorithm::Range { .. }
        | Algorithm::Inner(_)
        | Algorithm::Outer(_) => cut(algorithm, Units::of_text(value), out),
    }
    Shown::Value
}

/// Appends what becomes of bytes. `hash` gives the 32 bytes of the digest.
pub fn mask_bytes(algorithm: &Algorithm, value: &[u8], key: &Key, out: &mut Vec<u8>) -> Shown {
    match algorithm {
        Algorithm::Null
        | Algorithm::Bucket { .. }
        | Algorithm::Truncate { .. }
        | Algorithm::Shift { .. }
        | Algorithm::Email
        | Algorithm::Card
        | Algorithm::Json { .. } => return Shown::Null,
        Algorithm::Fixed { value } => out.extend_from_slice(value.as_bytes()),
        Algorithm::Hash => out.extend(key.hash(value)),
        Algorithm::Full { .. }
        | Algorithm::Partial
        | Algorithm::Range { .. }
        | Algorithm::Inner(_)
        | Algorithm::Outer(_) => cut(algorithm, Units::of_bytes(value), out),
    }
    Shown::Value
}

/// The algorithms that keep parts by their place, and `full`.
fn cut(algorithm: &Algorithm, value: Units<'_>, out: &mut Vec<u8>) {
    match algorithm {
        Algorithm::Full { with } => out.extend_from_slice(with.as_bytes()),
        Algorithm::Partial => partial(value, out),
        Algorithm::Range { slices } => range(slices, value, out),
        Algorithm::Inner(ends) => inner(ends, value, out),
        Algorithm::Outer(ends) => outer(ends, value, out),
        Algorithm::Email
        | Algorithm::Card
        | Algorithm::Bucket { .. }
        | Algorithm::Fixed { .. }
        | Algorithm::Hash
        | Algorithm::Json { .. }
        | Algorithm::Null
        | Algorithm::Shift { .. }
        // Fail closed: who comes here by mistake shows nothing of the value.
        | Algorithm::Truncate { .. } => whole(out),
    }
}

fn whole(out: &mut Vec<u8>) {
    out.extend_from_slice(WHOLE.as_bytes());
}

/// A value in the units that algorithms count: characters of a text, or bytes.
#[derive(Clone, Copy)]
struct Units<'a> {
    bytes: &'a [u8],
    /// The text, where a unit isn't a byte.
    text: Option<&'a str>,
    length: usize,
}

impl<'a> Units<'a> {
    fn of_bytes(bytes: &'a [u8]) -> Self {
        Self { bytes, text: None, length: bytes.len() }
    }

    fn of_text(text: Text<'a>) -> Self {
        match text.beyond_ascii {
            None => Self::of_bytes(text.bytes),
            Some(beyond) => {
                Self { bytes: text.bytes, text: Some(beyond), length: beyond.chars().count() }
            }
        }
    }

    /// Where the unit begins in the bytes; the end for all behind.
    fn offset(&self, unit: usize) -> usize {
        match self.text {
            None => unit.min(self.length),
            Some(text) => text.char_indices().nth(unit).map_or(text.len(), |(at, _)| at),
        }
    }

    fn slice(&self, from: usize, until: usize) -> &'a [u8] {
        self.bytes.get(self.offset(from)..self.offset(until)).unwrap_or_default()
    }
}

fn partial(value: Units<'_>, out: &mut Vec<u8>) {
    let quarter = value.length / 4;
    if quarter == 0 {
        out.extend_from_slice(b"****");
        return;
    }
    out.extend_from_slice(b"**");
    out.extend_from_slice(value.slice(quarter, quarter.saturating_mul(3)));
    out.extend_from_slice(b"**");
}

/// So many substitutions, up to [`RUN_BYTES_MAX`].
fn run(with: &str, count: usize, out: &mut Vec<u8>) {
    let most = RUN_BYTES_MAX / with.len().max(1);
    if let [byte] = with.as_bytes() {
        out.resize(out.len().saturating_add(count.min(most)), *byte);
        return;
    }
    for _ in 0..count.min(most) {
        out.extend_from_slice(with.as_bytes());
    }
}

/// What `inner` and `outer` make of a value without a middle.
fn six(with: &str, out: &mut Vec<u8>) {
    run(with, 6, out);
}

fn inner(ends: &Ends, value: Units<'_>, out: &mut Vec<u8>) {
    let (prefix, suffix) = (usize::from(ends.prefix), usize::from(ends.suffix));
    // Fail closed: without a middle, keeping the ends would show all of it.
    let Some(middle @ 1..) = value.length.checked_sub(prefix.saturating_add(suffix)) else {
        return six(&ends.with, out);
    };
    out.extend_from_slice(value.slice(0, prefix));
    run(&ends.with, middle, out);
    out.extend_from_slice(value.slice(prefix.saturating_add(middle), value.length));
}

fn outer(ends: &Ends, value: Units<'_>, out: &mut Vec<u8>) {
    let (prefix, suffix) = (usize::from(ends.prefix), usize::from(ends.suffix));
    let Some(middle @ 1..) = value.length.checked_sub(prefix.saturating_add(suffix)) else {
        return six(&ends.with, out);
    };
    run(&ends.with, prefix, out);
    out.extend_from_slice(value.slice(prefix, prefix.saturating_add(middle)));
    run(&ends.with, suffix, out);
}

fn range(slices: &[Slice], value: Units<'_>, out: &mut Vec<u8>) {
    let mut cuts: SmallVec<[(usize, usize, &str); PARTS_MAX]> = SmallVec::new();
    for slice in slices {
        let start = place(slice.start, value.length);
        // Fail closed: a value that ends before the slice would be shown.
        if start >= value.length {
            return whole(out);
        }
        let end = place(slice.end, value.length).min(value.length);
        cuts.push((start, end.max(start.saturating_add(1)), &slice.with));
    }
    // A stable order: of slices with one start, the first written gives its text.
    cuts.sort_by_key(|(start, ..)| *start);
    let mut shown = 0;
    let mut cuts = cuts.into_iter().peekable();
    while let Some((start, mut end, with)) = cuts.next() {
        while let Some((_, further, _)) = cuts.next_if(|(next, ..)| *next < end) {
            end = end.max(further);
        }
        out.extend_from_slice(value.slice(shown, start));
        out.extend_from_slice(with.as_bytes());
        shown = end;
    }
    out.extend_from_slice(value.slice(shown, value.length));
}

/// An index from the end, if it is negative: −1 is the end itself. Never below 0.
fn place(index: i32, length: usize) -> usize {
    let back = usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX);
    if index < 0 { length.saturating_add(1).saturating_sub(back) } else { back }
}

/// As [`any_email`]. PERFORMANCE: nearly all are so, and their bytes are characters.
fn ascii_email(value: &[u8], out: &mut Vec<u8>) {
    // With a second `@` the domain is none.
    let at = value.iter().position(|byte| classes_of(*byte) & LOCAL == 0);
    let parts = at.and_then(|at| value.split_at_checked(at));
    let Some((local, [b'@', domain @ ..])) = parts else { return whole(out) };
    if local.is_empty() || !is_ascii_domain(domain) {
        return whole(out);
    }
    if let [first, _, ..] = local {
        out.push(*first);
    }
    out.extend_from_slice(b"***@");
    out.extend_from_slice(domain);
}

/// As [`is_domain`].
fn is_ascii_domain(text: &[u8]) -> bool {
    let (mut dots, mut label, mut seen) = (0_usize, 0_usize, 0);
    for (at, byte) in text.iter().enumerate() {
        let classes = classes_of(*byte);
        if classes & LABEL > 0 {
            seen |= classes;
        } else if *byte == b'.' && label < at {
            (dots, label, seen) = (dots + 1, at + 1, 0);
        } else {
            return false;
        }
    }
    text.len() <= 253 && dots > 0 && seen & LETTER > 0
}

/// What a byte may be in an address, as bits.
const CLASSES: [u8; 256] = {
    let mut classes = [0_u8; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        let local = if byte.is_ascii_graphic() && byte != b'@' { LOCAL } else { 0 };
        let label = if byte.is_ascii_alphanumeric() || byte == b'-' { LABEL } else { 0 };
        let letter = if byte.is_ascii_alphabetic() { LETTER } else { 0 };
        #[expect(clippy::indexing_slicing, reason = "checked when this is compiled")]
        {
            classes[byte as usize] = local | label | letter;
        }
        byte += 1;
    }
    classes
};
/// Before the `@`.
const LOCAL: u8 = 1;
/// In a label of a domain.
const LABEL: u8 = 2;
/// A letter.
const LETTER: u8 = 4;

fn classes_of(byte: u8) -> u8 {
    CLASSES.get(usize::from(byte)).copied().unwrap_or(0)
}

fn any_email(value: &str, out: &mut Vec<u8>) {
    let Some((local, domain)) = value.rsplit_once('@').filter(|(_, domain)| is_domain(domain))
    else {
        return whole(out);
    };
    let mut characters = local.chars();
    // Fail closed: an address in words around it, or with a second one, isn't just an address.
    if local.chars().any(|c| c == '@' || c.is_whitespace() || c.is_control()) {
        return whole(out);
    }
    match (characters.next(), characters.next()) {
        (None, _) => return whole(out),
        // The first character would be all of it.
        (Some(_), None) => {}
        (Some(first), Some(_)) => {
            out.extend_from_slice(first.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
    out.extend_from_slice(b"***@");
    out.extend_from_slice(domain.as_bytes());
}

/// Labels of letters, digits and hyphens with dots between, the last one not of digits alone.
fn is_domain(text: &str) -> bool {
    let Some((_, last)) = text.rsplit_once('.') else { return false };
    text.len() <= 253
        && text.split('.').all(|label| {
            !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-')
        })
        && last.chars().any(char::is_alphabetic)
}

fn card(value: &[u8], out: &mut Vec<u8>) {
    let digits = value.iter().filter(|byte| byte.is_ascii_digit()).count();
    let is_card = (12..=19).contains(&digits)
        && value.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b' ' | b'-'));
    if !is_card {
        return whole(out);
    }
    let start = out.len();
    out.extend_from_slice(value);
    let shown = out.get_mut(start..).unwrap_or_default();
    let places = shown.iter_mut().filter(|byte| byte.is_ascii_digit());
    for place in places.take(digits.saturating_sub(4)) {
        *place = b'*';
    }
}

#[cfg(test)]
mod tests;
