/*
 * dagstore.h: a store of CAR files, for C and everything that calls C.
 *
 * A store holds shards. A shard is a CAR file (blocks named by CIDs) that stays where it is; of
 * each the store keeps a record that survives crashes, and an index from multihash to place. A
 * lease on a shard reads its blocks, as views of the file wherever that can be mapped. An inverse
 * index finds the shards that have a block.
 *
 *     dagstore_t *store;
 *     dagstore_error_t *error;
 *     if (dagstore_open("store", NULL, &store, &error) < 0) {
 *         fprintf(stderr, "%s\n", dagstore_error_message(error));
 *         dagstore_error_release(error);
 *         return 1;
 *     }
 *     dagstore_register(store, "deal-1", "file:///data/deal-1.car", 0, NULL);
 *     dagstore_shard_t *shard;
 *     if (dagstore_acquire(store, "deal-1", DAGSTORE_WAIT_FOREVER, &shard, NULL) == DAGSTORE_OK) {
 *         dagstore_block_t *block;
 *         if (dagstore_shard_get(shard, cid, cid_size, &block, NULL) == DAGSTORE_OK) {
 *             dagstore_bytes_t bytes = dagstore_block_bytes(block);
 *             use(bytes.data, bytes.size);
 *             dagstore_block_release(block);
 *         }
 *         dagstore_shard_release(shard);
 *     }
 *     dagstore_close(store);
 *
 * RULES, for every function unless it says otherwise
 *
 * 1. Results. A function that can fail returns a dagstore_status_t: DAGSTORE_OK (0), or a negative
 *    error code. Functions that step return DAGSTORE_DONE (1) when there is nothing more. Results
 *    come through parameters named out_...; the last parameter is `dagstore_error_t **out_error`,
 *    which may be NULL. It receives NULL, or on failure an error with a sentence for people, which
 *    the caller releases. On failure every other out parameter is NULL, 0 or false.
 *
 * 2. References. What a function gives out as a handle is the caller's, once. The function that
 *    takes it back is named with the handle's type: _close or _release. All of them accept NULL.
 *    Handles are not addresses, and nothing is found behind them. A handle that was given back, or
 *    that never was one, is recognised: functions answer DAGSTORE_INVALID_ARGUMENT, and giving it
 *    back again does nothing. It may be given back while other threads use it: their calls end as
 *    if they had come before, and what it stood for (a lease, say) goes with the last of them.
 *
 * 3. Bytes and texts. What goes in is borrowed for the call. What comes out belongs to the handle
 *    that it came from, and is valid until that is given back; with cursors, until the next step. A
 *    dagstore_bytes_t of a block is valid until the block is released, also after its shard was
 *    released and the store closed. Texts are UTF-8 and end with NUL. CIDs are binary, with their
 *    size.
 *
 * 4. Structs start with `uint32_t size`, which the caller sets to the sizeof of the struct it
 *    knows; the rest should be zero. Later versions of the library add fields at the end, and read
 *    and write no more than `size`; what the caller does not know is zero, which stands for what
 *    earlier versions did. What is less than the first version's struct is
 *    DAGSTORE_INVALID_ARGUMENT, and so is a field behind those that the library knows which is not
 *    zero: it asks for something that would not be done.
 *
 * 5. Threads. Any thread may call any function at any time, except that a cursor (entries, shards,
 *    places, multihashes, problems, events) is stepped by one thread at a time. Calls block until
 *    they are answered; what was answered is on disk. Where a call may wait for long there is
 *    `timeout_ms`: 0 never waits for fetching or indexing, DAGSTORE_WAIT_FOREVER has no limit.
 *    Reading (acquire of an available shard, contains, locate, get, read) uses the calling thread
 *    and threads of the library, and none of any language's runtime.
 *
 * 6. Callbacks. Completions of the _async functions come on one thread of the store, one after the
 *    other. Mount callbacks come on threads of the library, or on the thread that reads; log and
 *    progress callbacks on any. A callback may call any function. What it must not do is wait for
 *    itself: a completion for a later completion, a mount for the shard whose bytes it supplies.
 *    dagstore_close and dagstore_shutdown in a callback return at once, and the store closes when
 *    the callback has returned. A callback must return: no longjmp, no exception, no unwinding
 *    panic.
 *
 * 7. A process that forks does not use its stores in the child: calls that take a store answer
 *    CLOSED there, and dagstore_close does nothing. One process opens a store once.
 *
 * 8. Compatibility. This header describes DAGSTORE_ABI_VERSION. A library answers callers of its
 *    own ABI version and of none other; within a version, functions, constants and trailing struct
 *    fields are added only. `Since` says with which release of the library a function came: where
 *    nothing is said, 0.1.
 *
 * Costs are of one core of a current server, with everything in memory.
 */
#ifndef DAGSTORE_H
#define DAGSTORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Versions -------------------------------------------------------------------------------- */

/* The ABI that this header describes. */
#define DAGSTORE_ABI_VERSION 1

/* The ABI of the library that is loaded: compare it with DAGSTORE_ABI_VERSION. */
uint32_t dagstore_abi_version(void);

/* The release of the library, such as "0.1.0"; a static text. */
const char *dagstore_version(void);

/* ---- Status codes ---------------------------------------------------------------------------- */

/*
 * DAGSTORE_OK, DAGSTORE_DONE, or a negative error code. Numbers are never reused; more may be
 * added.
 */
typedef int32_t dagstore_status_t;

enum {
    DAGSTORE_OK = 0,
    /* A cursor is at its end; no error. */
    DAGSTORE_DONE = 1,

    /* Not there. */
    DAGSTORE_SHARD_UNKNOWN = -1,         /* no shard has this key */
    DAGSTORE_BLOCK_NOT_FOUND = -2,       /* the block is not here */

    /* Asked wrongly. */
    /* an argument that cannot be: NULL, a stale handle, bad UTF-8, ... */
    DAGSTORE_INVALID_ARGUMENT = -10,
    DAGSTORE_INVALID_KEY = -11,          /* a key that is empty or over 480 bytes */
    DAGSTORE_INVALID_CID = -12,          /* text or bytes that are no CID */
    DAGSTORE_INVALID_CONFIGURATION = -13,
    DAGSTORE_UNKNOWN_SCHEME = -14,       /* a mount URL whose scheme nobody registered */
    DAGSTORE_UNSUPPORTED_HASH = -15,     /* the hash function is unknown or the digest too short */
    DAGSTORE_SHARD_EXISTS = -16,         /* the key is taken */
    DAGSTORE_SHARD_IN_USE = -17,         /* the shard has leases */
    DAGSTORE_NOT_FAILED = -18,           /* nothing to recover */
    DAGSTORE_BUFFER_TOO_SMALL = -19,     /* *out_size says how much room is needed */

    /* The source let us down. */
    DAGSTORE_MOUNT_UNREACHABLE = -20,    /* the source is there and cannot be read */
    DAGSTORE_MOUNT_GONE = -21,           /* the source is not there */
    DAGSTORE_FETCH_FAILED = -22,         /* the source could not be copied */
    DAGSTORE_FETCH_TIMED_OUT = -23,      /* the source took too long */
    DAGSTORE_SOURCE_CHANGED = -24,       /* the source is not what was indexed */

