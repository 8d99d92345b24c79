// The types and constants of dagstore.h in its order, then its functions.

use core::ffi::{c_char, c_void};
use core::marker::{PhantomData, PhantomPinned};

/// Declares a type that only the library knows the contents of.
macro_rules! opaque {
    ($name:ident) => {
        #[repr(C)]
        pub struct $name {
            _contents: [u8; 0],
            _marker: PhantomData<(*mut u8, PhantomPinned)>,
        }
    };
}

pub const DAGSTORE_ABI_VERSION: u32 = 1;

pub type dagstore_status_t = i32;

pub const DAGSTORE_OK: dagstore_status_t = 0;
pub const DAGSTORE_DONE: dagstore_status_t = 1;
pub const DAGSTORE_SHARD_UNKNOWN: dagstore_status_t = -1;
pub const DAGSTORE_BLOCK_NOT_FOUND: dagstore_status_t = -2;
pub const DAGSTORE_PATH_NOT_FOUND: dagstore_status_t = -3;
pub const DAGSTORE_INVALID_ARGUMENT: dagstore_status_t = -10;
pub const DAGSTORE_INVALID_KEY: dagstore_status_t = -11;
pub const DAGSTORE_INVALID_CID: dagstore_status_t = -12;
pub const DAGSTORE_INVALID_CONFIGURATION: dagstore_status_t = -13;
pub const DAGSTORE_UNKNOWN_SCHEME: dagstore_status_t = -14;
pub const DAGSTORE_UNSUPPORTED_HASH: dagstore_status_t = -15;
pub const DAGSTORE_SHARD_EXISTS: dagstore_status_t = -16;
pub const DAGSTORE_SHARD_IN_USE: dagstore_status_t = -17;
pub const DAGSTORE_NOT_FAILED: dagstore_status_t = -18;
pub const DAGSTORE_BUFFER_TOO_SMALL: dagstore_status_t = -19;
pub const DAGSTORE_UNSUPPORTED_CODEC: dagstore_status_t = -60;
pub const DAGSTORE_PATH_NOT_A_LINK: dagstore_status_t = -61;
pub const DAGSTORE_MOUNT_UNREACHABLE: dagstore_status_t = -20;
pub const DAGSTORE_MOUNT_GONE: dagstore_status_t = -21;
pub const DAGSTORE_FETCH_FAILED: dagstore_status_t = -22;
pub const DAGSTORE_FETCH_TIMED_OUT: dagstore_status_t = -23;
pub const DAGSTORE_SOURCE_CHANGED: dagstore_status_t = -24;
pub const DAGSTORE_MALFORMED_CAR: dagstore_status_t = -30;
pub const DAGSTORE_TRUNCATED: dagstore_status_t = -31;
pub const DAGSTORE_UNSUPPORTED_VERSION: dagstore_status_t = -32;
pub const DAGSTORE_LIMIT_EXCEEDED: dagstore_status_t = -33;
pub const DAGSTORE_HASH_MISMATCH: dagstore_status_t = -34;
pub const DAGSTORE_MALFORMED_INDEX: dagstore_status_t = -35;
pub const DAGSTORE_MALFORMED_BLOCK: dagstore_status_t = -36;
pub const DAGSTORE_CATALOG_CORRUPT: dagstore_status_t = -40;
pub const DAGSTORE_CATALOG_FULL: dagstore_status_t = -41;
pub const DAGSTORE_CATALOG_LOCKED: dagstore_status_t = -42;
pub const DAGSTORE_CATALOG_TOO_NEW: dagstore_status_t = -43;
pub const DAGSTORE_READ_ONLY: dagstore_status_t = -44;
pub const DAGSTORE_QUOTA_EXCEEDED: dagstore_status_t = -45;
pub const DAGSTORE_SHARD_FAILED: dagstore_status_t = -46;
pub const DAGSTORE_OUT_OF_RESOURCES: dagstore_status_t = -47;
pub const DAGSTORE_TOO_MANY_READERS: dagstore_status_t = -48;
pub const DAGSTORE_REOPEN_NEEDED: dagstore_status_t = -49;
pub const DAGSTORE_CATALOG_UNREACHABLE: dagstore_status_t = -62;
pub const DAGSTORE_CLOSED: dagstore_status_t = -50;
pub const DAGSTORE_CANCELLED: dagstore_status_t = -51;
pub const DAGSTORE_DEADLINE_EXCEEDED: dagstore_status_t = -52;

