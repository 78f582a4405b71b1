//! Algorithms over JSON documents. What isn't masked stays byte by byte as it was.
//!
//! `json` masks what stands at its paths. Where a document has another shape than a path expects:
//!
//! - A name on an array is looked for in each of its elements; an index on what is no array means the
//!   value itself.
//! - A name on a text, a number or a truth value makes that null. Fail closed: what the path would hide
//!   may be inside (a document in a text, for example).
//! - A name that isn't there, an index behind the end, and null: nothing to mask.
//!
//! Another algorithm masks the value itself: texts as texts, numbers as decimals, of arrays each
//! element. An object becomes null, since its names may tell as much as its values; `$.a.*` masks
//! inside. `full` and `fixed` replace whatever it is; a `fixed` value that reads as JSON stands as JSON,
//! every other as a text. null stays null.

use std::io::Write as _;

use super::{
    Key, Shown,
    algorithm::{Algorithm, JsonPart, PARTS_MAX},
    decimal::Decimal,
    number,
    path::Step,
    spare::with_room,
    text,
};

/// The deepest nesting that is read; deeper documents are NULL.
pub const DEPTH_MAX: usize = 200;

/// Appends what becomes of a document. What is no JSON, or nested deeper than [`DEPTH_MAX`], is NULL; so
/// is a document that an algorithm other than `json` would make null.
pub fn mask(algorithm: &Algorithm, document: &str, key: &Key, out: &mut Vec<u8>) -> Shown {
    let start = out.len();
    let (mode, parts) = match algorithm {
        Algorithm::Null => return Shown::Null,
        Algorithm::Json { parts } => (Mode::Paths(Waiting::at_root()), &**parts),
        Algorithm::Email
        | Algorithm::Card
        | Algorithm::Bucket { .. }
        | Algorithm::Fixed { .. }
        | Algorithm::Full { .. }
        | Algorithm::Hash
        | Algorithm::Inner(_)
        | Algorithm::Outer(_)
        | Algorithm::Partial
        | Algorithm::Range { .. }
        | Algorithm::Shift { .. }
        | Algorithm::Truncate { .. } => (Mode::Mask(algorithm), &[][..]),
    };
    let mut walk = Walk { text: document, at: 0, copied: 0, nulled: false, parts, key, out };
    let read = walk.document(mode);
    let nulled = walk.nulled;
    if read.is_none() || (nulled && out.get(start..).map(<[u8]>::trim_ascii) == Some(b"null")) {
        out.truncate(start);
        return Shown::Null;
    }
    Shown::Value
}

/// What becomes of the value that is read now.
#[derive(Clone, Copy)]
enum Mode<'a> {
    /// Nothing.
    Pass,
    /// It is masked so.
    Mask(&'a Algorithm),
    /// It depends on where it stands.
    Paths(Waiting),
}

/// For each path, the step that must match next; [`Waiting::OFF`] where it led elsewhere.
#[derive(Clone, Copy)]
struct Waiting([u8; PARTS_MAX]);

impl Waiting {
    const OFF: u8 = u8::MAX;

    fn at_root() -> Self {
        Self([0; PARTS_MAX])
    }

    /// Each path moved on by its next step: further in, staying, or off the way.
    fn moved(mut self, parts: &[JsonPart], on: impl Fn(&Step) -> Move) -> Self {
        for (part, next) in parts.iter().zip(&mut self.0) {
            let Some(step) = part.path.steps().get(usize::from(*next)) else { continue };
            match on(step) {
                Move::In => *next = next.saturating_add(1),
                Move::Stay => {}
                Move::Off => *next = Self::OFF,
            }
        }
        self
    }

    /// The first path that ends here.
    fn ends(self, parts: &[JsonPart]) -> Option<&JsonPart> {
        parts
            .iter()
            .zip(self.0)
            .find(|(p, at)| p.path.steps().len() == usize::from(*at))
            .map(|(p, _)| p)
    }

    /// True if a path's next step is an element's.
    fn waits_for_element(self, parts: &[JsonPart]) -> bool {
        parts.iter().zip(self.0).any(|(part, at)| {
            matches!(
                part.path.steps().get(usize::from(at)),
                Some(Step::Element(_) | Step::AnyElement)
            )
        })
    }

