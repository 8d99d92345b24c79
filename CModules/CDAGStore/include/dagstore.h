/*
 * dagstore.h: index CAR files and serve their blocks by CID, for C and languages that call C.
 *
 * A store holds shards. A shard is a CAR file that stays where it is. For each shard the store
 * keeps a record that survives crashes, and an index from multihash to offset. A lease on a shard
 * reads its blocks, as views of the file where the file can be mapped. An inverse index finds the
 * shards that have a block.
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
 * RULES, for every function unless its comment says otherwise
 *
 * 1. Results. A function that can fail returns a dagstore_status_t: DAGSTORE_OK (0), or a negative
 *    error code. A function that steps a cursor returns DAGSTORE_DONE (1) at the end. Results come
 *    through parameters named out_... . The last parameter is `dagstore_error_t **out_error`, and
 *    may be NULL. On failure it receives an error with a sentence for people, which the caller
 *    releases; on success it receives NULL. On failure every other out parameter is NULL, 0 or
 *    false.
 *
 * 2. References. A function that gives out a handle gives the caller one reference. The caller
 *    gives it back with the function named after the handle's type: _close or _release. All of
 *    these accept NULL. A handle is a number, not an address, so the library recognizes stale
 *    handles: functions return DAGSTORE_INVALID_ARGUMENT, and _close and _release do nothing. A
 *    thread may give a handle back while other threads use it: their calls complete, and the last
 *    of these calls frees the object.
 *
 * 3. Bytes and texts. The library borrows arguments for the call. Results belong to the handle
 *    that they came from, and are valid until the caller gives it back; those of a cursor, until
 *    its next step. The bytes of a block are valid until the caller releases the block, even if
 *    it has released the shard and closed the store. Texts are UTF-8 and end with NUL. CIDs are
 *    binary, with their size in bytes.
 *
 * 4. Structs start with `uint32_t size`. The caller sets it to the sizeof of the struct that it
 *    was compiled with, and sets fields that it does not use to zero. Later versions of the
 *    library add fields at the end; they read and write at most `size` bytes. Zero in a new field
 *    means the behavior of earlier versions. Functions return DAGSTORE_INVALID_ARGUMENT for a
 *    struct that is smaller than in the first version, or that sets a field unknown to this
 *    library.
 *
 * 5. Threads. Any thread may call any function at any time, with one exception: one thread at a
 *    time steps a cursor (entries, shards, places, multihashes, problems, events). Calls block
 *    until they have a result, and the changes of a call are on disk when it returns. A call that
 *    may wait long takes `timeout_ms`, in milliseconds: 0 never waits for fetching or indexing,
 *    DAGSTORE_WAIT_FOREVER has no limit. Reads (acquire of an available shard, contains, locate,
 *    get, read) run on the calling thread and on threads of the library.
 *
 * 6. Callbacks. One thread of a store calls all completions of its _async functions, one after the
 *    other. Threads of the library, or the thread that reads, call mount callbacks; any thread may
 *    call log and progress callbacks. A callback may call any function, but must not wait for
 *    itself: a completion for a later completion, a mount for the shard whose bytes it supplies, an
 *    indexer for the indexing of any shard.
 *    In a callback dagstore_close and dagstore_shutdown return at once, and the store closes when
 *    the callback has returned. A callback must return: no longjmp, no exception, no unwinding
 *    panic.
 *
 * 7. Forks. A child process must not use the stores of its parent: calls with such a store return
 *    DAGSTORE_CLOSED, and dagstore_close does nothing. If the parent has opened a store, the child
 *    must not open one before it calls exec: the threads of the library do not survive a fork. A
 *    process can have a store open only once.
 *
 * 8. Compatibility. This header describes DAGSTORE_ABI_VERSION. A library serves only callers that
 *    were compiled for its own ABI version. Within a version, releases only add functions,
 *    constants and fields at the end of structs. `Since` names the release that added a function;
 *    release 0.1 has all functions without it.
 *
 * Costs are for one core of a current server, with everything in memory.
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

/* The version of the ABI that this header describes. */
#define DAGSTORE_ABI_VERSION 1

/* Returns the ABI version of the loaded library, to compare with DAGSTORE_ABI_VERSION. */
uint32_t dagstore_abi_version(void);

/* Returns the release of the library, such as "0.1.0": a static text. */
const char *dagstore_version(void);

/* ---- Status codes ---------------------------------------------------------------------------- */

/*
 * DAGSTORE_OK, DAGSTORE_DONE, or a negative error code. Later releases add codes, and never reuse a
 * number.
 */
typedef int32_t dagstore_status_t;

enum {
    DAGSTORE_OK = 0,
    /* A cursor is at its end. Not an error. */
    DAGSTORE_DONE = 1,

    /* Something is not there. */
    DAGSTORE_SHARD_UNKNOWN = -1,         /* no shard has this key */
    DAGSTORE_BLOCK_NOT_FOUND = -2,       /* the shard, or the store, lacks the block */
    DAGSTORE_PATH_NOT_FOUND = -3,        /* a segment of a path names nothing */

    /* The caller passed something wrong. */
    DAGSTORE_INVALID_ARGUMENT = -10,     /* NULL, a stale handle, bad UTF-8, or out of range */
    DAGSTORE_INVALID_KEY = -11,          /* the key is empty or has more than 480 bytes */
    DAGSTORE_INVALID_CID = -12,          /* the text or bytes are not a CID */
    DAGSTORE_INVALID_CONFIGURATION = -13, /* a field of the configuration is out of range */
    DAGSTORE_UNKNOWN_SCHEME = -14,       /* the set of mounts lacks the scheme of the mount URL */
    DAGSTORE_UNSUPPORTED_HASH = -15,     /* the hash function is unknown, or the digest too short */
    DAGSTORE_SHARD_EXISTS = -16,         /* another shard has the key */
    DAGSTORE_SHARD_IN_USE = -17,         /* the shard has leases, or a job works on it */
    DAGSTORE_NOT_FAILED = -18,           /* the shard has not failed */
    DAGSTORE_BUFFER_TOO_SMALL = -19,     /* *out_size says how much room is needed */
    DAGSTORE_UNSUPPORTED_CODEC = -60,    /* the links of blocks of the codec are unknown */
    DAGSTORE_PATH_NOT_A_LINK = -61,      /* a path ends at a value inside a block */

    /* The source cannot be used. */
    DAGSTORE_MOUNT_UNREACHABLE = -20,    /* the source exists and cannot be read */
    DAGSTORE_MOUNT_GONE = -21,           /* the source does not exist */
    DAGSTORE_FETCH_FAILED = -22,         /* the source could not be copied */
    DAGSTORE_FETCH_TIMED_OUT = -23,      /* the source took too long */
    DAGSTORE_SOURCE_CHANGED = -24,       /* the source has other bytes than the indexed ones */

    /* The bytes are wrong. */
    DAGSTORE_MALFORMED_CAR = -30,        /* a header or section is malformed */
    DAGSTORE_TRUNCATED = -31,            /* the CAR ends early */
    DAGSTORE_UNSUPPORTED_VERSION = -32,  /* the CAR version is neither 1 nor 2 */
    DAGSTORE_LIMIT_EXCEEDED = -33,       /* a size or count exceeds a limit */
    DAGSTORE_HASH_MISMATCH = -34,        /* the bytes do not have the hash of their CID */
    DAGSTORE_MALFORMED_INDEX = -35,      /* an index is malformed, or contradicts its CAR */
    DAGSTORE_MALFORMED_BLOCK = -36,      /* a block breaks the rules of its codec or of UnixFS */

    /* The store's own state. */
    DAGSTORE_CATALOG_CORRUPT = -40,      /* the catalog is damaged */
    DAGSTORE_CATALOG_FULL = -41,         /* the disk or the map is full; the call changed nothing */
    DAGSTORE_CATALOG_LOCKED = -42,       /* another process, or this one, has the store open */
    DAGSTORE_CATALOG_TOO_NEW = -43,      /* a newer release wrote the store */
    DAGSTORE_READ_ONLY = -44,            /* the store cannot be written */
    DAGSTORE_QUOTA_EXCEEDED = -45,       /* the quota for local copies is used up */
    DAGSTORE_SHARD_FAILED = -46,         /* the shard has failed and must be recovered */
    DAGSTORE_OUT_OF_RESOURCES = -47,     /* no descriptors, memory or threads; no shard fails */
    DAGSTORE_TOO_MANY_READERS = -48,     /* other readers hold all reader slots of the catalog */
    DAGSTORE_REOPEN_NEEDED = -49,        /* a catalog write failed: close and reopen the store */
    DAGSTORE_CATALOG_UNREACHABLE = -62,  /* the catalog of the cluster does not answer */

    /* The end. */
    DAGSTORE_CLOSED = -50,               /* the store is closed */
    DAGSTORE_CANCELLED = -51,            /* the operation was cancelled */
    DAGSTORE_DEADLINE_EXCEEDED = -52     /* the timeout has passed */
};

/*
 * Returns the name of a code, such as "blockNotFound": a static text, "unknown" for other numbers.
 */
const char *dagstore_status_name(dagstore_status_t status);

/* ---- Handles, bytes -------------------------------------------------------------------------- */

