//! Buffers that are wiped before they are freed if they hold a session token.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::ops::{Deref, DerefMut};

use zeroize::Zeroize;

/// Bytes or text that are wiped before they are freed if they hold a secret. Otherwise the only cost is checking a
/// flag.
///
/// Growing an allocation may move it and leave its old contents behind. Reserve with [`Wiped::reserve`] before writing,
/// or write with [`fmt::Write`]; both wipe the old allocation.
#[derive(Clone)]
pub(crate) struct Wiped<T: Zeroize> {
    value: T,
    is_secret: bool,
}

impl<T: Zeroize> Wiped<T> {
    #[inline]
    pub(crate) fn new(value: T, is_secret: bool) -> Self {
        Self { value, is_secret }
    }

    #[inline]
    pub(crate) fn is_secret(&self) -> bool {
        self.is_secret
    }
}

impl<T: Zeroize + Default> Wiped<T> {
    /// Returns the inner value, which is no longer wiped on drop.
    #[inline]
    pub(crate) fn into_inner(mut self) -> T {
        core::mem::take(&mut self.value)
    }
}

impl Wiped<Vec<u8>> {
    #[inline]
    pub(crate) fn reserve(&mut self, more: usize) {
        if self.value.capacity() == 0 {
            // Unlike growing, this is inlined.
            self.value = Vec::with_capacity(more);
        } else if self.is_secret {
            self.move_and_wipe(more);
        } else {
            self.value.reserve(more);
        }
    }

    #[cold]
    fn move_and_wipe(&mut self, more: usize) {
        if more > self.value.capacity() - self.value.len() {
            let mut larger = Vec::with_capacity((self.value.len() + more).max(2 * self.value.capacity()));
            larger.extend_from_slice(&self.value);
            core::mem::replace(&mut self.value, larger).zeroize();
        }
    }

    /// Converts the bytes to text in the same allocation. Returns `None` if they are not UTF-8.
    #[inline]
    pub(crate) fn into_text(self) -> Option<Wiped<String>> {
        let is_secret = self.is_secret;
        match String::from_utf8(self.into_inner()) {
            Ok(text) => Some(Wiped::new(text, is_secret)),
            Err(error) => {
                drop(Wiped::new(error.into_bytes(), is_secret));
                None
            }
        }
    }
}

impl AsRef<[u8]> for Wiped<Vec<u8>> {
    #[inline]
    fn as_ref(&self) -> &[u8] {
        &self.value
    }
}

impl fmt::Write for Wiped<String> {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        if self.is_secret && piece.len() > self.value.capacity() - self.value.len() {
            let mut larger = String::with_capacity((self.value.len() + piece.len()).max(2 * self.value.capacity()));
            larger.push_str(&self.value);
            core::mem::replace(&mut self.value, larger).zeroize();
        }
        self.value.push_str(piece);
        Ok(())
    }
}

impl<T: Zeroize> Deref for Wiped<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: Zeroize> DerefMut for Wiped<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T: Zeroize> Drop for Wiped<T> {
    #[inline]
    fn drop(&mut self) {
        if self.is_secret {
            self.value.zeroize();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::fmt::Write;

    #[test]
    fn growing_keeps_the_content() {
        for is_secret in [false, true] {
            let mut bytes = Wiped::new(Vec::new(), is_secret);
            let mut text = Wiped::new(String::new(), is_secret);
            for n in 0..100 {
                bytes.reserve(1);
                assert!(bytes.capacity() > bytes.len());
                bytes.push(b'a' + n % 26);
                write!(text, "{}", char::from(b'a' + n % 26)).unwrap();
            }
            assert_eq!(bytes.as_slice(), text.as_bytes());
            assert_eq!(bytes.into_text().map(Wiped::into_inner), Some(text.into_inner()));
            assert!(Wiped::new(Vec::from([0xff]), is_secret).into_text().is_none());
        }
    }
}
