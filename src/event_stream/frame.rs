//! The wire format of a message: a prelude (total length, length of the headers, checksum of both), headers, payload,
//! and a checksum of all of these. Numbers are big-endian.

use alloc::vec::Vec;

use super::error::EventStreamError;

/// The length of the prelude: two lengths and their checksum.
const PRELUDE: usize = 12;
/// The length of everything except headers and payload.
const OVERHEAD: usize = PRELUDE + 4;

/// AWS's limits: 128 KiB and 16 MiB.
pub(super) const MAX_HEADERS: usize = 131_072;
pub(super) const MAX_PAYLOAD: usize = 16_777_216;

/// The headers and the payload of a message.
pub(super) type Parts<'f> = (&'f [u8], &'f [u8]);

/// Encodes a message.
pub(super) fn write(headers: &[u8], payload: &[u8]) -> Result<Vec<u8>, EventStreamError> {
    check_lengths(headers.len(), payload.len(), MAX_PAYLOAD)?;
    let total = OVERHEAD + headers.len() + payload.len();
    let mut frame = Vec::with_capacity(total);
    for length in [total, headers.len()] {
        // Both are far below the limits just checked.
        frame.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
    }
    append_checksum(&mut frame);
    frame.extend_from_slice(headers);
    frame.extend_from_slice(payload);
    append_checksum(&mut frame);
    Ok(frame)
}

/// Checks the length of a payload.
pub(super) fn check_payload(payload: &[u8]) -> Result<(), EventStreamError> {
    check_lengths(0, payload.len(), MAX_PAYLOAD)
}

fn append_checksum(frame: &mut Vec<u8>) {
    let checksum = crc32fast::hash(frame);
    frame.extend_from_slice(&checksum.to_be_bytes());
}

fn check_lengths(headers: usize, payload: usize, max_payload: usize) -> Result<(), EventStreamError> {
    if headers > MAX_HEADERS {
        return Err(EventStreamError::HeadersTooLong { length: headers, limit: MAX_HEADERS });
    }
    if payload > max_payload {
        return Err(EventStreamError::PayloadTooLong { length: payload, limit: max_payload });
    }
    Ok(())
}

/// The lengths that a message announces.
#[derive(Clone, Copy)]
struct Prelude {
    headers: usize,
    payload: usize,
}

impl Prelude {
    fn read(bytes: &[u8], max_payload: usize) -> Result<Self, EventStreamError> {
        let number = |start: usize| {
            let bytes = bytes.get(start..start + 4).and_then(|bytes| bytes.try_into().ok());
            u32::from_be_bytes(bytes.unwrap_or_default())
        };
        let (total, headers) = (number(0), number(4));
        if crc32fast::hash(bytes.get(..8).unwrap_or_default()) != number(8) {
            return Err(EventStreamError::PreludeChecksum);
        }
        let lengths = || EventStreamError::Lengths { total, headers };
        let length = |number: u32| usize::try_from(number).map_err(|_| lengths());
        let rest = length(total)?.checked_sub(OVERHEAD).ok_or_else(lengths)?;
        let headers = length(headers)?;
        let payload = rest.checked_sub(headers).ok_or_else(lengths)?;
        check_lengths(headers, payload, max_payload)?;
        Ok(Self { headers, payload })
    }

    fn total(self) -> usize {
        OVERHEAD + self.headers + self.payload
    }
}

/// Collects complete messages, one at a time, from bytes that arrive split at any position.
#[derive(Clone)]
pub(super) struct Frames {
    /// Grows with the bytes that have arrived, not with the announced length.
    buffer: Vec<u8>,
    prelude: Option<Prelude>,
    pub(super) max_payload: usize,
}

impl Frames {
    pub(super) fn new() -> Self {
        Self { buffer: Vec::new(), prelude: None, max_payload: MAX_PAYLOAD }
    }

    /// Consumes the bytes of `input` that the current message lacks. Returns the message's headers and payload once it
    /// is complete, and again at each call until [`Frames::next_frame`].
    pub(super) fn fill(&mut self, input: &mut &[u8]) -> Result<Option<Parts<'_>>, EventStreamError> {
        let prelude = loop {
            let wanted = self.prelude.map_or(PRELUDE, Prelude::total);
            let missing = wanted.saturating_sub(self.buffer.len()).min(input.len());
            if let Some((taken, rest)) = input.split_at_checked(missing) {
                self.buffer.extend_from_slice(taken);
                *input = rest;
            }
            if self.buffer.len() < wanted {
                return Ok(None);
            }
            match self.prelude {
                Some(prelude) => break prelude,
                None => self.prelude = Some(Prelude::read(&self.buffer, self.max_payload)?),
            }
        };
        parts(&self.buffer, prelude).map(Some)
    }

    /// Returns `true` if part of a message has arrived.
    pub(super) fn is_within_frame(&self) -> bool {
        !self.buffer.is_empty()
    }

    pub(super) fn next_frame(&mut self) {
        self.buffer.clear();
        self.prelude = None;
    }
}

/// Decodes exactly one message.
pub(super) fn read(frame: &[u8]) -> Result<Parts<'_>, EventStreamError> {
    let prelude = match frame.get(..PRELUDE) {
        Some(bytes) => Prelude::read(bytes, MAX_PAYLOAD)?,
        None => return Err(EventStreamError::Truncated),
    };
    if frame.len() < prelude.total() {
        return Err(EventStreamError::Truncated);
    }
    if frame.len() > prelude.total() {
        return Err(EventStreamError::BytesAfterEnd);
    }
    parts(frame, prelude)
}

fn parts(frame: &[u8], prelude: Prelude) -> Result<Parts<'_>, EventStreamError> {
    let (summed, checksum) = frame.split_last_chunk().ok_or(EventStreamError::Truncated)?;
    if crc32fast::hash(summed) != u32::from_be_bytes(*checksum) {
        return Err(EventStreamError::FrameChecksum);
    }
    let content = summed.get(PRELUDE..).unwrap_or_default();
    content.split_at_checked(prelude.headers).ok_or(EventStreamError::Truncated)
}