typedef struct dagstore dagstore_t;                        /* an open store */
typedef struct dagstore_shard dagstore_shard_t;            /* a lease on a shard */
typedef struct dagstore_block dagstore_block_t;            /* the bytes of a block */
typedef struct dagstore_error dagstore_error_t;            /* the reason why a call failed */
typedef struct dagstore_mounts dagstore_mounts_t;          /* a set of mount schemes */
typedef struct dagstore_entries dagstore_entries_t;        /* a cursor over the index of a shard */
typedef struct dagstore_shards dagstore_shards_t;          /* a cursor over the shards of a store */
typedef struct dagstore_places dagstore_places_t;          /* a cursor over the places of a block */
typedef struct dagstore_multihashes dagstore_multihashes_t; /* a cursor over multihashes */
typedef struct dagstore_problems dagstore_problems_t;      /* a cursor over problems of a check */
typedef struct dagstore_events dagstore_events_t;          /* a queue of events of shards */
typedef struct dagstore_car dagstore_car_t;                /* a CAR file outside a store */

/* Bytes that the library owns, or that lie inside an argument. */
typedef struct dagstore_bytes {
    const uint8_t *data; /* NULL if there are none */
    size_t size;
} dagstore_bytes_t;

/* A `timeout_ms` without a limit. */
#define DAGSTORE_WAIT_FOREVER UINT32_MAX

/* A size or time without a limit, or an unknown one. */
#define DAGSTORE_NO_LIMIT UINT64_MAX

/* Returns the number of open handles of this process. Tests use it to find leaks. */
uint64_t dagstore_live_handles(void);

/* ---- Errors ---------------------------------------------------------------------------------- */

/* Returns the code: DAGSTORE_OK for NULL, DAGSTORE_INVALID_ARGUMENT for a stale handle. */
dagstore_status_t dagstore_error_status(const dagstore_error_t *error);

/*
 * Returns a sentence for people; "" for NULL and for a stale handle. The text is valid until the
 * caller releases the error.
 */
const char *dagstore_error_message(const dagstore_error_t *error);

/*
 * Returns the key of the shard that the error is about; NULL if it is about no shard. The text is
 * valid until the caller releases the error.
 */
const char *dagstore_error_shard(const dagstore_error_t *error);

/*
 * Tells where in a CAR the bytes are wrong.
 *
 * out_offset: Receives the offset in bytes; may be NULL. For a malformed section it counts from the
 *   start of the payload.
 * Returns: Whether the error has an offset.
 */
bool dagstore_error_offset(const dagstore_error_t *error, uint64_t *out_offset);

/*
 * Makes an error for a mount callback to give out.
 *
 * status: A negative code.
 * message: A sentence for people; NULL for none. The library copies it.
 * Returns: An error; NULL if `status` is not negative.
 */
dagstore_error_t *dagstore_error_new(dagstore_status_t status, const char *message);

/* Releases an error. */
void dagstore_error_release(dagstore_error_t *error);

/* ---- The whole process: logging and signals -------------------------------------------------- */

enum {
    DAGSTORE_LOG_NONE = 0,
    DAGSTORE_LOG_ERROR = 1,   /* a store cannot be opened, a commit failed; a handle was misused */
    DAGSTORE_LOG_WARNING = 2, /* a shard failed, its source is away, or a commit was slow */
    DAGSTORE_LOG_INFO = 3,    /* a store opens or closes; a shard is registered, ready or gone */
    DAGSTORE_LOG_DEBUG = 4    /* every event of every shard, with leases */
};

/*
 * Receives one line of the log, without a newline. `message` is borrowed for the call. The library
 * delivers one line at a time.
 */
typedef void (*dagstore_log_fn)(void *context, int32_t level, const char *message);

/*
 * Sets the receiver of log lines.
 *
 * A thread of the library delivers the lines in order. While 1,024 lines wait, it drops new ones.
 * The previous receiver gets all lines from before the call, and no line after the call has
 * returned. A call from inside a callback does not wait for these lines.
 *
 * level: The least severe level that the receiver wants; DAGSTORE_LOG_NONE for no logging. It also
 *   applies to stores that are already open.
 * callback: The receiver; NULL for none.
 * context: Passed to the callback.
 * Errors: INVALID_ARGUMENT for an unknown level.
 */
dagstore_status_t dagstore_log_set(int32_t level, dagstore_log_fn callback, void *context,
                                   dagstore_error_t **out_error);

/*
 * Installs a handler for SIGBUS, which turns the loss of mapped bytes into DAGSTORE_SOURCE_CHANGED.
 *
 * A process that truncates a mapped CAR takes bytes away from its readers. With the handler, the
 * library's own reads return an error; the caller's reads of views are not guarded. The handler
 * passes other SIGBUS signals to the previous handler. Only the first call does anything; make it
 * before you open a store.
 *
 * In a Go program, call it before other packages install handlers, and read blocks with
 * dagstore_shard_read. The handler has SA_ONSTACK, which Go's runtime requires.
 *
 * Returns: Whether the handler is installed.
 */
bool dagstore_mapping_guard_install(void);

/* ---- Mounts: bytes that the caller supplies -------------------------------------------------- */

enum {
    /* The source gives its bytes once, from the start: the store copies them to its folder. */
    DAGSTORE_ACCESS_SEQUENTIAL = 1,
    /* The source can read any range: the store reads in place. */
    DAGSTORE_ACCESS_RANDOM = 2,
    /* The source is a file of this machine: the store maps it. Only with `open_shard`. */
    DAGSTORE_ACCESS_FILE = 3
};

enum {
    /* The source must first prepare its bytes, such as unseal them; `open` may take hours. */
    DAGSTORE_MOUNT_NOT_READY = 1
};

/*
 * The properties of a source that need no read. The callback receives it with `size` set and all
 * other fields zero.
 */
typedef struct dagstore_mount_stat {
    uint32_t size;
    uint32_t flags;       /* DAGSTORE_MOUNT_NOT_READY or 0 */
    uint64_t bytes;       /* the size of the source; DAGSTORE_NO_LIMIT if it is unknown */
    /* a text that changes when the bytes change, such as an entity tag; "" if there is none */
    char validator[256];
} dagstore_mount_stat_t;

/* A source that the store asks for. Texts are borrowed for the call. */
typedef struct dagstore_mount_request {
    uint32_t size;
    uint32_t reserved;
    const char *key; /* the shard that is read; NULL if the store does not ask for a shard */
    const char *url;
} dagstore_mount_request_t;

/*
 * An opened source. The callback receives it with `size` set, `bytes` of DAGSTORE_NO_LIMIT, and all
 * other fields zero.
 */
typedef struct dagstore_mount_source {
    uint32_t size;
    uint32_t reserved;
    void *source;    /* the `source` of later calls; may stay NULL */
    /* the size, or DAGSTORE_NO_LIMIT if a SEQUENTIAL source does not know it; a fetch that gets
       another number of bytes fails */
    uint64_t bytes;
    /* the absolute path of a FILE source, which the library opens itself: it never calls read_at,
       and calls close when the callback has returned */
    char path[4096];
} dagstore_mount_source_t;

/*
 * The callbacks that read the sources of one mount scheme.
 *
 * Several threads call them at once. While shards are fetched and indexed, up to 16 threads call
 * `stat`, 64 call `open` and 64 call `read_at`. In addition, every thread that reads a block of a
 * RANDOM source calls `read_at`. `url` is borrowed for the call.
 *
 * A callback that fails returns DAGSTORE_MOUNT_GONE, DAGSTORE_MOUNT_UNREACHABLE,
 * DAGSTORE_FETCH_FAILED, DAGSTORE_FETCH_TIMED_OUT, DAGSTORE_SOURCE_CHANGED or
 * DAGSTORE_OUT_OF_RESOURCES. The library treats other values as DAGSTORE_MOUNT_UNREACHABLE. The
 * callback may set *out_error, which is never NULL, to an error from dagstore_error_new, which the
 * library releases.
 */
typedef struct dagstore_mount_vtable {
    uint32_t size;
    uint32_t access; /* DAGSTORE_ACCESS_... */

    /* Looks at the source at `url`. Returns DAGSTORE_MOUNT_GONE if it does not exist. */
    dagstore_status_t (*stat)(void *context, const char *url, dagstore_mount_stat_t *out_stat,
                              dagstore_error_t **out_error);

    /*
     * Opens the source at `url`.
     *
     * out_source: Receives the `source` of later calls; may be set to NULL.
     * out_bytes: Receives the size in bytes. A SEQUENTIAL source may set DAGSTORE_NO_LIMIT if it
     *   does not know the size. A fetch that gets another number of bytes fails.
     */
    dagstore_status_t (*open)(void *context, const char *url, void **out_source,
                              uint64_t *out_bytes, dagstore_error_t **out_error);

    /*
     * Reads up to `capacity` bytes at `offset`.
     *
     * Several threads read a RANDOM source at once. If the callback returns fewer bytes, the
     * library calls it again for the others; 0 bytes before the end are an error. Each read of a
     * SEQUENTIAL source starts where the read before ended, and 0 bytes mean its end.
     */
    dagstore_status_t (*read_at)(void *context, void *source, uint64_t offset, uint8_t *buffer,
                                 size_t capacity, size_t *out_size, dagstore_error_t **out_error);

    /* Closes the source: called once, after its last read has returned. */
    void (*close)(void *context, void *source);

    /*
     * Asks reads of this source to return soon, because the store no longer needs them. Called at
     * most once, before `close`, on any thread, while reads may run. NULL if nothing can interrupt
     * reads.
     */
    void (*interrupt)(void *context, void *source);

    /*
     * Frees `context`, when the library no longer uses the scheme and no callback runs. Called once,
     * on any thread, perhaps shortly after dagstore_close or the last release has returned. NULL if
     * there is nothing to free.
     */
    void (*release)(void *context);

    /*
     * Returns the kind of access of one URL, DAGSTORE_ACCESS_...; it must not block, and must always
     * return the same for the same URL. Other values count as SEQUENTIAL. NULL: `access` holds for
     * all URLs.
     */
    uint32_t (*access_of)(void *context, const char *url);

    /* Called in place of `stat`, which may then be NULL. NULL: the library calls `stat`. */
    dagstore_status_t (*stat_shard)(void *context, const dagstore_mount_request_t *request,
                                    dagstore_mount_stat_t *out_stat, dagstore_error_t **out_error);

    /* Called in place of `open`, which may then be NULL. NULL: the library calls `open`. */
    dagstore_status_t (*open_shard)(void *context, const dagstore_mount_request_t *request,
                                    dagstore_mount_source_t *out_source,
                                    dagstore_error_t **out_error);
} dagstore_mount_vtable_t;

