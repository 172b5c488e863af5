//! Streaming bodies: the `aws-chunked` encoding, in both directions.
//!
//! A large upload can't be hashed before it is sent. Instead, S3 accepts it in chunks: the request is signed with
//! `x-amz-content-sha256: STREAMING-…`, and each chunk carries a signature over its data and the previous signature
//! (or no signature, with a checksum in the trailer). The encoder and the decoder do no I/O of their own: data goes in,
//! chunks come out or vice versa, and memory use is bounded by one chunk.
//!
//! - Sending: a [`Chunked`] describes the body, [`Signer::sign_chunked`](crate::Signer::sign_chunked) signs the
//!   request, and [`SignedChunked::encoder`] encodes the body. [`EncodedRead`] and `EncodedBody` wrap a
//!   [`Read`](std::io::Read) and an `http_body::Body`. If the network is faster than one core computes SHA-256,
//!   [`ParallelEncodedRead`] or [`HashAhead`] hash on several threads, and a [`HashedChunk`] on any.
//! - Receiving: [`VerifiedHead::chunk_decoder`](crate::VerifiedHead::chunk_decoder) decodes the body of a verified
//!   request; [`DecodedRead`] and `DecodedBody` wrap a `Read` and an `http_body::Body`. The data of a signed chunk is
//!   released only after the signature of the chunk is verified.
//!
//! ```
//! use countersign::streaming::{Checksum, Chunked};
//! use countersign::{Credentials, Request, Signer, Verifier};
//!
//! let credentials = Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")?;
//! let now = "20150830T123600Z".parse()?;
//! let data = vec![b'a'; 100_000];
//!
//! let signer = Signer::new(credentials.clone(), "us-east-1", "s3")?;
//! let request = Request::new("PUT", "/key", &[]).with_host("bucket.s3.amazonaws.com");
//! let upload = Chunked::signed(data.len() as u64).with_checksum(Checksum::Sha256);
//! let signed = signer.sign_chunked(&request, &upload, now)?;
//! let (mut encoder, mut body) = (signed.encoder(), Vec::new());
//! encoder.push(&data, |piece| body.extend_from_slice(piece))?;
//! encoder.finish(|piece| body.extend_from_slice(piece))?;
//! assert_eq!(body.len() as u64, signed.content_length());
//!
//! // The server.
//! let headers: Vec<_> = signed.headers().map(|(name, value)| (name, value.as_bytes())).collect();
//! let request = Request::new("PUT", "/key", &headers).with_host("bucket.s3.amazonaws.com");
//! let verifier = Verifier::new("us-east-1", "s3")?;
//! let head = verifier.parse(&request, now)?.verify_head(Some(&credentials))?;
//! let (mut decoder, mut received) = (head.chunk_decoder()?, Vec::new());
//! for piece in body.chunks(1000) {
//!     decoder.push(piece, |data| received.extend_from_slice(data))?;
//! }
//! let trailers = decoder.finish()?;
//! assert_eq!(received, data);
//! assert_eq!(trailers[0].0, "x-amz-checksum-sha256");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! AWS: [chunked upload](https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html),
//! [with trailing headers](https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html)

#[cfg(feature = "std")]
mod adapters;
mod checksum;
mod chunk;
mod decode;
mod encode;
mod error;
mod hashed;
mod held;
mod sign;
mod trailer;
mod verify;

#[cfg(feature = "std")]
pub use adapters::*;
pub use checksum::Checksum;
pub use decode::ChunkDecoder;
pub use encode::ChunkEncoder;
pub use error::{ChunkError, EncodeError};
pub use hashed::{ChunkData, HashedChunk};
pub use sign::{Chunked, SignedChunked};
