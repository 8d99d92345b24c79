/*
 * bridge.h: the C side of the Go package.
 *
 * The functions here take and return handles as integers, return results by value, and join calls
 * that belong together, so that a Go call crosses into C once.
 */
#ifndef DSGO_BRIDGE_H
#define DSGO_BRIDGE_H

#include <dagstore.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* ---- Functions that an older library may lack ------------------------------------------------ */

/*
 * All functions that the package calls, but for dagstore_abi_version and dagstore_version. They are
 * weak: a program starts with a library that lacks some of them, and dsgo_missing names the first.
 */
#define DSGO_NEEDED(use)                                                                           \
    use(dagstore_status_name) use(dagstore_live_handles) use(dagstore_error_status)                \
    use(dagstore_error_message) use(dagstore_error_shard) use(dagstore_error_offset)               \
    use(dagstore_error_new) use(dagstore_error_release) use(dagstore_log_set)                      \
    use(dagstore_mapping_guard_install) use(dagstore_mounts_new) use(dagstore_mounts_add)          \
    use(dagstore_mounts_release) use(dagstore_indexing_add) use(dagstore_indexing_read)            \
    use(dagstore_config_init) use(dagstore_open) use(dagstore_shutdown) use(dagstore_close)        \
    use(dagstore_compact) use(dagstore_register_async) use(dagstore_cancel)                        \
    use(dagstore_initialize_async) use(dagstore_relocate) use(dagstore_set_policy)                 \
    use(dagstore_recover_async) use(dagstore_destroy_async) use(dagstore_acquire)                  \
    use(dagstore_acquire_async) use(dagstore_shard_release) use(dagstore_shard_block_count)        \
    use(dagstore_shard_root_count) use(dagstore_shard_root) use(dagstore_shard_contains)           \
    use(dagstore_shard_locate) use(dagstore_shard_get) use(dagstore_shard_read)                    \
    use(dagstore_shard_get_many) use(dagstore_shard_read_many) use(dagstore_shard_offsets)         \
    use(dagstore_block_bytes) use(dagstore_block_verified) use(dagstore_block_release)             \
    use(dagstore_entries_open) use(dagstore_entries_next) use(dagstore_entries_close)              \
    use(dagstore_get) use(dagstore_get_selecting) use(dagstore_contains) use(dagstore_block_size)  \
    use(dagstore_holders) use(dagstore_find) use(dagstore_places_next) use(dagstore_places_close)  \
    use(dagstore_multihashes_open) use(dagstore_multihashes_next_section)                          \
    use(dagstore_multihashes_cursor) use(dagstore_multihashes_close) use(dagstore_state)           \
    use(dagstore_shards_open) use(dagstore_shards_next) use(dagstore_shards_close)                 \
    use(dagstore_events_open) use(dagstore_events_next) use(dagstore_events_close)                 \
    use(dagstore_statistics) use(dagstore_scheme_traffic) use(dagstore_collect_garbage_with)       \
    use(dagstore_check) use(dagstore_problems_next) use(dagstore_problems_close)                   \
    use(dagstore_cid_parse) use(dagstore_cid_format) use(dagstore_cid_split)                       \
    use(dagstore_cid_make) use(dagstore_car_open) use(dagstore_car_inspect) use(dagstore_car_root) \
    use(dagstore_car_verify) use(dagstore_car_close)

#define DSGO_TEXT(text) #text
#define DSGO_WEAK(name) _Pragma(DSGO_TEXT(weak name))
DSGO_NEEDED(DSGO_WEAK)

/* Returns the name of a function that the loaded library lacks; NULL if it has all. */
const char *dsgo_missing(void);

/* ---- Results --------------------------------------------------------------------------------- */

/* A handle, or the error. */
typedef struct dsgo_handle {
    uintptr_t handle;
    uintptr_t error;
    int32_t status;
} dsgo_handle;

/* A number, or the error. */
typedef struct dsgo_number {
    uint64_t number;
    uintptr_t error;
    int32_t status;
} dsgo_number;

/* A block with its bytes, or the error. */
typedef struct dsgo_block {
    uintptr_t handle;
    uintptr_t data;
    uint64_t size;
    uintptr_t error;
    int32_t status;
} dsgo_block;