/*
 * Makes a set of schemes, which has only the built-in scheme "file".
 *
 * A library that was built with the trait Node also reads "http", "https" and "s3": every store has
 * them, except for those that the set gives a vtable. Credentials of "s3" come from the
 * environment and the files of AWS's own tools. Other builds refuse these URLs with
 * DAGSTORE_UNKNOWN_SCHEME.
 */
dagstore_status_t dagstore_mounts_new(dagstore_mounts_t **out_mounts, dagstore_error_t **out_error);

/*
 * Adds a scheme: the store reads mount URLs of the form scheme://... through `vtable`.
 *
 * The library copies the vtable. Stores that are already open do not see the scheme. The library
 * calls the vtable's `release` when the set, every store opened with it, and all their leases and
 * reads are gone. If this call fails, the library does not call `release`.
 *
 * scheme: Lower-case letters, digits, '+', '-', '.'; begins with a letter. One of "http", "https" and
 *   "s3" replaces the library's own.
 * Errors: INVALID_ARGUMENT if the scheme is malformed or taken, or if a callback that must be there
 *   is NULL: read_at, close, stat or stat_shard, open or open_shard.
 */
dagstore_status_t dagstore_mounts_add(dagstore_mounts_t *mounts, const char *scheme,
                                      const dagstore_mount_vtable_t *vtable, void *context,
                                      dagstore_error_t **out_error);

/* Releases a set of schemes. Stores that were opened with it keep what they need. */
void dagstore_mounts_release(dagstore_mounts_t *mounts);

/* ---- Stores ---------------------------------------------------------------------------------- */

enum {
    /* Reads only: takes no lock, and writes neither records nor indexes. */
    DAGSTORE_OPEN_READ_ONLY = 1,
    /* Results survive a crash of the process, but not of the machine. For benchmarks. */
    DAGSTORE_OPEN_RELAXED = 2,
    /* Reads CARs with system calls and copies blocks: other processes may truncate the files. */
    DAGSTORE_OPEN_UNMAPPED = 4,
    /* Treats a section of length zero as an error, not as the end of the data. */
    DAGSTORE_OPEN_REFUSES_NULL_PADDING = 8,
    /* Checks every page of the catalog at the opening; for files that may be damaged. */
    DAGSTORE_OPEN_CHECKS_PAGES = 16,
    /* Does not continue jobs that the end of a process interrupted until a caller asks for them. */
    DAGSTORE_OPEN_LEAVES_INTERRUPTED = 32,
    /* Lets "http", "https" and "s3" URLs reach this machine and private networks. */
    DAGSTORE_OPEN_ALLOWS_PRIVATE = 64
};

/*
 * What stays on this machine of a shard whose source can read any range. The store maps files under
 * every policy, and copies SEQUENTIAL sources under every policy.
 */
enum {
    DAGSTORE_POLICY_AUTOMATIC = 0, /* the configuration's remote_policy; "remote" for a vtable */
    DAGSTORE_POLICY_REMOTE = 1,    /* the store reads ranges, and nothing stays on the disk */
    /* ranges of "http", "https" and "s3" stay in a bounded cache, in the store's folder */
    DAGSTORE_POLICY_CACHE = 2,
    DAGSTORE_POLICY_COPY = 3       /* the store copies the CAR to its folder, under the quota */
};

/* How the store encodes index pages. */
enum {
    DAGSTORE_PAGES_SMALLEST = 0, /* the smaller encoding of each page */
    DAGSTORE_PAGES_ZSTD = 1,
    DAGSTORE_PAGES_DIRECT = 2
};

/* When an opened store recovers shards that had failed before. */
enum {
    DAGSTORE_RECOVERY_MANUAL = 0,     /* only when a caller asks */
    DAGSTORE_RECOVERY_ON_ACQUIRE = 1, /* at the first acquire of the shard, once */
    DAGSTORE_RECOVERY_AT_OPEN = 2     /* all of them at the opening */
};

/*
 * Chooses among the shards that may have a block.
 *
 * Each dagstore_get calls it on its own thread. `keys` are in the order in which the store would
 * read the shards: open ones, available ones, failed ones.
 *
 * order: Has room for `count` indices into `keys`. Receives those of shards to read, best first.
 * Returns: The number of indices written; 0 to refuse the block.
 */
typedef size_t (*dagstore_select_fn)(void *context, const uint8_t *cid, size_t cid_size,
                                     const char *const *keys, size_t count, size_t *order);

/*
 * Receives the time of a step of a store, on a thread of the library. It must return at once, and
 * must not call the store.
 *
 * kind: "commit", a write transaction with its wait for the disk; "indexing" and "opening", jobs of
 *   shards; "merge", of the inverse index. Later versions may add kinds. Borrowed for the call.
 * success: Whether the step succeeded.
 */
typedef void (*dagstore_observe_fn)(void *context, const char *kind, uint64_t nanoseconds,
                                    bool success);

/* A CAR that is being indexed, during the call of a dagstore_index_fn. */
typedef struct dagstore_indexing dagstore_indexing_t;

/* What the library knows of that CAR. Texts are borrowed for the call. */
typedef struct dagstore_indexing_info {
    uint32_t size;
    uint32_t reserved;
    const char *key;
    const char *mount_url;
    uint64_t bytes;          /* of the whole file */
    uint64_t payload_offset; /* of the payload in the file */
    uint64_t payload_size;
} dagstore_indexing_info_t;

/*
 * Supplies the sections of a CAR, instead of the walk over its section headers.
 *
 * The library calls it when it has fetched a CAR, on a thread of the library; several shards may be
 * indexed at once. The callback calls dagstore_indexing_add for each section, in order of offset and
 * without gaps.
 * The library believes the sections: a wrong one makes a block unreadable until the shard is
 * recovered.
 *
 * indexing: Valid until the callback returns.
 * Returns: DAGSTORE_OK if all sections were added; DAGSTORE_DONE, without an addition, to let the
 *   library walk the CAR; an error code of a source or of wrong bytes to fail the shard; another
 *   error code to end the registration or recovery without a result. An unknown code counts as
 *   MALFORMED_INDEX; CANCELLED and CLOSED count as FETCH_FAILED. The callback may set *out_error,
 *   which is never NULL, to an error from dagstore_error_new, which the library releases.
 */
typedef dagstore_status_t (*dagstore_index_fn)(void *context, dagstore_indexing_t *indexing,
                                               const dagstore_indexing_info_t *info,
                                               dagstore_error_t **out_error);

/*
 * Adds a section.
 *
 * cid: Binary.
 * offset: The offset of the section's length varint in the payload, in bytes.
 * section_size: The size of the whole section in bytes, varint and CID included.
 * Errors: INVALID_CID; MALFORMED_INDEX if the section does not begin where the one before ended, or
 *   lies outside the payload; INVALID_ARGUMENT for a stale `indexing`.
 */
dagstore_status_t dagstore_indexing_add(dagstore_indexing_t *indexing, const uint8_t *cid,
                                        size_t cid_size, uint64_t offset, uint64_t section_size,
                                        dagstore_error_t **out_error);

/*
 * Reads bytes of the CAR file: at most 64 MiB a call, and fewer only at the end of the file.
 *
 * Errors: MOUNT_UNREACHABLE, SOURCE_CHANGED; INVALID_ARGUMENT for a stale `indexing`.
 */
dagstore_status_t dagstore_indexing_read(dagstore_indexing_t *indexing, uint64_t offset,
                                         uint8_t *buffer, size_t capacity, size_t *out_size,
                                         dagstore_error_t **out_error);

/*
 * The configuration of a store. dagstore_config_init sets it to defaults for a server: the values
 * at the ends of the comments.
 */
