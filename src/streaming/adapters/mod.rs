//! Both sides as a stream: around a reader, and around a body of HTTP.

#[cfg(feature = "http-body")]
pub(super) mod body;
#[cfg(feature = "std")]
pub(super) mod read;