opaque!(dagstore_t);

opaque!(dagstore_shard_t);

opaque!(dagstore_block_t);

opaque!(dagstore_error_t);

opaque!(dagstore_mounts_t);

opaque!(dagstore_entries_t);

opaque!(dagstore_shards_t);

opaque!(dagstore_places_t);

opaque!(dagstore_multihashes_t);

opaque!(dagstore_problems_t);

opaque!(dagstore_events_t);

opaque!(dagstore_car_t);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dagstore_bytes_t {
    pub data: *const u8,
    pub size: usize,
}

pub const DAGSTORE_WAIT_FOREVER: u32 = u32::MAX;

pub const DAGSTORE_NO_LIMIT: u64 = u64::MAX;

pub const DAGSTORE_LOG_NONE: i32 = 0;
pub const DAGSTORE_LOG_ERROR: i32 = 1;
pub const DAGSTORE_LOG_WARNING: i32 = 2;
pub const DAGSTORE_LOG_INFO: i32 = 3;
pub const DAGSTORE_LOG_DEBUG: i32 = 4;

pub type dagstore_log_fn =
    Option<unsafe extern "C" fn(context: *mut c_void, level: i32, message: *const c_char)>;

pub const DAGSTORE_ACCESS_SEQUENTIAL: u32 = 1;
pub const DAGSTORE_ACCESS_RANDOM: u32 = 2;
pub const DAGSTORE_ACCESS_FILE: u32 = 3;

pub const DAGSTORE_MOUNT_NOT_READY: u32 = 1;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dagstore_mount_stat_t {
    pub size: u32,
    pub flags: u32,
    pub bytes: u64,
    pub validator: [c_char; 256],
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dagstore_mount_request_t {
    pub size: u32,
    pub reserved: u32,
    pub key: *const c_char,
    pub url: *const c_char,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dagstore_mount_source_t {
    pub size: u32,
    pub reserved: u32,
    pub source: *mut c_void,
    pub bytes: u64,
    pub path: [c_char; 4096],
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dagstore_mount_vtable_t {
    pub size: u32,
    pub access: u32,
    pub stat: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            url: *const c_char,
            out_stat: *mut dagstore_mount_stat_t,
            out_error: *mut *mut dagstore_error_t,
        ) -> dagstore_status_t,
    >,
    pub open: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            url: *const c_char,
            out_source: *mut *mut c_void,
            out_bytes: *mut u64,
            out_error: *mut *mut dagstore_error_t,
        ) -> dagstore_status_t,
    >,
    pub read_at: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            source: *mut c_void,
            offset: u64,
            buffer: *mut u8,
            capacity: usize,
            out_size: *mut usize,
            out_error: *mut *mut dagstore_error_t,
        ) -> dagstore_status_t,
    >,
    pub close: Option<unsafe extern "C" fn(context: *mut c_void, source: *mut c_void)>,
    pub interrupt: Option<unsafe extern "C" fn(context: *mut c_void, source: *mut c_void)>,
    pub release: Option<unsafe extern "C" fn(context: *mut c_void)>,
    pub access_of: Option<unsafe extern "C" fn(context: *mut c_void, url: *const c_char) -> u32>,
    pub stat_shard: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            request: *const dagstore_mount_request_t,
            out_stat: *mut dagstore_mount_stat_t,
            out_error: *mut *mut dagstore_error_t,
        ) -> dagstore_status_t,
    >,
    pub open_shard: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            request: *const dagstore_mount_request_t,
            out_source: *mut dagstore_mount_source_t,
            out_error: *mut *mut dagstore_error_t,
        ) -> dagstore_status_t,
    >,
}

pub const DAGSTORE_OPEN_READ_ONLY: u32 = 1;
pub const DAGSTORE_OPEN_RELAXED: u32 = 2;
pub const DAGSTORE_OPEN_UNMAPPED: u32 = 4;
pub const DAGSTORE_OPEN_REFUSES_NULL_PADDING: u32 = 8;
pub const DAGSTORE_OPEN_CHECKS_PAGES: u32 = 16;
pub const DAGSTORE_OPEN_LEAVES_INTERRUPTED: u32 = 32;
pub const DAGSTORE_OPEN_ALLOWS_PRIVATE: u32 = 64;

