/*
 * Checks certificates of the BillChain (链上凭证) without a node.
 *
 *     uint8_t *answer = billchain_verify(certificate, length, genesis);
 *     if (answer == NULL) abort();
 *     printf("%.*s\n", (int)billchain_json_length(answer), billchain_json(answer));
 *     billchain_release(answer);
 *
 * The answer is a JSON object: "proved": true and what is proved, or "refused" with the reason.
 * docs/certificates.md lists its fields.
 *
 * The functions keep nothing between calls, and may be called from any thread at once.
 */
#ifndef BILLCHAIN_VERIFIER_H
#define BILLCHAIN_VERIFIER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Most bytes of a certificate: 1 MiB. */
#define BILLCHAIN_MAX_CERTIFICATE 1048576u

/* Bytes of the hash of a block. */
#define BILLCHAIN_HASH 32u

/*
 * What the certificate of `length` bytes proves to whoever trusts the genesis block with this
 * hash of 32 bytes. A certificate of any content and length may be given: one that proves
 * nothing is answered with the reason.
 *
 * The answer is four bytes, the lowest first, with a length, and a JSON object of that length in
 * UTF-8, without a byte 0 at its end. billchain_release takes it back.
 *
 * NULL if a pointer is NULL.
 */
uint8_t *billchain_verify(const uint8_t *certificate, size_t length, const uint8_t *genesis);

/*
 * The same to whoever trusts a checkpoint (检查点): the block with this hash of 32 bytes, which is
 * the genesis or changed the validators. A certificate that starts at a later block than the
 * genesis is checked from that block, or from a change after it. Nothing that the certificate says of the chain before
 * that block is believed, and no transaction before it is proved. The answer's "genesis" is the
 * hash of the genesis that the chain has: a caller who knows it compares.
 */
uint8_t *billchain_verify_from(const uint8_t *certificate, size_t length, const uint8_t *checkpoint);

/*
 * Memory of `length` bytes, for callers who have none of their own that the verifier can read: in
 * WebAssembly. NULL if `length` is 0 or above 1,048,577, or if there is no more.
 */
uint8_t *billchain_alloc(size_t length);

/*
 * Takes back memory of this length: from billchain_alloc, or an answer, where the length is 4 more
 * than its first four bytes say. Each is given back once. NULL does nothing.
 */
void billchain_free(uint8_t *memory, size_t length);

/* Bytes of the JSON object in an answer. */
static inline size_t billchain_json_length(const uint8_t *answer) {
    return (size_t)answer[0] | (size_t)answer[1] << 8 | (size_t)answer[2] << 16
        | (size_t)answer[3] << 24;
}

/* The JSON object in an answer. */
static inline const char *billchain_json(const uint8_t *answer) {
    return (const char *)(answer + 4);
}

/* Takes an answer back. NULL does nothing. */
static inline void billchain_release(uint8_t *answer) {
    if (answer != NULL) {
        billchain_free(answer, 4 + billchain_json_length(answer));
    }
}

#ifdef __cplusplus
}
#endif

#endif
