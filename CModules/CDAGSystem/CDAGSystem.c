#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "CDAGSystem.h"

#include <errno.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

void dagstore_will_need(const void *address, size_t size) {
    // The system requires whole pages.
    uintptr_t mask = (uintptr_t)sysconf(_SC_PAGESIZE) - 1;
    uintptr_t start = (uintptr_t)address & ~mask;
    int error = errno;
    madvise((void *)start, (uintptr_t)address - start + size, MADV_WILLNEED);
    errno = error;
}

uint64_t dagstore_coarse_time(void) {
    struct timespec time;
#if defined(CLOCK_MONOTONIC_COARSE)
    clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
#else
    clock_gettime(CLOCK_MONOTONIC, &time);
#endif
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static _Thread_local unsigned callback_depth;

void dagstore_callback_enter(void) { callback_depth += 1; }

void dagstore_callback_leave(void) { callback_depth -= 1; }

bool dagstore_callback_is_running(void) { return callback_depth > 0; }
