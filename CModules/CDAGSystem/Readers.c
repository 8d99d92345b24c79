#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "CDAGSystem.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/syscall.h>
#endif

#if defined(__SANITIZE_THREAD__)
#define UNDER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define UNDER_TSAN 1
#endif
#endif

// Copied from linux/membarrier.h, which older headers lack.
enum {
    membarrierQuery = 0,
    membarrierPrivateExpedited = 1 << 3,
    membarrierRegisterPrivateExpedited = 1 << 4,
};

_Thread_local struct dagstore_reader *dagstore_reader_current DAGSTORE_INITIAL_EXEC;
bool dagstore_readers_need_barriers;
_Atomic uint64_t dagstore_readers_nested;

/// The newest record, the head of the list of all records.
static struct dagstore_reader *_Atomic newest;
static atomic_uint count;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;

static long membarrier(int command) {
#if defined(__linux__) && defined(SYS_membarrier)
    return syscall(SYS_membarrier, command, 0, 0);
#else
    (void)command;
    return -1;
#endif
}

/// Frees the record of a thread that ends, for the next thread.
static void give_back(void *record) {
    struct dagstore_reader *reader = record;
    dagstore_reader_current = NULL;
    // A thread that ends within a reading, as by `pthread_exit`, reads no more.
    for (int depth = 0; depth < DAGSTORE_READER_DEPTH; depth++) {
        uint64_t word = atomic_load_explicit(&reader->marks[depth], memory_order_relaxed) >> 32 << 32;
        atomic_store_explicit(&reader->marks[depth], word, memory_order_release);
    }
    if (reader->depth > DAGSTORE_READER_DEPTH) {
        atomic_fetch_sub(&dagstore_readers_nested, reader->depth - DAGSTORE_READER_DEPTH);
    }
    reader->depth = 0;
    atomic_store_explicit(&reader->is_taken, false, memory_order_release);
}

static void start(void) {
    pthread_key_create(&key, give_back);
    dagstore_readers_need_barriers = true;
#if !defined(UNDER_TSAN)
    long known = membarrier(membarrierQuery);
    if (known >= 0 && (known & membarrierPrivateExpedited)
        && membarrier(membarrierRegisterPrivateExpedited) == 0) {
        dagstore_readers_need_barriers = false;
    }
#endif
}

/// Registers while the process has one thread: with several, the system waits some 7 ms for all processors.
__attribute__((constructor)) static void start_early(void) { pthread_once(&once, start); }

static struct dagstore_reader *take(void) {
    struct dagstore_reader *reader = atomic_load_explicit(&newest, memory_order_acquire);
    for (; reader != NULL; reader = reader->next) {
        bool taken = false;
        if (!atomic_load_explicit(&reader->is_taken, memory_order_relaxed)
            && atomic_compare_exchange_strong(&reader->is_taken, &taken, true)) {
            return reader;
        }
    }
    size_t size = sizeof(struct dagstore_reader);
    if (posix_memalign((void **)&reader, _Alignof(struct dagstore_reader), size) != 0) abort();
    memset(reader, 0, size);
    atomic_store(&reader->is_taken, true);
    reader->number = atomic_fetch_add(&count, 1);
    reader->next = atomic_load(&newest);
    while (!atomic_compare_exchange_weak(&newest, &reader->next, reader)) {}
    return reader;
}

struct dagstore_reader *dagstore_reader_register(void) {
    pthread_once(&once, start);
    struct dagstore_reader *reader = take();
    pthread_setspecific(key, reader);
    dagstore_reader_current = reader;
    return reader;
}

void dagstore_readers_barrier(void) {
    pthread_once(&once, start);
    atomic_thread_fence(memory_order_seq_cst);
    if (!dagstore_readers_need_barriers && membarrier(membarrierPrivateExpedited) != 0) {
        // A registered barrier cannot fail. Without it, memory would be freed while a thread reads it.
        abort();
    }
}

size_t dagstore_readers_find(uint32_t mark, struct dagstore_reading *found, size_t capacity) {
    size_t total = 0;
    if (atomic_load(&dagstore_readers_nested) > 0) {
        if (total < capacity) found[total] = (struct dagstore_reading){&dagstore_readers_nested, 0};
        total += 1;
    }
    const struct dagstore_reader *reader = atomic_load_explicit(&newest, memory_order_acquire);
    for (; reader != NULL; reader = reader->next) {
        for (int depth = 0; depth < DAGSTORE_READER_DEPTH; depth++) {
            uint64_t word = atomic_load(&reader->marks[depth]);
            if ((uint32_t)word != mark) continue;
            if (total < capacity) {
                found[total] = (struct dagstore_reading){&reader->marks[depth], word};
            }
            total += 1;
        }
    }
    return total;
}

bool dagstore_reading_is_over(struct dagstore_reading reading) {
    const _Atomic uint64_t *place = (const _Atomic uint64_t *)reading.place;
    uint64_t word = atomic_load_explicit(place, memory_order_acquire);
    return reading.place == &dagstore_readers_nested ? word == 0 : word != reading.word;
}

static pthread_once_t stripes_once = PTHREAD_ONCE_INIT;
static size_t stripes;

static void count_stripes(void) {
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    size_t least = processors < 2 ? 2 : processors > 64 ? 64 : (size_t)processors;
    stripes = 1;
    while (stripes < least) stripes *= 2;
}

size_t dagstore_stripe_count(void) {
    pthread_once(&stripes_once, count_stripes);
    return stripes;
}
