#ifndef CLEVELDBPEER_SHIM_H
#define CLEVELDBPEER_SHIM_H
#include <leveldb/c.h>
#endif
