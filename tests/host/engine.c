/*
 * The engine thread ("flb-pipeline"): jobs from main, timers, and the base that
 * flush coroutines yield to. Whoever blocks it freezes the pipeline, which is
 * what the beats measure.
 */
#define _GNU_SOURCE
#include "host.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { BEAT_MS = 10, MOST_EVENTS = 64 };

struct job {
    void (*run)(void *);
    void *arg;
    int *done;  /* NULL: nobody waits */
    struct job *next;
};

static struct {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct job *first;
    struct job **last;
    int wake;
    int running;
    int stopping;
    struct flb_sched *sched;
    long beats;
    int64_t last_beat_ns;
    int64_t max_gap_ns;
} engine = {
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .changed = PTHREAD_COND_INITIALIZER,
};

static void beat(struct flb_config *config, void *data)
{
    int64_t now = now_ns();

    (void) config;
    (void) data;
    if (now - engine.last_beat_ns > engine.max_gap_ns) {
        engine.max_gap_ns = now - engine.last_beat_ns;
    }
    engine.last_beat_ns = now;
    engine.beats++;
}

static void push(void (*run)(void *), void *arg, int *done)
{
    struct job *job = calloc(1, sizeof(*job));
    uint64_t one = 1;

    job->run = run;
    job->arg = arg;
    job->done = done;
    pthread_mutex_lock(&engine.lock);
    *engine.last = job;
    engine.last = &job->next;
    pthread_mutex_unlock(&engine.lock);
    /* It can only fail with the counter full, and then the engine is awake anyway. */
    (void) !write(engine.wake, &one, sizeof(one));
}

static struct job *pop(void)
{
    struct job *job;

    pthread_mutex_lock(&engine.lock);
    job = engine.first;
    if (job != NULL) {
        engine.first = job->next;
        if (engine.first == NULL) {
            engine.last = &engine.first;
        }
    }
    pthread_mutex_unlock(&engine.lock);
    return job;
}

static void finish(struct job *job)
{
    if (job->done != NULL) {
        pthread_mutex_lock(&engine.lock);
        *job->done = 1;
        pthread_cond_broadcast(&engine.changed);
        pthread_mutex_unlock(&engine.lock);
    }
    free(job);
}

/* Waits for a job, an event, the next timer, or `limit_ns`, whichever is first. */
static void doze(int64_t limit_ns)
{
    struct pollfd fds[1 + MOST_EVENTS] = { { .fd = engine.wake, .events = POLLIN } };
    size_t events = events_fill(fds + 1, MOST_EVENTS);
    int64_t until = sched_next_ns(engine.sched);
    int64_t left;
    struct timespec ts;
    uint64_t ignored;

    if (limit_ns < until) {
        until = limit_ns;
    }
    left = until - now_ns();
    if (left < 0) {
        left = 0;
    }
    ts.tv_sec = left / 1000000000;
    ts.tv_nsec = left % 1000000000;
    if (ppoll(fds, 1 + events, &ts, NULL) > 0) {
        if (fds[0].revents != 0) {
            (void) !read(engine.wake, &ignored, sizeof(ignored));
        }
        events_run(fds + 1, events);
    }
}

static void *engine_main(void *arg)
{
    struct job *job;

    (void) arg;
    pthread_setname_np(pthread_self(), "flb-pipeline");
    thread_kind = THREAD_ENGINE;
    crash_thread_begin();
    engine.last_beat_ns = now_ns();
    flb_sched_timer_cb_create(engine.sched, 4, BEAT_MS, beat, NULL, NULL);
    while (!engine.stopping) {
        sched_run_due(engine.sched);
        job = pop();
        if (job == NULL) {
            doze(INT64_MAX);
            continue;
        }
        job->run(job->arg);
        flush_reap();
        finish(job);
        doze(0);  /* many jobs must not keep the events waiting */
    }
    crash_thread_end();
    return NULL;
}

/* Only inside a job: lets timers and waiting flushes go on, without new jobs. */
void engine_linger(int64_t ns, int (*still_busy)(void *), void *arg)
{
    int64_t end = now_ns() + ns;

    while (still_busy(arg) && now_ns() < end) {
        sched_run_due(engine.sched);
        if (still_busy(arg)) {
            doze(end);
        }
    }
}

static void stop(void *arg)
{
    (void) arg;
    engine.stopping = 1;
}

void engine_start(void)
{
    engine.first = NULL;
    engine.last = &engine.first;
    engine.stopping = 0;
    engine.beats = 0;
    engine.max_gap_ns = 0;
    engine.wake = eventfd(0, EFD_CLOEXEC);
    engine.sched = sched_new();
    if (pthread_create(&engine.thread, NULL, engine_main, NULL) != 0) {
        abort();
    }
    engine.running = 1;
}

void engine_stop(void)
{
    if (!engine.running) {
        return;
    }
    engine_call(stop, NULL);
    pthread_join(engine.thread, NULL);
    close(engine.wake);
    sched_free(engine.sched);
    engine.sched = NULL;
    engine.running = 0;
}

int engine_is_running(void)
{
    return engine.running;
}

void engine_post(void (*run)(void *), void *arg)
{
    push(run, arg, NULL);
}

void engine_call(void (*run)(void *), void *arg)
{
    int done = 0;

    push(run, arg, &done);
    pthread_mutex_lock(&engine.lock);
    while (!done) {
        pthread_cond_wait(&engine.changed, &engine.lock);
    }
    pthread_mutex_unlock(&engine.lock);
}

struct flb_sched *engine_sched(void)
{
    return engine.sched;
}

/* A gap still open counts too. Read on the engine thread, then begun anew. */
void engine_beats(long *count, double *max_gap_ms)
{
    int64_t now = now_ns();
    int64_t gap = engine.max_gap_ns;

    if (now - engine.last_beat_ns > gap) {
        gap = now - engine.last_beat_ns;
    }
    *count = engine.beats;
    *max_gap_ms = (double) gap / 1e6;
    engine.beats = 0;
    engine.max_gap_ns = 0;
    engine.last_beat_ns = now;
}
