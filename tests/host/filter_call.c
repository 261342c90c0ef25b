/*
 * One call of cb_filter, in one of two places.
 *
 * In the pipeline: on the engine thread's own stack, with a tag that flb_filter_do
 * copied and ended by a NUL, and that is gone after the call.
 * As a processor: on a coroutine of the small stack, as on an input with FLB_INPUT_CORO,
 * with the tag as the input passed it on (flb_processor_run copies nothing). Here it ends
 * at a page that nobody can read, so that only tag_len tells its end.
 */
#define _GNU_SOURCE
#include "filter.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* include/fluent-bit/flb_filter.h */
enum { FLB_FILTER_MODIFIED = 1, FLB_FILTER_NOTOUCH = 2 };

struct filter_call {
    struct filter *filter;
    struct blob data;
    struct blob tag_blob;  /* as a processor */
    char *tag;
    int tag_len;
    const char *result;    /* where the test wants the new data */
    struct coroutine *co;
    size_t stack_bytes;
    int64_t took_ns;
    int code;
    void *out_buf;
    size_t out_bytes;
};

static _Thread_local const struct filter_call *current_call;

const struct blob *filter_call_data(void)
{
    return current_call != NULL ? &current_call->data : NULL;
}

/* For the crash report. */
const char *filter_call_explain(const void *addr)
{
    if (current_call != NULL && blob_covers(&current_call->tag_blob, addr)) {
        return "in the tag, which is read-only, or behind its tag_len bytes: it has no NUL";
    }
    return opaque_hit(addr) ? "inside i_ins or the flb_config, which are opaque" : NULL;
}

static void call_the_plugin(void *arg)
{
    struct filter_call *call = arg;
    struct flb_filter_instance *f_ins = call->filter->live;
    int64_t began;

    current_instance = &call->filter->owner;
    current_call = call;
    began = now_ns();
    call->code = filter_plugin_of(f_ins)->def.cb_filter(
        call->data.data, call->data.len, call->tag, call->tag_len, &call->out_buf,
        &call->out_bytes, f_ins, opaque_input(), filter_context_of(f_ins), opaque_config());
    call->took_ns = now_ns() - began;
    if (call->co != NULL) {
        call->stack_bytes = coroutine_high_water(call->co);
    }
    current_call = NULL;
    current_instance = NULL;
}

static void on_a_coroutine(void *arg)
{
    struct filter_call *call = arg;

    call->co = coroutine_new(flush_stack_bytes, call_the_plugin, call);
    coroutine_start(call->co);
    current_call = NULL;
    current_instance = NULL;
}

/* 0 when the buffer cannot be what free() takes and out_bytes says. */
static int is_sound(const struct filter_call *call)
{
    if (call->out_buf == NULL) {
        violation("filter modified: %zu bytes without a buffer", call->out_bytes);
        return 0;
    }
    if (blob_covers(&call->data, call->out_buf)) {
        violation("filter modified: the buffer is the host's own data, which it would free");
        return 0;
    }
    if (malloc_usable_size(call->out_buf) < call->out_bytes) {
        violation("filter modified: %zu bytes said, %zu allocated by malloc", call->out_bytes,
                  malloc_usable_size(call->out_buf));
        return 0;
    }
    return 1;
}

static int write_result(const struct filter_call *call)
{
    FILE *file = fopen(call->result, "wb");
    int ok;

    if (file == NULL) {
        return 0;
    }
    ok = fwrite(call->out_buf, 1, call->out_bytes, file) == call->out_bytes;
    return fclose(file) == 0 && ok;
}

/* Takes what flb_filter_do and flb_processor_run take; NULL when the test cannot get it. */
static const char *take_result(struct filter_call *call)
{
    if (call->code != FLB_FILTER_MODIFIED) {
        if (call->code != FLB_FILTER_NOTOUCH) {
            violation("filter code %d", call->code);  /* counts as not touched */
        }
        if (call->out_buf != NULL || call->out_bytes != 0) {
            violation("filter not touched, but its output is set: the buffer leaks");
        }
        return "notouch";
    }
    if (call->out_bytes == 0) {
        /* flb_processor_run looks at the size alone and forgets the buffer. */
        if (call->out_buf != NULL) {
            violation("filter dropped all with a buffer set: it leaks");
        }
        return "modified";
    }
    if (!is_sound(call)) {
        return "modified";
    }
    if (!write_result(call)) {
        return NULL;
    }
    /* flb_mem.h: flb_free is free(), of the host's allocator. */
    free(call->out_buf);
    return "modified";
}

static void finish(struct filter_call *call)
{
    char stack[32] = "-";
    const char *outcome;

    if (call->co != NULL && !coroutine_finished(call->co)) {
        /* A processor holds a mutex for the call. What waits here is never freed. */
        violation("filter %s yielded", call->filter->token);
        emit("filtered %s yielded 0 -", call->filter->token);
        return;
    }
    outcome = take_result(call);
    if (call->co != NULL) {
        snprintf(stack, sizeof(stack), "%zu", call->stack_bytes);
        coroutine_free(call->co);
    }
    if (call->tag_blob.map != NULL) {
        blob_retire(&call->tag_blob);
    }
    else {
        memset(call->tag, 0xdd, (size_t) call->tag_len);
        free(call->tag);
    }
    blob_retire(&call->data);
    if (outcome == NULL) {
        emit("error filter %s: no place for the result", call->filter->token);
    }
    else {
        emit("filtered %s %s %.3f %s", call->filter->token, outcome,
             (double) call->took_ns / 1e6, stack);
    }
    free(call);
}

static void set_tag(struct filter_call *call, const char *tag, int is_processor)
{
    size_t len = strlen(tag);

    call->tag_len = (int) len;
    if (!is_processor) {
        call->tag = strdup(tag);
        return;
    }
    blob_make(&call->tag_blob, len);
    call->tag = call->tag_blob.data;
    memcpy(call->tag, tag, len);
    blob_seal(&call->tag_blob);
}

void filter_call_command(char *rest, int is_hex)
{
    struct filter *filter = filter_find(word(&rest));
    int is_processor = strcmp(word(&rest), "processor") == 0;
    struct filter_call *call;
    const char *tag;

    if (filter == NULL || filter->live == NULL) {
        emit("error filter: no live filter");
        return;
    }
    call = calloc(1, sizeof(*call));
    call->filter = filter;
    call->result = word(&rest);
    tag = word(&rest);
    if (read_data(&call->data, rest, is_hex) != 0) {
        emit("error filter %s: no such data", filter->token);
        free(call);
        return;
    }
    set_tag(call, tag, is_processor);
    if (is_processor) {
        input_call(on_a_coroutine, call);
    }
    else {
        engine_call(call_the_plugin, call);
    }
    finish(call);
}
