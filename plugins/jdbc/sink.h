// SPDX-License-Identifier: Apache-2.0
// The sink's vtable, for plugin.c.
#ifndef JDBC_SINK_H
#define JDBC_SINK_H

#include <leat/sink.h>

extern const struct leat_sink_ops jdbc_sink_ops;

#endif
