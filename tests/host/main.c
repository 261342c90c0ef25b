/*
 * Commands, one a line on stdin; replies, one a line on stdout.
 *
 *   load <path>                          loaded name=.. type=.. proxy=.. flags=.. keys=..
 *   keys                                 key <name> <default or ->, then end
 *   set <instance> <key> <value>         ok            (an empty value reads as NULL)
 *   init <instance>                      init <instance> <ret> | .. refused <key>
 *   loglevel <instance> <1..5>           ok
 *   workers <n>, stack <bytes>, grace <ms>   ok
 *   timers hold|run                      ok            (of the plugin: they do not fire, or do again)
 *   clock <seconds>                      ok            (the wall clock is so far ahead, or behind)
 *   flush <instance> <id> <tag> <path> <offset> <len>    later: flushed <id> <code>
 *   flushhex <instance> <id> <tag> <hex>     or abandoned <id> when exit overtakes it
 *   highwater                            highwater <bytes>
 *   beats                                beats <count> <max gap, ms>
 *   metrics [instance]                   metric <name> <labels> <value>, then end; the plugin's timers
 *                                        run a second ahead first, so that what it tells is fresh
 *   exposition                           text <line of Prometheus text>, then end; as fresh
 *   exit <instance or filter>            exited <instance> <ret> <ms>
 *   exitnull                             exited null <ret>
 *   reload                               reloaded ok|failed <ms>
 *   unload                               unloaded
 *   loadfilter <path>                    filterloaded name=.. bytes=.. shared=..
 *   setfilter <filter> <key> <value>     ok            (an empty value reads as "")
 *   processor <filter>                   ok            (of a threaded input)
 *   prerun <filter>                      prerun <filter> <ret>
 *   initfilter <filter>                  filterinit <filter> <ret>
 *   filter <filter> <pipeline|processor> <file for the result> <tag> <path> <offset> <len>
 *   filterhex .. <tag> <hex>             filtered <filter> notouch|modified|yielded <ms>
 *                                        <bytes of a coroutine's stack, or ->
 *   threads, fds, rss, heap              threads <n>, fds <n>, rss <KiB>, heap <bytes in use>
 *   quit                                 exited .. of each, unloaded, bye
 *
 * `log <level> <thread> <text>` and `violation <what>` come at any time. Words may
 * hold \n, \\ and \xHH. A failed command answers `error ..`.
 */
#define _GNU_SOURCE
#include "filter.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* After EOF nobody waits for us, but a plugin that hangs must not keep us alive. */
enum { EOF_LIMIT_S = 30 };

static void flush_command(char *rest, int is_hex)
{
    struct instance *ins = instance_find(word(&rest));
    struct flush *flush = calloc(1, sizeof(*flush));
    int ret = 0;

    flush->id = strdup(word(&rest));
    flush->tag = strdup(word(&rest));
    flush->is_null = !is_hex && strncmp(rest, "- ", 2) == 0;
    if (!flush->is_null) {
        ret = read_data(&flush->blob, rest, is_hex);
    }
    if (ret != 0 || ins == NULL || !ins->is_live) {
        emit("error flush %s: %s", flush->id, ret != 0 ? "no such data" : "no live instance");
        flush_free(flush);
        return;
    }
    flush->ins = ins;
    flush_submit(flush);
}

static void print_keys(void)
{
    const struct known_key *key;
    int i;

    for (i = 0; loaded_proxy != NULL && i < loaded_proxy->key_count; i++) {
        key = &loaded_proxy->keys[i];
        emit("key %s %s", key->name, key->def_value != NULL ? key->def_value : "-");
    }
    emit("end");
}

static void print_beats(void *arg)
{
    long count;
    double gap;

    (void) arg;
    engine_beats(&count, &gap);
    emit("beats %ld %.3f", count, gap);
}

/* On the engine, so that the plugin is not publishing meanwhile. */
static void print_metrics(void *arg)
{
    const char *token = arg;
    const struct instance *ins;

    sched_run_a_second(engine_sched());
    for (ins = instances; ins != NULL; ins = ins->next) {
        if (instance_cmt(ins) != NULL && (*token == '\0' || strcmp(token, ins->token) == 0)) {
            metrics_print(instance_cmt(ins));
        }
    }
    emit("end");
}

/* Of all live instances, as one page. */
static void print_exposition(void *arg)
{
    enum { MOST = 16 };
    struct cmt *cmts[MOST];
    const struct instance *ins;
    int count = 0;

    (void) arg;
    sched_run_a_second(engine_sched());
    for (ins = instances; ins != NULL && count < MOST; ins = ins->next) {
        if (instance_cmt(ins) != NULL) {
            cmts[count++] = instance_cmt(ins);
        }
    }
    metrics_expose(cmts, count);
    emit("end");
}

static void print_status(const char *name, const char *field, int of_the_host)
{
    FILE *file = fopen("/proc/self/status", "r");
    char line[256];
    long value = -1;

    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, field, strlen(field)) == 0) {
            value = atol(line + strlen(field));
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    emit("%s %ld", name, value - of_the_host);
}

