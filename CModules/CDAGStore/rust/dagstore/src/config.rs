//! Configurations of stores and registrations.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use dagstore_sys as sys;

use crate::callbacks::{self, Measurement, Observe, Progress, ReceiveProgress, Select};
use crate::ffi::{self, Handle, call, sized};
use crate::indexer::{self, INDEXERS, Indexer};
use crate::mount::{self, Mount};
use crate::states::Policy;
use crate::store::{Callbacks, Store};
use crate::{Cid, Result, library};

/// How the store encodes index pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PageEncoding {
    /// The smaller encoding of each page.
    Smallest,
    /// Compressed.
    Zstd,
    /// Not compressed.
    Direct,
}

/// When an opened store recovers shards that had failed before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Recovery {
    /// Only when a caller asks.
    Manual,
    /// At the first acquire of the shard, once.
    OnAcquire,
    /// All of them at the opening.
    AtOpen,
}

/// The configuration of a store, with defaults for a server.
///
/// ```
/// use dagstore::Config;
///
/// let folder = std::env::temp_dir().join(format!("dagstore-config-{}", std::process::id()));
/// let store = Config::new().transient_quota(1 << 30).idle_shards_max(64).open(&folder)?;
/// assert_eq!(store.statistics()?.shards, 0);
/// # drop(store);
/// # std::fs::remove_dir_all(folder).unwrap();
/// # Ok::<(), dagstore::Error>(())
/// ```
#[derive(Default)]
#[must_use]
pub struct Config {
    flags: u32,
    page_encoding: Option<u32>,
    recovery: Option<u32>,
    map_size: Option<u64>,
    sort_budget: Option<u64>,
    page_cache_size: Option<u64>,
    header_size_max: Option<u64>,
    section_size_max: Option<u64>,
    concurrent_indexing: Option<u32>,
    concurrent_ready_fetches: Option<u32>,
    automatic_recoveries: Option<u32>,
    idle_shards_max: Option<u32>,
    idle_bytes_max: Option<u64>,
    idle_time_max: Option<Duration>,
    transient_quota: Option<u64>,
    transient_watermarks: Option<(f64, f64)>,
    fetch_timeout: Option<Duration>,
    remote_policy: Option<Policy>,
    remote_cache_size: Option<u64>,
    mounts: Vec<(String, Box<dyn Mount>)>,
    select: Option<Arc<Select>>,
    observe: Option<Arc<Observe>>,
    indexer: Option<Arc<dyn Indexer>>,
}

impl Config {
    /// Makes a configuration with the defaults.
    pub fn new() -> Config {
        Config::default()
    }

    fn flag(mut self, flag: u32, is_set: bool) -> Config {
        match is_set {
            true => self.flags |= flag,
            false => self.flags &= !flag,
        }
        self
    }

    /// Reads only: takes no lock, and writes neither records nor indexes.
    pub fn read_only(self, is_set: bool) -> Config {
        self.flag(sys::DAGSTORE_OPEN_READ_ONLY, is_set)
    }

    /// Lets results survive a crash of the process, but not of the machine. For benchmarks.
    pub fn relaxed(self, is_set: bool) -> Config {
        self.flag(sys::DAGSTORE_OPEN_RELAXED, is_set)
    }

    /// Reads CARs with system calls and copies blocks: other processes may truncate the files.
    pub fn unmapped(self, is_set: bool) -> Config {
        self.flag(sys::DAGSTORE_OPEN_UNMAPPED, is_set)
    }

    /// Treats a section of length zero as an error, not as the end of the data.
    pub fn refuses_null_padding(self, is_set: bool) -> Config {
        self.flag(sys::DAGSTORE_OPEN_REFUSES_NULL_PADDING, is_set)
    }

    /// Checks every page of the catalog at the opening; for files that may be damaged.
    pub fn checks_pages(self, is_set: bool) -> Config {
        self.flag(sys::DAGSTORE_OPEN_CHECKS_PAGES, is_set)
    }

    /// Does not continue jobs that the end of a process interrupted until a caller asks for them.
    pub fn leaves_interrupted(self, is_set: bool) -> Config {
        self.flag(sys::DAGSTORE_OPEN_LEAVES_INTERRUPTED, is_set)
    }

    /// Lets "http", "https" and "s3" URLs reach this machine and private networks.
    pub fn allows_private(self, is_set: bool) -> Config {
        self.flag(sys::DAGSTORE_OPEN_ALLOWS_PRIVATE, is_set)
    }

