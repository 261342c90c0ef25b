/* What metrics.c, histograms.c and exposition.c share. */
#ifndef MINI_HOST_METRICS_H
#define MINI_HOST_METRICS_H

#include "host.h"

#include <pthread.h>

#pragma GCC visibility push(hidden)

enum kind { COUNTER, GAUGE, HISTOGRAM, UNTYPED };

struct cmt_histogram_buckets {
    size_t count;
    double *upper_bounds;
};

struct series {
    char *labels;  /* values joined by ',' */
    char **values;
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
    char *help;
    int label_count;
    char **keys;
    struct cmt_histogram_buckets *bounds;
    struct series *series;
    struct family *next;
};

/* Kept for a while when retired, so that a late use is noticed. */
struct cmt {
    int is_sealed;
    int is_retired;
    struct family *families;
};

extern pthread_mutex_t metrics_lock;

struct family *family_create(struct cmt *cmt, enum kind kind, const char *ns,
                             const char *subsystem, const char *name, const char *help,
                             int label_count, char **keys);
struct series *series_begin(struct family *family, enum kind kind, int count, char **values);

#pragma GCC visibility pop
#endif
