/* The border itself: dlopen, registration, and every call into the plugin. */
#define _GNU_SOURCE
#include "host.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { CANARY_BYTES = 64, CANARY = 0xc7, GARBAGE = 0xa5, STR_PREFIX = 1 };

/* flb_config_map since 5.0.3; what follows `desc` is the host's business. */
struct config_map {
    int type;
    char *name;
    char *def_value;
    int flags;
    int set_property;
    uintptr_t offset;
    char *desc;
    void *value[5];
    void *list[2];
};
_Static_assert(sizeof(struct config_map) == 104, "stride of flb_config_map since 5.0.3");

/* A function by name from the .so, NULL when the plugin does not have it. */
#define SYMBOL(proxy, type, name) \
    __extension__({ type fn_; *(void **) &fn_ = dlsym((proxy)->handle, name); fn_; })

typedef int (*int_fn)(int);
typedef void (*void_fn)(int);
typedef int (*register_fn)(struct flb_plugin_proxy_def *);
typedef void (*unregister_fn)(struct flb_plugin_proxy_def *);

/* As large as the release makes it, as dirty as the release leaves it, then a canary. */
static struct flb_plugin_proxy_def *def_new(void)
{
    size_t bytes = version_def_bytes();
    unsigned char *def = malloc(bytes + CANARY_BYTES);

    memset(def, version_def_is_zeroed() ? 0 : GARBAGE, bytes);
    memset(def + bytes, CANARY, CANARY_BYTES);
    ((struct flb_plugin_proxy_def *) def)->type = 0;
    return (struct flb_plugin_proxy_def *) def;
}

static void def_check(const struct flb_plugin_proxy_def *def)
{
    const unsigned char *end = (const unsigned char *) def + version_def_bytes();
    int garbage;
    int i;

    for (i = 0; i < CANARY_BYTES; i++) {
        if (end[i] != CANARY) {
            violation("def overflow");
            break;
        }
    }
    memset(&garbage, GARBAGE, sizeof(garbage));
    if (def->flags == garbage || def->proxy == garbage) {
        violation("def left unset");
    }
}

static void read_config_map(struct proxy *proxy)
{
    const struct config_map *map;
    struct known_key *key;

    proxy->key_count = -1;
    if (!version_reads_config_map() || proxy->def->config_map == NULL) {
        return;
    }
    proxy->key_count = 0;
    for (map = proxy->def->config_map; map->name != NULL; map++) {
        proxy->keys = realloc(proxy->keys,
                              sizeof(*proxy->keys) * (size_t) (proxy->key_count + 1));
        key = &proxy->keys[proxy->key_count++];
        key->name = strdup(map->name);
        key->def_value = map->def_value != NULL ? strdup(map->def_value) : NULL;
        key->is_prefix = map->type == STR_PREFIX;
        if (map->desc == NULL) {
            violation("config_map key %s without a description", key->name);
        }
        if (map->set_property) {
            violation("config_map key %s wants an offset written", key->name);
        }
    }
}

int proxy_knows_key(const struct proxy *proxy, const char *key)
{
    const struct known_key *known;
    int i;

    for (i = 0; i < proxy->key_count; i++) {
        known = &proxy->keys[i];
        if (known->is_prefix ? strncasecmp(known->name, key, strlen(known->name)) == 0
                             : strcasecmp(known->name, key) == 0) {
            return 1;
        }
    }
    return 0;
}

/* Releases everything; dlclose drops one of maybe two handles on the same image. */
static void discard(struct proxy *proxy)
{
    int i;

    for (i = 0; i < proxy->key_count; i++) {
        free(proxy->keys[i].name);
        free(proxy->keys[i].def_value);
    }
    free(proxy->keys);
    free(proxy->go);
    free(proxy->def);
    api_table_free(proxy->api);
    if (proxy->handle != NULL) {
        dlclose(proxy->handle);
    }
    free(proxy->name);
    free(proxy->path);
    free(proxy);
}

