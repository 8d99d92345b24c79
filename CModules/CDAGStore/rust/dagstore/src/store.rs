//! Stores.

use std::collections::BTreeMap;
use std::ffi::{c_char, c_void};
use std::fmt;
use std::mem::ManuallyDrop;
use std::path::Path;
use std::ptr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use dagstore_sys as sys;

use crate::block::Block;
use crate::callbacks::{self, Collector, Observe, PROGRESS, ReceiveProgress, Select, Selection};
use crate::config::{Config, Indexing, RegisterOptions};
use crate::ffi::{self, Handle, call, milliseconds, sized};
use crate::indexer::Indexer;
use crate::lookups::{Holders, Multihashes, Places};
use crate::operation::{self, Operation};
use crate::registry::Registration;
use crate::states::{
    Check, Collected, Events, Garbage, Policy, ShardInfo, Shards, State, Statistics,
};
use crate::{Error, ErrorCode, Result, Shard, library};

/// An open store.
///
/// Clones share the store. The last of them closes it when it is dropped: it waits for running jobs
/// and completions, and releases the store's lock. In a callback of the library it returns at once, and
/// the store closes when the callback has returned and the running jobs have ended. The closures of the
/// configuration stay until the store is closed. Leases and blocks outlive the store.
///
/// Any thread may call any function at any time. A call blocks until it has a result, and its changes
/// are on disk when it returns. A `timeout` of zero never waits for fetching and indexing; `None` has no
/// limit. After a fork, calls of the child process fail with [`ErrorCode::Closed`].
///
/// Functions that take a key fail with [`ErrorCode::InvalidKey`] if it is empty or has more than 480
/// bytes, and with [`ErrorCode::NulByte`] if it contains a NUL.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

/// The closures of a store, which the library calls by number.
pub(crate) struct Callbacks {
    pub(crate) select: Option<Registration<Select>>,
    pub(crate) observe: Option<Registration<Observe>>,
    pub(crate) index: Option<Registration<dyn Indexer>>,
}

struct Inner {
    open: ManuallyDrop<Open>,
}

impl Drop for Inner {
    /// Closes the store. In a callback the library closes it later, so a thread waits for that and then
    /// drops the closures.
    fn drop(&mut self) {
        // SAFETY: nothing uses the field again.
        let open = unsafe { ManuallyDrop::take(&mut self.open) };
        match ffi::is_in_callback() {
            // If no thread starts, the closures end here, and the library walks the CARs that wait.
            true => drop(thread::Builder::new().spawn(move || drop(open))),
            false => drop(open),
        }
    }
}

struct Open {
    // Dropped first, so that the closures stay until the store is closed.
    handle: Handle<sys::dagstore_t>,
    callbacks: Callbacks,
    /// The progress closures of registrations that did not wait, by key.
    progress: Mutex<BTreeMap<String, Registration<ReceiveProgress>>>,
}

/// How [`Store::shutdown`] treats running jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Shutdown {
    /// Waits for fetching and indexing.
    Wait,
    /// Cancels fetching and indexing; the next open continues them.
    Cancel,
}

/// How thorough [`Store::check`] is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[must_use]
pub struct CheckOptions {
    flags: u32,
}

impl CheckOptions {
    /// Makes the options of a check that reads no blocks and repairs nothing.
    pub fn new() -> CheckOptions {
        CheckOptions::default()
    }

    /// Reads and hashes every block.
    pub fn deep(self) -> CheckOptions {
        CheckOptions { flags: self.flags | sys::DAGSTORE_CHECK_DEEP }
    }

    /// Repairs what can be repaired without a loss.
    pub fn repair(self) -> CheckOptions {
        CheckOptions { flags: self.flags | sys::DAGSTORE_CHECK_REPAIR }
    }
}

/// Opens, closes and compacts stores.
impl Store {
    pub(crate) fn new(handle: Handle<sys::dagstore_t>, callbacks: Callbacks) -> Store {
        let progress = Mutex::new(BTreeMap::new());
        let open = ManuallyDrop::new(Open { handle, callbacks, progress });
        Store { inner: Arc::new(Inner { open }) }
    }

    pub(crate) fn as_ptr(&self) -> *mut sys::dagstore_t {
        self.inner.open.handle.as_ptr()
    }

    /// Opens the store in a directory with the defaults; see [`Config::open`].
    pub fn open(path: impl AsRef<Path>) -> Result<Store> {
        Config::new().open(path)
    }

