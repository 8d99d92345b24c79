#ifndef CDIGEST_SHIM_H
#define CDIGEST_SHIM_H

// The block functions themselves, because OpenSSL 3's one-shot calls cost more than the hashing of a small block.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/evp.h>
#include <openssl/md5.h>
#include <openssl/sha.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// The largest digest of these functions, in bytes.
#define DAGSTORE_DIGEST_SIZE_MAX 64

static inline void dagstore_md5(const void *data, size_t size, uint8_t *digest) {
    MD5_CTX context;
    MD5_Init(&context);
    MD5_Update(&context, data, size);
    MD5_Final(digest, &context);
}

static inline void dagstore_sha1(const void *data, size_t size, uint8_t *digest) {
    SHA_CTX context;
    SHA1_Init(&context);
    SHA1_Update(&context, data, size);
    SHA1_Final(digest, &context);
}

static inline void dagstore_sha224(const void *data, size_t size, uint8_t *digest) {
    SHA256_CTX context;
    SHA224_Init(&context);
    SHA256_Update(&context, data, size);
    SHA224_Final(digest, &context);
}

static inline void dagstore_sha256(const void *data, size_t size, uint8_t *digest) {
    SHA256_CTX context;
    SHA256_Init(&context);
    SHA256_Update(&context, data, size);
    SHA256_Final(digest, &context);
}

static inline void dagstore_sha384(const void *data, size_t size, uint8_t *digest) {
    SHA512_CTX context;
    SHA384_Init(&context);
    SHA512_Update(&context, data, size);
    SHA384_Final(digest, &context);
}

static inline void dagstore_sha512(const void *data, size_t size, uint8_t *digest) {
    SHA512_CTX context;
    SHA512_Init(&context);
    SHA512_Update(&context, data, size);
    SHA512_Final(digest, &context);
}

/// A function that OpenSSL offers only through its allocating interface.
///
/// Returns: whether OpenSSL computed the digest; false without memory, or if OpenSSL was built without the function.
static inline bool dagstore_evp(const void *data, size_t size, const EVP_MD *function, size_t digest_size,
                                uint8_t *digest) {
    unsigned int written = 0;
    return EVP_Digest(data, size, digest, &written, function, NULL) == 1 && written == digest_size;
}

/// Computes SHA3 with a digest of 28, 32, 48 or 64 bytes.
static inline bool dagstore_sha3(const void *data, size_t size, size_t digest_size, uint8_t *digest) {
    const EVP_MD *function = digest_size == 28   ? EVP_sha3_224()
                             : digest_size == 32 ? EVP_sha3_256()
                             : digest_size == 48 ? EVP_sha3_384()
                                                 : EVP_sha3_512();
    return dagstore_evp(data, size, function, digest_size, digest);
}

/// Computes SHA-512/224 or SHA-512/256: a digest of 28 or 32 bytes, with its own initial chain.
static inline bool dagstore_sha512_cut(const void *data, size_t size, size_t digest_size, uint8_t *digest) {
    const EVP_MD *function = digest_size == 28 ? EVP_sha512_224() : EVP_sha512_256();
    return dagstore_evp(data, size, function, digest_size, digest);
}

#endif
