//! Each checks its result when it is made, and gives none where the library can't do the operation.

pub mod aws_sign_v4;
pub mod aws_sigv4;
pub mod countersign;
pub mod floor;
pub mod reqsign;
pub mod rusty_s3;
pub mod s3s;
pub mod scratchstack;
pub mod sigv4a;
pub mod streaming;

use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// The futures of the peers wait for nothing here.
fn ready<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("nothing to wait for"),
    }
}

/// The signature of an `Authorization` header or of a presigned URL.
fn signature_in(text: &str) -> &str {
    let (_, signature) = text.rsplit_once("Signature=").expect("a signature");
    &signature[..64]
}