    /// Closes the store for all clones: their calls fail with [`ErrorCode::Closed`] from now on.
    ///
    /// When it returns, all futures have their results. Leases stay valid. While leases are held, any
    /// process can open the store again. This process can open it for writing only if it was open for
    /// writing before.
    pub fn shutdown(&self, how: Shutdown) -> Result<()> {
        let flags = match how {
            Shutdown::Wait => 0,
            Shutdown::Cancel => sys::DAGSTORE_SHUTDOWN_CANCELLING,
        };
        // SAFETY: the store's handle is open.
        call(|error| unsafe { sys::dagstore_shutdown(self.as_ptr(), flags, error) })?;
        Ok(())
    }

    /// Rewrites the catalog of a store that is not open, without the room that removed shards left.
    ///
    /// `map_size` is the address space to open the catalog with, in bytes, 1 MiB to 128 TiB; `None` for
    /// the default. Returns the sizes of the catalog's file before and after, in bytes.
    ///
    /// Fails with [`ErrorCode::CatalogLocked`], [`ErrorCode::CatalogFull`],
    /// [`ErrorCode::CatalogCorrupt`], [`ErrorCode::ReadOnly`]; [`ErrorCode::InvalidArgument`] if there
    /// is no store.
    pub fn compact(path: impl AsRef<Path>, map_size: Option<u64>) -> Result<(u64, u64)> {
        library::check()?;
        let (mut before, mut after) = (0, 0);
        ffi::with_path(path.as_ref(), |path| {
            // SAFETY: the path and the places stay for the call.
            call(|error| unsafe {
                let map_size = map_size.unwrap_or(0);
                sys::dagstore_compact(path, map_size, &mut before, &mut after, error)
            })
        })?;
        Ok((before, after))
    }
}

/// Calls a function with a key that ends with NUL.
#[inline]
fn with_key<T>(key: &str, function: impl FnOnce(*const c_char) -> Result<T>) -> Result<T> {
    ffi::with_text(key.as_bytes(), "key", function)
}

/// Calls a function with a mount URL that ends with NUL.
fn with_url<T>(url: &str, function: impl FnOnce(*const c_char) -> Result<T>) -> Result<T> {
    ffi::with_text(url.as_bytes(), "mount URL", function)
}

/// Calls a function with the library's form of options.
fn with_options<T>(
    options: &RegisterOptions,
    progress: Option<&Registration<ReceiveProgress>>,
    function: impl FnOnce(*const sys::dagstore_register_options_t) -> Result<T>,
) -> Result<T> {
    let mut raw: sys::dagstore_register_options_t = sized();
    raw.flags = match options.indexing {
        Indexing::Now => 0,
        Indexing::Lazy => sys::DAGSTORE_REGISTER_LAZY,
        Indexing::Background => sys::DAGSTORE_REGISTER_BACKGROUND,
    };
    raw.policy = options.policy.unwrap_or(Policy::Automatic).number();
    if let Some(progress) = progress {
        raw.progress = Some(callbacks::progress);
        raw.progress_context = progress.context();
    }
    match &options.existing_transient {
        None => function(&raw),
        Some(path) => ffi::with_path(path, |path| {
            raw.existing_transient = path;
            function(&raw)
        }),
    }
}

/// The life of a shard.
impl Store {
    /// Registers a CAR under a key, and waits until it is indexed.
    ///
    /// `key` has 1 to 480 bytes. `url` is the place of the CAR: "file:///path/to.car", which
    /// [`file_url`](crate::file_url) makes; "https://...", "http://..." or "s3://bucket/key", if the
    /// library was built with the trait Node; or a URL of a [`Mount`](crate::Mount).
    ///
    /// If the CAR cannot be indexed, the shard stays registered as failed with the error; recover or
    /// destroy it. Costs a commit, a second commit when the shard is available, and about 100 ns a
    /// section.
    ///
    /// Fails with [`ErrorCode::ShardExists`], [`ErrorCode::InvalidKey`], [`ErrorCode::NulByte`],
    /// [`ErrorCode::UnknownScheme`], [`ErrorCode::InvalidArgument`]; [`ErrorCode::MountGone`],
    /// [`ErrorCode::MountUnreachable`], [`ErrorCode::FetchFailed`], [`ErrorCode::FetchTimedOut`],
    /// [`ErrorCode::SourceChanged`]; [`ErrorCode::MalformedCar`], [`ErrorCode::Truncated`],
    /// [`ErrorCode::UnsupportedVersion`], [`ErrorCode::LimitExceeded`],
    /// [`ErrorCode::MalformedIndex`]; [`ErrorCode::QuotaExceeded`], [`ErrorCode::CatalogFull`],
    /// [`ErrorCode::ReadOnly`], [`ErrorCode::Closed`].
    pub fn register(&self, key: &str, url: &str) -> Result<()> {
        self.register_with(key, url, RegisterOptions::new())
    }