typedef struct dagstore_config {
    uint32_t size;
    uint32_t flags;                    /* DAGSTORE_OPEN_... */
    uint32_t page_policy;              /* DAGSTORE_PAGES_... */
    uint32_t recovery;                 /* DAGSTORE_RECOVERY_... */
    uint64_t map_size;                 /* address space for the catalog, in bytes; 1 TiB */
    uint64_t sort_budget;              /* memory for sorting while indexing a shard, in bytes */
    uint64_t page_cache_size;          /* memory for decoded index pages, in bytes; 32 MiB */
    uint64_t header_size_max;          /* largest CAR header to read, in bytes; 32 MiB */
    uint64_t section_size_max;         /* largest section to read, in bytes; 8 MiB */
    uint32_t concurrent_indexing;      /* shards to index at once; number of processors */
    /* mounts without DAGSTORE_MOUNT_NOT_READY to open and copy at once; 8 */
    uint32_t concurrent_ready_fetches;
    uint32_t automatic_recoveries;     /* recoveries of a failing shard without a caller; 0 */
    uint32_t idle_shards_max;          /* open shards to keep without leases; 256 */
    uint64_t idle_bytes_max;           /* their payload bytes; DAGSTORE_NO_LIMIT */
    uint64_t idle_time_max_ms;         /* milliseconds to keep them; DAGSTORE_NO_LIMIT */
    /* bytes of the store's own copies of CARs (transients); DAGSTORE_NO_LIMIT */
    uint64_t transient_quota;
    double transient_high_watermark;   /* share of the quota that starts removal; 0.9 */
    double transient_low_watermark;    /* share of the quota that ends removal; 0.7 */
    /* schemes besides "file"; NULL. Borrowed for dagstore_open. */
    dagstore_mounts_t *mounts;
    dagstore_select_fn select_shards;  /* NULL */
    void *select_context;              /* passed to select_shards while the store is open */
    /* milliseconds that a mount may take to supply the bytes of a shard; 0 for no limit */
    uint64_t fetch_timeout_ms;
    /* the policy of "http", "https" and "s3" shards with DAGSTORE_POLICY_AUTOMATIC: another
       DAGSTORE_POLICY_...; 0 for DAGSTORE_POLICY_REMOTE */
    uint32_t remote_policy;
    uint32_t reserved;
    uint64_t remote_cache_size;        /* bytes of the cache of DAGSTORE_POLICY_CACHE; 0 for 1 GiB */
    dagstore_observe_fn observe;       /* NULL */
    void *observe_context;             /* passed to observe while the store is open */
    dagstore_index_fn index;           /* NULL */
    void *index_context;               /* passed to index while the store is open */
} dagstore_config_t;

/*
 * Fills a configuration with the defaults.
 *
 * size: sizeof(dagstore_config_t) in the caller's header. The library writes at most `size` bytes,
 *   so callers with an older header stay valid.
 * Errors: INVALID_ARGUMENT.
 */
dagstore_status_t dagstore_config_init(dagstore_config_t *config, size_t size,
                                       dagstore_error_t **out_error);

/*
 * Opens the store in a directory. Makes the store if there is none, except with
 * DAGSTORE_OPEN_READ_ONLY.
 *
 * After the call the store continues jobs that the end of a process interrupted. Costs 0.25 ms,
 * whatever the number of shards.
 *
 * path: The directory. The library makes it, and those above it, if it is missing.
 * config: NULL for the defaults.
 * Errors: CATALOG_LOCKED if the store is already open; CATALOG_TOO_NEW, CATALOG_CORRUPT,
 *   CATALOG_FULL, READ_ONLY; INVALID_ARGUMENT if there is no store to open read-only;
 *   INVALID_CONFIGURATION.
 */
dagstore_status_t dagstore_open(const char *path, const dagstore_config_t *config,
                                dagstore_t **out_store, dagstore_error_t **out_error);

enum {
    /* Cancels fetching and indexing instead of waiting; the next open continues them. */
    DAGSTORE_SHUTDOWN_CANCELLING = 1
};

/*
 * Closes a store and keeps the handle. Other threads that use it get DAGSTORE_CLOSED from now on.
 *
 * Waits for running jobs, and releases the store's lock. When it returns, all completions of _async
 * functions have been called. Leases stay valid. While leases are held, any process can open the
 * store again. This process can open it for writing only if it was open for writing before. The
 * caller may call this function again.
 *
 * flags: DAGSTORE_SHUTDOWN_CANCELLING or 0.
 * Errors: INVALID_ARGUMENT.
 */
dagstore_status_t dagstore_shutdown(dagstore_t *store, uint32_t flags,
                                    dagstore_error_t **out_error);

/* Closes the store as dagstore_shutdown does without flags, and gives the handle back. */
void dagstore_close(dagstore_t *store);

/*
 * Rewrites the catalog of a store that is not open, without the room that removed shards left.
 *
 * map_size: Address space to open the catalog with, in bytes, 1 MiB to 128 TiB; 0 for the default.
 * out_before, out_after: Receive the sizes of the catalog's file in bytes; may be NULL.
 * Errors: CATALOG_LOCKED, CATALOG_FULL, CATALOG_CORRUPT, READ_ONLY; INVALID_ARGUMENT if there is no
 *   store.
 */
dagstore_status_t dagstore_compact(const char *path, uint64_t map_size, uint64_t *out_before,
                                   uint64_t *out_after, dagstore_error_t **out_error);

/* ---- The life of a shard --------------------------------------------------------------------- */

enum {
    /* Indexes the shard at its first acquire. The call returns when the record is on disk. */
    DAGSTORE_REGISTER_LAZY = 1,
    /* Indexes the shard now. The call returns when the record is on disk. */
    DAGSTORE_REGISTER_BACKGROUND = 2
};

/* Receives the progress of indexing, in bytes, now and then on a thread of the library. */
typedef void (*dagstore_progress_fn)(void *context, uint64_t bytes_done, uint64_t bytes_total,
                                     uint64_t sections);

/* Options of a registration. */
typedef struct dagstore_register_options {
    uint32_t size;
    uint32_t flags;                 /* DAGSTORE_REGISTER_... */
    /* absolute path of a local copy to read instead, which the library never removes; NULL */
    const char *existing_transient;
    /*
     * receives progress until the first indexing has ended, which may be after the call; NULL
     */
    dagstore_progress_fn progress;
    void *progress_context;
    uint32_t policy;                /* DAGSTORE_POLICY_... */
    uint32_t reserved;
} dagstore_register_options_t;

/*
 * Registers a CAR under a key and, without flags, waits until it is indexed.
 *
 * If the CAR cannot be indexed, the shard stays registered as failed with the error; recover or
 * destroy it. Costs a commit, a second commit when the shard is available, and about 100 ns a
 * section.
 *
 * key: 1 to 480 bytes.
 * mount_url: The place of the CAR: "file:///path/to.car", with a '%' of the path written as %25;
 *   "https://...", "http://..." or "s3://bucket/key", if the library was built with the trait Node;
 *   or a URL of a scheme that the caller added.
 * flags: DAGSTORE_REGISTER_LAZY, DAGSTORE_REGISTER_BACKGROUND or 0.
 * Errors: SHARD_EXISTS, INVALID_KEY, UNKNOWN_SCHEME, INVALID_ARGUMENT; MOUNT_GONE,
 *   MOUNT_UNREACHABLE, FETCH_FAILED, FETCH_TIMED_OUT, SOURCE_CHANGED; MALFORMED_CAR, TRUNCATED,
 *   UNSUPPORTED_VERSION, LIMIT_EXCEEDED, MALFORMED_INDEX; QUOTA_EXCEEDED, CATALOG_FULL, READ_ONLY,
 *   CLOSED.
 */
dagstore_status_t dagstore_register(dagstore_t *store, const char *key, const char *mount_url,
                                    uint32_t flags, dagstore_error_t **out_error);

/* Registers a CAR as dagstore_register does, with options; NULL for none. */
dagstore_status_t dagstore_register_with(dagstore_t *store, const char *key, const char *mount_url,
                                         const dagstore_register_options_t *options,
                                         dagstore_error_t **out_error);

/* Receives the result of an _async function. `error` is NULL, or borrowed for the call. */
typedef void (*dagstore_done_fn)(void *context, dagstore_status_t status, dagstore_error_t *error);

/*
 * Registers a CAR as dagstore_register_with does, without waiting.
 *
 * Returns: DAGSTORE_OK if the registration has begun: the store's thread for completions later
 *   calls `done` once. An error code if an argument is wrong: then the library never calls `done`.
 */
dagstore_status_t dagstore_register_async(dagstore_t *store, const char *key, const char *mount_url,
                                          const dagstore_register_options_t *options,
                                          dagstore_done_fn done, void *context,
                                          dagstore_error_t **out_error);

/*
 * Cancels all _async calls of a store that were made with `context` and have no result yet.
 *
 * Each `done` is still called once, with DAGSTORE_CANCELLED or, if the result came first, with that.
 * Cancelling ends the wait only: fetching and indexing go on, and a registration, recovery or removal
 * that has begun takes effect. Until `done` is called, a cancelled acquire still counts as a waiter of
 * the shard.
 *
 * out_count: Receives the number of these calls; may be NULL.
 * Errors: INVALID_ARGUMENT, CLOSED.
 */
dagstore_status_t dagstore_cancel(dagstore_t *store, void *context, size_t *out_count,
                                  dagstore_error_t **out_error);

/*
 * Fetches and indexes a shard that was registered with DAGSTORE_REGISTER_LAZY. Does nothing if the
 * shard is available.
 *
 * Errors: SHARD_UNKNOWN; the stored error's code if the shard has failed; and as dagstore_register.
 */
dagstore_status_t dagstore_initialize(dagstore_t *store, const char *key,
                                      dagstore_error_t **out_error);

/*
 * Fetches and indexes a shard as dagstore_initialize does, without waiting; see
 * dagstore_register_async.
 */
dagstore_status_t dagstore_initialize_async(dagstore_t *store, const char *key,
                                            dagstore_done_fn done, void *context,
                                            dagstore_error_t **out_error);

/*
 * Changes the mount of a shard, and keeps its index.
 *
 * Compares a sample of the new source with the index; for that it copies a sequential source. Does
 * not compare a shard whose CAR was never read. Recovers a shard that failed after it was indexed.
 * Leases stay on the old source. On failure the shard keeps its old mount.
 *
 * Errors: SHARD_UNKNOWN; SHARD_IN_USE while the shard is being fetched and indexed; SOURCE_CHANGED
 *   if the bytes differ from the indexed ones; and the errors of a source.
 */
