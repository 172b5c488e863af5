//! Hashes chunks on several threads, and returns them in order.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::iter::Fuse;
use core::num::NonZeroUsize;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};

use crate::streaming::error::EncodeError;
use crate::streaming::hashed::{ChunkData, HashedChunk};

/// Hashes chunks on several threads, ahead of their use.
///
/// An iterator over the chunks of a body becomes one over [`HashedChunk`]s in the same order, for
/// [`ChunkEncoder::push_hashed`](crate::streaming::ChunkEncoder::push_hashed). At most `2 * threads` chunks are taken ahead.
/// The calling thread is one of the threads: it hashes while it would wait. The others are started with the second chunk and
/// end before this value is dropped. If they can't be started, as on WebAssembly, the calling thread does all the work.
///
/// If a thread panics, its chunk is [`EncodeError::ThreadPanicked`].
///
/// [`ParallelEncodedRead`](super::ParallelEncodedRead) does the same for a body that is read.
///
/// ```
/// use bytes::Bytes;
/// use std::num::NonZeroUsize;
/// use countersign::streaming::{Chunked, HashAhead};
/// # use countersign::{Credentials, Request, Signer};
/// # let signer = Signer::new(Credentials::new("AKIDEXAMPLE", "secret")?, "us-east-1", "s3")?;
/// # let request = Request::new("PUT", "/key", &[]).with_host("bucket.example");
/// let mut data = Bytes::from(vec![b'a'; 1_000_000]);
/// let upload = Chunked::signed(data.len() as u64);
/// let signed = signer.sign_chunked(&request, &upload, "20150830T123600Z".parse()?)?;
///
/// let chunks = std::iter::from_fn(|| {
///     let length = data.len().min(upload.chunk_size());
///     (length > 0).then(|| data.split_to(length))
/// });
/// let threads = NonZeroUsize::new(2).unwrap(); // or std::thread::available_parallelism()?
/// let (mut encoder, mut body) = (signed.encoder(), Vec::new());
/// for chunk in HashAhead::new(chunks, threads) {
///     encoder.push_hashed(&chunk?, |piece| body.extend_from_slice(piece))?;
/// }
/// encoder.finish(|piece| body.extend_from_slice(piece))?;
/// assert_eq!(body.len() as u64, signed.content_length());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct HashAhead<I: Iterator<Item: ChunkData>> {
    chunks: Fuse<I>,
    ahead: Ahead<I::Item>,
}

impl<I: Iterator<Item: ChunkData + Send + 'static>> HashAhead<I> {
    /// Hashes the chunks on `threads` threads, the caller's included.
    pub fn new(chunks: I, threads: NonZeroUsize) -> Self {
        Self { chunks: chunks.fuse(), ahead: Ahead::new(threads) }
    }
}

impl<I: Iterator<Item: ChunkData + Send + 'static>> Iterator for HashAhead<I> {
    type Item = Result<HashedChunk<I::Item>, EncodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ahead.is_full() {
            let Some(chunk) = self.chunks.next() else { break };
            self.ahead.push(chunk);
        }
        self.ahead.next()
    }
}

impl<I: Iterator<Item: ChunkData>> fmt::Debug for HashAhead<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HashAhead").field("ahead", &self.ahead.results.len()).finish_non_exhaustive()
    }
}

/// Chunks that are being hashed. The thread that waits for a chunk hashes as well, so `threads` includes it. Nothing depends
/// on the other threads: chunks that none of them takes are hashed by the thread that waits.
pub(super) struct Ahead<D> {
    queue: Arc<Queue<D>>,
    hash: fn(D) -> HashedChunk<D>,
    /// One for each chunk, in order. If a thread panics, it drops the other end.
    results: VecDeque<Receiver<HashedChunk<D>>>,
    threads: Vec<JoinHandle<()>>,
    most_threads: usize,
    most_chunks: usize,
}

struct Queue<D> {
    jobs: Mutex<Jobs<D>>,
    changed: Condvar,
}

struct Jobs<D> {
    waiting: VecDeque<Job<D>>,
    closed: bool,
}

struct Job<D> {
    data: D,
    result: SyncSender<HashedChunk<D>>,
}