    /// True if a path leads further in.
    fn leads_on(self, parts: &[JsonPart]) -> bool {
        parts.iter().zip(self.0).any(|(part, at)| part.path.steps().get(usize::from(at)).is_some())
    }
}

/// What one step of a path makes of a value.
enum Move {
    In,
    Stay,
    Off,
}

/// One pass over a document. `None` from its functions: it is no JSON.
struct Walk<'a, 'o> {
    text: &'a str,
    at: usize,
    /// Up to here the text is in `out`, or replaced.
    copied: usize,
    /// A value was replaced by null.
    nulled: bool,
    parts: &'a [JsonPart],
    key: &'a Key,
    out: &'o mut Vec<u8>,
}

impl<'a> Walk<'a, '_> {
    fn document(&mut self, mode: Mode<'a>) -> Option<()> {
        self.blanks();
        self.value(mode, 0)?;
        self.blanks();
        if self.at < self.text.len() {
            return None;
        }
        self.copy_until(self.text.len());
        Some(())
    }

    fn value(&mut self, mode: Mode<'a>, depth: usize) -> Option<()> {
        if depth > DEPTH_MAX {
            return None;
        }
        let first = self.peek()?;
        match self.settled(mode, first) {
            Mode::Mask(algorithm) => self.masked(algorithm, first, depth),
            mode @ (Mode::Pass | Mode::Paths(_)) => match first {
                b'{' => self.object(mode, depth),
                b'[' => self.array(mode, depth),
                b'"' => self.string().map(|_| ()),
                b't' => self.word("true"),
                b'f' => self.word("false"),
                b'n' => self.word("null"),
                _ => self.number(),
            },
        }
    }

    /// The mode once it is known what kind of value stands here.
    fn settled(&self, mode: Mode<'a>, first: u8) -> Mode<'a> {
        let Mode::Paths(mut waiting) = mode else { return mode };
        if first != b'[' {
            // An index on what is no array means the value itself; a few may follow each other, and no
            // step is taken twice.
            while waiting.waits_for_element(self.parts) {
                waiting = waiting.moved(self.parts, |step| match step {
                    Step::Element(_) | Step::AnyElement => Move::In,
                    Step::Member(_) | Step::AnyMember => Move::Stay,
                });
            }
        }
        if let Some(part) = waiting.ends(self.parts) {
            return Mode::Mask(&part.with);
        }
        if !waiting.leads_on(self.parts) {
            return Mode::Pass;
        }
        if matches!(first, b'{' | b'[' | b'n') {
            return Mode::Paths(waiting);
        }
        // Fail closed: what the path would hide may be inside.
        Mode::Mask(&Algorithm::Null)
    }

    fn object(&mut self, mode: Mode<'a>, depth: usize) -> Option<()> {
        self.take(b'{')?;
        self.blanks();
        if self.peek()? == b'}' {
            return self.take(b'}');
        }
        loop {
            self.blanks();
            let name = self.string()?;
            self.blanks();
            self.take(b':')?;
            self.blanks();
            let inside = match mode {
                Mode::Pass | Mode::Mask(_) => Mode::Pass,
                Mode::Paths(waiting) => Mode::Paths(waiting.moved(self.parts, |step| match step {
                    Step::AnyMember => Move::In,
                    Step::Member(wanted) if may_be(name, wanted) => Move::In,
                    Step::Member(_) => Move::Off,
                    Step::Element(_) | Step::AnyElement => Move::Off,
                })),
            };
            self.value(inside, depth.saturating_add(1))?;
            self.blanks();
            match self.peek()? {
                b',' => self.take(b',')?,
                _ => return self.take(b'}'),
            }
        }
    }

    fn array(&mut self, mode: Mode<'a>, depth: usize) -> Option<()> {
        self.take(b'[')?;
        self.blanks();
        if self.peek()? == b']' {
            return self.take(b']');
        }
        let mut index = 0_u32;
        loop {
            let inside = match mode {
                Mode::Pass | Mode::Mask(_) => mode,
                Mode::Paths(waiting) => Mode::Paths(waiting.moved(self.parts, |step| match step {
                    Step::AnyElement => Move::In,
                    Step::Element(at) if *at == index => Move::In,
                    Step::Element(_) => Move::Off,
                    Step::Member(_) | Step::AnyMember => Move::Stay,
                })),
            };
            self.blanks();
            self.value(inside, depth.saturating_add(1))?;
            self.blanks();
            index = index.saturating_add(1);
            match self.peek()? {
                b',' => self.take(b',')?,
                _ => return self.take(b']'),
            }
        }
    }

    /// Replaces the value that begins here.
    fn masked(&mut self, algorithm: &'a Algorithm, first: u8, depth: usize) -> Option<()> {
        let replaces =
            matches!(algorithm, Algorithm::Full { .. } | Algorithm::Fixed { .. } | Algorithm::Null);
        if first == b'[' && !replaces {
            return self.array(Mode::Mask(algorithm), depth);
        }
        let start = self.at;
        self.value(Mode::Pass, depth)?;
        let value = self.text.get(start..self.at)?;
        if first == b'n' {
            return Some(());
        }
        self.copy_until(start);
        self.copied = self.at;
        let before = self.out.len();
        if self.put_masked(algorithm, value) == Shown::Null {
            self.out.truncate(before);
            self.out.extend_from_slice(b"null");
            self.nulled = true;
        }
        Some(())
    }

    /// Appends the mask of one value that isn't null and isn't masked element by element.
    fn put_masked(&mut self, algorithm: &Algorithm, value: &str) -> Shown {
        match algorithm {
            Algorithm::Full { with } => put_string(self.out, with),
            Algorithm::Fixed { value } if is_json(value, self.key) => {
                self.out.extend_from_slice(value.as_bytes());
            }
            Algorithm::Fixed { value } => put_string(self.out, value),
            Algorithm::Email
            | Algorithm::Card
            | Algorithm::Bucket { .. }
            | Algorithm::Hash
            | Algorithm::Inner(_)
            | Algorithm::Json { .. }
            | Algorithm::Null
            | Algorithm::Outer(_)
            | Algorithm::Partial
            | Algorithm::Range { .. }
            | Algorithm::Shift { .. }
            | Algorithm::Truncate { .. } => {
                if let Some(inside) = value.strip_prefix('"').and_then(|v| v.strip_suffix('"')) {
                    return self.put_masked_string(algorithm, inside);
                }
                match number::decimal(algorithm, Decimal::parse_exponent(value)) {
                    Some(masked) => drop(write!(self.out, "{masked}")),
                    None => return Shown::Null,
                }
            }
        }
        Shown::Value
    }

    fn put_masked_string(&mut self, algorithm: &Algorithm, inside: &str) -> Shown {
        self.out.push(b'"');
        let start = self.out.len();
        let shown = if inside.contains('\\') {
            with_room(|value| {
                if read_string(inside, value).is_none() {
                    return Shown::Null;
                }
                let Ok(value) = std::str::from_utf8(value) else { return Shown::Null };
                text::mask(algorithm, value, self.key, self.out)
            })
        } else {
            text::mask(algorithm, inside, self.key, self.out)
        };
        if shown == Shown::Null {
            return Shown::Null;
        }
        if self.out.get(start..).is_some_and(|tail| tail.iter().any(|byte| is_escaped(*byte))) {
            with_room(|value| {
                value.extend_from_slice(self.out.get(start..).unwrap_or_default());
                self.out.truncate(start);
                put_escaped(self.out, value);
            });
        }
        self.out.push(b'"');
        Shown::Value
    }

    fn copy_until(&mut self, end: usize) {
        self.out.extend_from_slice(self.text.as_bytes().get(self.copied..end).unwrap_or_default());
        self.copied = end;
    }

    // What JSON is made of. Spec: RFC 8259.

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at = self.at.saturating_add(1))
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at = self.at.saturating_add(1);
        }
    }

    fn word(&mut self, word: &str) -> Option<()> {
        let end = self.at.saturating_add(word.len());
        (self.text.get(self.at..end)? == word).then(|| self.at = end)
    }

    /// What is between the quotes, as it stands there.
    fn string(&mut self) -> Option<&'a str> {
        self.take(b'"')?;
        let start = self.at;
        loop {
            let byte = self.peek()?;
            match byte {
                b'"' => {
                    let inside = self.text.get(start..self.at)?;
                    self.take(b'"')?;
                    return Some(inside);
                }
                b'\\' => {
                    self.at = self.at.saturating_add(1);
                    self.escape()?;
                }
                0..0x20 => return None,
                _ => self.at = self.at.saturating_add(1),
            }
        }
    }

    fn escape(&mut self) -> Option<()> {
        let kind = self.peek()?;
        self.at = self.at.saturating_add(1);
        match kind {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(()),
            b'u' => {
                let end = self.at.saturating_add(4);
                let digits = self.text.as_bytes().get(self.at..end)?;
                digits.iter().all(u8::is_ascii_hexdigit).then(|| self.at = end)
            }
            _ => None,
        }
    }

    fn number(&mut self) -> Option<()> {
        if self.peek() == Some(b'-') {
            self.take(b'-')?;
        }
        let leading_zero = self.peek() == Some(b'0');
        let whole = self.digits()?;
        if leading_zero && whole > 1 {
            return None;
        }
        if self.peek() == Some(b'.') {
            self.take(b'.')?;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at = self.at.saturating_add(1);
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at = self.at.saturating_add(1);
            }
            self.digits()?;
        }
        Some(())
    }

    /// One digit or more; how many.
    fn digits(&mut self) -> Option<usize> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at = self.at.saturating_add(1);
        }
        self.at.checked_sub(start).filter(|count| *count > 0)
    }
}

