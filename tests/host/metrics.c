/*
 * cmetrics, as far as an output uses it: registries, families, counters and gauges. Before cmetrics 2.2 the label maps have
 * no lock, so every call belongs on the engine thread; after ExitCtx the
 * instance's metrics are gone.
 */
#define _GNU_SOURCE
#include "metrics.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Guards against callers on wrong threads; they get a violation, not a race here. */
pthread_mutex_t metrics_lock = PTHREAD_MUTEX_INITIALIZER;

struct cmt *cmt_new(void)
{
    return calloc(1, sizeof(struct cmt));
}

void cmt_seal(struct cmt *cmt)
{
    cmt->is_sealed = 1;
}

void cmt_retire(struct cmt *cmt)
{
    cmt->is_retired = 1;
}

static void series_free(struct series *series)
{
    struct series *next;

    for (; series != NULL; series = next) {
        next = series->next;
        free(series->labels);
        free(series->values);
        free(series->buckets);
        free(series);
    }
}

void cmt_free(struct cmt *cmt)
{
    struct family *family;

    while ((family = cmt->families) != NULL) {
        cmt->families = family->next;
        series_free(family->series);
        if (family->bounds != NULL) {
            free(family->bounds->upper_bounds);
            free(family->bounds);
        }
        free(family->name);
        free(family->help);
        free(family->keys);
        free(family);
    }
    free(cmt);
}

/* One block of memory: the pointers, then the texts. */
static char **copy_texts(int count, char **texts)
{
    size_t size = (size_t) count * sizeof(char *);
    char **copies;
    char *at;
    int i;

    for (i = 0; i < count; i++) {
        size += strlen(texts[i]) + 1;
    }
    copies = malloc(size + 1);
    at = (char *) (copies + count);
    for (i = 0; i < count; i++) {
        copies[i] = strcpy(at, texts[i]);
        at += strlen(at) + 1;
    }
    return copies;
}

static void check_thread(const char *name)
{
    if (thread_kind != THREAD_ENGINE) {
        violation("metric %s off the engine thread", name);
    }
}

struct family *family_create(struct cmt *cmt, enum kind kind, const char *ns,
                             const char *subsystem, const char *name, const char *help,
                             int label_count, char **keys)
{
    struct family *family;
    struct family **end;

    if (cmt == NULL || ns == NULL || subsystem == NULL || name == NULL || *name == '\0') {
        violation("metric without a cmt, namespace, subsystem or name");
        return NULL;
    }
    check_thread(name);
    if (cmt->is_retired) {
        violation("metric %s created after ExitCtx", name);
    }
    if (help == NULL || *help == '\0') {
        violation("metric %s without help", name);
        return NULL;
    }
    family = calloc(1, sizeof(*family));
    family->kind = kind;
    family->cmt = cmt;
    family->label_count = label_count;
    family->help = strdup(help);
    family->keys = copy_texts(label_count, keys);
    if (asprintf(&family->name, "%s%s%s%s%s", ns, *ns ? "_" : "", subsystem,
                 *subsystem ? "_" : "", name) < 0) {
        abort();
    }
    pthread_mutex_lock(&metrics_lock);
    for (end = &cmt->families; *end != NULL; end = &(*end)->next) {
        if (strcmp((*end)->name, family->name) == 0) {
            violation("metric %s created twice", family->name);
        }
    }
    *end = family;
    pthread_mutex_unlock(&metrics_lock);
    return family;
}

static char *join_labels(int count, char **values)
{
    char *joined = calloc(1, 1);
    char *longer;
    char one[512];
    int i;

    for (i = 0; i < count; i++) {
        escape_text(one, sizeof(one), values[i] != NULL ? values[i] : "", 1);
        if (asprintf(&longer, "%s%s%s", joined, i > 0 ? "," : "", one) < 0) {
            abort();
        }
        free(joined);
        joined = longer;
    }
    return joined;
}

/* Finds or makes the series; returns it with the lock held, or NULL without. */
struct series *series_begin(struct family *family, enum kind kind, int count, char **values)
{
    int i;
    struct series **at;
    char *labels;

    if (family == NULL || family->kind != kind) {
        violation("metric call on a metric of another kind");
        return NULL;
    }
    check_thread(family->name);
    if (family->cmt->is_retired) {
        violation("metric %s used after ExitCtx", family->name);
        return NULL;
    }
    if (count != family->label_count) {
        violation("metric %s with %d labels for %d", family->name, count, family->label_count);
        return NULL;
    }
    /* cmetrics takes a NULL and leaves the label out; nobody means that. */
    for (i = 0; i < count; i++) {
        if (values[i] == NULL || *values[i] == '\0') {
            violation("metric %s with an empty label", family->name);
            return NULL;
        }
    }
    labels = join_labels(count, values);
    pthread_mutex_lock(&metrics_lock);
    for (at = &family->series; *at != NULL; at = &(*at)->next) {
        if (strcmp((*at)->labels, labels) == 0) {
            free(labels);
            return *at;
        }
    }
    /* Where two threads meet, one that looks a label up meets one that makes it. */
    if (family->cmt->is_sealed) {
        violation("metric %s with a label set that is new after Init: %s", family->name, labels);
    }
    *at = calloc(1, sizeof(**at));
    (*at)->labels = labels;
    (*at)->values = copy_texts(count, values);
    if (family->bounds != NULL) {
        (*at)->buckets = calloc(family->bounds->count + 1, sizeof(uint64_t));
    }
    return *at;
}

static int change(struct family *family, enum kind kind, double by, int absolute,
                  int count, char **values)
{
    struct series *series = series_begin(family, kind, count, values);

    if (series == NULL) {
        return -1;
    }
    if (kind == COUNTER && (absolute ? by < series->value : by < 0)) {
        pthread_mutex_unlock(&metrics_lock);
        violation("counter %s set back", family->name);
        return -1;
    }
    series->value = absolute ? by : series->value + by;
    pthread_mutex_unlock(&metrics_lock);
    return 0;
}

/* What counters, gauges and untyped metrics have in common. */
#define CREATE(function, kind)                                                           \
    EXPORT void *function(struct cmt *cmt, char *ns, char *subsystem, char *name,        \
                          char *help, int label_count, char **label_keys)                \
    {                                                                                    \
        return family_create(cmt, kind, ns, subsystem, name, help, label_count,          \
                             label_keys);                                                \
    }

#define CHANGE(function, kind, absolute)                                                 \
    EXPORT int function(struct family *family, uint64_t ts, double value, int n,         \
                        char **values)                                                   \
    {                                                                                    \
        (void) ts;                                                                       \
        return change(family, kind, value, absolute, n, values);                         \
    }

CREATE(cmt_counter_create, COUNTER)
CHANGE(cmt_counter_add, COUNTER, 0)
CHANGE(cmt_counter_set, COUNTER, 1)
CREATE(cmt_gauge_create, GAUGE)
CHANGE(cmt_gauge_add, GAUGE, 0)
CHANGE(cmt_gauge_set, GAUGE, 1)
CREATE(cmt_untyped_create, UNTYPED)
CHANGE(cmt_untyped_set, UNTYPED, 1)

EXPORT int cmt_counter_inc(struct family *counter, uint64_t ts, int n, char **values)
{
    return cmt_counter_add(counter, ts, 1, n, values);
}
