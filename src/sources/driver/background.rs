//! Blocking work for an async caller, without a runtime.

use alloc::sync::Arc;
use core::future::{Future, poll_fn};
use core::task::{Poll, Waker};
use std::sync::{Mutex, PoisonError};

use crate::sources::ask::{Answer, AskError, AskErrorKind};

#[derive(Default)]
struct Shared {
    answer: Option<Answer>,
    waker: Option<Waker>,
}

/// Answers when the work is done.
struct Work(Arc<Mutex<Shared>>);

impl Work {
    fn finish(&self, answer: Answer) {
        let mut shared = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waker = shared.waker.take();
        shared.answer.get_or_insert(answer);
        drop(shared);
        waker.into_iter().for_each(Waker::wake);
    }
}

impl Drop for Work {
    /// The work has panicked, or was finished.
    fn drop(&mut self) {
        self.finish(Answer::Failed(AskError::new(AskErrorKind::Other, "it ended without an answer")));
    }
}

/// Runs the work on a thread of its own.
pub(super) fn in_background(work: impl FnOnce() -> Answer + Send + 'static) -> impl Future<Output = Answer> + Send {
    let shared = Arc::new(Mutex::new(Shared::default()));
    let theirs = Work(shared.clone());
    let thread = std::thread::Builder::new().name("countersign".into());
    // If there can be no thread, `theirs` is dropped and gives an answer.
    let _ = thread.spawn(move || theirs.finish(work()));
    poll_fn(move |context| {
        let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
        match shared.answer.take() {
            Some(answer) => Poll::Ready(answer),
            None => {
                shared.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    })
}
