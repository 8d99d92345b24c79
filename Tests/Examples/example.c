/*
 * Registers a CAR, reads and verifies every block, and shows what errors look like.
 *
 *     cc -std=c99 example.c $(pkg-config --cflags --libs dagstore) -o example
 *     ./example STORE_DIRECTORY /absolute/path/of/some.car
 */
#include <dagstore.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Ends the program unless a call succeeded. */
static void check(dagstore_status_t status, dagstore_error_t **error) {
    if (status >= 0) return;
    fprintf(stderr, "%s: %s\n", dagstore_status_name(status), dagstore_error_message(*error));
    dagstore_error_release(*error);
    exit(1);
}

/* Ends the program unless a call failed as expected, with a message. */
static void expect(dagstore_status_t expected, dagstore_status_t status, dagstore_error_t **error) {
    if (status != expected || strlen(dagstore_error_message(*error)) == 0) {
        fprintf(stderr, "expected %s, and not %s\n", dagstore_status_name(expected),
                dagstore_status_name(status));
        exit(1);
    }
    printf("error %s\n", dagstore_status_name(dagstore_error_status(*error)));
    dagstore_error_release(*error);
}

static void print_cid(const char *before, const uint8_t *cid, size_t size) {
    dagstore_error_t *error;
    char text[256];
    size_t text_size;
    check(dagstore_cid_format(cid, size, text, sizeof text, &text_size, &error), &error);
    printf("%s%s", before, text);
}

/* Walks over all sections, and hashes every block. */
static void walk(dagstore_shard_t *shard) {
    dagstore_error_t *error;
    dagstore_entries_t *entries;
    check(dagstore_entries_open(shard, &entries, &error), &error);
    dagstore_entry_t entry = {.size = sizeof entry};
    uint64_t count = 0, bytes = 0;
    while (1) {
        dagstore_status_t status = dagstore_entries_next(entries, &entry, &error);
        check(status, &error);
        if (status == DAGSTORE_DONE) break;
        dagstore_block_t *block, *verified;
        check(dagstore_shard_get(shard, entry.cid.data, entry.cid.size, &block, &error), &error);
        check(dagstore_block_verified(block, entry.cid.data, entry.cid.size, &verified, &error), &error);
        bytes += dagstore_block_bytes(verified).size;
        count += 1;
        dagstore_block_release(verified);
        dagstore_block_release(block);
    }
    dagstore_entries_close(entries);
    printf("walked %" PRIu64 " entries, %" PRIu64 " bytes, verified\n", count, bytes);
}

/* Reads one block in every way. */
static void look(dagstore_t *store, dagstore_shard_t *shard, const uint8_t *cid, size_t cid_size) {
    dagstore_error_t *error;
    bool is_there;
    check(dagstore_shard_contains(shard, cid, cid_size, &is_there, &error), &error);
    if (!is_there) exit(1);
    dagstore_location_t location = {.size = sizeof location};
    check(dagstore_shard_locate(shard, cid, cid_size, &location, &error), &error);

    /* Into the caller's buffer: the first call returns the size. */
    size_t size;
    if (dagstore_shard_read(shard, cid, cid_size, NULL, 0, &size, NULL) != DAGSTORE_BUFFER_TOO_SMALL) exit(1);
    uint8_t *buffer = malloc(size);
    check(dagstore_shard_read(shard, cid, cid_size, buffer, size, &size, &error), &error);

    /* From any shard that has it. */
    dagstore_block_t *block;
    check(dagstore_get(store, cid, cid_size, 0, &block, &error), &error);
    dagstore_bytes_t bytes = dagstore_block_bytes(block);
    if (bytes.size != size || memcmp(bytes.data, buffer, size) != 0) exit(1);
    dagstore_block_release(block);
    free(buffer);

    dagstore_places_t *places;
    check(dagstore_find(store, cid, cid_size, &places, &error), &error);
    dagstore_place_t place = {.size = sizeof place};
    check(dagstore_places_next(places, &place, &error), &error);
    print_cid("root ", cid, cid_size);
    printf(" at %" PRIu64 ", %zu bytes, in %s\n", location.offset, size, place.key);
    dagstore_places_close(places);
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: %s STORE_DIRECTORY CAR_FILE\n", argv[0]);
        return 2;
    }
    if (dagstore_abi_version() != DAGSTORE_ABI_VERSION) return 1;

    dagstore_error_t *error;
    dagstore_config_t config;
    check(dagstore_config_init(&config, sizeof config, &error), &error);
    config.idle_shards_max = 16;
    dagstore_t *store;
    check(dagstore_open(argv[1], &config, &store, &error), &error);

    char url[4096];
    snprintf(url, sizeof url, "file://%s", argv[2]);
    check(dagstore_register(store, "example", url, 0, &error), &error);
    dagstore_shard_t *shard;
    check(dagstore_acquire(store, "example", 10000, &shard, &error), &error);
    printf("blocks %" PRIu64 "\n", dagstore_shard_block_count(shard));
    walk(shard);
    for (size_t index = 0; index < dagstore_shard_root_count(shard); index++) {
        uint8_t root[DAGSTORE_CID_SIZE];
        size_t size;
        check(dagstore_shard_root(shard, index, root, sizeof root, &size, &error), &error);
        look(store, shard, root, size);
    }

    dagstore_shard_t *none;
    expect(DAGSTORE_SHARD_UNKNOWN, dagstore_acquire(store, "nobody", 0, &none, &error), &error);
    size_t size;
    expect(DAGSTORE_INVALID_CID, dagstore_cid_parse("not a CID", NULL, 0, &size, &error), &error);
    expect(DAGSTORE_SHARD_EXISTS, dagstore_register(store, "example", url, 0, &error), &error);

    dagstore_shard_release(shard);
    check(dagstore_destroy(store, "example", &error), &error);
    dagstore_close(store);
    printf("%" PRIu64 " handles left\n", dagstore_live_handles());
    return 0;
}