    /* The bytes are wrong. */
    DAGSTORE_MALFORMED_CAR = -30,
    DAGSTORE_TRUNCATED = -31,            /* the CAR ends early */
    DAGSTORE_UNSUPPORTED_VERSION = -32,  /* a CAR version other than 1 and 2 */
    DAGSTORE_LIMIT_EXCEEDED = -33,       /* larger than a limit */
    DAGSTORE_HASH_MISMATCH = -34,        /* bytes that do not have their CID's hash */
    DAGSTORE_MALFORMED_INDEX = -35,      /* an index that cannot be, or contradicts its CAR */

    /* The store's own state. */
    DAGSTORE_CATALOG_CORRUPT = -40,
    DAGSTORE_CATALOG_FULL = -41,         /* the disk or the map is full; nothing was changed */
    DAGSTORE_CATALOG_LOCKED = -42,       /* somebody has the store open */
    DAGSTORE_CATALOG_TOO_NEW = -43,      /* a newer version wrote the store */
    DAGSTORE_READ_ONLY = -44,            /* the store cannot be written */
    DAGSTORE_QUOTA_EXCEEDED = -45,       /* the quota for local copies is used up */
    DAGSTORE_SHARD_FAILED = -46,         /* the shard failed before and was not recovered */
    DAGSTORE_OUT_OF_RESOURCES = -47,     /* no descriptors, memory or threads left; no shard failed */
    DAGSTORE_TOO_MANY_READERS = -48,     /* other readers hold all slots of the catalogue */
    DAGSTORE_REOPEN_NEEDED = -49,        /* a write of the catalogue failed: close the store and open it again */

    /* The end. */
    DAGSTORE_CLOSED = -50,               /* the store was closed */
    DAGSTORE_CANCELLED = -51,
    DAGSTORE_DEADLINE_EXCEEDED = -52     /* the timeout passed */
};

/* The name of a code, such as "blockNotFound"; a static text, "unknown" for other numbers. */
const char *dagstore_status_name(dagstore_status_t status);

/* ---- Handles, bytes -------------------------------------------------------------------------- */

typedef struct dagstore dagstore_t;                           /* an open store */
typedef struct dagstore_shard dagstore_shard_t;               /* a lease on a shard */
typedef struct dagstore_block dagstore_block_t;               /* a block's bytes */
typedef struct dagstore_error dagstore_error_t;               /* why a call failed */
/* mount schemes of the caller's own */
typedef struct dagstore_mounts dagstore_mounts_t;
typedef struct dagstore_entries dagstore_entries_t;           /* cursor over a shard's index */
/* cursor over the shards of a store */
typedef struct dagstore_shards dagstore_shards_t;
/* cursor over the places of a block */
typedef struct dagstore_places dagstore_places_t;
/* cursor over a shard's multihashes */
typedef struct dagstore_multihashes dagstore_multihashes_t;
typedef struct dagstore_problems dagstore_problems_t;         /* cursor over what a check found */
typedef struct dagstore_events dagstore_events_t;             /* queue of what happens to shards */
typedef struct dagstore_car dagstore_car_t;                   /* a CAR file outside of any store */

/* Bytes that belong to somebody else. */
typedef struct dagstore_bytes {
    const uint8_t *data; /* NULL if there is nothing */
    size_t size;
} dagstore_bytes_t;

/* `timeout_ms` without a limit. */
#define DAGSTORE_WAIT_FOREVER UINT32_MAX

/* A size or a time without a limit, or one that is not known. */
#define DAGSTORE_NO_LIMIT UINT64_MAX

/*
 * Handles of all kinds that were given out and not given back, in this process: what a test for
 * leaks asks.
 */
uint64_t dagstore_live_handles(void);

/* ---- Errors ---------------------------------------------------------------------------------- */

/* The code; DAGSTORE_OK for NULL, DAGSTORE_INVALID_ARGUMENT for a stale handle. */
dagstore_status_t dagstore_error_status(const dagstore_error_t *error);

/*
 * What was found, for people; "" for NULL and for a stale handle. Valid until the error is
 * released.
 */
const char *dagstore_error_message(const dagstore_error_t *error);

/*
 * The key of the shard that the error is about; NULL if it is about none. Valid until the error is
 * released.
 */
const char *dagstore_error_shard(const dagstore_error_t *error);

/*
 * Where in a CAR the bytes are wrong.
 *
 * out_offset: Receives the offset in bytes. For a malformed section it counts from the start of the
 * payload. Returns: Whether the error has an offset.
 */
bool dagstore_error_offset(const dagstore_error_t *error, uint64_t *out_offset);

/*
 * An error of one's own, for mount callbacks to give out.
 *
 * status: A negative code.
 * message: A sentence for people; NULL for none.
 * Returns: An error; NULL if `status` is not negative.
 */
dagstore_error_t *dagstore_error_new(dagstore_status_t status, const char *message);

void dagstore_error_release(dagstore_error_t *error);

/* ---- Logging, signals: of the whole process -------------------------------------------------- */

enum {
    DAGSTORE_LOG_NONE = 0,
    DAGSTORE_LOG_ERROR = 1,   /* a store cannot be opened; a handle was misused */
    DAGSTORE_LOG_WARNING = 2, /* a shard failed */
    DAGSTORE_LOG_INFO = 3,    /* stores open and close; shards come, become available, go */
    DAGSTORE_LOG_DEBUG = 4    /* every event of every shard, leases too */
};

/*
 * Receives a line of log, without a newline; `message` is borrowed for the call. Lines come one at
 * a time.
 */
typedef void (*dagstore_log_fn)(void *context, int32_t level, const char *message);

/*
 * Says who receives log lines from now on.
 *
 * Lines are handed over on a thread of the library, in order; while more than 1,024 wait, the
 * newest are dropped. Lines that were told before the call go to the receiver before. When the call
 * returns, that one is not called any more, unless the call was made in a callback.
 *
 * level: The least severe level that is wanted; DAGSTORE_LOG_NONE for no logging. Stores that
 *   are open already are heard from then on, too.
 * callback: The receiver; NULL for none.
 * context: Handed to the callback.
 * Errors: INVALID_ARGUMENT for a level that is none.
 */
dagstore_status_t dagstore_log_set(int32_t level, dagstore_log_fn callback, void *context,
                                   dagstore_error_t **out_error);

/*
 * Installs a handler for SIGBUS, which turns the loss of mapped bytes into DAGSTORE_SOURCE_CHANGED.
 *
 * Whoever makes a mapped CAR shorter takes bytes away under its readers. With the handler the
 * library's own reads end in an error; views that the caller reads are not guarded. Signals of
 * others go to the handler that was there before. Call it before the first store is opened; only
 * the first call does anything. In a Go
 * program, call it before other packages install handlers, and read blocks with
 * dagstore_shard_read: Go's runtime wants SA_ONSTACK, which the handler has.
 *
 * Returns: Whether the handler is there.
 */
bool dagstore_mapping_guard_install(void);

/* ---- Mounts: bytes that the caller supplies -------------------------------------------------- */

enum {
    /* The bytes come once, from the beginning: the store copies them into its folder. */
    DAGSTORE_ACCESS_SEQUENTIAL = 1,
    /* Any range can be read: the store reads in place. */
    DAGSTORE_ACCESS_RANDOM = 2
};

