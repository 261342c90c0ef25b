/* The words of a command, and the data it brings along. */
#define _GNU_SOURCE
#include "host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int hex_digit(int c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

char *unescape(char *text)
{
    char *in = text;
    char *out = text;

    while (*in != '\0') {
        if (in[0] == '\\' && in[1] == 'n') {
            *out++ = '\n';
            in += 2;
        }
        else if (in[0] == '\\' && in[1] == '\\') {
            *out++ = '\\';
            in += 2;
        }
        else if (in[0] == '\\' && in[1] == 'x' && hex_digit(in[2]) >= 0 && hex_digit(in[3]) >= 0) {
            *out++ = (char) (hex_digit(in[2]) * 16 + hex_digit(in[3]));
            in += 4;
        }
        else {
            *out++ = *in++;
        }
    }
    *out = '\0';
    return text;
}

/* Cuts the next word off `rest`; "" when there is none. */
char *word(char **rest)
{
    char *start = *rest;
    char *space = strchr(start, ' ');

    if (space != NULL) {
        *space = '\0';
        *rest = space + 1;
    }
    else {
        *rest = start + strlen(start);
    }
    return unescape(start);
}

/* -1 when the file cannot be read. `len` 0 means to the end. */
static int read_part(struct blob *blob, const char *path, long offset, long len)
{
    FILE *file = fopen(path, "rb");
    int ret = -1;

    if (file == NULL) {
        return -1;
    }
    if (len == 0 && fseek(file, 0, SEEK_END) == 0) {
        len = ftell(file) - offset;
    }
    if (len >= 0 && fseek(file, offset, SEEK_SET) == 0 && blob_make(blob, (size_t) len) == 0
        && fread(blob->data, 1, (size_t) len, file) == (size_t) len) {
        blob_seal(blob);
        ret = 0;
    }
    fclose(file);
    return ret;
}

static int read_hex(struct blob *blob, const char *hex)
{
    size_t len = strlen(hex) / 2;
    size_t i;

    if (blob_make(blob, len) != 0) {
        return -1;
    }
    for (i = 0; i < len; i++) {
        blob->data[i] = (char) (hex_digit(hex[2 * i]) * 16 + hex_digit(hex[2 * i + 1]));
    }
    blob_seal(blob);
    return 0;
}

/* The rest of a command: hexadecimal, or `<path> <offset> <len>`. -1 without the data. */
int read_data(struct blob *blob, char *rest, int is_hex)
{
    char *path;
    long offset;

    if (is_hex) {
        return read_hex(blob, word(&rest));
    }
    path = word(&rest);
    offset = atol(word(&rest));
    return read_part(blob, path, offset, atol(word(&rest)));
}