    /// Registers a CAR as [`register`](Store::register) does, with options.
    pub fn register_with(&self, key: &str, url: &str, options: RegisterOptions) -> Result<()> {
        let progress = options.progress.clone().map(|receive| PROGRESS.add(receive));
        with_key(key, |key| {
            with_url(url, |url| {
                with_options(&options, progress.as_ref(), |options| {
                    // SAFETY: the store's handle is open, and the arguments stay for the call.
                    call(|error| unsafe {
                        sys::dagstore_register_with(self.as_ptr(), key, url, options, error)
                    })
                })
            })
        })?;
        self.keep_progress(key, options.indexing, progress);
        Ok(())
    }

    /// Registers a CAR as [`register_with`](Store::register_with) does, without a waiting thread.
    ///
    /// With [`Indexing::Now`], the progress closure is dropped when the future completes or is dropped.
    pub fn register_async(&self, key: &str, url: &str, options: RegisterOptions) -> Operation<()> {
        let (key, url) = (key.to_string(), url.to_string());
        Operation::new(self, move |store, context| {
            let progress = options.progress.clone().map(|receive| PROGRESS.add(receive));
            with_key(&key, |key| {
                with_url(&url, |url| {
                    with_options(&options, progress.as_ref(), |options| {
                        // SAFETY: the store's handle is open, and the arguments stay for the call.
                        // The completion takes its context over.
                        call(|error| unsafe {
                            let (store, done) = (store.as_ptr(), Some(operation::done as _));
                            sys::dagstore_register_async(
                                store, key, url, options, done, context, error,
                            )
                        })
                    })
                })
            })?;
            match options.indexing {
                Indexing::Now => Ok(progress),
                other => {
                    store.keep_progress(&key, other, progress);
                    Ok(None)
                }
            }
        })
    }

    /// Keeps the progress closure of a registration that did not wait for the indexing.
    fn keep_progress(
        &self,
        key: &str,
        indexing: Indexing,
        progress: Option<Registration<ReceiveProgress>>,
    ) {
        let Some(progress) = progress else { return };
        if indexing != Indexing::Now {
            let mut kept = self.inner.open.progress.lock().unwrap_or_else(PoisonError::into_inner);
            let previous = kept.insert(key.to_string(), progress);
            drop(kept);
            drop(previous);
        }
    }

    /// Drops the progress closure of a shard that is destroyed.
    fn drop_progress(&self, key: &str) {
        let mut kept = self.inner.open.progress.lock().unwrap_or_else(PoisonError::into_inner);
        let previous = kept.remove(key);
        drop(kept);
        drop(previous);
    }

    /// Fetches and indexes a shard that was registered with [`Indexing::Lazy`]. Does nothing if the
    /// shard is available.
    ///
    /// Fails with [`ErrorCode::ShardUnknown`]; the stored error's code if the shard has failed; and as
    /// [`register`](Store::register).
    pub fn initialize(&self, key: &str) -> Result<()> {
        // SAFETY: the store's handle is open, and the key stays for the call.
        self.with_key(key, |store, key, error| unsafe {
            sys::dagstore_initialize(store, key, error)
        })
    }

    /// Fetches and indexes a shard as [`initialize`](Store::initialize) does, without a waiting thread.
    pub fn initialize_async(&self, key: &str) -> Operation<()> {
        // SAFETY: the store's handle is open, and the key stays for the call. The completion takes its
        // context over.
        self.operation(key, |store, key, context, error| unsafe {
            sys::dagstore_initialize_async(store, key, Some(operation::done), context, error)
        })
    }

