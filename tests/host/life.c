/* Life cycle, in Fluent Bit's order and on Fluent Bit's threads. */
#include "host.h"

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

    if (loaded_proxy != NULL) {
        emit("error load: a plugin is loaded");
        return;
    }
    loaded_proxy = proxy_load(path, 0, why, sizeof(why));
    if (loaded_proxy == NULL) {
        emit("error load %s", why);
        return;
    }
    engine_start();
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

static void exit_all_for_reload(void *arg)
{
    struct instance *ins;
    char *was_live = arg;

    engine_linger(grace_ms * 1000000, has_flushes, NULL);
    for (ins = instances; ins != NULL; ins = ins->next) {
        was_live[ins->number] = (char) ins->is_live;
        if (ins->is_live) {
            instance_exit(ins, 1);
        }
    }
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

/*
 * The new context registers in the same image while the old instances still
 * flush; the image is never unmapped in between, and the engine thread is new.
 */
void life_reload(void)
{
    int64_t began = now_ns();
    struct proxy *old = loaded_proxy;
    struct proxy *fresh;
    struct reinit again = { NULL, 0 };
    char *was_live;
    char why[1024];
    int workers = workers_count();

    if (old == NULL) {
        emit("error reload: nothing loaded");
        return;
    }
    fresh = proxy_load(old->path, 1, why, sizeof(why));
    if (fresh == NULL) {
        emit("reloaded failed %.3f", (double) (now_ns() - began) / 1e6);
        return;
    }
    was_live = calloc(1, count_instances() + 1);
    engine_call(exit_all_for_reload, was_live);
    workers_resize(0);
    engine_stop();
    proxy_unload(old);

    loaded_proxy = fresh;
    engine_start();
    workers_resize(workers);
    again.was_live = was_live;
    engine_call(init_all_again, &again);
    free(was_live);
    emit("reloaded %s %.3f", again.failed ? "failed" : "ok", (double) (now_ns() - began) / 1e6);
}

static int any_live(void)
{
    const struct instance *ins;

    for (ins = instances; ins != NULL; ins = ins->next) {
        if (ins->is_live) {
            return 1;
        }
    }
    return 0;
}

void life_unload(void)
{
    if (loaded_proxy == NULL || any_live()) {
        emit("error unload: %s", loaded_proxy == NULL ? "nothing loaded" : "live instances");
        return;
    }
    workers_resize(0);
    engine_stop();
    proxy_unload(loaded_proxy);
    loaded_proxy = NULL;
    emit("unloaded");
}

void life_quit(void)
{
    struct instance *ins;

    for (ins = instances; ins != NULL; ins = ins->next) {
        if (ins->is_live) {
            life_exit(ins);
        }
    }
    if (loaded_proxy != NULL) {
        life_unload();
    }
    emit("bye");
}
