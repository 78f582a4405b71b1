//! Room for a value on its way from its cell to its mask, kept from one value to the next.

use std::cell::RefCell;

/// Longer room isn't kept: one value can have made it so.
const KEPT_BYTES_MAX: usize = 1 << 18;

thread_local! {
    /// More than one where a value is inside another: bytes in an array.
    static SPARE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// Does some work with an empty buffer that isn't allocated, unless it must be larger than ever before.
pub fn with_room<R>(work: impl FnOnce(&mut Vec<u8>) -> R) -> R {
    // A thread that ends has none any more.
    let spare = SPARE.try_with(|spare| spare.try_borrow_mut().ok()?.pop());
    let mut room = spare.ok().flatten().unwrap_or_default();
    let result = work(&mut room);
    if room.capacity() <= KEPT_BYTES_MAX {
        room.clear();
        let _ = SPARE.try_with(|spare| spare.try_borrow_mut().map(|mut spare| spare.push(room)));
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_inside_room_is_other_room_and_all_is_empty_at_first() {
        for _ in 0..3 {
            with_room(|outer| {
                assert!(outer.is_empty());
                outer.extend_from_slice(b"outer");
                with_room(|inner| {
                    assert!(inner.is_empty());
                    inner.extend_from_slice(b"inner");
                });
                assert_eq!(outer, b"outer");
            });
        }
        SPARE.with_borrow(|spare| assert_eq!(spare.len(), 2));
    }

    #[test]
    fn room_that_one_value_has_made_long_is_given_back() {
        with_room(|room| room.resize(2 * KEPT_BYTES_MAX, 0));
        SPARE.with_borrow(|spare| assert!(spare.is_empty()));
    }
}
