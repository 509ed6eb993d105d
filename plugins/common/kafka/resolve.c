// SPDX-License-Identifier: Apache-2.0
// See resolve.h.
#include "resolve.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CALL_MS       5000
#define RETRY_MS      300
#define ABSENT_CHECKS 15 // so often a partition is looked for that a broker does not know

// What a step says: go on, try everything again later, or give up.
enum step { GOOD, LATER, FAILED };

__attribute__((format(printf, 4, 5))) static enum step refuse(struct kafka_resolve *r, leat_status failure,
                                                              const char *code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(r->message, sizeof r->message, fmt, ap);
    va_end(ap);
    r->failure = failure;
    r->code = code;
    return FAILED;
}

static enum step no_memory(struct kafka_resolve *r)
{
    return refuse(r, LEAT_RESOURCE, "LEAT-R0001", "out of memory");
}

// A broker that is away shows in the client's own errors, which the node puts into its status.
static enum step later(struct kafka_control *c, const char *topic, rd_kafka_resp_err_t err)
{
    if (err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || err == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC)
        kafka_job_status(c, "waiting for topic \"%s\", which does not exist yet", topic);
    else if (err > 0)
        kafka_job_status(c, "waiting for topic \"%s\": %s", topic, rd_kafka_err2str(err));
    return LATER;
}

static enum step add_found(struct kafka_resolve *r, uint32_t topic, int32_t partition)
{
    if (r->found_count == r->found_cap) {
        uint32_t cap = r->found_cap ? r->found_cap * 2 : 16;
        struct kafka_found *found = realloc(r->found, cap * sizeof *found);
        if (!found)
            return no_memory(r);
        r->found = found;
        r->found_cap = cap;
    }
    r->found[r->found_count++] = (struct kafka_found){
        .topic = topic, .partition = partition, .next = -1, .from = -1, .stop = INT64_MAX, .last = {.offset = -1}};
    return GOOD;
}

static enum step take_topic(struct kafka_resolve *r, uint32_t topic, int32_t count)
{
    r->partitions[topic] = count;
    for (int32_t p = r->what == KAFKA_RESOLVE_NEW ? r->known[topic] : 0; p < count; p++)
        if ((uint32_t)p % r->instances == r->instance && add_found(r, topic, p) != GOOD)
            return FAILED;
    return GOOD;
}

static enum step find_partitions(struct kafka_control *c, struct kafka_resolve *r, uint32_t topic)
{
    const struct rd_kafka_metadata *md = NULL;
    rd_kafka_topic_t *rkt = rd_kafka_topic_new(r->client->rk, r->topics[topic], NULL);
    if (!rkt)
        return no_memory(r);
    rd_kafka_resp_err_t err = rd_kafka_metadata(r->client->rk, 0, rkt, &md, CALL_MS);
    int32_t count = 0;
    if (!err && md && md->topic_cnt == 1) {
        err = md->topics[0].err;
        count = md->topics[0].partition_cnt;
    }
    if (md)
        rd_kafka_metadata_destroy(md);
    rd_kafka_topic_destroy(rkt);
    if (err == RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION)
        return refuse(r, LEAT_CONFIG, "LEAT-K0204", "the broker does not accept the topic name \"%s\"",
                      r->topics[topic]);
    if (err || count < 1)
        return later(c, r->topics[topic], err);
    return take_topic(r, topic, count);
}

// --- offsets

static rd_kafka_topic_partition_list_t *list_found(struct kafka_resolve *r, int64_t offset)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)r->found_count);
    for (uint32_t i = 0; i < r->found_count; i++)
        rd_kafka_topic_partition_list_add(list, r->topics[r->found[i].topic], r->found[i].partition)->offset = offset;
    return list;
}

// out[i] = the group's offset of found[i], or -1 where it has none.
static enum step ask_group(struct kafka_control *c, struct kafka_resolve *r, int64_t *out)
{
    rd_kafka_topic_partition_list_t *list = list_found(r, RD_KAFKA_OFFSET_INVALID);
    rd_kafka_resp_err_t err = rd_kafka_committed(r->client->rk, list, CALL_MS);
    for (int i = 0; !err && i < list->cnt; i++) {
        err = list->elems[i].err;
        out[i] = list->elems[i].offset >= 0 ? list->elems[i].offset : -1;
    }
    rd_kafka_topic_partition_list_destroy(list);
    return err ? later(c, r->topics[0], err) : GOOD;
}

