/*
 * Prints what a certificate proves:
 *
 *     ./example CERTIFICATE --genesis HASH
 *     ./example CERTIFICATE --checkpoint HASH
 *
 * CERTIFICATE is a file, HASH that of the genesis block that one trusts, or of a later block that
 * changed the validators: 64 hexadecimal digits, with or without 0x. The exit code is 0 if it
 * proves something, 3 if it is refused, and 1 if there is no answer.
 */
#include "billchain_verifier.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char REFUSED[] = "{\"refused\"";

static int read_hash(const char *digits, uint8_t hash[BILLCHAIN_HASH]) {
    size_t i;
    if (strncmp(digits, "0x", 2) == 0) {
        digits += 2;
    }
    if (strlen(digits) != 2 * BILLCHAIN_HASH
        || strspn(digits, "0123456789abcdefABCDEF") != 2 * BILLCHAIN_HASH) {
        return 0;
    }
    for (i = 0; i < BILLCHAIN_HASH; i++) {
        char byte[3] = {digits[2 * i], digits[2 * i + 1], 0};
        hash[i] = (uint8_t)strtoul(byte, NULL, 16);
    }
    return 1;
}

int main(int count, char **words) {
    /* One byte more than a certificate may have: then it is told that it is too long. */
    static uint8_t certificate[BILLCHAIN_MAX_CERTIFICATE + 1];
    uint8_t trusted[BILLCHAIN_HASH];
    uint8_t *answer;
    size_t length;
    int from_genesis;
    int refused;
    FILE *file;

    from_genesis = count == 4 && strcmp(words[2], "--genesis") == 0;
    if (count != 4 || (!from_genesis && strcmp(words[2], "--checkpoint") != 0)
        || !read_hash(words[3], trusted)) {
        fprintf(stderr, "expected: %s CERTIFICATE --genesis HASH, or --checkpoint HASH\n", words[0]);
        return 1;
    }
    file = fopen(words[1], "rb");
    if (file == NULL) {
        perror(words[1]);
        return 1;
    }
    length = fread(certificate, 1, sizeof certificate, file);
    if (ferror(file)) {
        perror(words[1]);
        return 1;
    }
    fclose(file);

    answer = from_genesis ? billchain_verify(certificate, length, trusted)
                          : billchain_verify_from(certificate, length, trusted);
    if (answer == NULL) {
        fprintf(stderr, "no answer\n");
        return 1;
    }
    printf("%.*s\n", (int)billchain_json_length(answer), billchain_json(answer));
    refused = strncmp(billchain_json(answer), REFUSED, sizeof REFUSED - 1) == 0;
    billchain_release(answer);
    return refused ? 3 : 0;
}
