//! Adapters from the encoder and the decoder to `std::io::Read`, tokio's `AsyncRead` and `http_body::Body`.

mod ahead;
#[cfg(feature = "http-body")]
mod body;
mod driver;
mod parallel;
mod read;
#[cfg(feature = "tokio")]
mod tokio;

pub use ahead::HashAhead;
#[cfg(feature = "http-body")]
pub use body::{DecodedBody, EncodedBody};
pub use parallel::ParallelEncodedRead;
pub use read::{DecodedRead, EncodedRead};
