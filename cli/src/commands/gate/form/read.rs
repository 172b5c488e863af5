//! Reads a form: the fields into memory, up to S3's limits, and the file to disk.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use http_body_util::BodyDataStream;
use hyper::body::Frame;
use multer::{Field, Multipart};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};

use crate::serve::{AnswerBody, BoxError, Budget, Disk, Held, NoSpace, Used};

/// Bytes before the file, with the headers of its parts. S3 allows 20 KB for names and values.
const MOST_BEFORE_FILE: usize = 512 * 1024;
const MOST_FIELDS: usize = 256;
const PIECE: usize = 64 * 1024;

/// Why a form can't be read.
#[derive(Clone, Copy, Debug)]
pub enum Unreadable {
    NotMultipart,
    FieldsTooLong,
    NotText,
    NoFile,
    TooLong,
    /// Longer than all forms together may be.
    NeverSpace,
    NoSpace,
    NoMemory,
    Disk,
}

impl Unreadable {
    pub fn reason(self) -> &'static str {
        match self {
            Self::NotMultipart => "the form is malformed, or ended early",
            Self::FieldsTooLong => "the fields before the file are too long, or too many",
            Self::NotText => "a field is not UTF-8",
            Self::NoFile => "the form has no file",
            Self::TooLong => "the file is longer than the policy allows",
            Self::NeverSpace => "the file is longer than --max-spooled-bytes",
            Self::NoSpace => "the files of forms use --max-spooled-bytes",
            Self::NoMemory => "too much memory is used for bodies (--max-buffered-bytes)",
            Self::Disk => "the file can't be kept on disk until it is complete",
        }
    }

    pub fn status(self) -> StatusCode {
        match self {
            Self::NoSpace | Self::NoMemory => StatusCode::SERVICE_UNAVAILABLE,
            Self::Disk => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    pub fn code(self) -> &'static str {
        match self {
            Self::NotMultipart | Self::NotText => "MalformedPOSTRequest",
            Self::FieldsTooLong => "MaxPostPreDataLengthExceeded",
            Self::NoFile => "InvalidArgument",
            Self::TooLong | Self::NeverSpace => "EntityTooLarge",
            Self::NoSpace | Self::NoMemory => "SlowDown",
            Self::Disk => "InternalError",
        }
    }

    pub fn message(self) -> &'static str {
        match self {
            Self::NotMultipart | Self::NotText => {
                "The body of your POST request is not well-formed multipart/form-data."
            }
            Self::FieldsTooLong => "Your POST request fields preceeding the upload file was too large.",
            Self::NoFile => "POST requires exactly one file upload per request.",
            Self::TooLong | Self::NeverSpace => "Your proposed upload exceeds the maximum allowed size",
            Self::NoSpace | Self::NoMemory => "Please reduce your request rate.",
            Self::Disk => "We encountered an internal error. Please try again.",
        }
    }
}

pub struct Form {
    /// Those before the file. S3 ignores all after it.
    pub fields: Vec<(String, String)>,
    file: Field<'static>,
}

impl Form {
    /// Nothing is verified while the fields are read, so what is read of them counts as memory of the budget.
    pub async fn read(headers: &HeaderMap, body: AnswerBody, budget: &Budget) -> Result<Self, Unreadable> {
        let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let boundary = multer::parse_boundary(content_type).map_err(|_| Unreadable::NotMultipart)?;
        let state = Arc::new(State::default());
        let malformed = || if state.has_memory() { Unreadable::NotMultipart } else { Unreadable::NoMemory };
        let mut form = Multipart::new(limited(body, Arc::clone(&state), budget.clone()), boundary);
        let (mut fields, mut length) = (Vec::new(), 0);
        loop {
            let field = form.next_field().await.map_err(|_| malformed())?.ok_or(Unreadable::NoFile)?;
            let name = field.name().ok_or(Unreadable::NotMultipart)?.to_owned();
            if name.eq_ignore_ascii_case("file") {
                state.is_file.store(true, Ordering::Relaxed);
                return Ok(Self { fields, file: field });
            }
            let value = field.bytes().await.map_err(|_| malformed())?;
            length += name.len() + value.len();
            if length > MOST_BEFORE_FILE || fields.len() == MOST_FIELDS {
                return Err(Unreadable::FieldsTooLong);
            }
            let value = String::from_utf8(value.into()).map_err(|_| Unreadable::NotText)?;
            fields.push((name, value));
        }
    }