    /// Fetches and indexes a failed shard again, and discards earlier copies.
    ///
    /// Fails with [`ErrorCode::ShardUnknown`], [`ErrorCode::NotFailed`], and as
    /// [`register`](Store::register).
    pub fn recover(&self, key: &str) -> Result<()> {
        // SAFETY: the store's handle is open, and the key stays for the call.
        self.with_key(key, |store, key, error| unsafe { sys::dagstore_recover(store, key, error) })
    }

    /// Recovers a shard as [`recover`](Store::recover) does, without a waiting thread.
    pub fn recover_async(&self, key: &str) -> Operation<()> {
        // SAFETY: the store's handle is open, and the key stays for the call. The completion takes its
        // context over.
        self.operation(key, |store, key, context, error| unsafe {
            sys::dagstore_recover_async(store, key, Some(operation::done), context, error)
        })
    }

    /// Removes a shard: its record, its index, and the store's copy of the CAR. The CAR itself stays.
    ///
    /// Fails with [`ErrorCode::ShardUnknown`]; [`ErrorCode::ShardInUse`] if it has leases;
    /// [`ErrorCode::CatalogFull`], [`ErrorCode::ReadOnly`], [`ErrorCode::Closed`].
    pub fn destroy(&self, key: &str) -> Result<()> {
        // SAFETY: the store's handle is open, and the key stays for the call.
        self.with_key(key, |store, key, error| unsafe {
            sys::dagstore_destroy(store, key, error)
        })?;
        self.drop_progress(key);
        Ok(())
    }

    /// Removes a shard as [`destroy`](Store::destroy) does, without a waiting thread.
    pub fn destroy_async(&self, key: &str) -> Operation<()> {
        // SAFETY: the store's handle is open, and the key stays for the call. The completion takes its
        // context over.
        self.operation(key, |store, key, context, error| unsafe {
            sys::dagstore_destroy_async(store, key, Some(operation::done), context, error)
        })
    }

    /// Changes the mount of a shard, and keeps its index.
    ///
    /// Compares a sample of the new source with the index; for that it copies a sequential source. Does
    /// not compare a shard whose CAR was never read. Recovers a shard that failed after it was indexed.
    /// Leases stay on the old source. On failure the shard keeps its old mount.
    ///
    /// Fails with [`ErrorCode::ShardUnknown`]; [`ErrorCode::ShardInUse`] while the shard is being
    /// fetched and indexed; [`ErrorCode::SourceChanged`] if the bytes differ from the indexed ones; and
    /// the errors of a source.
    pub fn relocate(&self, key: &str, url: &str) -> Result<()> {
        with_url(url, |url| {
            // SAFETY: the store's handle is open, and the arguments stay for the call.
            self.with_key(key, |store, key, error| unsafe {
                sys::dagstore_relocate(store, key, url, error)
            })
        })
    }

    /// Changes the part of a shard that stays on this machine.
    ///
    /// Later openings of the shard read under the new policy; an open shard closes when it has no
    /// leases. Under [`Policy::Copy`] the next opening copies the CAR. Under every other policy the
    /// library no longer reads the copy, and [`collect_garbage`](Store::collect_garbage) removes it.
    ///
    /// Fails with [`ErrorCode::ShardUnknown`]; [`ErrorCode::InvalidArgument`] for an unknown policy;
    /// [`ErrorCode::CatalogFull`], [`ErrorCode::ReadOnly`], [`ErrorCode::Closed`].
    pub fn set_policy(&self, key: &str, policy: Policy) -> Result<()> {
        // SAFETY: the store's handle is open, and the key stays for the call.
        self.with_key(key, |store, key, error| unsafe {
            sys::dagstore_set_policy(store, key, policy.number(), error)
        })
    }

    /// Calls a function of the library with a key.
    fn with_key(
        &self,
        key: &str,
        function: impl FnOnce(
            *mut sys::dagstore_t,
            *const c_char,
            *mut *mut sys::dagstore_error_t,
        ) -> sys::dagstore_status_t,
    ) -> Result<()> {
        with_key(key, |key| call(|error| function(self.as_ptr(), key, error)))?;
        Ok(())
    }

    /// Makes an operation that begins with a key.
    fn operation<T>(
        &self,
        key: &str,
        function: impl FnOnce(
            *mut sys::dagstore_t,
            *const c_char,
            *mut c_void,
            *mut *mut sys::dagstore_error_t,
        ) -> sys::dagstore_status_t
        + Send
        + 'static,
    ) -> Operation<T> {
        let key = key.to_string();
        Operation::new(self, move |store, context| {
            with_key(&key, |key| call(|error| function(store.as_ptr(), key, context, error)))?;
            Ok(None)
        })
    }
}

