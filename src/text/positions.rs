//! Positions of bytes in a text.

/// Returns the position of the first byte that equals this one. It compares eight bytes at a time, which is faster than
/// longer chunks for the short texts of a request.
pub(crate) fn position_of(bytes: &[u8], byte: u8) -> Option<usize> {
    for (index, word) in bytes.as_chunks::<8>().0.iter().enumerate() {
        if let Some(position) = position_in_word(*word, byte) {
            return Some(8 * index + position);
        }
    }
    match bytes.last_chunk::<8>() {
        // It overlaps the words before it, which don't contain the byte.
        Some(last) => position_in_word(*last, byte).map(|position| bytes.len() - 8 + position),
        None => bytes.iter().position(|other| *other == byte),
    }
}

/// Returns the position of the last byte that equals this one.
pub(crate) fn last_position_of(bytes: &[u8], byte: u8) -> Option<usize> {
    let mut rest = bytes;
    while let Some((before, word)) = rest.split_last_chunk::<8>() {
        let mut reversed = *word;
        reversed.reverse();
        if let Some(position) = position_in_word(reversed, byte) {
            return Some(rest.len() - 1 - position);
        }
        rest = before;
    }
    rest.iter().rposition(|other| *other == byte)
}

/// The difference is zero where the bytes are equal. Subtracting one from each byte carries out of the lowest zero; bits
/// above it may be wrong, but are not read ([Bit Twiddling
/// Hacks](https://graphics.stanford.edu/~seander/bithacks.html#ZeroInWord)).
#[inline]
fn position_in_word(word: [u8; 8], byte: u8) -> Option<usize> {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    let difference = u64::from_le_bytes(word) ^ u64::from_le_bytes([byte; 8]);
    let zeros = difference.wrapping_sub(ONES) & !difference & (ONES << 7);
    (zeros != 0).then(|| zeros.trailing_zeros() as usize / 8)
}

/// Returns the position of every byte that satisfies the predicate, in ascending order.
///
/// The predicate is applied to 64 bytes at a time, which the compiler vectorizes if it is written without branches (`|`
/// instead of `||`, no `matches!`). Only the bytes that satisfy it are visited.
#[inline]
pub(crate) fn positions<'b>(bytes: &'b [u8], is: impl Fn(u8) -> bool + 'b) -> impl Iterator<Item = usize> + 'b {
    let (mut start, mut next, mut found) = (0, 0, 0_u64);
    core::iter::from_fn(move || {
        while found == 0 {
            start = next;
            found = match bytes.get(start..)? {
                [] => return None,
                rest => {
                    rest.first_chunk().map_or_else(|| found_in_rest(bytes, rest, &is), |block| found_in(block, &is))
                }
            };
            next = start + 64;
        }
        let position = start + found.trailing_zeros() as usize;
        found &= found - 1;
        Some(position)
    })
}

/// [`found_in`] for the bytes after the last whole block.
#[inline]
fn found_in_rest(bytes: &[u8], rest: &[u8], is: impl Fn(u8) -> bool) -> u64 {
    if let Some(last) = bytes.last_chunk::<64>() {
        return found_in(last, is) >> (64 - rest.len());
    }
    if rest.len() <= 12 {
        return rest.iter().rev().fold(0, |found, byte| found << 1 | u64::from(is(*byte)));
    }
    let mut block = [0; 64];
    block.get_mut(..rest.len()).unwrap_or_default().copy_from_slice(rest);
    found_in(&block, is) & ((1 << rest.len()) - 1)
}

/// Returns a bit for each byte, the lowest for the first.
#[inline(never)]
fn found_in(block: &[u8; 64], is: impl Fn(u8) -> bool) -> u64 {
    // The product of this number and eight flags, one in each byte, has them in its highest eight bits.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let mut flags = [0; 64];
    for (flag, byte) in flags.iter_mut().zip(block) {
        *flag = u8::from(is(*byte));
    }
    let mut bits = 0;
    for eight in flags.as_chunks::<8>().0 {
        bits = bits >> 8 | u64::from_le_bytes(*eight).wrapping_mul(GATHER) & 0xff << 56;
    }
    bits
}
