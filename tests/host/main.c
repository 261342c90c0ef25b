/*
 * Commands, one a line on stdin; replies, one a line on stdout.
 *
 *   load <path>                          loaded name=.. type=.. proxy=.. flags=.. keys=..
 *   keys                                 key <name> <default or ->, then end
 *   set <instance> <key> <value>         ok            (an empty value reads as NULL)
 *   init <instance>                      init <instance> <ret> | .. refused <key>
 *   loglevel <instance> <1..5>           ok
 *   workers <n>, stack <bytes>, grace <ms>   ok
 *   flush <instance> <id> <tag> <path> <offset> <len>    later: flushed <id> <code>
 *   flushhex <instance> <id> <tag> <hex>     or abandoned <id> when exit overtakes it
 *   highwater                            highwater <bytes>
 *   beats                                beats <count> <max gap, ms>
 *   metrics [instance]                   metric <name> <labels> <value>, then end
 *   exit <instance>                      exited <instance> <ret> <ms>
 *   exitnull                             exited null <ret>
 *   reload                               reloaded ok|failed <ms>
 *   unload                               unloaded
 *   threads, fds, rss                    threads <n>, fds <n>, rss <KiB>
 *   quit                                 exited .. of each, unloaded, bye
 *
 * `log <level> <thread> <text>` and `violation <what>` come at any time. Words may
 * hold \n, \\ and \xHH. A failed command answers `error ..`.
 */
#define _GNU_SOURCE
#include "host.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* After EOF nobody waits for us, but a plugin that hangs must not keep us alive. */
enum { EOF_LIMIT_S = 30 };

static int hex_digit(int c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static char *unescape(char *text)
{
    char *in = text;
    char *out = text;

    while (*in != '\0') {
        if (in[0] == '\\' && in[1] == 'n') {
            *out++ = '\n';
            in += 2;
        }
        else if (in[0] == '\\' && in[1] == '\\') {
            *out++ = '\\';
            in += 2;
        }
        else if (in[0] == '\\' && in[1] == 'x' && hex_digit(in[2]) >= 0 && hex_digit(in[3]) >= 0) {
            *out++ = (char) (hex_digit(in[2]) * 16 + hex_digit(in[3]));
            in += 4;
        }
        else {
            *out++ = *in++;
        }
    }
    *out = '\0';
    return text;
}

/* Cuts the next word off `rest`; "" when there is none. */
static char *word(char **rest)
{
    char *start = *rest;
    char *space = strchr(start, ' ');

    if (space != NULL) {
        *space = '\0';
        *rest = space + 1;
    }
    else {
        *rest = start + strlen(start);
    }
    return unescape(start);
}

/* -1 when the file cannot be read. `len` 0 means to the end. */
static int read_part(struct blob *blob, const char *path, long offset, long len)
{
    FILE *file = fopen(path, "rb");
    int ret = -1;

    if (file == NULL) {
        return -1;
    }
    if (len == 0 && fseek(file, 0, SEEK_END) == 0) {
        len = ftell(file) - offset;
    }
    if (len >= 0 && fseek(file, offset, SEEK_SET) == 0 && blob_make(blob, (size_t) len) == 0
        && fread(blob->data, 1, (size_t) len, file) == (size_t) len) {
        blob_seal(blob);
        ret = 0;
    }
    fclose(file);
    return ret;
}

static int read_hex(struct blob *blob, const char *hex)
{
    size_t len = strlen(hex) / 2;
    size_t i;

    if (blob_make(blob, len) != 0) {
        return -1;
    }
    for (i = 0; i < len; i++) {
        blob->data[i] = (char) (hex_digit(hex[2 * i]) * 16 + hex_digit(hex[2 * i + 1]));
    }
    blob_seal(blob);
    return 0;
}

static void flush_command(char *rest, int is_hex)
{
    struct instance *ins = instance_find(word(&rest));
    struct flush *flush = calloc(1, sizeof(*flush));
    char *path;
    long offset;
    int ret;

    flush->id = strdup(word(&rest));
    flush->tag = strdup(word(&rest));
    if (is_hex) {
        ret = read_hex(&flush->blob, word(&rest));
    }
    else {
        path = word(&rest);
        offset = atol(word(&rest));
        flush->is_null = strcmp(path, "-") == 0;
        ret = flush->is_null ? 0 : read_part(&flush->blob, path, offset, atol(word(&rest)));
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

    for (ins = instances; ins != NULL; ins = ins->next) {
        if (instance_cmt(ins) != NULL && (*token == '\0' || strcmp(token, ins->token) == 0)) {
            metrics_print(instance_cmt(ins));
        }
    }
    emit("end");
}

static void print_status(const char *name, const char *field)
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
    emit("%s %ld", name, value);
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
    else if (is(command, "highwater")) {
        emit("highwater %zu", flush_high_water());
    }
    else if (is(command, "threads")) {
        print_status("threads", "Threads:");
    }
    else if (is(command, "rss")) {
        print_status("rss", "VmRSS:");
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
        life_exit(instance_get(word(&rest)));
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
        if (!quit && !host_command(command, rest)) {
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
