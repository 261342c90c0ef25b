/*
 * A wall clock that a test can set: what the plugin asks for the time binds to the
 * executable's functions first, as its malloc does under the official images.
 *
 * Only the wall clock jumps. Those that measure spans go on, as on a host whose
 * administrator sets the date.
 */
#define _GNU_SOURCE
#include "host.h"

#include <stdatomic.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static atomic_long ahead_s;

void clock_jump_to(long seconds_ahead)
{
    atomic_store(&ahead_s, seconds_ahead);
}

EXPORT int clock_gettime(clockid_t clock, struct timespec *now)
{
    int ret = (int) syscall(SYS_clock_gettime, clock, now);

    if (ret == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        now->tv_sec += atomic_load(&ahead_s);
    }
    return ret;
}

EXPORT time_t time(time_t *out)
{
    struct timespec now = { 0, 0 };

    clock_gettime(CLOCK_REALTIME, &now);
    if (out != NULL) {
        *out = now.tv_sec;
    }
    return now.tv_sec;
}

EXPORT int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    struct timespec now;
    int ret = clock_gettime(CLOCK_REALTIME, &now);

    (void) zone;
    if (ret == 0) {
        out->tv_sec = now.tv_sec;
        out->tv_usec = now.tv_nsec / 1000;
    }
    return ret;
}
