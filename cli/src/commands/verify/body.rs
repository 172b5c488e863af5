//! The body of the request: in memory, or in a file of any size.

use std::io::Read;
use std::path::PathBuf;

use countersign::streaming::{ChunkDecoder, ChunkError};
use sha2::{Digest, Sha256};

use crate::failure::Failure;
use crate::input;

pub enum Body {
    Bytes(Vec<u8>),
    File(PathBuf),
}

/// What an `aws-chunked` body contained.
#[derive(Debug, PartialEq, Eq)]
pub struct Decoded {
    pub length: u64,
    /// The names of the trailers.
    pub trailers: Vec<String>,
}

impl Body {
    pub fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::File(_) => None,
        }
    }

    pub fn sha256(&self) -> Result<[u8; 32], Failure> {
        let mut sha256 = Sha256::new();
        self.each(|piece| {
            sha256.update(piece);
            true
        })?;
        Ok(sha256.finalize().into())
    }

    /// Verifies the chunks. The outer error is one of reading.
    pub fn decode(&self, mut decoder: ChunkDecoder) -> Result<Result<Decoded, ChunkError>, Failure> {
        let mut length = 0;
        let mut result = Ok(());
        self.each(|piece| {
            result = decoder.push(piece, |data| length += data.len() as u64);
            result.is_ok()
        })?;
        let decoded = result
            .and_then(|()| decoder.finish())
            .map(|trailers| Decoded { length, trailers: trailers.into_iter().map(|(name, _)| name).collect() });
        Ok(decoded)
    }

    /// Passes on the body piece by piece, until the function returns `false`.
    fn each(&self, mut pass: impl FnMut(&[u8]) -> bool) -> Result<(), Failure> {
        let path = match self {
            Self::Bytes(bytes) => {
                pass(bytes);
                return Ok(());
            }
            Self::File(path) => path,
        };
        let mut file = input::open(path, "the body")?;
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let length = file.read(&mut buffer).map_err(|error| input::unreadable(path, "the body", &error))?;
            let piece = buffer.get(..length).unwrap_or_default();
            if piece.is_empty() || !pass(piece) {
                return Ok(());
            }
        }
    }
}
