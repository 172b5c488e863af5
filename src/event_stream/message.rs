use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::error::EventStreamError;
use super::frame::{self, Frames};
use crate::text::excerpt;

/// An event-stream message: typed headers and a payload. In a signed stream, an encoded message is the payload of
/// another message, which carries the signature.
///
/// ```
/// use countersign::event_stream::{HeaderValue, Message};
///
/// let message = Message::new(b"audio".as_slice())
///     .with_header(":message-type", "event")
///     .with_header(":event-type", "AudioEvent")
///     .with_header(":content-type", "application/octet-stream");
/// let bytes = message.encode()?;
/// let read = Message::decode(&bytes)?;
/// assert_eq!(read.header(":event-type"), Some(&HeaderValue::String("AudioEvent".into())));
/// assert_eq!(read.payload(), b"audio");
/// # Ok::<(), countersign::event_stream::EventStreamError>(())
/// ```
///
/// AWS: [Event stream encoding](https://docs.aws.amazon.com/transcribe/latest/dg/streaming-setting-up.html#streaming-event-stream)
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    headers: Vec<(String, HeaderValue)>,
    payload: Vec<u8>,
}

/// The value of a header.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeaderValue {
    /// Types 0 and 1.
    Bool(bool),
    /// Type 2.
    Byte(i8),
    /// Type 3.
    Int16(i16),
    /// Type 4.
    Int32(i32),
    /// Type 5.
    Int64(i64),
    /// Type 6, at most 32767 bytes.
    Bytes(Vec<u8>),
    /// Type 7, at most 32767 bytes.
    String(String),
    /// Type 8, milliseconds since 1970-01-01T00:00:00Z.
    Timestamp(i64),
    /// Type 9.
    Uuid([u8; 16]),
}

/// The maximum number of headers of a message.
const MAX_COUNT: usize = 1024;
/// The maximum length of a header value, in bytes.
const MAX_VALUE: usize = 32_767;

impl Message {
    /// Creates a message without headers.
    pub fn new(payload: impl Into<Vec<u8>>) -> Self {
        Self { headers: Vec::new(), payload: payload.into() }
    }

    /// Adds a header.
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<HeaderValue>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Returns the headers, in order.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &HeaderValue)> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Returns the value of a header. Names are case-sensitive.
    pub fn header(&self, name: &str) -> Option<&HeaderValue> {
        self.headers().find(|(found, _)| *found == name).map(|(_, value)| value)
    }

    /// Returns the payload.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// Encodes the message.
    ///
    /// # Errors
    /// [`EventStreamError`] if a header name is empty, a header name or value is too long, a header appears twice,
    /// there are more than 1024 headers, or the message exceeds AWS's limits (128 KiB of headers, 16 MiB of payload).
    pub fn encode(&self) -> Result<Vec<u8>, EventStreamError> {
        let mut headers = Vec::new();
        check_names(&self.headers)?;
        for (name, value) in &self.headers {
            write_header(&mut headers, name, value)?;
        }
        frame::write(&headers, &self.payload)
    }

    /// Decodes one message and verifies its checksums.
    ///
    /// # Errors
    /// [`EventStreamError`] unless `frame` is exactly one message within the limits of [`Message::encode`].
    pub fn decode(frame: &[u8]) -> Result<Self, EventStreamError> {
        let (headers, payload) = frame::read(frame)?;
        Ok(Self { headers: read_headers(headers)?, payload: payload.into() })
    }
}

fn check_names(headers: &[(String, HeaderValue)]) -> Result<(), EventStreamError> {
    if headers.len() > MAX_COUNT {
        return Err(EventStreamError::TooManyHeaders { limit: MAX_COUNT });
    }
    let mut names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair.first() == pair.last()).and_then(|pair| pair.first()) {
        Some(name) => Err(EventStreamError::RepeatedHeader { name: excerpt(name.as_bytes()) }),
        None => Ok(()),
    }
}

pub(super) fn write_header(out: &mut Vec<u8>, name: &str, value: &HeaderValue) -> Result<(), EventStreamError> {
    let malformed = || EventStreamError::MalformedHeader { name: excerpt(name.as_bytes()) };
    let length = u8::try_from(name.len()).ok().filter(|length| *length > 0).ok_or_else(malformed)?;
    out.push(length);
    out.extend_from_slice(name.as_bytes());
    out.push(value.wire_type());
    match value {
        HeaderValue::Bool(_) => {}
        HeaderValue::Byte(number) => out.extend_from_slice(&number.to_be_bytes()),
        HeaderValue::Int16(number) => out.extend_from_slice(&number.to_be_bytes()),
        HeaderValue::Int32(number) => out.extend_from_slice(&number.to_be_bytes()),
        HeaderValue::Int64(number) | HeaderValue::Timestamp(number) => out.extend_from_slice(&number.to_be_bytes()),
        HeaderValue::Uuid(bytes) => out.extend_from_slice(bytes),
        HeaderValue::Bytes(bytes) => write_value(out, bytes).ok_or_else(malformed)?,
        HeaderValue::String(text) => write_value(out, text.as_bytes()).ok_or_else(malformed)?,
    }
    Ok(())
}

/// Writes the length of a value and the value. Returns `None` if it is too long.
fn write_value(out: &mut Vec<u8>, bytes: &[u8]) -> Option<()> {
    let length = u16::try_from(bytes.len()).ok().filter(|_| bytes.len() <= MAX_VALUE)?;
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(bytes);
    Some(())
}