/// Leases and blocks.
impl Store {
    /// Acquires a lease on a shard.
    ///
    /// Fetches and indexes a lazily registered shard first, once for all callers that wait. The job
    /// goes on when the timeout passes. Costs 1.5 µs if the shard is open, 0.3 µs beside another
    /// lease, about 100 µs otherwise.
    ///
    /// Fails with [`ErrorCode::ShardUnknown`]; the stored error's code, or [`ErrorCode::ShardFailed`],
    /// if the shard has failed; [`ErrorCode::MountGone`], [`ErrorCode::MountUnreachable`],
    /// [`ErrorCode::FetchFailed`], [`ErrorCode::FetchTimedOut`] if the source is away (the next acquire
    /// tries again); [`ErrorCode::SourceChanged`] if the source has other bytes than the indexed ones
    /// (the shard fails); [`ErrorCode::CatalogCorrupt`], [`ErrorCode::QuotaExceeded`],
    /// [`ErrorCode::OutOfResources`]; [`ErrorCode::DeadlineExceeded`], [`ErrorCode::Closed`].
    #[inline]
    pub fn acquire(&self, key: &str, timeout: Option<Duration>) -> Result<Shard> {
        let timeout = milliseconds(timeout);
        let handle = with_key(key, |key| {
            // SAFETY: the store's handle is open, and the key stays for the call.
            Handle::open(|out, error| unsafe {
                sys::dagstore_acquire(self.as_ptr(), key, timeout, out, error)
            })
        });
        handle.map(Shard::new)
    }

    /// Acquires a lease as [`acquire`](Store::acquire) does, without a waiting thread and without a
    /// limit: drop the future to stop the wait.
    pub fn acquire_async(&self, key: &str) -> Operation<Shard> {
        // SAFETY: the store's handle is open, and the key stays for the call. The completion takes its
        // context over.
        self.operation(key, |store, key, context, error| unsafe {
            let (timeout, done) = (sys::DAGSTORE_WAIT_FOREVER, Some(operation::acquired as _));
            sys::dagstore_acquire_async(store, key, timeout, done, context, error)
        })
    }

    /// Gets the block with the multihash of a CID from any shard that has it.
    ///
    /// Reads open shards first, then those that must be opened or fetched, then failed ones, unless
    /// [`Config::select_shards`] chooses. If a shard fails, it reads the next one. Costs 1.2 µs if an
    /// open shard has the block.
    ///
    /// Fails with [`ErrorCode::BlockNotFound`], [`ErrorCode::InvalidCid`], [`ErrorCode::Closed`],
    /// [`ErrorCode::DeadlineExceeded`]; the first error of a shard if no other shard has the block.
    pub fn get(&self, cid: impl AsRef<[u8]>, timeout: Option<Duration>) -> Result<Block> {
        let (cid, timeout) = (cid.as_ref(), milliseconds(timeout));
        // SAFETY: the store's handle is open, and the CID stays for the call.
        let handle = Handle::open(|out, error| unsafe {
            sys::dagstore_get(self.as_ptr(), cid.as_ptr(), cid.len(), timeout, out, error)
        });
        callbacks::resume_selection_panic();
        handle.map(Block::new)
    }

    /// Gets a block as [`get`](Store::get) does; returns `None` if no shard has it.
    pub fn get_if_present(
        &self,
        cid: impl AsRef<[u8]>,
        timeout: Option<Duration>,
    ) -> Result<Option<Block>> {
        let (cid, timeout) = (cid.as_ref(), milliseconds(timeout));
        // SAFETY: the store's handle is open, and the CID stays for the call.
        let handle = Handle::open_if_present(|out, error| unsafe {
            sys::dagstore_get(self.as_ptr(), cid.as_ptr(), cid.len(), timeout, out, error)
        });
        callbacks::resume_selection_panic();
        Ok(handle?.map(Block::new))
    }

