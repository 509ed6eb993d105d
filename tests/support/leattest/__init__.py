# SPDX-License-Identifier: Apache-2.0
"""What the integration tests, the demo and the benches stand on: real servers of their own, started on free ports of
127.0.0.1 in temporary folders and stopped by pid, and a few ways to look at them."""
from .capture import TopicTable, relay, stage_one
from .compare import compare_tables
from .kafka import Kafka, Record
from .leat import Leat, run_verb
from .load import PgLoad
from .postgres import Postgres
from .process import Child, children, free_port, stop_children
from .proxy import Proxy
from .wait import wait_until

__all__ = ["Child", "Kafka", "Leat", "PgLoad", "Postgres", "Proxy", "Record", "TopicTable", "children",
           "compare_tables", "free_port", "relay", "run_verb", "stage_one", "stop_children", "wait_until"]