enum {
    /*
     * The bytes must first be brought from somewhere slow (unsealed, say); `open` may take hours.
     */
    DAGSTORE_MOUNT_NOT_READY = 1
};

/*
 * What can be said of a source without reading it. Zero but for `size` when the callback is called.
 */
typedef struct dagstore_mount_stat {
    uint32_t size;
    uint32_t flags;       /* DAGSTORE_MOUNT_NOT_READY or 0 */
    uint64_t bytes;       /* the source's size; DAGSTORE_NO_LIMIT if it is not known */
    /* a text that differs when the bytes do, such as an entity tag; "" if there is none */
    char validator[256];
} dagstore_mount_stat_t;

/*
 * How a mount scheme of the caller's own is read.
 *
 * Callbacks come on several threads at once: up to 16 `stat`, 64 `open` and 64 reads while shards
 * are fetched and indexed (others wait), and one read for every thread that reads a block of a
 * RANDOM source. `url` is borrowed for the call. A callback that fails returns DAGSTORE_MOUNT_GONE,
 * DAGSTORE_MOUNT_UNREACHABLE, DAGSTORE_FETCH_FAILED, DAGSTORE_FETCH_TIMED_OUT or
 * DAGSTORE_SOURCE_CHANGED, and may set *out_error (never NULL) to a dagstore_error_new, which is
 * the library's then. Anything else that it returns counts as DAGSTORE_MOUNT_UNREACHABLE.
 */
typedef struct dagstore_mount_vtable {
    uint32_t size;
    uint32_t access; /* DAGSTORE_ACCESS_... */

    /* What can be said of the source at `url`. DAGSTORE_MOUNT_GONE if nothing is there. */
    dagstore_status_t (*stat)(void *context, const char *url, dagstore_mount_stat_t *out_stat,
                              dagstore_error_t **out_error);

    /*
     * Opens the source at `url`.
     *
     * out_source: Receives what reads and the close are given; NULL is as good as any.
     * out_bytes: Receives the size in bytes. DAGSTORE_NO_LIMIT if it is not known, which a RANDOM
     *   source must not say.
     */
    dagstore_status_t (*open)(void *context, const char *url, void **out_source,
                              uint64_t *out_bytes, dagstore_error_t **out_error);

    /*
     * Reads up to `capacity` bytes at `offset`.
     *
     * Of a RANDOM source several threads read at once; what is missing is asked for again, and 0
     * bytes before the end are a failure. Of a SEQUENTIAL source each read begins where the one
     * before ended, and 0 bytes are its end.
     */
    dagstore_status_t (*read_at)(void *context, void *source, uint64_t offset, uint8_t *buffer,
                                 size_t capacity, size_t *out_size, dagstore_error_t **out_error);

    /* Gives the source back: once, after its last read has returned. */
    void (*close)(void *context, void *source);

    /*
     * Nobody waits for reads of this source any more, which should return soon; NULL if that cannot
     * be had. At most once, before `close`, on any thread, while reads may be under way.
     */
    void (*interrupt)(void *context, void *source);

    /*
     * The scheme is used no more, and no callback is under way: frees `context`. NULL if there is
     * nothing to free. Comes once, on any thread, perhaps a moment after dagstore_close or the last
     * release has returned.
     */
    void (*release)(void *context);
} dagstore_mount_vtable_t;

/* An empty set of schemes; "file" is always there. */
dagstore_status_t dagstore_mounts_new(dagstore_mounts_t **out_mounts, dagstore_error_t **out_error);

/*
 * Adds a scheme: mount URLs of the form scheme://... are read through `vtable`.
 *
 * Stores that are open already do not see it. The vtable is copied. The vtable's `release` is
 * called when the set was released and every store that was opened with it, and all leases and
 * reads, have gone; if the call fails, it is not called.
 *
 * scheme: Lower-case letters, digits, '+', '-', '.'; begins with a letter.
 * Errors: INVALID_ARGUMENT if the scheme cannot be one or is taken, or stat, open, read_at or close
 *   is NULL.
 */
dagstore_status_t dagstore_mounts_add(dagstore_mounts_t *mounts, const char *scheme,
                                      const dagstore_mount_vtable_t *vtable, void *context,
                                      dagstore_error_t **out_error);

/* Stores that were opened with the set keep what they need of it. */
void dagstore_mounts_release(dagstore_mounts_t *mounts);

/* ---- Stores ---------------------------------------------------------------------------------- */

enum {
    /* Only looks: records and indexes are neither locked nor written. */
    DAGSTORE_OPEN_READ_ONLY = 1,
    /* Answers survive a crash of the process and not one of the machine. For benchmarks. */
    DAGSTORE_OPEN_RELAXED = 2,
    /*
     * Reads CARs by system calls, and blocks are copies, so that files may become shorter under us.
     */
    DAGSTORE_OPEN_UNMAPPED = 4,
    /* A section of length zero is an error, and not the end of the data. */
    DAGSTORE_OPEN_REFUSES_NULL_PADDING = 8,
    /* Looks at every page of the catalogue first; for files that may be damaged. */
    DAGSTORE_OPEN_CHECKS_PAGES = 16,
    /* Leaves what the end of a process interrupted until it is asked for. */
    DAGSTORE_OPEN_LEAVES_INTERRUPTED = 32
};

/* How index pages are written. */
enum {
    DAGSTORE_PAGES_SMALLEST = 0, /* page by page whatever is smaller */
    DAGSTORE_PAGES_ZSTD = 1,
    DAGSTORE_PAGES_DIRECT = 2
};

/* What happens, when a store is opened, to shards that had failed before. */
enum {
    DAGSTORE_RECOVERY_MANUAL = 0,     /* nothing */
    DAGSTORE_RECOVERY_ON_ACQUIRE = 1, /* the first acquire recovers the shard, once */
    DAGSTORE_RECOVERY_AT_OPEN = 2     /* all at once */
};

/*
 * Chooses among the shards that may have a block.
 *
 * Called on the thread that asks, for each dagstore_get. `keys` come in the order in which they
 * would be asked: open ones, available ones, failed ones.
 *
 * order: Room for `count` indices into `keys`: those that shall be asked, best first.
 * Returns: How many were written; 0 if the block is to be refused.
 */
typedef size_t (*dagstore_select_fn)(void *context, const uint8_t *cid, size_t cid_size,
                                     const char *const *keys, size_t count, size_t *order);

