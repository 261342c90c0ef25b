/* An instance of a native filter: its properties, its callbacks, what it may call. */
#define _GNU_SOURCE
#include "filter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <unistd.h>

#define LIVE UINT32_C(0x66696c2b)
#define GONE UINT32_C(0x66696c2d)
enum { RETIRED = 16, NAME_BYTES = 30 };  /* flb_filter_new cuts the name, not the alias */

/* What the plugin holds as f_ins. Kept for a while after the exit, to tell a late use. */
struct flb_filter_instance {
    uint32_t magic;
    struct filter *filter;
    struct filter_plugin *plugin;
    struct setting *settings;
    void *context;
    char *name;
};

static struct flb_filter_instance *retired[RETIRED];
static unsigned next_retired;

struct filter *filters;

struct filter *filter_find(const char *token)
{
    struct filter *filter;

    for (filter = filters; filter != NULL; filter = filter->next) {
        if (strcmp(filter->token, token) == 0) {
            return filter;
        }
    }
    return NULL;
}

/* Finds or makes it; filters stay in the order of the configuration. */
struct filter *filter_get(const char *token)
{
    struct filter *filter = filter_find(token);
    struct filter **end = &filters;
    int number = 0;

    if (filter != NULL) {
        return filter;
    }
    for (; *end != NULL; end = &(*end)->next) {
        number++;
    }
    filter = calloc(1, sizeof(*filter));
    filter->token = strdup(token);
    filter->owner.token = filter->token;
    filter->number = number;
    *end = filter;
    return filter;
}

/*
 * The two pointers a filter gets and must not look behind: the flb_config, whose layout
 * differs by release, and i_ins, which as a processor of an output is not even an input
 * (flb_processor.c passes proc->data). They point into a page that nobody can read.
 */
static char *page;

static char *opaque_page(void)
{
    if (page == NULL) {
        page = mmap(NULL, (size_t) sysconf(_SC_PAGESIZE), PROT_NONE,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    }
    return page;
}

struct flb_config *opaque_config(void)
{
    return (struct flb_config *) (opaque_page() + 64);
}

struct flb_input_instance *opaque_input(void)
{
    return (struct flb_input_instance *) (opaque_page() + 1024);
}

int opaque_hit(const void *addr)
{
    const char *at = addr;

    return page != NULL && at >= page && at < page + sysconf(_SC_PAGESIZE);
}

/* flb_filter_new: the context of a configuration holds its instances before any runs. */
struct flb_filter_instance *filter_new(struct filter *filter, struct filter_plugin *plugin)
{
    struct flb_filter_instance *f_ins = calloc(1, sizeof(*f_ins));
    const struct setting *alias;

    opaque_page();  /* here, where no two threads make it */
    f_ins->magic = LIVE;
    f_ins->filter = filter;
    f_ins->plugin = plugin;
    f_ins->settings = settings_copy(filter->settings);
    alias = setting_find(f_ins->settings, "alias");
    if (alias != NULL && *alias->lent != '\0') {
        f_ins->name = strdup(alias->lent);
    }
    else if (asprintf(&f_ins->name, "%s.%d", plugin->def.name, filter->number) > NAME_BYTES) {
        f_ins->name[NAME_BYTES] = '\0';
    }
    return f_ins;
}

void filter_destroy(struct flb_filter_instance *f_ins)
{
    struct flb_filter_instance **slot = &retired[next_retired++ % RETIRED];

    f_ins->magic = GONE;
    settings_free(f_ins->settings);
    f_ins->settings = NULL;
    if (*slot != NULL) {
        free((*slot)->name);
        free(*slot);
    }
    *slot = f_ins;
}

int filter_pre_run(struct flb_filter_instance *f_ins)
{
    int (*pre_run)(struct flb_filter_instance *, struct flb_config *, void *) =
        f_ins->plugin->def.cb_pre_run;

    return pre_run != NULL ? pre_run(f_ins, opaque_config(), NULL) : 0;
}

/* A timer that stays would call into an instance that is gone. */
static void drop_timers_of(const struct filter *filter)
{
    int left = sched_drop_left_by(engine_sched(), &filter->owner);

    if (left > 0) {
        violation("timer left: %d of %s", left, filter->token);
    }
}

/* flb_filter_init: cb_pre_run and cb_init in turn; no cb_exit follows one that failed. */
int filter_init(struct filter *filter, struct flb_filter_instance *f_ins)
{
    const struct flb_filter_plugin *def = &f_ins->plugin->def;
    int ret;

    current_instance = &filter->owner;
    ret = filter_pre_run(f_ins);
    if (ret == 0 && def->cb_init != NULL) {
        ret = def->cb_init(f_ins, opaque_config(), NULL);
    }
    current_instance = NULL;
    if (ret == 0) {
        filter->live = f_ins;
    }
    else {
        if (thread_kind == THREAD_ENGINE) {
            drop_timers_of(filter);  /* no other thread can make one */
        }
        filter_destroy(f_ins);
    }
    return ret;
}

/* On the engine thread. Without a context there is no cb_exit (flb_filter_instance_exit). */
int filter_exit(struct filter *filter)
{
    struct flb_filter_instance *f_ins = filter->live;
    const struct flb_filter_plugin *def = &f_ins->plugin->def;
    int ret = 0;

    current_instance = &filter->owner;
    if (def->cb_exit != NULL && f_ins->context != NULL) {
        ret = def->cb_exit(f_ins->context, opaque_config());
    }
    current_instance = NULL;
    drop_timers_of(filter);
    filter->live = NULL;
    filter_destroy(f_ins);
    return ret;
}

struct filter_plugin *filter_plugin_of(const struct flb_filter_instance *f_ins)
{
    return f_ins->plugin;
}

void *filter_context_of(const struct flb_filter_instance *f_ins)
{
    return f_ins->context;
}

/* ---- what the plugin calls, by exported names ---- */

static int alive(const struct flb_filter_instance *f_ins, const char *what)
{
    if (f_ins != NULL && f_ins->magic == LIVE) {
        return 1;
    }
    violation("%s with an f_ins that is %s", what,
              f_ins != NULL && f_ins->magic == GONE ? "gone" : "none");
    return 0;
}

/* What flb_filter_set_property keeps for itself: the plugin never reads it. */
static int eaten_by_core(const char *key)
{
    static const char *const names[] = {
        "match", "match_regex", "alias", "log_level", "log_suppress_interval", "name",
    };
    size_t i;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcasecmp(key, names[i]) == 0) {
            return 1;
        }
    }
    return 0;
}

/* Main, too: cb_pre_run reads properties there. */
EXPORT const char *flb_filter_get_property(const char *key, struct flb_filter_instance *f_ins)
{
    const struct setting *setting;

    if (thread_kind == THREAD_OTHER) {
        violation("flb_filter_get_property on a thread that is not the host's");
    }
    if (!alive(f_ins, "flb_filter_get_property") || eaten_by_core(key)) {
        return NULL;
    }
    setting = setting_find(f_ins->settings, key);
    return setting != NULL ? setting->lent : NULL;
}

EXPORT void flb_filter_set_context(struct flb_filter_instance *f_ins, void *context)
{
    if (alive(f_ins, "flb_filter_set_context")) {
        f_ins->context = context;
    }
}

EXPORT const char *flb_filter_name(struct flb_filter_instance *f_ins)
{
    return alive(f_ins, "flb_filter_name") ? f_ins->name : "";
}