    /// Gets a block as [`get`](Store::get) does, and lets `select` choose among the shards in place of
    /// [`Config::select_shards`].
    ///
    /// The library calls `select` at most once, on this thread. A panic of `select` continues here.
    pub fn get_selecting(
        &self,
        cid: impl AsRef<[u8]>,
        timeout: Option<Duration>,
        select: impl FnOnce(&[&str]) -> Vec<usize>,
    ) -> Result<Block> {
        let (cid, timeout) = (cid.as_ref(), milliseconds(timeout));
        let mut selection = Selection::new(select);
        let (context, run) = selection.callback();
        // SAFETY: the store's handle is open; the CID and the selection stay for the call.
        let handle = Handle::open(|out, error| unsafe {
            let (store, cid, cid_size) = (self.as_ptr(), cid.as_ptr(), cid.len());
            sys::dagstore_get_selecting(store, cid, cid_size, timeout, run, context, out, error)
        });
        selection.resume_panic();
        handle.map(Block::new)
    }

    /// Tells whether any shard has the block with the multihash of a CID. Reads no bytes of a shard.
    ///
    /// Fails with [`ErrorCode::InvalidCid`], [`ErrorCode::CatalogCorrupt`], [`ErrorCode::Closed`].
    pub fn contains(&self, cid: impl AsRef<[u8]>) -> Result<bool> {
        let (cid, mut contains) = (cid.as_ref(), false);
        // SAFETY: the store's handle is open; the CID and the place stay for the call.
        call(|error| unsafe {
            let (store, cid, cid_size) = (self.as_ptr(), cid.as_ptr(), cid.len());
            sys::dagstore_contains(store, cid, cid_size, &mut contains, error)
        })?;
        Ok(contains)
    }

    /// Returns the size in bytes of the block with the multihash of a CID. Reads no bytes of a shard.
    ///
    /// Fails with [`ErrorCode::BlockNotFound`], and as [`contains`](Store::contains).
    pub fn size(&self, cid: impl AsRef<[u8]>) -> Result<u64> {
        let (cid, mut size) = (cid.as_ref(), 0);
        // SAFETY: the store's handle is open; the CID and the place stay for the call.
        call(|error| unsafe {
            let (store, cid, cid_size) = (self.as_ptr(), cid.as_ptr(), cid.len());
            sys::dagstore_block_size(store, cid, cid_size, &mut size, error)
        })?;
        Ok(size)
    }

    /// Finds the shards that have a block with the multihash of a CID, and its places, in order of
    /// registration.
    ///
    /// Looks into the index of every such shard, so the result is exact. It is empty if no shard has the
    /// block.
    ///
    /// Fails with [`ErrorCode::InvalidCid`], [`ErrorCode::CatalogCorrupt`], [`ErrorCode::Closed`].
    pub fn find(&self, cid: impl AsRef<[u8]>) -> Result<Places> {
        let cid = cid.as_ref();
        // SAFETY: the store's handle is open, and the CID stays for the call.
        let handle = Handle::open(|out, error| unsafe {
            sys::dagstore_find(self.as_ptr(), cid.as_ptr(), cid.len(), out, error)
        });
        handle.map(Places::new)
    }

    /// Finds the keys of the shards that have a block with a multihash, in order of registration.
    ///
    /// Looks into the index of every such shard, so the result is exact. Costs 0.5 µs for one shard.
    ///
    /// Fails with [`ErrorCode::InvalidCid`] if the bytes are not a multihash;
    /// [`ErrorCode::CatalogCorrupt`], [`ErrorCode::Closed`].
    pub fn holders(&self, multihash: impl AsRef<[u8]>) -> Result<Holders> {
        let mut holders = Holders::default();
        self.holders_into(multihash, &mut holders)?;
        Ok(holders)
    }

    /// Finds the keys of shards as [`holders`](Store::holders) does, in place of what `holders` held,
    /// and keeps its room.
    pub fn holders_into(&self, multihash: impl AsRef<[u8]>, holders: &mut Holders) -> Result<()> {
        holders.search(self.as_ptr(), multihash.as_ref())
    }

