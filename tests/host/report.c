/* Lines on stdout: replies, violations, and what the plugin logs. */
#define _GNU_SOURCE
#include "host.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Threads the host did not make stay THREAD_OTHER: the plugin's own. */
_Thread_local enum thread_kind thread_kind = THREAD_OTHER;

/* One buffer for all threads, so that a reply costs a small stack next to nothing. */
static pthread_mutex_t line_lock = PTHREAD_MUTEX_INITIALIZER;
static char line[16384];

int64_t now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t) ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* A line goes out in one write(2), so lines never mix and nothing is left in a buffer. */
static void write_line(size_t len)
{
    size_t done = 0;
    ssize_t n;

    line[len++] = '\n';
    while (done < len) {
        n = write(STDOUT_FILENO, line + done, len - done);
        if (n <= 0) {
            return;
        }
        done += (size_t) n;
    }
}

static void emit_with(const char *prefix, const char *fmt, va_list args)
{
    size_t used;
    int n;

    pthread_mutex_lock(&line_lock);
    used = strlen(prefix);
    memcpy(line, prefix, used);
    n = vsnprintf(line + used, sizeof(line) - used - 1, fmt, args);
    if (n > 0) {
        used += (size_t) n;
    }
    if (used > sizeof(line) - 2) {
        used = sizeof(line) - 2;
    }
    write_line(used);
    pthread_mutex_unlock(&line_lock);
}

void emit(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    emit_with("", fmt, args);
    va_end(args);
}

void violation(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    emit_with("violation ", fmt, args);
    va_end(args);
}

/* Keeps a text on one line: \n, \\, and \xHH for other control bytes (and spaces). */
size_t escape_text(char *out, size_t room, const char *text, int spaces_too)
{
    static const char hex[] = "0123456789abcdef";
    size_t used = 0;
    unsigned char c;

    for (; *text != '\0' && used + 5 < room; text++) {
        c = (unsigned char) *text;
        if (c == '\n') {
            out[used++] = '\\';
            out[used++] = 'n';
        }
        else if (c == '\\') {
            out[used++] = '\\';
            out[used++] = '\\';
        }
        else if (c < 0x20 || c == 0x7f || (c == ' ' && spaces_too)) {
            out[used++] = '\\';
            out[used++] = 'x';
            out[used++] = hex[c >> 4];
            out[used++] = hex[c & 15];
        }
        else {
            out[used++] = (char) c;
        }
    }
    out[used] = '\0';
    return used;
}

static const char *thread_name(void)
{
    switch (thread_kind) {
    case THREAD_MAIN:
        return "main";
    case THREAD_ENGINE:
        return "engine";
    case THREAD_WORKER:
        return "worker";
    case THREAD_INPUT:
        return "input";
    default:
        return "other";
    }
}

/*
 * As in Fluent Bit it never filters by level, cuts at 4 KiB and takes two buffers of
 * that size from the caller's stack: logging inside a flush or a filter has to show in
 * the high-water mark.
 */
static void log_with(int level, const char *fmt, va_list args)
{
    char body[4096];
    char escaped[4096 + 512];

    vsnprintf(body, sizeof(body), fmt, args);
    escape_text(escaped, sizeof(escaped), body, 0);
    emit("log %d %s %s", level, thread_name(), escaped);
}

/* api->log_print, for the output. */
void log_print(int level, const char *file, int line_number, const char *fmt, ...)
{
    va_list args;

    (void) file;
    (void) line_number;
    va_start(args, fmt);
    log_with(level, fmt, args);
    va_end(args);
}

/*
 * The same by its exported name, for a filter, which gets no api. From a thread that is
 * not the host's it prints to stderr and the line misses the log (flb_log.c,
 * flb_log_print: flb_worker_get is NULL there).
 */
void flb_log_print(int level, const char *file, int line_number, const char *fmt, ...)
{
    va_list args;

    (void) file;
    (void) line_number;
    if (thread_kind == THREAD_OTHER) {
        violation("flb_log_print on a thread that is not the host's");
    }
    va_start(args, fmt);
    log_with(level, fmt, args);
    va_end(args);
}