pub const DAGSTORE_POLICY_AUTOMATIC: u32 = 0;
pub const DAGSTORE_POLICY_REMOTE: u32 = 1;
pub const DAGSTORE_POLICY_CACHE: u32 = 2;
pub const DAGSTORE_POLICY_COPY: u32 = 3;

pub const DAGSTORE_PAGES_SMALLEST: u32 = 0;
pub const DAGSTORE_PAGES_ZSTD: u32 = 1;
pub const DAGSTORE_PAGES_DIRECT: u32 = 2;

pub const DAGSTORE_RECOVERY_MANUAL: u32 = 0;
pub const DAGSTORE_RECOVERY_ON_ACQUIRE: u32 = 1;
pub const DAGSTORE_RECOVERY_AT_OPEN: u32 = 2;

pub type dagstore_select_fn = Option<
    unsafe extern "C" fn(
        context: *mut c_void,
        cid: *const u8,
        cid_size: usize,
        keys: *const *const c_char,
        count: usize,
        order: *mut usize,
    ) -> usize,
>;

pub type dagstore_observe_fn = Option<
    unsafe extern "C" fn(
        context: *mut c_void,
        kind: *const c_char,
        nanoseconds: u64,
        success: bool,
    ),
>;

opaque!(dagstore_indexing_t);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dagstore_indexing_info_t {
    pub size: u32,
    pub reserved: u32,
    pub key: *const c_char,
    pub mount_url: *const c_char,
    pub bytes: u64,
    pub payload_offset: u64,
    pub payload_size: u64,
}

