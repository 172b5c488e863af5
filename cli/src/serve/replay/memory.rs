//! Signatures in the memory of this process.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, PoisonError};

use countersign::Timestamp;

use super::{Digest, Seen};

/// Each signature is kept until its window ends, so that forgetting lets none through again.
#[derive(Debug)]
pub struct Memory {
    most: usize,
    seen: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    all: HashSet<Digest>,
    /// By the second in which their window ends.
    by_end: BTreeMap<i64, Vec<Digest>>,
}

impl Memory {
    pub fn new(most: usize) -> Self {
        Self { most, seen: Mutex::default() }
    }

    /// Remembers a signature that is valid until `end`.
    pub fn remember(&self, digest: Digest, end: Timestamp, now: Timestamp) -> Seen {
        let mut table = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        table.forget(now.unix_seconds());
        if table.all.contains(&digest) {
            return Seen::Again;
        }
        if table.all.len() >= self.most {
            return Seen::Full;
        }
        table.all.insert(digest);
        table.by_end.entry(end.unix_seconds()).or_default().push(digest);
        Seen::First
    }
}

impl Table {
    fn forget(&mut self, now: i64) {
        while let Some(first) = self.by_end.first_entry().filter(|first| *first.key() < now) {
            for digest in first.remove() {
                self.all.remove(&digest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(seconds).unwrap()
    }

    #[test]
    fn each_signature_once_in_its_window() {
        let memory = Memory::new(2);
        assert_eq!(memory.remember([1; 16], at(100), at(0)), Seen::First);
        assert_eq!(memory.remember([1; 16], at(100), at(100)), Seen::Again);
        assert_eq!(memory.remember([2; 16], at(200), at(100)), Seen::First);
        // Nothing is forgotten early to make room.
        assert_eq!(memory.remember([3; 16], at(200), at(100)), Seen::Full);
        assert_eq!(memory.remember([1; 16], at(100), at(100)), Seen::Again);
        assert_eq!(memory.remember([3; 16], at(200), at(101)), Seen::First);
        assert_eq!(memory.seen.lock().unwrap().all.len(), 2);
    }
}