/// True for a whole document.
fn is_json(text: &str, key: &Key) -> bool {
    with_room(|out| {
        let mut walk = Walk { text, at: 0, copied: 0, nulled: false, parts: &[], key, out };
        walk.document(Mode::Pass).is_some()
    })
}

/// True if the inside of a string may be this name. Fail closed: one that doesn't read may be any.
fn may_be(inside: &str, name: &str) -> bool {
    if !inside.contains('\\') {
        return inside == name;
    }
    with_room(|read| read_string(inside, read).is_none() || read == name.as_bytes())
}

/// Appends the characters of a string, escapes read. `None` for half a surrogate pair.
fn read_string(inside: &str, out: &mut Vec<u8>) -> Option<()> {
    let mut rest = inside;
    while let Some((plain, escaped)) = rest.split_once('\\') {
        out.extend_from_slice(plain.as_bytes());
        let mut characters = escaped.chars();
        let kind = characters.next()?;
        rest = characters.as_str();
        let character = match kind {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let mut unit = || {
                    let digits = rest.get(..4)?;
                    rest = rest.get(4..)?;
                    u32::from_str_radix(digits, 16).ok()
                };
                let first = unit()?;
                if (0xd800..0xdc00).contains(&first) {
                    rest = rest.strip_prefix("\\u")?;
                    let digits = rest.get(..4)?;
                    rest = rest.get(4..)?;
                    let second = u32::from_str_radix(digits, 16).ok()?;
                    let low = second.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
                    char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + low)?
                } else {
                    char::from_u32(first)?
                }
            }
            other => other,
        };
        out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    }
    out.extend_from_slice(rest.as_bytes());
    Some(())
}

fn put_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    put_escaped(out, text.as_bytes());
    out.push(b'"');
}

fn is_escaped(byte: u8) -> bool {
    byte < 0x20 || matches!(byte, b'"' | b'\\')
}

fn put_escaped(out: &mut Vec<u8>, text: &[u8]) {
    for byte in text {
        match byte {
            b'"' | b'\\' => out.extend([b'\\', *byte]),
            8 => out.extend_from_slice(b"\\b"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\n' => out.extend_from_slice(b"\\n"),
            12 => out.extend_from_slice(b"\\f"),
            b'\r' => out.extend_from_slice(b"\\r"),
            0..0x20 => {
                out.extend_from_slice(b"\\u00");
                super::key::put_hex(out, &[*byte]);
            }
            _ => out.push(*byte),
        }
    }
}

#[cfg(test)]
mod tests;