    /// Sets how the store encodes index pages; [`PageEncoding::Smallest`] by default.
    pub fn page_encoding(mut self, encoding: PageEncoding) -> Config {
        self.page_encoding = Some(match encoding {
            PageEncoding::Smallest => sys::DAGSTORE_PAGES_SMALLEST,
            PageEncoding::Zstd => sys::DAGSTORE_PAGES_ZSTD,
            PageEncoding::Direct => sys::DAGSTORE_PAGES_DIRECT,
        });
        self
    }

    /// Sets when the store recovers shards that had failed before; [`Recovery::Manual`] by default.
    pub fn recovery(mut self, recovery: Recovery) -> Config {
        self.recovery = Some(match recovery {
            Recovery::Manual => sys::DAGSTORE_RECOVERY_MANUAL,
            Recovery::OnAcquire => sys::DAGSTORE_RECOVERY_ON_ACQUIRE,
            Recovery::AtOpen => sys::DAGSTORE_RECOVERY_AT_OPEN,
        });
        self
    }

    /// Sets the address space for the catalog, in bytes; 1 TiB by default.
    pub fn map_size(mut self, bytes: u64) -> Config {
        self.map_size = Some(bytes);
        self
    }

    /// Sets the memory for sorting while indexing a shard, in bytes.
    pub fn sort_budget(mut self, bytes: u64) -> Config {
        self.sort_budget = Some(bytes);
        self
    }

    /// Sets the memory for decoded index pages, in bytes; 32 MiB by default.
    pub fn page_cache_size(mut self, bytes: u64) -> Config {
        self.page_cache_size = Some(bytes);
        self
    }

    /// Sets the size of the largest CAR header to read, in bytes; 32 MiB by default.
    pub fn header_size_max(mut self, bytes: u64) -> Config {
        self.header_size_max = Some(bytes);
        self
    }

    /// Sets the size of the largest section to read, in bytes; 8 MiB by default.
    pub fn section_size_max(mut self, bytes: u64) -> Config {
        self.section_size_max = Some(bytes);
        self
    }

    /// Sets the number of shards to index at once, 1 to 1,024; the number of processors by default.
    pub fn concurrent_indexing(mut self, count: u32) -> Config {
        self.concurrent_indexing = Some(count);
        self
    }

    /// Sets the number of mounts that are ready to open and copy at once, 1 to 1,024; 8 by default.
    pub fn concurrent_ready_fetches(mut self, count: u32) -> Config {
        self.concurrent_ready_fetches = Some(count);
        self
    }

    /// Sets the number of recoveries of a failing shard without a caller; 0 by default.
    pub fn automatic_recoveries(mut self, count: u32) -> Config {
        self.automatic_recoveries = Some(count);
        self
    }

    /// Sets the number of open shards to keep without leases; 256 by default.
    pub fn idle_shards_max(mut self, count: u32) -> Config {
        self.idle_shards_max = Some(count);
        self
    }

    /// Sets the payload bytes of open shards to keep without leases; no limit by default.
    pub fn idle_bytes_max(mut self, bytes: u64) -> Config {
        self.idle_bytes_max = Some(bytes);
        self
    }

    /// Sets the time to keep open shards without leases; no limit by default.
    pub fn idle_time_max(mut self, time: Duration) -> Config {
        self.idle_time_max = Some(time);
        self
    }

    /// Sets the bytes of the store's own copies of CARs (transients); no limit by default.
    pub fn transient_quota(mut self, bytes: u64) -> Config {
        self.transient_quota = Some(bytes);
        self
    }

    /// Sets the shares of the quota that start and end the removal of copies; 0.9 and 0.7 by default.
    pub fn transient_watermarks(mut self, high: f64, low: f64) -> Config {
        self.transient_watermarks = Some((high, low));
        self
    }

    /// Sets the time that a mount may take to supply the bytes of a shard, rounded up to milliseconds;
    /// no limit by default, and with zero.
    pub fn fetch_timeout(mut self, time: Duration) -> Config {
        self.fetch_timeout = Some(time);
        self
    }

    /// Sets the policy of "http", "https" and "s3" shards with [`Policy::Automatic`];
    /// [`Policy::Remote`] by default.
    pub fn remote_policy(mut self, policy: Policy) -> Config {
        self.remote_policy = Some(policy);
        self
    }

