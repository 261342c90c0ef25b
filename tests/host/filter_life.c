/*
 * Life of native filters, in Fluent Bit's order and on Fluent Bit's threads.
 *
 * flb_engine_start: inputs with their processors, then the pipeline's filters, then
 * outputs (flb_input_init_all, flb_filter_init_all, flb_output_init_all).
 * flb_engine_shutdown: filters, then outputs, then inputs with their processors
 * (flb_filter_exit, flb_output_exit, flb_input_exit_all). So a filter is gone before
 * the output exits, and a processor outlives it. Both orders are the same in 2.2.3,
 * 3.2.10, 4.2.8 and 5.1.1.
 */
#include "filter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A native plugin is only opened: nothing in it is called before cb_pre_run. */
void filter_life_load(const char *path)
{
    char why[1024];

    if (loaded_filter != NULL || life_any_live()) {
        emit("error loadfilter: %s", loaded_filter != NULL ? "a filter is loaded" : "live instances");
        return;
    }
    engine_stop();
    loaded_filter = filter_plugin_load(path, why, sizeof(why));
    if (loaded_filter != NULL || loaded_proxy != NULL) {
        engine_start();
    }
    if (loaded_filter == NULL) {
        emit("error loadfilter %s", why);
        return;
    }
    emit("filterloaded name=%s bytes=%zu shared=%d", loaded_filter->def.name,
         loaded_filter->symbol_bytes,
         loaded_proxy != NULL && loaded_proxy->handle == loaded_filter->handle);
}

/*
 * On main, as a reload's validation does while the old instances live
 * (flb_reload.c, flb_filter_propery_check_all), and a dry run of 5.1.1 with none.
 */
void filter_life_pre_run(struct filter *filter)
{
    struct flb_filter_instance *f_ins;

    if (loaded_filter == NULL) {
        emit("error prerun %s: nothing loaded", filter->token);
        return;
    }
    f_ins = filter_new(filter, loaded_filter);
    emit("prerun %s %d", filter->token, filter_pre_run(f_ins));
    filter_destroy(f_ins);
}

static void init_job(void *arg)
{
    struct filter *filter = arg;
    struct flb_filter_instance *f_ins = filter->fresh;

    filter->fresh = NULL;
    filter_init(filter, f_ins);
}

/*
 * From main. The processors of a threaded input start on its thread since 4.0.3
 * (flb_input_thread.c), all else on the engine.
 */
static void init_where_it_belongs(struct filter *filter)
{
    if (filter->is_processor && version_inits_processors_on_input()) {
        input_call(init_job, filter);
    }
    else {
        engine_call(init_job, filter);
    }
}

static void init_and_tell_job(void *arg)
{
    struct filter *filter = arg;
    struct flb_filter_instance *f_ins = filter->fresh;

    filter->fresh = NULL;
    emit("filterinit %s %d", filter->token, filter_init(filter, f_ins));
}

void filter_life_init(struct filter *filter)
{
    if (loaded_filter == NULL || filter->live != NULL) {
        emit("error initfilter %s: %s", filter->token,
             filter->live != NULL ? "live already" : "nothing loaded");
        return;
    }
    filter->fresh = filter_new(filter, loaded_filter);
    if (filter->is_processor && version_inits_processors_on_input()) {
        input_call(init_and_tell_job, filter);
    }
    else {
        engine_call(init_and_tell_job, filter);
    }
}

static void exit_job(void *arg)
{
    struct filter *filter = arg;
    int64_t began = now_ns();
    int ret = filter_exit(filter);

    emit("exited %s %d %.3f", filter->token, ret, (double) (now_ns() - began) / 1e6);
}

/* The engine ends processors, too: their input's thread is joined by then. */
void filter_life_exit(struct filter *filter)
{
    if (filter->live == NULL) {
        emit("error exit %s: not live", filter->token);
        return;
    }
    engine_call(exit_job, filter);
}

int filter_life_any_live(void)
{
    const struct filter *filter;

    for (filter = filters; filter != NULL; filter = filter->next) {
        if (filter->live != NULL) {
            return 1;
        }
    }
    return 0;
}

/* flb_config_exit: only dlclose, before the proxy's Unregister. */
void filter_life_unload(void)
{
    if (loaded_filter != NULL) {
        filter_plugin_unload(loaded_filter);
        loaded_filter = NULL;
    }
}

/*
 * On main: the new context's instances, validated while the old ones live. Processors
 * are not in the list that is validated (flb_processor_unit_create unlinks them). 0 when
 * one is refused: the reload is halted and the old context goes on.
 */
int filter_life_prepare(struct filter_plugin *fresh)
{
    struct filter *filter;

    for (filter = filters; filter != NULL; filter = filter->next) {
        if (filter->live != NULL) {
            filter->fresh = filter_new(filter, fresh);
        }
    }
    for (filter = filters; filter != NULL; filter = filter->next) {
        if (filter->fresh != NULL && !filter->is_processor && filter_pre_run(filter->fresh) != 0) {
            return 0;
        }
    }
    return 1;
}

/* What was prepared and never ran: no cb_exit, as it has no context. */
void filter_life_forget(void)
{
    struct filter *filter;

    for (filter = filters; filter != NULL; filter = filter->next) {
        if (filter->fresh != NULL) {
            filter_destroy(filter->fresh);
            filter->fresh = NULL;
        }
    }
}

/* On the engine thread: the pipeline's filters, or else the processors. */
void filter_life_exit_all(int processors)
{
    struct filter *filter;

    for (filter = filters; filter != NULL; filter = filter->next) {
        if (filter->live != NULL && filter->is_processor == processors) {
            filter_exit(filter);
        }
    }
}

/* On main, of what was prepared; 0 when one failed. */
int filter_life_init_all(int processors)
{
    struct filter *filter;

    for (filter = filters; filter != NULL; filter = filter->next) {
        if (filter->fresh != NULL && filter->is_processor == processors) {
            init_where_it_belongs(filter);
            if (filter->live == NULL) {
                return 0;
            }
        }
    }
    return 1;
}
