//! The closures of a configuration and of single calls.

use std::any::Any;
use std::cell::Cell;
use std::ffi::{c_char, c_void};
use std::ptr;
use std::time::Duration;

use dagstore_sys as sys;

use crate::ffi;
use crate::registry::Registry;
use crate::states::{Collected, Collection};
use crate::{Cid, Error};

/// How far the fetching and indexing of a shard is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Progress {
    /// Bytes of the CAR that are indexed.
    pub bytes_done: u64,
    /// The size of the CAR, in bytes.
    pub bytes_total: u64,
    /// Sections that were found.
    pub sections: u64,
}

/// The time of a step of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Measurement<'a> {
    /// "commit", a write transaction with its wait for the disk; "indexing" and "opening", jobs of
    /// shards; "merge", of the inverse index. Later releases may add kinds.
    pub kind: &'a str,
    /// The time that the step took.
    pub duration: Duration,
    /// Whether the step succeeded.
    pub is_success: bool,
}

/// Chooses among the shards that may have a block.
pub(crate) type Select = dyn Fn(&Cid, &[&str]) -> Vec<usize> + Send + Sync;
/// Receives the time of a step.
pub(crate) type Observe = dyn Fn(&Measurement<'_>) + Send + Sync;
/// Receives the progress of indexing.
pub(crate) type ReceiveProgress = dyn Fn(Progress) + Send + Sync;

pub(crate) static SELECTIONS: Registry<Select> = Registry::new();
pub(crate) static OBSERVERS: Registry<Observe> = Registry::new();
pub(crate) static PROGRESS: Registry<ReceiveProgress> = Registry::new();

pub(crate) unsafe extern "C" fn progress(
    context: *mut c_void,
    bytes_done: u64,
    bytes_total: u64,
    sections: u64,
) {
    ffi::run(|| {
        if let Some(receive) = PROGRESS.find(context) {
            receive(Progress { bytes_done, bytes_total, sections });
        }
    });
}

pub(crate) unsafe extern "C" fn observe(
    context: *mut c_void,
    kind: *const c_char,
    nanoseconds: u64,
    is_success: bool,
) {
    ffi::run(|| {
        if let Some(observe) = OBSERVERS.find(context) {
            // SAFETY: the library lends the text for the call.
            let kind = unsafe { ffi::borrow_text(kind) };
            let duration = Duration::from_nanos(nanoseconds);
            observe(&Measurement { kind, duration, is_success });
        }
    });
}

/// The panic of a closure, on its way around the library.
type Panic = Box<dyn Any + Send>;

thread_local! {
    /// The panic of a selection, which the library calls on the thread that gets a block.
    static SELECTION_PANIC: Cell<Option<Panic>> = const { Cell::new(None) };
}

/// Continues the panic of a selection that a call on this thread ran.
#[inline]
pub(crate) fn resume_selection_panic() {
    if let Ok(Some(panic)) = SELECTION_PANIC.try_with(Cell::take) {
        std::panic::resume_unwind(panic);
    }
}

pub(crate) unsafe extern "C" fn select(
    context: *mut c_void,
    cid: *const u8,
    cid_size: usize,
    keys: *const *const c_char,
    count: usize,
    order: *mut usize,
) -> usize {
    // SAFETY: the library lends the CID, the keys and the room for the order for the call.
    unsafe {
        choose(cid, cid_size, keys, count, order, |cid, keys| match SELECTIONS.find(context) {
            Some(select) => select(cid, keys),
            None => (0..keys.len()).collect(),
        })
    }
    .unwrap_or_else(|panic| {
        let mut panic = Some(panic);
        // A thread that ends has no place any more: its panic ends here.
        let _ = SELECTION_PANIC.try_with(|place| place.set(panic.take()));
        if let Some(panic) = panic {
            ffi::drop_panic(panic);
        }
        0
    })
}

/// The selection of one call.
pub(crate) struct Selection<F> {
    /// The closure, until the library has called it.
    select: Option<F>,
    panic: Option<Panic>,
}

impl<F: FnOnce(&[&str]) -> Vec<usize>> Selection<F> {
    pub(crate) fn new(select: F) -> Selection<F> {
        Selection { select: Some(select), panic: None }
    }

    /// Returns the arguments for the library. They are valid while `self` stays and is not used.
    pub(crate) fn callback(&mut self) -> (*mut c_void, sys::dagstore_select_fn) {
        (ptr::from_mut(self).cast(), Some(Self::run))
    }

    /// Continues the panic of the closure.
    pub(crate) fn resume_panic(self) {
        if let Some(panic) = self.panic {
            std::panic::resume_unwind(panic);
        }
    }

    /// Calls the closure of the selection that is the context.
    unsafe extern "C" fn run(
        context: *mut c_void,
        cid: *const u8,
        cid_size: usize,
        keys: *const *const c_char,
        count: usize,
        order: *mut usize,
    ) -> usize {
        // SAFETY: the context is the selection of a call that waits for this thread.
        let selection = unsafe { &mut *context.cast::<Selection<F>>() };
        let Some(select) = selection.select.take() else { return 0 };
        // SAFETY: the library lends the CID, the keys and the room for the order for the call.
        let chosen = unsafe { choose(cid, cid_size, keys, count, order, |_, keys| select(keys)) };
        chosen.unwrap_or_else(|panic| {
            selection.panic = Some(panic);
            0
        })
    }
}

/// Calls a selection, and writes its order.
///
/// # Safety
///
/// The arguments are those of a `dagstore_select_fn`.
unsafe fn choose(
    cid: *const u8,
    cid_size: usize,
    keys: *const *const c_char,
    count: usize,
    order: *mut usize,
    select: impl FnOnce(&Cid, &[&str]) -> Vec<usize>,
) -> Result<usize, Panic> {
    if count == 0 {
        return Ok(0);
    }
    ffi::catch(|| {
        // SAFETY: the caller promises `cid_size` bytes, `count` texts, and room for `count` indices.
        let (cid, texts, order) = unsafe {
            let keys = std::slice::from_raw_parts(keys, count);
            let texts: Vec<&str> = keys.iter().map(|&key| ffi::borrow_text(key)).collect();
            let cid = Cid::trusted(ffi::borrow_bytes(cid, cid_size));
            ptr::write_bytes(order, 0, count);
            (cid, texts, std::slice::from_raw_parts_mut(order, count))
        };
        let chosen = select(&cid, &texts);
        let size = chosen.len().min(count);
        order[..size].copy_from_slice(&chosen[..size]);
        size
    })
}

/// The receiver of one garbage collection's results.
pub(crate) struct Collector<F> {
    receive: F,
    panic: Option<Panic>,
}

impl<F: FnMut(Collected)> Collector<F> {
    pub(crate) fn new(receive: F) -> Collector<F> {
        Collector { receive, panic: None }
    }

    /// Returns the arguments for the library. They are valid while `self` stays and is not used.
    pub(crate) fn callback(&mut self) -> (*mut c_void, sys::dagstore_collected_fn) {
        (ptr::from_mut(self).cast(), Some(Self::run))
    }

    /// Continues the panic of the closure.
    pub(crate) fn resume_panic(self) {
        if let Some(panic) = self.panic {
            std::panic::resume_unwind(panic);
        }
    }

    /// Calls the closure of the collector that is the context, unless it has panicked.
    unsafe extern "C" fn run(
        context: *mut c_void,
        key: *const c_char,
        result: u32,
        bytes: u64,
        error: *mut sys::dagstore_error_t,
    ) {
        // SAFETY: the context is the collector of a call that waits for this thread.
        let collector = unsafe { &mut *context.cast::<Collector<F>>() };
        if collector.panic.is_some() {
            return;
        }
        let receive = &mut collector.receive;
        let outcome = ffi::catch(|| {
            // SAFETY: the library lends the text and the error for the call.
            let (key, error) = unsafe {
                let failed = (!error.is_null())
                    .then(|| Error::copy(sys::dagstore_error_status(error), error));
                (ffi::copy_text(key), failed)
            };
            receive(Collected { key, result: Collection::new(result), bytes, error });
        });
        collector.panic = outcome.err();
    }
}
