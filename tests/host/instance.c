/* An output instance: its properties, and the api table through which it is seen. */
#define _GNU_SOURCE
#include "host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LIVE UINT32_C(0x6f75742b)
#define GONE UINT32_C(0x6f75742d)
enum { DEFAULT_LOG_LEVEL = 3, RETIRED = 16 };

/* What the plugin holds as o_ins. Kept for a while after the exit, to tell a late use. */
struct flb_output_instance {
    uint32_t magic;
    struct instance *ins;
    struct cmt *cmt;
    char name[256];
};

static struct flb_output_instance *retired[RETIRED];
static unsigned next_retired;

struct instance *instances;
_Thread_local struct instance *current_instance;

struct instance *instance_find(const char *token)
{
    struct instance *ins;

    for (ins = instances; ins != NULL; ins = ins->next) {
        if (strcmp(ins->token, token) == 0) {
            return ins;
        }
    }
    return NULL;
}

/* Finds or makes it; instances stay in the order of the configuration. */
struct instance *instance_get(const char *token)
{
    struct instance *ins = instance_find(token);
    struct instance **end = &instances;
    int number = 0;

    if (ins != NULL) {
        return ins;
    }
    for (; *end != NULL; end = &(*end)->next) {
        number++;
    }
    ins = calloc(1, sizeof(*ins));
    ins->token = strdup(token);
    ins->number = number;
    ins->log_level = DEFAULT_LOG_LEVEL;
    *end = ins;
    return ins;
}

void instance_set(struct instance *ins, const char *key, const char *value)
{
    settings_set(&ins->settings, key, value);
}

/* Properties that core keeps for itself: the plugin never reads them. */
static int eaten_by_core(const char *key)
{
    static const char *const names[] = {
        "match", "match_regex", "alias", "log_level", "log_suppress_interval", "host",
        "port", "ipv6", "retry_limit", "workers", "name", "storage.total_limit_size", "tls",
    };
    size_t i;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcasecmp(key, names[i]) == 0) {
            return 1;
        }
    }
    return strncasecmp(key, "net.", 4) == 0 || strncasecmp(key, "tls.", 4) == 0
        || (version_eats_oauth2() && strncasecmp(key, "oauth2", 6) == 0);
}

/* Since config_map a key that is not in it stops the start. */
const char *instance_unknown_key(const struct instance *ins, const struct proxy *proxy)
{
    const struct setting *setting;

    for (setting = ins->settings; proxy->key_count >= 0 && setting != NULL;
         setting = setting->next) {
        if (!eaten_by_core(setting->key) && !proxy_knows_key(proxy, setting->key)) {
            return setting->key;
        }
    }
    return NULL;
}

/* After ExitCtx, or an Init that failed: nothing of the instance is left. */
static void retire(struct instance *ins)
{
    int left = sched_drop_left_by(engine_sched(), ins);
    struct flb_output_instance **slot;

    if (left > 0) {
        violation("timer left: %d of %s", left, ins->token);
    }
    left = events_drop_left_by(ins);
    if (left > 0) {
        violation("event left: %d of %s", left, ins->token);
    }
    cmt_retire(ins->o_ins->cmt);
    ins->o_ins->magic = GONE;
    slot = &retired[next_retired++ % RETIRED];
    if (*slot != NULL) {
        cmt_free((*slot)->cmt);
        free(*slot);
    }
    *slot = ins->o_ins;
    ins->o_ins = NULL;
    memset(ins->context, 0xdd, sizeof(*ins->context));
    free(ins->context);
    ins->context = NULL;
    settings_take_back(ins->settings);
    ins->is_live = 0;
}

/* On the engine thread. After a failed Init no ExitCtx follows for this instance. */
int instance_init(struct instance *ins, struct proxy *proxy)
{
    struct setting *alias = setting_find(ins->settings, "alias");
    int ret;

    ins->o_ins = calloc(1, sizeof(*ins->o_ins));
    ins->o_ins->magic = LIVE;
    ins->o_ins->ins = ins;
    ins->o_ins->cmt = cmt_new();
    if (alias != NULL && alias->value != NULL) {
        snprintf(ins->o_ins->name, sizeof(ins->o_ins->name), "%s", alias->value);
    }
    else {
        snprintf(ins->o_ins->name, sizeof(ins->o_ins->name), "%s.%d", proxy->name, ins->number);
    }
    ins->context = calloc(1, sizeof(*ins->context));
    ins->context->proxy = proxy;
    settings_lend(ins->settings);

    current_instance = ins;
    ret = proxy_init(proxy, ins->o_ins, ins->context);
    cmt_seal(ins->o_ins->cmt);
    if (ret > 0) {
        ins->is_live = 1;
        proxy_pre_run(proxy);
    }
    current_instance = NULL;
    if (ret <= 0) {
        retire(ins);
    }
    return ret;
}

