#ifndef DAGSTORE_READERS_H
#define DAGSTORE_READERS_H

// Threads that read memory which other threads may free.
//
// Every thread has its own record, on its own cache lines. At the beginning of a reading, the thread writes a mark
// into its record, which names the memory that it reads; at the end it removes the mark. A thread that wants to free
// an object first makes it unreachable for new readers, issues a barrier, and waits until every record with the mark
// has changed.
//
//     reader                                  reclaimer
//     write the mark                          unlink the object
//     (compiler barrier)                      membarrier: a full barrier on every running thread
//     load the pointer, use the object        find the marks, wait until they have changed
//     take the mark away                      free the object
//
// If the reader's load sees the old pointer, the reader wrote its mark before the barrier, so the reclaimer finds the
// mark. Without membarrier(2), and under ThreadSanitizer, which does not know it, both sides use sequentially
// consistent operations.

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// The number of nested readings in a record; deeper ones share one count.
#define DAGSTORE_READER_DEPTH 8
/// The number of places that a thread remembers.
#define DAGSTORE_READER_PLACES 8

/// A thread's record. It is never freed; after the end of its thread, another thread takes it.
struct dagstore_reader {
    /// Bits 32...63: the number of readings that began at this depth. Bits 0...31: the mark; 0 for none.
    _Atomic uint64_t marks[DAGSTORE_READER_DEPTH];
    /// The number of this thread's running readings.
    uint32_t depth;
    /// The number of the record, from 0 on.
    uint32_t number;
    /// The places of this thread's walks, each with its owner.
    struct {
        uint64_t owner, place;
    } places[DAGSTORE_READER_PLACES];
    /// Whether a thread has the record.
    atomic_bool is_taken;
    /// The record that was created before this one.
    struct dagstore_reader *next;
} __attribute__((aligned(128)));

#if defined(__linux__)
#define DAGSTORE_INITIAL_EXEC __attribute__((tls_model("initial-exec")))
#else
#define DAGSTORE_INITIAL_EXEC
#endif

/// This thread's record; NULL before its first reading.
extern _Thread_local struct dagstore_reader *dagstore_reader_current DAGSTORE_INITIAL_EXEC;

/// Whether readers must issue barriers. Set once, before the first record exists.
extern bool dagstore_readers_need_barriers;

/// The number of running readings, of all threads, that nest too deep for a record.
extern _Atomic uint64_t dagstore_readers_nested;

/// Takes a free record for this thread, or creates one.
struct dagstore_reader *dagstore_reader_register(void);

/// Returns this thread's record.
static inline struct dagstore_reader *dagstore_reader_own(void) {
    struct dagstore_reader *reader = dagstore_reader_current;
    return __builtin_expect(reader != NULL, 1) ? reader : dagstore_reader_register();
}

/// Begins a reading of the memory that `mark` names; `dagstore_reader_end` on the same thread ends it.
///
/// Costs two stores to the thread's record.
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
    // The reads come before the removal of the mark.
    atomic_store_explicit(&reader->marks[depth], word & ~(uint64_t)UINT32_MAX, memory_order_release);
}

/// Returns the number of this thread's record.
static inline uint32_t dagstore_reader_number(void) { return dagstore_reader_own()->number; }

/// Returns the place that this thread remembers for `owner`; 0 if it remembers none.
static inline uint64_t dagstore_reader_recall(uint64_t owner) {
    const struct dagstore_reader *reader = dagstore_reader_own();
    uint64_t slot = owner % DAGSTORE_READER_PLACES;
    return reader->places[slot].owner == owner ? reader->places[slot].place : 0;
}

/// Remembers a place for `owner` on this thread; it may replace another owner's.
static inline void dagstore_reader_remember(uint64_t owner, uint64_t place) {
    struct dagstore_reader *reader = dagstore_reader_own();
    uint64_t slot = owner % DAGSTORE_READER_PLACES;
    reader->places[slot].owner = owner;
    reader->places[slot].place = place;
}

/// A reading that runs.
struct dagstore_reading {
    const volatile void *place;
    uint64_t word;
};

/// Issues a full barrier on every running thread.
void dagstore_readers_barrier(void);

/// Finds the readings of `mark`; the caller has issued a barrier.
///
/// Returns: their number; the first `capacity` of them are in `found`.
size_t dagstore_readers_find(uint32_t mark, struct dagstore_reading *found, size_t capacity);

/// Whether a reading has ended.
bool dagstore_reading_is_over(struct dagstore_reading reading);

/// The number of parts of a count: a power of two, at least the number of processors, at most 64.
size_t dagstore_stripe_count(void);

#endif