static const char *register_plugin(struct proxy *proxy, int hot_reload)
{
    int_fn pre_register = SYMBOL(proxy, int_fn, "FLBPluginPreRegister");
    register_fn do_register = SYMBOL(proxy, register_fn, "FLBPluginRegister");
    struct flbgo_output_plugin *go = proxy->go;
    int ret;

    if (pre_register != NULL && pre_register(hot_reload) == -1) {
        return "FLBPluginPreRegister refused";
    }
    if (do_register == NULL) {
        return "no FLBPluginRegister";
    }
    ret = do_register(proxy->def);
    def_check(proxy->def);
    if (ret == -1) {
        return "FLBPluginRegister refused";
    }
    if (proxy->def->type != 2 || proxy->def->proxy != 11) {
        return "not a Go-proxy output (type 2, proxy 11)";
    }
    if (proxy->def->name == NULL) {
        return "no name";
    }
    if (proxy->def->description == NULL) {
        violation("def without a description");
    }
    proxy->name = strdup(proxy->def->name);
    *(void **) &go->cb_init = dlsym(proxy->handle, "FLBPluginInit");
    *(void **) &go->cb_flush = dlsym(proxy->handle, "FLBPluginFlush");
    *(void **) &go->cb_flush_ctx = dlsym(proxy->handle, "FLBPluginFlushCtx");
    *(void **) &go->cb_exit = dlsym(proxy->handle, "FLBPluginExit");
    *(void **) &go->cb_exit_ctx = dlsym(proxy->handle, "FLBPluginExitCtx");
    go->name = proxy->name;
    if (go->cb_init == NULL) {
        return "no FLBPluginInit";
    }
    /* Fluent Bit would call NULL at the first flush. */
    if (go->cb_flush_ctx == NULL && go->cb_flush == NULL) {
        return "neither FLBPluginFlushCtx nor FLBPluginFlush";
    }
    read_config_map(proxy);
    return NULL;
}

struct proxy *proxy_load(const char *path, int hot_reload, char *why, size_t why_room)
{
    struct proxy *proxy = calloc(1, sizeof(*proxy));
    const char *refusal;

    proxy->key_count = -1;
    proxy->path = strdup(path);
    proxy->handle = dlopen(path, RTLD_LAZY);
    if (proxy->handle == NULL) {
        snprintf(why, why_room, "%s", dlerror());
        discard(proxy);
        return NULL;
    }
    proxy->api = api_table_new();
    proxy->def = def_new();
    proxy->go = calloc(1, sizeof(*proxy->go));
    refusal = register_plugin(proxy, hot_reload);
    if (refusal != NULL) {
        snprintf(why, why_room, "%s", refusal);
        discard(proxy);
        return NULL;
    }
    return proxy;
}

void proxy_unload(struct proxy *proxy)
{
    unregister_fn unregister = SYMBOL(proxy, unregister_fn, "FLBPluginUnregister");

    if (unregister != NULL) {
        unregister(proxy->def);
    }
    discard(proxy);
}

/*
 * All instances share one struct; o_ins and context are overwritten before each
 * Init. They turn to garbage after it, as they do when another instance follows.
 */
int proxy_init(struct proxy *proxy, void *o_ins, struct proxy_context *context)
{
    int ret;

    proxy->go->api = proxy->api;
    proxy->go->o_ins = o_ins;
    proxy->go->context = context;
    ret = proxy->go->cb_init(proxy->go);
    memset(&proxy->go->o_ins, GARBAGE, sizeof(proxy->go->o_ins));
    memset(&proxy->go->context, GARBAGE, sizeof(proxy->go->context));
    return ret;
}

void proxy_pre_run(struct proxy *proxy)
{
    int_fn pre_run = SYMBOL(proxy, int_fn, "FLBPluginOutputPreRun");

    if (pre_run != NULL) {
        pre_run(1);  /* hot reload is enabled; the answer is ignored */
    }
}

int proxy_flush(struct proxy_context *context, const void *data, size_t len, char *tag)
{
    struct flbgo_output_plugin *go = context->proxy->go;

    if (go->cb_flush_ctx != NULL) {
        return go->cb_flush_ctx(context->remote_context, data, len, tag);
    }
    return go->cb_flush(data, len, tag);
}

void proxy_pre_exit(struct proxy *proxy, int by_reload)
{
    void_fn pre_exit = SYMBOL(proxy, void_fn, "FLBPluginOutputPreExit");

    if (pre_exit != NULL) {
        pre_exit(by_reload);
    }
}

int proxy_exit_ctx(struct proxy *proxy, void *remote_context)
{
    if (proxy->go->cb_exit_ctx != NULL) {
        return proxy->go->cb_exit_ctx(remote_context);
    }
    return proxy->go->cb_exit != NULL ? proxy->go->cb_exit() : 0;
}