// out[i] = first offset of found[i] whose record is not older than `millis`, or -1 when all are.
static enum step ask_times(struct kafka_control *c, struct kafka_resolve *r, int64_t millis, int64_t *out)
{
    rd_kafka_topic_partition_list_t *list = list_found(r, millis);
    rd_kafka_resp_err_t err = rd_kafka_offsets_for_times(r->client->rk, list, CALL_MS);
    for (int i = 0; !err && i < list->cnt; i++) {
        err = list->elems[i].err;
        out[i] = list->elems[i].offset >= 0 ? list->elems[i].offset : -1;
    }
    rd_kafka_topic_partition_list_destroy(list);
    return err ? later(c, r->topics[0], err) : GOOD;
}

static int64_t specific(const struct kafka_offset *list, int count, int32_t partition)
{
    for (int i = 0; i < count; i++)
        if (list[i].partition == partition)
            return list[i].offset;
    return -1;
}

static const char out_of_range[] = "To go on with what is there, forget the position: start once with "
                                   "--forget-state and the name of this node.";

static enum step check_range(struct kafka_resolve *r, const struct kafka_found *f, const char *whose, int64_t low,
                             int64_t high)
{
    const char *topic = r->topics[f->topic];
    snprintf(r->hint, sizeof r->hint, "%s", out_of_range);
    if (f->next < low) {
        snprintf(r->detail, sizeof r->detail,
                 "Records %" PRId64 " to %" PRId64 " were removed by the topic's retention before they were read.",
                 f->next, low - 1);
        return refuse(r, LEAT_FATAL, "LEAT-K0301",
                      "%s offset %" PRId64
                      " of topic \"%s\", partition %d lies before the first offset there, %" PRId64,
                      whose, f->next, topic, f->partition, low);
    }
    if (f->next > high) {
        snprintf(
            r->detail, sizeof r->detail,
            "The topic was deleted and created again, or the broker lost its end. Rows that were read are not there.");
        return refuse(r, LEAT_FATAL, "LEAT-K0302",
                      "%s offset %" PRId64 " of topic \"%s\", partition %d lies beyond its end, %" PRId64, whose,
                      f->next, topic, f->partition, high);
    }
    r->hint[0] = 0;
    return GOOD;
}

static enum step start_by_mode(struct kafka_resolve *r, struct kafka_found *f, int64_t asked, int64_t low, int64_t high)
{
    switch (r->startup) {
    case KAFKA_START_EARLIEST:
        f->next = low;
        return GOOD;
    case KAFKA_START_LATEST:
        f->next = high;
        return GOOD;
    case KAFKA_START_TIMESTAMP:
        f->next = asked >= 0 ? asked : high;
        return GOOD;
    case KAFKA_START_SPECIFIC:
        f->next = specific(r->start_offsets, r->start_count, f->partition);
        if (f->next >= 0)
            return check_range(r, f, "given", low, high);
        break; // a partition that is not listed begins as the group says, as in Flink
    default:
        f->next = asked;
        if (f->next >= 0)
            return check_range(r, f, "committed", low, high);
    }
    f->next = r->reset == 1 ? high : low;
    if (r->reset >= 0)
        return GOOD;
    snprintf(r->hint, sizeof r->hint,
             "Write scan.startup.mode = \"earliest-offset\", or give a reset policy: "
             "properties.auto.offset.reset = \"earliest\".");
    return refuse(r, LEAT_FATAL, "LEAT-K0303", "the group has no committed offset for topic \"%s\", partition %d",
                  r->topics[f->topic], f->partition);
}

static int64_t stop_by_mode(const struct kafka_resolve *r, const struct kafka_found *f, int64_t asked, int64_t high)
{
    switch (r->bounded) {
    case KAFKA_STOP_LATEST:
        return high;
    case KAFKA_STOP_TIMESTAMP:
        return asked >= 0 ? asked : high;
    case KAFKA_STOP_GROUP:
        return asked >= 0 ? asked : high;
    case KAFKA_STOP_SPECIFIC:
        return specific(r->stop_offsets, r->stop_count, f->partition); // -1: not read at all
    default:
        return INT64_MAX;
    }
}

