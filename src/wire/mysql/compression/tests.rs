use proptest::prelude::*;

use super::*;
use crate::wire::mysql::packet;

/// All of a stream, given in pieces of this size to a reader with so much room.
fn unpacked(bytes: &[u8], piece: usize, room: usize) -> Result<Vec<u8>, WireError> {
    unpacked_by(Unpacker::default(), bytes, piece, room)
}

fn unpacked_by(
    mut unpacker: Unpacker,
    bytes: &[u8],
    piece: usize,
    room: usize,
) -> Result<Vec<u8>, WireError> {
    let mut out = Vec::new();
    for part in bytes.chunks(piece) {
        let mut at = 0;
        loop {
            let mut buffer = vec![0; room];
            let (read, written) = unpacker.take(&part[at..], &mut buffer)?;
            at += read;
            out.extend_from_slice(&buffer[..written]);
            if written < room {
                assert_eq!(at, part.len(), "it takes what is there");
                break;
            }
        }
    }
    assert!(unpacker.is_between(), "it ends in a packet");
    Ok(out)
}

/// A stream, taken as long as anything is left.
fn packed(packer: &mut Packer, stream: &[u8], piece: usize) -> Vec<u8> {
    let mut out = Vec::new();
    for mut part in stream.chunks(piece) {
        while !part.is_empty() {
            let taken = packer.put(part);
            part = &part[taken..];
            let count = packer.ready().len();
            out.extend_from_slice(packer.ready());
            packer.sent(count);
        }
    }
    packer.flush();
    out.extend_from_slice(packer.ready());
    out
}

/// The lengths of the packets of a stream, as sent and as they become.
fn heads(mut bytes: &[u8]) -> Vec<(usize, u8, usize)> {
    let mut heads = Vec::new();
    while let [l0, l1, l2, sequence, w0, w1, w2, ..] = *bytes {
        let length = u32::from_le_bytes([l0, l1, l2, 0]) as usize;
        heads.push((length, sequence, u32::from_le_bytes([w0, w1, w2, 0]) as usize));
        bytes = &bytes[OUTER_LENGTH + length..];
    }
    assert!(bytes.is_empty());
    heads
}

fn stream(lengths: &[usize]) -> Vec<u8> {
    let mut out = Vec::new();
    for (at, length) in lengths.iter().enumerate() {
        packet::put(&mut out, at as u8, |out| {
            out.extend((0..*length).map(|n| (n.wrapping_mul(n) >> 7) as u8));
        });
    }
    out
}

fn one(body: &[u8], sequence: u8, whole: usize) -> Vec<u8> {
    let mut out = (body.len() as u32).to_le_bytes()[..3].to_vec();
    out.push(sequence);
    out.extend(&(whole as u32).to_le_bytes()[..3]);
    out.extend_from_slice(body);
    out
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut begun = Begun::new();
    begun.feed(bytes, Ends::Yes);
    begun.deflated
}

#[test]
fn short_packets_are_as_they_are_and_long_ones_are_not() {
    let mut packer = Packer::default();
    packer.set_next(1);
    let short = stream(&[7]);
    assert_eq!(packed(&mut packer, &short, 100), one(&short, 1, 0));
    let long = stream(&[5000]);
    let sent = packed(&mut Packer::default(), &long, 100_000);
    let [(length, 0, 5004)] = heads(&sent)[..] else { panic!("{:?}", heads(&sent)) };
    assert!(length < 5004);
    assert_eq!(unpacked(&sent, 3, 10), Ok(long));
}

#[test]
fn a_packet_that_fits_is_never_torn_apart() {
    // Some clients read two packets for one of theirs, and no more.
    for lengths in [&[300_000][..], &[20, 900_000, 20], &[40_000; 9], &[7; 2000]] {
        let whole = stream(lengths);
        let mut packer = Packer::default();
        for piece in [1000, 8192, 1 << 20] {
            packer.set_next(0);
            let sent = packed(&mut packer, &whole, piece);
            packer = Packer::default();
            let mut ends = vec![0];
            for length in lengths {
                ends.push(ends[ends.len() - 1] + length + HEADER_LENGTH);
            }
            let mut at = 0;
            for (length, _, inflated) in heads(&sent) {
                at += if inflated == 0 { length } else { inflated };
                assert!(ends.contains(&at), "{at} is inside of a packet");
            }
            assert_eq!(unpacked(&sent, 5000, 7000).as_ref(), Ok(&whole));
        }
    }
}

#[test]
fn what_is_longer_than_a_packet_can_be_goes_on_in_another() {
    let whole = stream(&[PART_MAX + 100]);
    let sent = packed(&mut Packer::default(), &whole, 1 << 20);
    let heads = heads(&sent);
    assert_eq!((heads.len(), heads[0].2), (2, PART_MAX), "{heads:?}");
    assert!(unpacked(&sent, 1 << 16, 1 << 16).expect("whole") == whole);
}