    /// Returns an iterator over the multihashes of a shard in CAR order, for an announcer.
    ///
    /// The order of one CAR is always the same. The iterator reads no bytes of the shard, and holds no
    /// lease. `cursor` is a text of [`Multihashes::cursor`], also of another process; `None` begins.
    ///
    /// Fails with [`ErrorCode::ShardUnknown`]; [`ErrorCode::ShardFailed`] if the shard has no index;
    /// [`ErrorCode::SourceChanged`] if the shard was indexed again after the cursor was made;
    /// [`ErrorCode::InvalidArgument`], [`ErrorCode::CatalogCorrupt`], [`ErrorCode::Closed`].
    pub fn multihashes(&self, key: &str, cursor: Option<&str>) -> Result<Multihashes> {
        let open = |cursor: *const c_char| {
            with_key(key, |key| {
                // SAFETY: the store's handle is open, and the texts stay for the call.
                Handle::open(|out, error| unsafe {
                    sys::dagstore_multihashes_open(self.as_ptr(), key, cursor, out, error)
                })
            })
        };
        let handle = match cursor {
            Some(cursor) => ffi::with_text(cursor.as_bytes(), "cursor", open),
            None => open(ptr::null()),
        };
        handle.map(Multihashes::new)
    }
}

/// States, events and counts.
impl Store {
    /// Returns the state of a shard; `None` if no shard has the key.
    ///
    /// Fails with [`ErrorCode::InvalidKey`], [`ErrorCode::CatalogCorrupt`], [`ErrorCode::Closed`].
    pub fn state(&self, key: &str) -> Result<Option<State>> {
        let mut state = sys::DAGSTORE_STATE_NONE;
        // SAFETY: the store's handle is open; the key and the place stay for the call.
        self.with_key(key, |store, key, error| unsafe {
            sys::dagstore_state(store, key, &mut state, error)
        })?;
        Ok(State::existing(state))
    }

    /// Returns the record of a shard.
    ///
    /// Fails with [`ErrorCode::ShardUnknown`], [`ErrorCode::InvalidKey`],
    /// [`ErrorCode::CatalogCorrupt`], [`ErrorCode::Closed`].
    pub fn info(&self, key: &str) -> Result<ShardInfo> {
        let mut shards = with_key(key, |key| self.open_shards(key))?;
        shards.next().unwrap_or_else(|| {
            let message = format!("info: no shard has the key {key:?}");
            Err(Error::new(ErrorCode::ShardUnknown, message))
        })
    }

    /// Returns an iterator over the records of all shards, in order of registration.
    ///
    /// Fails with [`ErrorCode::CatalogCorrupt`], [`ErrorCode::Closed`].
    pub fn shards(&self) -> Result<Shards> {
        self.open_shards(ptr::null())
    }

    fn open_shards(&self, key: *const c_char) -> Result<Shards> {
        // SAFETY: the store's handle is open, and the key, or NULL, stays for the call.
        let handle = Handle::open(|out, error| unsafe {
            sys::dagstore_shards_open(self.as_ptr(), key, out, error)
        });
        handle.map(Shards::new)
    }

    /// Opens a queue of the events of shards from now on. The first queue of a store also gets the
    /// events of the store's own work since the opening.
    ///
    /// `capacity` is the number of events to keep, 1 to 1,048,576. A store may have any number of
    /// queues. A full queue drops its oldest events, and delays no other caller.
    ///
    /// ```
    /// # let (folder, car, _) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs"));
    /// # let store = dagstore::Store::open(folder.join("store"))?;
    /// use dagstore::{EventKind, Shutdown};
    ///
    /// let events = store.events(100)?;
    /// store.register("deal-1", &dagstore::file_url(&car)?)?;
    /// store.shutdown(Shutdown::Wait)?;
    /// let kinds: Vec<EventKind> = events.flatten().map(|event| event.kind).collect();
    /// assert_eq!(kinds, [EventKind::Register, EventKind::Initialize, EventKind::MakeAvailable]);
    /// # drop(store);
    /// # std::fs::remove_dir_all(folder).unwrap();
    /// # Ok::<(), dagstore::Error>(())
    /// ```
    ///
    /// Fails with [`ErrorCode::InvalidArgument`], [`ErrorCode::Closed`].
    pub fn events(&self, capacity: usize) -> Result<Events> {
        // The library counts with a signed number.
        if isize::try_from(capacity).is_err() {
            let message = format!("events: the capacity is {capacity}; it may be 1 to 1048576");
            return Err(Error::new(ErrorCode::InvalidArgument, message));
        }
        // SAFETY: the store's handle is open.
        let handle = Handle::open(|out, error| unsafe {
            sys::dagstore_events_open(self.as_ptr(), capacity, out, error)
        });
        handle.map(Events::new)
    }

