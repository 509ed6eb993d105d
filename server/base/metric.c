// SPDX-License-Identifier: Apache-2.0
// The metric registry: families sorted by name, each with its series. See metric.h.
#include "base/metric.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/list.h"
#include "base/str.h"

struct series {
    struct base_list link;
    int64_t number;
    char *key; // the printed labels: {pipeline="a",node="b"}; owned
};

struct family {
    char *name, *help; // owned
    uint8_t type;
    int64_t scale;
    struct base_list series;
    struct base_map by_key;
};

struct base_metrics {
    pthread_mutex_t lock;
    struct family **families; // sorted by name
    size_t count, cap, series;
};

struct base_metrics *base_metrics_create(void)
{
    struct base_metrics *m = calloc(1, sizeof *m);
    if (m && pthread_mutex_init(&m->lock, NULL) != 0) {
        free(m);
        return NULL;
    }
    return m;
}

static void free_series(struct series *s)
{
    free(s->key);
    free(s);
}

static void free_family(struct family *f)
{
    struct base_list *link;
    while ((link = base_list_pop_front(&f->series)))
        free_series(BASE_LIST_ITEM(link, struct series, link));
    base_map_fini(&f->by_key);
    free(f->name);
    free(f->help);
    free(f);
}

void base_metrics_destroy(struct base_metrics *metrics)
{
    if (!metrics)
        return;
    for (size_t i = 0; i < metrics->count; i++)
        free_family(metrics->families[i]);
    free(metrics->families);
    pthread_mutex_destroy(&metrics->lock);
    free(metrics);
}

// --- labels

static void add_label(struct base_str *out, const char *name, const char *value)
{
    if (!value || !*value)
        return;
    base_str_addf(out, "%s%s=\"", out->len ? "," : "{", name);
    for (; *value; value++) {
        if (*value == '\n')
            base_str_addz(out, "\\n");
        else if (*value == '"' || *value == '\\')
            base_str_addf(out, "\\%c", *value);
        else
            base_str_addc(out, *value);
    }
    base_str_addc(out, '"');
}

static char *print_labels(const struct base_metric_labels *labels)
{
    struct base_str out;
    base_str_init(&out);
    add_label(&out, "pipeline", labels->pipeline);
    add_label(&out, "node", labels->node);
    if (labels->name)
        add_label(&out, labels->name, labels->value);
    if (out.len)
        base_str_addc(&out, '}');
    return base_str_take(&out);
}

static bool copy_label(char **to, const char *text)
{
    if (!text)
        return true;
    *to = base_strndup(text, strlen(text));
    return *to != NULL;
}

// --- adding; all under the lock

// Where the family is, or where it would stand.
static size_t find_family(const struct base_metrics *m, const char *name, bool *found)
{
    size_t low = 0, high = m->count;
    *found = false;
    while (low < high && !*found) {
        size_t mid = (low + high) / 2;
        int cmp = strcmp(name, m->families[mid]->name);
        if (cmp == 0) {
            *found = true;
            return mid;
        }
        if (cmp < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return low;
}

static struct family *add_family(struct base_metrics *m, size_t at, const struct base_metric_desc *desc)
{
    if (m->count == m->cap) {
        size_t cap = m->cap ? m->cap * 2 : 32;
        struct family **grown = realloc(m->families, cap * sizeof *grown);
        if (!grown)
            return NULL;
        m->families = grown;
        m->cap = cap;
    }
    struct family *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    base_list_init(&f->series);
    f->type = desc->type;
    f->scale = desc->scale ? desc->scale : 1;
    if (!copy_label(&f->name, desc->name) || !copy_label(&f->help, desc->help ? desc->help : "")) {
        free_family(f);
        return NULL;
    }
    memmove(&m->families[at + 1], &m->families[at], (m->count - at) * sizeof *m->families);
    m->families[at] = f;
    m->count++;
    return f;
}

static struct series *add_series(struct family *f, const char *key)
{
    struct series *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    base_list_init(&s->link);
    if (!copy_label(&s->key, key) || !base_map_put(&f->by_key, key, strlen(key), s)) {
        free_series(s);
        return NULL;
    }
    base_list_push_back(&f->series, &s->link);
    return s;
}

static int64_t *find_or_add(struct base_metrics *m, const struct base_metric_desc *desc, const char *key)
{
    bool found;
    size_t at = find_family(m, desc->name, &found);
    struct family *f = found ? m->families[at] : NULL;
    if (f && f->type != desc->type)
        return NULL;
    struct series *s = f ? base_map_get(&f->by_key, key, strlen(key)) : NULL;
    if (s)
        return &s->number;
    if (m->series >= BASE_METRICS_MAX)
        return NULL;
    if (!f && !(f = add_family(m, at, desc)))
        return NULL;
    s = add_series(f, key);
    if (!s)
        return NULL;
    m->series++;
    return &s->number;
}

int64_t *base_metrics_add(struct base_metrics *metrics, const struct base_metric_desc *desc,
                          const struct base_metric_labels *labels)
{
    static const struct base_metric_labels none;
    if (!labels)
        labels = &none;
    char *key = print_labels(labels);
    if (!key)
        return NULL;
    pthread_mutex_lock(&metrics->lock);
    int64_t *number = find_or_add(metrics, desc, key);
    pthread_mutex_unlock(&metrics->lock);
    free(key);
    return number;
}

// --- reading

// A help text ends at its line's end, so backslashes and line ends are written as escapes.
static void print_help(const struct family *f, struct base_str *out)
{
    base_str_addf(out, "# HELP %s ", f->name);
    for (const char *p = f->help; *p; p++) {
        if (*p == '\n')
            base_str_addz(out, "\\n");
        else if (*p == '\\')
            base_str_addz(out, "\\\\");
        else
            base_str_addc(out, *p);
    }
    base_str_addf(out, "\n# TYPE %s %s\n", f->name, f->type == LEAT_METRIC_COUNTER ? "counter" : "gauge");
}

static void print_family(const struct family *f, struct base_str *out)
{
    print_help(f, out);
    BASE_LIST_EACH(it, &f->series)
    {
        const struct series *s = BASE_LIST_ITEM(it, struct series, link);
        int64_t value = base_metric_get(&s->number);
        if (f->scale == 1)
            base_str_addf(out, "%s%s %" PRId64 "\n", f->name, s->key, value);
        else
            base_str_addf(out, "%s%s %.9g\n", f->name, s->key, (double)value / (double)f->scale);
    }
}

void base_metrics_print(struct base_metrics *metrics, struct base_str *out)
{
    pthread_mutex_lock(&metrics->lock);
    for (size_t i = 0; i < metrics->count; i++) {
        if (!base_list_empty(&metrics->families[i]->series))
            print_family(metrics->families[i], out);
    }
    pthread_mutex_unlock(&metrics->lock);
}