static enum step place(struct kafka_control *c, struct kafka_resolve *r, struct kafka_found *f, int64_t start,
                       int64_t stop)
{
    int64_t low, high;
    const char *topic = r->topics[f->topic];
    if (kafka_job_interrupted(c))
        return LATER;
    rd_kafka_resp_err_t err =
        rd_kafka_query_watermark_offsets(r->client->rk, topic, f->partition, &low, &high, CALL_MS);
    if (err)
        return later(c, topic, err);
    f->end = high;
    if (r->what == KAFKA_RESOLVE_ENDS)
        return GOOD;
    const struct kafka_position *saved = r->restored ? kafka_positions_find(&r->positions, topic, f->partition) : NULL;
    if (saved) {
        f->next = saved->next;
        f->stop = saved->stop;
        f->last = saved->last;
        f->from = f->last.offset >= low ? f->last.offset : f->next;
        return check_range(r, f, "saved", low, high);
    }
    if (r->restored || r->what == KAFKA_RESOLVE_NEW) {
        f->next = low; // the partition is new: nothing of it may be missed
    } else {
        enum step s = start_by_mode(r, f, start, low, high);
        if (s != GOOD)
            return s;
    }
    f->from = f->next;
    f->stop = stop_by_mode(r, f, stop, high);
    return GOOD;
}

static enum step ask_lists(struct kafka_control *c, struct kafka_resolve *r, int64_t *start, int64_t *stop)
{
    enum step s = GOOD;
    if (r->what != KAFKA_RESOLVE_START || !r->found_count)
        return GOOD;
    if (!r->restored && r->startup == KAFKA_START_GROUP && r->has_group)
        s = ask_group(c, r, start);
    else if (!r->restored && r->startup == KAFKA_START_TIMESTAMP)
        s = ask_times(c, r, r->startup_millis, start);
    if (s == GOOD && r->bounded == KAFKA_STOP_GROUP)
        s = ask_group(c, r, stop);
    else if (s == GOOD && r->bounded == KAFKA_STOP_TIMESTAMP)
        s = ask_times(c, r, r->bounded_millis, stop);
    return s;
}

static enum step place_all(struct kafka_control *c, struct kafka_resolve *r)
{
    size_t n = 2 * (size_t)r->found_count;
    int64_t *asked = malloc((n + 1) * sizeof *asked);
    if (!asked)
        return no_memory(r);
    memset(asked, 0xff, (n + 1) * sizeof *asked); // -1 each
    enum step s = ask_lists(c, r, asked, asked + r->found_count);
    for (uint32_t i = 0; s == GOOD && i < r->found_count; i++)
        s = place(c, r, &r->found[i], asked[i], asked[r->found_count + i]);
    free(asked);
    return s;
}

static enum step absent(struct kafka_control *c, struct kafka_resolve *r, const struct kafka_position *saved,
                        int32_t count)
{
    if (++r->absent_checks < ABSENT_CHECKS) {
        kafka_job_status(c, "waiting for partition %d of topic \"%s\", which has %d partitions now", saved->partition,
                         saved->topic, count);
        return LATER;
    }
    snprintf(r->detail, sizeof r->detail,
             "The topic has %d partitions now: it was deleted and created again. Rows that were read are not there.",
             count);
    snprintf(r->hint, sizeof r->hint, "%s", out_of_range);
    return refuse(r, LEAT_FATAL, "LEAT-K0302",
                  "saved offset %" PRId64 " of topic \"%s\", partition %d is not there any more", saved->next,
                  saved->topic, saved->partition);
}

// A broker may lag behind and not know the newest partitions. To go on without one would lose its position, and read it
// from its beginning when it is found later.
static enum step check_absent(struct kafka_control *c, struct kafka_resolve *r)
{
    for (uint32_t i = 0; i < r->positions.count; i++) {
        const struct kafka_position *saved = &r->positions.items[i];
        for (uint32_t t = 0; t < r->topic_count; t++)
            if (saved->next > 0 && saved->partition >= r->partitions[t] && strcmp(saved->topic, r->topics[t]) == 0)
                return absent(c, r, saved, r->partitions[t]);
    }
    return GOOD;
}

