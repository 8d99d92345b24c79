// `process_vm_readv` is an extension; so is the name of the signal codes elsewhere.
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

/// One guarded copy that is under way.
struct guard {
    sigjmp_buf back;
    /// The pages it reads: the first byte of the first, and the byte after the last.
    uintptr_t first, end;
};

// The innermost guarded copy of this thread. The handler reads it, and a handler must not allocate:
// with the model `initial-exec` the variable is there before the thread first uses it, even in a
// library that was loaded late.
#if defined(__linux__)
__attribute__((tls_model("initial-exec")))
#endif
static _Thread_local struct guard *volatile current_guard;

static pthread_mutex_t install_lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_bool is_installed;
/// What was there before; written before `is_installed` is set, and never again.
static struct sigaction previous;
/// Set once a previous handler that asked for SA_RESETHAND has had its one signal.
static atomic_flag previous_is_spent = ATOMIC_FLAG_INIT;
static uintptr_t page_mask;

/// Whether the instruction that was interrupted raised the signal, and would raise it again.
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

/// Lets the signal do what it does by default: end the process.
static void pass_to_default(int signal, const siginfo_t *info) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = SIG_DFL;
    sigemptyset(&action.sa_mask);
    sigaction(signal, &action, NULL);
    // A fault comes again when the handler returns, and then with the place that a core dump shows.
    if (!is_fault(info)) raise(signal);
}

/// Calls the handler that was there before, under the mask that it asked for.
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
        // A handler that was installed after this one may have called it with the signal blocked, as it is in handlers
        // unless they ask otherwise: the next fault would end the process.
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
        // SA_ONSTACK: Go requires it of every handler. SA_NODEFER: the way back out of the handler
        // restores no mask, so that none may have been set.
        action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
        sigemptyset(&action.sa_mask);
        // The handler may run before the second call returns, and must know what was before it.
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
    // Neither changes after `sigsetjmp`, so that both are what they were when it returns again.
    struct guard *const outer = current_guard;
    // The mask is not saved: that would be a system call, and the handler changes none.
    if (sigsetjmp(guard.back, 0) != 0) {
        current_guard = outer;
        return false;
    }
    current_guard = &guard;
    // The copy may be moved neither before the guard is up nor behind its end.
    atomic_signal_fence(memory_order_seq_cst);
    memcpy(to, from, size);
    atomic_signal_fence(memory_order_seq_cst);
    current_guard = outer;
    return true;
}

enum dagstore_copy dagstore_copy_by_system(void *to, const void *from, size_t size) {
#if defined(__linux__)
    // `getpid` each time: a number that was kept would be the parent's after a fork.
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
