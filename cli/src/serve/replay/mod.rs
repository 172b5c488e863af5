//! Refuses signatures that were used before.

mod memory;
mod redis;

use countersign::Timestamp;

pub use memory::Memory;
pub use redis::Redis;

/// A hash of the signature.
pub type Digest = [u8; 16];

/// What is known of a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    First,
    Again,
    /// Nothing can be remembered until a window ends.
    Full,
    /// The store can't be asked. The reason is for the operator.
    Unknown(String),
}

/// Where used signatures are kept.
pub enum Store {
    Memory(Memory),
    /// Shared by several gates.
    Redis(Redis),
}

impl Store {
    /// Remembers a signature that is valid until `end`.
    pub async fn remember(&self, digest: Digest, end: Timestamp) -> Seen {
        let now = Timestamp::now();
        match self {
            Self::Memory(memory) => memory.remember(digest, end, now),
            Self::Redis(redis) => redis.remember(digest, end, now).await,
        }
    }
}
