//! Both sides as a stream: around a reader, and around a body of HTTP.

#[cfg(feature = "http-body")]
mod body;
mod driver;
#[cfg(feature = "std")]
mod read;

#[cfg(feature = "http-body")]
pub use body::{DecodedBody, EncodedBody};
#[cfg(feature = "std")]
pub use read::{DecodedRead, EncodedRead};
