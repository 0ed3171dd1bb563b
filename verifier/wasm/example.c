/*
 * Prints what a certificate proves: ./example CERTIFICATE GENESIS
 *
 * CERTIFICATE is a file, GENESIS the hash of the genesis block that one trusts, in 64 hexadecimal
 * digits. The exit code is 0 if it proves something, 3 if it is refused, and 1 if there is none.
 */
#include "billchain_verifier.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char REFUSED[] = "{\"refused\"";

static int read_genesis(const char *digits, uint8_t genesis[BILLCHAIN_GENESIS]) {
    size_t i;
    if (strlen(digits) != 2 * BILLCHAIN_GENESIS
        || strspn(digits, "0123456789abcdefABCDEF") != 2 * BILLCHAIN_GENESIS) {
        return 0;
    }
    for (i = 0; i < BILLCHAIN_GENESIS; i++) {
        char byte[3] = {digits[2 * i], digits[2 * i + 1], 0};
        genesis[i] = (uint8_t)strtoul(byte, NULL, 16);
    }
    return 1;
}

int main(int count, char **words) {
    /* One byte more than a certificate may have: then it is told that it is too long. */
    static uint8_t certificate[BILLCHAIN_MAX_CERTIFICATE + 1];
    uint8_t genesis[BILLCHAIN_GENESIS];
    uint8_t *answer;
    size_t length;
    int refused;
    FILE *file;

    if (count != 3 || !read_genesis(words[2], genesis)) {
        fprintf(stderr, "expected: %s CERTIFICATE GENESIS\n", words[0]);
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

    answer = billchain_verify(certificate, length, genesis);
    if (answer == NULL) {
        fprintf(stderr, "no answer\n");
        return 1;
    }
    printf("%.*s\n", (int)billchain_json_length(answer), billchain_json(answer));
    refused = strncmp(billchain_json(answer), REFUSED, sizeof REFUSED - 1) == 0;
    billchain_release(answer);
    return refused ? 3 : 0;
}