/* How a store behaves. Filled by dagstore_config_init with what suits a server. */
typedef struct dagstore_config {
    uint32_t size;
    uint32_t flags;                    /* DAGSTORE_OPEN_... */
    uint32_t page_policy;              /* DAGSTORE_PAGES_... */
    uint32_t recovery;                 /* DAGSTORE_RECOVERY_... */
    uint64_t map_size;                 /* address space for the catalogue, in bytes; 1 TiB */
    uint64_t sort_budget;              /* memory for sorting while a shard is indexed, in bytes */
    uint64_t page_cache_size;          /* memory for decoded index pages, in bytes; 32 MiB */
    uint64_t header_size_max;          /* largest CAR header read, in bytes; 32 MiB */
    uint64_t section_size_max;         /* largest section read, in bytes; 8 MiB */
    uint32_t concurrent_indexing;      /* shards indexed at once; the processors of the machine */
    /* mounts that say they are ready, opened and copied at once; 8 */
    uint32_t concurrent_ready_fetches;
    uint32_t automatic_recoveries;     /* how often a shard that fails is recovered by itself; 0 */
    uint32_t idle_shards_max;          /* open shards without leases; 256 */
    uint64_t idle_bytes_max;           /* their payload bytes; DAGSTORE_NO_LIMIT */
    uint64_t idle_time_max_ms;         /* how long they stay open; DAGSTORE_NO_LIMIT */
    /* bytes of the store's own copies of CARs; DAGSTORE_NO_LIMIT */
    uint64_t transient_quota;
    double transient_high_watermark;   /* share of the quota above which copies are removed; 0.9 */
    double transient_low_watermark;    /* share of the quota down to which they are removed; 0.7 */
    /* schemes of the caller's own; NULL; borrowed for dagstore_open */
    dagstore_mounts_t *mounts;
    dagstore_select_fn select_shards;  /* NULL */
    void *select_context;              /* handed to select_shards; in use as long as the store is */
    /* how long a mount may take until the bytes of a shard are there; 0 for as long as it takes */
    uint64_t fetch_timeout_ms;
} dagstore_config_t;

/*
 * Fills a configuration with the defaults.
 *
 * The size is an argument, so that a program built with an older header has no more filled than it
 * knows.
 *
 * size: sizeof(dagstore_config_t), as the caller knows it.
 * Errors: INVALID_ARGUMENT.
 */
dagstore_status_t dagstore_config_init(dagstore_config_t *config, size_t size,
                                       dagstore_error_t **out_error);

/*
 * Opens the store in a directory; unless it is opened to look only, makes it if there is none.
 *
 * What was being fetched or indexed when the store was last open is taken up again after the call.
 * Costs a quarter of a millisecond, for any number of shards.
 *
 * path: The directory; made, with those above it, if it is missing.
 * config: NULL for the defaults.
 * Errors: CATALOG_LOCKED if it is open already; CATALOG_TOO_NEW, CATALOG_CORRUPT, CATALOG_FULL,
 *   READ_ONLY; INVALID_ARGUMENT if it is opened to look only and there is no store;
 *   INVALID_CONFIGURATION.
 */
dagstore_status_t dagstore_open(const char *path, const dagstore_config_t *config,
                                dagstore_t **out_store, dagstore_error_t **out_error);

enum {
    /* Ends fetching and indexing instead of waiting for it; it is taken up at the next open. */
    DAGSTORE_SHUTDOWN_CANCELLING = 1
};

/*
 * Closes a store and keeps the handle: other threads that use it get DAGSTORE_CLOSED from now on.
 *
 * Waits for what is under way, and gives the store's lock back. Leases that are still held go on
 * working, and the store can be opened again meanwhile; in this process for writing only if it was
 * open for writing. May be called again. When it returns, all completions of _async functions have been
 * called.
 *
 * flags: DAGSTORE_SHUTDOWN_CANCELLING or 0.
 * Errors: INVALID_ARGUMENT.
 */
dagstore_status_t dagstore_shutdown(dagstore_t *store, uint32_t flags,
                                    dagstore_error_t **out_error);

/*
 * Closes a store as dagstore_shutdown does without flags, if that was not done, and gives the
 * handle back.
 */
void dagstore_close(dagstore_t *store);

/*
 * Writes the catalogue of a store that nobody has open anew, without the room that removed shards
 * left.
 *
 * map_size: Address space to open it with; 0 for the default.
 * out_before, out_after: Receive the sizes of its file in bytes; may be NULL.
 * Errors: CATALOG_LOCKED, CATALOG_FULL, CATALOG_CORRUPT, READ_ONLY; INVALID_ARGUMENT if there is no
 *   store.
 */
dagstore_status_t dagstore_compact(const char *path, uint64_t map_size, uint64_t *out_before,
                                   uint64_t *out_after, dagstore_error_t **out_error);

/* ---- The life of a shard --------------------------------------------------------------------- */

enum {
    /*
     * Indexes the shard when somebody first acquires it; the call returns when the record is on
     * disk.
     */
    DAGSTORE_REGISTER_LAZY = 1,
    /* Indexes it at once, and does not wait for that. */
    DAGSTORE_REGISTER_BACKGROUND = 2
};

/* Told how far indexing is, now and then, on a thread of the library. */
typedef void (*dagstore_progress_fn)(void *context, uint64_t bytes_done, uint64_t bytes_total,
                                     uint64_t sections);

/* How a shard is registered. */
typedef struct dagstore_register_options {
    uint32_t size;
    uint32_t flags;                 /* DAGSTORE_REGISTER_... */
    /* absolute path of a local copy to read instead; NULL. Stays the caller's. */
    const char *existing_transient;
    /*
     * NULL. Called until the first indexing has ended: after the call has returned, if the shard is
     * registered lazily or in the background.
     */
    dagstore_progress_fn progress;
    void *progress_context;
} dagstore_register_options_t;

/*
 * Makes a CAR known under a key and, unless it is to wait, indexes it.
 *
 * A CAR that cannot be indexed leaves a failed shard behind, with the error, to be recovered or
 * destroyed. Costs a commit, and a second one when the shard is available; about 100 ns a section.
 *
 * key: At most 480 bytes.
 * mount_url: Where the CAR is: "file:///path/to.car", with a '%' of the path written as %25, or a
 *   URL of a scheme of the caller's own.
 * flags: DAGSTORE_REGISTER_...
 * Errors: SHARD_EXISTS, INVALID_KEY, UNKNOWN_SCHEME, INVALID_ARGUMENT; MOUNT_GONE,
 *   MOUNT_UNREACHABLE, FETCH_FAILED, FETCH_TIMED_OUT, SOURCE_CHANGED; MALFORMED_CAR, TRUNCATED,
 *   UNSUPPORTED_VERSION, LIMIT_EXCEEDED, MALFORMED_INDEX; QUOTA_EXCEEDED, CATALOG_FULL, READ_ONLY,
 *   CLOSED.
 */
dagstore_status_t dagstore_register(dagstore_t *store, const char *key, const char *mount_url,
                                    uint32_t flags, dagstore_error_t **out_error);

/* The same, with options; NULL for none. */
dagstore_status_t dagstore_register_with(dagstore_t *store, const char *key, const char *mount_url,
                                         const dagstore_register_options_t *options,
                                         dagstore_error_t **out_error);

/* Receives the outcome of an _async function; `error` is NULL, or borrowed for the call. */
typedef void (*dagstore_done_fn)(void *context, dagstore_status_t status, dagstore_error_t *error);

/*
 * The same, without waiting. Returns DAGSTORE_OK, and `done` is called once, on the store's thread
 * for completions; or an error in the arguments, and `done` is not called.
 */
dagstore_status_t dagstore_register_async(dagstore_t *store, const char *key, const char *mount_url,
                                          const dagstore_register_options_t *options,
                                          dagstore_done_fn done, void *context,
                                          dagstore_error_t **out_error);

/*
 * Fetches and indexes a lazily registered shard. Nothing happens to one that is available.
 *
 * Errors: SHARD_UNKNOWN; the stored error's code if the shard has failed; and as dagstore_register.
 */
dagstore_status_t dagstore_initialize(dagstore_t *store, const char *key,
                                      dagstore_error_t **out_error);

