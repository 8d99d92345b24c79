//! States, events, records and counts of shards.

use std::fmt;
use std::iter::FusedIterator;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use dagstore_sys as sys;

use crate::ffi::{self, Handle, call, milliseconds, sized};
use crate::{Error, ErrorCode, Result};

/// Declares an enumeration with the numbers of the library.
macro_rules! numbers {
    (
        $(#[doc = $about:literal])* $enum:ident: $other:literal;
        $($(#[doc = $doc:literal])* $name:ident = $number:ident,)*
    ) => {
        $(#[doc = $about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $enum {
            $($(#[doc = $doc])* $name,)*
            #[doc = $other]
            Other(u32),
        }

        impl $enum {
            pub(crate) fn new(number: u32) -> $enum {
                match number {
                    $(sys::$number => $enum::$name,)*
                    other => $enum::Other(other),
                }
            }

            #[allow(dead_code)]
            pub(crate) fn number(self) -> u32 {
                match self {
                    $($enum::$name => sys::$number,)*
                    $enum::Other(number) => number,
                }
            }
        }
    };
}

numbers! {
    /// The state of a shard.
    State: "A state of a later release of the library.";
    /// Known, not indexed.
    Registered = DAGSTORE_STATE_REGISTERED,
    /// Being fetched and indexed.
    Initializing = DAGSTORE_STATE_INITIALIZING,
    /// Indexed and readable.
    Available = DAGSTORE_STATE_AVAILABLE,
    /// Available, with leases.
    Serving = DAGSTORE_STATE_SERVING,
    /// Being fetched and indexed after a failure.
    Recovering = DAGSTORE_STATE_RECOVERING,
    /// Unreadable until recovered.
    Failed = DAGSTORE_STATE_FAILED,
}

impl State {
    /// Converts a number of the library; `None` if it says that there is no shard.
    pub(crate) fn existing(number: u32) -> Option<State> {
        (number != sys::DAGSTORE_STATE_NONE).then(|| State::new(number))
    }
}

numbers! {
    /// The part of a shard that stays on this machine, if its source can read any range. The store maps files
    /// under every policy, and copies sequential sources under every policy.
    Policy: "A policy of a later release of the library.";
    /// [`Config::remote_policy`](crate::Config::remote_policy) decides; `Remote` for a
    /// [`Mount`](crate::Mount).
    Automatic = DAGSTORE_POLICY_AUTOMATIC,
    /// The store reads ranges, and nothing stays on the disk.
    Remote = DAGSTORE_POLICY_REMOTE,
    /// Ranges of "http", "https" and "s3" stay in a bounded cache, in the store's folder.
    Cache = DAGSTORE_POLICY_CACHE,
    /// The store copies the CAR to its folder, under the quota.
    Copy = DAGSTORE_POLICY_COPY,
}

numbers! {
    /// The kind of an event of a shard.
    EventKind: "An event of a later release of the library.";
    /// The shard was registered.
    Register = DAGSTORE_EVENT_REGISTER,
    /// Fetching and indexing began.
    Initialize = DAGSTORE_EVENT_INITIALIZE,
    /// The shard became available.
    MakeAvailable = DAGSTORE_EVENT_MAKE_AVAILABLE,
    /// The shard was destroyed.
    Destroy = DAGSTORE_EVENT_DESTROY,
    /// A lease began.
    Acquire = DAGSTORE_EVENT_ACQUIRE,
    /// The shard failed.
    Fail = DAGSTORE_EVENT_FAIL,
    /// A lease ended.
    Release = DAGSTORE_EVENT_RELEASE,
    /// Fetching and indexing began after a failure.
    Recover = DAGSTORE_EVENT_RECOVER,
}

/// The record of a shard.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ShardInfo {
    /// The key.
    pub key: String,
    /// The place of the CAR.
    pub mount_url: String,
    /// The state.
    pub state: State,
    /// Whether the shard is indexed at its first use.
    pub is_lazy: bool,
    /// The reason of its failure; `None` if it has not failed.
    pub error: Option<Error>,
    /// The path of the local copy of the CAR; `None` if there is none.
    pub transient: Option<PathBuf>,
    /// The number of leases of this process.
    pub references: u64,
    /// The number of sections, repeated ones included.
    pub block_count: u64,
    /// The size of the CAR's payload, in bytes.
    pub payload_size: u64,
    /// The size of the index pages and the locator, in bytes.
    pub index_size: u64,
    /// The time since when the shard has its state.
    pub state_since: SystemTime,
    /// The part of the shard that stays on this machine.
    pub policy: Policy,
    /// The number of requests by which this process read the shard from elsewhere, since it opened
    /// the store.
    pub remote_requests: u64,
    /// The number of bytes that came with these requests.
    pub remote_bytes: u64,
}

impl ShardInfo {
    /// Copies a record.
    ///
    /// # Safety
    ///
    /// The texts of `info` are NULL or end with NUL.
    unsafe fn copy(info: &sys::dagstore_info_t) -> ShardInfo {
        // SAFETY: the caller promises texts.
        let text = |start| unsafe { ffi::copy_text(start) };
        let key = text(info.key).unwrap_or_default();
        let error = (info.error_status != sys::DAGSTORE_OK).then(|| {
            let code = ErrorCode::from_status(info.error_status);
            let message = text(info.error_message).unwrap_or_else(|| code.name().to_string());
            Error::new(code, message).with_shard(&key)
        });
        ShardInfo {
            mount_url: text(info.mount_url).unwrap_or_default(),
            state: State::new(info.state),
            is_lazy: info.flags & sys::DAGSTORE_INFO_LAZY != 0,
            error,
            transient: text(info.transient).map(PathBuf::from),
            references: info.references,
            block_count: info.block_count,
            payload_size: info.payload_size,
            index_size: info.index_size,
            state_since: SystemTime::UNIX_EPOCH + Duration::from_millis(info.state_since),
            policy: Policy::new(info.policy),
            remote_requests: info.remote_requests,
            remote_bytes: info.remote_bytes,
            key,
        }
    }
}

/// An iterator over the records of shards, in order of registration; see
/// [`Store::shards`](crate::Store::shards).
///
/// It may miss or return shards that are registered or destroyed meanwhile. It ends after an error:
/// [`ErrorCode::CatalogCorrupt`], [`ErrorCode::Closed`].
pub struct Shards {
    handle: Option<Handle<sys::dagstore_shards_t>>,
}

impl Shards {
    pub(crate) fn new(handle: Handle<sys::dagstore_shards_t>) -> Shards {
        Shards { handle: Some(handle) }
    }
}

impl Iterator for Shards {
    type Item = Result<ShardInfo>;

    fn next(&mut self) -> Option<Result<ShardInfo>> {
        let handle = self.handle.as_ref()?.as_ptr();
        let mut info: sys::dagstore_info_t = sized();
        // SAFETY: the cursor is open, and this reference to it is exclusive.
        let step = call(|error| unsafe { sys::dagstore_shards_next(handle, &mut info, error) });
        match step {
            Ok(sys::DAGSTORE_DONE) => {
                self.handle = None;
                None
            }
            // SAFETY: the texts stay until the next step.
            Ok(_) => Some(Ok(unsafe { ShardInfo::copy(&info) })),
            Err(error) => {
                self.handle = None;
                Some(Err(error))
            }
        }
    }
}

impl FusedIterator for Shards {}

impl fmt::Debug for Shards {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Shards").finish_non_exhaustive()
    }
}

/// An event of a shard.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Event {
    /// Counts from 1 at the opening of the store. A gap shows that the queue overflowed.
    pub number: u64,
    /// The key of the shard.
    pub key: String,
    /// The kind of the event.
    pub kind: EventKind,
    /// The state after it; `None` if there is no shard any more.
    pub state: Option<State>,
    /// The reason of a failure.
    pub error: Option<Error>,
    /// The number of leases after it.
    pub references: u64,
}

/// A queue of the events of a store's shards; see [`Store::events`](crate::Store::events).
///
/// As an iterator it waits for each event, and ends when the store is closed and the queue is empty.
pub struct Events {
    handle: Handle<sys::dagstore_events_t>,
}

impl Events {
    pub(crate) fn new(handle: Handle<sys::dagstore_events_t>) -> Events {
        Events { handle }
    }

    /// Takes the next event from the queue. Returns `None` when the store is closed and the queue is
    /// empty.
    ///
    /// `timeout` limits the wait for an event: zero polls, `None` has no limit. Fails with
    /// [`ErrorCode::DeadlineExceeded`] if no event came.
    pub fn next_event(&mut self, timeout: Option<Duration>) -> Result<Option<Event>> {
        let mut event: sys::dagstore_event_t = sized();
        // SAFETY: the queue is open, and this reference to it is exclusive.
        let status = call(|error| unsafe {
            let timeout = milliseconds(timeout);
            sys::dagstore_events_next(self.handle.as_ptr(), timeout, &mut event, error)
        })?;
        if status == sys::DAGSTORE_DONE {
            return Ok(None);
        }
        // SAFETY: the texts stay until the next step.
        let text = |start| unsafe { ffi::copy_text(start) };
        let key = text(event.key).unwrap_or_default();
        let error = (event.error_status != sys::DAGSTORE_OK).then(|| {
            let code = ErrorCode::from_status(event.error_status);
            let message = text(event.error_message).unwrap_or_else(|| code.name().to_string());
            Error::new(code, message).with_shard(&key)
        });
        Ok(Some(Event {
            number: event.number,
            kind: EventKind::new(event.operation),
            state: State::existing(event.state),
            error,
            references: event.references,
            key,
        }))
    }
}

impl Iterator for Events {
    type Item = Result<Event>;

    fn next(&mut self) -> Option<Result<Event>> {
        self.next_event(None).transpose()
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Events").finish_non_exhaustive()
    }
}

/// Declares a struct of counts, and its copy from the library's.
macro_rules! counts {
    (
        $(#[doc = $about:literal])* $name:ident: $raw:ident;
        $($(#[doc = $doc:literal])* $field:ident: $type:ty,)*
    ) => {
        $(#[doc = $about])*
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct $name {
            $($(#[doc = $doc])* pub $field: $type,)*
        }

        impl From<&sys::$raw> for $name {
            fn from(raw: &sys::$raw) -> $name {
                $name { $($field: raw.$field,)* }
            }
        }
    };
}

counts! {
    /// The counts of a store.
    Statistics: dagstore_statistics_t;
    /// Shards that are registered.
    shards: u64,
    /// Shards that are available.
    available: u64,
    /// Shards that have failed.
    failed: u64,
    /// Sections of all indexed shards.
    blocks: u64,
    /// The payload of all indexed shards, in bytes.
    payload_bytes: u64,
    /// Pages and locators, in bytes.
    index_bytes: u64,
    /// The size of the catalog's file, in bytes.
    catalog_file_bytes: u64,
    /// Bytes of that file in use.
    catalog_used_bytes: u64,
    /// Bytes of that file that are free.
    catalog_free_bytes: u64,
    /// Address space for the catalog, in bytes.
    map_size: u64,
    /// Leases of this process.
    leases: u64,
    /// Shards that are open in this process.
    open_shards: u64,
    /// Events that full queues dropped.
    events_dropped: u64,
    /// The store's own copies of CARs.
    transients: u64,
    /// The size of these copies, in bytes.
    transient_bytes: u64,
    /// Searches that found their page in the page cache.
    page_cache_hits: u64,
    /// Searches that decoded their page.
    page_cache_misses: u64,
    /// The size of the page cache, in bytes.
    page_cache_bytes: u64,
    /// Runs that a search over all shards reads.
    inverse_runs: u32,
    /// Pairs of a multihash and a shard.
    inverse_entries: u64,
    /// The size of the inverse index, in bytes.
    inverse_bytes: u64,
    /// Pairs that were added to the inverse index.
    inverse_entries_added: u64,
    /// Pairs that were written to the inverse index, with those that merges wrote again.
    inverse_entries_written: u64,
    /// Requests by which this process read shards from elsewhere, since it opened the store.
    remote_requests: u64,
    /// Bytes that came with these requests.
    remote_bytes: u64,
}

counts! {
    /// The results of a garbage collection of the store's own copies of CARs.
    Garbage: dagstore_garbage_t;
    /// Copies that it removed.
    removed: u64,
    /// The size of these copies, in bytes.
    removed_bytes: u64,
    /// Copies within the quota.
    kept: u64,
    /// Copies that callers read or wait for.
    in_use: u64,
    /// Copies that could not be removed.
    failed: u64,
}

numbers! {
    /// The result of a garbage collection for one copy.
    Collection: "A result of a later release of the library.";
    /// The copy is removed.
    Removed = DAGSTORE_COPY_REMOVED,
    /// A caller reads the copy.
    InUse = DAGSTORE_COPY_IN_USE,
    /// A job or a caller waits for the copy.
    Awaited = DAGSTORE_COPY_AWAITED,
    /// The copy is within the quota.
    Kept = DAGSTORE_COPY_KEPT,
    /// The copy could not be removed.
    Failed = DAGSTORE_COPY_FAILED,
}

/// A copy that a garbage collection looked at.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Collected {
    /// The key of the shard; `None` if the shard was destroyed.
    pub key: Option<String>,
    /// The result for the copy.
    pub result: Collection,
    /// The size of the copy, in bytes.
    pub bytes: u64,
    /// The reason why the copy could not be removed.
    pub error: Option<Error>,
}

/// A problem that a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// "catalogRow", "counters", "orphanIndex", "index", "failed", "sourceUnreachable",
    /// "sourceChanged", "transient", "block" or "inverse"; later releases may add kinds.
    pub kind: String,
    /// The key of the shard; `None` if the problem is about no shard.
    pub key: Option<String>,
    /// A sentence for people.
    pub detail: String,
    /// "mended", "reindexed" or "markedFailed"; `None` if the problem was not repaired.
    pub repair: Option<String>,
}

/// The results of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Check {
    /// Whether there is no problem, or all are repaired.
    pub is_sound: bool,
    /// The problems.
    pub problems: Vec<Problem>,
    /// Shards that were checked.
    pub shards: u64,
    /// Sections that were checked.
    pub entries: u64,
    /// Blocks that were hashed and whose digest proves something.
    pub blocks: u64,
    /// The size of these blocks, in bytes.
    pub bytes: u64,
    /// Shards whose source is not on this machine.
    pub skipped: u64,
    /// Inverse entries that lead to no section until a merge removes them; not a problem.
    pub stale_entries: u64,
    /// Failed shards; a problem only if all shards have failed.
    pub failed: u64,
    /// Shards with a given index whose CAR was not read yet.
    pub unread: u64,
    /// Blocks whose hash is unknown or proves nothing.
    pub unverified: u64,
}

impl Check {
    /// Copies the results of a check, and reads its problems.
    pub(crate) fn new(
        check: &sys::dagstore_check_t,
        handle: Option<Handle<sys::dagstore_problems_t>>,
    ) -> Result<Check> {
        let mut problems = Vec::new();
        if let Some(handle) = handle {
            let mut problem: sys::dagstore_problem_t = sized();
            // SAFETY: the cursor is open, and this thread alone steps it.
            while call(|error| unsafe {
                sys::dagstore_problems_next(handle.as_ptr(), &mut problem, error)
            })? != sys::DAGSTORE_DONE
            {
                // SAFETY: the texts stay until the next step.
                let text = |start| unsafe { ffi::copy_text(start) };
                problems.push(Problem {
                    kind: text(problem.kind).unwrap_or_default(),
                    key: text(problem.key),
                    detail: text(problem.detail).unwrap_or_default(),
                    repair: text(problem.repair),
                });
            }
        }
        Ok(Check {
            is_sound: check.is_sound != 0,
            problems,
            shards: check.shards,
            entries: check.entries,
            blocks: check.blocks,
            bytes: check.bytes,
            skipped: check.skipped,
            stale_entries: check.stale_entries,
            failed: check.failed,
            unread: check.unread,
            unverified: check.unverified,
        })
    }
}
