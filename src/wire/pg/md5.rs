//! The MD5 password answer, for upstreams that still ask for it.
//!
//! MD5 is broken for every other purpose, so it lives here and nowhere else; the gateway never asks
//! a client for it. Spec: RFC 1321; the answer is `md5` + hex(md5(hex(md5(password user)) salt)).

/// What answers an AuthenticationMD5Password.
pub fn answer(user: &[u8], password: &[u8], salt: [u8; 4]) -> Vec<u8> {
    let inner = hex(digest(&[password, user].concat()));
    let outer = hex(digest(&[&inner[..], &salt].concat()));
    [b"md5", &outer[..]].concat()
}

fn hex(digest: [u8; 16]) -> Vec<u8> {
    format!("{:032x}", u128::from_be_bytes(digest)).into_bytes()
}

/// How far each step rotates, by round.
const ROTATIONS: [[u32; 4]; 4] =
    [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];

fn digest(message: &[u8]) -> [u8; 16] {
    let mut padded = message.to_vec();
    padded.push(0x80);
    while padded.len() % 64 != 56 {
        padded.push(0);
    }
    padded.extend((message.len() as u64).wrapping_mul(8).to_le_bytes());
    let mut state = [0x6745_2301_u32, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
    for block in padded.chunks_exact(64) {
        let added = compress(state, block);
        for (word, more) in state.iter_mut().zip(added) {
            *word = word.wrapping_add(more);
        }
    }
    let mut out = [0; 16];
    for (byte, from) in out.iter_mut().zip(state.into_iter().flat_map(u32::to_le_bytes)) {
        *byte = from;
    }
    out
}

fn compress([mut a, mut b, mut c, mut d]: [u32; 4], block: &[u8]) -> [u32; 4] {
    let word = |at: usize| {
        let four = block.get(at.wrapping_mul(4)..).and_then(<[u8]>::first_chunk::<4>);
        four.map_or(0, |four| u32::from_le_bytes(*four))
    };
    for step in 0..64_usize {
        let (mixed, at) = match step / 16 {
            0 => ((b & c) | (!b & d), step),
            1 => ((d & b) | (!d & c), (step * 5 + 1) % 16),
            2 => (b ^ c ^ d, (step * 3 + 5) % 16),
            _ => (c ^ (b | !d), (step * 7) % 16),
        };
        let by = ROTATIONS.get(step / 16).and_then(|round| round.get(step % 4)).copied();
        let sum = a
            .wrapping_add(mixed)
            .wrapping_add(constant(step))
            .wrapping_add(word(at))
            .rotate_left(by.unwrap_or(0));
        (a, d, c, b) = (d, c, b, b.wrapping_add(sum));
    }
    [a, b, c, d]
}

/// RFC 1321 defines its table as the integer part of 2^32 · |sin(step + 1)|.
fn constant(step: usize) -> u32 {
    ((step as f64 + 1.0).sin().abs() * 4_294_967_296.0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_rfc_1321() {
        for (message, wanted) in [
            ("", "d41d8cd98f00b204e9800998ecf8427e"),
            ("abc", "900150983cd24fb0d6963f7d28e17f72"),
            ("abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"),
            (
                "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
                "57edf4a22be3c955ac49da2e2107b67a",
            ),
        ] {
            assert_eq!(hex(digest(message.as_bytes())), wanted.as_bytes(), "{message}");
        }
    }

    #[test]
    fn the_answer_is_that_of_pgwire() {
        let ours = answer(b"alice", b"hunter2", [1, 2, 3, 4]);
        let theirs =
            pgwire::api::auth::md5pass::hash_md5_password("alice", "hunter2", &[1, 2, 3, 4]);
        assert_eq!(ours, theirs.as_bytes());
    }
}