/*
 * Forgets the errors that the package words itself. The library makes none for them unless there is
 * a place for it, so that a miss stays cheap.
 */
static inline uintptr_t dsgo_keep_error(int32_t status, dagstore_error_t *error) {
    if (status != DAGSTORE_BLOCK_NOT_FOUND && status != DAGSTORE_BUFFER_TOO_SMALL) {
        return (uintptr_t)error;
    }
    dagstore_error_release(error);
    return 0;
}

/* ---- Leases and blocks: the calls that must be fast ------------------------------------------ */

/* Room for the longest key and its NUL. */
enum { DSGO_KEY_CAPACITY = 512 };

/* Acquires a lease without waiting. `key` has fewer than DSGO_KEY_CAPACITY bytes, and no NUL. */
static inline dsgo_handle dsgo_acquire(uintptr_t store, const char *key, size_t key_size) {
    char text[DSGO_KEY_CAPACITY];
    memcpy(text, key, key_size);
    text[key_size] = 0;
    dagstore_shard_t *shard = NULL;
    dagstore_error_t *error = NULL;
    int32_t status = dagstore_acquire((dagstore_t *)store, text, 0, &shard, &error);
    if (status == DAGSTORE_DEADLINE_EXCEEDED) {
        dagstore_error_release(error);
        error = NULL;
    }
    return (dsgo_handle){(uintptr_t)shard, (uintptr_t)error, status};
}

/* Blocks that the package gives back with a later call; a lease has at most this many. */
enum { DSGO_STASH = 8 };

typedef struct dsgo_stash {
    uintptr_t blocks[DSGO_STASH];
} dsgo_stash;

/* Ends a lease, and releases blocks; 0 stands for none. */
static inline void dsgo_shard_release(uintptr_t shard, dsgo_stash stash) {
    for (int index = 0; index < DSGO_STASH; index++) {
        if (stash.blocks[index] != 0) {
            dagstore_block_release((dagstore_block_t *)stash.blocks[index]);
        }
    }
    dagstore_shard_release((dagstore_shard_t *)shard);
}

static inline void dsgo_block_release(uintptr_t block) {
    dagstore_block_release((dagstore_block_t *)block);
}

static inline dsgo_block dsgo_block_of(int32_t status, dagstore_block_t *block,
                                       dagstore_error_t *error) {
    if (status != DAGSTORE_OK) return (dsgo_block){0, 0, 0, dsgo_keep_error(status, error), status};
    dagstore_bytes_t bytes = dagstore_block_bytes(block);
    return (dsgo_block){(uintptr_t)block, (uintptr_t)bytes.data, bytes.size, 0, DAGSTORE_OK};
}

/* Gets a block of a shard, and releases another one; 0 stands for none. */
static inline dsgo_block dsgo_shard_get(uintptr_t shard, const uint8_t *cid, size_t cid_size,
                                        uintptr_t released) {
    if (released != 0) dagstore_block_release((dagstore_block_t *)released);
    dagstore_block_t *block = NULL;
    dagstore_error_t *error = NULL;
    int32_t status = dagstore_shard_get((dagstore_shard_t *)shard, cid, cid_size, &block, &error);
    return dsgo_block_of(status, block, error);
}

/* Gets a block of a shard, and hashes it. */
static inline dsgo_block dsgo_shard_get_verified(uintptr_t shard, const uint8_t *cid,
                                                 size_t cid_size) {
    dagstore_block_t *block = NULL, *verified = NULL;
    dagstore_error_t *error = NULL;
    int32_t status = dagstore_shard_get((dagstore_shard_t *)shard, cid, cid_size, &block, &error);
    if (status == DAGSTORE_OK) {
        status = dagstore_block_verified(block, cid, cid_size, &verified, &error);
        dagstore_block_release(block);
    }
    return dsgo_block_of(status, verified, error);
}

/* Gets a block of any shard. */
static inline dsgo_block dsgo_get(uintptr_t store, const uint8_t *cid, size_t cid_size) {
    dagstore_block_t *block = NULL;
    dagstore_error_t *error = NULL;
    int32_t status = dagstore_get((dagstore_t *)store, cid, cid_size, 0, &block, &error);
    return dsgo_block_of(status, block, error);
}

