/* What Fluent Bit calls in event_gateway, and the structs it hands over. Made by build.rs. */

#ifndef EVENT_GATEWAY_H
#define EVENT_GATEWAY_H

#include <stddef.h>
#include <stdint.h>

// `FLB_PROXY_OUTPUT_PLUGIN`.
#define OUTPUT_PLUGIN 2

// `FLB_PROXY_GOLANG`: the proxy ABI was made for Go; the host knows no other.
#define PROXY_GOLANG 11

// `FLB_OK`: the host releases the chunk. (0 is `FLB_ERROR`: it deletes the chunk at once, also from the
// disk. We never answer that.)
#define FLB_OK 1

// `FLB_RETRY`: the host brings the chunk again, as often as `retry_limit` says.
#define FLB_RETRY 2

// `FLB_FILTER_MODIFIED`: the host takes the new data; none at all when the size is 0.
#define FLB_FILTER_MODIFIED 1

// `FLB_FILTER_NOTOUCH`: the host goes on with what it has, and looks at no buffer.
#define FLB_FILTER_NOTOUCH 2

// `FLB_FILTER_LOGS`.
#define FILTER_LOGS 1

// `struct flb_plugin_proxy_def`, the fields that every host has. Up to 4.2.2 the host hands it over
// uninitialised, so all of them must be written.
struct EgDefinition {
  int kind;
  int proxy;
  int flags;
  const char *name;
  const char *description;
};

// `struct flb_api`, the fields that every host has.
struct EgApi {
  // Case-insensitive; the string lives as long as the instance.
  const char *(*output_get_property)(const char *key, void *instance);
  const char *(*input_get_property)(const char *key, void *instance);
  // `struct cmt *` of the instance; freed right after ExitCtx.
  void *(*output_get_cmt_instance)(void *instance);
  void *(*input_get_cmt_instance)(void *instance);
  // Checks no level, and takes up to 8 KiB of stack.
  void (*log_print)(int level, const char *file, int line, const char *format, ...);
  int (*input_log_check)(void *instance, int level);
  int (*output_log_check)(void *instance, int level);
};

// `struct flbgo_output_plugin`. One for all instances: `instance` and `context` change before each Init
// and are valid only inside it.
struct EgOutputPlugin {
  const char *name;
  // Lives as long as the image is registered.
  const struct EgApi *api;
  // `struct flb_output_instance *`; lives until ExitCtx returns.
  void *instance;
  // Where the plugin leaves the pointer that FlushCtx and ExitCtx get.
  void **context;
};

// `struct flb_config_map` of 5.0.3 and later: 104 bytes. The host copies name and default, and keeps the
// pointer to the description.
struct EgConfigMapEntry {
  int kind;
  const char *name;
  const char *default_value;
  int flags;
  int set_property;
  size_t offset;
  const char *description;
  // The host's own: value, list links.
  size_t reserved[7];
};

// `struct flb_filter_plugin`. The host copies it at the size it knows, 80 bytes before 3.2 and 88 since,
// whatever size it has here: so it is longer than any, and zero where we know nothing.
struct EgFilterPlugin {
  int event_type;
  // No release has any.
  int flags;
  const char *name;
  const char *description;
  // NULL: an array would have to have entries of 96 bytes before 5.0.3, and of 104 since.
  const struct EgConfigMapEntry *config_map;
  // Anything but 0 refuses the instance. Also called on its own, on the main thread, before a reload and
  // in the dry run of 5.1.1.
  int (*pre_run)(void *instance, void *config, void *data);
  // 0 when the instance runs.
  int (*init)(void *instance, void *config, void *data);
  // The data and the tag are valid until it returns; the tag ends by `tag_length` alone. The host frees
  // what it finds in `out` by `free`.
  int (*filter)(const void *data,
                size_t length,
                const char *tag,
                int tag_length,
                void **out,
                size_t *out_length,
                void *instance,
                void *input,
                void *context,
                void *config);
  // Called only for an instance with a context.
  int (*exit)(void *context, void *config);
  // `cb_notification`, since 3.2.
  const void *notification;
  // The host's list node, and what later releases may append.
  size_t reserved[7];
};

// The same struct on Fluent Bit 5.1.1. Writing the last field on an older host runs over the end of its
// allocation.
struct EgDefinitionWithMap {
  struct EgDefinition common;
  int event_type;
  const struct EgConfigMapEntry *config_map;
};

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// What the host copies when it opens `flb-filter_service_impact.so`.
extern const struct EgFilterPlugin filter_service_impact_plugin;

// Tells the host what is in this image.
//
// # Safety
// Called by the host with a `struct flb_plugin_proxy_def` of its own version.
int FLBPluginRegister(struct EgDefinition *definition);

// Starts one instance. Answers above zero when it runs.
//
// # Safety
// Called by the host on its engine thread with the struct it fills for this instance.
int FLBPluginInit(struct EgOutputPlugin *plugin);

// Takes a chunk and answers when its outcome is known. Runs on a coroutine of 24 KiB: copies, enqueues and
// waits.
//
// # Safety
// Called by the host with the pointer that Init left, `length` bytes and a C string; all are valid until
// this returns or the host abandons the coroutine.
int FLBPluginFlushCtx(void *context,
                      const void *data,
                      size_t length,
                      const char *tag);

// Ends one instance: when this returns, its thread has ended and its files are closed.
//
// # Safety
// Called by the host on the engine thread with the pointer that Init left, or with NULL when there was no
// Init (`--dry-run`, a refused reload).
int FLBPluginExitCtx(void *context);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* EVENT_GATEWAY_H */
