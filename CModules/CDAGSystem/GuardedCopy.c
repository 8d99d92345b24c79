// `process_vm_readv` is an extension; on other systems the names of signal codes are extensions too.
#if defined(__linux__)
#define _GNU_SOURCE
#endif

#include "CDAGSystem.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/uio.h>
#endif

/// A running guarded copy.
struct guard {
    sigjmp_buf back;
    /// Its pages: the first byte of the first page, and the byte after the last.
    uintptr_t first, end;
};

// The innermost guarded copy of this thread. The handler reads it, and must not allocate. With the model
// `initial-exec` the variable exists before the thread first uses it, even in a library that was loaded late.
#if defined(__linux__)
__attribute__((tls_model("initial-exec")))
#endif
static _Thread_local struct guard *volatile current_guard;

static pthread_mutex_t install_lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_bool is_installed;
/// The earlier handler; written before `is_installed` is set, and never again.
static struct sigaction previous;
/// Set after the one signal of an earlier handler with SA_RESETHAND.
static atomic_flag previous_is_spent = ATOMIC_FLAG_INIT;
static uintptr_t page_mask;

/// Whether the interrupted instruction raised the signal, and would raise it again.
static bool is_fault(const siginfo_t *info) {
    switch (info->si_code) {
    case BUS_ADRALN:
    case BUS_ADRERR:
    case BUS_OBJERR:
#if defined(BUS_MCEERR_AR)
    case BUS_MCEERR_AR:
#endif
        return true;
    default:
        return false;
    }
}

/// Sets the default action, which ends the process.
static void pass_to_default(int signal, const siginfo_t *info) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = SIG_DFL;
    sigemptyset(&action.sa_mask);
    sigaction(signal, &action, NULL);
    // After the handler, a fault comes again, with the right place for a core dump.
    if (!is_fault(info)) raise(signal);
}

/// Calls the earlier handler, with its own signal mask.
static void pass_on(int signal, siginfo_t *info, void *context) {
    bool takes_info = (previous.sa_flags & SA_SIGINFO) != 0;
    if (!takes_info && previous.sa_handler == SIG_IGN && !is_fault(info)) return;
    if (!takes_info && (previous.sa_handler == SIG_DFL || previous.sa_handler == SIG_IGN)) {
        pass_to_default(signal, info);
        return;
    }
    if ((previous.sa_flags & SA_RESETHAND) && atomic_flag_test_and_set(&previous_is_spent)) {
        pass_to_default(signal, info);
        return;
    }
    sigset_t mask = previous.sa_mask;
    sigset_t before;
    if (!(previous.sa_flags & SA_NODEFER)) sigaddset(&mask, signal);
    pthread_sigmask(SIG_BLOCK, &mask, &before);
    if (takes_info) {
        previous.sa_sigaction(signal, info, context);
    } else {
        previous.sa_handler(signal);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void handle(int signal, siginfo_t *info, void *context) {
    struct guard *guard = current_guard;
    uintptr_t address = (uintptr_t)info->si_addr;
    if (guard && is_fault(info) && address >= guard->first && address < guard->end) {
        // A later handler may have called this one with the signal blocked, which is the default in handlers. The
        // next fault would then end the process.
        sigset_t fault;
        sigemptyset(&fault);
        sigaddset(&fault, signal);
        pthread_sigmask(SIG_UNBLOCK, &fault, NULL);
        siglongjmp(guard->back, 1);
    }
    int error = errno;
    pass_on(signal, info, context);
    errno = error;
}

bool dagstore_guard_install(void) {
    pthread_mutex_lock(&install_lock);
    bool installed = atomic_load_explicit(&is_installed, memory_order_relaxed);
    if (!installed) {
        page_mask = ~((uintptr_t)sysconf(_SC_PAGESIZE) - 1);
        struct sigaction action;
        memset(&action, 0, sizeof action);
        action.sa_sigaction = handle;
        // SA_ONSTACK: Go requires it of every handler. SA_NODEFER: the jump out of the handler restores no mask, so
        // the system must not set one.
        action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
        sigemptyset(&action.sa_mask);
        // The handler may run before the second call returns, and then needs the earlier handler.
        installed = sigaction(SIGBUS, NULL, &previous) == 0
            && sigaction(SIGBUS, &action, NULL) == 0;
        atomic_store_explicit(&is_installed, installed, memory_order_release);
    }
    pthread_mutex_unlock(&install_lock);
    return installed;
}

bool dagstore_guard_is_installed(void) {
    return atomic_load_explicit(&is_installed, memory_order_acquire);
}

bool dagstore_guarded_copy(void *to, const void *from, size_t size) {
    if (size == 0) return true;
    struct guard guard;
    guard.first = (uintptr_t)from & page_mask;
    guard.end = (((uintptr_t)from + size - 1) & page_mask) - page_mask;
    // Neither variable changes after `sigsetjmp`, so both keep their values when it returns again.
    struct guard *const outer = current_guard;
    // Saving the mask would be a system call, and the handler does not change the mask.
    if (sigsetjmp(guard.back, 0) != 0) {
        current_guard = outer;
        return false;
    }
    current_guard = &guard;
    // The compiler must not move the copy out of the guard.
    atomic_signal_fence(memory_order_seq_cst);
    memcpy(to, from, size);
    atomic_signal_fence(memory_order_seq_cst);
    current_guard = outer;
    return true;
}

size_t dagstore_copy_ranges_by_system(void *to, const struct dagstore_range *ranges, size_t count) {
#if defined(__linux__)
    struct iovec remote[DAGSTORE_COPY_RANGES_MAX];
    size_t size = 0;
    for (size_t number = 0; number < count; number++) {
        remote[number].iov_base = (void *)(uintptr_t)ranges[number].start;
        remote[number].iov_len = ranges[number].size;
        size += ranges[number].size;
    }
    struct iovec local = {to, size};
    ssize_t copied = process_vm_readv(getpid(), &local, 1, remote, count, 0);
    if (copied < 0) return 0;
    // The system ends between two ranges or, at the largest size of a call, inside one.
    size_t done = 0;
    size_t whole = 0;
    while (whole < count && done + ranges[whole].size <= (size_t)copied) {
        done += ranges[whole].size;
        whole++;
    }
    return whole;
#else
    (void)to;
    (void)ranges;
    (void)count;
    return 0;
#endif
}

enum dagstore_copy dagstore_copy_by_system(void *to, const void *from, size_t size) {
#if defined(__linux__)
    // A stored process number would be the parent's after a fork, so the code asks each time.
    pid_t self = getpid();
    size_t done = 0;
    while (done < size) {
        struct iovec local = {(char *)to + done, size - done};
        struct iovec remote = {(char *)(uintptr_t)from + done, size - done};
        ssize_t copied = process_vm_readv(self, &local, 1, &remote, 1, 0);
        if (copied < 0) return errno == EFAULT ? DAGSTORE_COPY_GONE : DAGSTORE_COPY_REFUSED;
        // The call copies nothing without an error only if there is nothing to copy.
        if (copied == 0) return DAGSTORE_COPY_GONE;
        done += (size_t)copied;
    }
    return DAGSTORE_COPY_DONE;
#else
    (void)to;
    (void)from;
    (void)size;
    return DAGSTORE_COPY_REFUSED;
#endif
}
