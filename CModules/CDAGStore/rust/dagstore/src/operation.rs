//! Operations without a waiting thread, as futures.

use std::ffi::c_void;
use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use dagstore_sys as sys;

use crate::callbacks::ReceiveProgress;
use crate::ffi::{self, Handle, call};
use crate::registry::Registration;
use crate::store::Store;
use crate::{Error, ErrorCode, Result, Shard};

/// An operation of a store that no thread waits for, such as [`Store::acquire_async`].
///
/// The operation begins at the first poll. The store's thread for completions wakes the task, so the
/// future works in every executor, and needs no runtime of its own.
///
/// Dropping the future cancels the wait only: fetching and indexing go on, and a registration, recovery
/// or removal that has begun takes effect. A lease that is granted too late is given back. A future
/// keeps its store open.
///
/// Polling it again after it has completed panics.
///
/// ```
/// # let (folder, car, _) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs"));
/// # let store = dagstore::Store::open(folder.join("store"))?;
/// use dagstore::{Error, RegisterOptions, Store};
///
/// async fn count(store: &Store, url: &str) -> Result<u64, Error> {
///     store.register_async("deal-1", url, RegisterOptions::new()).await?;
///     Ok(store.acquire_async("deal-1").await?.block_count())
/// }
/// # let url = dagstore::file_url(&car)?;
/// # let mut future = std::pin::pin!(count(&store, &url));
/// # let mut context = std::task::Context::from_waker(std::task::Waker::noop());
/// # let count = loop {
/// #     if let std::task::Poll::Ready(count) = future.as_mut().poll(&mut context) { break count }
/// #     std::thread::yield_now();
/// # };
/// # assert_eq!(count?, 1);
/// # std::fs::remove_dir_all(folder).unwrap();
/// # Ok::<(), dagstore::Error>(())
/// ```
#[must_use = "an operation does nothing unless it is polled"]
pub struct Operation<T> {
    store: Store,
    stage: Stage<T>,
    /// The progress closure of a registration, until the operation has completed.
    progress: Progress,
}

/// The progress closure that an operation keeps.
pub(crate) type Progress = Option<Registration<ReceiveProgress>>;

/// A function that begins an operation, with the context of its completion.
type Begin = Box<dyn FnOnce(&Store, *mut c_void) -> Result<Progress> + Send>;

enum Stage<T> {
    New(Begin),
    Running(Arc<Slot<T>>),
    Completed,
}

/// Where the completion of an operation leaves its result.
pub(crate) struct Slot<T>(Mutex<State<T>>);

enum State<T> {
    Waiting(Waker),
    Done(Result<T>),
    /// The future is gone, or has taken the result.
    Closed,
}

impl<T> Slot<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves the result, and wakes the task. Drops the result if the future is gone.
    fn complete(&self, result: Result<T>) {
        let mut state = self.lock();
        if let State::Waiting(_) = *state {
            let State::Waiting(waker) = mem::replace(&mut *state, State::Done(result)) else {
                return;
            };
            drop(state);
            waker.wake();
        }
    }

    /// Takes the result. If there is none yet, keeps the waker.
    ///
    /// Wakers are the executor's code, so this function clones and drops them unlocked.
    fn poll(&self, waker: &Waker) -> Poll<Result<T>> {
        let next;
        let mut state = self.lock();
        if let State::Waiting(current) = &*state {
            if current.will_wake(waker) {
                return Poll::Pending;
            }
            drop(state);
            next = waker.clone();
            state = self.lock();
            if let State::Waiting(current) = &mut *state {
                let previous = mem::replace(current, next);
                drop(state);
                drop(previous);
                return Poll::Pending;
            }
        }
        let done = mem::replace(&mut *state, State::Closed);
        drop(state);
        match done {
            State::Done(result) => Poll::Ready(result),
            _ => Poll::Ready(Err(lost())),
        }
    }
}

impl<T> Operation<T> {
    /// Makes an operation. `begin` gets the context that the completion takes over.
    pub(crate) fn new(
        store: &Store,
        begin: impl FnOnce(&Store, *mut c_void) -> Result<Progress> + Send + 'static,
    ) -> Operation<T> {
        Operation { store: store.clone(), stage: Stage::New(Box::new(begin)), progress: None }
    }
}

