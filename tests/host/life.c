/* Life cycle, in Fluent Bit's order and on Fluent Bit's threads. */
#include "filter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct proxy *loaded_proxy;

/* How long an exit waits for flushes in flight; Fluent Bit's Grace. */
long grace_ms;

/* Register runs on main while there is no other thread yet: a daemon forks after it. */
void life_load(const char *path)
{
    char why[1024];
    char keys[32] = "-";

    if (loaded_proxy != NULL || life_any_live()) {
        emit("error load: %s", loaded_proxy != NULL ? "a plugin is loaded" : "live instances");
        return;
    }
    engine_stop();
    loaded_proxy = proxy_load(path, 0, why, sizeof(why));
    if (loaded_proxy != NULL || loaded_filter != NULL) {
        engine_start();
    }
    if (loaded_proxy == NULL) {
        emit("error load %s", why);
        return;
    }
    if (loaded_proxy->key_count >= 0) {
        snprintf(keys, sizeof(keys), "%d", loaded_proxy->key_count);
    }
    emit("loaded name=%s type=%d proxy=%d flags=%d keys=%s", loaded_proxy->name,
         loaded_proxy->def->type, loaded_proxy->def->proxy, loaded_proxy->def->flags, keys);
}

static void init_job(void *arg)
{
    struct instance *ins = arg;

    emit("init %s %d", ins->token, instance_init(ins, loaded_proxy));
}

void life_init(struct instance *ins)
{
    const char *unknown;

    if (loaded_proxy == NULL || ins->is_live) {
        emit("error init %s: %s", ins->token, ins->is_live ? "live already" : "nothing loaded");
        return;
    }
    unknown = instance_unknown_key(ins, loaded_proxy);
    if (unknown != NULL) {
        emit("init %s refused %s", ins->token, unknown);
        return;
    }
    engine_call(init_job, ins);
}

static int has_flushes(void *arg)
{
    return flush_pending(arg) > 0;
}

static void exit_job(void *arg)
{
    struct instance *ins = arg;
    int64_t began;
    int ret;

    engine_linger(grace_ms * 1000000, has_flushes, ins);
    began = now_ns();
    ret = instance_exit(ins, 0);
    emit("exited %s %d %.3f", ins->token, ret, (double) (now_ns() - began) / 1e6);
}

void life_exit(struct instance *ins)
{
    if (!ins->is_live) {
        emit("error exit %s: not live", ins->token);
        return;
    }
    engine_call(exit_job, ins);
}

/* --dry-run and a refused reload exit on main what was never initialised. */
void life_exit_null(void)
{
    if (loaded_proxy == NULL) {
        emit("error exitnull: nothing loaded");
        return;
    }
    proxy_pre_exit(loaded_proxy, 0);
    emit("exited null %d", proxy_exit_ctx(loaded_proxy, NULL));
}

/* The outputs stand between the filters of the pipeline and the processors of inputs. */
static void exit_all_for_reload(void *arg)
{
    struct instance *ins;
    char *was_live = arg;

    engine_linger(grace_ms * 1000000, has_flushes, NULL);
    filter_life_exit_all(0);
    for (ins = instances; ins != NULL; ins = ins->next) {
        was_live[ins->number] = (char) ins->is_live;
        if (ins->is_live) {
            instance_exit(ins, 1);
        }
    }
}

static void exit_processors_job(void *arg)
{
    (void) arg;
    filter_life_exit_all(1);
}

struct reinit {
    const char *was_live;
    int failed;
};

static void init_all_again(void *arg)
{
    struct reinit *again = arg;
    struct instance *ins;

    for (ins = instances; ins != NULL; ins = ins->next) {
        if (again->was_live[ins->number]
            && (instance_unknown_key(ins, loaded_proxy) != NULL
                || instance_init(ins, loaded_proxy) <= 0)) {
            again->failed = 1;
        }
    }
}

static size_t count_instances(void)
{
    const struct instance *ins;
    size_t count = 0;

    for (ins = instances; ins != NULL; ins = ins->next) {
        count++;
    }
    return count;
}

/* The plugins of a new context, loaded and validated while the old one runs. */
struct fresh {
    struct proxy *proxy;
    struct filter_plugin *filter;
};