/*
 * Gives a shard another mount, in place: nothing is indexed again.
 *
 * The source at the new mount is compared with the index by a sample; a stream is copied for that.
 * A shard whose CAR was never read gets its mount unseen. One that has failed after it was indexed is
 * recovered. Leases that are held go on with the old source.
 *
 * Errors: SHARD_UNKNOWN; SHARD_IN_USE if it is being fetched and indexed; SOURCE_CHANGED if the
 *   bytes are not what was indexed, and the source's: the shard has its old mount then.
 */
dagstore_status_t dagstore_relocate(dagstore_t *store, const char *key, const char *mount_url,
                                    dagstore_error_t **out_error);

/*
 * Fetches and indexes a failed shard again; nothing that was fetched before is used.
 *
 * Errors: SHARD_UNKNOWN; NOT_FAILED; and as dagstore_register.
 */
dagstore_status_t dagstore_recover(dagstore_t *store, const char *key,
                                   dagstore_error_t **out_error);

/* The same, without waiting; see dagstore_register_async. */
dagstore_status_t dagstore_recover_async(dagstore_t *store, const char *key, dagstore_done_fn done,
                                         void *context, dagstore_error_t **out_error);

/*
 * Removes a shard: its record, its index, the store's copy of it. The CAR is not touched.
 *
 * Errors: SHARD_UNKNOWN; SHARD_IN_USE if it has leases; CATALOG_FULL, READ_ONLY, CLOSED.
 */
dagstore_status_t dagstore_destroy(dagstore_t *store, const char *key,
                                   dagstore_error_t **out_error);

/* ---- Leases ---------------------------------------------------------------------------------- */

/*
 * A lease on a shard: while it lasts, its blocks can be read and it cannot be destroyed.
 *
 * A lazily registered shard is fetched and indexed now, once for all who ask; that goes on when a
 * caller gives up. An open shard costs 1.5 us, 0.3 us beside another lease; one that is not open
 * some 100 us.
 *
 * timeout_ms: How long to wait for fetching and indexing; 0 not at all.
 * Errors: SHARD_UNKNOWN; the stored error's code, or SHARD_FAILED, if the shard has failed;
 *   MOUNT_GONE, MOUNT_UNREACHABLE, FETCH_FAILED, FETCH_TIMED_OUT if its source is away, and it is
 *   tried again by the next lease; SOURCE_CHANGED if it is not what was indexed, and the shard has
 *   failed then; CATALOG_CORRUPT, QUOTA_EXCEEDED, OUT_OF_RESOURCES;
 *   DEADLINE_EXCEEDED, CLOSED.
 */
dagstore_status_t dagstore_acquire(dagstore_t *store, const char *key, uint32_t timeout_ms,
                                   dagstore_shard_t **out_shard, dagstore_error_t **out_error);

/*
 * Receives a lease, which is the callback's then; `shard` is NULL and `error` borrowed if there is
 * none.
 */
typedef void (*dagstore_acquired_fn)(void *context, dagstore_status_t status,
                                     dagstore_shard_t *shard, dagstore_error_t *error);

/* The same, without waiting; see dagstore_register_async. */
dagstore_status_t dagstore_acquire_async(dagstore_t *store, const char *key, uint32_t timeout_ms,
                                         dagstore_acquired_fn done, void *context,
                                         dagstore_error_t **out_error);

/* Ends a lease. Calls of other threads on it end first; blocks that were read stay valid. */
void dagstore_shard_release(dagstore_shard_t *shard);

/*
 * The shard's key, with its NUL.
 *
 * buffer: Room for `capacity` bytes; may be NULL if that is 0.
 * out_size: Receives the size of the key with its NUL.
 * Errors: BUFFER_TOO_SMALL, with *out_size the room that is needed.
 */
dagstore_status_t dagstore_shard_key(dagstore_shard_t *shard, char *buffer, size_t capacity,
                                     size_t *out_size, dagstore_error_t **out_error);

/* The number of sections, repeated ones included; 0 for a stale handle. */
uint64_t dagstore_shard_block_count(const dagstore_shard_t *shard);

/* The number of roots that the CAR's header names; 0 for a stale handle. */
size_t dagstore_shard_root_count(const dagstore_shard_t *shard);

/*
 * A root, as a binary CID, in the order of the header.
 *
 * index: Less than dagstore_shard_root_count.
 * Errors: BUFFER_TOO_SMALL, with *out_size the room that is needed; INVALID_ARGUMENT.
 */
dagstore_status_t dagstore_shard_root(dagstore_shard_t *shard, size_t index, uint8_t *buffer,
                                      size_t capacity, size_t *out_size,
                                      dagstore_error_t **out_error);

/* ---- Blocks of a shard ----------------------------------------------------------------------- */

/* Where a block lies. */
typedef struct dagstore_location {
    uint32_t size;
    uint32_t reserved;
    uint64_t offset;       /* of its section in the CAR's payload: the place of the length varint */
    uint64_t block_offset; /* of its data in the CAR file */
    uint64_t block_size;   /* of its data, in bytes */
} dagstore_location_t;

/*
 * Whether the shard has a block with the multihash of a CID. An identity CID is everywhere.
 *
 * Errors: INVALID_CID, CATALOG_CORRUPT, MOUNT_UNREACHABLE.
 */
dagstore_status_t dagstore_shard_contains(dagstore_shard_t *shard, const uint8_t *cid,
                                          size_t cid_size, bool *out_contains,
                                          dagstore_error_t **out_error);

/*
 * Where the block with the multihash of a CID lies. Of equal multihashes the first section answers.
 *
 * Errors: BLOCK_NOT_FOUND, INVALID_CID, CATALOG_CORRUPT, MOUNT_UNREACHABLE.
 */
dagstore_status_t dagstore_shard_locate(dagstore_shard_t *shard, const uint8_t *cid,
                                        size_t cid_size, dagstore_location_t *out_location,
                                        dagstore_error_t **out_error);

/*
 * The block with the multihash of a CID, as a view wherever the shard is mapped.
 *
 * The bytes are what the CAR has; they are not hashed: see dagstore_block_verified. Costs 0.3 us; a
 * miss without `out_error` allocates nothing.
 *
 * Errors: BLOCK_NOT_FOUND, INVALID_CID, CATALOG_CORRUPT, MOUNT_UNREACHABLE, SOURCE_CHANGED; what a
 *   mount of the caller's own says.
 */
dagstore_status_t dagstore_shard_get(dagstore_shard_t *shard, const uint8_t *cid, size_t cid_size,
                                     dagstore_block_t **out_block, dagstore_error_t **out_error);

/*
 * The same, copied into a buffer: no handle, and with the mapping guard safe from files that become
 *   shorter.
 *
 * buffer: Room for `capacity` bytes; may be NULL if that is 0.
 * out_size: Receives the block's size.
 * Errors: BUFFER_TOO_SMALL, with *out_size the room that is needed; and as dagstore_shard_get.
 */
dagstore_status_t dagstore_shard_read(dagstore_shard_t *shard, const uint8_t *cid, size_t cid_size,
                                      uint8_t *buffer, size_t capacity, size_t *out_size,
                                      dagstore_error_t **out_error);

/*
 * The block's bytes, valid until it is released; {NULL, 0} for a stale handle, {not NULL, 0} if
 * there are none.
 */
