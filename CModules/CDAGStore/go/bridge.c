/* bridge.c: the calls that need not be fast, and the callbacks on their way to Go. */
#include "_cgo_export.h"
#include "bridge.h"

/*
 * The two functions below make the results of calls.
 * Handles of the library are numbers, so they convert to integers and back.
 */
static dsgo_number number(uint64_t value, int32_t status, dagstore_error_t *error) {
    return (dsgo_number){value, dsgo_keep_error(status, error), status};
}

static dsgo_handle handle(const void *value, int32_t status, dagstore_error_t *error) {
    return (dsgo_handle){(uintptr_t)value, dsgo_keep_error(status, error), status};
}

/* The number of callbacks with code of the caller's that this thread is in. */
static _Thread_local int callbacks_running;

#define STORE ((dagstore_t *)store)
#define SHARD ((dagstore_shard_t *)shard)

const char *dsgo_missing(void) {
#define DSGO_REPORT(name)                                                                          \
    if (&name == NULL) return #name;
    DSGO_NEEDED(DSGO_REPORT)
    return NULL;
}

/* ---- Errors and the log ---------------------------------------------------------------------- */

dsgo_error dsgo_error_contents(uintptr_t error) {
    const dagstore_error_t *from = (const dagstore_error_t *)error;
    dsgo_error contents = {dagstore_error_message(from), dagstore_error_shard(from), 0, false,
                           dagstore_error_status(from)};
    contents.has_offset = dagstore_error_offset(from, &contents.offset);
    return contents;
}

void dsgo_error_release(uintptr_t error) { dagstore_error_release((dagstore_error_t *)error); }

uintptr_t dsgo_error_new(int32_t status, const char *message) {
    return (uintptr_t)dagstore_error_new(status, message);
}

static void on_log(void *context, int32_t level, const char *message) {
    (void)context;
    callbacks_running++;
    dsgoLog(level, (char *)message);
    callbacks_running--;
}

dsgo_number dsgo_log_set(int32_t level, bool is_on) {
    dagstore_error_t *error = NULL;
    int32_t status = dagstore_log_set(level, is_on ? on_log : NULL, NULL, &error);
    return number(0, status, error);
}

/* ---- Mounts ---------------------------------------------------------------------------------- */

static uint32_t on_access(void *context, const char *url) {
    callbacks_running++;
    uint32_t access = dsgoMountAccess((uintptr_t)context, (char *)url);
    callbacks_running--;
    return access;
}

static dagstore_status_t on_stat(void *context, const dagstore_mount_request_t *request,
                                 dagstore_mount_stat_t *out_stat, dagstore_error_t **out_error) {
    callbacks_running++;
    int32_t status = dsgoMountStat((uintptr_t)context, (char *)request->key, (char *)request->url,
                                   &out_stat->flags, &out_stat->bytes, out_stat->validator,
                                   sizeof out_stat->validator, (uintptr_t *)out_error);
    callbacks_running--;
    return status;
}

static dagstore_status_t on_open(void *context, const dagstore_mount_request_t *request,
                                 dagstore_mount_source_t *out_source,
                                 dagstore_error_t **out_error) {
    uintptr_t source = 0;
    callbacks_running++;
    int32_t status = dsgoMountOpen((uintptr_t)context, (char *)request->key, (char *)request->url,
                                   &source, &out_source->bytes, out_source->path,
                                   sizeof out_source->path, (uintptr_t *)out_error);
    callbacks_running--;
    out_source->source = (void *)source;
    return status;
}

static dagstore_status_t on_read(void *context, void *source, uint64_t offset, uint8_t *buffer,
                                 size_t capacity, size_t *out_size, dagstore_error_t **out_error) {
    (void)context;
    callbacks_running++;
    int32_t status = dsgoSourceRead((uintptr_t)source, offset, buffer, capacity, out_size,
                                    (uintptr_t *)out_error);
    callbacks_running--;
    return status;
}

static void on_close(void *context, void *source) {
    (void)context;
    callbacks_running++;
    dsgoSourceClose((uintptr_t)source);
    callbacks_running--;
}

