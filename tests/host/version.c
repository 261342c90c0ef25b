/* What differs between Fluent Bit releases, as the plugin can see it. */
#include "filter.h"

/*
 * Fluent Bit exports no version; its out_nats plugin leaves this literal in the
 * executable's read-only data, which is where a plugin can find the release.
 * HOST_UNNAMED builds stand for a host built without out_nats.
 */
#ifndef HOST_UNNAMED
const char out_nats_connect[] __attribute__((used, visibility("hidden"))) =
    "CONNECT {\"verbose\":false,\"pedantic\":false,\"ssl_required\":false,"
    "\"name\":\"fluent-bit\",\"lang\":\"c\",\"version\":\"" HOST_VERSION "\"}\r\n";
#endif

/* flb_plugin_proxy_def grew: event_type came with 4.2.3, config_map with 5.1.1. */
size_t version_def_bytes(void)
{
    if (HOST_NUMBER < 40203) {
        return offsetof(struct flb_plugin_proxy_def, event_type);
    }
    if (HOST_NUMBER < 50101) {
        return offsetof(struct flb_plugin_proxy_def, config_map);
    }
    return sizeof(struct flb_plugin_proxy_def);
}

_Static_assert(offsetof(struct flb_plugin_proxy_def, event_type) == 32, "def before 4.2.3");
_Static_assert(offsetof(struct flb_plugin_proxy_def, config_map) == 40, "def before 5.1.1");
_Static_assert(sizeof(struct flb_plugin_proxy_def) == 48, "def since 5.1.1");

/* Up to 4.2.2 the def comes from malloc: what the plugin does not write is garbage. */
int version_def_is_zeroed(void)
{
    return HOST_NUMBER >= 40203;
}

int version_reads_config_map(void)
{
    return HOST_NUMBER >= 50101;
}

int version_eats_oauth2(void)
{
    return HOST_NUMBER >= 50000;
}

/* flb_filter_plugin grew once: cb_notification came with 3.2.0 (not in 3.1.10). */
size_t version_filter_bytes(void)
{
    return sizeof(struct flb_filter_plugin) - (HOST_NUMBER < 30200 ? sizeof(void *) : 0);
}

_Static_assert(offsetof(struct flb_filter_plugin, cb_notification) == 64, "struct before 3.2.0");
_Static_assert(sizeof(struct flb_filter_plugin) == 88, "struct since 3.2.0");

/* Before, the engine thread did it (flb_input.c); since then flb_input_thread.c. */
int version_inits_processors_on_input(void)
{
    return HOST_NUMBER >= 40003;
}

/* The two symbols by which a plugin can tell releases apart without the literal. */
#if HOST_NUMBER >= 50003
EXPORT const char *flb_config_map_get_raw(void *map)
{
    (void) map;
    return NULL;
}
#endif

#if HOST_NUMBER >= 50100
EXPORT const char *flb_plugin_alias_get(int type, const char *alias, size_t len)
{
    (void) type;
    (void) alias;
    (void) len;
    return NULL;
}
#endif