dagstore_status_t dagstore_relocate(dagstore_t *store, const char *key, const char *mount_url,
                                    dagstore_error_t **out_error);

/*
 * Changes what stays on this machine of a shard.
 *
 * Later openings of the shard read under the new policy; an open shard closes when it has no leases.
 * Under DAGSTORE_POLICY_COPY the next opening copies the CAR. Under every other policy the library
 * no longer reads the copy, and dagstore_collect_garbage removes it. Does not reach for the source.
 *
 * policy: DAGSTORE_POLICY_...
 * Errors: SHARD_UNKNOWN; INVALID_ARGUMENT for an unknown policy; CATALOG_FULL, READ_ONLY, CLOSED.
 */
dagstore_status_t dagstore_set_policy(dagstore_t *store, const char *key, uint32_t policy,
                                      dagstore_error_t **out_error);

/*
 * Fetches and indexes a failed shard again, and discards earlier copies.
 *
 * Errors: SHARD_UNKNOWN; NOT_FAILED; and as dagstore_register.
 */
dagstore_status_t dagstore_recover(dagstore_t *store, const char *key,
                                   dagstore_error_t **out_error);

/* Recovers a shard as dagstore_recover does, without waiting; see dagstore_register_async. */
dagstore_status_t dagstore_recover_async(dagstore_t *store, const char *key, dagstore_done_fn done,
                                         void *context, dagstore_error_t **out_error);

/*
 * Removes a shard: its record, its index, and the store's copy of the CAR. The CAR itself stays.
 *
 * Errors: SHARD_UNKNOWN; SHARD_IN_USE if it has leases or is being opened; CATALOG_FULL, READ_ONLY,
 *   CLOSED.
 */
dagstore_status_t dagstore_destroy(dagstore_t *store, const char *key,
                                   dagstore_error_t **out_error);

/*
 * Removes a shard as dagstore_destroy does, without waiting; see dagstore_register_async.
 */
dagstore_status_t dagstore_destroy_async(dagstore_t *store, const char *key, dagstore_done_fn done,
                                         void *context, dagstore_error_t **out_error);

/* ---- Leases ---------------------------------------------------------------------------------- */

/*
 * Acquires a lease on a shard. While the lease lasts, the caller can read blocks, and no caller can
 * destroy the shard.
 *
 * Fetches and indexes a lazily registered shard first, once for all callers that wait. The job goes
 * on when a caller's timeout passes. Costs 1.5 us if the shard is open, 0.3 us beside another
 * lease, about 100 us otherwise.
 *
 * timeout_ms: Milliseconds to wait for fetching and indexing; 0 does not wait.
 * Errors: SHARD_UNKNOWN; the stored error's code, or SHARD_FAILED, if the shard has failed;
 *   MOUNT_GONE, MOUNT_UNREACHABLE, FETCH_FAILED, FETCH_TIMED_OUT if the source is away (the next
 *   acquire tries again); SOURCE_CHANGED if the source has other bytes than the indexed ones (the
 *   shard fails); CATALOG_CORRUPT, QUOTA_EXCEEDED, OUT_OF_RESOURCES; DEADLINE_EXCEEDED, CLOSED.
 */
dagstore_status_t dagstore_acquire(dagstore_t *store, const char *key, uint32_t timeout_ms,
                                   dagstore_shard_t **out_shard, dagstore_error_t **out_error);

/*
 * Receives a lease, which the receiver must release. On failure `shard` is NULL, and `error` is
 * borrowed for the call.
 */
typedef void (*dagstore_acquired_fn)(void *context, dagstore_status_t status,
                                     dagstore_shard_t *shard, dagstore_error_t *error);

/* Acquires a lease as dagstore_acquire does, without waiting; see dagstore_register_async. */
dagstore_status_t dagstore_acquire_async(dagstore_t *store, const char *key, uint32_t timeout_ms,
                                         dagstore_acquired_fn done, void *context,
                                         dagstore_error_t **out_error);

/*
 * Ends a lease, when the calls of other threads on it have ended. If there are none, the lease has
 * ended when this function returns. Blocks that were read stay valid.
 */
void dagstore_shard_release(dagstore_shard_t *shard);

/*
 * Copies the shard's key, with its NUL.
 *
 * buffer: Has room for `capacity` bytes; may be NULL if `capacity` is 0.
 * out_size: Receives the size of the key in bytes, with its NUL.
 * Errors: BUFFER_TOO_SMALL; *out_size is the room that is needed.
 */
dagstore_status_t dagstore_shard_key(dagstore_shard_t *shard, char *buffer, size_t capacity,
                                     size_t *out_size, dagstore_error_t **out_error);

/* Returns the number of sections, repeated ones included; 0 for a stale handle. */
uint64_t dagstore_shard_block_count(const dagstore_shard_t *shard);

/* Returns the number of roots in the CAR's header; 0 for a stale handle. */
size_t dagstore_shard_root_count(const dagstore_shard_t *shard);

/*
 * Copies a root, as a binary CID, in the order of the header.
 *
 * index: Less than dagstore_shard_root_count.
 * Errors: BUFFER_TOO_SMALL; *out_size is the room that is needed; INVALID_ARGUMENT.
 */
dagstore_status_t dagstore_shard_root(dagstore_shard_t *shard, size_t index, uint8_t *buffer,
                                      size_t capacity, size_t *out_size,
                                      dagstore_error_t **out_error);

/* ---- Blocks of a shard ----------------------------------------------------------------------- */

/* The place of a block. */
typedef struct dagstore_location {
    uint32_t size;
    uint32_t reserved;
    uint64_t offset;       /* of the section's length varint in the CAR's payload, in bytes */
    uint64_t block_offset; /* of its data in the CAR file */
    uint64_t block_size;   /* of its data, in bytes */
} dagstore_location_t;

/*
 * Tells whether the shard has a block with the multihash of a CID. Every shard has the block of an
 * identity CID.
 *
 * Errors: INVALID_CID, CATALOG_CORRUPT, MOUNT_UNREACHABLE.
 */
dagstore_status_t dagstore_shard_contains(dagstore_shard_t *shard, const uint8_t *cid,
                                          size_t cid_size, bool *out_contains,
                                          dagstore_error_t **out_error);

/*
 * Finds the place of the block with the multihash of a CID: the first section that has it.
 *
 * Errors: BLOCK_NOT_FOUND, INVALID_CID, CATALOG_CORRUPT, MOUNT_UNREACHABLE.
 */
dagstore_status_t dagstore_shard_locate(dagstore_shard_t *shard, const uint8_t *cid,
                                        size_t cid_size, dagstore_location_t *out_location,
                                        dagstore_error_t **out_error);

/*
 * Gets the block with the multihash of a CID, as a view where the shard is mapped.
 *
 * The library does not hash the bytes: see dagstore_block_verified. Costs 0.3 us; a miss without
 * `out_error` allocates nothing.
 *
 * Errors: BLOCK_NOT_FOUND, INVALID_CID, CATALOG_CORRUPT, MOUNT_UNREACHABLE, SOURCE_CHANGED; and the
 *   errors of the caller's mount.
 */
dagstore_status_t dagstore_shard_get(dagstore_shard_t *shard, const uint8_t *cid, size_t cid_size,
                                     dagstore_block_t **out_block, dagstore_error_t **out_error);

/*
 * Copies a block into a buffer, without a handle. With the mapping guard, a file that another process
 * truncates gives an error. Without it, only the copy of the bytes is safe, not the search for them.
 *
 * Costs 0.65 us with the mapping guard. Without it, every call makes a system call, and so costs
 * 2.3 us: dagstore_shard_read_many makes one system call for many blocks.
 *
 * buffer: Has room for `capacity` bytes; may be NULL if `capacity` is 0.
 * out_size: Receives the size of the block in bytes.
 * Errors: BUFFER_TOO_SMALL; *out_size is the room that is needed; and as dagstore_shard_get.
 */
dagstore_status_t dagstore_shard_read(dagstore_shard_t *shard, const uint8_t *cid, size_t cid_size,
                                      uint8_t *buffer, size_t capacity, size_t *out_size,
                                      dagstore_error_t **out_error);

/*
 * One block of a batch. Later releases do not change this struct, so that callers can have arrays of
 * it.
 */
typedef struct dagstore_batch_item {
    const uint8_t *data;      /* of get_many: the bytes; NULL unless `status` is DAGSTORE_OK */
    uint64_t offset;          /* of read_many: of the bytes in the buffer */
    uint64_t size;            /* of the block, in bytes */
    dagstore_status_t status; /* DAGSTORE_OK, DAGSTORE_BLOCK_NOT_FOUND or another error code */
    uint32_t reserved;        /* 0 */
} dagstore_batch_item_t;

/* The largest number of CIDs of a batch. */
#define DAGSTORE_BATCH_MAX 65536

/*
 * Gets the blocks of many CIDs, as dagstore_shard_get does, under one handle.
 *
 * The call succeeds if some blocks cannot be had: their items say why. The searches overlap: where the
 * CAR is larger than the processor's caches, a block costs two thirds of a single get.
 *
 * cids: The binary CIDs, one directly after the other.
 * cid_sizes: Their sizes in bytes.
 * count: The number of CIDs, at most DAGSTORE_BATCH_MAX.
 * out_items: Has room for `count` items. `data` is valid until the caller releases *out_blocks.
 * out_blocks: Receives the handle that keeps all blocks; dagstore_block_release gives it back.
 * Errors: INVALID_ARGUMENT; LIMIT_EXCEEDED if there are too many handles.
 */
