//! What the tests share.

pub mod allocator;
pub mod naive;
pub mod random;
