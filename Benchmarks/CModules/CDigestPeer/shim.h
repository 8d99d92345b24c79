#ifndef CDIGESTPEER_SHIM_H
#define CDIGESTPEER_SHIM_H
#include <openssl/evp.h>
#endif
