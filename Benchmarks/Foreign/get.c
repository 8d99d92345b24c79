/*
 * Times reads through the C interface. Foreign/go does the same from Go, under the same names.
 *
 *     get STORE_DIRECTORY KEY CIDS_FILE CID_SIZE [THREADS]
 *
 * Prints one line a measurement: its name, and nanoseconds for one block or call. With THREADS, it
 * also prints lines whose names end with ".THREADS": there the threads share the blocks and one
 * lease, and the time is that of all of them divided by the number of blocks.
 *
 *     copy         shard_read into a buffer
 *     view         shard_get, block_bytes, block_release
 *     batch.copy   shard_read_many of 32 blocks
 *     batch.view   shard_get_many of 32 blocks, block_release
 *     acquire      acquire and shard_release of an open shard
 *     holders      holders of a multihash
 *
 * A pass over the blocks comes first, so that the rest is warm. The mapping guard is installed.
 */
#include <dagstore.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { BATCH = 32, BUFFER_SIZE = BATCH << 20, THREADS_MAX = 256 };

/* What all threads read. */
static struct {
    dagstore_t *store;
    dagstore_shard_t *shard;
    const char *key;
    const uint8_t *cids;
    size_t count;
    size_t cid_size;
    /* Of the multihash in each CID. */
    size_t multihash_offset;
} all;

/* A part of the blocks, and what a thread reads them with. */
typedef struct part {
    void (*read)(struct part *part, size_t index);
    size_t step;
    size_t begin;
    size_t end;
    uint8_t *buffer;
    uint32_t sizes[BATCH];
    dagstore_batch_item_t items[BATCH];
    /* Of what was read, so that a wrong read is seen. */
    uint64_t bytes;
    uint64_t calls;
} part_t;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static void check(dagstore_status_t status) {
    if (status == DAGSTORE_OK) return;
    fprintf(stderr, "get: %s\n", dagstore_status_name(status));
    exit(1);
}

/* ---- One step of each measurement ------------------------------------------------------------ */

static const uint8_t *cid(size_t index) { return all.cids + index * all.cid_size; }

static void do_copy(part_t *part, size_t index) {
    size_t size;
    check(dagstore_shard_read(all.shard, cid(index), all.cid_size, part->buffer, BUFFER_SIZE, &size,
                              NULL));
    part->bytes += size;
}

static void do_view(part_t *part, size_t index) {
    dagstore_block_t *block;
    check(dagstore_shard_get(all.shard, cid(index), all.cid_size, &block, NULL));
    part->bytes += dagstore_block_bytes(block).size;
    dagstore_block_release(block);
}

static void do_batch_copy(part_t *part, size_t index) {
    size_t size;
    check(dagstore_shard_read_many(all.shard, cid(index), part->sizes, BATCH, part->buffer,
                                   BUFFER_SIZE, part->items, &size, NULL));
    part->bytes += size;
}

static void do_batch_view(part_t *part, size_t index) {
    dagstore_block_t *blocks;
    check(dagstore_shard_get_many(all.shard, cid(index), part->sizes, BATCH, part->items, &blocks,
                                  NULL));
    for (int item = 0; item < BATCH; item++) {
        check(part->items[item].status);
        part->bytes += part->items[item].size;
    }
    dagstore_block_release(blocks);
}

static void do_acquire(part_t *part, size_t index) {
    (void)index;
    dagstore_shard_t *shard;
    check(dagstore_acquire(all.store, all.key, 0, &shard, NULL));
    dagstore_shard_release(shard);
    part->bytes++;
}

static void do_holders(part_t *part, size_t index) {
    size_t size, count;
    check(dagstore_holders(all.store, cid(index) + all.multihash_offset,
                           all.cid_size - all.multihash_offset, (char *)part->buffer, BUFFER_SIZE,
                           &size, &count, NULL));
    part->bytes += count;
}

static const struct {
    const char *name;
    void (*read)(part_t *part, size_t index);
    size_t step; /* blocks of one call */
} measurements[] = {
    {"copy", do_copy, 1},
    {"view", do_view, 1},
    {"batch.copy", do_batch_copy, BATCH},
    {"batch.view", do_batch_view, BATCH},
    {"acquire", do_acquire, 1},
    {"holders", do_holders, 1},
};

