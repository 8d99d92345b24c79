#ifndef DAGSTORE_CSYSTEM_H
#define DAGSTORE_CSYSTEM_H

// What Swift cannot say.

#include <stdbool.h>
#include <stddef.h>

#include "DAGReaders.h"

/// Asks the processor to have the cache line at `address` ready; any address will do.
static inline void dagstore_prefetch(const void *address) {
    __builtin_prefetch(address, 0, 3);
}

/// Has the system read the pages of a mapped file ahead, without waiting for them.
///
/// Returns at once, also if the system does not take the advice. Memory of any other kind is left alone.
void dagstore_will_need(const void *address, size_t size);

/// The time since the machine was started, in nanoseconds, as of the last tick of its clock.
///
/// Ticks are 1 to 10 ms apart. Costs 5 ns, a quarter of a precise clock.
uint64_t dagstore_coarse_time(void);

/// How often the process has been forked, counted from its first ancestor that has this code.
///
/// A child has the number of its parent and one: what needs a thread of the parent's is dead there. Costs one load.
unsigned dagstore_fork_count(void);

// Copies out of mappings that may have lost their file.
//
// Touching a page of a mapped file that is not there any more raises SIGBUS. There are two ways to
// copy from such a mapping and live: under a guard, which catches the signal, and by system call,
// which answers EFAULT.

/// Installs the handler for SIGBUS that guarded copies need, and remembers the one before it.
///
/// A fault that no guarded copy of the faulting thread caused goes to the handler that was there
/// before, with its mask and flags. If there was none, or faults were ignored, which would repeat
/// them for ever, the default is restored and ends the process.
///
/// Any thread may call it, at any time and any number of times; only the first call does anything.
/// A handler that is installed later stands before this one, and should pass on what is not
/// its own.
/// The handler stays as long as the process.
///
/// Returns: whether the handler is installed.
bool dagstore_guard_install(void);

/// Whether `dagstore_guard_install` has succeeded in this process. Costs one load.
bool dagstore_guard_is_installed(void);

/// Copies `size` bytes, and survives if pages of `from` are not there.
///
/// It guards nothing before `dagstore_guard_install`, or on a thread that blocks SIGBUS. Faults are
/// caught on the pages of `from` only. A signal handler that interrupts it may call it too.
///
/// Returns: whether all bytes were copied; if not, `to` holds some of them, nobody knows which.
bool dagstore_guarded_copy(void *to, const void *from, size_t size);

/// What a copy by system call did.
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

// Whether this thread is in a callback of somebody else's.

/// Enters a callback; they may be nested.
void dagstore_callback_enter(void);

/// Leaves a callback.
void dagstore_callback_leave(void);

/// Whether this thread has entered a callback and not left it.
bool dagstore_callback_is_running(void);

// Threads.

/// Runs `body(context)` on a new thread, which nobody joins.
///
/// Signals that are sent to the process are blocked there; faults of its own are not.
///
/// `name` is cut after 15 bytes where the system wants it.
///
/// Returns: whether the thread was started; if not, `body` is not called.
bool dagstore_thread_start(const char *name, void (*body)(void *context), void *context);

#endif
