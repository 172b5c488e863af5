//! The disk space that uploads may use while they are incomplete.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The space for all of them together.
#[derive(Clone, Debug)]
pub struct Disk(Arc<State>);

#[derive(Debug)]
struct State {
    most: u64,
    used: AtomicU64,
}

/// The space that one of them uses, until it is dropped.
#[derive(Debug)]
pub struct Used {
    disk: Disk,
    bytes: u64,
}

/// Why there is no space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoSpace {
    /// It alone needs more than there is.
    Never,
    /// Others use it.
    Now,
}

impl Disk {
    pub fn new(bytes: u64) -> Self {
        Self(Arc::new(State { most: bytes, used: AtomicU64::new(0) }))
    }

    pub fn begin(&self) -> Used {
        Used { disk: self.clone(), bytes: 0 }
    }
}

impl Used {
    pub fn grow(&mut self, bytes: u64) -> Result<(), NoSpace> {
        let state = &self.disk.0;
        if self.bytes.saturating_add(bytes) > state.most {
            return Err(NoSpace::Never);
        }
        let add = |used: u64| used.checked_add(bytes).filter(|used| *used <= state.most);
        state.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add).map_err(|_| NoSpace::Now)?;
        self.bytes += bytes;
        Ok(())
    }
}

impl Drop for Used {
    fn drop(&mut self) {
        self.disk.0.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn space_is_shared_and_given_back() {
        let disk = Disk::new(10);
        let (mut one, mut other) = (disk.begin(), disk.begin());
        assert_eq!((one.grow(6), other.grow(4), other.grow(1)), (Ok(()), Ok(()), Err(NoSpace::Now)));
        assert_eq!(one.grow(5), Err(NoSpace::Never));
        drop(other);
        assert_eq!((one.grow(4), disk.begin().grow(1)), (Ok(()), Err(NoSpace::Now)));
        drop(one);
        assert_eq!((disk.begin().grow(11), disk.begin().grow(10)), (Err(NoSpace::Never), Ok(())));
    }
}
