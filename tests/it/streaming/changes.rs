//! Bodies that were changed in transit are refused before a wrong byte is released.

use countersign::streaming::{Checksum, ChunkError, Chunked};

use super::{DATA, Trailers, decode, decoder_of, encode, modes, rules, sign};

fn chunked_modes() -> Vec<(Chunked, Vec<(&'static str, &'static str)>)> {
    modes(DATA.len() as u64).into_iter().map(|(chunked, given)| (chunked.with_chunk_size(16), given)).collect()
}

/// Returns `true` for a change without effect: the case of a length's digits or of a trailer's name, or space around a
/// value.
fn means_the_same(trailers: &Trailers, original: &Trailers) -> bool {
    let trimmed = |trailers: &Trailers| -> Vec<(String, Vec<u8>)> {
        trailers.iter().map(|(name, value)| (name.clone(), value.trim_ascii().to_vec())).collect()
    };
    trimmed(trailers) == trimmed(original)
}

#[test]
fn every_single_byte_change_is_refused_before_a_wrong_byte_is_released() {
    let (mut refused, mut unchanged) = (0, 0);
    for (chunked, given) in chunked_modes() {
        let signed = sign(&chunked);
        let signed_chunks = crate::streaming::chunks_are_signed(&signed);
        let body = encode(&signed, DATA, &given);
        let (_, original) = decode(decoder_of(&signed, rules()).unwrap(), &[&body]);
        let original = original.unwrap();
        for position in 0..body.len() {
            for change in [|b: u8| b ^ 1, |b: u8| b ^ 0x20, |b: u8| b ^ 0x80, |b: u8| b.wrapping_add(3), |_| b'\n'] {
                let mut changed = body.clone();
                changed[position] = change(body[position]);
                if changed == body {
                    continue;
                }
                let splits = if position % 5 == 0 { vec![changed.len(), 1, 13] } else { vec![changed.len()] };
                for split in splits {
                    let pieces: Vec<&[u8]> = changed.chunks(split).collect();
                    let (data, end) = decode(decoder_of(&signed, rules()).unwrap(), &pieces);
                    if signed_chunks {
                        assert!(DATA.starts_with(&data), "{chunked:?}: wrong bytes after a change at {position}");
                        let whole_chunks = data.len() % 16 == 0 || data.len() == DATA.len();
                        assert!(whole_chunks, "{chunked:?}: part of a chunk after a change at {position}");
                    }
                    match end {
                        Err(_) => refused += 1,
                        Ok(trailers) => {
                            assert_eq!(data, DATA, "{chunked:?}: {position}");
                            // An unsigned trailer that is not a checksum may have any value.
                            let unproven = !signed_chunks && given.iter().any(|(name, _)| *name == "x-amz-meta-note");
                            assert!(
                                unproven || means_the_same(&trailers, &original),
                                "{chunked:?}: accepted after a change at {position}: {trailers:?}"
                            );
                            unchanged += 1;
                        }
                    }
                }
            }
        }
    }
    assert!(refused > 40_000 && unchanged < refused / 20, "{refused} refused, {unchanged} unchanged");
}

#[test]
fn chunks_cannot_be_dropped_swapped_repeated_or_truncated() {
    for (chunked, given) in chunked_modes() {
        let signed = sign(&chunked);
        let body = encode(&signed, DATA, &given);
        // The positions where chunks begin.
        let mut starts = vec![0];
        let mut position = 0;
        for chunk in DATA.chunks(16) {
            position += body[position..].windows(2).position(|pair| pair == b"\r\n").unwrap() + 2 + chunk.len() + 2;
            starts.push(position);
        }
        let frame = |index: usize| &body[starts[index]..starts[index + 1]];
        let rest = &body[starts[5]..];
        let try_frames = |frames: Vec<&[u8]>| decode(decoder_of(&signed, rules()).unwrap(), &frames);
        let in_order = try_frames(vec![frame(0), frame(1), frame(2), frame(3), frame(4), rest]);
        assert!(in_order.1.is_ok());
        let signed_chunks = crate::streaming::chunks_are_signed(&signed);
        for (what, frames) in [
            ("left out", vec![frame(0), frame(2), frame(3), frame(4), rest]),
            ("swapped", vec![frame(1), frame(0), frame(2), frame(3), frame(4), rest]),
            ("repeated", vec![frame(0), frame(0), frame(1), frame(2), frame(3), frame(4), rest]),
            ("closed early", vec![frame(0), frame(1), rest]),
            ("empty", vec![]),
            ("cut behind a chunk", vec![frame(0), frame(1), frame(2), frame(3), frame(4)]),
            ("followed by another body", vec![&body, &body]),
            ("followed by a line", vec![&body, b"x"]),
        ] {
            let (data, end) = try_frames(frames);
            assert!(end.is_err(), "{chunked:?}: {what}");
            assert!(!signed_chunks || DATA.starts_with(&data), "{chunked:?}: {what}");
        }
        for length in 0..body.len() {
            let (data, end) = try_frames(vec![&body[..length]]);
            assert!(DATA.starts_with(&data));
            // The end of the body is only an empty line, and a line end before it.
            if length + 4 < body.len() {
                assert!(end.is_err(), "{chunked:?}: cut to {length} of {}", body.len());
            } else if let Ok(trailers) = end {
                assert_eq!((data.as_slice(), trailers.is_empty()), (DATA, !crate::streaming::has_trailer(&signed)));
            }
        }
    }
}

/// The chunks of one upload are not valid in another, even at the same time with the same key.
#[test]
fn chunks_of_another_request_are_refused() {
    let one = sign(&Chunked::signed(DATA.len() as u64).with_chunk_size(16));
    let other = sign(&Chunked::signed(DATA.len() as u64).with_chunk_size(16).with_checksum(Checksum::Sha256));
    let (data, end) = decode(decoder_of(&one, rules()).unwrap(), &[&encode(&other, DATA, &[])]);
    assert_eq!(data, b"");
    assert_eq!(end, Err(ChunkError::SignatureMismatch { number: 1 }));
}