dagstore_status_t dagstore_shard_get_many(dagstore_shard_t *shard, const uint8_t *cids,
                                          const uint32_t *cid_sizes, size_t count,
                                          dagstore_batch_item_t *out_items,
                                          dagstore_block_t **out_blocks,
                                          dagstore_error_t **out_error);

/*
 * Copies the blocks of many CIDs into one buffer, one directly after the other, without a handle.
 *
 * A block that does not fit gets DAGSTORE_BUFFER_TOO_SMALL and its size, and so do all later ones.
 * Without the mapping guard, up to 64 blocks share a system call, and a block costs half of a single
 * read.
 *
 * cids, cid_sizes, count: As for dagstore_shard_get_many.
 * buffer: Has room for `capacity` bytes; may be NULL if `capacity` is 0.
 * out_items: Has room for `count` items.
 * out_size: Receives the number of bytes that all blocks need.
 * Errors: BUFFER_TOO_SMALL if blocks did not fit: the items are filled in, and *out_size is the room
 *   that is needed. INVALID_ARGUMENT.
 */
dagstore_status_t dagstore_shard_read_many(dagstore_shard_t *shard, const uint8_t *cids,
                                           const uint32_t *cid_sizes, size_t count,
                                           uint8_t *buffer, size_t capacity,
                                           dagstore_batch_item_t *out_items, size_t *out_size,
                                           dagstore_error_t **out_error);

/*
 * Finds all sections with the multihash of a CID, in CAR order: a CAR may repeat a block.
 *
 * offsets: Has room for `capacity` numbers, and receives the offsets of the sections in the payload,
 *   as in dagstore_location_t; may be NULL if `capacity` is 0.
 * out_count: Receives the number of sections.
 * Errors: BUFFER_TOO_SMALL; *out_count is the room that is needed. BLOCK_NOT_FOUND, also for an
 *   identity CID without a section; INVALID_CID, CATALOG_CORRUPT, MOUNT_UNREACHABLE.
 */
dagstore_status_t dagstore_shard_offsets(dagstore_shard_t *shard, const uint8_t *cid,
                                         size_t cid_size, uint64_t *offsets, size_t capacity,
                                         size_t *out_count, dagstore_error_t **out_error);

/*
 * Returns the bytes of a block, valid until the caller releases it. Returns {NULL, 0} for a stale
 * handle, {not NULL, 0} for an empty block.
 */
dagstore_bytes_t dagstore_block_bytes(const dagstore_block_t *block);

/*
 * Hashes a block, and returns a new handle for it if its bytes have the hash of a CID.
 *
 * The new block of a mapped shard is a copy, so its bytes cannot change later. A digest of under 20
 * bytes proves nothing and gives UNSUPPORTED_HASH, except that of an identity CID.
 *
 * Errors: HASH_MISMATCH, UNSUPPORTED_HASH, INVALID_CID, SOURCE_CHANGED.
 */
dagstore_status_t dagstore_block_verified(const dagstore_block_t *block, const uint8_t *cid,
                                          size_t cid_size, dagstore_block_t **out_block,
                                          dagstore_error_t **out_error);

/* Releases a block; its bytes are invalid from then on. */
void dagstore_block_release(dagstore_block_t *block);

/* A section in the index. */
typedef struct dagstore_entry {
    uint32_t size;
    uint32_t reserved;
    dagstore_bytes_t cid;  /* binary; valid until the next step */
    uint64_t offset;       /* of the section in the CAR's payload */
    uint64_t block_offset; /* of the data in the CAR file */
    uint64_t block_size;   /* of the data, in bytes */
} dagstore_entry_t;

/*
 * Opens a cursor over all sections in CAR order, repeated ones included. The cursor holds the lease
 * until it is closed.
 *
 * Errors: INVALID_ARGUMENT.
 */
dagstore_status_t dagstore_entries_open(dagstore_shard_t *shard, dagstore_entries_t **out_entries,
                                        dagstore_error_t **out_error);

/*
 * Steps to the next section. Reads index pages, not the CAR. Costs 0.2 us.
 *
 * Returns: DAGSTORE_DONE at the end.
 * Errors: CATALOG_CORRUPT.
 */
dagstore_status_t dagstore_entries_next(dagstore_entries_t *entries, dagstore_entry_t *out_entry,
                                        dagstore_error_t **out_error);

/* Closes the cursor. */
void dagstore_entries_close(dagstore_entries_t *entries);

/* ---- Blocks of all shards -------------------------------------------------------------------- */

/*
 * Gets the block with the multihash of a CID from any shard that has it.
 *
 * Reads open shards first, then those that must be opened or fetched, then failed ones, unless
 * `select_shards` chooses. If a shard fails, it reads the next one. Costs 1.2 us if an open shard
 * has the block.
 *
 * timeout_ms: Milliseconds to wait for fetching and indexing; 0 does not wait.
 * Errors: BLOCK_NOT_FOUND, INVALID_CID, CLOSED, DEADLINE_EXCEEDED; the first error of a shard if no
 *   other shard has the block.
 */
dagstore_status_t dagstore_get(dagstore_t *store, const uint8_t *cid, size_t cid_size,
                               uint32_t timeout_ms, dagstore_block_t **out_block,
                               dagstore_error_t **out_error);

/*
 * Gets a block as dagstore_get does, and lets `select` choose among the shards in place of the
 * configuration's `select_shards`.
 *
 * select: Called on the calling thread, at most once; NULL for the store's own order.
 */
dagstore_status_t dagstore_get_selecting(dagstore_t *store, const uint8_t *cid, size_t cid_size,
                                         uint32_t timeout_ms, dagstore_select_fn select,
                                         void *select_context, dagstore_block_t **out_block,
                                         dagstore_error_t **out_error);

/*
 * Tells whether any shard has the block with the multihash of a CID. Reads no bytes of a shard.
 *
 * Errors: INVALID_CID, CATALOG_CORRUPT, CLOSED.
 */
dagstore_status_t dagstore_contains(dagstore_t *store, const uint8_t *cid, size_t cid_size,
                                    bool *out_contains, dagstore_error_t **out_error);

/*
 * Returns the size in bytes of the block with the multihash of a CID. Reads no bytes of a shard.
 *
 * Errors: BLOCK_NOT_FOUND; as dagstore_contains.
 */
dagstore_status_t dagstore_block_size(dagstore_t *store, const uint8_t *cid, size_t cid_size,
                                      uint64_t *out_size, dagstore_error_t **out_error);

/*
 * Finds the shards that have a block with a multihash, in order of registration, without a handle.
 *
 * Looks into the index of every such shard, so the result is exact. Costs 1 us for one shard.
 *
 * multihash: Binary, as in dagstore_cid_parts_t. A version 0 CID is its own multihash.
 * buffer: Has room for `capacity` bytes, and receives the keys, each with its NUL, one directly after
 *   the other; may be NULL if `capacity` is 0.
 * out_size: Receives the size of all keys in bytes, with their NULs.
 * out_count: Receives the number of keys; 0 if no shard has the block, which is not an error.
 * Errors: BUFFER_TOO_SMALL; *out_size is the room that is needed, *out_count the number of keys.
 *   INVALID_CID if the bytes are not a multihash; CATALOG_CORRUPT, CLOSED.
 */
dagstore_status_t dagstore_holders(dagstore_t *store, const uint8_t *multihash,
                                   size_t multihash_size, char *buffer, size_t capacity,
                                   size_t *out_size, size_t *out_count,
                                   dagstore_error_t **out_error);

/* A shard that has a block, and the place of the block. */
typedef struct dagstore_place {
    uint32_t size;
    uint32_t reserved;
    const char *key;       /* valid until the next step */
    uint64_t offset;       /* of its section in the CAR's payload */
    uint64_t block_offset; /* of its data in the CAR file */
    uint64_t block_size;   /* of its data, in bytes */
} dagstore_place_t;

/*
 * Opens a cursor over the shards that have a block with the multihash of a CID, in order of
 * registration.
 *
 * Looks into the index of every such shard, so the result is exact. The cursor is empty if no shard
 * has the block; that is not an error. dagstore_cid_make makes a CID of a multihash.
 *
 * Errors: INVALID_CID, CATALOG_CORRUPT, CLOSED.
 */
dagstore_status_t dagstore_find(dagstore_t *store, const uint8_t *cid, size_t cid_size,
                                dagstore_places_t **out_places, dagstore_error_t **out_error);

/* Steps to the next place. Returns DAGSTORE_DONE at the end. */
dagstore_status_t dagstore_places_next(dagstore_places_t *places, dagstore_place_t *out_place,
                                       dagstore_error_t **out_error);

/* Closes the cursor. */
void dagstore_places_close(dagstore_places_t *places);

/*
 * Opens a cursor over the multihashes of a shard in CAR order, for an announcer.
 *
 * The order of one CAR is always the same. The cursor reads no bytes of the shard, and holds no
 * lease.
 *
 * cursor: A text of dagstore_multihashes_cursor, also of another process; NULL to begin.
 * Errors: SHARD_UNKNOWN; SHARD_FAILED if the shard has no index; SOURCE_CHANGED if the shard was
 *   indexed again after the cursor was made; INVALID_ARGUMENT, CATALOG_CORRUPT, CLOSED.
 */
dagstore_status_t dagstore_multihashes_open(dagstore_t *store, const char *key, const char *cursor,
                                            dagstore_multihashes_t **out_multihashes,
                                            dagstore_error_t **out_error);

/*
 * Steps to the next multihash, which is valid until the next step.
 *
 * Returns: DAGSTORE_DONE at the end.
 * Errors: as dagstore_multihashes_open.
 */
