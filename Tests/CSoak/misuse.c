/*
 * Calls every function of the header with arguments that it must reject: NULL, stale handles, impossible sizes, texts
 * that are not UTF-8, truncated CIDs. No call may crash; each must return an error with a message, and leak nothing.
 *
 *     misuse STORE_DIRECTORY CAR_FILE
 */
#include <stddef.h>
#include <dagstore.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static unsigned long calls;

static void refuse_to_go_on(const char *what, int line, dagstore_status_t status) {
    fprintf(stderr, "misuse: line %d: %s answered %s\n", line, what, dagstore_status_name(status));
    abort();
}

/* Checks that a call with `&error` failed with `expected` and a message. */
#define REFUSES(expected, call)                                                                    \
    do {                                                                                           \
        dagstore_error_t *error = NULL;                                                            \
        dagstore_status_t answer = (call);                                                         \
        if (answer != (expected) || dagstore_error_status(error) != answer ||                      \
            strlen(dagstore_error_message(error)) == 0)                                            \
            refuse_to_go_on(#call, __LINE__, answer);                                              \
        dagstore_error_release(error);                                                             \
        calls += 1;                                                                                \
    } while (0)

#define INVALID(call) REFUSES(DAGSTORE_INVALID_ARGUMENT, call)

#define EMPTY(place)                                                                               \
    do {                                                                                           \
        if (place) refuse_to_go_on(#place, __LINE__, 0);                                           \
    } while (0)

static void succeed(dagstore_status_t status) {
    if (status < 0) refuse_to_go_on("a call that is right", 0, status);
    calls += 1;
}

static const uint8_t a_cid[36] = {1, 0x55, 0x12, 0x20};
static const char *const not_utf8 = "\xff\xfe";

/* Calls every function that takes a store with an invalid handle. */
static void without_store(dagstore_t *store) {
    dagstore_shard_t *shard = (dagstore_shard_t *)1;
    dagstore_block_t *block = (dagstore_block_t *)1;
    dagstore_places_t *places = (dagstore_places_t *)1;
    dagstore_multihashes_t *multihashes = (dagstore_multihashes_t *)1;
    dagstore_shards_t *shards = (dagstore_shards_t *)1;
    dagstore_events_t *events = (dagstore_events_t *)1;
    dagstore_problems_t *problems = (dagstore_problems_t *)1;
    dagstore_statistics_t statistics = {.size = sizeof statistics};
    dagstore_garbage_t garbage = {.size = sizeof garbage};
    dagstore_check_t check = {.size = sizeof check};
    bool is_there = true;
    uint64_t size = 1;
    size_t count = 1, keys = 1;
    uint32_t state = 1;
    INVALID(dagstore_shutdown(store, 0, &error));
    INVALID(dagstore_statistics(store, &statistics, &error));
    INVALID(dagstore_collect_garbage(store, 0, &garbage, &error));
    INVALID(dagstore_check(store, 0, &check, &problems, &error));
    EMPTY(problems);
    INVALID(dagstore_register(store, "k", "file:///x", 0, &error));
    INVALID(dagstore_register_with(store, "k", "file:///x", NULL, &error));
    INVALID(dagstore_register_async(store, "k", "file:///x", NULL, NULL, NULL, &error));
    INVALID(dagstore_initialize(store, "k", &error));
    INVALID(dagstore_recover(store, "k", &error));
    INVALID(dagstore_recover_async(store, "k", NULL, NULL, &error));
    INVALID(dagstore_destroy(store, "k", &error));
    INVALID(dagstore_initialize_async(store, "k", NULL, NULL, &error));
    INVALID(dagstore_destroy_async(store, "k", NULL, NULL, &error));
    INVALID(dagstore_cancel(store, NULL, &count, &error));
    EMPTY(count);
    INVALID(dagstore_collect_garbage_with(store, 0, NULL, NULL, NULL, &error));
    INVALID(dagstore_get_selecting(store, a_cid, sizeof a_cid, 0, NULL, NULL, &block, &error));
    EMPTY(block);
    INVALID(dagstore_holders(store, a_cid + 2, sizeof a_cid - 2, NULL, 0, &count, &keys, &error));
    EMPTY(count || keys);
    INVALID(dagstore_acquire(store, "k", 0, &shard, &error));
    EMPTY(shard);
    INVALID(dagstore_acquire_async(store, "k", 0, NULL, NULL, &error));
    INVALID(dagstore_state(store, "k", &state, &error));
    EMPTY(state);
    INVALID(dagstore_shards_open(store, NULL, &shards, &error));
    EMPTY(shards);
    INVALID(dagstore_events_open(store, 1, &events, &error));
    EMPTY(events);
    INVALID(dagstore_get(store, a_cid, sizeof a_cid, 0, &block, &error));
    EMPTY(block);
    INVALID(dagstore_contains(store, a_cid, sizeof a_cid, &is_there, &error));
    EMPTY(is_there);
    INVALID(dagstore_block_size(store, a_cid, sizeof a_cid, &size, &error));
    EMPTY(size);
    INVALID(dagstore_find(store, a_cid, sizeof a_cid, &places, &error));
    EMPTY(places);
    INVALID(dagstore_multihashes_open(store, "k", NULL, &multihashes, &error));
    EMPTY(multihashes);
    dagstore_close(store);
}

/* Calls every function that takes another handle with an invalid one. */
static void without_handle(void *handle) {
    uint8_t buffer[8];
    size_t size = 1;
    bool is_there = true;
    dagstore_location_t location = {.size = sizeof location};
    dagstore_entry_t entry = {.size = sizeof entry};
    dagstore_place_t place = {.size = sizeof place};
    dagstore_info_t info = {.size = sizeof info};
    dagstore_event_t event = {.size = sizeof event};
    dagstore_problem_t problem = {.size = sizeof problem};
    dagstore_car_info_t car_info = {.size = sizeof car_info};
    dagstore_car_verification_t verification = {.size = sizeof verification};
    dagstore_bytes_t bytes;
    dagstore_block_t *block;
    dagstore_entries_t *entries;
    INVALID(dagstore_shard_key(handle, (char *)buffer, sizeof buffer, &size, &error));
    EMPTY(size);
    INVALID(dagstore_shard_root(handle, 0, buffer, sizeof buffer, &size, &error));
    INVALID(dagstore_shard_contains(handle, a_cid, sizeof a_cid, &is_there, &error));
    EMPTY(is_there);
    INVALID(dagstore_shard_locate(handle, a_cid, sizeof a_cid, &location, &error));
    INVALID(dagstore_shard_get(handle, a_cid, sizeof a_cid, &block, &error));
    EMPTY(block);
    INVALID(dagstore_shard_read(handle, a_cid, sizeof a_cid, buffer, sizeof buffer, &size, &error));
    EMPTY(size);
    dagstore_batch_item_t item;
    uint32_t cid_size = sizeof a_cid;
    uint64_t offset;
    INVALID(dagstore_shard_get_many(handle, a_cid, &cid_size, 1, &item, &block, &error));
    EMPTY(block);
    INVALID(dagstore_shard_get_many(handle, NULL, NULL, 0, NULL, &block, &error));
    INVALID(dagstore_shard_read_many(handle, a_cid, &cid_size, 1, buffer, sizeof buffer, &item, &size, &error));
    EMPTY(size);
    INVALID(dagstore_shard_offsets(handle, a_cid, sizeof a_cid, &offset, 1, &size, &error));
    EMPTY(size);
    INVALID(dagstore_multihashes_next_section(handle, &bytes, &offset, &error));
    INVALID(dagstore_indexing_add(handle, a_cid, sizeof a_cid, 0, 9, &error));
    INVALID(dagstore_indexing_read(handle, 0, buffer, sizeof buffer, &size, &error));
    EMPTY(size);
    INVALID(dagstore_block_verified(handle, a_cid, sizeof a_cid, &block, &error));
    EMPTY(block);
    INVALID(dagstore_entries_open(handle, &entries, &error));
    EMPTY(entries);
    INVALID(dagstore_entries_next(handle, &entry, &error));
    INVALID(dagstore_places_next(handle, &place, &error));
    INVALID(dagstore_multihashes_next(handle, &bytes, &error));
    INVALID(dagstore_shards_next(handle, &info, &error));
    INVALID(dagstore_events_next(handle, 0, &event, &error));
    INVALID(dagstore_problems_next(handle, &problem, &error));
    INVALID(dagstore_car_inspect(handle, &car_info, &error));
    INVALID(dagstore_car_root(handle, 0, buffer, sizeof buffer, &size, &error));
    INVALID(dagstore_car_verify(handle, 1, &verification, &error));
    EMPTY(dagstore_shard_block_count(handle) || dagstore_shard_root_count(handle));
    EMPTY(dagstore_block_bytes(handle).data);
    EMPTY(dagstore_multihashes_cursor(handle));
    dagstore_shard_release(handle);
    dagstore_block_release(handle);
    dagstore_entries_close(handle);
    dagstore_places_close(handle);
    dagstore_multihashes_close(handle);
    dagstore_shards_close(handle);
    dagstore_events_close(handle);
    dagstore_problems_close(handle);
    dagstore_car_close(handle);
    dagstore_mounts_release(handle);
    dagstore_error_release(handle);
    calls += 13;
}

/* Passes invalid texts. */
static void wrong_texts(dagstore_t *store) {
    char *large = malloc(1 << 20);
    memset(large, 'k', (1 << 20) - 1);
    large[(1 << 20) - 1] = 0;
    dagstore_shard_t *shard;
    size_t size;
    INVALID(dagstore_register(store, NULL, "file:///x", 0, &error));
    INVALID(dagstore_register(store, "k", NULL, 0, &error));
    INVALID(dagstore_register(store, not_utf8, "file:///x", 0, &error));
    INVALID(dagstore_register(store, "k", not_utf8, 0, &error));
    INVALID(dagstore_register(store, "k", "no URL", 0, &error));
    INVALID(dagstore_register(store, "k", large, 0, &error));
    INVALID(dagstore_register(store, "k", "file:///x", 3, &error));
    INVALID(dagstore_register(store, "k", "file:///x", 4, &error));
    REFUSES(DAGSTORE_UNKNOWN_SCHEME, dagstore_register(store, "k", "ftp://x", 0, &error));
    REFUSES(DAGSTORE_INVALID_KEY, dagstore_register(store, "", "file:///x", 0, &error));
    REFUSES(DAGSTORE_INVALID_KEY, dagstore_register(store, large, "file:///x", 0, &error));
    REFUSES(DAGSTORE_INVALID_KEY, dagstore_acquire(store, large, 0, &shard, &error));
    INVALID(dagstore_acquire(store, "k", 0, NULL, &error));
    REFUSES(DAGSTORE_INVALID_CID, dagstore_cid_parse(large, NULL, 0, &size, &error));
    REFUSES(DAGSTORE_INVALID_CID, dagstore_cid_parse("", NULL, 0, &size, &error));
    INVALID(dagstore_cid_parse(NULL, NULL, 0, &size, &error));
    INVALID(dagstore_cid_parse("x", NULL, 0, NULL, &error));
    INVALID(dagstore_cid_parse("x", NULL, 5, &size, &error));
    dagstore_register_options_t options = {.size = sizeof options, .existing_transient = "relative"};
    INVALID(dagstore_register_with(store, "k", "file:///x", &options, &error));
    options.existing_transient = "";
    INVALID(dagstore_register_with(store, "k", "file:///x", &options, &error));
    options.size = 4;
    INVALID(dagstore_register_with(store, "k", "file:///x", &options, &error));
    dagstore_multihashes_t *walk;
    static const char *const cursors[] = {"", "x", "1", "1.2.3", "-1.0", "18446744073709551616.0"};
    for (size_t index = 0; index < sizeof cursors / sizeof *cursors; index++)
        INVALID(dagstore_multihashes_open(store, "example", cursors[index], &walk, &error));
    REFUSES(DAGSTORE_SOURCE_CHANGED, dagstore_multihashes_open(store, "example", "9.0", &walk, &error));
    free(large);
}

/* Passes truncated and changed CIDs, and impossible sizes. */
static void wrong_cids(dagstore_t *store, dagstore_shard_t *shard) {
    uint8_t cid[DAGSTORE_CID_SIZE];
    size_t size;
    succeed(dagstore_shard_root(shard, 0, cid, sizeof cid, &size, NULL));
    REFUSES(DAGSTORE_BUFFER_TOO_SMALL, dagstore_shard_root(shard, 0, cid, 1, &size, &error));
    INVALID(dagstore_shard_root(shard, SIZE_MAX, cid, sizeof cid, &size, &error));
    succeed(dagstore_shard_root(shard, 0, cid, sizeof cid, &size, NULL));
    dagstore_block_t *block;
    for (size_t cut = 0; cut < size; cut++) {
        REFUSES(DAGSTORE_INVALID_CID, dagstore_shard_get(shard, cid, cut, &block, &error));
        REFUSES(DAGSTORE_INVALID_CID, dagstore_get(store, cid, cut, 0, &block, &error));
    }
    REFUSES(DAGSTORE_INVALID_CID, dagstore_shard_get(shard, cid, SIZE_MAX, &block, &error));
    REFUSES(DAGSTORE_INVALID_CID, dagstore_shard_get(shard, cid, SIZE_MAX / 2, &block, &error));
    dagstore_batch_item_t items[2];
    uint32_t sizes[2] = {(uint32_t)size, 0};
    uint8_t byte;
    size_t needed;
    INVALID(dagstore_shard_get_many(shard, NULL, sizes, 1, items, &block, &error));
    INVALID(dagstore_shard_get_many(shard, cid, NULL, 1, items, &block, &error));
    INVALID(dagstore_shard_get_many(shard, cid, sizes, 1, NULL, &block, &error));
    INVALID(dagstore_shard_get_many(shard, cid, sizes, 1, items, NULL, &error));
    INVALID(dagstore_shard_get_many(shard, cid, sizes, SIZE_MAX, items, &block, &error));
    INVALID(dagstore_shard_get_many(shard, cid, sizes, DAGSTORE_BATCH_MAX + 1, items, &block, &error));
    INVALID(dagstore_shard_read_many(shard, cid, sizes, 1, NULL, 1, items, &needed, &error));
    INVALID(dagstore_shard_read_many(shard, cid, sizes, 1, &byte, 1, items, NULL, &error));
    succeed(dagstore_shard_get_many(shard, cid, sizes, 2, items, &block, NULL));
    if (items[0].status != DAGSTORE_OK || items[1].status != DAGSTORE_INVALID_CID) abort();
    dagstore_block_release(block);
    REFUSES(DAGSTORE_BUFFER_TOO_SMALL, dagstore_shard_read_many(shard, cid, sizes, 1, NULL, 0, items, &needed, &error));
    if (needed != items[0].size || items[0].status != DAGSTORE_BUFFER_TOO_SMALL) abort();
    REFUSES(DAGSTORE_INVALID_CID, dagstore_holders(store, cid, 1, NULL, 0, &needed, &needed, &error));
    INVALID(dagstore_holders(store, NULL, 9, NULL, 0, &needed, &needed, &error));
    INVALID(dagstore_shard_offsets(shard, cid, size, NULL, 1, &needed, &error));
    INVALID(dagstore_shard_get(shard, NULL, size, &block, &error));
    INVALID(dagstore_shard_get(shard, cid, size, NULL, &error));
    for (size_t index = 0; index < size * 8; index++) {
        uint8_t changed[DAGSTORE_CID_SIZE];
        memcpy(changed, cid, sizeof changed);
        changed[index / 8] ^= (uint8_t)(1 << index % 8);
        if (dagstore_shard_get(shard, changed, size, &block, NULL) == DAGSTORE_OK) {
            dagstore_block_t *verified;
            dagstore_status_t status = dagstore_block_verified(block, changed, size, &verified, NULL);
            if (status == DAGSTORE_OK) dagstore_block_release(verified);
            dagstore_block_release(block);
        }
        calls += 1;
    }
    dagstore_cid_parts_t parts = {.size = 3};
    INVALID(dagstore_cid_split(cid, size, &parts, &error));
    INVALID(dagstore_cid_split(cid, size, NULL, &error));
    REFUSES(DAGSTORE_INVALID_CID, dagstore_cid_make(0x55, cid, 1, cid, sizeof cid, &size, &error));
    INVALID(dagstore_cid_make(0x55, NULL, 1, cid, sizeof cid, &size, &error));
}

static dagstore_status_t no_stat(void *context, const char *url, dagstore_mount_stat_t *out,
                                 dagstore_error_t **error) {
    (void)context, (void)url, (void)out, (void)error;
    return DAGSTORE_MOUNT_GONE;
}

/* Passes invalid configurations, mounts and queues. */
static void wrong_structs(const char *directory, dagstore_t *store) {
    dagstore_config_t config;
    dagstore_t *other;
    /* The size of version 1 is enough; the call writes nothing behind it. */
    size_t first = offsetof(dagstore_config_t, fetch_timeout_ms);
    for (size_t size = 0; size < first; size++)
        INVALID(dagstore_config_init(&config, size, &error));
    config.fetch_timeout_ms = UINT64_C(0x5555555555555555);
    succeed(dagstore_config_init(&config, first, NULL));
    if (config.fetch_timeout_ms != UINT64_C(0x5555555555555555)) refuse_to_go_on("a smaller struct", __LINE__, 0);
    INVALID(dagstore_config_init(NULL, sizeof config, &error));
    INVALID(dagstore_config_init(&config, SIZE_MAX, &error));
    succeed(dagstore_config_init(&config, sizeof config, NULL));
    REFUSES(DAGSTORE_CATALOG_LOCKED, dagstore_open(directory, &config, &other, &error));
    INVALID(dagstore_open(NULL, &config, &other, &error));
    INVALID(dagstore_open("", &config, &other, &error));
    INVALID(dagstore_open(directory, &config, NULL, &error));
    config.flags = 1 << 30;
    INVALID(dagstore_open(directory, &config, &other, &error));
    config.flags = 0;
    config.recovery = 77;
    REFUSES(DAGSTORE_INVALID_CONFIGURATION, dagstore_open(directory, &config, &other, &error));
    config.recovery = 0;
    config.map_size = UINT64_MAX;
    REFUSES(DAGSTORE_INVALID_CONFIGURATION, dagstore_open(directory, &config, &other, &error));
    config.map_size = 1 << 30;
    config.concurrent_indexing = UINT32_MAX;
    REFUSES(DAGSTORE_INVALID_CONFIGURATION, dagstore_open(directory, &config, &other, &error));
    config.concurrent_indexing = 1;
    config.transient_low_watermark = 2;
    REFUSES(DAGSTORE_INVALID_CONFIGURATION, dagstore_open(directory, &config, &other, &error));
    config.mounts = (dagstore_mounts_t *)(uintptr_t)0xdeadbeef;
    INVALID(dagstore_open(directory, &config, &other, &error));

    dagstore_mounts_t *mounts;
    succeed(dagstore_mounts_new(&mounts, NULL));
    INVALID(dagstore_mounts_new(NULL, &error));
    dagstore_mount_vtable_t table = {.size = sizeof table, .access = DAGSTORE_ACCESS_RANDOM, .stat = no_stat};
    INVALID(dagstore_mounts_add(mounts, "x", &table, NULL, &error));
    INVALID(dagstore_mounts_add(mounts, NULL, &table, NULL, &error));
    INVALID(dagstore_mounts_add(mounts, "x", NULL, NULL, &error));
    dagstore_mounts_release(mounts);

    dagstore_events_t *events;
    INVALID(dagstore_events_open(store, 0, &events, &error));
    INVALID(dagstore_events_open(store, SIZE_MAX, &events, &error));
    INVALID(dagstore_shutdown(store, 0x100, &error));
    uint64_t before;
    INVALID(dagstore_compact(directory, 1, &before, NULL, &error));
    REFUSES(DAGSTORE_CATALOG_LOCKED, dagstore_compact(directory, 0, NULL, NULL, &error));
    dagstore_car_t *car;
    INVALID(dagstore_car_open(NULL, &car, &error));
    REFUSES(DAGSTORE_MOUNT_GONE, dagstore_car_open("/nowhere/at-all", &car, &error));
    INVALID(dagstore_log_set(-1, NULL, NULL, &error));
    EMPTY(dagstore_error_new(0, "no error") != NULL);
    dagstore_error_release(dagstore_error_new(-1, NULL));
    EMPTY(dagstore_error_offset(NULL, NULL));
    EMPTY(dagstore_error_shard(NULL) != NULL);
}

/* Checks a forked child, which has no thread of the store: calls fail, and closing returns. */
static void in_forked_child(dagstore_t *store) {
    pid_t child = fork();
    if (child == 0) {
        alarm(20);
        dagstore_shard_t *shard;
        dagstore_statistics_t statistics = {.size = sizeof statistics};
        REFUSES(DAGSTORE_CLOSED, dagstore_acquire(store, "car", 0, &shard, &error));
        REFUSES(DAGSTORE_CLOSED, dagstore_statistics(store, &statistics, &error));
        REFUSES(DAGSTORE_CLOSED, dagstore_shutdown(store, 0, &error));
        dagstore_close(store);
        _exit(0);
    }
    int status = -1;
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
        refuse_to_go_on("a forked child", __LINE__, status);
}

/* Inspects the CAR outside a store. */
static void inspect(const char *path) {
    dagstore_car_t *car;
    succeed(dagstore_car_open(path, &car, NULL));
    dagstore_car_info_t info = {.size = sizeof info};
    succeed(dagstore_car_inspect(car, &info, NULL));
    dagstore_car_verification_t verification = {.size = sizeof verification};
    succeed(dagstore_car_verify(car, 0, &verification, NULL));
    if (verification.sections != info.sections || info.roots == 0) abort();
    dagstore_car_close(car);
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    dagstore_t *store;
    dagstore_shard_t *shard;
    char url[4096];
    snprintf(url, sizeof url, "file://%s", argv[2]);
    succeed(dagstore_open(argv[1], NULL, &store, NULL));
    succeed(dagstore_register(store, "example", url, 0, NULL));
    succeed(dagstore_acquire(store, "example", DAGSTORE_WAIT_FOREVER, &shard, NULL));

    static const uint64_t garbage[] = {0, 1, 0xdeadbeef, UINT64_MAX, UINT64_C(1) << 63, UINT64_C(0xffff) << 48};
    for (size_t index = 0; index < sizeof garbage / sizeof *garbage; index++) {
        without_store((dagstore_t *)(uintptr_t)garbage[index]);
        without_handle((void *)(uintptr_t)garbage[index]);
    }
    for (int bit = 0; bit < 64; bit++) {
        void *handle = (void *)((uintptr_t)store ^ (uintptr_t)1 << bit);
        if (handle != (void *)shard) without_handle(handle);
        without_store((dagstore_t *)((uintptr_t)shard ^ (uintptr_t)1 << bit));
    }
    wrong_texts(store);
    wrong_cids(store, shard);
    wrong_structs(argv[1], store);
    in_forked_child(store);
    inspect(argv[2]);

    dagstore_shard_release(shard);
    without_handle(shard);
    dagstore_close(store);
    without_store(store);
    if (dagstore_live_handles() != 0) refuse_to_go_on("the end, with handles,", 0, 0);
    printf("misuse: %lu calls, all refused as they should be\n", calls);
    return 0;
}
