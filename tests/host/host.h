/*
 * The mini host: a small Fluent Bit for tests of the output plugin and the filter.
 *
 * It loads the plugin's .so as Fluent Bit's Go proxy does, or as its loader of native
 * filters does, keeps the rules of that border (which thread calls what, how long each pointer lives, how small
 * the stacks are) and says `violation ...` when the plugin breaks one. Tests
 * drive it by lines on stdin and read lines on stdout; main.c lists them.
 *
 * One file per role:
 *   main.c       commands from stdin
 *   words.c      the words of a command and its data
 *   life.c       load, reload, exit and unload, in the real order
 *   proxy.c      dlopen, Register, the calls into the plugin
 *   instance.c   an output instance and the api table
 *   settings.c   properties of an instance
 *   flush.c      one flush: private tag, guarded data, return code
 *   coroutine.c  stacks with a guard page, co_* and flb_coro_*
 *   filter.h     native filters: what the four files after it share
 *   filter_plugin.c  dlopen of a native filter, its registration struct
 *   filter.c     a filter instance: its properties and its callbacks
 *   filter_life.c  load, pre_run, init and exit of filters
 *   filter_call.c  one call of cb_filter: guarded data and tag, result
 *   input.c      the thread of an input, where processors run
 *   engine.c     the engine thread and its jobs
 *   sched.c      timers, flb_sched_*
 *   events.c     the engine's event loop, mk_event_*
 *   workers.c    flush threads for `workers <n>`
 *   blob.c       chunk data that ends at a guard page
 *   metrics.c    cmt_* of counters and gauges
 *   histograms.c cmt_* of histograms
 *   exposition.c what can be read of both
 *   report.c     lines on stdout, log_print
 *   names.c      host names as a test wants them
 *   crash.c      says where a crash happened before it dies
 *   version.c    what differs between releases
 *   clock.c      a wall clock that jumps
 *   heap.c       how much memory is in use
 *   memory.c     the 8-aligned allocator (ALIGN8 builds only)
 */
#ifndef MINI_HOST_H
#define MINI_HOST_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>

/* -rdynamic shows the plugin every default symbol, so the host's own stay hidden. */
#pragma GCC visibility push(hidden)
#define EXPORT __attribute__((visibility("default")))

/* ---- version.c ---- */
#ifndef HOST_MAJOR
#define HOST_MAJOR 5
#define HOST_MINOR 1
#define HOST_PATCH 1
#endif
#define HOST_TEXT2(x) #x
#define HOST_TEXT(x) HOST_TEXT2(x)
#ifndef HOST_VERSION
#define HOST_VERSION HOST_TEXT(HOST_MAJOR) "." HOST_TEXT(HOST_MINOR) "." HOST_TEXT(HOST_PATCH)
#endif
#define HOST_NUMBER (HOST_MAJOR * 10000 + HOST_MINOR * 100 + HOST_PATCH)

size_t version_def_bytes(void);
int version_def_is_zeroed(void);
int version_reads_config_map(void);
int version_eats_oauth2(void);
size_t version_filter_bytes(void);
int version_inits_processors_on_input(void);

/* ---- report.c ---- */
enum thread_kind { THREAD_OTHER, THREAD_MAIN, THREAD_ENGINE, THREAD_WORKER, THREAD_INPUT };
extern _Thread_local enum thread_kind thread_kind;