dagstore_bytes_t dagstore_block_bytes(const dagstore_block_t *block);

/*
 * The block, if its bytes have the hash of a CID. What was mapped is a copy then, so that it stays
 * so. A digest of under 20 bytes proves nothing and gives UNSUPPORTED_HASH, unless the CID is an
 * identity CID.
 *
 * Errors: HASH_MISMATCH, UNSUPPORTED_HASH, INVALID_CID, SOURCE_CHANGED.
 */
dagstore_status_t dagstore_block_verified(const dagstore_block_t *block, const uint8_t *cid,
                                          size_t cid_size, dagstore_block_t **out_block,
                                          dagstore_error_t **out_error);

void dagstore_block_release(dagstore_block_t *block);

/* A section, as the index knows it. */
typedef struct dagstore_entry {
    uint32_t size;
    uint32_t reserved;
    dagstore_bytes_t cid;  /* binary; valid until the next step */
    uint64_t offset;       /* of the section in the CAR's payload */
    uint64_t block_offset; /* of the data in the CAR file */
    uint64_t block_size;   /* of the data, in bytes */
} dagstore_entry_t;

/*
 * A walk over all sections in CAR order, repeated ones included. It holds the lease until it is
 * closed.
 *
 * Errors: INVALID_ARGUMENT.
 */
dagstore_status_t dagstore_entries_open(dagstore_shard_t *shard, dagstore_entries_t **out_entries,
                                        dagstore_error_t **out_error);

/*
 * The next section. Costs 50 ns; reads index pages and not the CAR.
 *
 * Returns: DAGSTORE_DONE at the end.
 * Errors: CATALOG_CORRUPT.
 */
dagstore_status_t dagstore_entries_next(dagstore_entries_t *entries, dagstore_entry_t *out_entry,
                                        dagstore_error_t **out_error);

void dagstore_entries_close(dagstore_entries_t *entries);

/* ---- Blocks of all shards -------------------------------------------------------------------- */

/*
 * The block with the multihash of a CID, from any shard that has it.
 *
 * Shards that are open are asked first, then those that have to be opened or fetched, last those
 * that have failed, unless `select_shards` says otherwise. If one fails, the next is asked. Costs
 * 1.2 us in a shard that is open.
 *
 * timeout_ms: How long to wait for fetching and indexing; 0 not at all.
 * Errors: BLOCK_NOT_FOUND, INVALID_CID, CLOSED, DEADLINE_EXCEEDED; the first error of a shard if no
 *   other has it.
 */
dagstore_status_t dagstore_get(dagstore_t *store, const uint8_t *cid, size_t cid_size,
                               uint32_t timeout_ms, dagstore_block_t **out_block,
                               dagstore_error_t **out_error);

/*
 * Whether any shard has the block with the multihash of a CID. No byte of a shard is touched.
 *
 * Errors: INVALID_CID, CATALOG_CORRUPT, CLOSED.
 */
dagstore_status_t dagstore_contains(dagstore_t *store, const uint8_t *cid, size_t cid_size,
                                    bool *out_contains, dagstore_error_t **out_error);

/*
 * The size of the block with the multihash of a CID, in bytes. No byte of a shard is touched.
 *
 * Errors: BLOCK_NOT_FOUND; as dagstore_contains.
 */
dagstore_status_t dagstore_block_size(dagstore_t *store, const uint8_t *cid, size_t cid_size,
                                      uint64_t *out_size, dagstore_error_t **out_error);

/* A shard that has a block, and where. */
typedef struct dagstore_place {
    uint32_t size;
    uint32_t reserved;
    const char *key;       /* valid until the next step */
    uint64_t offset;       /* of its section in the CAR's payload */
    uint64_t block_offset; /* of its data in the CAR file */
    uint64_t block_size;   /* of its data, in bytes */
} dagstore_place_t;

/*
 * The shards that have a block with the multihash of a CID, and where; in order of registration.
 *
 * Every shard is asked by its own index, so that the answer is exact. dagstore_cid_make makes a CID
 * of a multihash.
 *
 * Errors: INVALID_CID, CATALOG_CORRUPT, CLOSED. That no shard has it is no error: the walk is
 *   empty.
 */
dagstore_status_t dagstore_find(dagstore_t *store, const uint8_t *cid, size_t cid_size,
                                dagstore_places_t **out_places, dagstore_error_t **out_error);

/* The next place; DAGSTORE_DONE at the end. */
dagstore_status_t dagstore_places_next(dagstore_places_t *places, dagstore_place_t *out_place,
                                       dagstore_error_t **out_error);

void dagstore_places_close(dagstore_places_t *places);

/*
 * A walk over the multihashes of a shard in CAR order: what an announcer advertises.
 *
 * The order is the same each time for the same CAR. No byte of the shard is read, and no lease is
 * held.
 *
 * cursor: What dagstore_multihashes_cursor said, perhaps in another process; NULL to begin.
 * Errors: SHARD_UNKNOWN; SHARD_FAILED if the shard has no index; SOURCE_CHANGED if it was indexed
 *   anew since the cursor was made; INVALID_ARGUMENT, CATALOG_CORRUPT, CLOSED.
 */
dagstore_status_t dagstore_multihashes_open(dagstore_t *store, const char *key, const char *cursor,
                                            dagstore_multihashes_t **out_multihashes,
                                            dagstore_error_t **out_error);

/*
 * The next multihash, valid until the next step.
 *
 * Returns: DAGSTORE_DONE at the end.
 * Errors: as dagstore_multihashes_open.
 */
dagstore_status_t dagstore_multihashes_next(dagstore_multihashes_t *multihashes,
                                            dagstore_bytes_t *out_multihash,
                                            dagstore_error_t **out_error);

/*
 * Where the walk is, as a text that may be kept: it goes on after the last multihash that was given
 *   out.
 *
 * Returns: A text valid until the next step, or until the next call of this; "" at the end, NULL
 *   for a stale handle.
 */
const char *dagstore_multihashes_cursor(dagstore_multihashes_t *multihashes);

void dagstore_multihashes_close(dagstore_multihashes_t *multihashes);

/* ---- What is known of shards ----------------------------------------------------------------- */

/* Where a shard is in its life. */
enum {
    DAGSTORE_STATE_NONE = 0,         /* there is no such shard */
    DAGSTORE_STATE_REGISTERED = 1,   /* known, not indexed */
    DAGSTORE_STATE_INITIALIZING = 2, /* being fetched and indexed */
    DAGSTORE_STATE_AVAILABLE = 3,    /* indexed and readable */
    DAGSTORE_STATE_SERVING = 4,      /* available, with leases */
    DAGSTORE_STATE_RECOVERING = 5,   /* being fetched and indexed after a failure */
    DAGSTORE_STATE_FAILED = 6        /* unreadable until recovered */
};

enum {
    /* Registered to be indexed at its first use. */
    DAGSTORE_INFO_LAZY = 1
};