/* ---- Measuring ------------------------------------------------------------------------------- */

static void *run_part(void *argument) {
    part_t *part = argument;
    for (size_t index = part->begin; index + part->step <= part->end; index += part->step) {
        part->read(part, index);
        part->calls++;
    }
    return NULL;
}

/* Reads every block once, on some threads; returns nanoseconds a block. */
static double pass(void (*read)(part_t *, size_t), size_t step, part_t *parts, size_t threads) {
    pthread_t handles[THREADS_MAX];
    size_t share = all.count / threads;
    for (size_t thread = 0; thread < threads; thread++) {
        part_t *part = &parts[thread];
        part->read = read;
        part->step = step;
        part->begin = thread * share;
        part->end = part->begin + share;
        part->bytes = part->calls = 0;
    }
    double start = now();
    for (size_t thread = 1; thread < threads; thread++) {
        if (pthread_create(&handles[thread], NULL, run_part, &parts[thread]) != 0) exit(1);
    }
    run_part(&parts[0]);
    size_t blocks = parts[0].calls * step;
    for (size_t thread = 1; thread < threads; thread++) {
        pthread_join(handles[thread], NULL);
        blocks += parts[thread].calls * step;
    }
    double time = now() - start;
    for (size_t thread = 0; thread < threads; thread++) {
        if (parts[thread].bytes == 0) exit(1);
    }
    return time / (double)blocks;
}

static void measure(part_t *parts, size_t threads) {
    for (size_t index = 0; index < sizeof measurements / sizeof *measurements; index++) {
        double time = pass(measurements[index].read, measurements[index].step, parts, threads);
        if (threads == 1) printf("%s %.1f\n", measurements[index].name, time);
        else printf("%s.%zu %.1f\n", measurements[index].name, threads, time);
        fflush(stdout);
    }
}

static void read_cids(const char *path) {
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) exit(1);
    all.count = (size_t)ftell(file) / all.cid_size;
    uint8_t *cids = malloc(all.count * all.cid_size);
    rewind(file);
    if (cids == NULL || fread(cids, all.cid_size, all.count, file) != all.count) exit(1);
    fclose(file);
    all.cids = cids;
    dagstore_cid_parts_t parts = {.size = sizeof parts};
    check(dagstore_cid_split(cids, all.cid_size, &parts, NULL));
    all.multihash_offset = (size_t)(parts.multihash.data - cids);
}

int main(int argc, char **argv) {
    if (argc != 5 && argc != 6) return 2;
    size_t threads = argc == 6 ? strtoul(argv[5], NULL, 10) : 1;
    if (threads < 1 || threads > THREADS_MAX) return 2;
    all.cid_size = strtoul(argv[4], NULL, 10);
    all.key = argv[2];
    if (all.cid_size == 0) return 2;
    read_cids(argv[3]);
    if (all.count / threads < BATCH) return 2;

    part_t *parts = calloc(threads, sizeof *parts);
    if (parts == NULL) return 1;
    for (size_t thread = 0; thread < threads; thread++) {
        parts[thread].buffer = malloc(BUFFER_SIZE);
        if (parts[thread].buffer == NULL) return 1;
        for (int item = 0; item < BATCH; item++) {
            parts[thread].sizes[item] = (uint32_t)all.cid_size;
        }
    }
    dagstore_mapping_guard_install();
    check(dagstore_open(argv[1], NULL, &all.store, NULL));
    check(dagstore_acquire(all.store, all.key, DAGSTORE_WAIT_FOREVER, &all.shard, NULL));
    pass(do_view, 1, parts, 1);
    measure(parts, 1);
    if (threads > 1) measure(parts, threads);
    dagstore_shard_release(all.shard);
    dagstore_close(all.store);
    for (size_t thread = 0; thread < threads; thread++) free(parts[thread].buffer);
    free(parts);
    free((uint8_t *)all.cids);
    return 0;
}