impl<T> Operation<T> {
    /// Begins the operation. The completion takes over a reference to the slot.
    fn begin(&mut self, begin: Begin, waker: &Waker) -> Poll<Result<T>> {
        let slot = Arc::new(Slot(Mutex::new(State::Waiting(waker.clone()))));
        let taken = Arc::into_raw(Arc::clone(&slot));
        match begin(&self.store, taken.cast_mut().cast()) {
            Ok(progress) => {
                self.progress = progress;
                self.stage = Stage::Running(slot);
                Poll::Pending
            }
            Err(error) => {
                // SAFETY: after a failure the library does not call the completion, so this is the one
                // place that takes the reference back.
                drop(unsafe { Arc::from_raw(taken) });
                Poll::Ready(Err(error))
            }
        }
    }
}

impl<T> Future for Operation<T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<T>> {
        match mem::replace(&mut self.stage, Stage::Completed) {
            Stage::New(begin) => self.begin(begin, context.waker()),
            Stage::Running(slot) => {
                let outcome = slot.poll(context.waker());
                match outcome {
                    Poll::Pending => self.stage = Stage::Running(slot),
                    Poll::Ready(_) => self.progress = None,
                }
                outcome
            }
            Stage::Completed => panic!("an operation was polled after it had completed"),
        }
    }
}

#[cold]
fn lost() -> Error {
    Error::new(ErrorCode::Cancelled, "the operation has no result")
}

impl<T> Drop for Operation<T> {
    fn drop(&mut self) {
        let Stage::Running(slot) = &self.stage else { return };
        let mut state = slot.lock();
        let was_waiting = matches!(*state, State::Waiting(_));
        let closed = mem::replace(&mut *state, State::Closed);
        drop(state);
        drop(closed);
        if was_waiting {
            let context = Arc::as_ptr(slot).cast_mut().cast();
            let mut count = 0;
            // The store may be closed, and then there is nothing to cancel.
            // SAFETY: the store's handle is open. `slot` keeps the address of the context from being
            // used again.
            let _ = call(|error| unsafe {
                sys::dagstore_cancel(self.store.as_ptr(), context, &mut count, error)
            });
        }
    }
}

impl<T> fmt::Debug for Operation<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = match &self.stage {
            Stage::New(_) => "new",
            Stage::Running(_) => "running",
            Stage::Completed => "completed",
        };
        formatter.debug_struct("Operation").field("stage", &stage).finish_non_exhaustive()
    }
}

/// Converts the outcome of a completion.
///
/// # Safety
///
/// `error` is NULL or a handle that the library lends.
unsafe fn outcome(status: sys::dagstore_status_t, error: *mut sys::dagstore_error_t) -> Result<()> {
    match status < 0 {
        // SAFETY: the caller promises the handle.
        true => Err(unsafe { Error::copy(status, error) }),
        false => Ok(()),
    }
}

/// Completes an operation without a result.
pub(crate) unsafe extern "C" fn done(
    context: *mut c_void,
    status: sys::dagstore_status_t,
    error: *mut sys::dagstore_error_t,
) {
    ffi::run(|| {
        // SAFETY: the library completes each operation once, with the reference that `poll` gave it.
        let slot = unsafe { Arc::from_raw(context.cast::<Slot<()>>()) };
        // SAFETY: the library lends the error for the call.
        slot.complete(unsafe { outcome(status, error) });
    });
}

/// Completes an acquire.
pub(crate) unsafe extern "C" fn acquired(
    context: *mut c_void,
    status: sys::dagstore_status_t,
    shard: *mut sys::dagstore_shard_t,
    error: *mut sys::dagstore_error_t,
) {
    ffi::run(|| {
        // SAFETY: the library completes each operation once, with the reference that `poll` gave it.
        let slot = unsafe { Arc::from_raw(context.cast::<Slot<Shard>>()) };
        // SAFETY: the lease belongs to this call, and the library lends the error for it.
        let (shard, outcome) = unsafe { (Handle::from_raw(shard), outcome(status, error)) };
        slot.complete(outcome.and_then(|()| shard.map(Shard::new).ok_or_else(lost)));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_send<T: Send + 'static>() {}

    #[test]
    fn operations_move_between_threads() {
        is_send::<Operation<()>>();
        is_send::<Operation<Shard>>();
    }
}