static enum step attempt(struct kafka_control *c, struct kafka_resolve *r)
{
    enum step s = GOOD;
    if (r->what != KAFKA_RESOLVE_ENDS) {
        r->found_count = 0;
        for (uint32_t t = 0; s == GOOD && t < r->topic_count; t++)
            s = kafka_job_interrupted(c) ? LATER : find_partitions(c, r, t);
    }
    if (s == GOOD)
        s = place_all(c, r);
    return s == GOOD && r->restored ? check_absent(c, r) : s;
}

static void run(struct kafka_control *c, struct kafka_job *job)
{
    struct kafka_resolve *r = (struct kafka_resolve *)(void *)job;
    enum step s;
    do
        s = kafka_job_interrupted(c) ? LATER : attempt(c, r);
    while (s == LATER && !kafka_job_sleep(c, RETRY_MS));
    if (s == LATER)
        r->failure = LEAT_AGAIN;
}

static void drop(struct kafka_job *job)
{
    kafka_resolve_destroy((struct kafka_resolve *)(void *)job);
}

// --- life

static int parse_offsets(const char *text, struct kafka_offset **out, int *count)
{
    size_t where;
    int n = text ? kafka_offsets_parse(text, NULL, 0, &where) : 0;
    if (n <= 0)
        return 1; // checked before: there is none
    *out = malloc((size_t)n * sizeof **out);
    if (!*out)
        return 0;
    *count = kafka_offsets_parse(text, *out, n, &where);
    return 1;
}

static int copy_topics(struct kafka_resolve *r, const struct leat_strings *topics)
{
    r->topics = calloc((size_t)topics->count + 1, sizeof *r->topics);
    r->known = calloc((size_t)topics->count + 1, sizeof *r->known);
    r->partitions = calloc((size_t)topics->count + 1, sizeof *r->partitions);
    if (!r->topics || !r->known || !r->partitions)
        return 0;
    for (uint32_t i = 0; i < topics->count; i++, r->topic_count++)
        if (!(r->topics[i] = strdup(topics->items[i])))
            return 0;
    return 1;
}

static int reset_policy(const struct kafka_options *o)
{
    const char *reset = kafka_property(o, "auto.offset.reset");
    if (!reset || strcmp(reset, "none") == 0 || strcmp(reset, "error") == 0)
        return -1;
    return strcmp(reset, "latest") == 0 || strcmp(reset, "largest") == 0 || strcmp(reset, "end") == 0;
}

struct kafka_resolve *kafka_resolve_create(struct kafka_client *client, const struct kafka_options *o, uint8_t what,
                                           uint32_t instance, uint32_t instances, struct kafka_positions *positions)
{
    struct kafka_resolve *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->job = (struct kafka_job){.run = run, .drop = drop};
    r->what = what;
    r->instance = instance;
    r->instances = instances;
    r->startup = o->startup;
    r->bounded = o->bounded;
    r->startup_millis = o->startup_millis;
    r->bounded_millis = o->bounded_millis;
    r->reset = reset_policy(o);
    r->has_group = o->group_id != NULL;
    kafka_client_ref(client);
    r->client = client;
    if (!copy_topics(r, &o->topic) || !parse_offsets(o->startup_offsets, &r->start_offsets, &r->start_count) ||
        !parse_offsets(o->bounded_offsets, &r->stop_offsets, &r->stop_count)) {
        kafka_resolve_destroy(r);
        return NULL;
    }
    if (positions) {
        r->positions = *positions;
        r->restored = 1;
        *positions = (struct kafka_positions){NULL, 0};
    }
    return r;
}

void kafka_resolve_destroy(struct kafka_resolve *r)
{
    if (!r)
        return;
    for (uint32_t i = 0; i < r->topic_count; i++)
        free(r->topics[i]);
    free(r->topics);
    free(r->known);
    free(r->partitions);
    free(r->start_offsets);
    free(r->stop_offsets);
    free(r->found);
    kafka_positions_fini(&r->positions);
    kafka_client_unref(r->client, 0);
    free(r);
}
