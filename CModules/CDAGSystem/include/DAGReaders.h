#ifndef DAGSTORE_READERS_H
#define DAGSTORE_READERS_H

// Threads that read what may go.
//
// Every thread has a record of its own, on cache lines of its own. A thread that begins to read
// writes a mark into its record, which names what it reads; when it ends, it takes the mark away.
// A thread that wants to free something first makes it unreachable for new readers, issues a
// barrier, and waits until every record that holds the mark has changed.
//
//     reader                                  reclaimer
//     write the mark                          unlink the object
//     (compiler barrier)                      membarrier: a full barrier on every running thread
//     load the pointer, use the object        find the marks, wait until they have changed
//     take the mark away                      free the object
//
// If the reader's load sees the old pointer, its mark stood before the barrier, so the reclaimer
// finds it. Where there is no membarrier(2), and under ThreadSanitizer, which does not know it,
// both sides use sequentially consistent operations instead.

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// How deep readings nest in a record; deeper ones are counted together.
#define DAGSTORE_READER_DEPTH 8
/// How many places a thread remembers.
#define DAGSTORE_READER_PLACES 8

/// A thread's record. It is never freed; another thread takes it over when its thread has ended.
struct dagstore_reader {
    /// Bits 32...63: how many readings began at this depth. Bits 0...31: the mark; 0 for none.
    _Atomic uint64_t marks[DAGSTORE_READER_DEPTH];
    /// How many readings of this thread have begun and not ended.
    uint32_t depth;
    /// The record's number, from 0 on.
    uint32_t number;
    /// Where this thread's walks stand: for what, and a place in it.
    struct {
        uint64_t owner, place;
    } places[DAGSTORE_READER_PLACES];
    /// Whether a thread has it.
    atomic_bool is_taken;
    /// The record made before this one.
    struct dagstore_reader *next;
} __attribute__((aligned(128)));

#if defined(__linux__)
#define DAGSTORE_INITIAL_EXEC __attribute__((tls_model("initial-exec")))
#else
#define DAGSTORE_INITIAL_EXEC
#endif

/// This thread's record; NULL before its first reading.
extern _Thread_local struct dagstore_reader *dagstore_reader_current DAGSTORE_INITIAL_EXEC;

/// Whether readers have to issue barriers themselves. Set once, before the first record is made.
extern bool dagstore_readers_need_barriers;

/// Readings that nest deeper than a record has room for, of all threads.
extern _Atomic uint64_t dagstore_readers_nested;

/// Takes or makes a record for this thread.
struct dagstore_reader *dagstore_reader_register(void);

/// This thread's record.
static inline struct dagstore_reader *dagstore_reader_own(void) {
    struct dagstore_reader *reader = dagstore_reader_current;
    return __builtin_expect(reader != NULL, 1) ? reader : dagstore_reader_register();
}

/// Begins to read what `mark` names; `dagstore_reader_end` ends it, on the same thread.
///
/// Costs two stores into the thread's record.
static inline void dagstore_reader_begin(uint32_t mark) {
    struct dagstore_reader *reader = dagstore_reader_own();
    uint32_t depth = reader->depth++;
    if (__builtin_expect(depth >= DAGSTORE_READER_DEPTH, 0)) {
        atomic_fetch_add(&dagstore_readers_nested, 1);
        return;
    }
    uint64_t before = atomic_load_explicit(&reader->marks[depth], memory_order_relaxed);
    uint64_t word = ((before >> 32) + 1) << 32 | mark;
    if (__builtin_expect(dagstore_readers_need_barriers, 0)) {
        atomic_store_explicit(&reader->marks[depth], word, memory_order_seq_cst);
        atomic_thread_fence(memory_order_seq_cst);
    } else {
        atomic_store_explicit(&reader->marks[depth], word, memory_order_relaxed);
        atomic_signal_fence(memory_order_seq_cst);
    }
}

/// Ends the reading that this thread began last.
static inline void dagstore_reader_end(void) {
    struct dagstore_reader *reader = dagstore_reader_current;
    uint32_t depth = --reader->depth;
    if (__builtin_expect(depth >= DAGSTORE_READER_DEPTH, 0)) {
        atomic_fetch_sub(&dagstore_readers_nested, 1);
        return;
    }
    uint64_t word = atomic_load_explicit(&reader->marks[depth], memory_order_relaxed);
    // What was read was read before the mark goes.
    atomic_store_explicit(&reader->marks[depth], word & ~(uint64_t)UINT32_MAX, memory_order_release);
}

/// The number of this thread's record.
static inline uint32_t dagstore_reader_number(void) { return dagstore_reader_own()->number; }

/// The place that this thread remembers for `owner`; 0 if it remembers none.
static inline uint64_t dagstore_reader_recall(uint64_t owner) {
    const struct dagstore_reader *reader = dagstore_reader_own();
    uint64_t slot = owner % DAGSTORE_READER_PLACES;
    return reader->places[slot].owner == owner ? reader->places[slot].place : 0;
}

/// Remembers a place for `owner` on this thread, perhaps instead of another owner's.
static inline void dagstore_reader_remember(uint64_t owner, uint64_t place) {
    struct dagstore_reader *reader = dagstore_reader_own();
    uint64_t slot = owner % DAGSTORE_READER_PLACES;
    reader->places[slot].owner = owner;
    reader->places[slot].place = place;
}

/// A reading that was under way.
struct dagstore_reading {
    const volatile void *place;
    uint64_t word;
};

/// Has every thread that runs pass a full barrier.
void dagstore_readers_barrier(void);

/// Finds the readings of what `mark` names; the caller has issued a barrier.
///
/// Returns: how many there are; at most `capacity` of them are written to `found`.
size_t dagstore_readers_find(uint32_t mark, struct dagstore_reading *found, size_t capacity);

/// Whether a reading has ended.
bool dagstore_reading_is_over(struct dagstore_reading reading);

/// How many parts a count is split into: a power of two, at least the number of processors.
size_t dagstore_stripe_count(void);

#endif
