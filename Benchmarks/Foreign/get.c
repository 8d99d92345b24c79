/*
 * Times dagstore_shard_get and dagstore_acquire from C.
 *
 *     get STORE_DIRECTORY KEY CIDS_FILE CID_SIZE
 *
 * Prints nanoseconds: of a get with its release, after a pass that warms; of an acquire with its release.
 */
#include <dagstore.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static void check(dagstore_status_t status) {
    if (status == DAGSTORE_OK) return;
    fprintf(stderr, "%s\n", dagstore_status_name(status));
    exit(1);
}

/* Gets every block once; returns the bytes seen. */
static uint64_t pass(dagstore_shard_t *shard, const uint8_t *cids, size_t count, size_t cid_size) {
    uint64_t total = 0;
    for (size_t index = 0; index < count; index++) {
        dagstore_block_t *block;
        check(dagstore_shard_get(shard, cids + index * cid_size, cid_size, &block, NULL));
        total += dagstore_block_bytes(block).size;
        dagstore_block_release(block);
    }
    return total;
}

int main(int argc, char **argv) {
    if (argc != 5) return 2;
    size_t cid_size = strtoul(argv[4], NULL, 10);
    FILE *file = fopen(argv[3], "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) return 1;
    size_t count = (size_t)ftell(file) / cid_size;
    uint8_t *cids = malloc(count * cid_size);
    rewind(file);
    if (cids == NULL || fread(cids, cid_size, count, file) != count) return 1;
    fclose(file);

    dagstore_t *store;
    dagstore_shard_t *shard;
    check(dagstore_open(argv[1], NULL, &store, NULL));
    check(dagstore_acquire(store, argv[2], DAGSTORE_WAIT_FOREVER, &shard, NULL));
    uint64_t total = pass(shard, cids, count, cid_size);
    double start = now();
    total -= pass(shard, cids, count, cid_size);
    double get = (now() - start) / (double)count;
    dagstore_shard_release(shard);
    if (total != 0) return 1;

    enum { ACQUISITIONS = 200000 };
    start = now();
    for (int index = 0; index < ACQUISITIONS; index++) {
        check(dagstore_acquire(store, argv[2], 0, &shard, NULL));
        dagstore_shard_release(shard);
    }
    printf("%.2f %.2f\n", get, (now() - start) / ACQUISITIONS);
    dagstore_close(store);
    free(cids);
    return 0;
}