/* What a store knows of a shard. Texts are valid until the next step of the cursor. */
typedef struct dagstore_info {
    uint32_t size;
    uint32_t state;           /* DAGSTORE_STATE_... */
    uint32_t flags;           /* DAGSTORE_INFO_... */
    int32_t error_status;     /* why it has failed; DAGSTORE_OK if it has not */
    const char *key;
    const char *mount_url;
    const char *transient;    /* the path of the local copy; NULL if there is none */
    const char *error_message;/* NULL if it has not failed */
    uint64_t references;      /* leases of this process */
    uint64_t block_count;     /* sections, repeated ones included */
    uint64_t payload_size;    /* of the CAR, in bytes */
    uint64_t index_size;      /* of index pages and locator, in bytes */
    uint64_t state_since;     /* milliseconds since 1970 */
} dagstore_info_t;

/*
 * A shard's state; DAGSTORE_STATE_NONE if there is no such shard, which is no error.
 *
 * Errors: INVALID_KEY, CATALOG_CORRUPT, CLOSED.
 */
dagstore_status_t dagstore_state(dagstore_t *store, const char *key, uint32_t *out_state,
                                 dagstore_error_t **out_error);

/*
 * A walk over the shards of a store in order of registration, or over one of them.
 *
 * Shards that come or go meanwhile may or may not be met.
 *
 * key: Only this shard; NULL for all.
 * Errors: SHARD_UNKNOWN, INVALID_KEY, CATALOG_CORRUPT, CLOSED.
 */
dagstore_status_t dagstore_shards_open(dagstore_t *store, const char *key,
                                       dagstore_shards_t **out_shards,
                                       dagstore_error_t **out_error);

/* The next shard; DAGSTORE_DONE at the end. Errors: CATALOG_CORRUPT, CLOSED. */
dagstore_status_t dagstore_shards_next(dagstore_shards_t *shards, dagstore_info_t *out_info,
                                       dagstore_error_t **out_error);

void dagstore_shards_close(dagstore_shards_t *shards);

/* What can happen to a shard. */
enum {
    DAGSTORE_EVENT_REGISTER = 1,       /* it became known */
    DAGSTORE_EVENT_INITIALIZE = 2,     /* it is being fetched and indexed */
    DAGSTORE_EVENT_MAKE_AVAILABLE = 3, /* it can be read */
    DAGSTORE_EVENT_DESTROY = 4,        /* it is known no longer */
    DAGSTORE_EVENT_ACQUIRE = 5,        /* somebody has a lease more */
    DAGSTORE_EVENT_FAIL = 6,           /* it failed */
    DAGSTORE_EVENT_RELEASE = 7,        /* a lease ended */
    DAGSTORE_EVENT_RECOVER = 8         /* it is being fetched and indexed after a failure */
};

/* Something that happened to a shard. Texts are valid until the next step. */
typedef struct dagstore_event {
    uint32_t size;
    uint32_t operation;        /* DAGSTORE_EVENT_... */
    uint32_t state;            /* where the shard is after it */
    int32_t error_status;      /* why it failed; DAGSTORE_OK if it did not */
    /* counted from 1 since the store was opened; a queue that overflowed has gaps */
    uint64_t number;
    uint64_t references;       /* leases after it */
    const char *key;
    const char *error_message; /* NULL if it did not fail */
} dagstore_event_t;

/*
 * A queue of what happens from now on; the first one also has what the store did by itself after it
 * was opened.
 *
 * Any number of queues. One that is not emptied loses its oldest events, and slows nobody.
 *
 * capacity: How many events are kept, 1 to 1,048,576.
 * Errors: INVALID_ARGUMENT, CLOSED.
 */
dagstore_status_t dagstore_events_open(dagstore_t *store, size_t capacity,
                                       dagstore_events_t **out_events,
                                       dagstore_error_t **out_error);

/*
 * The next event.
 *
 * timeout_ms: How long to wait for one; 0 polls.
 * Returns: DAGSTORE_DONE when the store was closed and the queue is empty.
 * Errors: DEADLINE_EXCEEDED if there was none.
 */
dagstore_status_t dagstore_events_next(dagstore_events_t *events, uint32_t timeout_ms,
                                       dagstore_event_t *out_event, dagstore_error_t **out_error);

/* Gives the queue back; a thread that waits in dagstore_events_next gets DAGSTORE_DONE. */
void dagstore_events_close(dagstore_events_t *events);

/* What a store counts as it goes. */
typedef struct dagstore_statistics {
    uint32_t size;
    uint32_t inverse_runs;           /* places a search over all shards looks at */
    uint64_t shards;
    uint64_t available;
    uint64_t failed;
    uint64_t blocks;                 /* sections of all indexed shards */
    uint64_t payload_bytes;          /* of all indexed shards */
    uint64_t index_bytes;            /* pages and locators */
    uint64_t catalog_file_bytes;
    uint64_t catalog_used_bytes;     /* what of that file is in use */
    uint64_t map_size;               /* address space that the catalogue may grow into */
    uint64_t leases;                 /* of this process */
    uint64_t open_shards;            /* in this process */
    uint64_t events_dropped;         /* lost by queues that overflowed */
    uint64_t transients;             /* copies of the store's own */
    uint64_t transient_bytes;
    uint64_t page_cache_hits;
    uint64_t page_cache_misses;
    uint64_t page_cache_bytes;
    uint64_t inverse_entries;        /* pairs of a multihash and a shard */
    uint64_t inverse_bytes;
    uint64_t inverse_entries_added;
    uint64_t inverse_entries_written;/* again and again as runs were merged */
    uint64_t catalog_free_bytes;     /* what of the catalogue's file holds nothing */
} dagstore_statistics_t;

/* Costs a step for each open shard. Errors: CATALOG_CORRUPT, CLOSED. */
dagstore_status_t dagstore_statistics(dagstore_t *store, dagstore_statistics_t *out_statistics,
                                      dagstore_error_t **out_error);

/* ---- Housekeeping ---------------------------------------------------------------------------- */

/* What a collection of garbage did with the store's own copies of shards. */
typedef struct dagstore_garbage {
    uint32_t size;
    uint32_t reserved;
    uint64_t removed;       /* copies */
    uint64_t removed_bytes;
    uint64_t kept;          /* copies that fit the quota */
    uint64_t in_use;        /* copies that somebody reads or waits for */
    uint64_t failed;        /* copies that could not be removed */
} dagstore_garbage_t;

/*
 * Removes the store's own copies of shards that nobody uses; they are fetched again when somebody
 * does.
 *
 * quota: How many bytes may stay; those that were used longest ago go first. 0 removes all that may
 * go. Errors: READ_ONLY, CLOSED.
 */
dagstore_status_t dagstore_collect_garbage(dagstore_t *store, uint64_t quota,
                                           dagstore_garbage_t *out_garbage,
                                           dagstore_error_t **out_error);

enum {
    DAGSTORE_CHECK_DEEP = 1,   /* reads and hashes every block */
    DAGSTORE_CHECK_REPAIR = 2  /* mends what can be mended without a loss */
};

/* What a check looked at. */
typedef struct dagstore_check {
    uint32_t size;
    uint32_t is_sound;     /* 1 if nothing is wrong, or everything was mended */
    uint64_t problems;
    uint64_t shards;
    uint64_t entries;
    uint64_t blocks;       /* hashed, without those whose hash proves nothing */
    uint64_t bytes;        /* of these */
    uint64_t skipped;      /* shards that are not on this machine */
    /* entries of the inverse index that lead nowhere until they are merged; no problem */
    uint64_t stale_entries;
    uint64_t failed;       /* shards that have failed; no problem, unless all have */
    uint64_t unread;       /* shards that came with an index and whose CAR was not read yet */
    uint64_t unverified;   /* blocks that could not be hashed, or whose digest proves nothing */
} dagstore_check_t;

