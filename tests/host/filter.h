/* Native filters: what the loader, the instances, their life and their calls share. */
#ifndef MINI_HOST_FILTER_H
#define MINI_HOST_FILTER_H

#include "host.h"

#pragma GCC visibility push(hidden)

/* ---- filter_plugin.c ---- */
struct flb_filter_instance;
struct flb_input_instance;

/*
 * include/fluent-bit/flb_filter.h; the same in 2.2.3, 3.2.10, 4.2.8 and 5.1.1, but
 * for cb_notification, which came with 3.2.0. A list node of two pointers follows.
 */
struct flb_filter_plugin {
    int event_type;
    int flags;
    char *name;
    char *description;
    struct config_map *config_map;
    int (*cb_pre_run)(struct flb_filter_instance *, struct flb_config *, void *);
    int (*cb_init)(struct flb_filter_instance *, struct flb_config *, void *);
    int (*cb_filter)(const void *, size_t, const char *, int, void **, size_t *,
                     struct flb_filter_instance *, struct flb_input_instance *, void *,
                     struct flb_config *);
    int (*cb_exit)(void *, struct flb_config *);
    int (*cb_notification)(struct flb_filter_instance *, struct flb_config *, void *);
    void *head[2];
};

struct filter_plugin {
    void *handle;
    char *path;
    size_t symbol_bytes;           /* how long the .so says its struct is */
    struct flb_filter_plugin def;  /* the host's copy: the .so's own is not used again */
};

struct filter_plugin *filter_plugin_load(const char *path, char *why, size_t why_room);
void filter_plugin_unload(struct filter_plugin *plugin);
extern struct filter_plugin *loaded_filter;

/* ---- filter.c ---- */
struct filter {
    char *token;
    int number;
    int is_processor;  /* of a threaded input: not one of the pipeline's */
    struct setting *settings;
    struct flb_filter_instance *live;   /* between cb_init and cb_exit */
    struct flb_filter_instance *fresh;  /* of a reload that is being validated */
    struct instance owner;              /* whose timers the plugin's timers are */
    struct filter *next;
};

extern struct filter *filters;

struct filter *filter_find(const char *token);
struct filter *filter_get(const char *token);
struct flb_filter_instance *filter_new(struct filter *filter, struct filter_plugin *plugin);
void filter_destroy(struct flb_filter_instance *f_ins);
int filter_pre_run(struct flb_filter_instance *f_ins);
int filter_init(struct filter *filter, struct flb_filter_instance *f_ins);
int filter_exit(struct filter *filter);
struct filter_plugin *filter_plugin_of(const struct flb_filter_instance *f_ins);
void *filter_context_of(const struct flb_filter_instance *f_ins);
struct flb_config *opaque_config(void);
struct flb_input_instance *opaque_input(void);
int opaque_hit(const void *addr);

/* ---- filter_life.c ---- */
void filter_life_load(const char *path);
void filter_life_pre_run(struct filter *filter);
void filter_life_init(struct filter *filter);
void filter_life_exit(struct filter *filter);
void filter_life_unload(void);
int filter_life_any_live(void);
int filter_life_prepare(struct filter_plugin *fresh);
void filter_life_forget(void);
void filter_life_exit_all(int processors);
int filter_life_init_all(int processors);

/* ---- filter_call.c ---- */
void filter_call_command(char *rest, int is_hex);
const struct blob *filter_call_data(void);
const char *filter_call_explain(const void *addr);

#pragma GCC visibility pop
#endif