void emit(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void violation(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_print(int level, const char *file, int line, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
EXPORT void flb_log_print(int level, const char *file, int line, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
size_t escape_text(char *out, size_t room, const char *text, int spaces_too);
int64_t now_ns(void);

/* ---- clock.c ---- */
void clock_jump_to(long seconds_ahead);

/* ---- heap.c ---- */
long heap_in_use_bytes(void);

/* ---- crash.c ---- */
void crash_catch(void);
void crash_thread_begin(void);
void crash_thread_end(void);

/* ---- coroutine.c ---- */
struct coroutine;

struct coroutine *coroutine_new(size_t stack_bytes, void (*entry)(void *), void *arg);
void coroutine_start(struct coroutine *co);
int coroutine_finished(const struct coroutine *co);
size_t coroutine_high_water(const struct coroutine *co);
void coroutine_free(struct coroutine *co);
void *coroutine_active_arg(void);
int coroutine_guard_hit(const void *addr);
void coro_slot_set(void *coro);
void *coro_slot_get(void);

/* ---- sched.c ---- */
struct flb_config;
struct flb_sched;
struct flb_sched_timer;
struct instance;

struct flb_sched *sched_new(void);
void sched_free(struct flb_sched *sched);
void sched_run_due(struct flb_sched *sched);
void sched_run_a_second(struct flb_sched *sched);
int64_t sched_next_ns(const struct flb_sched *sched);
int sched_drop_left_by(struct flb_sched *sched, const struct instance *owner);
EXPORT int flb_sched_timer_cb_create(struct flb_sched *sched, int type, int ms,
                                     void (*cb)(struct flb_config *, void *), void *data,
                                     struct flb_sched_timer **out_timer);

extern int sched_holds_plugins;

/* ---- events.c ---- */
size_t events_fill(struct pollfd *fds, size_t room);
void events_run(const struct pollfd *fds, size_t count);
int events_drop_left_by(const struct instance *owner);

/* ---- engine.c ---- */
void engine_start(void);
void engine_stop(void);
int engine_is_running(void);
void engine_post(void (*run)(void *), void *arg);
void engine_call(void (*run)(void *), void *arg);
void engine_linger(int64_t ns, int (*still_busy)(void *), void *arg);
struct flb_sched *engine_sched(void);
void engine_beats(long *count, double *max_gap_ms);

/* ---- proxy.c ---- */
struct flb_plugin_proxy_def {
    int type;
    int proxy;
    int flags;
    char *name;
    char *description;
    int event_type;                 /* since 4.2.3 */
    struct config_map *config_map;  /* since 5.1.1 */
};

/* What the plugin's Init receives; only the first four members are its business. */
struct flbgo_output_plugin {
    char *name;
    void *api;
    void *o_ins;
    struct proxy_context *context;
    int (*cb_init)(struct flbgo_output_plugin *);
    int (*cb_flush)(const void *, size_t, const char *);
    int (*cb_flush_ctx)(void *, const void *, size_t, char *);
    int (*cb_exit)(void);
    int (*cb_exit_ctx)(void *);
};

struct proxy;

struct proxy_context {
    void *remote_context;  /* must be first: the plugin writes *(void **)context */
    struct proxy *proxy;
};

/* One entry of the plugin's config_map, copied: name, default, exact name or prefix. */
struct known_key {
    char *name;
    char *def_value;
    int is_prefix;
};

struct proxy {
    void *handle;
    char *path;
    char *name;
    void *api;
    struct flb_plugin_proxy_def *def;
    struct flbgo_output_plugin *go;
    struct known_key *keys;
    int key_count;  /* -1: the release does not read config_map, or it is NULL */
};

struct proxy *proxy_load(const char *path, int hot_reload, char *why, size_t why_room);
void proxy_unload(struct proxy *proxy);
int proxy_init(struct proxy *proxy, void *o_ins, struct proxy_context *context);
void proxy_pre_run(struct proxy *proxy);
int proxy_flush(struct proxy_context *context, const void *data, size_t len, char *tag);
void proxy_pre_exit(struct proxy *proxy, int by_reload);
int proxy_exit_ctx(struct proxy *proxy, void *remote_context);
int proxy_knows_key(const struct proxy *proxy, const char *key);

/* ---- settings.c ---- */
struct setting {
    char *key;
    char *value;
    char *lent;  /* what get_property hands out: lives from Init to ExitCtx */
    struct setting *next;
};

struct setting *setting_find(struct setting *list, const char *key);
void settings_set(struct setting **list, const char *key, const char *value);
void settings_lend(struct setting *list);
void settings_take_back(struct setting *list);
struct setting *settings_copy(const struct setting *list);
void settings_free(struct setting *list);

/* ---- instance.c ---- */
struct flb_output_instance;
struct cmt;

struct instance {
    char *token;  /* how the commands call it */
    int number;
    int log_level;
    int is_live;
    int is_exiting;
    struct setting *settings;
    struct flb_output_instance *o_ins;
    struct proxy_context *context;
    struct instance *next;
};

extern struct instance *instances;

struct instance *instance_find(const char *token);
struct instance *instance_get(const char *token);
void instance_set(struct instance *ins, const char *key, const char *value);
const char *instance_unknown_key(const struct instance *ins, const struct proxy *proxy);
int instance_init(struct instance *ins, struct proxy *proxy);
int instance_exit(struct instance *ins, int by_reload);
struct cmt *instance_cmt(const struct instance *ins);
void *api_table_new(void);
void api_table_free(void *api);
extern _Thread_local struct instance *current_instance;

/* ---- life.c ---- */
extern struct proxy *loaded_proxy;
extern long grace_ms;

void life_load(const char *path);
void life_init(struct instance *ins);
void life_exit(struct instance *ins);
void life_exit_null(void);
void life_reload(void);
void life_unload(void);
void life_quit(void);
int life_any_live(void);

/* ---- blob.c ---- */
struct blob {
    char *map;
    size_t map_bytes;
    char *data;
    size_t len;
};

int blob_make(struct blob *blob, size_t len);
void blob_seal(struct blob *blob);
void blob_retire(struct blob *blob);
int blob_covers(const struct blob *blob, const void *addr);
const char *blob_explain(const struct blob *active, const void *addr);

/* ---- words.c ---- */
char *unescape(char *text);
char *word(char **rest);
int read_data(struct blob *blob, char *rest, int is_hex);

/* ---- flush.c ---- */
struct flush {
    struct instance *ins;
    char *id;
    char *tag;  /* the private copy the plugin gets, gone at the return */
    struct blob blob;
    int is_null;  /* data NULL, length 0 */
    int on_worker;
    struct coroutine *co;
    struct flush *next;
};

extern size_t flush_stack_bytes;

void flush_free(struct flush *flush);
void flush_submit(struct flush *flush);
void flush_start_on_this_thread(struct flush *flush);
void flush_reap(void);
int flush_pending(const struct instance *ins);
void flush_join_workers(const struct instance *ins);
void flush_abandon(const struct instance *ins);
size_t flush_high_water(void);

/* ---- workers.c ---- */
void workers_resize(int count);
int workers_count(void);
void workers_submit(struct flush *flush);

/* ---- input.c ---- */
void input_call(void (*run)(void *), void *arg);
void input_stop(void);
int input_is_running(void);

/* ---- metrics.c ---- */
struct cmt *cmt_new(void);
void cmt_seal(struct cmt *cmt);
void cmt_retire(struct cmt *cmt);
void cmt_free(struct cmt *cmt);

/* ---- exposition.c ---- */
void metrics_print(const struct cmt *cmt);
void metrics_expose(struct cmt *const *cmts, int count);

#pragma GCC visibility pop
#endif