impl<D: ChunkData + Send + 'static> Ahead<D> {
    pub(super) fn new(threads: NonZeroUsize) -> Self {
        Self::with_hash(threads, HashedChunk::new)
    }

    fn with_hash(threads: NonZeroUsize, hash: fn(D) -> HashedChunk<D>) -> Self {
        Self {
            queue: Arc::new(Queue {
                jobs: Mutex::new(Jobs { waiting: VecDeque::new(), closed: false }),
                changed: Condvar::new(),
            }),
            hash,
            results: VecDeque::new(),
            threads: Vec::new(),
            most_threads: threads.get() - 1,
            most_chunks: threads.get().saturating_mul(2),
        }
    }

    /// Returns `true` if enough chunks are waiting to keep all threads busy.
    pub(super) fn is_full(&self) -> bool {
        self.results.len() >= self.most_chunks
    }

    pub(super) fn is_empty(&self) -> bool {
        self.results.is_empty()
    }

    /// Adds the next chunk.
    pub(super) fn push(&mut self, data: D) {
        let (result, receiver) = sync_channel(1);
        self.results.push_back(receiver);
        self.queue.lock().waiting.push_back(Job { data, result });
        // A single chunk needs no thread.
        if self.results.len() > 1 {
            self.start_thread();
            self.queue.changed.notify_one();
        }
    }

    /// Returns the first of the chunks, or `None` if there are none.
    pub(super) fn next(&mut self) -> Option<Result<HashedChunk<D>, EncodeError>> {
        let result = self.results.pop_front()?;
        loop {
            match result.try_recv() {
                Ok(chunk) => return Some(Ok(chunk)),
                Err(TryRecvError::Disconnected) => return Some(Err(EncodeError::ThreadPanicked)),
                Err(TryRecvError::Empty) => {}
            }
            let Some(job) = self.queue.take() else { break };
            job.run(self.hash);
        }
        // Another thread has taken the chunk.
        Some(result.recv().map_err(|_| EncodeError::ThreadPanicked))
    }

    fn start_thread(&mut self) {
        if self.threads.len() >= self.most_threads {
            return;
        }
        let (queue, hash) = (Arc::clone(&self.queue), self.hash);
        let thread = Builder::new().name("countersign-hash".into()).spawn(move || {
            while let Some(job) = queue.wait() {
                job.run(hash);
            }
        });
        match thread {
            Ok(thread) => self.threads.push(thread),
            // For example on a platform without threads.
            Err(_) => self.most_threads = self.threads.len(),
        }
    }
}

impl<D> Drop for Ahead<D> {
    /// Waits for the threads, each of which finishes at most the chunk that it hashes.
    fn drop(&mut self) {
        let mut jobs = self.queue.lock();
        jobs.closed = true;
        jobs.waiting.clear();
        drop(jobs);
        self.queue.changed.notify_all();
        for thread in self.threads.drain(..) {
            // A panic was reported for the chunk.
            drop(thread.join());
        }
    }
}

impl<D> Queue<D> {
    /// No thread panics while it holds the lock.
    fn lock(&self) -> MutexGuard<'_, Jobs<D>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Option<Job<D>> {
        self.lock().waiting.pop_front()
    }

    /// Waits for a job; returns `None` once there will be no more.
    fn wait(&self) -> Option<Job<D>> {
        let jobs = self.changed.wait_while(self.lock(), |jobs| jobs.waiting.is_empty() && !jobs.closed);
        jobs.unwrap_or_else(PoisonError::into_inner).waiting.pop_front()
    }
}

impl<D> Job<D> {
    fn run(self, hash: fn(D) -> HashedChunk<D>) {
        // The result is not needed any more if the body was dropped.
        let _ = self.result.send(hash(self.data));
    }
}

#[cfg(test)]
mod tests {
    use core::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    type Chunk = HashedChunk<Vec<u8>>;

    fn threads(count: usize) -> NonZeroUsize {
        NonZeroUsize::new(count).unwrap()
    }

    /// Chunks of very different lengths finish in any order.
    #[test]
    fn chunks_come_back_in_order() {
        for count in [1, 2, 3, 8] {
            let mut ahead = Ahead::new(threads(count));
            let mut returned = 0;
            let mut check = |ahead: &mut Ahead<Vec<u8>>| {
                let chunk = ahead.next().unwrap().unwrap();
                assert_eq!(chunk.data(), chunk_of(returned));
                returned += 1;
            };
            for number in 0..200 {
                if ahead.is_full() {
                    check(&mut ahead);
                }
                ahead.push(chunk_of(number));
                assert!(ahead.results.len() <= 2 * count && ahead.threads.len() < count);
            }
            while !ahead.is_empty() {
                check(&mut ahead);
            }
            assert_eq!(returned, 200);
            assert!(ahead.next().is_none());
        }
    }

    fn chunk_of(number: usize) -> Vec<u8> {
        alloc::vec![u8::try_from(number).unwrap(); number * 7919 % 50_000]
    }

    static PANICS: AtomicUsize = AtomicUsize::new(0);

    fn panics_on_other_threads(data: Vec<u8>) -> Chunk {
        if std::thread::current().name() == Some("countersign-hash") {
            if data.first() == Some(&1) {
                PANICS.fetch_add(1, Ordering::Relaxed);
                panic!("a panic that the test expects");
            }
        } else {
            // Leaves the other threads a chunk.
            while PANICS.load(Ordering::Relaxed) == 0 {
                std::thread::yield_now();
            }
        }
        HashedChunk::new(data)
    }

    /// If all other threads are gone, the rest is hashed by the thread that waits.
    #[test]
    fn a_panic_on_a_thread_is_an_error_of_its_chunk() {
        let mut ahead = Ahead::with_hash(threads(3), panics_on_other_threads);
        [0, 1, 1, 1, 2].iter().for_each(|first| ahead.push(alloc::vec![*first; 10]));
        let results: Vec<_> = core::iter::from_fn(|| ahead.next()).collect();
        assert_eq!(results.len(), 5);
        let panicked = results.iter().filter(|result| matches!(result, Err(EncodeError::ThreadPanicked))).count();
        assert_eq!(panicked, PANICS.load(Ordering::Relaxed));
        assert!((1..=2).contains(&panicked), "{panicked} panics");
    }

    #[test]
    fn threads_end_when_it_is_dropped() {
        let mut ahead = Ahead::new(threads(4));
        (0..8).for_each(|_| ahead.push(alloc::vec![0; 100_000]));
        let queue = Arc::downgrade(&ahead.queue);
        drop(ahead);
        assert_eq!(queue.strong_count(), 0);
    }
}
