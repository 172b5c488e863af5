//! What the tests share.

pub mod allocator;
pub mod fixtures;
pub mod naive;
pub mod random;
pub mod vector_files;
pub mod work;
