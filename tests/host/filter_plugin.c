/*
 * The loader of native plugins, src/flb_plugin.c: a file `flb-filter_NAME.so` holds a
 * struct `filter_NAME_plugin`, which the host copies at the size it knows. Nothing in
 * the file is called, and the struct has no size of its own: a shorter one is overread.
 *
 *     release          2.2.3, 3.1.10   3.2.0, 3.2.10, 4.2.8, 5.1.1
 *     bytes            80              88
 *     behind cb_exit   list node       cb_notification, list node
 */
#define _GNU_SOURCE
#include "filter.h"

#include <dlfcn.h>
#include <elf.h>
#include <libgen.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "flb-"
#define EXTENSION ".so"
#define SUFFIX "_plugin"

enum { FLB_FILTER_LOGS = 1, NAME_ROOM = 256 };

struct filter_plugin *loaded_filter;

/* path_to_plugin_name: of `flb-filter_NAME.so`, `filter_NAME_plugin`. */
static const char *symbol_name(const char *path, char *out)
{
    char copy[4096];
    const char *base;
    size_t len;

    snprintf(copy, sizeof(copy), "%s", path);
    base = basename(copy);
    len = strlen(base);
    if (strncmp(base, PREFIX, strlen(PREFIX)) != 0) {
        return "invalid plugin prefix";
    }
    if (len < strlen(PREFIX EXTENSION)
        || strcmp(base + len - strlen(EXTENSION), EXTENSION) != 0) {
        return "invalid plugin extension";
    }
    if (strncmp(base + strlen(PREFIX), "filter_", 7) != 0) {
        return "invalid plugin type";
    }
    snprintf(out, NAME_ROOM, "%.*s" SUFFIX, (int) (len - strlen(PREFIX EXTENSION)),
             base + strlen(PREFIX));
    return NULL;
}

static size_t symbol_bytes(const void *symbol)
{
    const ElfW(Sym) *entry = NULL;
    Dl_info info;

    if (dladdr1(symbol, &info, (void **) &entry, RTLD_DL_SYMENT) == 0 || entry == NULL) {
        return 0;
    }
    return entry->st_size;
}

/* The rules a plugin keeps so that one struct serves every release. */
static void check(const struct filter_plugin *plugin)
{
    const struct flb_filter_plugin *def = &plugin->def;

    if (plugin->symbol_bytes < version_filter_bytes()) {
        violation("filter struct of %zu bytes, the host reads %zu", plugin->symbol_bytes,
                  version_filter_bytes());
    }
    /* 0 is unset and means logs (flb_filter_new). */
    if (def->event_type != 0 && def->event_type != FLB_FILTER_LOGS) {
        violation("filter event_type %d", def->event_type);
    }
    if (def->flags != 0) {
        violation("filter flags %d: no release has any", def->flags);
    }
    /* Its stride is 96 bytes before 5.0.3 and 104 since: no array fits both. */
    if (def->config_map != NULL) {
        violation("filter config_map is not NULL");
    }
    if (def->cb_notification != NULL) {
        violation("filter cb_notification is not NULL");
    }
    if (def->description == NULL) {
        violation("filter without a description");
    }
}

static void discard(struct filter_plugin *plugin)
{
    if (plugin->handle != NULL) {
        dlclose(plugin->handle);
    }
    free(plugin->path);
    free(plugin);
}

static const char *read_struct(struct filter_plugin *plugin)
{
    char name[NAME_ROOM];
    const char *refusal = symbol_name(plugin->path, name);
    const void *symbol;
    size_t bytes;

    if (refusal != NULL) {
        return refusal;
    }
    symbol = dlsym(plugin->handle, name);
    if (symbol == NULL) {
        return "registration structure is missing";
    }
    plugin->symbol_bytes = symbol_bytes(symbol);
    /* Fluent Bit reads its full size whatever is there; what is behind is not ours to show. */
    bytes = plugin->symbol_bytes < version_filter_bytes() ? plugin->symbol_bytes
                                                          : version_filter_bytes();
    memcpy(&plugin->def, symbol, bytes);
    if (version_filter_bytes() < sizeof(plugin->def)) {
        plugin->def.cb_notification = NULL;  /* the list node stands there */
    }
    check(plugin);
    if (plugin->def.name == NULL) {
        return "no name";
    }
    /* Fluent Bit would call NULL at the first chunk. */
    return plugin->def.cb_filter == NULL ? "no cb_filter" : NULL;
}

struct filter_plugin *filter_plugin_load(const char *path, char *why, size_t why_room)
{
    struct filter_plugin *plugin = calloc(1, sizeof(*plugin));
    const char *refusal;

    plugin->path = strdup(path);
    plugin->handle = dlopen(path, RTLD_LAZY);
    if (plugin->handle == NULL) {
        snprintf(why, why_room, "%s", dlerror());
        discard(plugin);
        return NULL;
    }
    refusal = read_struct(plugin);
    if (refusal != NULL) {
        snprintf(why, why_room, "%s", refusal);
        discard(plugin);
        return NULL;
    }
    return plugin;
}

void filter_plugin_unload(struct filter_plugin *plugin)
{
    discard(plugin);
}
