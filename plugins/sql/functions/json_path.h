// SPDX-License-Identifier: Apache-2.0
// JSON paths: $.a.b, $['a b'], $[0], $[-1], $[*], $.*, $..a, $.length(); with "lax" or "strict" in front.
//
// A path is strict unless it says lax. Filters, slices and lists of names are refused by name.
#ifndef SQL_JSON_PATH_H
#define SQL_JSON_PATH_H

#include "functions/json_doc.h"

#define JSON_STEPS_MAX 64

enum { JSON_STEP_NAME, JSON_STEP_INDEX, JSON_STEP_ALL, JSON_STEP_DEEP, JSON_STEP_LENGTH };

struct json_path {
    uint8_t lax;
    uint8_t indefinite; // may give several values: the result is an array of them
    uint32_t count;
    struct {
        uint8_t kind;
        int64_t index;
        struct leat_bytes name; // points into the path's text
    } step[JSON_STEPS_MAX];
};

#define JSON_PATH_OK          0
#define JSON_PATH_WRONG       (-1)
#define JSON_PATH_UNSUPPORTED (-2)
int json_path_parse(struct json_path *p, struct leat_bytes text);

// What the path leads to: a node, or NULL = there is nothing (*failed 0) or lack of memory (*failed 1, recorded).
struct json_node *json_path_find(struct sql_evaluator *ev, const struct json_path *p, struct json_node *root,
                                 int *failed);

#endif