dagstore_status_t dagstore_multihashes_next(dagstore_multihashes_t *multihashes,
                                            dagstore_bytes_t *out_multihash,
                                            dagstore_error_t **out_error);

/*
 * Steps to the next section as dagstore_multihashes_next does, and also gives its place.
 *
 * out_offset: Receives the offset of the section's length varint in the CAR's payload, in bytes; may
 *   be NULL.
 */
dagstore_status_t dagstore_multihashes_next_section(dagstore_multihashes_t *multihashes,
                                                    dagstore_bytes_t *out_multihash,
                                                    uint64_t *out_offset,
                                                    dagstore_error_t **out_error);

/*
 * Returns the place of the cursor, as a text that the caller may store. A cursor opened with it
 * continues after the last multihash.
 *
 * Returns: A text valid until the next step or the next call of this function; NULL for a stale
 *   handle. After the last multihash it is "", which no cursor can be opened with.
 */
const char *dagstore_multihashes_cursor(dagstore_multihashes_t *multihashes);

/* Closes the cursor. */
void dagstore_multihashes_close(dagstore_multihashes_t *multihashes);

/* ---- States, events and counts --------------------------------------------------------------- */

/* The state of a shard. */
enum {
    DAGSTORE_STATE_NONE = 0,         /* no shard has the key */
    DAGSTORE_STATE_REGISTERED = 1,   /* known, not indexed */
    DAGSTORE_STATE_INITIALIZING = 2, /* being fetched and indexed */
    DAGSTORE_STATE_AVAILABLE = 3,    /* indexed and readable */
    DAGSTORE_STATE_SERVING = 4,      /* available, with leases */
    DAGSTORE_STATE_RECOVERING = 5,   /* being fetched and indexed after a failure */
    DAGSTORE_STATE_FAILED = 6        /* unreadable until recovered */
};

enum {
    /* The shard is indexed at its first use. */
    DAGSTORE_INFO_LAZY = 1
};

/* The record of a shard. Texts are valid until the next step of the cursor. */
typedef struct dagstore_info {
    uint32_t size;
    uint32_t state;           /* DAGSTORE_STATE_... */
    uint32_t flags;           /* DAGSTORE_INFO_... */
    int32_t error_status;     /* the code of its failure; DAGSTORE_OK if it has not failed */
    const char *key;
    const char *mount_url;
    const char *transient;    /* the path of the local copy; NULL if there is none */
    const char *error_message;/* NULL if it has not failed */
    uint64_t references;      /* leases of this process */
    uint64_t block_count;     /* sections, repeated ones included */
    uint64_t payload_size;    /* of the CAR, in bytes */
    uint64_t index_size;      /* of index pages and locator, in bytes */
    uint64_t state_since;     /* milliseconds since 1970 */
    uint32_t policy;          /* DAGSTORE_POLICY_... */
    uint32_t reserved;
    /* requests by which this process read the shard from elsewhere, since it opened the store */
    uint64_t remote_requests;
    uint64_t remote_bytes;    /* bytes that came with them */
} dagstore_info_t;

/*
 * Returns the state of a shard: DAGSTORE_STATE_NONE if no shard has the key, which is not an error.
 *
 * Errors: INVALID_KEY, CATALOG_CORRUPT, CLOSED.
 */
dagstore_status_t dagstore_state(dagstore_t *store, const char *key, uint32_t *out_state,
                                 dagstore_error_t **out_error);

/*
 * Opens a cursor over the shards of a store in order of registration, or over one of them.
 *
 * The cursor may miss or return shards that are registered or destroyed meanwhile.
 *
 * key: The one shard; NULL for all.
 * Errors: SHARD_UNKNOWN, INVALID_KEY, CATALOG_CORRUPT, CLOSED.
 */
dagstore_status_t dagstore_shards_open(dagstore_t *store, const char *key,
                                       dagstore_shards_t **out_shards,
                                       dagstore_error_t **out_error);

/*
 * Steps to the next shard. Returns DAGSTORE_DONE at the end.
 *
 * Errors: CATALOG_CORRUPT, CLOSED.
 */
dagstore_status_t dagstore_shards_next(dagstore_shards_t *shards, dagstore_info_t *out_info,
                                       dagstore_error_t **out_error);

/* Closes the cursor. */
void dagstore_shards_close(dagstore_shards_t *shards);

/* Events of a shard. */
enum {
    DAGSTORE_EVENT_REGISTER = 1,       /* it was registered */
    DAGSTORE_EVENT_INITIALIZE = 2,     /* fetching and indexing began */
    DAGSTORE_EVENT_MAKE_AVAILABLE = 3, /* it became available */
    DAGSTORE_EVENT_DESTROY = 4,        /* it was destroyed */
    DAGSTORE_EVENT_ACQUIRE = 5,        /* a lease began, or was refused: then it has an error */
    DAGSTORE_EVENT_FAIL = 6,           /* it failed */
    DAGSTORE_EVENT_RELEASE = 7,        /* a lease ended */
    DAGSTORE_EVENT_RECOVER = 8         /* fetching and indexing began after a failure */
};

/* An event of a shard. Texts are valid until the next step. */
typedef struct dagstore_event {
    uint32_t size;
    uint32_t operation;        /* DAGSTORE_EVENT_... */
    uint32_t state;            /* the state after it: DAGSTORE_STATE_... */
    /* the code of a failure, of a refusal, or of the failure that a recovery follows; else
       DAGSTORE_OK */
    int32_t error_status;
    /* counts from 1 at the opening of the store; a gap shows that the queue overflowed */
    uint64_t number;
    uint64_t references;       /* leases after it */
    const char *key;
    const char *error_message; /* NULL if there is none */
} dagstore_event_t;

/*
 * Opens a queue of the events from now on. The first queue of a store also gets the events of
 * the store's own work since the opening.
 *
 * A store may have any number of queues. A full queue drops its oldest events, and delays no other
 * caller.
 *
 * capacity: The number of events to keep, 1 to 1,048,576.
 * Errors: INVALID_ARGUMENT, CLOSED.
 */
dagstore_status_t dagstore_events_open(dagstore_t *store, size_t capacity,
                                       dagstore_events_t **out_events,
                                       dagstore_error_t **out_error);

/*
 * Takes the next event from a queue.
 *
 * timeout_ms: Milliseconds to wait for an event; 0 polls.
 * Returns: DAGSTORE_DONE when the store is closed and the queue is empty.
 * Errors: DEADLINE_EXCEEDED if no event came.
 */
dagstore_status_t dagstore_events_next(dagstore_events_t *events, uint32_t timeout_ms,
                                       dagstore_event_t *out_event, dagstore_error_t **out_error);

/* Closes the queue. A thread that waits in dagstore_events_next gets DAGSTORE_DONE. */
void dagstore_events_close(dagstore_events_t *events);

/* The counts of a store. */
typedef struct dagstore_statistics {
    uint32_t size;
    uint32_t inverse_runs;           /* runs that a search over all shards reads */
    uint64_t shards;
    uint64_t available;
    uint64_t failed;
    uint64_t blocks;                 /* sections of all indexed shards */
    uint64_t payload_bytes;          /* of all indexed shards */
    uint64_t index_bytes;            /* pages and locators */
    uint64_t catalog_file_bytes;
    uint64_t catalog_used_bytes;     /* bytes of that file in use */
    uint64_t map_size;               /* address space for the catalog, in bytes */
    uint64_t leases;                 /* of this process */
    uint64_t open_shards;            /* in this process */
    uint64_t events_dropped;         /* events that full queues dropped */
    uint64_t transients;             /* the store's own copies of CARs */
    uint64_t transient_bytes;
    uint64_t page_cache_hits;
    uint64_t page_cache_misses;
    uint64_t page_cache_bytes;
    uint64_t inverse_entries;        /* pairs of a multihash and a shard */
    uint64_t inverse_bytes;
    uint64_t inverse_entries_added;
    uint64_t inverse_entries_written;/* with those that merges wrote again */
    uint64_t catalog_free_bytes;     /* bytes of the catalog's file that are free */
    /* requests by which this process read shards from elsewhere, since it opened the store */
    uint64_t remote_requests;
    uint64_t remote_bytes;           /* bytes that came with them */
} dagstore_statistics_t;

/*
 * Fills in the counts of a store. Costs one step for each open shard.
 *
 * Errors: CATALOG_CORRUPT, CLOSED.
 */
dagstore_status_t dagstore_statistics(dagstore_t *store, dagstore_statistics_t *out_statistics,
                                      dagstore_error_t **out_error);

/*
 * Tells how much this process has read from elsewhere of the shards of one scheme, since it opened
 * the store. The library counts for "http", "https" and "s3".
 *
 * out_requests, out_bytes: Receive the numbers of requests and bytes; may be NULL.
 * Errors: INVALID_ARGUMENT, CLOSED.
 */
dagstore_status_t dagstore_scheme_traffic(dagstore_t *store, const char *scheme,
                                          uint64_t *out_requests, uint64_t *out_bytes,
                                          dagstore_error_t **out_error);

/* ---- Housekeeping ---------------------------------------------------------------------------- */

/* What a garbage collection did with the store's own copies of CARs. */
typedef struct dagstore_garbage {
    uint32_t size;
    uint32_t reserved;
    uint64_t removed;       /* copies */
    uint64_t removed_bytes;
    uint64_t kept;          /* copies within the quota */
    uint64_t in_use;        /* copies that callers read or wait for */
    uint64_t failed;        /* copies that could not be removed */
} dagstore_garbage_t;

