/*
 * The histograms of cmetrics. Fluent Bit copies all metrics before it shows them, and
 * before 4.2.2 that spoils a histogram: a plugin must not make one there.
 */
#define _GNU_SOURCE
#include "metrics.h"

#include <stdlib.h>
#include <string.h>

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

    /* cmetrics 1.0.6, cmt_cat.c: a copy loses the last bucket before, and reads too far before 3.1.8. */
    if (HOST_NUMBER < 40202) {
        violation("histogram %s on a host that copies it wrongly", name);
    }
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
    family = family_create(cmt, HISTOGRAM, ns, subsystem, name, help, label_count, label_keys);
    if (family != NULL) {
        family->bounds = buckets;
    }
    return family;
}

/* Buckets are cumulative, with one more for +Inf. */
EXPORT int cmt_histogram_observe(struct family *histogram, uint64_t ts, double value,
                                 int n, char **values)
{
    struct series *series = series_begin(histogram, HISTOGRAM, n, values);
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
    pthread_mutex_unlock(&metrics_lock);
    return 0;
}

/* Reads count + 1 bucket values, as cmetrics does without asking. */
EXPORT int cmt_histogram_set_default(struct family *histogram, uint64_t ts, uint64_t *buckets,
                                     double sum, uint64_t count, int n, char **values)
{
    struct series *series = series_begin(histogram, HISTOGRAM, n, values);

    (void) ts;
    if (series == NULL) {
        return -1;
    }
    memcpy(series->buckets, buckets, (histogram->bounds->count + 1) * sizeof(uint64_t));
    series->sum = sum;
    series->count = count;
    pthread_mutex_unlock(&metrics_lock);
    return 0;
}
