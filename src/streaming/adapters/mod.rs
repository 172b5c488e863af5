//! Adapters from the encoder and the decoder to `std::io::Read`, tokio's `AsyncRead` and `http_body::Body`.

#[cfg(feature = "std")]
mod ahead;
#[cfg(feature = "http-body")]
mod body;
mod driver;
#[cfg(feature = "std")]
mod parallel;
#[cfg(feature = "std")]
mod read;
#[cfg(feature = "tokio")]
mod tokio;

#[cfg(feature = "std")]
pub use ahead::HashAhead;
#[cfg(feature = "http-body")]
pub use body::{DecodedBody, EncodedBody};
#[cfg(feature = "std")]
pub use parallel::ParallelEncodedRead;
#[cfg(feature = "std")]
pub use read::{DecodedRead, EncodedRead};
