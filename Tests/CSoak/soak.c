/*
 * Runs random operations on one store with eight threads for some seconds, and checks every result.
 *
 *     soak STORE_DIRECTORY SECONDS CAR_FILE...
 *
 * Registers the CARs as files, and through mounts of this program that sometimes fail. The threads share handles: they
 * release leases while other threads read through them, and release some twice.
 *
 * Long because one file is the simplest to compile against an installed library.
 */
#include <dagstore.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 8, KEYS = 24, SHARED = 16, KNOWN = 64 };

static dagstore_t *store;
static char **cars;
static int car_count;
static atomic_bool is_over;
static atomic_uint_fast64_t operations, blocks_read, callbacks_due, releases, sources;
static _Atomic(dagstore_shard_t *) shared_shards[SHARED];

/* A CID of some shard. */
typedef struct {
    uint8_t bytes[DAGSTORE_CID_SIZE];
    size_t size;
} cid_t;

typedef struct {
    pthread_t thread;
    uint64_t random;
    cid_t known[KNOWN];
    unsigned known_count;
} worker_t;

static uint64_t next_random(uint64_t *state) {
    uint64_t z = (*state += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

static unsigned below(worker_t *worker, unsigned limit) {
    return (unsigned)(next_random(&worker->random) % limit);
}

static void fail(const char *what, dagstore_status_t status) {
    fprintf(stderr, "soak: %s answered %s\n", what, dagstore_status_name(status));
    abort();
}

/* Whether a list that ends with DAGSTORE_OK has `status`. */
static bool is_among(dagstore_status_t status, const dagstore_status_t *allowed) {
    if (status == DAGSTORE_OK) return true;
    for (; *allowed != DAGSTORE_OK; allowed++)
        if (*allowed == status) return true;
    return false;
}

#define EXPECT(call, ...)                                                                          \
    do {                                                                                           \
        const dagstore_status_t allowed[] = {__VA_ARGS__, DAGSTORE_OK};                            \
        dagstore_status_t answer = (call);                                                         \
        if (!is_among(answer, allowed)) fail(#call, answer);                                       \
    } while (0)

/* The errors of a source that sometimes fails, and of its shard. */
#define SOURCE_FAULTS                                                                              \
    DAGSTORE_MOUNT_GONE, DAGSTORE_MOUNT_UNREACHABLE, DAGSTORE_FETCH_FAILED,                        \
        DAGSTORE_FETCH_TIMED_OUT, DAGSTORE_SOURCE_CHANGED, DAGSTORE_SHARD_FAILED

/* ---- mounts ---- */

static atomic_uint_fast64_t fault_state = 1;

/* Returns the error of a mount that sometimes fails, or DAGSTORE_OK. */
static dagstore_status_t fault(dagstore_error_t **error) {
    uint64_t state = atomic_fetch_add(&fault_state, 1);
    uint64_t value = next_random(&state);
    if (value % 64 != 0) return DAGSTORE_OK;
    dagstore_status_t status = DAGSTORE_MOUNT_UNREACHABLE - (int)(value / 64 % 5);
    if (value & 1 << 20) *error = dagstore_error_new(status, "the soak wants it so");
    return status;
}

static const char *path_of(const char *url) { return strstr(url, "://") + 3; }

static dagstore_status_t mount_stat(void *context, const char *url, dagstore_mount_stat_t *out,
                                    dagstore_error_t **error) {
    (void)context;
    struct stat found;
    if (stat(path_of(url), &found) != 0) return DAGSTORE_MOUNT_GONE;
    out->bytes = (uint64_t)found.st_size;
    return fault(error);
}

static dagstore_status_t mount_open(void *context, const char *url, void **source, uint64_t *bytes,
                                    dagstore_error_t **error) {
    (void)context;
    dagstore_status_t status = fault(error);
    if (status != DAGSTORE_OK) return status;
    int *file = malloc(sizeof *file);
    *file = open(path_of(url), O_RDONLY | O_CLOEXEC);
    if (*file < 0) {
        free(file);
        return DAGSTORE_MOUNT_GONE;
    }
    struct stat found;
    fstat(*file, &found);
    *bytes = (uint64_t)found.st_size;
    *source = file;
    atomic_fetch_add(&sources, 1);
    return DAGSTORE_OK;
}

static dagstore_status_t mount_read(void *context, void *source, uint64_t offset, uint8_t *buffer,
                                    size_t capacity, size_t *size, dagstore_error_t **error) {
    (void)context;
    dagstore_status_t status = fault(error);
    if (status != DAGSTORE_OK) return status;
    /* A callback may call the library. */
    uint64_t handles = dagstore_live_handles();
    if (handles > 1000000) return DAGSTORE_FETCH_FAILED;
    ssize_t count = pread(*(int *)source, buffer, capacity > 4096 ? 4096 : capacity, (off_t)offset);
    if (count < 0) return DAGSTORE_FETCH_FAILED;
    *size = (size_t)count;
    return DAGSTORE_OK;
}

static void mount_close(void *context, void *source) {
    (void)context;
    close(*(int *)source);
    free(source);
    atomic_fetch_sub(&sources, 1);
}

static void mount_release(void *context) {
    free(context);
    atomic_fetch_add(&releases, 1);
}

/* ---- operations ---- */

static void done(void *context, dagstore_status_t status, dagstore_error_t *error) {
    (void)context;
    if (status < 0 && strlen(dagstore_error_message(error)) == 0) fail("done", status);
    atomic_fetch_sub(&callbacks_due, 1);
}

static void acquired(void *context, dagstore_status_t status, dagstore_shard_t *shard,
                     dagstore_error_t *error) {
    done(context, status, error);
    dagstore_shard_release(shard);
}

static void register_shard(worker_t *worker, const char *key) {
    static const char *schemes[] = {"file", "inplace", "copied"};
    char url[4096];
    snprintf(url, sizeof url, "%s://%s", schemes[below(worker, 3)], cars[below(worker, (unsigned)car_count)]);
    unsigned kind = below(worker, 4);
    if (kind == 3) {
        atomic_fetch_add(&callbacks_due, 1);
        if (dagstore_register_async(store, key, url, NULL, done, NULL, NULL) < 0)
            fail("register_async", DAGSTORE_INVALID_ARGUMENT);
        return;
    }
    EXPECT(dagstore_register(store, key, url, kind, NULL), DAGSTORE_SHARD_EXISTS, DAGSTORE_SHARD_UNKNOWN,
           SOURCE_FAULTS);
}

/* Remembers some CIDs of a shard. */
static void walk(worker_t *worker, dagstore_shard_t *shard) {
    dagstore_entries_t *entries;
    if (dagstore_entries_open(shard, &entries, NULL) < 0) return;
    dagstore_entry_t entry = {.size = sizeof entry};
    for (unsigned count = below(worker, 40); count > 0; count--) {
        dagstore_status_t status = dagstore_entries_next(entries, &entry, NULL);
        if (status == DAGSTORE_DONE) break;
        if (status < 0) fail("entries_next", status);
        if (entry.cid.size > DAGSTORE_CID_SIZE) continue;
        cid_t *cid = &worker->known[worker->known_count++ % KNOWN];
        memcpy(cid->bytes, entry.cid.data, entry.cid.size);
        cid->size = entry.cid.size;
    }
    dagstore_entries_close(entries);
}

/* Hashes a block, and releases it. */
static void look_at(dagstore_block_t *block, const cid_t *cid) {
    dagstore_block_t *verified;
    EXPECT(dagstore_block_verified(block, cid->bytes, cid->size, &verified, NULL), DAGSTORE_UNSUPPORTED_HASH);
    dagstore_block_release(verified);
    dagstore_block_release(block);
    dagstore_block_release(block);
    atomic_fetch_add(&blocks_read, 1);
}

static void read_blocks(worker_t *worker, dagstore_shard_t *shard) {
    for (unsigned count = below(worker, 20); count > 0 && worker->known_count > 0; count--) {
        unsigned known = worker->known_count < KNOWN ? worker->known_count : KNOWN;
        const cid_t *cid = &worker->known[below(worker, known)];
        dagstore_block_t *block;
        /* INVALID_ARGUMENT: another thread released the shared lease. */
        dagstore_status_t status = dagstore_shard_get(shard, cid->bytes, cid->size, &block, NULL);
        EXPECT(status, DAGSTORE_BLOCK_NOT_FOUND, DAGSTORE_INVALID_ARGUMENT, SOURCE_FAULTS);
        if (status == DAGSTORE_OK) look_at(block, cid);
        uint8_t buffer[512];
        size_t size;
        EXPECT(dagstore_shard_read(shard, cid->bytes, cid->size, buffer, sizeof buffer, &size, NULL),
               DAGSTORE_BLOCK_NOT_FOUND, DAGSTORE_INVALID_ARGUMENT, DAGSTORE_BUFFER_TOO_SMALL, SOURCE_FAULTS);
        dagstore_batch_item_t items[2];
        uint8_t pair[2 * DAGSTORE_CID_SIZE];
        uint32_t sizes[2] = {(uint32_t)cid->size, (uint32_t)cid->size};
        memcpy(pair, cid->bytes, cid->size);
        memcpy(pair + cid->size, cid->bytes, cid->size);
        status = dagstore_shard_get_many(shard, pair, sizes, 2, items, &block, NULL);
        EXPECT(status, DAGSTORE_INVALID_ARGUMENT);
        for (int index = 0; status == DAGSTORE_OK && index < 2; index++)
            EXPECT(items[index].status, DAGSTORE_BLOCK_NOT_FOUND, SOURCE_FAULTS);
        dagstore_block_release(block);
        EXPECT(dagstore_shard_read_many(shard, pair, sizes, 2, buffer, sizeof buffer, items, &size, NULL),
               DAGSTORE_INVALID_ARGUMENT, DAGSTORE_BUFFER_TOO_SMALL);
        uint64_t offsets[4];
        EXPECT(dagstore_shard_offsets(shard, cid->bytes, cid->size, offsets, 4, &size, NULL),
               DAGSTORE_BLOCK_NOT_FOUND, DAGSTORE_INVALID_ARGUMENT, DAGSTORE_BUFFER_TOO_SMALL, SOURCE_FAULTS);
        bool is_there;
        EXPECT(dagstore_shard_contains(shard, cid->bytes, cid->size, &is_there, NULL),
               DAGSTORE_INVALID_ARGUMENT, SOURCE_FAULTS);
    }
}

static void use_shard(worker_t *worker, const char *key) {
    static const uint32_t timeouts[] = {0, 1, 50, DAGSTORE_WAIT_FOREVER};
    dagstore_shard_t *shard;
    dagstore_error_t *error;
    dagstore_status_t status = dagstore_acquire(store, key, timeouts[below(worker, 4)], &shard, &error);
    EXPECT(status, DAGSTORE_SHARD_UNKNOWN, DAGSTORE_DEADLINE_EXCEEDED, SOURCE_FAULTS);
    if (status < 0) {
        if (shard != NULL || strlen(dagstore_error_message(error)) == 0) fail("acquire", status);
        dagstore_error_release(error);
        return;
    }
    walk(worker, shard);
    read_blocks(worker, shard);
    if (below(worker, 2)) {
        dagstore_shard_release(shard);
        return;
    }
    /* Another thread releases it while others read. */
    dagstore_shard_t *old = atomic_exchange(&shared_shards[below(worker, SHARED)], shard);
    read_blocks(worker, old);
    dagstore_shard_release(old);
    dagstore_shard_release(old);
}

static void ask_all(worker_t *worker) {
    if (worker->known_count == 0) return;
    unsigned known = worker->known_count < KNOWN ? worker->known_count : KNOWN;
    const cid_t *cid = &worker->known[below(worker, known)];
    dagstore_block_t *block;
    dagstore_status_t status = dagstore_get(store, cid->bytes, cid->size, below(worker, 2) ? 0 : 100, &block, NULL);
    EXPECT(status, DAGSTORE_BLOCK_NOT_FOUND, DAGSTORE_DEADLINE_EXCEEDED, SOURCE_FAULTS);
    if (status == DAGSTORE_OK) look_at(block, cid);
    dagstore_cid_parts_t parts = {.size = sizeof parts};
    char keys[256];
    size_t keys_size, keys_count;
    EXPECT(dagstore_cid_split(cid->bytes, cid->size, &parts, NULL), DAGSTORE_OK);
    EXPECT(dagstore_holders(store, parts.multihash.data, parts.multihash.size, keys, sizeof keys, &keys_size,
                            &keys_count, NULL),
           DAGSTORE_BUFFER_TOO_SMALL);
    uint64_t size;
    EXPECT(dagstore_block_size(store, cid->bytes, cid->size, &size, NULL), DAGSTORE_BLOCK_NOT_FOUND);
    dagstore_places_t *places;
    EXPECT(dagstore_find(store, cid->bytes, cid->size, &places, NULL), DAGSTORE_OK);
    dagstore_place_t place = {.size = sizeof place};
    while (dagstore_places_next(places, &place, NULL) == DAGSTORE_OK)
        if (strlen(place.key) == 0) abort();
    dagstore_places_close(places);
}

static void list_shards(void) {
    dagstore_shards_t *shards;
    EXPECT(dagstore_shards_open(store, NULL, &shards, NULL), DAGSTORE_OK);
    dagstore_info_t info = {.size = sizeof info};
    while (dagstore_shards_next(shards, &info, NULL) == DAGSTORE_OK)
        if (info.key[0] != 'k' || info.state == DAGSTORE_STATE_NONE) abort();
    dagstore_shards_close(shards);
}

static void advertise(worker_t *worker, const char *key) {
    dagstore_multihashes_t *walk;
    dagstore_status_t status = dagstore_multihashes_open(store, key, NULL, &walk, NULL);
    EXPECT(status, DAGSTORE_SHARD_UNKNOWN, DAGSTORE_SHARD_FAILED, DAGSTORE_UNSUPPORTED_HASH);
    dagstore_bytes_t multihash;
    for (unsigned count = below(worker, 50); status == DAGSTORE_OK && count > 0; count--)
        status = dagstore_multihashes_next(walk, &multihash, NULL);
    dagstore_multihashes_close(walk);
}

static void watch(worker_t *worker) {
    dagstore_events_t *events;
    EXPECT(dagstore_events_open(store, 16, &events, NULL), DAGSTORE_OK);
    dagstore_event_t event = {.size = sizeof event};
    EXPECT(dagstore_events_next(events, below(worker, 10), &event, NULL), DAGSTORE_DEADLINE_EXCEEDED);
    dagstore_events_close(events);
}

static void keep_house(worker_t *worker) {
    dagstore_garbage_t garbage = {.size = sizeof garbage};
    EXPECT(dagstore_collect_garbage(store, below(worker, 2) ? 0 : 1 << 16, &garbage, NULL), DAGSTORE_OK);
    dagstore_statistics_t statistics = {.size = sizeof statistics};
    EXPECT(dagstore_statistics(store, &statistics, NULL), DAGSTORE_OK);
    if (below(worker, 20) != 0) return;
    dagstore_check_t check = {.size = sizeof check};
    dagstore_problems_t *problems;
    EXPECT(dagstore_check(store, 0, &check, &problems, NULL), DAGSTORE_OK);
    dagstore_problems_close(problems);
}

static void *work(void *context) {
    worker_t *worker = context;
    while (!atomic_load(&is_over)) {
        char key[16];
        snprintf(key, sizeof key, "k%u", below(worker, KEYS));
        switch (below(worker, 16)) {
            case 0: case 1: register_shard(worker, key); break;
            case 2:
                EXPECT(dagstore_destroy(store, key, NULL), DAGSTORE_SHARD_UNKNOWN, DAGSTORE_SHARD_IN_USE);
                break;
            case 3:
                EXPECT(dagstore_recover(store, key, NULL), DAGSTORE_SHARD_UNKNOWN, DAGSTORE_NOT_FAILED,
                       SOURCE_FAULTS);
                break;
            case 4:
                atomic_fetch_add(&callbacks_due, 1);
                EXPECT(dagstore_acquire_async(store, key, 1000, acquired, NULL, NULL), DAGSTORE_OK);
                break;
            case 5:
                atomic_fetch_add(&callbacks_due, 1);
                EXPECT(dagstore_recover_async(store, key, done, NULL, NULL), DAGSTORE_OK);
                if (below(worker, 4) == 0) EXPECT(dagstore_cancel(store, NULL, NULL, NULL), DAGSTORE_OK);
                break;
            case 6: list_shards(); break;
            case 7: advertise(worker, key); break;
            case 8: watch(worker); break;
            case 9: keep_house(worker); break;
            case 10: case 11: ask_all(worker); break;
            default: use_shard(worker, key);
        }
        atomic_fetch_add(&operations, 1);
    }
    return NULL;
}

static double resident_mib(void) {
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%*d %ld", &pages) != 1) pages = 0;
    if (file != NULL) fclose(file);
    return (double)pages * (double)sysconf(_SC_PAGESIZE) / 1048576;
}

static void pause_for(double seconds) {
    struct timespec time = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    while (nanosleep(&time, &time) != 0 && errno == EINTR) {}
}

static dagstore_mounts_t *make_mounts(void) {
    dagstore_mounts_t *mounts;
    EXPECT(dagstore_mounts_new(&mounts, NULL), DAGSTORE_OK);
    dagstore_mount_vtable_t table = {.size = sizeof table, .stat = mount_stat, .open = mount_open,
                                     .read_at = mount_read, .close = mount_close, .release = mount_release};
    table.access = DAGSTORE_ACCESS_RANDOM;
    EXPECT(dagstore_mounts_add(mounts, "inplace", &table, malloc(1), NULL), DAGSTORE_OK);
    table.access = DAGSTORE_ACCESS_SEQUENTIAL;
    EXPECT(dagstore_mounts_add(mounts, "copied", &table, malloc(1), NULL), DAGSTORE_OK);
    return mounts;
}

int main(int argc, char **argv) {
    if (argc < 4) return 2;
    double seconds = atof(argv[2]);
    cars = argv + 3;
    car_count = argc - 3;

    dagstore_config_t config;
    EXPECT(dagstore_config_init(&config, sizeof config, NULL), DAGSTORE_OK);
    config.flags = DAGSTORE_OPEN_RELAXED;
    config.idle_shards_max = 4;
    config.mounts = make_mounts();
    EXPECT(dagstore_open(argv[1], &config, &store, NULL), DAGSTORE_OK);
    dagstore_mounts_release(config.mounts);

    static worker_t workers[THREADS];
    for (unsigned index = 0; index < THREADS; index++) {
        workers[index].random = index + 1;
        pthread_create(&workers[index].thread, NULL, work, &workers[index]);
    }
    pause_for(seconds / 4);
    double early = resident_mib();
    pause_for(seconds * 3 / 4);
    double late = resident_mib();
    atomic_store(&is_over, true);
    for (unsigned index = 0; index < THREADS; index++) pthread_join(workers[index].thread, NULL);
    for (unsigned index = 0; index < SHARED; index++) dagstore_shard_release(atomic_load(&shared_shards[index]));
    dagstore_close(store);
    dagstore_close(store);
    for (int tries = 0; atomic_load(&releases) < 2 && tries < 1000; tries++) pause_for(0.01);

    printf("soak: %" PRIuFAST64 " operations, %" PRIuFAST64 " blocks, %.0f MiB at a quarter, %.0f at the end\n",
           atomic_load(&operations), atomic_load(&blocks_read), early, late);
    uint64_t handles = dagstore_live_handles();
    if (handles != 0 || atomic_load(&callbacks_due) != 0 || atomic_load(&releases) != 2 || atomic_load(&sources) != 0) {
        fprintf(stderr, "soak: %" PRIu64 " handles, %" PRIuFAST64 " callbacks due, %" PRIuFAST64 " releases, %"
                PRIuFAST64 " sources open\n", handles, atomic_load(&callbacks_due), atomic_load(&releases),
                atomic_load(&sources));
        return 1;
    }
#ifndef __SANITIZE_ADDRESS__ /* It keeps what was freed. */
    if (late > early + 64) {
        fprintf(stderr, "soak: memory grows\n");
        return 1;
    }
#endif
    return 0;
}