static void on_interrupt(void *context, void *source) {
    (void)context;
    callbacks_running++;
    dsgoSourceInterrupt((uintptr_t)source);
    callbacks_running--;
}

static void on_release(void *context) { dsgoForget((uintptr_t)context); }

dsgo_handle dsgo_mounts_new(void) {
    dagstore_mounts_t *mounts = NULL;
    dagstore_error_t *error = NULL;
    int32_t status = dagstore_mounts_new(&mounts, &error);
    return handle(mounts, status, error);
}

dsgo_number dsgo_mounts_add(uintptr_t mounts, const char *scheme, uintptr_t context) {
    const dagstore_mount_vtable_t vtable = {
        .size = sizeof vtable,
        .access = DAGSTORE_ACCESS_SEQUENTIAL,
        .read_at = on_read,
        .close = on_close,
        .interrupt = on_interrupt,
        .release = on_release,
        .access_of = on_access,
        .stat_shard = on_stat,
        .open_shard = on_open,
    };
    dagstore_error_t *error = NULL;
    int32_t status = dagstore_mounts_add((dagstore_mounts_t *)mounts, scheme, &vtable,
                                         (void *)context, &error);
    return number(0, status, error);
}

void dsgo_mounts_release(uintptr_t mounts) { dagstore_mounts_release((dagstore_mounts_t *)mounts); }

/* ---- Stores ---------------------------------------------------------------------------------- */

static void on_observe(void *context, const char *kind, uint64_t nanoseconds, bool success) {
    callbacks_running++;
    dsgoObserve((uintptr_t)context, (char *)kind, nanoseconds, success);
    callbacks_running--;
}

static dagstore_status_t on_index(void *context, dagstore_indexing_t *indexing,
                                  const dagstore_indexing_info_t *info,
                                  dagstore_error_t **out_error) {
    callbacks_running++;
    int32_t status = dsgoIndex((uintptr_t)context, (uintptr_t)indexing, (char *)info->key,
                               (char *)info->mount_url, info->bytes, info->payload_offset,
                               info->payload_size, (uintptr_t *)out_error);
    callbacks_running--;
    return status;
}

dsgo_number dsgo_config_init(dagstore_config_t *config) {
    dagstore_error_t *error = NULL;
    int32_t status = dagstore_config_init(config, sizeof *config, &error);
    return number(0, status, error);
}

dsgo_handle dsgo_open(const char *path, dagstore_config_t config, uintptr_t mounts,
                      uintptr_t observe, uintptr_t index) {
    config.mounts = (dagstore_mounts_t *)mounts;
    if (observe != 0) {
        config.observe = on_observe;
        config.observe_context = (void *)observe;
    }
    if (index != 0) {
        config.index = on_index;
        config.index_context = (void *)index;
    }
    dagstore_t *store = NULL;
    dagstore_error_t *error = NULL;
    int32_t status = dagstore_open(path, &config, &store, &error);
    return handle(store, status, error);
}

dsgo_number dsgo_shutdown(uintptr_t store, uint32_t flags) {
    dagstore_error_t *error = NULL;
    int32_t status = dagstore_shutdown(STORE, flags, &error);
    return number(callbacks_running > 0, status, error);
}

void dsgo_close(uintptr_t store) { dagstore_close(STORE); }

dsgo_sizes dsgo_compact(const char *path, uint64_t map_size) {
    dsgo_sizes sizes = {0, 0, 0, DAGSTORE_OK};
    dagstore_error_t *error = NULL;
    sizes.status = dagstore_compact(path, map_size, &sizes.before, &sizes.after, &error);
    sizes.error = (uintptr_t)error;
    return sizes;
}

/* ---- Jobs of shards -------------------------------------------------------------------------- */

static void on_done(void *context, dagstore_status_t status, dagstore_error_t *error) {
    dsgoDone((uintptr_t)context, status, (uintptr_t)error);
}

static void on_acquired(void *context, dagstore_status_t status, dagstore_shard_t *shard,
                        dagstore_error_t *error) {
    dsgoAcquired((uintptr_t)context, status, (uintptr_t)shard, (uintptr_t)error);
}