/* Copies a block of a shard; the number is its size. */
static inline dsgo_number dsgo_shard_read(uintptr_t shard, const uint8_t *cid, size_t cid_size,
                                          uint8_t *buffer, size_t capacity) {
    size_t size = 0;
    dagstore_error_t *error = NULL;
    int32_t status = dagstore_shard_read((dagstore_shard_t *)shard, cid, cid_size, buffer, capacity,
                                         &size, &error);
    return (dsgo_number){size, dsgo_keep_error(status, error), status};
}

/* Gets blocks of a shard, and releases the blocks of an earlier call; 0 stands for none. */
static inline dsgo_handle dsgo_shard_get_many(uintptr_t shard, const uint8_t *cids,
                                              const uint32_t *cid_sizes, size_t count,
                                              dagstore_batch_item_t *items, uintptr_t released) {
    if (released != 0) dagstore_block_release((dagstore_block_t *)released);
    dagstore_block_t *blocks = NULL;
    dagstore_error_t *error = NULL;
    int32_t status = dagstore_shard_get_many((dagstore_shard_t *)shard, cids, cid_sizes, count,
                                             items, &blocks, &error);
    return (dsgo_handle){(uintptr_t)blocks, (uintptr_t)error, status};
}

/* Copies blocks of a shard; the number is the room that they need. */
static inline dsgo_number dsgo_shard_read_many(uintptr_t shard, const uint8_t *cids,
                                               const uint32_t *cid_sizes, size_t count,
                                               uint8_t *buffer, size_t capacity,
                                               dagstore_batch_item_t *items) {
    size_t size = 0;
    dagstore_error_t *error = NULL;
    int32_t status = dagstore_shard_read_many((dagstore_shard_t *)shard, cids, cid_sizes, count,
                                              buffer, capacity, items, &size, &error);
    return (dsgo_number){size, dsgo_keep_error(status, error), status};
}

static inline dsgo_number dsgo_shard_contains(uintptr_t shard, const uint8_t *cid,
                                              size_t cid_size) {
    bool contains = false;
    dagstore_error_t *error = NULL;
    int32_t status =
        dagstore_shard_contains((dagstore_shard_t *)shard, cid, cid_size, &contains, &error);
    return (dsgo_number){contains, (uintptr_t)error, status};
}

/* The place of a block, or the error. */
typedef struct dsgo_location {
    uint64_t offset;
    uint64_t block_offset;
    uint64_t block_size;
    uintptr_t error;
    int32_t status;
} dsgo_location;

static inline dsgo_location dsgo_shard_locate(uintptr_t shard, const uint8_t *cid,
                                              size_t cid_size) {
    dagstore_location_t location = {.size = sizeof location};
    dagstore_error_t *error = NULL;
    int32_t status =
        dagstore_shard_locate((dagstore_shard_t *)shard, cid, cid_size, &location, &error);
    return (dsgo_location){location.offset, location.block_offset, location.block_size,
                           dsgo_keep_error(status, error), status};
}

static inline dsgo_number dsgo_shard_offsets(uintptr_t shard, const uint8_t *cid, size_t cid_size,
                                             uint64_t *offsets, size_t capacity) {
    size_t count = 0;
    dagstore_error_t *error = NULL;
    int32_t status = dagstore_shard_offsets((dagstore_shard_t *)shard, cid, cid_size, offsets,
                                            capacity, &count, &error);
    return (dsgo_number){count, dsgo_keep_error(status, error), status};
}

static inline dsgo_number dsgo_contains(uintptr_t store, const uint8_t *cid, size_t cid_size) {
    bool contains = false;
    dagstore_error_t *error = NULL;
    int32_t status = dagstore_contains((dagstore_t *)store, cid, cid_size, &contains, &error);
    return (dsgo_number){contains, (uintptr_t)error, status};
}

static inline dsgo_number dsgo_block_size(uintptr_t store, const uint8_t *cid, size_t cid_size) {
    uint64_t size = 0;
    dagstore_error_t *error = NULL;
    int32_t status = dagstore_block_size((dagstore_t *)store, cid, cid_size, &size, &error);
    return (dsgo_number){size, dsgo_keep_error(status, error), status};
}

