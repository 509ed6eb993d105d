// SPDX-License-Identifier: Apache-2.0
// Rules and routes: see router.h.
#include "http/router.h"

#include <string.h>

static bool refuse(struct http_reply *reply, struct http_verdict verdict)
{
    if (verdict.status == 0)
        return false;
    http_reply_error(reply, verdict.status, verdict.reason);
    reply->ask_token = verdict.status == 401;
    return true;
}

static const struct http_route *find(const struct http_router *router, struct http_slice path)
{
    for (size_t t = 0; t < sizeof router->tables / sizeof router->tables[0]; t++) {
        const struct http_routes *table = &router->tables[t];
        for (size_t i = 0; i < table->count; i++)
            if (strlen(table->items[i].path) == path.len && memcmp(table->items[i].path, path.ptr, path.len) == 0)
                return &table->items[i];
    }
    return NULL;
}

static void answer_options(struct http_reply *reply, uint32_t methods)
{
    reply->status = 204;
    reply->allow = methods;
}

// Method, body and content type against what the route takes.
static bool refuse_form(const struct http_route *route, const struct http_request *request, struct http_reply *reply)
{
    uint32_t method = request->method == HTTP_HEAD ? HTTP_GET : request->method;
    if ((route->methods & method) == 0) {
        http_reply_error(reply, 405, "this path does not take that method");
        reply->allow = route->methods;
        return true;
    }
    if (method != HTTP_POST && request->content_length > 0)
        return refuse(reply, (struct http_verdict){400, "only a POST may have a body"});
    return refuse(reply, http_guard_content(request));
}

const struct http_route *http_router_check(const struct http_router *router, const struct http_request *request,
                                           const char *local_ip, struct http_reply *reply)
{
    if (refuse(reply, http_guard_source(&router->guard, request, local_ip)))
        return NULL;
    const struct http_route *route = find(router, request->path);
    if (request->method == HTTP_OPTIONS && (route != NULL || http_slice_is(request->path, "*"))) {
        answer_options(reply, route != NULL ? route->methods : HTTP_GET | HTTP_POST);
        return NULL;
    }
    if (route == NULL) {
        http_reply_error(reply, 404, "there is nothing at this path");
        return NULL;
    }
    if (refuse_form(route, request, reply))
        return NULL;
    if ((route->flags & HTTP_ROUTE_GUARDED) != 0 && refuse(reply, http_guard_token(&router->guard, request)))
        return NULL;
    return route;
}

void http_router_answer(const struct http_router *router, const struct http_request *request, const char *local_ip,
                        struct http_reply *reply)
{
    const struct http_route *route = http_router_check(router, request, local_ip, reply);
    if (route != NULL)
        route->handle(route->self, request, reply);
    if (!base_str_ok(&reply->body))
        http_reply_error(reply, 500, "the answer is larger than this server gives, or memory is short");
}
