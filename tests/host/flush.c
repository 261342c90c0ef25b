/* One flush: on its own coroutine, from submission to return or abandonment. */
#define _GNU_SOURCE
#include "host.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { FLB_ERROR = 0, FLB_OK = 1, FLB_RETRY = 2 };

/* 1.5 * PTHREAD_STACK_MIN on x86_64: what every release before 5.1.0 gives. */
size_t flush_stack_bytes = 24576;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct flush *pending;
static size_t high_water;

/* Returned flushes whose stack is still in use until this thread is on its base. */
static _Thread_local struct flush *returned;

static void unlink_locked(struct flush *flush)
{
    struct flush **at = &pending;

    while (*at != NULL && *at != flush) {
        at = &(*at)->next;
    }
    if (*at == flush) {
        *at = flush->next;
    }
}

void flush_free(struct flush *flush)
{
    if (flush->co != NULL) {
        coroutine_free(flush->co);
    }
    blob_retire(&flush->blob);
    free(flush->tag);
    free(flush->id);
    free(flush);
}

/* Runs on the coroutine: the plugin's call, and what the host does at its return. */
static void body(void *arg)
{
    struct flush *flush = arg;
    struct instance *ins = flush->ins;
    size_t used;
    int code;

    current_instance = ins;
    coro_slot_set(flush);
    code = proxy_flush(ins->context, flush->is_null ? NULL : flush->blob.data,
                       flush->is_null ? 0 : flush->blob.len, flush->tag);
    used = coroutine_high_water(flush->co);
    blob_retire(&flush->blob);
    memset(flush->tag, 0xdd, strlen(flush->tag));
    free(flush->tag);
    flush->tag = NULL;

    /* Fluent Bit finds the finished task by this slot: a wrong one ends another's. */
    if (coro_slot_get() != flush) {
        violation("flush %s returned with another flb_coro set", flush->id);
    }
    if (ins->is_exiting) {
        violation("flush %s resumed in ExitCtx", flush->id);
    }
    if (code != FLB_ERROR && code != FLB_OK && code != FLB_RETRY) {
        violation("flush code %d", code);
        code = FLB_ERROR;
    }
    pthread_mutex_lock(&lock);
    if (used > high_water) {
        high_water = used;
    }
    unlink_locked(flush);
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    emit("flushed %s %d", flush->id, code);
    flush->next = returned;
    returned = flush;
}

void flush_start_on_this_thread(struct flush *flush)
{
    flush->co = coroutine_new(flush_stack_bytes, body, flush);
    coroutine_start(flush->co);
    current_instance = NULL;
}

static void start_on_engine(void *arg)
{
    flush_start_on_this_thread(arg);
}

void flush_submit(struct flush *flush)
{
    flush->on_worker = workers_count() > 0;
    pthread_mutex_lock(&lock);
    flush->next = pending;
    pending = flush;
    pthread_mutex_unlock(&lock);
    if (flush->on_worker) {
        workers_submit(flush);
    }
    else {
        engine_post(start_on_engine, flush);
    }
}

/* Frees the stacks of returned flushes; only from a thread's base. */
void flush_reap(void)
{
    struct flush *flush;

    while ((flush = returned) != NULL) {
        returned = flush->next;
        flush_free(flush);
    }
}

/* How many have not returned; of all instances when `ins` is NULL. */
int flush_pending(const struct instance *ins)
{
    const struct flush *flush;
    int count = 0;

    pthread_mutex_lock(&lock);
    for (flush = pending; flush != NULL; flush = flush->next) {
        count += ins == NULL || flush->ins == ins;
    }
    pthread_mutex_unlock(&lock);
    return count;
}

static int busy_on_worker_locked(const struct instance *ins)
{
    const struct flush *flush;

    for (flush = pending; flush != NULL; flush = flush->next) {
        if (flush->ins == ins && flush->on_worker) {
            return 1;
        }
    }
    return 0;
}

/* The worker threads are joined before ExitCtx, whatever grace says. */
void flush_join_workers(const struct instance *ins)
{
    pthread_mutex_lock(&lock);
    while (busy_on_worker_locked(ins)) {
        pthread_cond_wait(&changed, &lock);
    }
    pthread_mutex_unlock(&lock);
}

/* A coroutine still waiting at ExitCtx is never resumed: its task dies with it. */
void flush_abandon(const struct instance *ins)
{
    struct flush **at = &pending;
    struct flush *flush;

    pthread_mutex_lock(&lock);
    while ((flush = *at) != NULL) {
        if (flush->ins != ins) {
            at = &flush->next;
            continue;
        }
        *at = flush->next;
        if (flush->co != NULL && coroutine_high_water(flush->co) > high_water) {
            high_water = coroutine_high_water(flush->co);
        }
        emit("abandoned %s", flush->id);
        flush_free(flush);
    }
    pthread_mutex_unlock(&lock);
}

size_t flush_high_water(void)
{
    size_t bytes;

    pthread_mutex_lock(&lock);
    bytes = high_water;
    pthread_mutex_unlock(&lock);
    return bytes;
}
