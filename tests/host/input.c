/*
 * The thread of a threaded input ("flb-in-..."), such as kubernetes_events: its
 * processors run here and not on the engine, which goes on meanwhile.
 */
#define _GNU_SOURCE
#include "host.h"

#include <pthread.h>
#include <stdlib.h>

static struct {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    void (*run)(void *);
    void *arg;
    int running;
    int stopping;
} input = {
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .changed = PTHREAD_COND_INITIALIZER,
};

static void *input_main(void *arg)
{
    (void) arg;
    pthread_setname_np(pthread_self(), "flb-in-mini.0");
    thread_kind = THREAD_INPUT;
    crash_thread_begin();
    pthread_mutex_lock(&input.lock);
    while (!input.stopping) {
        if (input.run == NULL) {
            pthread_cond_wait(&input.changed, &input.lock);
            continue;
        }
        pthread_mutex_unlock(&input.lock);
        input.run(input.arg);
        pthread_mutex_lock(&input.lock);
        input.run = NULL;
        pthread_cond_broadcast(&input.changed);
    }
    pthread_mutex_unlock(&input.lock);
    crash_thread_end();
    return NULL;
}

static void start(void)
{
    input.stopping = 0;
    if (pthread_create(&input.thread, NULL, input_main, NULL) != 0) {
        abort();
    }
    input.running = 1;
}

/* From main, which waits. The thread is there from the first call on. */
void input_call(void (*run)(void *), void *arg)
{
    if (!input.running) {
        start();
    }
    pthread_mutex_lock(&input.lock);
    input.arg = arg;
    input.run = run;
    pthread_cond_broadcast(&input.changed);
    while (input.run != NULL) {
        pthread_cond_wait(&input.changed, &input.lock);
    }
    pthread_mutex_unlock(&input.lock);
}

void input_stop(void)
{
    if (!input.running) {
        return;
    }
    pthread_mutex_lock(&input.lock);
    input.stopping = 1;
    pthread_cond_broadcast(&input.changed);
    pthread_mutex_unlock(&input.lock);
    pthread_join(input.thread, NULL);
    input.running = 0;
}

int input_is_running(void)
{
    return input.running;
}