static void forget_fresh(struct fresh *fresh)
{
    filter_life_forget();
    if (fresh->filter != NULL) {
        filter_plugin_unload(fresh->filter);
    }
    if (fresh->proxy != NULL) {
        proxy_unload(fresh->proxy);
    }
}

static int load_fresh(struct fresh *fresh)
{
    char why[1024];

    if (loaded_proxy != NULL) {
        fresh->proxy = proxy_load(loaded_proxy->path, 1, why, sizeof(why));
    }
    if (loaded_filter != NULL) {
        fresh->filter = filter_plugin_load(loaded_filter->path, why, sizeof(why));
    }
    if ((loaded_proxy != NULL && fresh->proxy == NULL)
        || (loaded_filter != NULL && fresh->filter == NULL)) {
        forget_fresh(fresh);
        return 0;
    }
    if (fresh->filter != NULL && !filter_life_prepare(fresh->filter)) {
        /* The halted context is destroyed with its outputs, which never began. */
        if (fresh->proxy != NULL) {
            proxy_pre_exit(fresh->proxy, 0);
            proxy_exit_ctx(fresh->proxy, NULL);
        }
        forget_fresh(fresh);
        return 0;
    }
    return 1;
}

/* flb_config_exit: native plugins are closed first, then the proxy unregisters. */
static void unload_all(void)
{
    filter_life_unload();
    if (loaded_proxy != NULL) {
        proxy_unload(loaded_proxy);
        loaded_proxy = NULL;
    }
}

/* The order of flb_engine_start; the first that fails ends it. */
static int start_again(const char *was_live)
{
    struct reinit again = { was_live, 0 };

    if (!filter_life_init_all(1) || !filter_life_init_all(0)) {
        filter_life_forget();
        return 0;
    }
    engine_call(init_all_again, &again);
    return !again.failed;
}

/*
 * The new context registers in the same image while the old instances still
 * flush; the image is never unmapped in between, and the engine thread is new.
 */
void life_reload(void)
{
    int64_t began = now_ns();
    struct fresh fresh = { NULL, NULL };
    char *was_live;
    int workers = workers_count();
    int ok;

    if (!engine_is_running()) {
        emit("error reload: nothing loaded");
        return;
    }
    if (!load_fresh(&fresh)) {
        emit("reloaded failed %.3f", (double) (now_ns() - began) / 1e6);
        return;
    }
    was_live = calloc(1, count_instances() + 1);
    engine_call(exit_all_for_reload, was_live);
    workers_resize(0);
    input_stop();
    engine_call(exit_processors_job, NULL);
    engine_stop();
    unload_all();

    loaded_proxy = fresh.proxy;
    loaded_filter = fresh.filter;
    engine_start();
    workers_resize(workers);
    ok = start_again(was_live);
    free(was_live);
    emit("reloaded %s %.3f", ok ? "ok" : "failed", (double) (now_ns() - began) / 1e6);
}

int life_any_live(void)
{
    const struct instance *ins;

    for (ins = instances; ins != NULL; ins = ins->next) {
        if (ins->is_live) {
            return 1;
        }
    }
    return filter_life_any_live();
}

void life_unload(void)
{
    if (!engine_is_running() || life_any_live()) {
        emit("error unload: %s", !engine_is_running() ? "nothing loaded" : "live instances");
        return;
    }
    workers_resize(0);
    input_stop();
    engine_stop();
    unload_all();
    emit("unloaded");
}

static void linger_job(void *arg)
{
    engine_linger(grace_ms * 1000000, has_flushes, arg);
}

static void exit_filters(int processors)
{
    struct filter *filter;

    for (filter = filters; filter != NULL; filter = filter->next) {
        if (filter->live != NULL && filter->is_processor == processors) {
            filter_life_exit(filter);
        }
    }
}

void life_quit(void)
{
    struct instance *ins;

    if (filter_life_any_live()) {
        engine_call(linger_job, NULL);
        exit_filters(0);
    }
    for (ins = instances; ins != NULL; ins = ins->next) {
        if (ins->is_live) {
            life_exit(ins);
        }
    }
    input_stop();
    exit_filters(1);
    if (engine_is_running()) {
        life_unload();
    }
    emit("bye");
}