/* The keys of shards in a buffer, or the error. */
typedef struct dsgo_keys {
    size_t size;
    size_t count;
    uintptr_t error;
    int32_t status;
} dsgo_keys;

static inline dsgo_keys dsgo_holders(uintptr_t store, const uint8_t *multihash,
                                     size_t multihash_size, char *buffer, size_t capacity) {
    dsgo_keys keys = {0, 0, 0, DAGSTORE_OK};
    dagstore_error_t *error = NULL;
    keys.status = dagstore_holders((dagstore_t *)store, multihash, multihash_size, buffer, capacity,
                                   &keys.size, &keys.count, &error);
    keys.error = dsgo_keep_error(keys.status, error);
    return keys;
}

/* ---- Everything else ------------------------------------------------------------------------- */

/* The contents of an error; the texts are valid until it is released. */
typedef struct dsgo_error {
    const char *message;
    const char *shard;
    uint64_t offset;
    bool has_offset;
    int32_t status;
} dsgo_error;

dsgo_error dsgo_error_contents(uintptr_t error);
void dsgo_error_release(uintptr_t error);

/* Makes an error for a callback to give out; 0 if `status` is not negative. */
uintptr_t dsgo_error_new(int32_t status, const char *message);

dsgo_number dsgo_log_set(int32_t level, bool is_on);

/* Stores. The context of a configuration is 0 if there is no callback. */
dsgo_number dsgo_config_init(dagstore_config_t *config);
dsgo_handle dsgo_mounts_new(void);
dsgo_number dsgo_mounts_add(uintptr_t mounts, const char *scheme, uintptr_t context);
void dsgo_mounts_release(uintptr_t mounts);
dsgo_handle dsgo_open(const char *path, dagstore_config_t config, uintptr_t mounts,
                      uintptr_t observe, uintptr_t index);
/*
 * The number is 1 in a callback, else 0. In a callback the call returns at once, and the store closes
 * when the callback has returned.
 */
dsgo_number dsgo_shutdown(uintptr_t store, uint32_t flags);
void dsgo_close(uintptr_t store);

/* Sizes of a catalog's file, or the error. */
typedef struct dsgo_sizes {
    uint64_t before;
    uint64_t after;
    uintptr_t error;
    int32_t status;
} dsgo_sizes;

dsgo_sizes dsgo_compact(const char *path, uint64_t map_size);

/* Jobs of shards: `context` is the number that the completion gets back. */
dsgo_number dsgo_register(uintptr_t store, const char *key, const char *url, uint32_t flags,
                          const char *existing_transient, uint32_t policy, uintptr_t progress,
                          uintptr_t context);
dsgo_number dsgo_initialize(uintptr_t store, const char *key, uintptr_t context);
dsgo_number dsgo_recover(uintptr_t store, const char *key, uintptr_t context);
dsgo_number dsgo_destroy(uintptr_t store, const char *key, uintptr_t context);
dsgo_number dsgo_acquire_waiting(uintptr_t store, const char *key, uintptr_t context);
void dsgo_cancel(uintptr_t store, uintptr_t context);
dsgo_number dsgo_relocate(uintptr_t store, const char *key, const char *url);
dsgo_number dsgo_set_policy(uintptr_t store, const char *key, uint32_t policy);

/* Shards. */
dsgo_number dsgo_shard_block_count(uintptr_t shard);
dsgo_number dsgo_shard_root_count(uintptr_t shard);
dsgo_number dsgo_shard_root(uintptr_t shard, size_t index, uint8_t *buffer, size_t capacity);

/* Sections: a cursor that fills buffers with several sections a call. */
typedef struct dsgo_section {
    uint64_t cid_size;
    uint64_t offset;
    uint64_t block_offset;
    uint64_t block_size;
} dsgo_section;

/* The number of sections in the buffers, and the error that ended them. */
typedef struct dsgo_sections {
    size_t count;
    size_t needed; /* if count is 0: the room that the next CID needs; 0 at the end */
    uintptr_t error;
    int32_t status; /* DAGSTORE_OK, DAGSTORE_DONE at the end, or an error code */
} dsgo_sections;

typedef struct dsgo_entries dsgo_entries;
dsgo_handle dsgo_entries_open(uintptr_t shard, dsgo_entries **out_entries);
dsgo_sections dsgo_entries_fill(dsgo_entries *entries, dsgo_section *sections, size_t count,
                                uint8_t *cids, size_t capacity);