pub type dagstore_index_fn = Option<
    unsafe extern "C" fn(
        context: *mut c_void,
        indexing: *mut dagstore_indexing_t,
        info: *const dagstore_indexing_info_t,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t,
>;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dagstore_config_t {
    pub size: u32,
    pub flags: u32,
    pub page_policy: u32,
    pub recovery: u32,
    pub map_size: u64,
    pub sort_budget: u64,
    pub page_cache_size: u64,
    pub header_size_max: u64,
    pub section_size_max: u64,
    pub concurrent_indexing: u32,
    pub concurrent_ready_fetches: u32,
    pub automatic_recoveries: u32,
    pub idle_shards_max: u32,
    pub idle_bytes_max: u64,
    pub idle_time_max_ms: u64,
    pub transient_quota: u64,
    pub transient_high_watermark: f64,
    pub transient_low_watermark: f64,
    pub mounts: *mut dagstore_mounts_t,
    pub select_shards: dagstore_select_fn,
    pub select_context: *mut c_void,
    pub fetch_timeout_ms: u64,
    pub remote_policy: u32,
    pub reserved: u32,
    pub remote_cache_size: u64,
    pub observe: dagstore_observe_fn,
    pub observe_context: *mut c_void,
    pub index: dagstore_index_fn,
    pub index_context: *mut c_void,
}

pub const DAGSTORE_SHUTDOWN_CANCELLING: u32 = 1;

pub const DAGSTORE_REGISTER_LAZY: u32 = 1;
pub const DAGSTORE_REGISTER_BACKGROUND: u32 = 2;

pub type dagstore_progress_fn = Option<
    unsafe extern "C" fn(context: *mut c_void, bytes_done: u64, bytes_total: u64, sections: u64),
>;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dagstore_register_options_t {
    pub size: u32,
    pub flags: u32,
    pub existing_transient: *const c_char,
    pub progress: dagstore_progress_fn,
    pub progress_context: *mut c_void,
    pub policy: u32,
    pub reserved: u32,
}

pub type dagstore_done_fn = Option<
    unsafe extern "C" fn(
        context: *mut c_void,
        status: dagstore_status_t,
        error: *mut dagstore_error_t,
    ),
>;

pub type dagstore_acquired_fn = Option<
    unsafe extern "C" fn(
        context: *mut c_void,
        status: dagstore_status_t,
        shard: *mut dagstore_shard_t,
        error: *mut dagstore_error_t,
    ),
>;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dagstore_location_t {
    pub size: u32,
    pub reserved: u32,
    pub offset: u64,
    pub block_offset: u64,
    pub block_size: u64,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dagstore_batch_item_t {
    pub data: *const u8,
    pub offset: u64,
    pub size: u64,
    pub status: dagstore_status_t,
    pub reserved: u32,
}

pub const DAGSTORE_BATCH_MAX: usize = 65536;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dagstore_entry_t {
    pub size: u32,
    pub reserved: u32,
    pub cid: dagstore_bytes_t,
    pub offset: u64,
    pub block_offset: u64,
    pub block_size: u64,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dagstore_place_t {
    pub size: u32,
    pub reserved: u32,
    pub key: *const c_char,
    pub offset: u64,
    pub block_offset: u64,
    pub block_size: u64,
}

pub const DAGSTORE_STATE_NONE: u32 = 0;
pub const DAGSTORE_STATE_REGISTERED: u32 = 1;
pub const DAGSTORE_STATE_INITIALIZING: u32 = 2;
pub const DAGSTORE_STATE_AVAILABLE: u32 = 3;
pub const DAGSTORE_STATE_SERVING: u32 = 4;
pub const DAGSTORE_STATE_RECOVERING: u32 = 5;
pub const DAGSTORE_STATE_FAILED: u32 = 6;

pub const DAGSTORE_INFO_LAZY: u32 = 1;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dagstore_info_t {
    pub size: u32,
    pub state: u32,
    pub flags: u32,
    pub error_status: i32,
    pub key: *const c_char,
    pub mount_url: *const c_char,
    pub transient: *const c_char,
    pub error_message: *const c_char,
    pub references: u64,
    pub block_count: u64,
    pub payload_size: u64,
    pub index_size: u64,
    pub state_since: u64,
    pub policy: u32,
    pub reserved: u32,
    pub remote_requests: u64,
    pub remote_bytes: u64,
}

pub const DAGSTORE_EVENT_REGISTER: u32 = 1;
pub const DAGSTORE_EVENT_INITIALIZE: u32 = 2;
pub const DAGSTORE_EVENT_MAKE_AVAILABLE: u32 = 3;
pub const DAGSTORE_EVENT_DESTROY: u32 = 4;
pub const DAGSTORE_EVENT_ACQUIRE: u32 = 5;
pub const DAGSTORE_EVENT_FAIL: u32 = 6;
pub const DAGSTORE_EVENT_RELEASE: u32 = 7;
pub const DAGSTORE_EVENT_RECOVER: u32 = 8;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dagstore_event_t {
    pub size: u32,
    pub operation: u32,
    pub state: u32,
    pub error_status: i32,
    pub number: u64,
    pub references: u64,
    pub key: *const c_char,
    pub error_message: *const c_char,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dagstore_statistics_t {
    pub size: u32,
    pub inverse_runs: u32,
    pub shards: u64,
    pub available: u64,
    pub failed: u64,
    pub blocks: u64,
    pub payload_bytes: u64,
    pub index_bytes: u64,
    pub catalog_file_bytes: u64,
    pub catalog_used_bytes: u64,
    pub map_size: u64,
    pub leases: u64,
    pub open_shards: u64,
    pub events_dropped: u64,
    pub transients: u64,
    pub transient_bytes: u64,
    pub page_cache_hits: u64,
    pub page_cache_misses: u64,
    pub page_cache_bytes: u64,
    pub inverse_entries: u64,
    pub inverse_bytes: u64,
    pub inverse_entries_added: u64,
    pub inverse_entries_written: u64,
    pub catalog_free_bytes: u64,
    pub remote_requests: u64,
    pub remote_bytes: u64,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dagstore_garbage_t {
    pub size: u32,
    pub reserved: u32,
    pub removed: u64,
    pub removed_bytes: u64,
    pub kept: u64,
    pub in_use: u64,
    pub failed: u64,
}

pub const DAGSTORE_COPY_REMOVED: u32 = 1;
pub const DAGSTORE_COPY_IN_USE: u32 = 2;
pub const DAGSTORE_COPY_AWAITED: u32 = 3;
pub const DAGSTORE_COPY_KEPT: u32 = 4;
pub const DAGSTORE_COPY_FAILED: u32 = 5;

pub type dagstore_collected_fn = Option<
    unsafe extern "C" fn(
        context: *mut c_void,
        key: *const c_char,
        result: u32,
        bytes: u64,
        error: *mut dagstore_error_t,
    ),
>;

pub const DAGSTORE_CHECK_DEEP: u32 = 1;
pub const DAGSTORE_CHECK_REPAIR: u32 = 2;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dagstore_check_t {
    pub size: u32,
    pub is_sound: u32,
    pub problems: u64,
    pub shards: u64,
    pub entries: u64,
    pub blocks: u64,
    pub bytes: u64,
    pub skipped: u64,
    pub stale_entries: u64,
    pub failed: u64,
    pub unread: u64,
    pub unverified: u64,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dagstore_problem_t {
    pub size: u32,
    pub reserved: u32,
    pub kind: *const c_char,
    pub key: *const c_char,
    pub detail: *const c_char,
    pub repair: *const c_char,
}

pub const DAGSTORE_CID_SIZE: usize = 96;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dagstore_cid_parts_t {
    pub size: u32,
    pub version: u32,
    pub codec: u64,
    pub hash_code: u64,
    pub multihash: dagstore_bytes_t,
    pub digest: dagstore_bytes_t,
}

pub const DAGSTORE_CAR_FULLY_INDEXED: u32 = 1;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dagstore_car_info_t {
    pub size: u32,
    pub version: u32,
    pub flags: u32,
    pub index_codec: u32,
    pub roots: u64,
    pub data_offset: u64,
    pub data_size: u64,
    pub index_offset: u64,
    pub sections: u64,
    pub identity_sections: u64,
    pub duplicate_sections: u64,
    pub block_size_min: u64,
    pub block_size_max: u64,
    pub null_padding: u64,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dagstore_car_verification_t {
    pub size: u32,
    pub reserved: u32,
    pub sections: u64,
    pub unverified: u64,
    pub mismatches: u64,
}
unsafe extern "C" {
    pub fn dagstore_abi_version() -> u32;
    pub fn dagstore_version() -> *const c_char;
    pub fn dagstore_status_name(status: dagstore_status_t) -> *const c_char;
    pub fn dagstore_live_handles() -> u64;
    pub fn dagstore_error_status(error: *const dagstore_error_t) -> dagstore_status_t;
    pub fn dagstore_error_message(error: *const dagstore_error_t) -> *const c_char;
    pub fn dagstore_error_shard(error: *const dagstore_error_t) -> *const c_char;
    pub fn dagstore_error_offset(error: *const dagstore_error_t, out_offset: *mut u64) -> bool;
    pub fn dagstore_error_new(
        status: dagstore_status_t,
        message: *const c_char,
    ) -> *mut dagstore_error_t;
    pub fn dagstore_error_release(error: *mut dagstore_error_t);
    pub fn dagstore_log_set(
        level: i32,
        callback: dagstore_log_fn,
        context: *mut c_void,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_mapping_guard_install() -> bool;
    pub fn dagstore_mounts_new(
        out_mounts: *mut *mut dagstore_mounts_t,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_mounts_add(
        mounts: *mut dagstore_mounts_t,
        scheme: *const c_char,
        vtable: *const dagstore_mount_vtable_t,
        context: *mut c_void,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_mounts_release(mounts: *mut dagstore_mounts_t);
    pub fn dagstore_indexing_add(
        indexing: *mut dagstore_indexing_t,
        cid: *const u8,
        cid_size: usize,
        offset: u64,
        section_size: u64,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_indexing_read(
        indexing: *mut dagstore_indexing_t,
        offset: u64,
        buffer: *mut u8,
        capacity: usize,
        out_size: *mut usize,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_config_init(
        config: *mut dagstore_config_t,
        size: usize,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_open(
        path: *const c_char,
        config: *const dagstore_config_t,
        out_store: *mut *mut dagstore_t,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_shutdown(
        store: *mut dagstore_t,
        flags: u32,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_close(store: *mut dagstore_t);
    pub fn dagstore_compact(
        path: *const c_char,
        map_size: u64,
        out_before: *mut u64,
        out_after: *mut u64,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_register(
        store: *mut dagstore_t,
        key: *const c_char,
        mount_url: *const c_char,
        flags: u32,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_register_with(
        store: *mut dagstore_t,
        key: *const c_char,
        mount_url: *const c_char,
        options: *const dagstore_register_options_t,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_register_async(
        store: *mut dagstore_t,
        key: *const c_char,
        mount_url: *const c_char,
        options: *const dagstore_register_options_t,
        done: dagstore_done_fn,
        context: *mut c_void,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_cancel(
        store: *mut dagstore_t,
        context: *mut c_void,
        out_count: *mut usize,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_initialize(
        store: *mut dagstore_t,
        key: *const c_char,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_initialize_async(
        store: *mut dagstore_t,
        key: *const c_char,
        done: dagstore_done_fn,
        context: *mut c_void,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_relocate(
        store: *mut dagstore_t,
        key: *const c_char,
        mount_url: *const c_char,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_set_policy(
        store: *mut dagstore_t,
        key: *const c_char,
        policy: u32,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_recover(
        store: *mut dagstore_t,
        key: *const c_char,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_recover_async(
        store: *mut dagstore_t,
        key: *const c_char,
        done: dagstore_done_fn,
        context: *mut c_void,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_destroy(
        store: *mut dagstore_t,
        key: *const c_char,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_destroy_async(
        store: *mut dagstore_t,
        key: *const c_char,
        done: dagstore_done_fn,
        context: *mut c_void,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_acquire(
        store: *mut dagstore_t,
        key: *const c_char,
        timeout_ms: u32,
        out_shard: *mut *mut dagstore_shard_t,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_acquire_async(
        store: *mut dagstore_t,
        key: *const c_char,
        timeout_ms: u32,
        done: dagstore_acquired_fn,
        context: *mut c_void,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_shard_release(shard: *mut dagstore_shard_t);
    pub fn dagstore_shard_key(
        shard: *mut dagstore_shard_t,
        buffer: *mut c_char,
        capacity: usize,
        out_size: *mut usize,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_shard_block_count(shard: *const dagstore_shard_t) -> u64;
    pub fn dagstore_shard_root_count(shard: *const dagstore_shard_t) -> usize;
    pub fn dagstore_shard_root(
        shard: *mut dagstore_shard_t,
        index: usize,
        buffer: *mut u8,
        capacity: usize,
        out_size: *mut usize,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_shard_contains(
        shard: *mut dagstore_shard_t,
        cid: *const u8,
        cid_size: usize,
        out_contains: *mut bool,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_shard_locate(
        shard: *mut dagstore_shard_t,
        cid: *const u8,
        cid_size: usize,
        out_location: *mut dagstore_location_t,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_shard_get(
        shard: *mut dagstore_shard_t,
        cid: *const u8,
        cid_size: usize,
        out_block: *mut *mut dagstore_block_t,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_shard_read(
        shard: *mut dagstore_shard_t,
        cid: *const u8,
        cid_size: usize,
        buffer: *mut u8,
        capacity: usize,
        out_size: *mut usize,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_shard_get_many(
        shard: *mut dagstore_shard_t,
        cids: *const u8,
        cid_sizes: *const u32,
        count: usize,
        out_items: *mut dagstore_batch_item_t,
        out_blocks: *mut *mut dagstore_block_t,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_shard_read_many(
        shard: *mut dagstore_shard_t,
        cids: *const u8,
        cid_sizes: *const u32,
        count: usize,
        buffer: *mut u8,
        capacity: usize,
        out_items: *mut dagstore_batch_item_t,
        out_size: *mut usize,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_shard_offsets(
        shard: *mut dagstore_shard_t,
        cid: *const u8,
        cid_size: usize,
        offsets: *mut u64,
        capacity: usize,
        out_count: *mut usize,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_block_bytes(block: *const dagstore_block_t) -> dagstore_bytes_t;
    pub fn dagstore_block_verified(
        block: *const dagstore_block_t,
        cid: *const u8,
        cid_size: usize,
        out_block: *mut *mut dagstore_block_t,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_block_release(block: *mut dagstore_block_t);
    pub fn dagstore_entries_open(
        shard: *mut dagstore_shard_t,
        out_entries: *mut *mut dagstore_entries_t,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_entries_next(
        entries: *mut dagstore_entries_t,
        out_entry: *mut dagstore_entry_t,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_entries_close(entries: *mut dagstore_entries_t);
    pub fn dagstore_get(
        store: *mut dagstore_t,
        cid: *const u8,
        cid_size: usize,
        timeout_ms: u32,
        out_block: *mut *mut dagstore_block_t,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_get_selecting(
        store: *mut dagstore_t,
        cid: *const u8,
        cid_size: usize,
        timeout_ms: u32,
        select: dagstore_select_fn,
        select_context: *mut c_void,
        out_block: *mut *mut dagstore_block_t,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_contains(
        store: *mut dagstore_t,
        cid: *const u8,
        cid_size: usize,
        out_contains: *mut bool,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_block_size(
        store: *mut dagstore_t,
        cid: *const u8,
        cid_size: usize,
        out_size: *mut u64,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_holders(
        store: *mut dagstore_t,
        multihash: *const u8,
        multihash_size: usize,
        buffer: *mut c_char,
        capacity: usize,
        out_size: *mut usize,
        out_count: *mut usize,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_find(
        store: *mut dagstore_t,
        cid: *const u8,
        cid_size: usize,
        out_places: *mut *mut dagstore_places_t,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_places_next(
        places: *mut dagstore_places_t,
        out_place: *mut dagstore_place_t,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_places_close(places: *mut dagstore_places_t);
    pub fn dagstore_multihashes_open(
        store: *mut dagstore_t,
        key: *const c_char,
        cursor: *const c_char,
        out_multihashes: *mut *mut dagstore_multihashes_t,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_multihashes_next(
        multihashes: *mut dagstore_multihashes_t,
        out_multihash: *mut dagstore_bytes_t,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_multihashes_next_section(
        multihashes: *mut dagstore_multihashes_t,
        out_multihash: *mut dagstore_bytes_t,
        out_offset: *mut u64,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_multihashes_cursor(multihashes: *mut dagstore_multihashes_t) -> *const c_char;
    pub fn dagstore_multihashes_close(multihashes: *mut dagstore_multihashes_t);
    pub fn dagstore_state(
        store: *mut dagstore_t,
        key: *const c_char,
        out_state: *mut u32,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_shards_open(
        store: *mut dagstore_t,
        key: *const c_char,
        out_shards: *mut *mut dagstore_shards_t,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_shards_next(
        shards: *mut dagstore_shards_t,
        out_info: *mut dagstore_info_t,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_shards_close(shards: *mut dagstore_shards_t);
    pub fn dagstore_events_open(
        store: *mut dagstore_t,
        capacity: usize,
        out_events: *mut *mut dagstore_events_t,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_events_next(
        events: *mut dagstore_events_t,
        timeout_ms: u32,
        out_event: *mut dagstore_event_t,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_events_close(events: *mut dagstore_events_t);
    pub fn dagstore_statistics(
        store: *mut dagstore_t,
        out_statistics: *mut dagstore_statistics_t,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_scheme_traffic(
        store: *mut dagstore_t,
        scheme: *const c_char,
        out_requests: *mut u64,
        out_bytes: *mut u64,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_collect_garbage(
        store: *mut dagstore_t,
        quota: u64,
        out_garbage: *mut dagstore_garbage_t,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_collect_garbage_with(
        store: *mut dagstore_t,
        quota: u64,
        collected: dagstore_collected_fn,
        context: *mut c_void,
        out_garbage: *mut dagstore_garbage_t,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_check(
        store: *mut dagstore_t,
        flags: u32,
        out_check: *mut dagstore_check_t,
        out_problems: *mut *mut dagstore_problems_t,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_problems_next(
        problems: *mut dagstore_problems_t,
        out_problem: *mut dagstore_problem_t,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_problems_close(problems: *mut dagstore_problems_t);
    pub fn dagstore_cid_parse(
        text: *const c_char,
        buffer: *mut u8,
        capacity: usize,
        out_size: *mut usize,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_cid_format(
        cid: *const u8,
        cid_size: usize,
        buffer: *mut c_char,
        capacity: usize,
        out_size: *mut usize,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_cid_split(
        cid: *const u8,
        cid_size: usize,
        out_parts: *mut dagstore_cid_parts_t,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_cid_make(
        codec: u64,
        multihash: *const u8,
        multihash_size: usize,
        buffer: *mut u8,
        capacity: usize,
        out_size: *mut usize,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_car_open(
        path: *const c_char,
        out_car: *mut *mut dagstore_car_t,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_car_inspect(
        car: *mut dagstore_car_t,
        out_info: *mut dagstore_car_info_t,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_car_root(
        car: *mut dagstore_car_t,
        index: usize,
        buffer: *mut u8,
        capacity: usize,
        out_size: *mut usize,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_car_verify(
        car: *mut dagstore_car_t,
        threads: u32,
        out_verification: *mut dagstore_car_verification_t,
        out_error: *mut *mut dagstore_error_t,
    ) -> dagstore_status_t;
    pub fn dagstore_car_close(car: *mut dagstore_car_t);
}