pub(super) fn read_headers(mut bytes: &[u8]) -> Result<Vec<(String, HeaderValue)>, EventStreamError> {
    let mut headers = Vec::new();
    while !bytes.is_empty() {
        if headers.len() == MAX_COUNT {
            return Err(EventStreamError::TooManyHeaders { limit: MAX_COUNT });
        }
        let name = read_name(&mut bytes).ok_or_else(|| EventStreamError::MalformedHeader { name: String::new() })?;
        let value = HeaderValue::read(&mut bytes)
            .ok_or_else(|| EventStreamError::MalformedHeader { name: excerpt(name.as_bytes()) })?;
        headers.push((name.into(), value));
    }
    check_names(&headers)?;
    Ok(headers)
}

fn read_name<'b>(bytes: &mut &'b [u8]) -> Option<&'b str> {
    let [length] = take_array(bytes)?;
    let name = take(bytes, usize::from(length))?;
    core::str::from_utf8(name).ok().filter(|name| !name.is_empty())
}

fn take<'b>(bytes: &mut &'b [u8], length: usize) -> Option<&'b [u8]> {
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
}

fn take_array<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    take(bytes, N)?.try_into().ok()
}

impl HeaderValue {
    fn wire_type(&self) -> u8 {
        match self {
            Self::Bool(true) => 0,
            Self::Bool(false) => 1,
            Self::Byte(_) => 2,
            Self::Int16(_) => 3,
            Self::Int32(_) => 4,
            Self::Int64(_) => 5,
            Self::Bytes(_) => 6,
            Self::String(_) => 7,
            Self::Timestamp(_) => 8,
            Self::Uuid(_) => 9,
        }
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        let [wire_type] = take_array(bytes)?;
        Some(match wire_type {
            0 => Self::Bool(true),
            1 => Self::Bool(false),
            2 => Self::Byte(i8::from_be_bytes(take_array(bytes)?)),
            3 => Self::Int16(i16::from_be_bytes(take_array(bytes)?)),
            4 => Self::Int32(i32::from_be_bytes(take_array(bytes)?)),
            5 => Self::Int64(i64::from_be_bytes(take_array(bytes)?)),
            6 | 7 => {
                let length = usize::from(u16::from_be_bytes(take_array(bytes)?));
                let value = take(bytes, length).filter(|_| length <= MAX_VALUE)?;
                if wire_type == 6 {
                    Self::Bytes(value.into())
                } else {
                    Self::String(core::str::from_utf8(value).ok()?.into())
                }
            }
            8 => Self::Timestamp(i64::from_be_bytes(take_array(bytes)?)),
            9 => Self::Uuid(take_array(bytes)?),
            _ => return None,
        })
    }
}

impl From<&str> for HeaderValue {
    fn from(text: &str) -> Self {
        Self::String(text.into())
    }
}

impl fmt::Debug for HeaderValue {
    /// Shows only the length of byte values, since `:chunk-signature` is one of them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => write!(f, "Bool({value})"),
            Self::Byte(number) => write!(f, "Byte({number})"),
            Self::Int16(number) => write!(f, "Int16({number})"),
            Self::Int32(number) => write!(f, "Int32({number})"),
            Self::Int64(number) => write!(f, "Int64({number})"),
            Self::Bytes(bytes) => write!(f, "Bytes([{} bytes])", bytes.len()),
            Self::String(text) => write!(f, "String({text:?})"),
            Self::Timestamp(millis) => write!(f, "Timestamp({millis})"),
            Self::Uuid(bytes) => write!(f, "Uuid({:032x})", u128::from_be_bytes(*bytes)),
        }
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("headers", &self.headers)
            .field("payload", &format_args!("[{} bytes]", self.payload.len()))
            .finish()
    }
}

/// Reads messages from an unsigned stream, such as a service's response.
///
/// ```
/// use countersign::event_stream::{Message, MessageReader};
///
/// let stream = [Message::new("a").encode()?, Message::new("b").encode()?].concat();
/// let (mut reader, mut payloads) = (MessageReader::new(), Vec::new());
/// for mut piece in stream.chunks(5) {
///     while let Some(message) = reader.read(&mut piece)? {
///         payloads.push(message.payload().to_vec());
///     }
/// }
/// assert_eq!(payloads, [b"a", b"b"]);
/// assert!(!reader.is_within_message());
/// # Ok::<(), countersign::event_stream::EventStreamError>(())
/// ```
#[derive(Clone)]
pub struct MessageReader {
    frames: Frames,
}

impl MessageReader {
    /// Creates a reader for a new stream.
    #[allow(clippy::new_without_default, reason = "reading messages without verifying them should be explicit")]
    pub fn new() -> Self {
        Self { frames: Frames::new() }
    }

    /// Consumes `input` up to the end of the next message and returns that message, or `None` if all of `input` is
    /// consumed and the message is incomplete.
    ///
    /// # Errors
    /// [`EventStreamError`] if the bytes are not a message within the limits of [`Message::encode`].
    pub fn read(&mut self, input: &mut &[u8]) -> Result<Option<Message>, EventStreamError> {
        let Some((headers, payload)) = self.frames.fill(input)? else { return Ok(None) };
        let message = Message { headers: read_headers(headers)?, payload: payload.into() };
        self.frames.next_frame();
        Ok(Some(message))
    }

    /// Returns `true` if part of a message has been read. At the end of a stream, this means that the stream is
    /// truncated.
    pub fn is_within_message(&self) -> bool {
        self.frames.is_within_frame()
    }
}

impl fmt::Debug for MessageReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageReader").finish_non_exhaustive()
    }
}