static void on_progress(void *context, uint64_t bytes_done, uint64_t bytes_total,
                        uint64_t sections) {
    callbacks_running++;
    dsgoProgress((uintptr_t)context, bytes_done, bytes_total, sections);
    callbacks_running--;
}

dsgo_number dsgo_register(uintptr_t store, const char *key, const char *url, uint32_t flags,
                          const char *existing_transient, uint32_t policy, uintptr_t progress,
                          uintptr_t context) {
    dagstore_register_options_t options = {
        .size = sizeof options,
        .flags = flags,
        .existing_transient = existing_transient,
        .progress = progress != 0 ? on_progress : NULL,
        .progress_context = (void *)progress,
        .policy = policy,
    };
    dagstore_error_t *error = NULL;
    int32_t status = dagstore_register_async(STORE, key, url, &options, on_done, (void *)context,
                                             &error);
    return number(0, status, error);
}

dsgo_number dsgo_initialize(uintptr_t store, const char *key, uintptr_t context) {
    dagstore_error_t *error = NULL;
    int32_t status = dagstore_initialize_async(STORE, key, on_done, (void *)context, &error);
    return number(0, status, error);
}

dsgo_number dsgo_recover(uintptr_t store, const char *key, uintptr_t context) {
    dagstore_error_t *error = NULL;
    int32_t status = dagstore_recover_async(STORE, key, on_done, (void *)context, &error);
    return number(0, status, error);
}

dsgo_number dsgo_destroy(uintptr_t store, const char *key, uintptr_t context) {
    dagstore_error_t *error = NULL;
    int32_t status = dagstore_destroy_async(STORE, key, on_done, (void *)context, &error);
    return number(0, status, error);
}

dsgo_number dsgo_acquire_waiting(uintptr_t store, const char *key, uintptr_t context) {
    dagstore_error_t *error = NULL;
    int32_t status = dagstore_acquire_async(STORE, key, DAGSTORE_WAIT_FOREVER, on_acquired,
                                            (void *)context, &error);
    return number(0, status, error);
}

void dsgo_cancel(uintptr_t store, uintptr_t context) {
    /* A closed store has called all completions, so there is nothing to cancel. */
    (void)dagstore_cancel(STORE, (void *)context, NULL, NULL);
}

dsgo_number dsgo_relocate(uintptr_t store, const char *key, const char *url) {
    dagstore_error_t *error = NULL;
    int32_t status = dagstore_relocate(STORE, key, url, &error);
    return number(0, status, error);
}

dsgo_number dsgo_set_policy(uintptr_t store, const char *key, uint32_t policy) {
    dagstore_error_t *error = NULL;
    int32_t status = dagstore_set_policy(STORE, key, policy, &error);
    return number(0, status, error);
}

/* ---- Shards ---------------------------------------------------------------------------------- */

dsgo_number dsgo_shard_block_count(uintptr_t shard) {
    return number(dagstore_shard_block_count(SHARD), DAGSTORE_OK, NULL);
}

dsgo_number dsgo_shard_root_count(uintptr_t shard) {
    return number(dagstore_shard_root_count(SHARD), DAGSTORE_OK, NULL);
}

dsgo_number dsgo_shard_root(uintptr_t shard, size_t index, uint8_t *buffer, size_t capacity) {
    size_t size = 0;
    dagstore_error_t *error = NULL;
    int32_t status = dagstore_shard_root(SHARD, index, buffer, capacity, &size, &error);
    return number(size, status, error);
}

struct dsgo_entries {
    dagstore_entries_t *cursor;
    /* The section that had no room in the buffers of the last call. */
    dagstore_entry_t entry;
    bool has_entry;
};

dsgo_handle dsgo_entries_open(uintptr_t shard, dsgo_entries **out_entries) {
    dagstore_entries_t *cursor = NULL;
    dagstore_error_t *error = NULL;
    int32_t status = dagstore_entries_open(SHARD, &cursor, &error);
    if (status != DAGSTORE_OK) return handle(NULL, status, error);
    dsgo_entries *entries = calloc(1, sizeof *entries);
    if (entries == NULL) {
        dagstore_entries_close(cursor);
        return handle(NULL, DAGSTORE_OUT_OF_RESOURCES, NULL);
    }
    entries->cursor = cursor;
    entries->entry.size = sizeof entries->entry;
    *out_entries = entries;
    return handle(cursor, DAGSTORE_OK, NULL);
}

