/*
 * Measures reads on many threads: N threads on one store, against N processes with a store each.
 *
 *     threads FOLDER [--threads 1,2,4,8,16] [--modes threads,processes] [--rows get,read,...]
 *             [--seconds 0.5] [--runs 1] [--blocks 1000000] [--shards 1000] [--closed 1000,10000]
 *             [--popular 1,1000,65536]
 *
 * Prints one line a measurement, with the sum over all threads or processes:
 *
 *     {"row":"get","mode":"threads","n":16,"ops_per_s":1234567,"own":16.0,"others":0.1}
 *
 * `own` is the processor time of the measured processes, in cores. `others` is that of all other
 * processes and of the host. Discard a line in which `others` is large.
 *
 * Rows of one shard of many blocks ("big"):
 *     get              shard_get, block_bytes, block_release; all threads share one lease
 *     get.own          the same; each thread has a lease of its own
 *     read             shard_read: the block is copied into a buffer
 *     locate           shard_locate
 *     miss             shard_contains of a block that the shard lacks
 *     acquire          acquire, shard_release
 *     get.guarded, read.guarded
 *                      the same as get and read, under the mapping guard
 * Rows of 1,000 shards of 1,000 blocks, all open ("many"):
 *     acquire.any      acquire, shard_release of a shard at random
 *     get.any          get, block_bytes, block_release of a block at random
 *     contains.any     contains of a block at random
 * Rows of 1,000 shards of 1,000 blocks, and of 10,000 of 100, none of them open ("many"):
 *     contains.closed.1000, contains.closed.10000
 * Rows of blocks that many shards hold ("popular"), only with --popular:
 *     popular.contains.65536, popular.get.65536, and so on
 *
 * The program makes CARs and stores in FOLDER. It keeps the CARs for the next run and removes the
 * stores. All processes read the same CARs; each has its own copy of the store's directory.
 *
 * To carry it to another machine, link it with -Wl,-rpath,'$ORIGIN' and put libdagstore.so.1
 * beside it, with liblmdb.so.0, libzstd.so.1, libcrypto.so.3 and libstdc++.so.6 where they are
 * missing.
 */
#define _GNU_SOURCE
#include <dagstore.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    CID_SIZE = 36,
    KEY_SIZE = 16,
    WORKERS_MAX = 256,
    LIST_MAX = 32,
    /* Blocks or keys that each thread asks for, in turn. */
    DRAWS = 1 << 18,
    /* Operations that a process does first, so that its page tables are filled. */
    WARMING = 20000,
    IN_FLIGHT = 128,
    POPULAR_BLOCKS = 8,
    /* The set of digests that no CAR has. */
    ABSENT = 255,
};

static const double warming_seconds_max = 1;

/* ---- Settings -------------------------------------------------------------------------------- */

typedef struct numbers {
    uint32_t values[LIST_MAX];
    size_t count;
} numbers_t;

static struct {
    const char *folder;
    numbers_t threads;
    const char *modes;
    const char *rows;
    double seconds;
    uint32_t runs;
    uint32_t blocks;
    uint32_t shards;
    numbers_t closed;
    numbers_t popular;
} settings = {
    .threads = {{1, 2, 4, 8, 16}, 5},
    .modes = "threads,processes",
    .rows = NULL,
    .seconds = 0.5,
    .runs = 1,
    .blocks = 1000000,
    .shards = 1000,
    .closed = {{1000, 10000}, 2},
    .popular = {{0}, 0},
};

static _Noreturn void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("threads: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    /* Without exit handlers: a child shares the parent's streams. */
    _exit(1);
}

