//! Arrays, masked element by element. Dimensions, bounds and NULL elements stay.

use super::{Cell, one, value::quote_element};
use crate::{
    kernel::mask::{Shown, spare::with_room},
    wire::{
        WireError,
        pg::body::{Body, put_value},
    },
};

/// The most dimensions the server has.
const DIMENSIONS_MAX: usize = 6;

/// Spec: `{1,NULL,"a \"b\""}`, braces inside braces for more dimensions, and `[0:1]=` in front where
/// bounds don't begin at 1. `None` for what isn't exactly that.
pub(super) fn text(how: &Cell<'_>, cell: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut rest = cell;
    if rest.first() == Some(&b'[') {
        let end = rest.iter().position(|byte| *byte == b'=')?;
        let (bounds, behind) = rest.split_at_checked(end)?;
        let is_bound = |byte: &u8| matches!(byte, b'0'..=b'9' | b'[' | b']' | b':' | b'-');
        if !bounds.iter().all(is_bound) {
            return None;
        }
        out.extend_from_slice(bounds);
        out.push(b'=');
        rest = behind.get(1..)?;
    }
    let (mut depth, mut wanted) = (0_usize, Wanted::Array);
    while let [first, behind @ ..] = rest {
        match (wanted, first) {
            (Wanted::Array | Wanted::FirstItem | Wanted::Item, b'{') if depth < DIMENSIONS_MAX => {
                depth = depth.saturating_add(1);
                wanted = Wanted::FirstItem;
            }
            (Wanted::FirstItem | Wanted::Next, b'}') => {
                depth = depth.saturating_sub(1);
                wanted = if depth == 0 { Wanted::End } else { Wanted::Next };
            }
            (Wanted::Next, b',') => wanted = Wanted::Item,
            (Wanted::FirstItem | Wanted::Item, _) => {
                rest = element(how, rest, out)?;
                wanted = Wanted::Next;
                continue;
            }
            (Wanted::Array | Wanted::Next | Wanted::End, _) => return None,
        }
        out.push(*first);
        rest = behind;
    }
    (wanted == Wanted::End).then_some(())
}

/// What may come next in the text of an array.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// The first brace.
    Array,
    /// An element, another brace, or the end of an empty one.
    FirstItem,
    /// An element or another brace.
    Item,
    /// A comma or a closing brace.
    Next,
    /// Nothing.
    End,
}

/// Masks one element; what is behind it.
fn element<'a>(how: &Cell<'_>, text: &'a [u8], out: &mut Vec<u8>) -> Option<&'a [u8]> {
    let start = out.len();
    let (shown, rest) = if let Some(quoted) = text.strip_prefix(b"\"") {
        let end = quoted.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
        let (element, rest) = quoted.split_at_checked(end)?;
        match rest.split_first()? {
            (b'"', behind) => (one(how, element, out), behind),
            _ => with_room(|element| {
                let rest = read_quoted(quoted, element)?;
                Some((one(how, element, out), rest))
            })?,
        }
    } else {
        let end = text.iter().position(|byte| matches!(byte, b',' | b'}'))?;
        let (element, rest) = text.split_at_checked(end)?;
        if element.is_empty() || element.iter().any(|byte| matches!(byte, b'"' | b'\\' | b'{')) {
            return None;
        }
        let is_null = element.eq_ignore_ascii_case(b"null");
        (if is_null { Shown::Null } else { one(how, element, out) }, rest)
    };
    match shown {
        Shown::Value => quote_element(out, start),
        Shown::Null => {
            out.truncate(start);
            out.extend_from_slice(b"NULL");
        }
    }
    Some(rest)
}

/// Appends what stands before the closing quote, escapes read; what is behind it.
fn read_quoted<'a>(text: &'a [u8], out: &mut Vec<u8>) -> Option<&'a [u8]> {
    let mut rest = text;
    loop {
        match rest {
            [b'"', behind @ ..] => return Some(behind),
            [b'\\', escaped, behind @ ..] => {
                out.push(*escaped);
                rest = behind;
            }
            [b'\\'] | [] => return None,
            [plain, behind @ ..] => {
                out.push(*plain);
                rest = behind;
            }
        }
    }
}

/// Spec: how many dimensions, whether an element is NULL, the elements' type; of each dimension its
/// length and first index; then each element as a length and bytes. `None` for what isn't exactly that.
pub(super) fn binary(how: &Cell<'_>, cell: &[u8], out: &mut Vec<u8>) -> Option<()> {
    binary_elements(how, cell, out).ok()
}

fn binary_elements(how: &Cell<'_>, cell: &[u8], out: &mut Vec<u8>) -> Result<(), WireError> {
    let bad = WireError::BadValue { what: "array" };
    let mut body = Body::new(0, cell);
    let dimensions = usize::try_from(body.i32()?).map_err(|_| bad)?;
    let flags = body.i32()?;
    body.oid()?;
    if dimensions > DIMENSIONS_MAX || !matches!(flags, 0 | 1) {
        return Err(bad);
    }
    let mut count = usize::from(dimensions > 0);
    for _ in 0..dimensions {
        let length = usize::try_from(body.i32()?).map_err(|_| bad)?;
        count = count.checked_mul(length).ok_or(bad)?;
        body.i32()?;
    }
    let start = out.len();
    let head = dimensions.saturating_mul(8).saturating_add(12);
    out.extend_from_slice(cell.get(..head).ok_or(bad)?);
    let mut has_null = false;
    for _ in 0..count {
        let Some(element) = body.value()? else {
            has_null = true;
            put_value(out, None);
            continue;
        };
        let place = out.len();
        put_value(out, Some(&[]));
        let shown = one(how, element, out);
        has_null |= shown == Shown::Null;
        set_length(out, place, shown).ok_or(bad)?;
    }
    body.end()?;
    if let Some(flag) = out.get_mut(start.saturating_add(7)) {
        *flag = u8::from(has_null);
    }
    Ok(())
}

/// Fills in the length at `place` of what was written behind it: −1 for NULL, whose bytes go. `None` if
/// it is longer than a length can say.
pub(in crate::wire::pg) fn set_length(out: &mut Vec<u8>, place: usize, shown: Shown) -> Option<()> {
    let behind = place.checked_add(4)?;
    let length = match shown {
        Shown::Value => i32::try_from(out.len().checked_sub(behind)?).ok()?,
        Shown::Null => {
            out.truncate(behind);
            -1
        }
    };
    *out.get_mut(place..behind)?.first_chunk_mut::<4>()? = length.to_be_bytes();
    Some(())
}