/*
 * Looks for what is wrong: in the catalogue, in indexes, in sources and copies and, if asked, in
 *   every block.
 *
 * A shard that has failed says itself what is wrong with it, and is told of only if all have; with
 * repairs it is recovered if its source is back. Works beside everything else,
 *   about 200 ns a section.
 *
 * flags: DAGSTORE_CHECK_...
 * out_problems: Receives a walk over the problems; may be NULL.
 * Errors: CATALOG_CORRUPT if the catalogue cannot be walked; READ_ONLY if repairs are asked for;
 *   CLOSED.
 */
dagstore_status_t dagstore_check(dagstore_t *store, uint32_t flags, dagstore_check_t *out_check,
                                 dagstore_problems_t **out_problems, dagstore_error_t **out_error);

/* Something that is wrong. Texts are valid until the next step. */
typedef struct dagstore_problem {
    uint32_t size;
    uint32_t reserved;
    const char *kind;   /* "catalogRow", "counters", "orphanIndex", "index", "failed", "sourceUnreachable",
                           "sourceChanged", "transient", "block", "inverse"; more may be added */
    const char *key;    /* NULL if it is about no shard */
    const char *detail; /* for people */
    const char *repair; /* "mended", "reindexed", "markedFailed"; NULL if nothing was done */
} dagstore_problem_t;

/* The next problem; DAGSTORE_DONE at the end. */
dagstore_status_t dagstore_problems_next(dagstore_problems_t *problems,
                                         dagstore_problem_t *out_problem,
                                         dagstore_error_t **out_error);

void dagstore_problems_close(dagstore_problems_t *problems);

/* ---- CIDs ------------------------------------------------------------------------------------ */

/* Room for the binary form of every CID with a digest of up to 64 bytes. */
#define DAGSTORE_CID_SIZE 96

/*
 * The binary form of a CID's text: base58btc for version 0; for version 1 a multibase prefix, one of
 * f F b B c C v V t T h k K z Z m M u U.
 *
 * buffer: Room for `capacity` bytes; may be NULL if that is 0.
 * out_size: Receives the CID's size.
 * Errors: INVALID_CID; BUFFER_TOO_SMALL, with *out_size the room that is needed.
 */
dagstore_status_t dagstore_cid_parse(const char *text, uint8_t *buffer, size_t capacity,
                                     size_t *out_size, dagstore_error_t **out_error);

/*
 * The text of a CID, with its NUL: base58btc for version 0, base32 for version 1.
 *
 * out_size: Receives the size of the text with its NUL.
 * Errors: INVALID_CID; BUFFER_TOO_SMALL, with *out_size the room that is needed.
 */
dagstore_status_t dagstore_cid_format(const uint8_t *cid, size_t cid_size, char *buffer,
                                      size_t capacity, size_t *out_size,
                                      dagstore_error_t **out_error);

/* The parts of a CID. */
typedef struct dagstore_cid_parts {
    uint32_t size;
    uint32_t version;           /* 0 or 1 */
    uint64_t codec;             /* multicodec of the content */
    uint64_t hash_code;         /* multicodec of the hash function */
    dagstore_bytes_t multihash; /* inside the CID */
    dagstore_bytes_t digest;    /* inside the CID */
} dagstore_cid_parts_t;

/* Takes a binary CID apart; the parts point into it. Errors: INVALID_CID. */
dagstore_status_t dagstore_cid_split(const uint8_t *cid, size_t cid_size,
                                     dagstore_cid_parts_t *out_parts, dagstore_error_t **out_error);

/*
 * A version 1 CID of a codec and a multihash. Blocks are looked up by multihash: any codec will do,
 * 0x55 (raw) is usual.
 *
 * Errors: INVALID_CID if it is no multihash; BUFFER_TOO_SMALL, with *out_size the room that is
 *   needed.
 */
dagstore_status_t dagstore_cid_make(uint64_t codec, const uint8_t *multihash, size_t multihash_size,
                                    uint8_t *buffer, size_t capacity, size_t *out_size,
                                    dagstore_error_t **out_error);

/* ---- CAR files outside of any store ---------------------------------------------------------- */

/*
 * Opens a CAR file and reads its headers.
 *
 * Errors: MOUNT_GONE, MOUNT_UNREACHABLE; MALFORMED_CAR, TRUNCATED, UNSUPPORTED_VERSION,
 *   LIMIT_EXCEEDED.
 */
dagstore_status_t dagstore_car_open(const char *path, dagstore_car_t **out_car,
                                    dagstore_error_t **out_error);

enum {
    DAGSTORE_CAR_FULLY_INDEXED = 1 /* the header says that the embedded index lists every section */
};

/* What a CAR is made of. */
typedef struct dagstore_car_info {
    uint32_t size;
    uint32_t version;            /* 1 or 2 */
    uint32_t flags;              /* DAGSTORE_CAR_... */
    /* multicodec of the embedded index; 0 if there is none or it cannot be read */
    uint32_t index_codec;
    uint64_t roots;
    uint64_t data_offset;        /* of the payload in the file */
    uint64_t data_size;          /* of the payload, in bytes */
    uint64_t index_offset;       /* of the embedded index in the file; 0 if there is none */
    uint64_t sections;
    uint64_t identity_sections;
    uint64_t duplicate_sections; /* sections whose CID came before */
    uint64_t block_size_min;
    uint64_t block_size_max;
    uint64_t null_padding;       /* bytes after the first section of length zero */
} dagstore_car_info_t;

/*
 * Walks over the sections and counts; nothing is hashed. Takes 16 bytes of memory a section.
 *
 * Errors: MALFORMED_CAR, TRUNCATED, LIMIT_EXCEEDED, with their offset.
 */
dagstore_status_t dagstore_car_inspect(dagstore_car_t *car, dagstore_car_info_t *out_info,
                                       dagstore_error_t **out_error);

/* A root, as dagstore_shard_root. */
dagstore_status_t dagstore_car_root(dagstore_car_t *car, size_t index, uint8_t *buffer,
                                    size_t capacity, size_t *out_size,
                                    dagstore_error_t **out_error);

/* What hashing every block found. */
typedef struct dagstore_car_verification {
    uint32_t size;
    uint32_t reserved;
    uint64_t sections;   /* all of them */
    uint64_t unverified; /* unknown hash function, or a digest of under 20 bytes */
    uint64_t mismatches; /* blocks with another hash */
} dagstore_car_verification_t;

/*
 * Hashes every block on several threads, and compares an embedded index with the sections.
 *
 * threads: How many; 0 for one a processor. The calling thread is one of them.
 * out_verification: Receives the counts, also if the call fails.
 * Errors: HASH_MISMATCH, with the section's offset in the payload; MALFORMED_CAR, TRUNCATED,
 *   LIMIT_EXCEEDED, MALFORMED_INDEX.
 */
dagstore_status_t dagstore_car_verify(dagstore_car_t *car, uint32_t threads,
                                      dagstore_car_verification_t *out_verification,
                                      dagstore_error_t **out_error);

void dagstore_car_close(dagstore_car_t *car);

#ifdef __cplusplus
}
#endif

#endif
