/* The scheduler's callback timers, on the engine thread. */
#include "host.h"

#include <stdlib.h>

enum { CB_ONESHOT = 3, CB_PERM = 4 };
#define NS_PER_S INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)

enum timer_state { TIMER_ARMED, TIMER_DISABLED, TIMER_DESTROYED };

struct flb_sched_timer {
    struct flb_sched *sched;
    struct instance *owner;  /* NULL: the host's own */
    enum timer_state state;
    int type;
    int64_t period_ns;
    int64_t due_ns;
    unsigned long fired_in_turn;
    void (*cb)(struct flb_config *, void *);
    void *data;
    struct flb_sched_timer *next;
};

struct flb_sched {
    struct flb_sched_timer *timers;
    unsigned long turn;
};

/* A test's wish: the plugin's timers do not fire, so that what works works without them. */
int sched_holds_plugins;

static int is_armed(const struct flb_sched_timer *timer)
{
    return timer->state == TIMER_ARMED && !(sched_holds_plugins && timer->owner != NULL);
}

struct flb_sched *sched_new(void)
{
    return calloc(1, sizeof(struct flb_sched));
}

/* Destroyed timers are kept until here, so that a second destroy is noticed. */
void sched_free(struct flb_sched *sched)
{
    struct flb_sched_timer *timer;

    while ((timer = sched->timers) != NULL) {
        sched->timers = timer->next;
        free(timer);
    }
    free(sched);
}

static struct flb_sched_timer *next_due(struct flb_sched *sched, int64_t now)
{
    struct flb_sched_timer *timer;
    struct flb_sched_timer *best = NULL;

    for (timer = sched->timers; timer != NULL; timer = timer->next) {
        if (is_armed(timer) && timer->due_ns <= now
            && timer->fired_in_turn != sched->turn
            && (best == NULL || timer->due_ns < best->due_ns)) {
            best = timer;
        }
    }
    return best;
}

/* A callback may create and destroy timers, so each is looked up anew. */
void sched_run_due(struct flb_sched *sched)
{
    struct flb_sched_timer *timer;
    int64_t now = now_ns();

    sched->turn++;
    while ((timer = next_due(sched, now)) != NULL) {
        timer->fired_in_turn = sched->turn;
        timer->due_ns += timer->period_ns;
        if (timer->due_ns <= now) {
            timer->due_ns = now + timer->period_ns;  /* missed ticks fall together */
        }
        if (timer->type == CB_ONESHOT) {
            timer->state = TIMER_DISABLED;
        }
        current_instance = timer->owner;
        timer->cb(NULL, timer->data);
        current_instance = NULL;
        if (timer->type == CB_ONESHOT) {
            timer->state = TIMER_DESTROYED;
        }
        flush_reap();
    }
}

/*
 * What the plugin's timers would do within a second, they do now: whoever asks for metrics sees
 * what was true when it asked, and not what was true up to a second before.
 */
void sched_run_a_second(struct flb_sched *sched)
{
    enum { MOST_TIMES = 100 };
    struct flb_sched_timer *timer;
    int times;
    int due = 1;

    for (times = 1; due && times <= MOST_TIMES; times++) {
        due = 0;
        for (timer = sched->timers; timer != NULL; timer = timer->next) {
            if (is_armed(timer) && timer->owner != NULL && timer->type == CB_PERM
                && timer->period_ns * times <= NS_PER_S) {
                timer->due_ns = now_ns();
                due = 1;
            }
        }
        if (due) {
            sched_run_due(sched);
        }
    }
}

int64_t sched_next_ns(const struct flb_sched *sched)
{
    const struct flb_sched_timer *timer;
    int64_t next = INT64_MAX;

    for (timer = sched->timers; timer != NULL; timer = timer->next) {
        if (is_armed(timer) && timer->due_ns < next) {
            next = timer->due_ns;
        }
    }
    return next;
}

/* After ExitCtx a timer would call into an instance that is gone. */
int sched_drop_left_by(struct flb_sched *sched, const struct instance *owner)
{
    struct flb_sched_timer *timer;
    int left = 0;

    for (timer = sched->timers; timer != NULL; timer = timer->next) {
        if (timer->owner == owner && timer->state != TIMER_DESTROYED) {
            timer->state = TIMER_DESTROYED;
            left++;
        }
    }
    return left;
}

static int on_engine(const char *what)
{
    if (thread_kind == THREAD_ENGINE) {
        return 1;
    }
    violation("%s off the engine thread", what);
    return 0;
}

/* Thread-local in Fluent Bit: a plugin's own thread gets NULL. */
EXPORT struct flb_sched *flb_sched_ctx_get(void)
{
    return thread_kind == THREAD_ENGINE ? engine_sched() : NULL;
}

/*
 * The first expiry is at the start of a second, `ms / 1000` seconds from this one
 * (mk_event_timeout_create drops the nanoseconds): below a second, at once.
 */
EXPORT int flb_sched_timer_cb_create(struct flb_sched *sched, int type, int ms,
                                     void (*cb)(struct flb_config *, void *), void *data,
                                     struct flb_sched_timer **out_timer)
{
    struct flb_sched_timer *timer;

    if (!on_engine("flb_sched_timer_cb_create") || sched == NULL || cb == NULL) {
        return -1;
    }
    if ((type != CB_ONESHOT && type != CB_PERM) || ms <= 0) {
        violation("timer of type %d, %d ms", type, ms);
        return -1;
    }
    timer = calloc(1, sizeof(*timer));
    if (timer == NULL) {
        return -1;
    }
    timer->sched = sched;
    timer->owner = current_instance;
    timer->type = type;
    timer->period_ns = ms * NS_PER_MS;
    timer->due_ns = (now_ns() / NS_PER_S + ms / 1000) * NS_PER_S;
    timer->cb = cb;
    timer->data = data;
    timer->next = sched->timers;
    sched->timers = timer;
    if (out_timer != NULL) {
        *out_timer = timer;
    }
    return 0;
}

EXPORT int flb_sched_timer_cb_disable(struct flb_sched_timer *timer)
{
    if (!on_engine("flb_sched_timer_cb_disable")) {
        return -1;
    }
    if (timer->state == TIMER_DESTROYED) {
        violation("timer disabled after it was destroyed");
        return -1;
    }
    timer->state = TIMER_DISABLED;
    return 0;
}

EXPORT int flb_sched_timer_cb_destroy(struct flb_sched_timer *timer)
{
    if (!on_engine("flb_sched_timer_cb_destroy")) {
        return -1;
    }
    if (timer->state == TIMER_DESTROYED) {
        violation("timer destroyed twice");
        return -1;
    }
    timer->state = TIMER_DESTROYED;
    return 0;
}
