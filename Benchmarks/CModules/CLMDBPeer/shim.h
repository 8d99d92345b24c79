#ifndef CLMDBPEER_SHIM_H
#define CLMDBPEER_SHIM_H
#include <lmdb.h>
#endif
