/*
 * cmetrics, as far as an output uses it. Before cmetrics 2.2 the label maps have
 * no lock, so every call belongs on the engine thread; after ExitCtx the
 * instance's metrics are gone.
 */
#define _GNU_SOURCE
#include "host.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { COUNTER, GAUGE, HISTOGRAM };

struct cmt_histogram_buckets {
    size_t count;
    double *upper_bounds;
};

struct series {
    char *labels;  /* values joined by ',' */
    double value;
    double sum;
    uint64_t count;
    uint64_t *buckets;
    struct series *next;
};

/* A counter, a gauge or a histogram: to the plugin an opaque pointer either way. */
struct family {
    enum kind kind;
    struct cmt *cmt;
    char *name;
    int label_count;
    struct cmt_histogram_buckets *bounds;
    struct series *series;
    struct family *next;
};

/* Kept for a while when retired, so that a late use can be told. */
struct cmt {
    int is_retired;
    struct family *families;
};

/* Guards against callers on wrong threads; they get a violation, not a race here. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

struct cmt *cmt_new(void)
{
    return calloc(1, sizeof(struct cmt));
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
        free(family);
    }
    free(cmt);
}

static void check_thread(const char *name)
{
    if (thread_kind != THREAD_ENGINE) {
        violation("metric %s off the engine thread", name);
    }
}

static struct family *create(struct cmt *cmt, enum kind kind, const char *ns,
                             const char *subsystem, const char *name, const char *help,
                             int label_count)
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
    if (asprintf(&family->name, "%s%s%s%s%s", ns, *ns ? "_" : "", subsystem,
                 *subsystem ? "_" : "", name) < 0) {
        abort();
    }
    pthread_mutex_lock(&lock);
    for (end = &cmt->families; *end != NULL; end = &(*end)->next) {
        if (strcmp((*end)->name, family->name) == 0) {
            violation("metric %s created twice", family->name);
        }
    }
    *end = family;
    pthread_mutex_unlock(&lock);
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
static struct series *begin(struct family *family, enum kind kind, int count, char **values)
{
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
    labels = join_labels(count, values);
    pthread_mutex_lock(&lock);
    for (at = &family->series; *at != NULL; at = &(*at)->next) {
        if (strcmp((*at)->labels, labels) == 0) {
            free(labels);
            return *at;
        }
    }
    *at = calloc(1, sizeof(**at));
    (*at)->labels = labels;
    if (family->bounds != NULL) {
        (*at)->buckets = calloc(family->bounds->count + 1, sizeof(uint64_t));
    }
    return *at;
}

static int change(struct family *family, enum kind kind, double by, int absolute,
                  int count, char **values)
{
    struct series *series = begin(family, kind, count, values);

    if (series == NULL) {
        return -1;
    }
    if (kind == COUNTER && (absolute ? by < series->value : by < 0)) {
        pthread_mutex_unlock(&lock);
        violation("counter %s set back", family->name);
        return -1;
    }
    series->value = absolute ? by : series->value + by;
    pthread_mutex_unlock(&lock);
    return 0;
}

/* What counters and gauges have in common. */
#define CREATE(function, kind)                                                           \
    EXPORT void *function(struct cmt *cmt, char *ns, char *subsystem, char *name,        \
                          char *help, int label_count, char **label_keys)                \
    {                                                                                    \
        (void) label_keys;                                                               \
        return create(cmt, kind, ns, subsystem, name, help, label_count);                \
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

EXPORT int cmt_counter_inc(struct family *counter, uint64_t ts, int n, char **values)
{
    return cmt_counter_add(counter, ts, 1, n, values);
}

EXPORT struct cmt_histogram_buckets *cmt_histogram_buckets_create_size(double *bounds,
                                                                       size_t count)
{
    struct cmt_histogram_buckets *buckets;

    if (count < 1) {
        return NULL;
    }
    buckets = calloc(1, sizeof(*buckets));
    buckets->count = count;
    buckets->upper_bounds = calloc(count + 1, sizeof(double));
    memcpy(buckets->upper_bounds, bounds, count * sizeof(double));
    return buckets;
}

/* Takes the buckets over, as cmetrics does. */
EXPORT void *cmt_histogram_create(struct cmt *cmt, char *ns, char *subsystem, char *name,
                                  char *help, struct cmt_histogram_buckets *buckets,
                                  int label_count, char **label_keys)
{
    struct family *family;
    size_t i;

    (void) label_keys;
    if (buckets == NULL) {
        violation("histogram %s without buckets", name);
        return NULL;
    }
    for (i = 1; i < buckets->count; i++) {
        if (buckets->upper_bounds[i - 1] > buckets->upper_bounds[i]) {
            violation("histogram %s with buckets out of order", name);
            return NULL;
        }
    }
    family = create(cmt, HISTOGRAM, ns, subsystem, name, help, label_count);
    if (family != NULL) {
        family->bounds = buckets;
    }
    return family;
}

/* Buckets are cumulative, with one more for +Inf. */
EXPORT int cmt_histogram_observe(struct family *histogram, uint64_t ts, double value,
                                 int n, char **values)
{
    struct series *series = begin(histogram, HISTOGRAM, n, values);
    size_t i;

    (void) ts;
    if (series == NULL) {
        return -1;
    }
    for (i = 0; i < histogram->bounds->count; i++) {
        series->buckets[i] += value <= histogram->bounds->upper_bounds[i];
    }
    series->buckets[histogram->bounds->count]++;
    series->count++;
    series->sum += value;
    pthread_mutex_unlock(&lock);
    return 0;
}

/* Reads count + 1 bucket values, as cmetrics does without asking. */
EXPORT int cmt_histogram_set_default(struct family *histogram, uint64_t ts, uint64_t *buckets,
                                     double sum, uint64_t count, int n, char **values)
{
    struct series *series = begin(histogram, HISTOGRAM, n, values);

    (void) ts;
    if (series == NULL) {
        return -1;
    }
    memcpy(series->buckets, buckets, (histogram->bounds->count + 1) * sizeof(uint64_t));
    series->sum = sum;
    series->count = count;
    pthread_mutex_unlock(&lock);
    return 0;
}

static void print_histogram(const struct family *family, const struct series *series)
{
    const char *comma = *series->labels != '\0' ? "," : "";
    const char *labels = *series->labels != '\0' ? series->labels : "-";
    size_t i;

    emit("metric %s_count %s %llu", family->name, labels, (unsigned long long) series->count);
    emit("metric %s_sum %s %.17g", family->name, labels, series->sum);
    for (i = 0; i < family->bounds->count; i++) {
        emit("metric %s_bucket %s%sle=%g %llu", family->name, series->labels, comma,
             family->bounds->upper_bounds[i], (unsigned long long) series->buckets[i]);
    }
    emit("metric %s_bucket %s%sle=+Inf %llu", family->name, series->labels, comma,
         (unsigned long long) series->buckets[i]);
}

void metrics_print(const struct cmt *cmt)
{
    const struct family *family;
    const struct series *series;

    pthread_mutex_lock(&lock);
    for (family = cmt->families; family != NULL; family = family->next) {
        for (series = family->series; series != NULL; series = series->next) {
            if (family->kind == HISTOGRAM) {
                print_histogram(family, series);
            }
            else {
                emit("metric %s %s %.17g", family->name,
                     *series->labels != '\0' ? series->labels : "-", series->value);
            }
        }
    }
    pthread_mutex_unlock(&lock);
}
