/*
 * The trial plugin: a filter, and an output in the same file, that does to the mini host
 * whatever its properties say. It includes nothing of the host's: it stands outside.
 *
 * Property `do` (pass), read by cb_init:
 *   within the rules   pass, drop, prefix (the tag, then the data), sleep, stack <bytes>
 *   outside of them    see the table in misdeeds.c
 * Property `context` = none: cb_init sets none. `init` = fail, `pre_run` = refuse.
 * `timer` = left: cb_init makes a timer nobody destroys. `thread` = left: likewise.
 * `read` <key>: cb_init logs what that property reads as.
 * Defines: SHORT, WITH_MAP, WITH_NOTIFICATION make a struct that breaks the rules.
 */
#ifndef TRIAL_H
#define TRIAL_H

#include <stddef.h>

enum { MODIFIED = 1, NOTOUCH = 2 };

/* What the host exports. */
const char *flb_filter_get_property(const char *key, void *f_ins);
void flb_filter_set_context(void *f_ins, void *context);
const char *flb_filter_name(void *f_ins);
void flb_log_print(int level, const char *file, int line, const char *fmt, ...);
void *co_active(void) __attribute__((weak));
void co_switch(void *handle) __attribute__((weak));
void *flb_sched_ctx_get(void);
int flb_sched_timer_cb_create(void *sched, int type, int ms, void (*cb)(void *, void *),
                              void *data, void **out);

struct state {
    void *f_ins;
    char what[64];
    long number;
    void *base;
};

struct call {
    const struct state *state;
    const char *data;
    size_t bytes;
    const char *tag;
    int tag_len;
    void **out;
    size_t *out_bytes;
    void *i_ins;
    void *config;
};

/* How many filters live, for the output of the same image to see. */
extern int live_filters;

void say(const char *what, const char *detail);
const char *property(void *f_ins, const char *key);
int misdeed(const char *name, const struct call *call);

#endif
