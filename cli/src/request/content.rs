//! The body before it is encoded: in memory, in a file, or in a pipe.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::args::{BodyArgs, PayloadMode};
use crate::failure::{Failure, Kind};

/// A pipe that is longer goes to a temporary file, where its length and hash can be determined.
const IN_MEMORY: u64 = 1024 * 1024;
/// How much is read at once.
const PIECE: usize = 64 * 1024;

#[derive(Clone, Debug)]
pub struct Content {
    length: u64,
    source: Source,
}

#[derive(Clone, Debug)]
enum Source {
    Bytes(Bytes),
    /// Read from `start`, for as often as it has to be sent.
    File {
        file: Arc<File>,
        start: u64,
    },
    /// Can be read once.
    Pipe,
}

impl Default for Content {
    fn default() -> Self {
        Self::from(Vec::new())
    }
}

impl From<Vec<u8>> for Content {
    fn from(bytes: Vec<u8>) -> Self {
        Self { length: bytes.len() as u64, source: Source::Bytes(bytes.into()) }
    }
}

impl Content {
    /// Opens a file, or standard input for `-`.
    pub fn open(path: &Path, body: &BodyArgs, service: &str) -> Result<Self, Failure> {
        let failed = |error: io::Error| Failure::new(Kind::Read, format!("{} can't be read: {error}", path.display()));
        if path.as_os_str() != "-" {
            let file = File::open(path).map_err(failed)?;
            let metadata = file.metadata().map_err(failed)?;
            if metadata.is_dir() {
                return Err(Failure::new(Kind::Read, format!("{} is a directory", path.display())));
            }
            return if metadata.is_file() {
                Self::of_file(file, 0).map_err(failed)
            } else {
                spool(file).map_err(failed)
            };
        }
        if let Some(file) = redirected_file() {
            let start = (&file).stream_position().map_err(failed)?;
            return Self::of_file(file, start).map_err(failed);
        }
        match body.body_size {
            Some(length) if can_be_read_once(body, service) => Ok(Self { length, source: Source::Pipe }),
            Some(_) => Err(Failure::usage(
                "--body-size sends standard input while it is read, but the hash must be sent before; use --payload \
                 chunked or --payload unsigned, or leave it out",
            )),
            None => spool(io::stdin()).map_err(failed),
        }
    }

    fn of_file(file: File, start: u64) -> io::Result<Self> {
        let length = file.metadata()?.len().saturating_sub(start);
        Ok(Self { length, source: Source::File { file: Arc::new(file), start } })
    }

    pub fn length(&self) -> u64 {
        self.length
    }

    /// The body, if it is in memory.
    pub fn bytes(&self) -> Option<&Bytes> {
        match &self.source {
            Source::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// Returns `true` if the body can be sent only once.
    pub fn is_pipe(&self) -> bool {
        matches!(self.source, Source::Pipe)
    }

    pub fn sha256(&self) -> Result<[u8; 32], Failure> {
        let mut hash = Sha256::new();
        let mut reader = self.reader();
        let mut piece = vec![0; PIECE];
        loop {
            let read = reader.read(&mut piece).map_err(unreadable)?;
            match piece.get(..read) {
                None | Some([]) => return Ok(hash.finalize().into()),
                Some(data) => hash.update(data),
            }
        }
    }

    pub fn reader(&self) -> Box<dyn Read + Send> {
        match &self.source {
            Source::Bytes(bytes) => Box::new(io::Cursor::new(bytes.clone())),
            Source::File { file, start } => Box::new(At { file: file.clone(), offset: *start, left: self.length }),
            Source::Pipe => Box::new(io::stdin()),
        }
    }
}

pub fn unreadable(error: io::Error) -> Failure {
    Failure::new(Kind::Read, format!("the body can't be read: {error}"))
}

/// A body whose hash must be known before it is sent can't come directly from a pipe.
fn can_be_read_once(body: &BodyArgs, service: &str) -> bool {
    match body.payload {
        Some(PayloadMode::Chunked | PayloadMode::Unsigned) => true,
        Some(PayloadMode::Hashed) => false,
        None => body.checksum.is_some() || super::signing::is_s3(service),
    }
}

/// Reads to the end: into memory, or into a temporary file that is deleted when the command ends.
fn spool(mut reader: impl Read) -> io::Result<Content> {
    let mut bytes = Vec::new();
    reader.by_ref().take(IN_MEMORY).read_to_end(&mut bytes)?;
    if (bytes.len() as u64) < IN_MEMORY {
        return Ok(Content::from(bytes));
    }
    let mut file = tempfile::tempfile()?;
    file.write_all(&bytes)?;
    io::copy(&mut reader, &mut file)?;
    file.seek(SeekFrom::Start(0))?;
    Content::of_file(file, 0)
}

/// Standard input as a file, if it is one (`< file`).
#[cfg(unix)]
fn redirected_file() -> Option<File> {
    use std::os::fd::AsFd;
    let file = File::from(io::stdin().as_fd().try_clone_to_owned().ok()?);
    file.metadata().is_ok_and(|metadata| metadata.is_file()).then_some(file)
}

#[cfg(not(unix))]
fn redirected_file() -> Option<File> {
    None
}

/// Reads a file from its own position, so that several can read it at the same time.
struct At {
    file: Arc<File>,
    offset: u64,
    left: u64,
}

impl Read for At {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(to.len());
        let read = read_at(&self.file, to.get_mut(..most).unwrap_or_default(), self.offset)?;
        self.offset += read as u64;
        self.left -= read as u64;
        Ok(read)
    }
}

#[cfg(unix)]
fn read_at(file: &File, to: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, to, offset)
}

#[cfg(windows)]
fn read_at(file: &File, to: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, to, offset)
}
