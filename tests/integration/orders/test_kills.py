# SPDX-License-Identifier: Apache-2.0
"""kill -9 at random with all four stages under load: the target has every state of every order, with its user.

Each kill comes after progress since the last. What must be there is kept by the source itself and compared row by row.
Seen to fail (rows differ) with a kafka sink that calls a flush done too early."""
import os
import random
import time

from flow import RESULT, Flow
from load import OrderLoad
from leattest import compare_tables, orders, wait_until

TIMEOUT = 600
SECONDS = 60
STAMPED = ("join_time", "processed_time")


def kills(work, kafka, parallelism, partitions):
    flow = Flow(work, kafka, parallelism, partitions)
    with open(f"{os.path.dirname(__file__)}/history.sql") as file:
        flow.source(file.read())
    load = OrderLoad(flow.pg).create()
    dice = random.Random(parallelism)
    flow.start()
    load.start()
    begin = time.monotonic()
    count = 0
    while time.monotonic() - begin < SECONDS:
        before = kafka.ends(RESULT)
        wait_until(lambda: kafka.ends(RESULT) != before, 60, lambda: f"progress\n{flow.leat.child.log_tail()}", every=0.01)
        time.sleep(dice.random() ** 2)  # where in an epoch the kill falls is the point
        flow.leat.kill()
        count += 1
        flow.leat.launch()
    small, rate = load.stop()
    rows = same(flow)
    print(f"parallelism {parallelism}: {count} kills, {small:.0f} changes/s in small transactions, {rate:.0f} in all, "
          f"{load.kinds}, {rows} rows; {duplicates(flow)}")
    assert rate >= 1000 and count >= SECONDS // 5, (rate, count)
    flow.end()


def same(flow):
    """Waits until the target has what the source's history demands; shows the first difference."""
    columns = ", ".join(name for (name,) in flow.sink.query(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = 'result' ORDER BY ordinal_position",
        database="sink_db") if name not in STAMPED)
    digest = f"SELECT count(*), sum(hashtext(t::text)) FROM (SELECT {columns} FROM {{}}) t"

    def caught_up():
        return (flow.pg.query(digest.format("history.expected"), database="source_db")
                == flow.sink.query(digest.format(orders.TARGET), database="sink_db"))

    query = f"SELECT {columns} FROM {{}} ORDER BY order_id, order_status COLLATE \"C\""
    end = time.monotonic() + 180
    while not caught_up() and time.monotonic() < end:
        time.sleep(0.5)
    source, target = flow.pg.connect("source_db"), flow.sink.connect("sink_db")
    rows = compare_tables(source, query.format("history.expected"), target, query.format(orders.TARGET),
                          flow.leat.child.log_tail())
    source.close()
    target.close()
    return rows


def duplicates(flow):
    """Records that the kills have had written again, as the guide says they may be."""
    sent = flow.kafka.read_topic("dwd_orders")
    seen = {(record.key, record.value[:record.value.rindex(b'"etl_time"')]) for record in sent}
    return f"dwd_orders has {len(sent)} records, {len(sent) - len(seen)} of them again"


def test_kills_under_load_lose_nothing(work, kafka):
    kills(work, kafka, 1, 1)


def test_kills_under_load_lose_nothing_with_two_tasks_a_node(work, kafka):
    kills(work, kafka, 2, 2)