dsgo_sections dsgo_entries_fill(dsgo_entries *entries, dsgo_section *sections, size_t count,
                                uint8_t *cids, size_t capacity) {
    dsgo_sections filled = {0, 0, 0, DAGSTORE_OK};
    size_t used = 0;
    while (filled.count < count) {
        const dagstore_entry_t *entry = &entries->entry;
        if (!entries->has_entry) {
            dagstore_error_t *error = NULL;
            filled.status = dagstore_entries_next(entries->cursor, &entries->entry, &error);
            filled.error = (uintptr_t)error;
            if (filled.status != DAGSTORE_OK) return filled;
        }
        entries->has_entry = entry->cid.size > capacity - used;
        if (entries->has_entry) {
            filled.needed = entry->cid.size;
            return filled;
        }
        memcpy(cids + used, entry->cid.data, entry->cid.size);
        used += entry->cid.size;
        sections[filled.count++] = (dsgo_section){entry->cid.size, entry->offset,
                                                  entry->block_offset, entry->block_size};
    }
    return filled;
}

void dsgo_entries_close(dsgo_entries *entries) {
    dagstore_entries_close(entries->cursor);
    free(entries);
}

/* ---- Blocks of all shards -------------------------------------------------------------------- */

static size_t on_select(void *context, const uint8_t *cid, size_t cid_size,
                        const char *const *keys, size_t count, size_t *order) {
    callbacks_running++;
    size_t chosen =
        dsgoSelect((uintptr_t)context, (uint8_t *)cid, cid_size, (char **)keys, count, order);
    callbacks_running--;
    return chosen;
}

dsgo_block dsgo_get_selecting(uintptr_t store, const uint8_t *cid, size_t cid_size,
                              uintptr_t context) {
    dagstore_block_t *block = NULL;
    dagstore_error_t *error = NULL;
    int32_t status = dagstore_get_selecting(STORE, cid, cid_size, 0, on_select, (void *)context,
                                            &block, &error);
    return dsgo_block_of(status, block, error);
}

dsgo_handle dsgo_find(uintptr_t store, const uint8_t *cid, size_t cid_size) {
    dagstore_places_t *places = NULL;
    dagstore_error_t *error = NULL;
    int32_t status = dagstore_find(STORE, cid, cid_size, &places, &error);
    return handle(places, status, error);
}

dsgo_number dsgo_places_next(uintptr_t places, dagstore_place_t *place) {
    dagstore_error_t *error = NULL;
    place->size = sizeof *place;
    int32_t status = dagstore_places_next((dagstore_places_t *)places, place, &error);
    return number(0, status, error);
}

void dsgo_places_close(uintptr_t places) { dagstore_places_close((dagstore_places_t *)places); }

dsgo_handle dsgo_multihashes_open(uintptr_t store, const char *key, const char *cursor) {
    dagstore_multihashes_t *multihashes = NULL;
    dagstore_error_t *error = NULL;
    int32_t status = dagstore_multihashes_open(STORE, key, cursor, &multihashes, &error);
    return handle(multihashes, status, error);
}

dsgo_multihash dsgo_multihashes_next(uintptr_t multihashes) {
    dagstore_bytes_t bytes = {NULL, 0};
    uint64_t offset = 0;
    dagstore_error_t *error = NULL;
    int32_t status = dagstore_multihashes_next_section((dagstore_multihashes_t *)multihashes,
                                                       &bytes, &offset, &error);
    return (dsgo_multihash){bytes.data, bytes.size, offset, (uintptr_t)error, status};
}

const char *dsgo_multihashes_cursor(uintptr_t multihashes) {
    return dagstore_multihashes_cursor((dagstore_multihashes_t *)multihashes);
}

void dsgo_multihashes_close(uintptr_t multihashes) {
    dagstore_multihashes_close((dagstore_multihashes_t *)multihashes);
}

/* ---- States, events and counts --------------------------------------------------------------- */

