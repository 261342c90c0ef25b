/*
 * What can be read of the metrics: a line for each series, for tests that look for one, and
 * the Prometheus text of all instances as Fluent Bit's endpoint gives it.
 */
#define _GNU_SOURCE
#include "metrics.h"

#include <stdio.h>
#include <string.h>

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

    pthread_mutex_lock(&metrics_lock);
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
    pthread_mutex_unlock(&metrics_lock);
}

/* As cmetrics writes it: at most six digits, and always with a point. */
static void bound_text(char *out, size_t room, const struct family *family, size_t i)
{
    if (i == family->bounds->count) {
        snprintf(out, room, "+Inf");
        return;
    }
    snprintf(out, room, "%g", family->bounds->upper_bounds[i]);
    if (strchr(out, '.') == NULL) {
        strncat(out, ".0", room - strlen(out) - 1);
    }
}

/* As in the text format: a backslash before a backslash or a quote. Answers how many bytes were written. */
static size_t escape_label(char *out, size_t room, const char *value)
{
    size_t used = 0;

    for (; *value != '\0' && used + 3 < room; value++) {
        if (*value == '\\' || *value == '"') {
            out[used++] = '\\';
        }
        out[used++] = *value;
    }
    out[used] = '\0';
    return used;
}

/* One sample; `le` NULL for all but buckets, whose label comes first. */
static void sample(const struct family *family, const struct series *series, const char *suffix,
                   const char *le, double value)
{
    char labels[2048];
    size_t used = 0;
    int i;

    labels[0] = '\0';
    if (le != NULL) {
        used += (size_t) snprintf(labels, sizeof(labels), "le=\"%s\"", le);
    }
    for (i = 0; i < family->label_count && used < sizeof(labels) / 2; i++) {
        used += (size_t) snprintf(labels + used, sizeof(labels) / 4, "%s%s=\"",
                                  used > 0 ? "," : "", family->keys[i]);
        used += escape_label(labels + used, sizeof(labels) / 4, series->values[i]);
        labels[used++] = '"';
        labels[used] = '\0';
    }
    emit("text %s%s%s%s%s %.17g", family->name, suffix, used > 0 ? "{" : "", labels,
         used > 0 ? "}" : "", value);
}

static void samples(const struct family *family)
{
    const struct series *series;
    char le[32];
    size_t i;

    for (series = family->series; series != NULL; series = series->next) {
        if (family->kind != HISTOGRAM) {
            sample(family, series, "", NULL, series->value);
            continue;
        }
        for (i = 0; i <= family->bounds->count; i++) {
            bound_text(le, sizeof(le), family, i);
            sample(family, series, "_bucket", le, (double) series->buckets[i]);
        }
        sample(family, series, "_sum", NULL, series->sum);
        sample(family, series, "_count", NULL, (double) series->count);
    }
}

static struct family *family_find(const struct cmt *cmt, const char *name)
{
    struct family *family;

    for (family = cmt->families; family != NULL; family = family->next) {
        if (strcmp(family->name, name) == 0) {
            return family;
        }
    }
    return NULL;
}

/* Families of one name are one family since 3.1.8; before, each comes with a head of its own. */
static void print_family(struct cmt *const *cmts, int count, int of, const struct family *family)
{
    static const char *const types[] = { "counter", "gauge", "histogram", "untyped" };
    const struct family *other;
    int i;

    for (i = 0; i < of && HOST_NUMBER >= 30108; i++) {
        if (family_find(cmts[i], family->name) != NULL) {
            return;
        }
    }
    emit("text # HELP %s %s", family->name, family->help);
    emit("text # TYPE %s %s", family->name, types[family->kind]);
    samples(family);
    for (i = of + 1; i < count && HOST_NUMBER >= 30108; i++) {
        other = family_find(cmts[i], family->name);
        if (other != NULL) {
            samples(other);
        }
    }
}

void metrics_expose(struct cmt *const *cmts, int count)
{
    const struct family *family;
    int kind;
    int i;

    pthread_mutex_lock(&metrics_lock);
    for (kind = COUNTER; kind <= UNTYPED; kind++) {
        for (i = 0; i < count; i++) {
            for (family = cmts[i]->families; family != NULL; family = family->next) {
                if (family->kind == (enum kind) kind) {
                    print_family(cmts, count, i, family);
                }
            }
        }
    }
    pthread_mutex_unlock(&metrics_lock);
}
