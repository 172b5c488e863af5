//! Chunks that were hashed before they are encoded, on any thread.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;

use super::chunk::CRLF;
use super::encode::ChunkEncoder;
use super::error::EncodeError;
use crate::hash::sha256;

/// The data of a chunk and its SHA-256, for [`ChunkEncoder::push_hashed`].
///
/// The signatures of chunks depend on each other, but their hashes, which take nearly all of the time, don't. They can be
/// computed on several threads. `D` is `&[u8]`, `Vec<u8>`, `Box<[u8]>`, `Arc<[u8]>` or [`Bytes`]. The data can't be
/// changed, and there is no other way to set the hash than to compute it, so the two always belong together.
///
/// ```
/// use countersign::streaming::{Chunked, HashedChunk};
/// # use countersign::{Credentials, Request, Signer};
/// # let signer = Signer::new(Credentials::new("AKIDEXAMPLE", "secret")?, "us-east-1", "s3")?;
/// # let request = Request::new("PUT", "/key", &[]).with_host("bucket.example");
/// let data = vec![b'a'; 200_000];
/// let upload = Chunked::signed(data.len() as u64);
/// let signed = signer.sign_chunked(&request, &upload, "20150830T123600Z".parse()?)?;
///
/// // A thread for each chunk; a thread pool does the same.
/// let hashed: Vec<HashedChunk<&[u8]>> = std::thread::scope(|scope| {
///     let chunks = data.chunks(upload.chunk_size());
///     let threads: Vec<_> = chunks.map(|chunk| scope.spawn(move || HashedChunk::new(chunk))).collect();
///     threads.into_iter().map(|thread| thread.join().unwrap()).collect()
/// });
/// let (mut encoder, mut body) = (signed.encoder(), Vec::new());
/// for chunk in &hashed {
///     encoder.push_hashed(chunk, |piece| body.extend_from_slice(piece))?;
/// }
/// encoder.finish(|piece| body.extend_from_slice(piece))?;
/// assert_eq!(body.len() as u64, signed.content_length());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct HashedChunk<D> {
    data: D,
    sha256: [u8; 32],
}

impl<D: ChunkData> HashedChunk<D> {
    /// Computes the hash of the data of one chunk.
    pub fn new(data: D) -> Self {
        let sha256 = sha256(data.as_ref());
        Self { data, sha256 }
    }

    /// Returns the data.
    pub fn data(&self) -> &[u8] {
        self.data.as_ref()
    }

    /// Returns the data without its hash, for example to use its memory for another chunk.
    pub fn into_data(self) -> D {
        self.data
    }
}

/// Shows the length, without data or hash.
impl<D: ChunkData> fmt::Debug for HashedChunk<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HashedChunk").field("length", &self.data().len()).finish_non_exhaustive()
    }
}

/// The types of data whose bytes stay the same while they are borrowed or owned. Other types could return one text to hash
/// and another to send.
pub trait ChunkData: AsRef<[u8]> + sealed::Sealed {}

mod sealed {
    pub trait Sealed {}
}

macro_rules! chunk_data {
    ($($data:ty),*) => {$(
        impl sealed::Sealed for $data {}
        impl ChunkData for $data {}
    )*};
}

chunk_data!(&[u8], Vec<u8>, Box<[u8]>, Arc<[u8]>, Bytes);

impl ChunkEncoder {
    /// Encodes the next chunk, whose hash is already computed, and passes it to `out`.
    ///
    /// The chunk must be exactly the next one: [`Chunked::chunk_size`](super::Chunked::chunk_size) bytes, or the rest of
    /// the data if it is shorter. A checksum in the trailer is still computed here; with a checksum as slow as SHA-256,
    /// several threads therefore gain little.
    ///
    /// # Errors
    /// [`EncodeError::NotAChunk`] if the data is shorter or longer than the next chunk, or part of the next chunk was
    /// already pushed; [`EncodeError::DecodedLength`] if there is more data than announced; [`EncodeError::Finished`]
    /// after [`ChunkEncoder::finish`]. Nothing is passed to `out` then, and the encoder is unchanged.
    pub fn push_hashed<D: ChunkData>(
        &mut self,
        chunk: &HashedChunk<D>,
        out: impl FnMut(&[u8]),
    ) -> Result<(), EncodeError> {
        if let Some(header) = self.header_of(chunk)? {
            [&header, chunk.data(), CRLF].into_iter().for_each(out);
        }
        Ok(())
    }

    /// Returns the header line of the next chunk, which precedes its data and a line end, or `None` if the chunk is empty.
    pub(super) fn header_of<D: ChunkData>(&mut self, chunk: &HashedChunk<D>) -> Result<Option<Vec<u8>>, EncodeError> {
        self.header_of_whole(chunk.data(), chunk.sha256)
    }
}