    /// Sets the size of the cache of [`Policy::Cache`], in bytes; 1 GiB by default.
    pub fn remote_cache_size(mut self, bytes: u64) -> Config {
        self.remote_cache_size = Some(bytes);
        self
    }

    /// Adds a mount: the store reads URLs of the form `scheme://...` through it.
    ///
    /// A scheme has lower-case letters, digits, '+', '-' and '.', and begins with a letter. "http",
    /// "https" and "s3" replace the library's own. [`open`](Config::open) fails with
    /// [`ErrorCode::InvalidArgument`](crate::ErrorCode::InvalidArgument) if a scheme is malformed or
    /// taken.
    pub fn mount(mut self, scheme: impl Into<String>, mount: impl Mount) -> Config {
        self.mounts.push((scheme.into(), Box::new(mount)));
        self
    }

    /// Sets a closure that chooses among the shards that may have a block.
    ///
    /// [`Store::get`] calls it on its own thread, with the CID and the keys of the shards, in the order
    /// in which the store would read them. It returns the indices of the keys to read, best first; none
    /// refuses the block. The store skips indices that are out of range. A panic continues in the
    /// caller of [`Store::get`], and refuses the block if the thread is ending.
    pub fn select_shards(
        mut self,
        select: impl Fn(&Cid, &[&str]) -> Vec<usize> + Send + Sync + 'static,
    ) -> Config {
        self.select = Some(Arc::new(select));
        self
    }

    /// Sets a closure that receives the times of the store's steps, on threads of the library. It must
    /// return at once, and must not call the store. The binding ignores a panic.
    pub fn observe(mut self, observe: impl Fn(&Measurement<'_>) + Send + Sync + 'static) -> Config {
        self.observe = Some(Arc::new(observe));
        self
    }

    /// Sets an indexer, which supplies the sections of CARs instead of the library's walk.
    pub fn indexer(mut self, indexer: impl Indexer) -> Config {
        self.indexer = Some(Arc::new(indexer));
        self
    }

    /// Opens the store in a directory. Makes the store if there is none, except if it is read-only.
    ///
    /// Makes the directory, and those above it, if it is missing. After the call the store continues
    /// jobs that the end of a process interrupted. Costs 0.25 ms, whatever the number of shards.
    ///
    /// Fails with [`CatalogLocked`](crate::ErrorCode::CatalogLocked) if the store is already open, also
    /// in this process; [`CatalogTooNew`](crate::ErrorCode::CatalogTooNew),
    /// [`CatalogCorrupt`](crate::ErrorCode::CatalogCorrupt),
    /// [`CatalogFull`](crate::ErrorCode::CatalogFull), [`ReadOnly`](crate::ErrorCode::ReadOnly);
    /// [`InvalidArgument`](crate::ErrorCode::InvalidArgument) if there is no store to open read-only;
    /// [`InvalidConfiguration`](crate::ErrorCode::InvalidConfiguration);
    /// [`IncompatibleLibrary`](crate::ErrorCode::IncompatibleLibrary).
    pub fn open(self, path: impl AsRef<Path>) -> Result<Store> {
        library::check()?;
        let mut raw = self.raw()?;
        let Config { mounts, select, observe, indexer, .. } = self;
        let mounts = mount::make_set(mounts)?;
        raw.mounts = mounts.as_ref().map_or(std::ptr::null_mut(), Handle::as_ptr);
        let callbacks = Callbacks {
            select: select.map(|select| callbacks::SELECTIONS.add(select)),
            observe: observe.map(|observe| callbacks::OBSERVERS.add(observe)),
            index: indexer.map(|indexer| INDEXERS.add(indexer)),
        };
        if let Some(select) = &callbacks.select {
            raw.select_shards = Some(callbacks::select);
            raw.select_context = select.context();
        }
        if let Some(observe) = &callbacks.observe {
            raw.observe = Some(callbacks::observe);
            raw.observe_context = observe.context();
        }
        if let Some(index) = &callbacks.index {
            raw.index = Some(indexer::index);
            raw.index_context = index.context();
        }
        let handle = ffi::with_path(path.as_ref(), |path| {
            // SAFETY: the path and the configuration stay for the call; the set is open until then. The
            // callbacks look their contexts up, and accept any.
            Handle::open(|out, error| unsafe { sys::dagstore_open(path, &raw, out, error) })
        })?;
        Ok(Store::new(handle, callbacks))
    }

    /// Returns the numbers for the library.
    fn raw(&self) -> Result<sys::dagstore_config_t> {
        let mut raw: sys::dagstore_config_t = sized();
        // SAFETY: the struct stays for the call, and has this size.
        call(|error| unsafe { sys::dagstore_config_init(&mut raw, size_of_val(&raw), error) })?;
        raw.flags = self.flags;
        set(&mut raw.page_policy, self.page_encoding);
        set(&mut raw.recovery, self.recovery);
        set(&mut raw.map_size, self.map_size);
        set(&mut raw.sort_budget, self.sort_budget);
        set(&mut raw.page_cache_size, self.page_cache_size);
        set(&mut raw.header_size_max, self.header_size_max);
        set(&mut raw.section_size_max, self.section_size_max);
        set(&mut raw.concurrent_indexing, self.concurrent_indexing);
        set(&mut raw.concurrent_ready_fetches, self.concurrent_ready_fetches);
        set(&mut raw.automatic_recoveries, self.automatic_recoveries);
        set(&mut raw.idle_shards_max, self.idle_shards_max);
        set(&mut raw.idle_bytes_max, self.idle_bytes_max);
        set(&mut raw.idle_time_max_ms, self.idle_time_max.map(to_milliseconds));
        set(&mut raw.transient_quota, self.transient_quota);
        set(&mut raw.transient_high_watermark, self.transient_watermarks.map(|(high, _)| high));
        set(&mut raw.transient_low_watermark, self.transient_watermarks.map(|(_, low)| low));
        set(&mut raw.fetch_timeout_ms, self.fetch_timeout.map(to_milliseconds));
        set(&mut raw.remote_policy, self.remote_policy.map(Policy::number));
        set(&mut raw.remote_cache_size, self.remote_cache_size);
        Ok(raw)
    }
}

/// Sets a field, unless it keeps its default.
fn set<T>(field: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *field = value;
    }
}

