/*
 * Runs the conformance table against libdagstore, through its C interface.
 *
 *     cc -std=c11 -Wall -Wextra -Werror runner.c $(pkg-config --cflags --libs dagstore) -o runner
 *     ./runner cases.jsonl
 *
 * A step has an operation, arguments and the expected result; the README describes all of them. The runner
 * prints each step whose result is another one, and exits with status 1 if there is any.
 */
#define _XOPEN_SOURCE 700
#include <dagstore.h>
#include <errno.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* ---- Memory and texts ------------------------------------------------------------------------ */

/* Ends the runner: the table or this machine is at fault, not the library. */
static _Noreturn void fail(const char *what, const char *subject) {
    fprintf(stderr, "conformance: %s: %s\n", what, subject);
    exit(2);
}

/* Memory of one step. */
struct piece {
    struct piece *next;
    max_align_t bytes[];
};

static struct piece *pieces;

/* Allocates memory that lasts until the end of the step. */
static void *allocate(size_t size) {
    struct piece *piece = malloc(sizeof *piece + size + 1);
    if (piece == NULL) fail("allocate", "no memory");
    piece->next = pieces;
    pieces = piece;
    return piece->bytes;
}

/* Frees the memory of the step. */
static void free_all(void) {
    while (pieces != NULL) {
        struct piece *piece = pieces;
        pieces = piece->next;
        free(piece);
    }
}

/* The result of the step, which ends with NUL. */
static struct {
    char *text;
    size_t size, capacity;
} result;

static void append_bytes(const char *bytes, size_t size) {
    if (result.size + size + 1 > result.capacity) {
        result.capacity = 2 * (result.size + size) + 256;
        result.text = realloc(result.text, result.capacity);
        if (result.text == NULL) fail("append", "no memory");
    }
    memcpy(result.text + result.size, bytes, size);
    result.size += size;
    result.text[result.size] = 0;
}

static void append(const char *text) { append_bytes(text, strlen(text)); }

static void append_number(uint64_t number) {
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, number);
    append(text);
}

static void append_hex(const uint8_t *bytes, size_t size) {
    for (size_t index = 0; index < size; index++) {
        char digits[3];
        snprintf(digits, sizeof digits, "%02x", bytes[index]);
        append_bytes(digits, 2);
    }
}

static void clear_result(void) {
    result.size = 0;
    append("");
}

/* Begins a word of a list. */
static void begin_word(void) {
    if (result.size > 0) append(" ");
}

/* Ends a list: the empty one is written "-". */
static void end_list(void) {
    if (result.size == 0) append("-");
}

/* Appends numbers, joined by `separator`. */
static void append_numbers(const char *separator, size_t count, ...) {
    va_list numbers;
    va_start(numbers, count);
    for (size_t index = 0; index < count; index++) {
        if (index > 0) append(separator);
        append_number(va_arg(numbers, uint64_t));
    }
    va_end(numbers);
}

/* ---- The table ------------------------------------------------------------------------------- */

/* A step: the names and values of a flat JSON object. */
static struct {
    const char *names[16], *values[16];
    size_t count;
    size_t line;
} step;

static const char *directory; /* of the runner's files: $DIR in arguments */

static _Noreturn void fail_line(void) {
    char number[24];
    snprintf(number, sizeof number, "%zu", step.line);
    fail("a malformed line of the table", number);
}

