#ifndef DAGSTORE_CSYSTEM_H
#define DAGSTORE_CSYSTEM_H

// System calls and instructions that Swift cannot express.

#include <stdbool.h>
#include <stddef.h>

#include "DAGReaders.h"

/// Prefetches the cache line at `address`; any address is valid.
static inline void dagstore_prefetch(const void *address) {
    __builtin_prefetch(address, 0, 3);
}

/// Asks the system to read the pages of a mapped file ahead, without waiting for them.
///
/// Returns at once, even if the system ignores the advice. It does not affect other memory.
void dagstore_will_need(const void *address, size_t size);

/// The time since the start of the machine, in nanoseconds, at the last tick of its clock.
///
/// Ticks are 1 to 10 ms apart. A call costs 5 ns, a quarter of a precise clock.
uint64_t dagstore_coarse_time(void);

/// The number of forks since the first ancestor process with this code.
///
/// A child has its parent's number plus one: the parent's threads do not exist in it. A call costs one load.
unsigned dagstore_fork_count(void);

// Copies out of mappings whose file may have become shorter.
//
// A read of a lost page raises SIGBUS. There are two safe ways to copy from such a mapping: under a guard, which
// catches the signal, and by system call, which returns EFAULT.

/// Installs the handler for SIGBUS that guarded copies need, and keeps the earlier one.
///
/// A fault outside the faulting thread's guarded copy goes to the earlier handler, with its mask and flags. If there
/// was none, or faults were ignored (which would repeat them forever), the default action ends the process.
///
/// Any thread may call it, at any time; only the first call does anything. A handler that is installed later comes
/// first, and should pass all other faults on. The handler stays until the process ends.
///
/// Returns: whether the handler is installed.
bool dagstore_guard_install(void);

/// Whether `dagstore_guard_install` has succeeded in this process. Costs one load.
bool dagstore_guard_is_installed(void);

/// Copies `size` bytes, and returns even if pages of `from` are gone.
///
/// It has no guard before `dagstore_guard_install`, or on a thread that blocks SIGBUS. It catches faults only on the
/// pages of `from`. A signal handler that interrupts it may call it too.
///
/// Returns: whether it copied all bytes; if not, `to` holds an unknown part of them.
bool dagstore_guarded_copy(void *to, const void *from, size_t size);

/// The result of a copy by system call.
enum dagstore_copy {
    /// It copied all bytes.
    DAGSTORE_COPY_DONE,
    /// Pages are gone; the target may hold some of the bytes.
    DAGSTORE_COPY_GONE,
    /// The system has no such call, or forbids it.
    DAGSTORE_COPY_REFUSED,
};

/// Copies `size` bytes of this process's memory by system call, without raising a signal.
///
/// Linux: `process_vm_readv` on this process. It costs a microsecond more than a guarded copy, and needs no handler.
/// Other systems have no such call.
enum dagstore_copy dagstore_copy_by_system(void *to, const void *from, size_t size);

/// The largest number of ranges that one call of `dagstore_copy_ranges_by_system` copies.
#define DAGSTORE_COPY_RANGES_MAX 64

/// A range of this process's memory.
struct dagstore_range {
    const void *start;
    size_t size;
};

/// Copies ranges of this process's memory, one directly after the other, with one system call.
///
/// It is `dagstore_copy_by_system` for many ranges.
///
/// - Parameter count: At most `DAGSTORE_COPY_RANGES_MAX`.
/// - Returns: The number of ranges that it copied, from the first on. The next one, if there is one, is gone, or the
///   system has no such call: the caller tries it alone.
size_t dagstore_copy_ranges_by_system(void *to, const struct dagstore_range *ranges, size_t count);

// Copies of files that leave the system's cache as it was. Only Linux has the calls; elsewhere they do nothing.

/// Asks the system to read no bytes ahead of those that a read through this descriptor asks for.
void dagstore_read_no_further(int file);

/// Reads bytes of a file that are in the system's cache, without waiting for the disk.
///
/// Returns: the number of bytes read, fewer than `size` if the next ones are not in the cache; -1 if the file system
/// cannot tell.
ptrdiff_t dagstore_read_cached(int file, void *to, size_t size, int64_t offset);

/// Starts to write a part of a file to the disk; waits until it is there, if `waits`.
///
/// It makes nothing durable, because it writes neither the file's size nor its place.
void dagstore_write_back(int file, int64_t offset, int64_t size, bool waits);

/// Removes a part of a file from the system's cache, except for pages that a process has mapped or changed.
void dagstore_drop_cached(int file, int64_t offset, int64_t size);

/// Gets the number of an open file's file system; only Linux has the call.
///
/// Returns: whether the system told it.
bool dagstore_file_system(int file, uint32_t *number);

/// Whether the process's address space has room for `size` bytes more.
bool dagstore_can_reserve(size_t size);

// Callbacks into a user's code, per thread.

/// Enters a callback; callbacks may nest.
void dagstore_callback_enter(void);

/// Leaves a callback.
void dagstore_callback_leave(void);

/// Whether this thread is inside a callback.
bool dagstore_callback_is_running(void);

// Threads.

/// Runs `body(context)` on a new detached thread.
///
/// The thread blocks signals from outside, but not its own faults.
///
/// The system may cut `name` after 15 bytes.
///
/// Returns: whether the thread has started; if not, `body` does not run.
bool dagstore_thread_start(const char *name, void (*body)(void *context), void *context);

#endif
