/* The filter: what keeps the rules, and the struct by which the host finds it. */
#define _GNU_SOURCE
#include "trial.h"

#include <alloca.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int live_filters;

void say(const char *what, const char *detail)
{
    flb_log_print(3, NULL, 0, "%s %s", what, detail);
}

const char *property(void *f_ins, const char *key)
{
    const char *value = flb_filter_get_property(key, f_ins);

    return value != NULL ? value : "(none)";
}

static __attribute__((noinline)) void use_stack(size_t bytes)
{
    volatile char *frame = alloca(bytes);

    for (; bytes > 0; bytes--) {
        frame[bytes - 1] = 1;
    }
}

static int prefix(const struct call *call)
{
    char *out = malloc((size_t) call->tag_len + call->bytes);

    memcpy(out, call->tag, (size_t) call->tag_len);
    memcpy(out + call->tag_len, call->data, call->bytes);
    *call->out = out;
    *call->out_bytes = (size_t) call->tag_len + call->bytes;
    return MODIFIED;
}

static int cb_filter(const void *data, size_t bytes, const char *tag, int tag_len, void **out,
                     size_t *out_bytes, void *f_ins, void *i_ins, void *context, void *config)
{
    const struct state *state = context;
    struct call call = { state, data, bytes, tag, tag_len, out, out_bytes, i_ins, config };

    (void) f_ins;
    if (state == NULL || strcmp(state->what, "pass") == 0) {
        return NOTOUCH;
    }
    if (strcmp(state->what, "drop") == 0) {
        return MODIFIED;
    }
    if (strcmp(state->what, "prefix") == 0) {
        return prefix(&call);
    }
    if (strcmp(state->what, "sleep") == 0) {
        usleep(50 * 1000);
        return NOTOUCH;
    }
    if (strcmp(state->what, "stack") == 0) {
        use_stack((size_t) state->number);
        return NOTOUCH;
    }
    return misdeed(state->what, &call);
}

static int cb_pre_run(void *f_ins, void *config, void *data)
{
    (void) config;
    (void) data;
    say("pre_run", flb_filter_name(f_ins));
    return strcmp(property(f_ins, "pre_run"), "refuse") == 0 ? -1 : 0;
}

static void never(void *config, void *data)
{
    (void) config;
    (void) data;
}

static void *sleep_on(void *arg)
{
    for (;;) {
        pause();
    }
    return arg;
}

static int cb_init(void *f_ins, void *config, void *data)
{
    struct state *state = calloc(1, sizeof(*state));
    pthread_t thread;

    (void) config;
    (void) data;
    say("init", flb_filter_name(f_ins));
    state->f_ins = f_ins;
    state->base = co_active != NULL ? co_active() : NULL;
    strcpy(state->what, "pass");
    if (flb_filter_get_property("do", f_ins) != NULL) {
        sscanf(property(f_ins, "do"), "%63s %ld", state->what, &state->number);
    }
    say("reads", property(f_ins, property(f_ins, "read")));
    if (strcmp(property(f_ins, "timer"), "left") == 0) {
        flb_sched_timer_cb_create(flb_sched_ctx_get(), 4, 50000, never, NULL, NULL);
    }
    if (strcmp(property(f_ins, "thread"), "left") == 0) {
        pthread_create(&thread, NULL, sleep_on, NULL);
    }
    if (strcmp(property(f_ins, "context"), "none") == 0) {
        free(state);
        return 0;
    }
    flb_filter_set_context(f_ins, state);
    if (strcmp(property(f_ins, "init"), "fail") == 0) {
        flb_filter_set_context(f_ins, NULL);
        free(state);
        return -1;
    }
    live_filters++;
    return 0;
}

static int cb_exit(void *context, void *config)
{
    struct state *state = context;

    (void) config;
    say("exit", flb_filter_name(state->f_ins));
    live_filters--;
    free(state);
    return 0;
}

#ifdef WITH_NOTIFICATION
static int cb_notification(void *f_ins, void *config, void *data)
{
    (void) f_ins;
    (void) config;
    (void) data;
    return 0;
}
#endif

struct filter_struct {
    int event_type;
    int flags;
    const char *name;
    const char *description;
    void *config_map;
    void *callbacks[4];
#ifndef SHORT
    void *cb_notification;
    void *head[2];
#endif
};

struct filter_struct filter_trial_plugin = {
    .name = "trial",
    .description = "does what a test asks for",
#ifdef WITH_MAP
    .config_map = &live_filters,
#endif
    .callbacks = { cb_pre_run, cb_init, cb_filter, cb_exit },
#ifdef WITH_NOTIFICATION
    .cb_notification = cb_notification,
#endif
};
