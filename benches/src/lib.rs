//! Countersign beside the floor and its peers, in one run, interleaved, on the same requests.
//!
//! ```text
//! cargo run --release -p countersign-benches --bin report     the table, RESULTS.md and chart.svg
//! cargo run --release -p countersign-benches --bin weight     what the dependency weighs; report includes it
//! cargo run --release -p countersign-benches --bin counts     fails where instructions or allocations have grown
//! cargo bench -p countersign-benches -- 'verify/S3 GET'       one of the cases, with criterion
//! ```
//!
//! The floor is what no signer can do without: SHA-256 over the canonical request, HMAC over the string to sign with
//! the key's state kept, and SHA-256 over the body where there is one, each in one call of the same libraries.

pub mod allocator;
pub mod chart;
pub mod contenders;
pub mod counts;
pub mod measure;
pub mod operations;
pub mod requests;
pub mod results;