dsgo_number dsgo_state(uintptr_t store, const char *key) {
    uint32_t state = 0;
    dagstore_error_t *error = NULL;
    int32_t status = dagstore_state(STORE, key, &state, &error);
    return number(state, status, error);
}

dsgo_handle dsgo_shards_open(uintptr_t store, const char *key) {
    dagstore_shards_t *shards = NULL;
    dagstore_error_t *error = NULL;
    int32_t status = dagstore_shards_open(STORE, key, &shards, &error);
    return handle(shards, status, error);
}

dsgo_number dsgo_shards_next(uintptr_t shards, dagstore_info_t *info) {
    dagstore_error_t *error = NULL;
    info->size = sizeof *info;
    int32_t status = dagstore_shards_next((dagstore_shards_t *)shards, info, &error);
    return number(0, status, error);
}

void dsgo_shards_close(uintptr_t shards) { dagstore_shards_close((dagstore_shards_t *)shards); }

dsgo_handle dsgo_events_open(uintptr_t store, size_t capacity) {
    dagstore_events_t *events = NULL;
    dagstore_error_t *error = NULL;
    int32_t status = dagstore_events_open(STORE, capacity, &events, &error);
    return handle(events, status, error);
}

dsgo_number dsgo_events_next(uintptr_t events, dagstore_event_t *event) {
    dagstore_error_t *error = NULL;
    event->size = sizeof *event;
    int32_t status = dagstore_events_next((dagstore_events_t *)events, DAGSTORE_WAIT_FOREVER, event,
                                          &error);
    return number(0, status, error);
}

void dsgo_events_close(uintptr_t events) { dagstore_events_close((dagstore_events_t *)events); }

dsgo_number dsgo_statistics(uintptr_t store, dagstore_statistics_t *statistics) {
    dagstore_error_t *error = NULL;
    statistics->size = sizeof *statistics;
    int32_t status = dagstore_statistics(STORE, statistics, &error);
    return number(0, status, error);
}

dsgo_traffic dsgo_scheme_traffic(uintptr_t store, const char *scheme) {
    dsgo_traffic traffic = {0, 0, 0, DAGSTORE_OK};
    dagstore_error_t *error = NULL;
    traffic.status =
        dagstore_scheme_traffic(STORE, scheme, &traffic.requests, &traffic.bytes, &error);
    traffic.error = (uintptr_t)error;
    return traffic;
}

/* ---- Housekeeping ---------------------------------------------------------------------------- */

static void on_collected(void *context, const char *key, uint32_t result, uint64_t bytes,
                         dagstore_error_t *error) {
    callbacks_running++;
    dsgoCollected((uintptr_t)context, (char *)key, result, bytes, (uintptr_t)error);
    callbacks_running--;
}

dsgo_number dsgo_collect_garbage(uintptr_t store, uint64_t quota, uintptr_t context,
                                 dagstore_garbage_t *garbage) {
    dagstore_error_t *error = NULL;
    garbage->size = sizeof *garbage;
    int32_t status = dagstore_collect_garbage_with(STORE, quota, on_collected, (void *)context,
                                                   garbage, &error);
    return number(0, status, error);
}

dsgo_handle dsgo_check(uintptr_t store, uint32_t flags, dagstore_check_t *check) {
    dagstore_problems_t *problems = NULL;
    dagstore_error_t *error = NULL;
    check->size = sizeof *check;
    int32_t status = dagstore_check(STORE, flags, check, &problems, &error);
    return handle(problems, status, error);
}

dsgo_number dsgo_problems_next(uintptr_t problems, dagstore_problem_t *problem) {
    dagstore_error_t *error = NULL;
    problem->size = sizeof *problem;
    int32_t status = dagstore_problems_next((dagstore_problems_t *)problems, problem, &error);
    return number(0, status, error);
}

void dsgo_problems_close(uintptr_t problems) {
    dagstore_problems_close((dagstore_problems_t *)problems);
}

/* ---- CIDs ------------------------------------------------------------------------------------ */