#[test]
fn a_bomb_becomes_no_more_than_it_says_and_no_more_than_there_is_room_for() {
    let bomb = deflated(&vec![0; 10_000_000]);
    assert!(bomb.len() < 60_000);
    let honest = one(&bomb, 0, 10_000_000);
    let mut unpacker = Unpacker::default();
    let mut room = [1; 4096];
    let (read, written) = unpacker.take(&honest, &mut room).expect("so far");
    assert!(read < 2000 && written == 4096, "{read} {written}");
    for says in [1, 100, 9_999_999, 10_000_001] {
        let lies = one(&bomb, 0, says);
        let mut unpacker = Unpacker::default();
        let (mut at, mut total) = (0, 0);
        let error = loop {
            match unpacker.take(&lies[at..], &mut room) {
                Ok((read, written)) => {
                    (at, total) = (at + read, total + written);
                    assert!(read + written > 0, "{says}: it hangs");
                }
                Err(error) => break error,
            }
        };
        assert!(total <= says, "{says}: {total}");
        assert_eq!(error, bad("length of a compressed packet"), "{says}");
    }
}

#[test]
fn what_is_no_compressed_packet_is_refused() {
    let good = deflated(&[7; 200]);
    let mut torn = good.clone();
    torn[20] ^= 0x55;
    for bytes in [
        one(&[], 0, 0),
        one(&[], 0, 10),
        one(b"nonsense", 0, 100),
        one(&[&good[..], b"x"].concat(), 0, 200),
        one(&good[..good.len() - 1], 0, 200),
        one(&torn, 0, 200),
    ] {
        let mut room = [0; 4096];
        let mut unpacker = Unpacker::default();
        let first = unpacker.take(&bytes, &mut room);
        let refused = first.is_err() || unpacker.take(&[], &mut room).is_err();
        assert!(refused || !unpacker.is_between(), "{bytes:?}");
    }
    let two = [one(b"a", 0, 0), one(b"b", 1, 0), one(b"c", 0, 0)].concat();
    assert_eq!(unpacked(&two, 2, 1), Ok(b"abc".to_vec()));
}

#[test]
fn a_packet_of_zstd_becomes_what_it_says_and_no_more() {
    let whole = vec![0; 10_000_000];
    let bomb = zstd::packed(&whole);
    assert!(bomb.len() < 60_000, "{}", bomb.len());
    let new = || Unpacker::new(Algorithm::Zstd);
    let honest = one(&bomb, 0, whole.len());
    assert!(unpacked_by(new(), &honest, 1000, 5000).expect("all of it") == whole);
    let all = |unpacker: &mut Unpacker, mut bytes: &[u8]| {
        let (mut room, mut total) = ([1; 4096], 0);
        loop {
            let (read, written) = unpacker.take(bytes, &mut room)?;
            (bytes, total) = (&bytes[read..], total + written);
            if read + written == 0 {
                return Ok(total);
            }
        }
    };
    for says in [1, 100, 9_999_999, 10_000_001] {
        let refused = all(&mut new(), &one(&bomb, 0, says));
        assert_eq!(refused, Err(bad("length of a compressed packet")), "{says}");
    }
    // A window of more than there may be in a packet: its exponent is in the first five bits.
    let wide = [&[0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xf8][..], &[0x01, 0, 0]].concat();
    for bytes in [
        one(b"nonsense", 0, 100),
        one(&bomb[..bomb.len() - 1], 0, whole.len()),
        one(&[&bomb[..], b"x"].concat(), 0, whole.len()),
        one(&wide, 0, 100),
        one(&deflated(&[7; 200]), 0, 200),
        one(&[], 0, 10),
    ] {
        let mut unpacker = new();
        let taken = all(&mut unpacker, &bytes);
        assert!(taken.is_err() || !unpacker.is_between(), "{} bytes", bytes.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_was_put_together_comes_apart_again(
        lengths in prop::collection::vec(0_usize..100_000, 1..8),
        (piece, room) in (1_usize..100_000, 1_usize..100_000),
    ) {
        let whole = stream(&lengths);
        for algorithm in [Algorithm::Zlib, Algorithm::Zstd] {
            let sent = packed(&mut Packer::new(algorithm), &whole, piece);
            let unpacker = Unpacker::new(algorithm);
            let apart = unpacked_by(unpacker, &sent, piece.max(50), room.max(50));
            prop_assert_eq!(apart.as_ref(), Ok(&whole), "{:?}", algorithm);
        }
    }

    #[test]
    fn no_bytes_make_it_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..300), sensible: bool, framed: bool, zstd: bool,
        room in 1_usize..300,
    ) {
        // The magic number of a frame.
        let bytes = if framed { [&[0x28, 0xb5, 0x2f, 0xfd][..], &bytes].concat() } else { bytes };
        let bytes = if sensible { one(&bytes, 0, 1000) } else { bytes };
        let algorithm = if zstd { Algorithm::Zstd } else { Algorithm::Zlib };
        let (mut unpacker, mut at, mut buffer) = (Unpacker::new(algorithm), 0, vec![0; room]);
        while let Ok((read, written)) = unpacker.take(&bytes[at..], &mut buffer) {
            at += read;
            if read + written == 0 {
                break;
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_frame_that_was_tampered_with_makes_it_panic(
        length in 60_usize..3000, flips in prop::collection::vec((0_usize..3000, any::<u8>()), 1..6),
    ) {
        let whole = stream(&[length]);
        let mut frame = zstd::packed(&whole);
        for (at, by) in flips {
            let at = at % frame.len();
            frame[at] ^= by;
        }
        let bytes = one(&frame, 0, whole.len());
        let (mut unpacker, mut at, mut buffer) = (Unpacker::new(Algorithm::Zstd), 0, vec![0; 500]);
        while let Ok((read, written)) = unpacker.take(&bytes[at..], &mut buffer) {
            at += read;
            if read + written == 0 {
                break;
            }
        }
    }
}
