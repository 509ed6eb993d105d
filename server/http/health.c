// SPDX-License-Identifier: Apache-2.0
// The health routes: see health.h.
#include "http/health.h"

// jansson takes UTF-8 only, and a reason may carry another system's words.
static json_t *text(const struct base_str *s)
{
    struct base_str valid;
    base_str_init(&valid);
    base_str_add_utf8(&valid, s->ptr, s->len);
    json_t *value = json_stringn(valid.ptr, valid.len);
    base_str_fini(&valid);
    return value;
}

static void answer_yes_or_no(struct http_reply *reply, bool yes, const char *status, const struct base_str *reason)
{
    if (yes)
        http_reply_json(reply, 200, json_pack("{s:s}", "status", status));
    else
        http_reply_json(reply, 503, json_pack("{s:s, s:o}", "status", status, "reason", text(reason)));
}

static void answer_live(void *self, const struct http_request *request, struct http_reply *reply)
{
    const struct http_views *views = self;
    struct base_str reason;
    base_str_init(&reason);
    bool live = views->live(views->self, &reason);
    answer_yes_or_no(reply, live, live ? "live" : "stalled", &reason);
    base_str_fini(&reason);
}

static void answer_ready(void *self, const struct http_request *request, struct http_reply *reply)
{
    const struct http_views *views = self;
    struct base_str reason;
    base_str_init(&reason);
    bool ready = views->ready(views->self, &reason);
    answer_yes_or_no(reply, ready, ready ? "ready" : "not ready", &reason);
    base_str_fini(&reason);
}

// status, live, ready and reason stand first, then the key figures; a figure of the same name does not replace them.
static json_t *overall(const struct http_views *views, bool live, bool ready, const struct base_str *reason)
{
    const char *status = !live ? "stalled" : ready ? "ok" : "not ready";
    json_t *all = json_pack("{s:s, s:b, s:b}", "status", status, "live", live, "ready", ready);
    json_t *figures = views->health(views->self);
    bool made = all != NULL && figures != NULL;
    if (made && !(live && ready))
        made = json_object_set_new(all, "reason", text(reason)) == 0;
    made = made && json_object_update_missing(all, figures) == 0;
    json_decref(figures);
    if (made)
        return all;
    json_decref(all);
    return NULL;
}

// The code follows live and ready, so that a monitor that looks at codes only needs no second address.
static void answer_health(void *self, const struct http_request *request, struct http_reply *reply)
{
    const struct http_views *views = self;
    struct base_str stall, wait;
    base_str_init(&stall);
    base_str_init(&wait);
    bool live = views->live(views->self, &stall);
    bool ready = views->ready(views->self, &wait);
    http_reply_json(reply, live && ready ? 200 : 503, overall(views, live, ready, live ? &wait : &stall));
    base_str_fini(&stall);
    base_str_fini(&wait);
}

static void answer_metrics(void *self, const struct http_request *request, struct http_reply *reply)
{
    const struct http_views *views = self;
    reply->status = 200;
    reply->content_type = "text/plain; version=0.0.4; charset=utf-8";
    views->metrics(views->self, &reply->body);
}

void http_health_routes(struct http_views *views, struct http_route routes[HTTP_HEALTH_ROUTES])
{
    static const struct {
        const char *path;
        http_handle_fn handle;
    } table[HTTP_HEALTH_ROUTES] = {
        {"/health", answer_health},
        {"/health/live", answer_live},
        {"/health/ready", answer_ready},
        {"/metrics", answer_metrics},
    };
    for (size_t i = 0; i < HTTP_HEALTH_ROUTES; i++)
        routes[i] = (struct http_route){table[i].path, HTTP_GET, 0, table[i].handle, views};
}