    /// Returns the counts of the store. Costs one step for each open shard.
    ///
    /// Fails with [`ErrorCode::CatalogCorrupt`], [`ErrorCode::Closed`].
    pub fn statistics(&self) -> Result<Statistics> {
        let mut statistics: sys::dagstore_statistics_t = sized();
        // SAFETY: the store's handle is open, and the place stays for the call.
        call(|error| unsafe { sys::dagstore_statistics(self.as_ptr(), &mut statistics, error) })?;
        Ok(Statistics::from(&statistics))
    }

    /// Tells how much this process has read from elsewhere of the shards of one scheme, since it opened
    /// the store: the numbers of requests and bytes. The library counts for "http", "https" and "s3".
    ///
    /// Fails with [`ErrorCode::InvalidArgument`], [`ErrorCode::Closed`].
    pub fn scheme_traffic(&self, scheme: &str) -> Result<(u64, u64)> {
        let (mut requests, mut bytes) = (0, 0);
        ffi::with_text(scheme.as_bytes(), "scheme", |scheme| {
            // SAFETY: the store's handle is open; the text and the places stay for the call.
            call(|error| unsafe {
                let (store, requests, bytes) = (self.as_ptr(), &mut requests, &mut bytes);
                sys::dagstore_scheme_traffic(store, scheme, requests, bytes, error)
            })
        })?;
        Ok((requests, bytes))
    }
}

/// Housekeeping.
impl Store {
    /// Removes the store's own copies of CARs that no caller uses, those that were used longest ago
    /// first. The store fetches them again when needed.
    ///
    /// `quota` is the number of bytes that may stay; 0 removes all unused copies.
    ///
    /// Fails with [`ErrorCode::ReadOnly`], [`ErrorCode::Closed`].
    pub fn collect_garbage(&self, quota: u64) -> Result<Garbage> {
        let mut garbage: sys::dagstore_garbage_t = sized();
        // SAFETY: the store's handle is open, and the place stays for the call.
        call(|error| unsafe {
            sys::dagstore_collect_garbage(self.as_ptr(), quota, &mut garbage, error)
        })?;
        Ok(Garbage::from(&garbage))
    }

    /// Removes copies as [`collect_garbage`](Store::collect_garbage) does, and tells `receive` the
    /// result for each of them, on this thread. A panic of `receive` continues here.
    pub fn collect_garbage_with(
        &self,
        quota: u64,
        receive: impl FnMut(Collected),
    ) -> Result<Garbage> {
        let mut garbage: sys::dagstore_garbage_t = sized();
        let mut collector = Collector::new(receive);
        let (context, run) = collector.callback();
        // SAFETY: the store's handle is open; the collector and the place stay for the call.
        let outcome = call(|error| unsafe {
            let (store, garbage) = (self.as_ptr(), &mut garbage);
            sys::dagstore_collect_garbage_with(store, quota, run, context, garbage, error)
        });
        collector.resume_panic();
        outcome?;
        Ok(Garbage::from(&garbage))
    }

    /// Checks the catalog, indexes, sources and copies and, if it is deep, every block.
    ///
    /// Failed shards report their own errors, so the check lists them only if all shards have failed. A
    /// repair recovers a failed shard whose source is back. Other calls go on meanwhile. Costs about
    /// 200 ns a section; a deep check also reads and hashes every block.
    ///
    /// Fails with [`ErrorCode::CatalogCorrupt`] if it cannot read the catalog; [`ErrorCode::ReadOnly`] if
    /// it cannot repair; [`ErrorCode::Closed`].
    pub fn check(&self, options: CheckOptions) -> Result<Check> {
        let mut check: sys::dagstore_check_t = sized();
        let mut problems = ptr::null_mut();
        // SAFETY: the store's handle is open, and the places stay for the call.
        call(|error| unsafe {
            let store = self.as_ptr();
            sys::dagstore_check(store, options.flags, &mut check, &mut problems, error)
        })?;
        // SAFETY: the library wrote NULL or a handle, which belongs to this call.
        Check::new(&check, unsafe { Handle::from_raw(problems) })
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let has_select = self.inner.open.callbacks.select.is_some();
        let mut fields = formatter.debug_struct("Store");
        fields.field("selects_shards", &has_select).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_send_and_sync<T: Send + Sync + 'static>() {}

    #[test]
    fn handles_are_shared_by_threads() {
        is_send_and_sync::<Store>();
        is_send_and_sync::<Shard>();
        is_send_and_sync::<Events>();
        is_send_and_sync::<Multihashes>();
    }
}
