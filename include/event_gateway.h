/* What Fluent Bit calls in event_gateway, and the structs it hands over. Made by build.rs. */

#ifndef EVENT_GATEWAY_H
#define EVENT_GATEWAY_H

#include <stddef.h>
#include <stdint.h>

// `FLB_PROXY_OUTPUT_PLUGIN`.
#define OUTPUT_PLUGIN 2

// `FLB_PROXY_GOLANG`: the proxy ABI was made for Go, and the host supports no other.
#define PROXY_GOLANG 11

// `FLB_OK`: the host releases the chunk. (The plugin never returns 0, `FLB_ERROR`: the host would delete the chunk
// at once, also from the disk.)
#define FLB_OK 1

// `FLB_RETRY`: the host flushes the chunk again later, at most `retry_limit` times.
#define FLB_RETRY 2

// `FLB_FILTER_MODIFIED`: the host takes the new data; with size 0 it drops all records.
#define FLB_FILTER_MODIFIED 1

// `FLB_FILTER_NOTOUCH`: the host keeps its data and ignores the returned buffer.
#define FLB_FILTER_NOTOUCH 2

// `FLB_FILTER_LOGS`.
#define FILTER_LOGS 1

// `struct flb_plugin_proxy_def`, the fields that every host has. Up to 4.2.2 the host passes it uninitialised, so
// all of them must be written.
struct EgDefinition {
  int kind;
  int proxy;
  int flags;
  const char *name;
  const char *description;
};

// `struct flb_api`, the fields that every host has.
struct EgApi {
  // The key is case-insensitive; the returned string lives as long as the instance.
  const char *(*output_get_property)(const char *key, void *instance);
  const char *(*input_get_property)(const char *key, void *instance);
  // `struct cmt *` of the instance; freed right after ExitCtx.
  void *(*output_get_cmt_instance)(void *instance);
  void *(*input_get_cmt_instance)(void *instance);
  // It does not check the log level, and needs up to 8 KiB of stack.
  void (*log_print)(int level, const char *file, int line, const char *format, ...);
  int (*input_log_check)(void *instance, int level);
  int (*output_log_check)(void *instance, int level);
};

// `struct flbgo_output_plugin`. All instances share one: `instance` and `context` change before each Init and are
// valid only during it.
struct EgOutputPlugin {
  const char *name;
  // Lives as long as the image is registered.
  const struct EgApi *api;
  // `struct flb_output_instance *`; lives until ExitCtx returns.
  void *instance;
  // The plugin stores here the pointer that FlushCtx and ExitCtx get.
  void **context;
};

// `struct flb_config_map` of 5.0.3 and later: 104 bytes. The host copies name and default, but keeps the pointer to
// the description.
struct EgConfigMapEntry {
  int kind;
  const char *name;
  const char *default_value;
  int flags;
  int set_property;
  size_t offset;
  const char *description;
  // The host's own fields: value and list links.
  size_t reserved[7];
};

// `struct flb_filter_plugin`. The host copies as many bytes as its own version has, 80 before 3.2 and 88 since. So
// this struct is longer than any of them, and zero in the part that we do not know.
struct EgFilterPlugin {
  int event_type;
  // No release defines a flag.
  int flags;
  const char *name;
  const char *description;
  // NULL, because entries would need 96 bytes before 5.0.3 and 104 since.
  const struct EgConfigMapEntry *config_map;
  // Any return value but 0 refuses the instance. The host also calls it alone, on the main thread, before a reload
  // and in the dry run of 5.1.1.
  int (*pre_run)(void *instance, void *config, void *data);
  // Returns 0 if the instance runs.
  int (*init)(void *instance, void *config, void *data);
  // The data and the tag are valid until it returns; only `tag_length` says where the tag ends. The host releases
  // the buffer in `out` with `free`.
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
  // The host's list node, and room for fields that later releases may append.
  size_t reserved[7];
};

// The same struct in Fluent Bit 5.1.1. On an older host, writing the last field would overrun its allocation.
struct EgDefinitionWithMap {
  struct EgDefinition common;
  int event_type;
  const struct EgConfigMapEntry *config_map;
};

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// The struct that the host copies when it opens `flb-filter_service_impact.so`.
extern const struct EgFilterPlugin filter_service_impact_plugin;

// Describes the plugin to the host.
//
// # Safety
// The host must pass a `struct flb_plugin_proxy_def` of its own version.
int FLBPluginRegister(struct EgDefinition *definition);

// Starts one instance. Returns a value above zero if it runs.
//
// # Safety
// The host must call it on its engine thread, with the struct that it filled for this instance.
int FLBPluginInit(struct EgOutputPlugin *plugin);

// Takes a chunk and returns when its host result is known. It runs on a coroutine of 24 KiB, so it only copies,
// enqueues and waits.
//
// # Safety
// The host must pass the pointer that Init stored, `length` bytes and a C string; all are valid until this returns
// or the host abandons the coroutine.
int FLBPluginFlushCtx(void *context,
                      const void *data,
                      size_t length,
                      const char *tag);

// Ends one instance. When this returns, its thread has ended and its files are closed.
//
// # Safety
// The host must call it on the engine thread, with the pointer that Init stored, or with NULL if there was no Init
// (`--dry-run`, a refused reload).
int FLBPluginExitCtx(void *context);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* EVENT_GATEWAY_H */