    pub fn file_name(&self) -> &str {
        self.file.file_name().unwrap_or_default()
    }

    /// Writes the file to disk, and returns it with its length. No more is written than `most` bytes.
    pub async fn spool(mut self, most: u64, disk: &Disk) -> Result<(Spooled, u64), Unreadable> {
        let mut used = disk.begin();
        let mut kept = File::from_std(tempfile::tempfile().map_err(|_| Unreadable::Disk)?);
        let mut length: u64 = 0;
        while let Some(piece) = self.file.chunk().await.map_err(|_| Unreadable::NotMultipart)? {
            length = length.saturating_add(piece.len() as u64);
            if length > most {
                return Err(Unreadable::TooLong);
            }
            used.grow(piece.len() as u64).map_err(|none| match none {
                NoSpace::Never => Unreadable::NeverSpace,
                NoSpace::Now => Unreadable::NoSpace,
            })?;
            kept.write_all(&piece).await.map_err(|_| Unreadable::Disk)?;
        }
        kept.flush().await.map_err(|_| Unreadable::Disk)?;
        kept.rewind().await.map_err(|_| Unreadable::Disk)?;
        Ok((Spooled { file: kept, _used: used }, length))
    }
}

/// A file on disk, which has no name and is gone when this is dropped.
pub struct Spooled {
    file: File,
    _used: Used,
}

/// What the parser and the stream that it reads tell each other.
#[derive(Default)]
struct State {
    is_file: AtomicBool,
    is_exhausted: AtomicBool,
}

impl State {
    fn has_memory(&self) -> bool {
        !self.is_exhausted.load(Ordering::Relaxed)
    }
}

type Stream = std::pin::Pin<Box<dyn futures_core::Stream<Item = Result<Bytes, BoxError>> + Send>>;

/// Fails if too much arrives before the file: the parser keeps the headers of a part in memory, whatever their length.
fn limited(body: AnswerBody, state: Arc<State>, budget: Budget) -> Stream {
    let mut body = Box::pin(BodyDataStream::new(body));
    let (mut length, held, mut is_fed) = (0_usize, Held::default(), false);
    Box::pin(Polled(move |cx: &mut std::task::Context<'_>| {
        // The parser takes all that there is into its memory before it looks at it.
        is_fed = !is_fed;
        if !is_fed {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let polled = futures_core::Stream::poll_next(body.as_mut(), cx);
        if let Poll::Ready(Some(Ok(data))) = &polled
            && !state.is_file.load(Ordering::Relaxed)
        {
            length = length.saturating_add(data.len());
            if length > MOST_BEFORE_FILE {
                return Poll::Ready(Some(Err("too much before the file".into())));
            }
            if !budget.take(data.len(), &held) {
                state.is_exhausted.store(true, Ordering::Relaxed);
                return Poll::Ready(Some(Err("too much memory is used".into())));
            }
        }
        polled
    }))
}

/// A stream made of a function.
struct Polled<F>(F);

impl<F, T> futures_core::Stream for Polled<F>
where
    F: FnMut(&mut std::task::Context<'_>) -> Poll<Option<T>> + Unpin,
{
    type Item = T;

    fn poll_next(mut self: std::pin::Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> Poll<Option<T>> {
        (self.0)(cx)
    }
}

/// The file, piece by piece.
pub fn frames(file: Spooled) -> impl futures_core::Stream<Item = Result<Frame<Bytes>, BoxError>> + Send {
    let mut reading: Option<Reading> = Some(Box::pin(piece(file)));
    Polled(move |cx: &mut std::task::Context<'_>| {
        let Some(current) = &mut reading else { return Poll::Ready(None) };
        let Poll::Ready(read) = current.as_mut().poll(cx) else { return Poll::Pending };
        reading = None;
        Poll::Ready(match read {
            Ok((_, bytes)) if bytes.is_empty() => None,
            Ok((file, bytes)) => {
                reading = Some(Box::pin(piece(file)));
                Some(Ok(Frame::data(bytes)))
            }
            Err(error) => Some(Err(error.into())),
        })
    })
}

type Reading = std::pin::Pin<Box<dyn Future<Output = io::Result<(Spooled, Bytes)>> + Send>>;

async fn piece(mut file: Spooled) -> io::Result<(Spooled, Bytes)> {
    let mut bytes = vec![0; PIECE];
    let read = file.file.read(&mut bytes).await?;
    bytes.truncate(read);
    Ok((file, bytes.into()))
}