/// Converts a time to milliseconds, rounded up.
fn to_milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

impl fmt::Debug for Config {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let schemes: Vec<&str> = self.mounts.iter().map(|(scheme, _)| scheme.as_str()).collect();
        let mut fields = formatter.debug_struct("Config");
        fields.field("flags", &self.flags).field("mounts", &schemes).finish_non_exhaustive()
    }
}

/// When the store indexes a shard that it registers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Indexing {
    /// During the call, which returns when the shard is available.
    #[default]
    Now,
    /// At the first acquire of the shard. The call returns when the record is on disk.
    Lazy,
    /// At once. The call returns when the record is on disk.
    Background,
}

/// Options of a registration.
#[derive(Clone, Default)]
#[must_use]
pub struct RegisterOptions {
    pub(crate) indexing: Indexing,
    pub(crate) existing_transient: Option<PathBuf>,
    pub(crate) progress: Option<Arc<ReceiveProgress>>,
    pub(crate) policy: Option<Policy>,
}

impl RegisterOptions {
    /// Makes the options of a registration that waits until the shard is indexed.
    pub fn new() -> RegisterOptions {
        RegisterOptions::default()
    }

    /// Sets when the store indexes the shard; [`Indexing::Now`] by default.
    pub fn indexing(mut self, indexing: Indexing) -> RegisterOptions {
        self.indexing = indexing;
        self
    }

    /// Sets the absolute path of a local copy to read instead, which the library never removes.
    pub fn existing_transient(mut self, path: impl Into<PathBuf>) -> RegisterOptions {
        self.existing_transient = Some(path.into());
        self
    }

    /// Sets the part of the shard that stays on this machine; [`Policy::Automatic`] by default.
    pub fn policy(mut self, policy: Policy) -> RegisterOptions {
        self.policy = Some(policy);
        self
    }

    /// Sets a closure that receives the progress of the first indexing, now and then, on a thread of
    /// the library. The binding ignores a panic.
    ///
    /// With [`Indexing::Now`] the closure is dropped at the end of the call; otherwise when
    /// [`Store::destroy`] removes the shard or the store closes.
    pub fn progress(
        mut self,
        progress: impl Fn(Progress) + Send + Sync + 'static,
    ) -> RegisterOptions {
        self.progress = Some(Arc::new(progress));
        self
    }
}

impl fmt::Debug for RegisterOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = formatter.debug_struct("RegisterOptions");
        fields.field("indexing", &self.indexing).field("policy", &self.policy);
        fields.field("existing_transient", &self.existing_transient).finish_non_exhaustive()
    }
}