/* On the engine thread. Flushes still waiting are abandoned, never resumed. */
int instance_exit(struct instance *ins, int by_reload)
{
    struct proxy *proxy = ins->context->proxy;
    int ret;

    flush_join_workers(ins);
    current_instance = ins;
    ins->is_exiting = 1;
    proxy_pre_exit(proxy, by_reload);
    ret = proxy_exit_ctx(proxy, ins->context->remote_context);
    ins->is_exiting = 0;
    current_instance = NULL;
    flush_abandon(ins);
    retire(ins);
    return ret;
}

struct cmt *instance_cmt(const struct instance *ins)
{
    return ins->o_ins != NULL ? ins->o_ins->cmt : NULL;
}

/* ---- what the plugin calls ---- */

static struct instance *alive(const struct flb_output_instance *o_ins, const char *what)
{
    if (o_ins != NULL && o_ins->magic == LIVE) {
        return o_ins->ins;
    }
    violation("%s with an o_ins that is %s", what,
              o_ins != NULL && o_ins->magic == GONE ? "gone" : "none");
    return NULL;
}

/* Case-insensitive, the same pointer each time, NULL for an empty value. */
static const char *output_get_property(const char *key, struct flb_output_instance *o_ins)
{
    struct instance *ins = alive(o_ins, "output_get_property");
    struct setting *setting;

    if (thread_kind != THREAD_ENGINE && thread_kind != THREAD_WORKER) {
        violation("output_get_property on a thread that is not the host's");
    }
    if (ins == NULL || eaten_by_core(key)) {
        return NULL;
    }
    setting = setting_find(ins->settings, key);
    return setting != NULL ? setting->lent : NULL;
}

static void *output_get_cmt_instance(struct flb_output_instance *o_ins)
{
    return alive(o_ins, "output_get_cmt_instance") != NULL ? o_ins->cmt : NULL;
}

static int output_log_check(struct flb_output_instance *o_ins, int level)
{
    struct instance *ins = alive(o_ins, "output_log_check");

    return ins != NULL && level <= ins->log_level;
}

EXPORT const char *flb_output_name(struct flb_output_instance *o_ins)
{
    return alive(o_ins, "flb_output_name") != NULL ? o_ins->name : "";
}

static const char *other_get_property(const char *key, void *ins)
{
    (void) ins;
    violation("property %s asked of an input or a custom plugin", key);
    return NULL;
}

static void *other_get_cmt_instance(void *ins)
{
    (void) ins;
    violation("metrics of an input asked");
    return NULL;
}

static int other_log_check(void *ins, int level)
{
    (void) ins;
    (void) level;
    violation("log level of an input or a custom plugin asked");
    return 0;
}

/* struct flb_api of 4.0.3 and later, member by member. */
struct api_table {
    const char *(*output_get_property)(const char *, struct flb_output_instance *);
    const char *(*input_get_property)(const char *, void *);
    void *(*output_get_cmt_instance)(struct flb_output_instance *);
    void *(*input_get_cmt_instance)(void *);
    void (*log_print)(int, const char *, int, const char *, ...);
    int (*input_log_check)(void *, int);
    int (*output_log_check)(struct flb_output_instance *, int);
    const char *(*custom_get_property)(const char *, void *);
    int (*custom_log_check)(void *, int);
};

void *api_table_new(void)
{
    struct api_table *api = malloc(sizeof(*api));

    api->output_get_property = output_get_property;
    api->input_get_property = other_get_property;
    api->output_get_cmt_instance = output_get_cmt_instance;
    api->input_get_cmt_instance = other_get_cmt_instance;
    api->log_print = log_print;
    api->input_log_check = other_log_check;
    api->output_log_check = output_log_check;
    api->custom_get_property = other_get_property;
    api->custom_log_check = other_log_check;
    return api;
}

/* The table goes with its proxy: a call through it later must not work by luck. */
void api_table_free(void *api)
{
    if (api != NULL) {
        memset(api, 0, sizeof(struct api_table));
        free(api);
    }
}