static void check(dagstore_status_t status, const char *what) {
    if (status != DAGSTORE_OK) fail("%s: %s", what, dagstore_status_name(status));
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* Returns the processor time of this process, in seconds. */
static double processor_time(void) {
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* Returns the processor time of all processes, and what the host took away, in seconds. */
static double busy_time(void) {
    FILE *file = fopen("/proc/stat", "r");
    /* user nice system idle iowait irq softirq steal */
    double ticks[8] = {0};
    if (file == NULL) return 0;
    if (fscanf(file, "cpu %lf %lf %lf %lf %lf %lf %lf %lf", &ticks[0], &ticks[1], &ticks[2],
               &ticks[3], &ticks[4], &ticks[5], &ticks[6], &ticks[7]) != 8) {
        memset(ticks, 0, sizeof ticks);
    }
    fclose(file);
    double sum = ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6] + ticks[7];
    return sum / (double)sysconf(_SC_CLK_TCK);
}

static void pause_for(double seconds) {
    struct timespec time = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    while (nanosleep(&time, &time) != 0 && errno == EINTR) continue;
}

/* Returns whether a list of words with commas between them has a word; NULL has all. */
static bool has_word(const char *list, const char *word) {
    size_t size = strlen(word);
    while (list != NULL) {
        if (strncmp(list, word, size) == 0 && (list[size] == ',' || list[size] == 0)) return true;
        list = strchr(list, ',');
        if (list == NULL) return false;
        list++;
    }
    return true;
}

static numbers_t parse_numbers(const char *text) {
    numbers_t list = {{0}, 0};
    while (list.count < LIST_MAX) {
        char *end;
        list.values[list.count++] = (uint32_t)strtoul(text, &end, 10);
        if (end == text || list.values[list.count - 1] == 0) fail("\"%s\" is no number", text);
        if (*end != ',') break;
        text = end + 1;
    }
    return list;
}

/* ---- Data: CARs whose digests are random ----------------------------------------------------- */

static uint64_t splitmix64(uint64_t *state) {
    uint64_t z = (*state += 0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
    z = (z ^ z >> 27) * 0x94D049BB133111EB;
    return z ^ z >> 31;
}

/*
 * Writes the CID of a block: version 1, raw, sha2-256. Its digest is no hash of the block; the
 * store does not hash blocks.
 */
static void make_cid(uint8_t *cid, uint32_t set, uint64_t number) {
    uint64_t state = ((uint64_t)set << 48) + number;
    memcpy(cid, "\x01\x55\x12\x20", 4);
    for (int draw = 0; draw < 4; draw++) {
        uint64_t value = splitmix64(&state);
        memcpy(cid + 4 + 8 * draw, &value, 8);
    }
}

static void write_all(FILE *file, const void *bytes, size_t size) {
    if (fwrite(bytes, 1, size, file) != size) fail("a CAR cannot be written: %s", strerror(errno));
}

static void write_varint(FILE *file, uint64_t value) {
    uint8_t bytes[10];
    size_t size = 0;
    for (; value >= 0x80; value >>= 7) bytes[size++] = (uint8_t)(value | 0x80);
    bytes[size++] = (uint8_t)value;
    write_all(file, bytes, size);
}

static FILE *begin_car(const char *path, const uint8_t *root) {
    FILE *file = fopen(path, "wb");
    if (file == NULL) fail("%s: %s", path, strerror(errno));
    /* {"roots": [root], "version": 1} */
    static const char before[] = "\xa2\x65roots\x81\xd8\x2a\x58\x25";
    static const char after[] = "\x67version\x01";
    write_varint(file, sizeof before + CID_SIZE + sizeof after - 1);
    write_all(file, before, sizeof before); /* its NUL is the CID's multibase prefix */
    write_all(file, root, CID_SIZE);
    write_all(file, after, sizeof after - 1);
    return file;
}

static void write_block(FILE *file, const uint8_t *cid, size_t size) {
    uint8_t data[256];
    uint64_t state;
    memcpy(&state, cid + 4, 8);
    for (size_t place = 0; place < sizeof data; place += 8) {
        uint64_t value = splitmix64(&state);
        memcpy(data + place, &value, 8);
    }
    write_varint(file, CID_SIZE + size);
    write_all(file, cid, CID_SIZE);
    write_all(file, data, size);
}

static void end_car(FILE *file, const char *path) {
    if (fclose(file) != 0) fail("%s: %s", path, strerror(errno));
}

/* ---- Scenarios: a store, and the rows that are measured on it -------------------------------- */

enum { ROWS_MAX = 8 };

typedef struct worker worker_t;

typedef struct row {
    char name[40];
    void (*operation)(worker_t *worker, uint32_t draw);
    bool has_own_lease;
    /* Where its blocks come from: a set, the first of its numbers, how many. */
    uint32_t set;
    uint32_t first;
    uint32_t count;
} row_t;

typedef struct scenario {
    char name[40]; /* of its directories: the CARs in them depend on it */
    /* Blocks of shard s are s * blocks up to (s + 1) * blocks. */
    uint32_t set;
    uint32_t shards;
    uint32_t blocks;
    uint32_t block_size;
    bool is_popular;
    /* Whether all shards are opened before the first row. */
    bool opens_shards;
    bool installs_guard;
    row_t rows[ROWS_MAX];
    size_t row_count;
} scenario_t;

static void car_path(char *path, size_t size, const scenario_t *scenario, uint32_t shard) {
    snprintf(path, size, "%s/cars-%s/%u.car", settings.folder, scenario->name, shard);
}

static void store_path(char *path, size_t size, const scenario_t *scenario, uint32_t number) {
    snprintf(path, size, "%s/store-%s-%u", settings.folder, scenario->name, number);
}

static void shard_key(char *key, uint32_t shard) { snprintf(key, KEY_SIZE, "s%u", shard); }

/*
 * Returns the number of a shard's CAR. Shards of popular blocks share CARs: bit i of the number
 * says that the CAR has the blocks of class i, which the first settings.popular.values[i] shards
 * hold.
 */
static uint32_t car_of(const scenario_t *scenario, uint32_t shard) {
    if (!scenario->is_popular) return shard;
    uint32_t bits = 0;
    for (size_t index = 0; index < settings.popular.count; index++) {
        if (shard < settings.popular.values[index]) bits |= 1u << index;
    }
    return bits;
}

static void write_car(const scenario_t *scenario, uint32_t shard) {
    char path[512];
    uint32_t car = car_of(scenario, shard);
    car_path(path, sizeof path, scenario, car);
    if (access(path, R_OK) == 0) return;
    char partial[520];
    snprintf(partial, sizeof partial, "%s.part", path);
    uint8_t cid[CID_SIZE];
    FILE *file = NULL;
    for (uint32_t block = 0; block < scenario->blocks; block++) {
        uint64_t number = (uint64_t)shard * scenario->blocks + block;
        if (scenario->is_popular) {
            if ((car >> block / POPULAR_BLOCKS & 1) == 0) continue;
            number = block;
        }
        make_cid(cid, scenario->set, number);
        if (file == NULL) file = begin_car(partial, cid);
        write_block(file, cid, scenario->block_size);
    }
    end_car(file, partial);
    if (rename(partial, path) != 0) fail("%s: %s", path, strerror(errno));
}

static dagstore_t *open_store(const scenario_t *scenario, uint32_t number) {
    dagstore_config_t config;
    check(dagstore_config_init(&config, sizeof config, NULL), "config_init");
    config.idle_shards_max = 20000;
    char path[512];
    store_path(path, sizeof path, scenario, number);
    dagstore_t *store;
    dagstore_error_t *error;
    if (dagstore_open(path, &config, &store, &error) != DAGSTORE_OK) {
        fail("open %s: %s", path, dagstore_error_message(error));
    }
    return store;
}

typedef struct registrations {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint32_t in_flight;
} registrations_t;

static void registered(void *context, dagstore_status_t status, dagstore_error_t *error) {
    registrations_t *all = context;
    if (status != DAGSTORE_OK) fail("register: %s", dagstore_error_message(error));
    pthread_mutex_lock(&all->lock);
    all->in_flight--;
    pthread_cond_signal(&all->changed);
    pthread_mutex_unlock(&all->lock);
}

static void wait_until_below(registrations_t *all, uint32_t limit) {
    pthread_mutex_lock(&all->lock);
    while (all->in_flight >= limit) pthread_cond_wait(&all->changed, &all->lock);
    pthread_mutex_unlock(&all->lock);
}

/* Waits until the store merges no more runs of the inverse index. */
static void settle(dagstore_t *store) {
    uint64_t before = UINT64_MAX;
    for (;;) {
        dagstore_statistics_t statistics = {.size = sizeof statistics};
        check(dagstore_statistics(store, &statistics, NULL), "statistics");
        if (statistics.inverse_entries_written == before) return;
        before = statistics.inverse_entries_written;
        pause_for(0.2);
    }
}

/* Writes the CARs that are missing, and registers all of them with a new store. */
static void build(const scenario_t *scenario) {
    char path[512];
    snprintf(path, sizeof path, "%s/cars-%s", settings.folder, scenario->name);
    if (mkdir(path, 0755) != 0 && errno != EEXIST) fail("%s: %s", path, strerror(errno));
    dagstore_t *store = open_store(scenario, 0);
    registrations_t all = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};
    for (uint32_t shard = 0; shard < scenario->shards; shard++) {
        write_car(scenario, shard);
        car_path(path, sizeof path, scenario, car_of(scenario, shard));
        char url[520];
        snprintf(url, sizeof url, "file://%s", path);
        char key[KEY_SIZE];
        shard_key(key, shard);
        wait_until_below(&all, IN_FLIGHT);
        pthread_mutex_lock(&all.lock);
        all.in_flight++;
        pthread_mutex_unlock(&all.lock);
        check(dagstore_register_async(store, key, url, NULL, registered, &all, NULL), "register");
    }
    wait_until_below(&all, 1);
    settle(store);
    dagstore_close(store);
}

/* ---- Directories ----------------------------------------------------------------------------- */

/* Leaves out zeros: the catalog is a sparse file. */
static void copy_file(const char *from, const char *to) {
    enum { ROOM = 1 << 20 };
    static uint8_t bytes[ROOM], zeros[ROOM];
    int source = open(from, O_RDONLY);
    int target = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    off_t offset = 0;
    if (source < 0 || target < 0) fail("copy %s: %s", from, strerror(errno));
    for (;;) {
        ssize_t size = read(source, bytes, ROOM);
        if (size < 0) fail("copy %s: %s", from, strerror(errno));
        if (size == 0) break;
        if (memcmp(bytes, zeros, (size_t)size) != 0
            && pwrite(target, bytes, (size_t)size, offset) != size) {
            fail("copy %s: %s", from, strerror(errno));
        }
        offset += size;
    }
    if (ftruncate(target, offset) != 0) fail("copy %s: %s", from, strerror(errno));
    close(source);
    close(target);
}

/* Copies a directory to `to`; removes it if `to` is NULL. */
static void walk(const char *from, const char *to) {
    DIR *directory = opendir(from);
    if (directory == NULL) {
        if (errno == ENOENT && to == NULL) return;
        fail("%s: %s", from, strerror(errno));
    }
    if (to != NULL) mkdir(to, 0755);
    struct dirent *entry;
    while ((entry = readdir(directory)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        char source[1024], target[1024];
        snprintf(source, sizeof source, "%s/%s", from, entry->d_name);
        snprintf(target, sizeof target, "%s/%s", to != NULL ? to : "", entry->d_name);
        struct stat status;
        if (lstat(source, &status) != 0) fail("%s: %s", source, strerror(errno));
        if (S_ISDIR(status.st_mode)) {
            walk(source, to != NULL ? target : NULL);
        } else if (to == NULL) {
            unlink(source);
        } else if (S_ISREG(status.st_mode)) {
            copy_file(source, target);
        }
    }
    closedir(directory);
    if (to == NULL) rmdir(from);
}

static void remove_stores(const scenario_t *scenario) {
    for (uint32_t number = 0; number < WORKERS_MAX; number++) {
        char path[512];
        store_path(path, sizeof path, scenario, number);
        walk(path, NULL);
    }
}

/* ---- Workers --------------------------------------------------------------------------------- */

/* The memory that the parent and its children share. Counters count over all rows so far. */
typedef struct shared {
    alignas(128) _Atomic uint32_t started; /* the row that may run, from 1 */
    alignas(128) _Atomic uint32_t stopped; /* the row that is over, from 1 */
    alignas(128) _Atomic uint32_t ready;
    alignas(128) _Atomic uint32_t done;
    struct {
        alignas(128) uint64_t operations;
        double start;
        double end;
        double processor; /* seconds that the process used; its first worker counts them */
    } results[WORKERS_MAX];
} shared_t;

static shared_t *shared;

struct worker {
    alignas(128) dagstore_t *store;
    dagstore_shard_t *lease;
    uint8_t *cids;           /* DRAWS of them */
    uint32_t *shards;        /* DRAWS of them, at random */
    char (*keys)[KEY_SIZE];  /* of all shards */
    uint64_t bytes;
    uint8_t buffer[4096];
    char padding[128];
};

static const uint8_t *cid_at(const worker_t *worker, uint32_t draw) {
    return worker->cids + (size_t)draw * CID_SIZE;
}

static void release_block(worker_t *worker, dagstore_block_t *block) {
    worker->bytes += dagstore_block_bytes(block).size;
    dagstore_block_release(block);
}

static void do_get(worker_t *worker, uint32_t draw) {
    dagstore_block_t *block;
    const uint8_t *cid = cid_at(worker, draw);
    check(dagstore_shard_get(worker->lease, cid, CID_SIZE, &block, NULL), "shard_get");
    release_block(worker, block);
}

static void do_read(worker_t *worker, uint32_t draw) {
    size_t size;
    check(dagstore_shard_read(worker->lease, cid_at(worker, draw), CID_SIZE, worker->buffer,
                              sizeof worker->buffer, &size, NULL),
          "shard_read");
    worker->bytes += size;
}

static void do_locate(worker_t *worker, uint32_t draw) {
    dagstore_location_t location = {.size = sizeof location};
    const uint8_t *cid = cid_at(worker, draw);
    check(dagstore_shard_locate(worker->lease, cid, CID_SIZE, &location, NULL), "shard_locate");
    worker->bytes += location.block_size;
}

static void do_miss(worker_t *worker, uint32_t draw) {
    bool contains;
    const uint8_t *cid = cid_at(worker, draw);
    check(dagstore_shard_contains(worker->lease, cid, CID_SIZE, &contains, NULL), "shard_contains");
    if (contains) fail("a block is there that should not be");
}

static void do_acquire(worker_t *worker, uint32_t draw) {
    dagstore_shard_t *shard;
    const char *key = worker->keys[worker->shards[draw]];
    check(dagstore_acquire(worker->store, key, 0, &shard, NULL), "acquire");
    dagstore_shard_release(shard);
}

static void do_get_any(worker_t *worker, uint32_t draw) {
    dagstore_block_t *block;
    check(dagstore_get(worker->store, cid_at(worker, draw), CID_SIZE, 0, &block, NULL), "get");
    release_block(worker, block);
}

static void do_contains_any(worker_t *worker, uint32_t draw) {
    bool contains;
    const uint8_t *cid = cid_at(worker, draw);
    check(dagstore_contains(worker->store, cid, CID_SIZE, &contains, NULL), "contains");
    if (!contains) fail("a block is missing");
}

/* A process with a store, and one thread or many. */
typedef struct job {
    const scenario_t *scenario;
    dagstore_t *store;
    dagstore_shard_t *lease; /* on the only shard; NULL where there are many */
    uint32_t first_worker;
} job_t;

typedef struct seat {
    const job_t *job;
    uint32_t number; /* counted over all processes */
} seat_t;

static void draw_cids(worker_t *worker, const scenario_t *scenario, const row_t *row,
                      uint32_t number) {
    uint64_t state = 0xD1CE0000 + number;
    for (uint32_t draw = 0; draw < DRAWS; draw++) {
        uint64_t value = splitmix64(&state);
        make_cid(worker->cids + (size_t)draw * CID_SIZE, row->set,
                 row->first + value % row->count);
        worker->shards[draw] = (uint32_t)((value >> 32) % scenario->shards);
    }
}

/* Runs a row uncounted, for some time and at least so many operations. */
static void warm(worker_t *worker, const row_t *row, uint32_t operations) {
    double start = now();
    for (uint32_t count = 0;; count++) {
        row->operation(worker, count % DRAWS);
        double time = now() - start;
        if (time > warming_seconds_max) return;
        if (time > settings.seconds / 5 && count >= operations) return;
    }
}

static void run_row(worker_t *worker, const seat_t *seat, const row_t *row, uint32_t turn) {
    const job_t *job = seat->job;
    draw_cids(worker, job->scenario, row, seat->number);
    worker->lease = job->lease;
    if (row->has_own_lease) {
        check(dagstore_acquire(job->store, "s0", 0, &worker->lease, NULL), "acquire");
    }
    warm(worker, row, seat->number == job->first_worker ? WARMING : 0);

    atomic_fetch_add(&shared->ready, 1);
    while (atomic_load(&shared->started) < turn) pause_for(50e-6);
    bool is_first = seat->number == job->first_worker;
    double processor = is_first ? processor_time() : 0;
    uint64_t count = 0;
    double start = now();
    while (atomic_load_explicit(&shared->stopped, memory_order_relaxed) < turn) {
        row->operation(worker, (uint32_t)(count++ % DRAWS));
    }
    shared->results[seat->number].end = now();
    shared->results[seat->number].start = start;
    shared->results[seat->number].operations = count;
    shared->results[seat->number].processor = is_first ? processor_time() - processor : 0;
    atomic_fetch_add(&shared->done, 1);
    if (row->has_own_lease) dagstore_shard_release(worker->lease);
}

static void *run_worker(void *argument) {
    const seat_t *seat = argument;
    const scenario_t *scenario = seat->job->scenario;
    worker_t *worker = aligned_alloc(alignof(worker_t), sizeof *worker);
    if (worker == NULL) fail("no memory");
    memset(worker, 0, sizeof *worker);
    worker->store = seat->job->store;
    worker->cids = malloc((size_t)DRAWS * CID_SIZE);
    worker->shards = malloc(DRAWS * sizeof *worker->shards);
    worker->keys = malloc((size_t)scenario->shards * KEY_SIZE);
    if (worker->cids == NULL || worker->shards == NULL || worker->keys == NULL) fail("no memory");
    for (uint32_t shard = 0; shard < scenario->shards; shard++) {
        shard_key(worker->keys[shard], shard);
    }
    uint32_t turn = 0;
    for (size_t index = 0; index < scenario->row_count; index++) {
        const row_t *row = &scenario->rows[index];
        if (has_word(settings.rows, row->name)) run_row(worker, seat, row, ++turn);
    }
    free(worker->keys);
    free(worker->shards);
    free(worker->cids);
    free(worker);
    return NULL;
}

/* Opens a store and runs all rows on some threads; called in a child. */
static void run_process(const scenario_t *scenario, uint32_t process, uint32_t threads) {
    if (scenario->installs_guard && !dagstore_mapping_guard_install()) fail("no mapping guard");
    job_t job = {scenario, open_store(scenario, process), NULL, process * threads};
    if (scenario->opens_shards) {
        for (uint32_t shard = 0; shard < scenario->shards; shard++) {
            char key[KEY_SIZE];
            shard_key(key, shard);
            check(dagstore_acquire(job.store, key, 0, &job.lease, NULL), "acquire");
            if (scenario->shards > 1) dagstore_shard_release(job.lease);
        }
    }
    pthread_t handles[WORKERS_MAX];
    seat_t seats[WORKERS_MAX];
    for (uint32_t thread = 0; thread < threads; thread++) {
        seats[thread] = (seat_t){&job, job.first_worker + thread};
        if (pthread_create(&handles[thread], NULL, run_worker, &seats[thread]) != 0) {
            fail("a thread cannot be started");
        }
    }
    for (uint32_t thread = 0; thread < threads; thread++) pthread_join(handles[thread], NULL);
    if (scenario->opens_shards && scenario->shards == 1) dagstore_shard_release(job.lease);
    dagstore_close(job.store);
}

/* ---- The parent ------------------------------------------------------------------------------ */

static pid_t children[WORKERS_MAX];
static uint32_t child_count;

static void stop_children(void) {
    for (uint32_t index = 0; index < child_count; index++) {
        if (children[index] > 0) kill(children[index], SIGKILL);
    }
}

/* Waits for children that end. If one has failed, kills the others and fails. */
static void check_children(int options) {
    for (uint32_t index = 0; index < child_count; index++) {
        int status;
        if (children[index] == 0 || waitpid(children[index], &status, options) <= 0) continue;
        children[index] = 0;
        if (status == 0) continue;
        stop_children();
        fail("a process ended with status %d", status);
    }
}

static void wait_for(_Atomic uint32_t *counter, uint32_t value) {
    while (atomic_load(counter) < value) {
        check_children(WNOHANG);
        pause_for(200e-6);
    }
}

static void start_child(const scenario_t *scenario, uint32_t process, uint32_t threads) {
    fflush(stdout);
    pid_t child = fork();
    if (child < 0) fail("fork: %s", strerror(errno));
    if (child == 0) {
        if (threads == 0) {
            build(scenario);
        } else {
            run_process(scenario, process, threads);
        }
        _exit(0);
    }
    children[child_count++] = child;
}

static void print_line(const row_t *row, const char *mode, uint32_t workers, double busy) {
    double operations = 0, start = 0, end = 0, own = 0;
    for (uint32_t index = 0; index < workers; index++) {
        operations += (double)shared->results[index].operations;
        own += shared->results[index].processor;
        if (index == 0 || shared->results[index].start < start) {
            start = shared->results[index].start;
        }
        if (shared->results[index].end > end) end = shared->results[index].end;
    }
    double time = end - start;
    double others = busy > own ? busy - own : 0;
    printf("{\"row\":\"%s\",\"mode\":\"%s\",\"n\":%u,\"ops_per_s\":%.0f,\"own\":%.2f,"
           "\"others\":%.2f}\n",
           row->name, mode, workers, operations / time, own / time, others / time);
    fflush(stdout);
}

static void measure(const scenario_t *scenario, const char *mode, uint32_t workers) {
    memset(shared, 0, sizeof *shared);
    child_count = 0;
    if (strcmp(mode, "threads") == 0) {
        start_child(scenario, 0, workers);
    } else {
        for (uint32_t process = 0; process < workers; process++) start_child(scenario, process, 1);
    }
    uint32_t turn = 0;
    for (size_t index = 0; index < scenario->row_count; index++) {
        const row_t *row = &scenario->rows[index];
        if (!has_word(settings.rows, row->name)) continue;
        turn++;
        wait_for(&shared->ready, turn * workers);
        double busy = busy_time();
        atomic_store(&shared->started, turn);
        pause_for(settings.seconds);
        atomic_store(&shared->stopped, turn);
        wait_for(&shared->done, turn * workers);
        print_line(row, mode, workers, busy_time() - busy);
    }
    check_children(0);
}

static uint32_t workers_max(void) {
    uint32_t most = 0;
    for (size_t index = 0; index < settings.threads.count; index++) {
        if (settings.threads.values[index] > most) most = settings.threads.values[index];
    }
    if (most > WORKERS_MAX) fail("more than %d threads", WORKERS_MAX);
    return most;
}

static bool is_wanted(const scenario_t *scenario) {
    for (size_t index = 0; index < scenario->row_count; index++) {
        if (has_word(settings.rows, scenario->rows[index].name)) return true;
    }
    return false;
}

/* Builds the store of a scenario, and a copy for each process but the first. */
static void prepare(const scenario_t *scenario, uint32_t copies) {
    remove_stores(scenario);
    child_count = 0;
    start_child(scenario, 0, 0);
    check_children(0);
    for (uint32_t number = 1; number < copies; number++) {
        char from[512], to[512];
        store_path(from, sizeof from, scenario, 0);
        store_path(to, sizeof to, scenario, number);
        walk(from, to);
    }
    /* The kernel would write the copies back during the measurements. */
    sync();
}

/* Runs scenarios that have the same store. */
static void run_scenarios(const scenario_t *scenarios, size_t count) {
    bool any = false;
    for (size_t index = 0; index < count; index++) any |= is_wanted(&scenarios[index]);
    if (!any) return;

    bool has_processes = has_word(settings.modes, "processes");
    prepare(&scenarios[0], has_processes ? workers_max() : 1);
    for (size_t index = 0; index < settings.threads.count; index++) {
        uint32_t workers = settings.threads.values[index];
        for (uint32_t run = 0; run < settings.runs; run++) {
            for (size_t which = 0; which < count; which++) {
                if (!is_wanted(&scenarios[which])) continue;
                if (has_word(settings.modes, "threads")) {
                    measure(&scenarios[which], "threads", workers);
                }
                if (has_processes) measure(&scenarios[which], "processes", workers);
            }
        }
    }
    remove_stores(&scenarios[0]);
}

/* ---- The list -------------------------------------------------------------------------------- */

static row_t *add_row(scenario_t *scenario, const char *name,
                      void (*operation)(worker_t *, uint32_t)) {
    row_t *row = &scenario->rows[scenario->row_count++];
    snprintf(row->name, sizeof row->name, "%s", name);
    row->operation = operation;
    row->set = scenario->set;
    row->count = scenario->shards * scenario->blocks;
    return row;
}

static scenario_t one_shard(void) {
    scenario_t big = {.set = 1, .shards = 1, .blocks = settings.blocks, .block_size = 256,
                      .opens_shards = true};
    snprintf(big.name, sizeof big.name, "big-%u", settings.blocks);
    return big;
}

static void run_one_shard(void) {
    scenario_t scenarios[2] = {one_shard(), one_shard()};
    add_row(&scenarios[0], "get", do_get);
    add_row(&scenarios[0], "get.own", do_get)->has_own_lease = true;
    add_row(&scenarios[0], "read", do_read);
    add_row(&scenarios[0], "locate", do_locate);
    add_row(&scenarios[0], "miss", do_miss)->set = ABSENT;
    add_row(&scenarios[0], "acquire", do_acquire);
    scenarios[1].installs_guard = true;
    add_row(&scenarios[1], "get.guarded", do_get);
    add_row(&scenarios[1], "read.guarded", do_read);
    run_scenarios(scenarios, 2);
}

/* Many shards, of settings.blocks blocks in all. */
static scenario_t many_shards(uint32_t shards) {
    scenario_t many = {.set = 2, .shards = shards, .block_size = 64};
    many.blocks = settings.blocks > shards ? settings.blocks / shards : 1;
    snprintf(many.name, sizeof many.name, "many-%u-%u", shards, many.blocks);
    return many;
}

static void run_open_shards(void) {
    scenario_t many = many_shards(settings.shards);
    many.opens_shards = true;
    add_row(&many, "acquire.any", do_acquire);
    add_row(&many, "get.any", do_get_any);
    add_row(&many, "contains.any", do_contains_any);
    run_scenarios(&many, 1);
}

static void run_closed_shards(uint32_t shards) {
    scenario_t many = many_shards(shards);
    char name[40];
    snprintf(name, sizeof name, "contains.closed.%u", shards);
    add_row(&many, name, do_contains_any);
    run_scenarios(&many, 1);
}

static void run_popular(void) {
    if (settings.popular.count > 3) fail("more than three counts of popular blocks");
    scenario_t popular = {.name = "popular", .set = 250, .block_size = 64, .is_popular = true};
    popular.blocks = (uint32_t)settings.popular.count * POPULAR_BLOCKS;
    for (size_t index = 0; index < settings.popular.count; index++) {
        if (settings.popular.values[index] > popular.shards) {
            popular.shards = settings.popular.values[index];
        }
    }
    for (size_t index = 0; index < 2 * settings.popular.count; index++) {
        /* First every contains, while no shard is open. */
        bool gets = index >= settings.popular.count;
        uint32_t group = (uint32_t)(index % settings.popular.count);
        char name[40];
        snprintf(name, sizeof name, "popular.%s.%u", gets ? "get" : "contains",
                 settings.popular.values[group]);
        row_t *row = add_row(&popular, name, gets ? do_get_any : do_contains_any);
        row->first = group * POPULAR_BLOCKS;
        row->count = POPULAR_BLOCKS;
    }
    run_scenarios(&popular, 1);
}

static void parse_arguments(int argc, char **argv) {
    if (argc < 2 || argv[1][0] == '-' || argc % 2 != 0) {
        fail("usage: threads FOLDER [--option value]...");
    }
    for (int index = 2; index < argc; index += 2) {
        const char *name = argv[index], *value = argv[index + 1];
        if (strcmp(name, "--threads") == 0) settings.threads = parse_numbers(value);
        else if (strcmp(name, "--modes") == 0) settings.modes = value;
        else if (strcmp(name, "--rows") == 0) settings.rows = value;
        else if (strcmp(name, "--seconds") == 0) settings.seconds = strtod(value, NULL);
        else if (strcmp(name, "--runs") == 0) settings.runs = parse_numbers(value).values[0];
        else if (strcmp(name, "--blocks") == 0) settings.blocks = parse_numbers(value).values[0];
        else if (strcmp(name, "--shards") == 0) settings.shards = parse_numbers(value).values[0];
        else if (strcmp(name, "--closed") == 0) settings.closed = parse_numbers(value);
        else if (strcmp(name, "--popular") == 0) settings.popular = parse_numbers(value);
        else fail("%s is no option", name);
    }
    if (!(settings.seconds > 0)) fail("--seconds is not above 0");
    if (mkdir(argv[1], 0755) != 0 && errno != EEXIST) fail("%s: %s", argv[1], strerror(errno));
    settings.folder = realpath(argv[1], NULL);
    if (settings.folder == NULL) fail("%s: %s", argv[1], strerror(errno));
}

int main(int argc, char **argv) {
    parse_arguments(argc, argv);
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) fail("no memory");
    run_one_shard();
    run_open_shards();
    for (size_t index = 0; index < settings.closed.count; index++) {
        run_closed_shards(settings.closed.values[index]);
    }
    if (settings.popular.count > 0) run_popular();
    return 0;
}
