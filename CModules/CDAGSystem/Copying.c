#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "CDAGSystem.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/vfs.h>

bool dagstore_file_system(int file, uint32_t *number) {
    struct statfs status;
    if (fstatfs(file, &status) != 0) return false;
    *number = (uint32_t)status.f_type;
    return true;
}

void dagstore_read_no_further(int file) { posix_fadvise(file, 0, 0, POSIX_FADV_RANDOM); }

ptrdiff_t dagstore_read_cached(int file, void *to, size_t size, int64_t offset) {
#if defined(RWF_NOWAIT)
    struct iovec part = {.iov_base = to, .iov_len = size};
    ssize_t count = preadv2(file, &part, 1, offset, RWF_NOWAIT);
    if (count >= 0) return count;
    return errno == EAGAIN || errno == EINTR ? 0 : -1;
#else
    return -1;
#endif
}

void dagstore_write_back(int file, int64_t offset, int64_t size, bool waits) {
    unsigned flags = SYNC_FILE_RANGE_WRITE;
    if (waits) flags |= SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WAIT_AFTER;
    sync_file_range(file, offset, size, flags);
}

void dagstore_drop_cached(int file, int64_t offset, int64_t size) {
    posix_fadvise(file, offset, size, POSIX_FADV_DONTNEED);
}

#else

bool dagstore_file_system(int file, uint32_t *number) { return false; }

void dagstore_read_no_further(int file) {
#if defined(F_RDAHEAD)
    fcntl(file, F_RDAHEAD, 0);
#endif
}

ptrdiff_t dagstore_read_cached(int file, void *to, size_t size, int64_t offset) { return -1; }

void dagstore_write_back(int file, int64_t offset, int64_t size, bool waits) {}

void dagstore_drop_cached(int file, int64_t offset, int64_t size) {}

#endif

bool dagstore_can_reserve(size_t size) {
#if defined(MAP_NORESERVE)
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
#else
    int flags = MAP_PRIVATE | MAP_ANONYMOUS;
#endif
    void *start = mmap(NULL, size, PROT_NONE, flags, -1, 0);
    if (start == MAP_FAILED) return false;
    munmap(start, size);
    return true;
}