/*
 * Removes the store's own copies of CARs that no caller uses. The store fetches them again when
 * needed.
 *
 * quota: The number of bytes that may stay; 0 removes all unused copies. The store first removes
 *   the copies that were used longest ago.
 * Errors: READ_ONLY, CLOSED.
 */
dagstore_status_t dagstore_collect_garbage(dagstore_t *store, uint64_t quota,
                                           dagstore_garbage_t *out_garbage,
                                           dagstore_error_t **out_error);

/* What a garbage collection did with one copy. */
enum {
    DAGSTORE_COPY_REMOVED = 1,
    DAGSTORE_COPY_IN_USE = 2, /* a caller reads it */
    DAGSTORE_COPY_AWAITED = 3, /* a job or a caller waits for it */
    DAGSTORE_COPY_KEPT = 4,   /* it is within the quota */
    DAGSTORE_COPY_FAILED = 5  /* it could not be removed */
};

/*
 * Receives the result for one copy, on the thread that called. `key` is NULL if the shard was
 * destroyed; `error` is NULL unless the removal failed. Both are borrowed for the call.
 */
typedef void (*dagstore_collected_fn)(void *context, const char *key, uint32_t result,
                                      uint64_t bytes, dagstore_error_t *error);

/*
 * Removes copies as dagstore_collect_garbage does, and tells the result for each of them, those used
 * longest ago first.
 *
 * collected: NULL for none.
 * out_garbage: May be NULL.
 */
dagstore_status_t dagstore_collect_garbage_with(dagstore_t *store, uint64_t quota,
                                                dagstore_collected_fn collected, void *context,
                                                dagstore_garbage_t *out_garbage,
                                                dagstore_error_t **out_error);

enum {
    DAGSTORE_CHECK_DEEP = 1,   /* reads and hashes every block */
    DAGSTORE_CHECK_REPAIR = 2  /* repairs what it can repair without a loss */
};

/* What a check did. */
typedef struct dagstore_check {
    uint32_t size;
    uint32_t is_sound;     /* 1 if there is no problem, or all are repaired */
    uint64_t problems;
    uint64_t shards;
    uint64_t entries;
    uint64_t blocks;       /* blocks that were hashed and whose digest proves something */
    uint64_t bytes;        /* of these */
    uint64_t skipped;      /* shards whose source is not on this machine */
    /* inverse entries that lead to no section until a merge removes them; not a problem */
    uint64_t stale_entries;
    uint64_t failed;       /* failed shards; a problem only if all shards have failed */
    uint64_t unread;       /* shards with a given index whose CAR was not read yet */
    uint64_t unverified;   /* blocks whose hash is unknown or proves nothing */
} dagstore_check_t;

/*
 * Checks the catalog, indexes, sources and copies and, with DAGSTORE_CHECK_DEEP, every block.
 *
 * Failed shards report their own errors, so the check lists them only if all shards have failed.
 * With DAGSTORE_CHECK_REPAIR it recovers a failed shard whose source is back. Other calls go on
 * meanwhile. Costs about 200 ns a section; a deep check also reads and hashes every block.
 *
 * flags: DAGSTORE_CHECK_DEEP, DAGSTORE_CHECK_REPAIR, both or 0.
 * out_problems: Receives a cursor over the problems; may be NULL.
 * Errors: CATALOG_CORRUPT if the check cannot read the catalog; READ_ONLY if it cannot repair;
 *   CLOSED.
 */
dagstore_status_t dagstore_check(dagstore_t *store, uint32_t flags, dagstore_check_t *out_check,
                                 dagstore_problems_t **out_problems, dagstore_error_t **out_error);

/* A problem that a check found. Texts are valid until the next step. */
typedef struct dagstore_problem {
    uint32_t size;
    uint32_t reserved;
    const char *kind;   /* "catalogRow", "counters", "orphanIndex", "index", "failed",
                           "sourceUnreachable", "sourceChanged", "transient", "block",
                           "inverse"; later releases may add kinds */
    const char *key;    /* NULL if it is about no shard */
    const char *detail; /* for people */
    const char *repair; /* "mended", "reindexed", "markedFailed"; NULL if it was not repaired */
} dagstore_problem_t;

/* Steps to the next problem. Returns DAGSTORE_DONE at the end. */
dagstore_status_t dagstore_problems_next(dagstore_problems_t *problems,
                                         dagstore_problem_t *out_problem,
                                         dagstore_error_t **out_error);

/* Closes the cursor. */
void dagstore_problems_close(dagstore_problems_t *problems);

/* ---- CIDs ------------------------------------------------------------------------------------ */

/* The room in bytes for any binary CID with a digest of at most 64 bytes. */
#define DAGSTORE_CID_SIZE 96

/*
 * Parses the text of a CID: base58btc for version 0; for version 1 a multibase prefix, one of f F b
 * B c C v V t T h k K z Z m M u U.
 *
 * buffer: Has room for `capacity` bytes, and receives the binary CID; may be NULL if
 *   `capacity` is 0.
 * out_size: Receives the size of the CID in bytes.
 * Errors: INVALID_CID; BUFFER_TOO_SMALL; *out_size is the room that is needed.
 */
dagstore_status_t dagstore_cid_parse(const char *text, uint8_t *buffer, size_t capacity,
                                     size_t *out_size, dagstore_error_t **out_error);

/*
 * Formats a CID as a text, with its NUL: base58btc for version 0, base32 for version 1.
 *
 * out_size: Receives the size of the text in bytes, with its NUL.
 * Errors: INVALID_CID; BUFFER_TOO_SMALL; *out_size is the room that is needed.
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

/*
 * Splits a binary CID into its parts, which point into it.
 *
 * Errors: INVALID_CID.
 */
dagstore_status_t dagstore_cid_split(const uint8_t *cid, size_t cid_size,
                                     dagstore_cid_parts_t *out_parts, dagstore_error_t **out_error);

/*
 * Makes a version 1 CID of a codec and a multihash. The store finds blocks by multihash, so any
 * codec works; 0x55 (raw) is usual.
 *
 * Errors: INVALID_CID if the bytes are not a multihash; BUFFER_TOO_SMALL; *out_size is the room
 *   that is needed.
 */
dagstore_status_t dagstore_cid_make(uint64_t codec, const uint8_t *multihash, size_t multihash_size,
                                    uint8_t *buffer, size_t capacity, size_t *out_size,
                                    dagstore_error_t **out_error);

/* ---- CAR files outside a store --------------------------------------------------------------- */

/*
 * Opens a CAR file and reads its headers.
 *
 * Errors: MOUNT_GONE, MOUNT_UNREACHABLE; MALFORMED_CAR, TRUNCATED, UNSUPPORTED_VERSION,
 *   LIMIT_EXCEEDED.
 */
dagstore_status_t dagstore_car_open(const char *path, dagstore_car_t **out_car,
                                    dagstore_error_t **out_error);

enum {
    DAGSTORE_CAR_FULLY_INDEXED = 1 /* the header says: the embedded index lists every section */
};

/* The parts of a CAR. */
typedef struct dagstore_car_info {
    uint32_t size;
    uint32_t version;            /* 1 or 2 */
    uint32_t flags;              /* DAGSTORE_CAR_... */
    /* multicodec of the embedded index; 0 if there is none or it is unreadable */
    uint32_t index_codec;
    uint64_t roots;
    uint64_t data_offset;        /* of the payload in the file */
    uint64_t data_size;          /* of the payload, in bytes */
    uint64_t index_offset;       /* of the embedded index in the file; 0 if there is none */
    uint64_t sections;
    uint64_t identity_sections;
    uint64_t duplicate_sections; /* sections that repeat an earlier CID */
    uint64_t block_size_min;
    uint64_t block_size_max;
    uint64_t null_padding;       /* bytes after the first section of length zero */
} dagstore_car_info_t;

/*
 * Reads all section headers and counts sections; hashes nothing. Takes 16 bytes of memory a
 * section.
 *
 * Errors: MALFORMED_CAR, TRUNCATED, LIMIT_EXCEEDED, with their offset.
 */
dagstore_status_t dagstore_car_inspect(dagstore_car_t *car, dagstore_car_info_t *out_info,
                                       dagstore_error_t **out_error);

/* Copies a root, as dagstore_shard_root does. */
dagstore_status_t dagstore_car_root(dagstore_car_t *car, size_t index, uint8_t *buffer,
                                    size_t capacity, size_t *out_size,
                                    dagstore_error_t **out_error);

/* The counts of a verification. */
typedef struct dagstore_car_verification {
    uint32_t size;
    uint32_t reserved;
    uint64_t sections;   /* all of them */
    uint64_t unverified; /* unknown hash function, or a digest of under 20 bytes */
    uint64_t mismatches; /* blocks that do not have the hash of their CID */
} dagstore_car_verification_t;

/*
 * Hashes every block on several threads, and compares an embedded index with the sections.
 *
 * threads: The number of threads, the calling one included; 0 for one a processor.
 * out_verification: Receives the counts, also if the call fails.
 * Errors: HASH_MISMATCH, with the section's offset in the payload; MALFORMED_CAR, TRUNCATED,
 *   LIMIT_EXCEEDED, MALFORMED_INDEX.
 */
dagstore_status_t dagstore_car_verify(dagstore_car_t *car, uint32_t threads,
                                      dagstore_car_verification_t *out_verification,
                                      dagstore_error_t **out_error);

/* Closes a CAR file. */
void dagstore_car_close(dagstore_car_t *car);

#ifdef __cplusplus
}
#endif

#endif
