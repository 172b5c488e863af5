use alloc::vec::Vec;

/// A list that stores its first `N` elements inline. Most requests have few headers and parameters, so signing them
/// needs no allocation per list.
#[derive(Clone)]
pub(crate) struct Inline<T, const N: usize> {
    inline: [T; N],
    length: usize,
    /// Holds all elements once there are more than `N`.
    spilled: Vec<T>,
}

impl<T: Copy + Default, const N: usize> Inline<T, N> {
    pub(crate) fn new() -> Self {
        Self { inline: [T::default(); N], length: 0, spilled: Vec::new() }
    }

    #[inline]
    pub(crate) fn push(&mut self, element: T) {
        match self.inline.get_mut(self.length) {
            Some(slot) => *slot = element,
            None => self.spill(element),
        }
        self.length += 1;
    }

    #[inline(never)]
    fn spill(&mut self, element: T) {
        if self.spilled.is_empty() {
            self.spilled.reserve(2 * N);
            self.spilled.extend_from_slice(self.inline.get(..self.length).unwrap_or_default());
        }
        self.spilled.push(element);
    }

    #[inline]
    pub(crate) fn extend_from_slice(&mut self, elements: &[T]) {
        if let Some(room) = self.inline.get_mut(self.length..self.length + elements.len()) {
            room.copy_from_slice(elements);
            self.length += elements.len();
        } else {
            elements.iter().for_each(|element| self.push(*element));
        }
    }

    pub(crate) fn as_slice(&self) -> &[T] {
        if self.length <= N { self.inline.get(..self.length).unwrap_or_default() } else { &self.spilled }
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [T] {
        if self.length <= N { self.inline.get_mut(..self.length).unwrap_or_default() } else { &mut self.spilled }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_every_element_across_the_spill() {
        let mut list: Inline<u8, 4> = Inline::new();
        assert!(list.as_slice().is_empty());
        for n in 0..40 {
            list.push(n);
            assert!(list.as_slice().iter().copied().eq(0..=n));
            assert_eq!((list.as_slice().len(), list.as_slice().last()), (usize::from(n) + 1, Some(&n)));
            assert!(list.as_mut_slice().iter().copied().eq(0..=n));
        }
        for pieces in [[2, 2, 2], [3, 1, 1], [4, 1, 3], [3, 2, 0], [0, 9, 1]] {
            let mut list: Inline<u8, 4> = Inline::new();
            let mut next = 0_u8;
            for length in pieces {
                let piece: Vec<u8> = (next..next + length).collect();
                list.extend_from_slice(&piece);
                next += length;
            }
            assert!(list.as_slice().iter().copied().eq(0..next), "{pieces:?}");
        }
    }
}