dsgo_number dsgo_cid_parse(const char *text, size_t size, uint8_t *buffer, size_t capacity) {
    char small[256];
    char *copy = size < sizeof small ? small : malloc(size + 1);
    if (copy == NULL) return number(0, DAGSTORE_OUT_OF_RESOURCES, NULL);
    if (size > 0) memcpy(copy, text, size);
    copy[size] = 0;
    size_t cid_size = 0;
    dagstore_error_t *error = NULL;
    int32_t status = dagstore_cid_parse(copy, buffer, capacity, &cid_size, &error);
    if (copy != small) free(copy);
    return number(cid_size, status, error);
}

dsgo_number dsgo_cid_format(const uint8_t *cid, size_t cid_size, char *buffer, size_t capacity) {
    size_t size = 0;
    dagstore_error_t *error = NULL;
    int32_t status = dagstore_cid_format(cid, cid_size, buffer, capacity, &size, &error);
    return number(size, status, error);
}

dsgo_number dsgo_cid_make(uint64_t codec, const uint8_t *multihash, size_t multihash_size,
                          uint8_t *buffer, size_t capacity) {
    size_t size = 0;
    dagstore_error_t *error = NULL;
    int32_t status =
        dagstore_cid_make(codec, multihash, multihash_size, buffer, capacity, &size, &error);
    return number(size, status, error);
}

dsgo_parts dsgo_cid_split(const uint8_t *cid, size_t cid_size) {
    dagstore_cid_parts_t parts = {.size = sizeof parts};
    dagstore_error_t *error = NULL;
    int32_t status = dagstore_cid_split(cid, cid_size, &parts, &error);
    if (status != DAGSTORE_OK) {
        return (dsgo_parts){.error = (uintptr_t)error, .status = status};
    }
    return (dsgo_parts){
        .codec = parts.codec,
        .hash_code = parts.hash_code,
        .multihash_offset = (size_t)(parts.multihash.data - cid),
        /* Both end with the CID. */
        .digest_offset = cid_size - parts.digest.size,
        .version = parts.version,
        .status = DAGSTORE_OK,
    };
}

/* ---- CARs ------------------------------------------------------------------------------------ */

#define CAR ((dagstore_car_t *)car)

dsgo_handle dsgo_car_open(const char *path) {
    dagstore_car_t *car = NULL;
    dagstore_error_t *error = NULL;
    int32_t status = dagstore_car_open(path, &car, &error);
    return handle(car, status, error);
}

dsgo_number dsgo_car_inspect(uintptr_t car, dagstore_car_info_t *info) {
    dagstore_error_t *error = NULL;
    info->size = sizeof *info;
    int32_t status = dagstore_car_inspect(CAR, info, &error);
    return number(0, status, error);
}

dsgo_number dsgo_car_root(uintptr_t car, size_t index, uint8_t *buffer, size_t capacity) {
    size_t size = 0;
    dagstore_error_t *error = NULL;
    int32_t status = dagstore_car_root(CAR, index, buffer, capacity, &size, &error);
    return number(size, status, error);
}

dsgo_number dsgo_car_verify(uintptr_t car, uint32_t threads,
                            dagstore_car_verification_t *verification) {
    dagstore_error_t *error = NULL;
    verification->size = sizeof *verification;
    int32_t status = dagstore_car_verify(CAR, threads, verification, &error);
    return number(0, status, error);
}

void dsgo_car_close(uintptr_t car) { dagstore_car_close(CAR); }

/* ---- Indexing -------------------------------------------------------------------------------- */

#define INDEXING ((dagstore_indexing_t *)indexing)

dsgo_number dsgo_indexing_add(uintptr_t indexing, const uint8_t *cid, size_t cid_size,
                              uint64_t offset, uint64_t section_size) {
    dagstore_error_t *error = NULL;
    int32_t status = dagstore_indexing_add(INDEXING, cid, cid_size, offset, section_size, &error);
    return number(0, status, error);
}

dsgo_number dsgo_indexing_read(uintptr_t indexing, uint64_t offset, uint8_t *buffer,
                               size_t capacity) {
    size_t size = 0;
    dagstore_error_t *error = NULL;
    int32_t status = dagstore_indexing_read(INDEXING, offset, buffer, capacity, &size, &error);
    return number(size, status, error);
}