static void print_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int count = -3;  /* ".", ".." and the directory itself */

    while (dir != NULL && readdir(dir) != NULL) {
        count++;
    }
    if (dir != NULL) {
        closedir(dir);
    }
    emit("fds %d", count);
}

static int is(const char *command, const char *name)
{
    return strcmp(command, name) == 0;
}

/* Settings of the host itself and questions about it; 0 when it is something else. */
static int host_command(const char *command, char *rest)
{
    struct instance *ins;

    if (is(command, "loglevel")) {
        ins = instance_get(word(&rest));
        ins->log_level = atoi(word(&rest));
        emit("ok");
    }
    else if (is(command, "workers")) {
        workers_resize(atoi(word(&rest)));
        emit("ok");
    }
    else if (is(command, "stack")) {
        flush_stack_bytes = (size_t) atol(word(&rest));
        emit("ok");
    }
    else if (is(command, "grace")) {
        grace_ms = atol(word(&rest));
        emit("ok");
    }
    else if (is(command, "timers")) {
        sched_holds_plugins = is(word(&rest), "hold");
        emit("ok");
    }
    else if (is(command, "clock")) {
        clock_jump_to(atol(word(&rest)));
        emit("ok");
    }
    else if (is(command, "highwater")) {
        emit("highwater %zu", flush_high_water());
    }
    else if (is(command, "threads")) {
        print_status("threads", "Threads:", input_is_running());
    }
    else if (is(command, "rss")) {
        print_status("rss", "VmRSS:", 0);
    }
    else if (is(command, "heap")) {
        emit("heap %ld", heap_in_use_bytes());
    }
    else if (is(command, "fds")) {
        print_fds();
    }
    else if (is(command, "beats") && engine_is_running()) {
        engine_call(print_beats, NULL);
    }
    else if (is(command, "metrics") && engine_is_running()) {
        engine_call(print_metrics, word(&rest));
    }
    else if (is(command, "exposition") && engine_is_running()) {
        engine_call(print_exposition, NULL);
    }
    else {
        return 0;
    }
    return 1;
}

static void exit_command(const char *token)
{
    struct filter *filter = filter_find(token);

    if (filter != NULL) {
        filter_life_exit(filter);
    }
    else {
        life_exit(instance_get(token));
    }
}

/* What concerns native filters; 0 when it is something else. */
static int filter_command(const char *command, char *rest)
{
    struct filter *filter;
    const char *key;

    if (is(command, "loadfilter")) {
        filter_life_load(word(&rest));
    }
    else if (is(command, "setfilter")) {
        filter = filter_get(word(&rest));
        key = word(&rest);
        settings_set(&filter->settings, key, unescape(rest));
        emit("ok");
    }
    else if (is(command, "processor")) {
        filter_get(word(&rest))->is_processor = 1;
        emit("ok");
    }
    else if (is(command, "prerun")) {
        filter_life_pre_run(filter_get(word(&rest)));
    }
    else if (is(command, "initfilter")) {
        filter_life_init(filter_get(word(&rest)));
    }
    else if (is(command, "filter") || is(command, "filterhex")) {
        filter_call_command(rest, is(command, "filterhex"));
    }
    else {
        return 0;
    }
    return 1;
}

static void plugin_command(const char *command, char *rest)
{
    struct instance *ins;
    const char *key;

    if (is(command, "load")) {
        life_load(word(&rest));
    }
    else if (is(command, "keys")) {
        print_keys();
    }
    else if (is(command, "set")) {
        ins = instance_get(word(&rest));
        key = word(&rest);
        instance_set(ins, key, unescape(rest));
        emit("ok");
    }
    else if (is(command, "init")) {
        life_init(instance_get(word(&rest)));
    }
    else if (is(command, "flush") || is(command, "flushhex")) {
        flush_command(rest, is(command, "flushhex"));
    }
    else if (is(command, "exit")) {
        exit_command(word(&rest));
    }
    else if (is(command, "exitnull")) {
        life_exit_null();
    }
    else if (is(command, "reload")) {
        life_reload();
    }
    else if (is(command, "unload")) {
        life_unload();
    }
    else {
        emit("error unknown command %s", command);
    }
}

int main(void)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t len;
    char *rest;
    char *command;
    int quit = 0;

    thread_kind = THREAD_MAIN;
    signal(SIGPIPE, SIG_IGN);
    crash_catch();
    crash_thread_begin();
    while (!quit && (len = getline(&line, &room, stdin)) >= 0) {
        if (len > 0 && line[len - 1] == '\n') {
            line[len - 1] = '\0';
        }
        rest = line;
        command = word(&rest);
        quit = is(command, "quit");
        if (!quit && !host_command(command, rest) && !filter_command(command, rest)) {
            plugin_command(command, rest);
        }
    }
    if (!quit) {
        alarm(EOF_LIMIT_S);
    }
    life_quit();
    free(line);
    return 0;
}
