#ifndef CDAGPQ_H
#define CDAGPQ_H

// The functions of libpq that the package uses. The program loads libpq when it first needs a database: libpq needs a
// dozen other libraries, and loading them takes longer than most verbs.

// Debian keeps the header in a folder of its own.
#if __has_include(<postgresql/libpq-fe.h>)
#include <postgresql/libpq-fe.h>
#else
#include <libpq-fe.h>
#endif

// Loads libpq; later calls have no effect.
//
// Returns NULL, or why there is no libpq: a text that lives as long as the process. The functions of libpq may be called
// only after a call that returned NULL. Any thread may call it.
const char *dagpq_load(void);

#endif