/* Appends a code point in UTF-8. */
static size_t encode(unsigned code, char *text) {
    if (code < 0x80) {
        text[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        text[0] = (char)(0xc0 | code >> 6);
        text[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    text[0] = (char)(0xe0 | code >> 12);
    text[1] = (char)(0x80 | (code >> 6 & 0x3f));
    text[2] = (char)(0x80 | (code & 0x3f));
    return 3;
}

/* Reads a JSON string, and moves `*json` behind it. */
static char *parse_text(const char **json) {
    const char *from = *json;
    if (*from++ != '"') fail_line();
    char *text = allocate(strlen(from)), *to = text;
    for (; *from != '"'; from++) {
        if (*from == 0) fail_line();
        if (*from != '\\') {
            *to++ = *from;
            continue;
        }
        switch (*++from) {
        case 'n': *to++ = '\n'; break;
        case 't': *to++ = '\t'; break;
        case '"':
        case '\\': *to++ = *from; break;
        case 'u': {
            unsigned code;
            if (strspn(from + 1, "0123456789abcdefABCDEF") < 4 || sscanf(from + 1, "%4x", &code) != 1) fail_line();
            to += encode(code, to);
            from += 4;
            break;
        }
        default: fail_line();
        }
    }
    *to = 0;
    *json = from + 1;
    return text;
}

static void skip_spaces(const char **json) { *json += strspn(*json, " \t\r\n"); }

/* Reads a line of the table into `step`. */
static void parse_step(const char *json) {
    step.count = 0;
    skip_spaces(&json);
    if (*json++ != '{') fail_line();
    skip_spaces(&json);
    while (*json != '}') {
        if (step.count == sizeof step.names / sizeof *step.names) fail_line();
        step.names[step.count] = parse_text(&json);
        skip_spaces(&json);
        if (*json++ != ':') fail_line();
        skip_spaces(&json);
        step.values[step.count++] = parse_text(&json);
        skip_spaces(&json);
        if (*json == ',') json++;
        skip_spaces(&json);
    }
}

/* Returns the value of a name; NULL if the step lacks it. */
static const char *find(const char *name) {
    for (size_t index = 0; index < step.count; index++)
        if (strcmp(step.names[index], name) == 0) return step.values[index];
    return NULL;
}

/* Returns an argument with $DIR replaced; "" if the step lacks it. */
static const char *argument(const char *name) {
    const char *value = find(name);
    if (value == NULL) return "";
    size_t count = 0;
    for (const char *at = value; (at = strstr(at, "$DIR")) != NULL; at += 4) count++;
    char *text = allocate(strlen(value) + count * strlen(directory)), *to = text;
    while (*value != 0) {
        if (strncmp(value, "$DIR", 4) == 0) {
            to = strcpy(to, directory) + strlen(directory);
            value += 4;
        } else {
            *to++ = *value++;
        }
    }
    *to = 0;
    return text;
}

static uint64_t number(const char *name) { return strtoull(argument(name), NULL, 10); }

static uint32_t timeout(void) { return find("timeout") == NULL ? DAGSTORE_WAIT_FOREVER : (uint32_t)number("timeout"); }

/* Bytes of an argument. */
struct bytes {
    uint8_t *data;
    size_t size;
};

static struct bytes unhex(const char *text) {
    struct bytes bytes = {allocate(strlen(text) / 2), strlen(text) / 2};
    for (size_t index = 0; index < bytes.size; index++) {
        unsigned value;
        if (sscanf(text + 2 * index, "%2x", &value) != 1) fail_line();
        bytes.data[index] = (uint8_t)value;
    }
    return bytes;
}

/* ---- The library ----------------------------------------------------------------------------- */

static dagstore_t *store;
static dagstore_error_t *last_error; /* of the last step that failed */
static char room[1 << 20];           /* for keys, CIDs, blocks and texts */

/* The error of the step's call: the last argument of all functions. */
static dagstore_error_t *error;

static struct {
    char name[32];
    dagstore_shard_t *shard;
} leases[64];

/* Returns the place of a lease; a new one if no lease has the name. */
static dagstore_shard_t **lease_place(const char *name) {
    size_t unused = 0;
    for (size_t index = 0; index < sizeof leases / sizeof *leases; index++) {
        if (strcmp(leases[index].name, name) == 0) return &leases[index].shard;
        if (leases[index].name[0] == 0) unused = index;
    }
    if (leases[unused].name[0] != 0 || strlen(name) >= sizeof leases->name) fail("too many leases", name);
    strcpy(leases[unused].name, name);
    return &leases[unused].shard;
}

static dagstore_shard_t *lease(void) { return *lease_place(argument("lease")); }

/* Reads a CID: its text, or 0x and any bytes in hex. */
static dagstore_status_t read_cid(const char *text, struct bytes *cid) {
    if (strncmp(text, "0x", 2) == 0) {
        *cid = unhex(text + 2);
        return DAGSTORE_OK;
    }
    size_t capacity = strlen(text) + DAGSTORE_CID_SIZE;
    cid->data = allocate(capacity);
    return dagstore_cid_parse(text, cid->data, capacity, &cid->size, &error);
}

static dagstore_status_t append_cid(const uint8_t *cid, size_t cid_size) {
    size_t size;
    dagstore_status_t status = dagstore_cid_format(cid, cid_size, room, sizeof room, &size, &error);
    if (status == DAGSTORE_OK) append(room);
    return status;
}

static void append_block(dagstore_block_t *block) {
    dagstore_bytes_t bytes = dagstore_block_bytes(block);
    append_hex(bytes.data, bytes.size);
    dagstore_block_release(block);
}

static const char *state_name(uint32_t state) {
    static const char *const names[] = {"none",    "registered", "initializing", "available",
                                        "serving", "recovering", "failed"};
    return state < sizeof names / sizeof *names ? names[state] : "unknown";
}

/* Tells whether a text of words joined by spaces has a word. */
static bool has_word(const char *text, const char *word) {
    size_t size = strlen(word);
    for (const char *at = text; (at = strstr(at, word)) != NULL; at += size)
        if ((at == text || at[-1] == ' ') && (at[size] == 0 || at[size] == ' ')) return true;
    return false;
}

/* ---- Mounts that read files ------------------------------------------------------------------ */

static const char *path_of(const char *url) { return strstr(url, "://") + 3; }

static dagstore_status_t mount_stat(void *context, const char *url, dagstore_mount_stat_t *out_stat,
                                    dagstore_error_t **out_error) {
    (void)context, (void)out_error;
    struct stat found;
    if (stat(path_of(url), &found) != 0) return DAGSTORE_MOUNT_GONE;
    out_stat->bytes = (uint64_t)found.st_size;
    return DAGSTORE_OK;
}

static dagstore_status_t mount_open(void *context, const char *url, void **out_source, uint64_t *out_bytes,
                                    dagstore_error_t **out_error) {
    (void)context, (void)out_error;
    struct stat found;
    FILE *file = fopen(path_of(url), "rb");
    if (file == NULL) return DAGSTORE_MOUNT_GONE;
    if (fstat(fileno(file), &found) != 0) {
        fclose(file);
        return DAGSTORE_MOUNT_UNREACHABLE;
    }
    *out_source = file;
    *out_bytes = (uint64_t)found.st_size;
    return DAGSTORE_OK;
}

static dagstore_status_t mount_read_at(void *context, void *source, uint64_t offset, uint8_t *buffer, size_t capacity,
                                       size_t *out_size, dagstore_error_t **out_error) {
    (void)context, (void)out_error;
    ssize_t size = pread(fileno(source), buffer, capacity, (off_t)offset);
    if (size < 0) return DAGSTORE_MOUNT_UNREACHABLE;
    *out_size = (size_t)size;
    return DAGSTORE_OK;
}

static void mount_close(void *context, void *source) {
    (void)context;
    fclose(source);
}

/* ---- Steps on files -------------------------------------------------------------------------- */

/* Makes the folders above a path. */
static void make_folders(const char *path) {
    char *folder = allocate(strlen(path));
    strcpy(folder, path);
    for (char *at = strchr(folder + 1, '/'); at != NULL; at = strchr(at + 1, '/')) {
        *at = 0;
        if (mkdir(folder, 0777) != 0 && errno != EEXIST) fail("mkdir", folder);
        *at = '/';
    }
}

static dagstore_status_t run_file(void) {
    const char *path = argument("path");
    struct bytes bytes = unhex(find("hex"));
    char *next = allocate(strlen(path) + 5);
    sprintf(next, "%s.next", path);
    make_folders(path);
    FILE *file = fopen(next, "wb");
    if (file == NULL || fwrite(bytes.data, 1, bytes.size, file) != bytes.size || fclose(file) != 0) fail("write", next);
    /* A file that exists is replaced, so that mapped bytes stay. */
    if (rename(next, path) != 0) fail("rename", next);
    return DAGSTORE_OK;
}

static dagstore_status_t run_remove(void) {
    if (unlink(argument("path")) != 0) fail("remove", argument("path"));
    return DAGSTORE_OK;
}

static dagstore_status_t run_truncate(void) {
    if (truncate(argument("path"), (off_t)number("size")) != 0) fail("truncate", argument("path"));
    return DAGSTORE_OK;
}

/* ---- Steps on stores ------------------------------------------------------------------------- */

static dagstore_status_t open_store(dagstore_mounts_t *mounts, dagstore_t **opened) {
    dagstore_mount_vtable_t vtable = {
        .size = sizeof vtable,
        .access = DAGSTORE_ACCESS_SEQUENTIAL,
        .stat = mount_stat,
        .open = mount_open,
        .read_at = mount_read_at,
        .close = mount_close,
    };
    dagstore_status_t status = dagstore_mounts_add(mounts, "sequential", &vtable, NULL, &error);
    if (status < 0) return status;
    vtable.access = DAGSTORE_ACCESS_RANDOM;
    status = dagstore_mounts_add(mounts, "random", &vtable, NULL, &error);
    if (status < 0) return status;
    dagstore_config_t config;
    status = dagstore_config_init(&config, sizeof config, &error);
    if (status < 0) return status;
    const char *flags = argument("flags");
    if (has_word(flags, "readonly")) config.flags |= DAGSTORE_OPEN_READ_ONLY;
    if (has_word(flags, "leavesInterrupted")) config.flags |= DAGSTORE_OPEN_LEAVES_INTERRUPTED;
    if (has_word(flags, "unmapped")) config.flags |= DAGSTORE_OPEN_UNMAPPED;
    if (has_word(flags, "refusesNullPadding")) config.flags |= DAGSTORE_OPEN_REFUSES_NULL_PADDING;
    config.mounts = mounts;
    return dagstore_open(argument("path"), &config, opened, &error);
}

static dagstore_status_t run_open(void) {
    dagstore_mounts_t *mounts;
    dagstore_t *opened;
    dagstore_status_t status = dagstore_mounts_new(&mounts, &error);
    if (status < 0) return status;
    status = open_store(mounts, &opened);
    dagstore_mounts_release(mounts);
    if (status < 0) return status;
    dagstore_close(store);
    store = opened;
    return DAGSTORE_OK;
}

static dagstore_status_t run_close(void) {
    dagstore_close(store);
    store = NULL;
    return DAGSTORE_OK;
}

static dagstore_status_t run_shutdown(void) { return dagstore_shutdown(store, 0, &error); }

static dagstore_status_t run_shards(void) {
    dagstore_shards_t *shards;
    dagstore_info_t info = {.size = sizeof info};
    dagstore_status_t status = dagstore_shards_open(store, NULL, &shards, &error);
    if (status < 0) return status;
    while ((status = dagstore_shards_next(shards, &info, &error)) == DAGSTORE_OK) {
        begin_word();
        append(info.key);
    }
    dagstore_shards_close(shards);
    end_list();
    return status;
}

static dagstore_status_t run_statistics(void) {
    dagstore_statistics_t counts = {.size = sizeof counts};
    dagstore_status_t status = dagstore_statistics(store, &counts, &error);
    if (status < 0) return status;
    const struct {
        const char *name;
        uint64_t value;
    } fields[] = {
        {"shards", counts.shards},         {"available", counts.available},
        {"failed", counts.failed},         {"blocks", counts.blocks},
        {"leases", counts.leases},         {"payloadBytes", counts.payload_bytes},
        {"transients", counts.transients},
    };
    char *words = allocate(strlen(argument("fields")));
    strcpy(words, argument("fields"));
    for (char *word = strtok(words, " "); word != NULL; word = strtok(NULL, " ")) {
        begin_word();
        for (size_t index = 0; index < sizeof fields / sizeof *fields; index++)
            if (strcmp(fields[index].name, word) == 0) append_number(fields[index].value);
    }
    return DAGSTORE_OK;
}

static dagstore_status_t run_collect(void) {
    dagstore_garbage_t garbage = {.size = sizeof garbage};
    dagstore_status_t status = dagstore_collect_garbage(store, number("quota"), &garbage, &error);
    if (status == DAGSTORE_OK) append_numbers(" ", 4, garbage.removed, garbage.kept, garbage.in_use, garbage.failed);
    return status;
}

static dagstore_status_t run_check(void) {
    dagstore_check_t check = {.size = sizeof check};
    uint32_t flags = 0;
    if (has_word(argument("flags"), "deep")) flags |= DAGSTORE_CHECK_DEEP;
    if (has_word(argument("flags"), "repair")) flags |= DAGSTORE_CHECK_REPAIR;
    dagstore_status_t status = dagstore_check(store, flags, &check, NULL, &error);
    if (status < 0) return status;
    append(check.is_sound ? "sound " : "unsound ");
    append_number(check.problems);
    return DAGSTORE_OK;
}

/* ---- Steps on shards ------------------------------------------------------------------------- */

static dagstore_status_t run_register(void) {
    const char *how = argument("how");
    uint32_t flags = 0;
    if (strcmp(how, "lazy") == 0) flags = DAGSTORE_REGISTER_LAZY;
    if (strcmp(how, "background") == 0) flags = DAGSTORE_REGISTER_BACKGROUND;
    return dagstore_register(store, argument("key"), argument("url"), flags, &error);
}

static dagstore_status_t run_initialize(void) { return dagstore_initialize(store, argument("key"), &error); }

static dagstore_status_t run_recover(void) { return dagstore_recover(store, argument("key"), &error); }

static dagstore_status_t run_destroy(void) { return dagstore_destroy(store, argument("key"), &error); }

static dagstore_status_t run_relocate(void) {
    return dagstore_relocate(store, argument("key"), argument("url"), &error);
}

static dagstore_status_t run_policy(void) {
    static const char *const names[] = {"automatic", "remote", "cache", "copy"};
    uint32_t policy = 0;
    while (policy < 4 && strcmp(names[policy], argument("policy")) != 0) policy++;
    return dagstore_set_policy(store, argument("key"), policy, &error);
}

/* Waits until the shard has a state, for at most 30 seconds. */
static dagstore_status_t run_wait(void) {
    time_t end = time(NULL) + 30;
    uint32_t state;
    for (;;) {
        dagstore_status_t status = dagstore_state(store, argument("key"), &state, &error);
        if (status < 0) return status;
        if (strcmp(state_name(state), argument("state")) == 0) return DAGSTORE_OK;
        if (time(NULL) > end) break;
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    append(state_name(state));
    return DAGSTORE_OK;
}

static dagstore_status_t run_state(void) {
    uint32_t state;
    dagstore_status_t status = dagstore_state(store, argument("key"), &state, &error);
    if (status == DAGSTORE_OK) append(state_name(state));
    return status;
}

static dagstore_status_t run_info(void) {
    dagstore_shards_t *shards;
    dagstore_info_t info = {.size = sizeof info};
    dagstore_status_t status = dagstore_shards_open(store, argument("key"), &shards, &error);
    if (status < 0) return status;
    status = dagstore_shards_next(shards, &info, &error);
    if (status == DAGSTORE_OK) {
        append(state_name(info.state));
        append(" ");
        append_numbers(" ", 3, info.block_count, info.payload_size, info.references);
        append(" ");
        append(dagstore_status_name(info.error_status));
    }
    dagstore_shards_close(shards);
    return status;
}

/* Steps a cursor as often as the argument `after` says, and opens another one at its place. */
static dagstore_status_t skip_multihashes(dagstore_multihashes_t **multihashes) {
    dagstore_bytes_t multihash;
    dagstore_status_t status = DAGSTORE_OK;
    for (uint64_t count = number("after"); count > 0 && status == DAGSTORE_OK; count--)
        status = dagstore_multihashes_next(*multihashes, &multihash, &error);
    if (status < 0) return status;
    const char *text = dagstore_multihashes_cursor(*multihashes);
    char *cursor = strcpy(allocate(strlen(text)), text);
    dagstore_multihashes_close(*multihashes);
    *multihashes = NULL;
    if (*cursor == 0) return DAGSTORE_DONE;
    return dagstore_multihashes_open(store, argument("key"), cursor, multihashes, &error);
}

static dagstore_status_t run_multihashes(void) {
    dagstore_multihashes_t *multihashes;
    dagstore_bytes_t multihash;
    dagstore_status_t status = dagstore_multihashes_open(store, argument("key"), NULL, &multihashes, &error);
    if (status < 0) return status;
    if (find("after") != NULL) status = skip_multihashes(&multihashes);
    while (status == DAGSTORE_OK) {
        status = dagstore_multihashes_next(multihashes, &multihash, &error);
        if (status != DAGSTORE_OK) break;
        begin_word();
        append_hex(multihash.data, multihash.size);
    }
    dagstore_multihashes_close(multihashes);
    end_list();
    return status;
}

static dagstore_status_t run_multihash_offsets(void) {
    dagstore_multihashes_t *multihashes;
    dagstore_bytes_t multihash;
    uint64_t offset;
    dagstore_status_t status = dagstore_multihashes_open(store, argument("key"), NULL, &multihashes, &error);
    if (status < 0) return status;
    while ((status = dagstore_multihashes_next_section(multihashes, &multihash, &offset, &error)) == DAGSTORE_OK) {
        begin_word();
        append_number(offset);
    }
    dagstore_multihashes_close(multihashes);
    end_list();
    return status;
}

/* ---- Steps on leases ------------------------------------------------------------------------- */

static dagstore_status_t run_acquire(void) {
    dagstore_shard_t *shard;
    dagstore_status_t status = dagstore_acquire(store, argument("key"), timeout(), &shard, &error);
    if (status < 0) return status;
    dagstore_shard_t **place = lease_place(argument("lease"));
    dagstore_shard_release(*place);
    *place = shard;
    return DAGSTORE_OK;
}

static dagstore_status_t run_release(void) {
    dagstore_shard_t **place = lease_place(argument("lease"));
    dagstore_shard_release(*place);
    *place = NULL;
    return DAGSTORE_OK;
}

static dagstore_status_t run_lease_key(void) {
    size_t size;
    dagstore_status_t status = dagstore_shard_key(lease(), room, sizeof room, &size, &error);
    if (status == DAGSTORE_OK) append(room);
    return status;
}

static dagstore_status_t run_lease_count(void) {
    append_number(dagstore_shard_block_count(lease()));
    return DAGSTORE_OK;
}

static dagstore_status_t run_lease_roots(void) {
    for (size_t index = 0; index < dagstore_shard_root_count(lease()); index++) {
        size_t capacity = 4096, size;
        uint8_t *root = allocate(capacity);
        dagstore_status_t status = dagstore_shard_root(lease(), index, root, capacity, &size, &error);
        if (status < 0) return status;
        begin_word();
        status = append_cid(root, size);
        if (status < 0) return status;
    }
    end_list();
    return DAGSTORE_OK;
}

static dagstore_status_t run_lease_contains(void) {
    struct bytes cid;
    bool contains;
    dagstore_status_t status = read_cid(argument("cid"), &cid);
    if (status < 0) return status;
    status = dagstore_shard_contains(lease(), cid.data, cid.size, &contains, &error);
    if (status == DAGSTORE_OK) append(contains ? "true" : "false");
    return status;
}

static dagstore_status_t run_lease_locate(void) {
    struct bytes cid;
    dagstore_location_t location = {.size = sizeof location};
    dagstore_status_t status = read_cid(argument("cid"), &cid);
    if (status < 0) return status;
    status = dagstore_shard_locate(lease(), cid.data, cid.size, &location, &error);
    if (status == DAGSTORE_OK) append_numbers(" ", 3, location.offset, location.block_offset, location.block_size);
    return status;
}

static dagstore_status_t run_lease_get(void) {
    struct bytes cid;
    dagstore_block_t *block;
    dagstore_status_t status = read_cid(argument("cid"), &cid);
    if (status < 0) return status;
    status = dagstore_shard_get(lease(), cid.data, cid.size, &block, &error);
    if (status == DAGSTORE_OK) append_block(block);
    return status;
}

static dagstore_status_t run_lease_read(void) {
    struct bytes cid;
    size_t size;
    dagstore_status_t status = read_cid(argument("cid"), &cid);
    if (status < 0) return status;
    status = dagstore_shard_read(lease(), cid.data, cid.size, (uint8_t *)room, sizeof room, &size, &error);
    if (status == DAGSTORE_OK) append_hex((uint8_t *)room, size);
    return status;
}

static dagstore_status_t run_lease_verified(void) {
    struct bytes cid;
    dagstore_block_t *block, *verified;
    dagstore_status_t status = read_cid(argument("cid"), &cid);
    if (status < 0) return status;
    status = dagstore_shard_get(lease(), cid.data, cid.size, &block, &error);
    if (status < 0) return status;
    status = dagstore_block_verified(block, cid.data, cid.size, &verified, &error);
    dagstore_block_release(block);
    if (status == DAGSTORE_OK) append_block(verified);
    return status;
}

/* The CIDs of a batch, one directly after the other. */
struct batch {
    uint8_t *cids;
    uint32_t *sizes;
    size_t count;
    dagstore_batch_item_t *items;
};

static dagstore_status_t read_batch(struct batch *batch) {
    const char *text = argument("cids");
    char *words = strcpy(allocate(strlen(text)), text);
    size_t total = 0;
    batch->cids = allocate(strlen(text));
    batch->sizes = allocate((strlen(text) / 2 + 1) * sizeof *batch->sizes);
    batch->items = allocate((strlen(text) / 2 + 1) * sizeof *batch->items);
    batch->count = 0;
    for (char *word = strtok(words, " "); word != NULL; word = strtok(NULL, " ")) {
        struct bytes cid;
        dagstore_status_t status = read_cid(word, &cid);
        if (status < 0) return status;
        memcpy(batch->cids + total, cid.data, cid.size);
        total += cid.size;
        batch->sizes[batch->count++] = (uint32_t)cid.size;
    }
    return DAGSTORE_OK;
}

static void append_item(const dagstore_batch_item_t *item, const uint8_t *bytes) {
    begin_word();
    if (item->status < 0) {
        append(dagstore_status_name(item->status));
    } else if (item->size == 0) {
        append("-");
    } else {
        append_hex(bytes, item->size);
    }
}

static dagstore_status_t run_lease_get_many(void) {
    struct batch batch;
    dagstore_block_t *blocks;
    dagstore_status_t status = read_batch(&batch);
    if (status < 0) return status;
    status = dagstore_shard_get_many(lease(), batch.cids, batch.sizes, batch.count, batch.items, &blocks, &error);
    if (status < 0) return status;
    for (size_t index = 0; index < batch.count; index++) append_item(&batch.items[index], batch.items[index].data);
    dagstore_block_release(blocks);
    end_list();
    return DAGSTORE_OK;
}

static dagstore_status_t run_lease_read_many(void) {
    struct batch batch;
    size_t size;
    uint8_t *buffer = (uint8_t *)room;
    dagstore_status_t status = read_batch(&batch);
    if (status < 0) return status;
    status = dagstore_shard_read_many(lease(), batch.cids, batch.sizes, batch.count, buffer, sizeof room, batch.items,
                                      &size, &error);
    if (status < 0) return status;
    for (size_t index = 0; index < batch.count; index++)
        append_item(&batch.items[index], buffer + batch.items[index].offset);
    end_list();
    return DAGSTORE_OK;
}

static dagstore_status_t run_lease_offsets(void) {
    struct bytes cid;
    size_t capacity = 4096, count;
    uint64_t *offsets = allocate(capacity * sizeof *offsets);
    dagstore_status_t status = read_cid(argument("cid"), &cid);
    if (status < 0) return status;
    status = dagstore_shard_offsets(lease(), cid.data, cid.size, offsets, capacity, &count, &error);
    if (status < 0) return status;
    for (size_t index = 0; index < count; index++) {
        begin_word();
        append_number(offsets[index]);
    }
    return DAGSTORE_OK;
}

static dagstore_status_t run_lease_sections(void) {
    dagstore_entries_t *entries;
    dagstore_entry_t entry = {.size = sizeof entry};
    dagstore_status_t status = dagstore_entries_open(lease(), &entries, &error);
    if (status < 0) return status;
    while ((status = dagstore_entries_next(entries, &entry, &error)) == DAGSTORE_OK) {
        begin_word();
        status = append_cid(entry.cid.data, entry.cid.size);
        if (status < 0) break;
        append(":");
        append_numbers(":", 2, entry.offset, entry.block_size);
    }
    dagstore_entries_close(entries);
    end_list();
    return status;
}

/* ---- Steps on all shards --------------------------------------------------------------------- */

static dagstore_status_t run_get(void) {
    struct bytes cid;
    dagstore_block_t *block;
    dagstore_status_t status = read_cid(argument("cid"), &cid);
    if (status < 0) return status;
    status = dagstore_get(store, cid.data, cid.size, timeout(), &block, &error);
    if (status == DAGSTORE_OK) append_block(block);
    return status;
}

static dagstore_status_t run_has(void) {
    struct bytes cid;
    bool contains;
    dagstore_status_t status = read_cid(argument("cid"), &cid);
    if (status < 0) return status;
    status = dagstore_contains(store, cid.data, cid.size, &contains, &error);
    if (status == DAGSTORE_OK) append(contains ? "true" : "false");
    return status;
}

static dagstore_status_t run_size(void) {
    struct bytes cid;
    uint64_t size;
    dagstore_status_t status = read_cid(argument("cid"), &cid);
    if (status < 0) return status;
    status = dagstore_block_size(store, cid.data, cid.size, &size, &error);
    if (status == DAGSTORE_OK) append_number(size);
    return status;
}

static dagstore_status_t run_find(void) {
    struct bytes cid;
    dagstore_places_t *places;
    dagstore_place_t place = {.size = sizeof place};
    dagstore_status_t status = read_cid(argument("cid"), &cid);
    if (status < 0) return status;
    status = dagstore_find(store, cid.data, cid.size, &places, &error);
    if (status < 0) return status;
    while ((status = dagstore_places_next(places, &place, &error)) == DAGSTORE_OK) {
        begin_word();
        append(place.key);
        append(":");
        append_numbers(":", 3, place.offset, place.block_offset, place.block_size);
    }
    dagstore_places_close(places);
    end_list();
    return status;
}

static dagstore_status_t run_holders(void) {
    struct bytes multihash = unhex(argument("multihash"));
    size_t size, count;
    dagstore_status_t status =
        dagstore_holders(store, multihash.data, multihash.size, room, sizeof room, &size, &count, &error);
    if (status < 0) return status;
    for (const char *key = room; count > 0; count--, key += strlen(key) + 1) {
        begin_word();
        append(key);
    }
    end_list();
    return DAGSTORE_OK;
}

/* ---- Steps without a store ------------------------------------------------------------------- */

static dagstore_status_t run_cid_parse(void) {
    const char *text = argument("text");
    size_t capacity = strlen(text) + DAGSTORE_CID_SIZE, size;
    uint8_t *cid = allocate(capacity);
    dagstore_status_t status = dagstore_cid_parse(text, cid, capacity, &size, &error);
    if (status == DAGSTORE_OK) append_hex(cid, size);
    return status;
}

static dagstore_status_t run_cid_format(void) {
    struct bytes cid = unhex(argument("cid"));
    return append_cid(cid.data, cid.size);
}

static dagstore_status_t run_cid_split(void) {
    struct bytes cid = unhex(argument("cid"));
    dagstore_cid_parts_t parts = {.size = sizeof parts};
    dagstore_status_t status = dagstore_cid_split(cid.data, cid.size, &parts, &error);
    if (status < 0) return status;
    append_numbers(" ", 3, (uint64_t)parts.version, parts.codec, parts.hash_code);
    append(" ");
    append_hex(parts.digest.data, parts.digest.size);
    return DAGSTORE_OK;
}

static dagstore_status_t run_cid_make(void) {
    struct bytes multihash = unhex(argument("multihash"));
    size_t capacity = multihash.size + DAGSTORE_CID_SIZE, size;
    uint8_t *cid = allocate(capacity);
    dagstore_status_t status =
        dagstore_cid_make(number("codec"), multihash.data, multihash.size, cid, capacity, &size, &error);
    if (status == DAGSTORE_OK) append_hex(cid, size);
    return status;
}

static dagstore_status_t run_car_inspect(void) {
    dagstore_car_t *car;
    dagstore_car_info_t info = {.size = sizeof info};
    dagstore_status_t status = dagstore_car_open(argument("path"), &car, &error);
    if (status < 0) return status;
    status = dagstore_car_inspect(car, &info, &error);
    dagstore_car_close(car);
    if (status < 0) return status;
    append_numbers(" ", 5, (uint64_t)info.version, info.roots, info.sections, info.data_offset, info.data_size);
    return DAGSTORE_OK;
}

static dagstore_status_t run_car_verify(void) {
    dagstore_car_t *car;
    dagstore_car_verification_t counts = {.size = sizeof counts};
    dagstore_status_t status = dagstore_car_open(argument("path"), &car, &error);
    if (status < 0) return status;
    status = dagstore_car_verify(car, 0, &counts, &error);
    dagstore_car_close(car);
    if (status == DAGSTORE_OK) append_numbers(" ", 3, counts.sections, counts.unverified, counts.mismatches);
    return status;
}

static dagstore_status_t run_error(void) {
    const char *shard = dagstore_error_shard(last_error);
    uint64_t offset;
    if (strcmp(argument("field"), "offset") == 0) {
        if (dagstore_error_offset(last_error, &offset)) append_number(offset);
    } else if (shard != NULL) {
        append(shard);
    }
    end_list();
    return DAGSTORE_OK;
}

/* ---- The runner ------------------------------------------------------------------------------ */

static const struct {
    const char *op;
    dagstore_status_t (*run)(void);
    bool has_result; /* an empty result is one, and not "ok" */
} operations[] = {
    {"file", run_file, false},
    {"remove", run_remove, false},
    {"truncate", run_truncate, false},
    {"open", run_open, false},
    {"close", run_close, false},
    {"shutdown", run_shutdown, false},
    {"shards", run_shards, true},
    {"statistics", run_statistics, true},
    {"collect", run_collect, true},
    {"check", run_check, true},
    {"register", run_register, false},
    {"initialize", run_initialize, false},
    {"recover", run_recover, false},
    {"destroy", run_destroy, false},
    {"relocate", run_relocate, false},
    {"policy", run_policy, false},
    {"wait", run_wait, false},
    {"state", run_state, true},
    {"info", run_info, true},
    {"multihashes", run_multihashes, true},
    {"multihash.offsets", run_multihash_offsets, true},
    {"acquire", run_acquire, false},
    {"release", run_release, false},
    {"lease.key", run_lease_key, true},
    {"lease.count", run_lease_count, true},
    {"lease.roots", run_lease_roots, true},
    {"lease.contains", run_lease_contains, true},
    {"lease.locate", run_lease_locate, true},
    {"lease.get", run_lease_get, true},
    {"lease.read", run_lease_read, true},
    {"lease.verified", run_lease_verified, true},
    {"lease.get_many", run_lease_get_many, true},
    {"lease.read_many", run_lease_read_many, true},
    {"lease.offsets", run_lease_offsets, true},
    {"lease.sections", run_lease_sections, true},
    {"get", run_get, true},
    {"has", run_has, true},
    {"size", run_size, true},
    {"find", run_find, true},
    {"holders", run_holders, true},
    {"cid.parse", run_cid_parse, true},
    {"cid.format", run_cid_format, true},
    {"cid.split", run_cid_split, true},
    {"cid.make", run_cid_make, true},
    {"car.inspect", run_car_inspect, true},
    {"car.verify", run_car_verify, true},
    {"error", run_error, true},
};

/* Runs the step, and leaves its result in `result`. */
static void run_step(void) {
    const char *op = find("op");
    size_t index = 0, count = sizeof operations / sizeof *operations;
    if (op == NULL || find("is") == NULL) fail_line();
    while (index < count && strcmp(operations[index].op, op) != 0) index++;
    if (index == count) fail("unknown step", op);
    clear_result();
    error = NULL;
    dagstore_status_t status = operations[index].run();
    if (status < 0) {
        clear_result();
        append(dagstore_status_name(status));
        dagstore_error_release(last_error);
        last_error = error;
    } else if (!operations[index].has_result && result.size == 0) {
        append("ok");
    }
}

/* Runs all steps of a table, and returns the number of differences. */
static size_t run_table(FILE *table) {
    char *line = NULL, *case_name = NULL;
    size_t capacity = 0, cases = 0, passed = 0, differences = 0;
    while (getline(&line, &capacity, table) > 0) {
        step.line++;
        if (line[0] == '\n' || line[0] == '#') continue;
        parse_step(line);
        if (find("case") != NULL) {
            cases++;
            free(case_name);
            case_name = strdup(find("case"));
        }
        run_step();
        if (strcmp(result.text, find("is")) == 0) {
            passed++;
        } else {
            differences++;
            printf("%zu: %s: expected %s, found %s\n", step.line, case_name == NULL ? "" : case_name, find("is"),
                   result.text);
        }
        free_all();
    }
    free(line);
    free(case_name);
    printf("conformance: %zu cases, %zu steps passed\n", cases, passed);
    return passed == 0 ? 1 : differences;
}

static int remove_entry(const char *path, const struct stat *found, int type, struct FTW *place) {
    (void)found, (void)type, (void)place;
    return remove(path);
}

int main(int argc, char **argv) {
    if (argc != 2) fail("usage", "runner TABLE");
    if (dagstore_abi_version() != DAGSTORE_ABI_VERSION) fail("the library has another ABI version", dagstore_version());
    FILE *table = fopen(argv[1], "r");
    if (table == NULL) fail("open", argv[1]);
    const char *temporary = getenv("TMPDIR");
    char folder[4096];
    snprintf(folder, sizeof folder, "%s/conformance-XXXXXX", temporary == NULL ? P_tmpdir : temporary);
    directory = mkdtemp(folder);
    if (directory == NULL) fail("mkdtemp", folder);

    size_t differences = run_table(table);
    fclose(table);
    for (size_t index = 0; index < sizeof leases / sizeof *leases; index++) dagstore_shard_release(leases[index].shard);
    dagstore_close(store);
    dagstore_error_release(last_error);
    free(result.text);
    nftw(directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    if (dagstore_live_handles() != 0) fail("handles are left", "give all of them back");
    return differences > 0;
}
