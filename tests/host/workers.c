/*
 * Flush threads, as `workers <n>` gives them in Fluent Bit: flushes go round
 * robin, each on a coroutine of its thread, and the plugin has to block there,
 * for the base of a worker never resumes a flush.
 */
#define _GNU_SOURCE
#include "host.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAX_WORKERS = 64 };

struct worker {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct flush **queue;
    size_t queued;
    size_t room;
    int stopping;
    int number;
};

static struct worker workers[MAX_WORKERS];
static int count;
static unsigned next_worker;

static struct flush *take(struct worker *worker)
{
    struct flush *flush = NULL;
    size_t i;

    pthread_mutex_lock(&worker->lock);
    while (worker->queued == 0 && !worker->stopping) {
        pthread_cond_wait(&worker->changed, &worker->lock);
    }
    if (worker->queued > 0) {
        flush = worker->queue[0];
        worker->queued--;
        for (i = 0; i < worker->queued; i++) {
            worker->queue[i] = worker->queue[i + 1];
        }
    }
    pthread_mutex_unlock(&worker->lock);
    return flush;
}

static void *worker_main(void *arg)
{
    struct worker *worker = arg;
    struct flush *flush;
    char name[16];

    snprintf(name, sizeof(name), "flb-out-w%d", worker->number);
    pthread_setname_np(pthread_self(), name);
    thread_kind = THREAD_WORKER;
    crash_thread_begin();
    while ((flush = take(worker)) != NULL) {
        flush_start_on_this_thread(flush);
        if (!coroutine_finished(flush->co)) {
            violation("flush %s yielded on a worker thread", flush->id);
            flush->on_worker = 0;  /* nobody joins it: exit abandons it */
        }
        flush_reap();
    }
    crash_thread_end();
    return NULL;
}

static void start(struct worker *worker, int number)
{
    pthread_mutex_init(&worker->lock, NULL);
    pthread_cond_init(&worker->changed, NULL);
    worker->queue = NULL;
    worker->queued = 0;
    worker->room = 0;
    worker->stopping = 0;
    worker->number = number;
    if (pthread_create(&worker->thread, NULL, worker_main, worker) != 0) {
        abort();
    }
}

/* What is queued is still flushed, as in Fluent Bit. */
static void stop(struct worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    worker->stopping = 1;
    pthread_cond_signal(&worker->changed);
    pthread_mutex_unlock(&worker->lock);
    pthread_join(worker->thread, NULL);
    free(worker->queue);
    pthread_cond_destroy(&worker->changed);
    pthread_mutex_destroy(&worker->lock);
}

void workers_resize(int wanted)
{
    int i;

    for (i = 0; i < count; i++) {
        stop(&workers[i]);
    }
    count = wanted < MAX_WORKERS ? wanted : MAX_WORKERS;
    for (i = 0; i < count; i++) {
        start(&workers[i], i);
    }
}

int workers_count(void)
{
    return count;
}

void workers_submit(struct flush *flush)
{
    struct worker *worker = &workers[next_worker++ % (unsigned) count];

    pthread_mutex_lock(&worker->lock);
    if (worker->queued == worker->room) {
        worker->room = worker->room * 2 + 16;
        worker->queue = realloc(worker->queue, worker->room * sizeof(*worker->queue));
    }
    worker->queue[worker->queued++] = flush;
    pthread_cond_signal(&worker->changed);
    pthread_mutex_unlock(&worker->lock);
}
