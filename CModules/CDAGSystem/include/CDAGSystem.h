#ifndef DAGSTORE_CSYSTEM_H
#define DAGSTORE_CSYSTEM_H

// What Swift cannot say.

/// Asks the processor to have the cache line at `address` ready; any address will do.
static inline void dagstore_prefetch(const void *address) {
    __builtin_prefetch(address, 0, 3);
}

#endif
