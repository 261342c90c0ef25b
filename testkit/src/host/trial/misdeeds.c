/* What a filter must not do: each entry is a rule of the host that it breaks. */
#define _GNU_SOURCE
#include "trial.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static volatile int sink;

static int leak(const struct call *call)
{
    *call->out = malloc(16);
    return MODIFIED;
}

static int touch(const struct call *call)
{
    *call->out = malloc(16);
    *call->out_bytes = 16;
    return NOTOUCH;
}

static int seven(const struct call *call)
{
    (void) call;
    return 7;
}

static int nothing_said(const struct call *call)
{
    *call->out_bytes = 16;
    return MODIFIED;
}

static int too_much_said(const struct call *call)
{
    *call->out = malloc(16);
    *call->out_bytes = 4096;
    return MODIFIED;
}

static int own_data(const struct call *call)
{
    *call->out = (void *) call->data;
    *call->out_bytes = call->bytes;
    return MODIFIED;
}

static void *log_elsewhere(void *arg)
{
    say("elsewhere", arg);
    return NULL;
}

static void *read_elsewhere(void *arg)
{
    (void) property(arg, "do");
    return NULL;
}

static int on_own_thread(void *(*run)(void *), void *arg)
{
    pthread_t thread;

    pthread_create(&thread, NULL, run, arg);
    pthread_join(thread, NULL);
    return NOTOUCH;
}

static int log_from_own_thread(const struct call *call)
{
    return on_own_thread(log_elsewhere, (void *) call->state->what);
}

static int read_from_own_thread(const struct call *call)
{
    return on_own_thread(read_elsewhere, call->state->f_ins);
}

static int yield(const struct call *call)
{
    co_switch(call->state->base);
    return NOTOUCH;
}

static int look_into_input(const struct call *call)
{
    sink = *(volatile int *) call->i_ins;
    return NOTOUCH;
}

static int look_into_config(const struct call *call)
{
    sink = *(volatile int *) call->config;
    return NOTOUCH;
}

static int read_past_tag(const struct call *call)
{
    sink = call->tag[call->tag_len];
    return NOTOUCH;
}

static int read_past_data(const struct call *call)
{
    sink = ((volatile const char *) call->data)[call->bytes];
    return NOTOUCH;
}

static int write_data(const struct call *call)
{
    ((volatile char *) call->data)[0] = 1;
    return NOTOUCH;
}

static int static_buffer(const struct call *call)
{
    static char buffer[4096];

    *call->out = buffer + 64;
    *call->out_bytes = 16;
    return MODIFIED;
}

static const struct {
    const char *name;
    int (*run)(const struct call *);
} misdeeds[] = {
    { "leak", leak },
    { "touch", touch },
    { "seven", seven },
    { "nothing_said", nothing_said },
    { "too_much_said", too_much_said },
    { "own_data", own_data },
    { "log_from_own_thread", log_from_own_thread },
    { "read_from_own_thread", read_from_own_thread },
    { "yield", yield },
    { "look_into_input", look_into_input },
    { "look_into_config", look_into_config },
    { "read_past_tag", read_past_tag },
    { "read_past_data", read_past_data },
    { "write_data", write_data },
    { "static_buffer", static_buffer },
};

/* 0 when there is no such misdeed. */
int misdeed(const char *name, const struct call *call)
{
    size_t i;

    for (i = 0; i < sizeof(misdeeds) / sizeof(misdeeds[0]); i++) {
        if (strcmp(name, misdeeds[i].name) == 0) {
            return misdeeds[i].run(call);
        }
    }
    return 0;
}