void dsgo_entries_close(dsgo_entries *entries);

/* Blocks of all shards. */
dsgo_block dsgo_get_selecting(uintptr_t store, const uint8_t *cid, size_t cid_size,
                              uintptr_t context);
dsgo_handle dsgo_find(uintptr_t store, const uint8_t *cid, size_t cid_size);
dsgo_number dsgo_places_next(uintptr_t places, dagstore_place_t *place);
void dsgo_places_close(uintptr_t places);

dsgo_handle dsgo_multihashes_open(uintptr_t store, const char *key, const char *cursor);

/* A multihash, which is valid until the next step, or the error. */
typedef struct dsgo_multihash {
    const uint8_t *data;
    size_t size;
    uint64_t offset;
    uintptr_t error;
    int32_t status;
} dsgo_multihash;

dsgo_multihash dsgo_multihashes_next(uintptr_t multihashes);
const char *dsgo_multihashes_cursor(uintptr_t multihashes);
void dsgo_multihashes_close(uintptr_t multihashes);

/* States, events and counts. */
dsgo_number dsgo_state(uintptr_t store, const char *key);
dsgo_handle dsgo_shards_open(uintptr_t store, const char *key);
dsgo_number dsgo_shards_next(uintptr_t shards, dagstore_info_t *info);
void dsgo_shards_close(uintptr_t shards);
dsgo_handle dsgo_events_open(uintptr_t store, size_t capacity);
dsgo_number dsgo_events_next(uintptr_t events, dagstore_event_t *event);
void dsgo_events_close(uintptr_t events);
dsgo_number dsgo_statistics(uintptr_t store, dagstore_statistics_t *statistics);

/* What a store has read from elsewhere, or the error. */
typedef struct dsgo_traffic {
    uint64_t requests;
    uint64_t bytes;
    uintptr_t error;
    int32_t status;
} dsgo_traffic;

dsgo_traffic dsgo_scheme_traffic(uintptr_t store, const char *scheme);

/* Housekeeping. */
dsgo_number dsgo_collect_garbage(uintptr_t store, uint64_t quota, uintptr_t context,
                                 dagstore_garbage_t *garbage);
dsgo_handle dsgo_check(uintptr_t store, uint32_t flags, dagstore_check_t *check);
dsgo_number dsgo_problems_next(uintptr_t problems, dagstore_problem_t *problem);
void dsgo_problems_close(uintptr_t problems);

/* CIDs. */
/* `text` has `size` bytes, without a NUL among or after them. */
dsgo_number dsgo_cid_parse(const char *text, size_t size, uint8_t *buffer, size_t capacity);
dsgo_number dsgo_cid_format(const uint8_t *cid, size_t cid_size, char *buffer, size_t capacity);
dsgo_number dsgo_cid_make(uint64_t codec, const uint8_t *multihash, size_t multihash_size,
                          uint8_t *buffer, size_t capacity);

/* The parts of a CID, or the error. */
typedef struct dsgo_parts {
    uint64_t codec;
    uint64_t hash_code;
    size_t multihash_offset;
    size_t digest_offset;
    uintptr_t error;
    uint32_t version;
    int32_t status;
} dsgo_parts;

dsgo_parts dsgo_cid_split(const uint8_t *cid, size_t cid_size);

/* CARs. */
dsgo_handle dsgo_car_open(const char *path);
dsgo_number dsgo_car_inspect(uintptr_t car, dagstore_car_info_t *info);
dsgo_number dsgo_car_root(uintptr_t car, size_t index, uint8_t *buffer, size_t capacity);
dsgo_number dsgo_car_verify(uintptr_t car, uint32_t threads,
                            dagstore_car_verification_t *verification);
void dsgo_car_close(uintptr_t car);

/* Indexing: `indexing` is valid during the callback. */
dsgo_number dsgo_indexing_add(uintptr_t indexing, const uint8_t *cid, size_t cid_size,
                              uint64_t offset, uint64_t section_size);
dsgo_number dsgo_indexing_read(uintptr_t indexing, uint64_t offset, uint8_t *buffer,
                               size_t capacity);

#endif
