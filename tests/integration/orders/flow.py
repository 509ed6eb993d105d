# SPDX-License-Identifier: Apache-2.0
"""The order pipeline as it is shipped, between a source, a broker and a target of its own."""
import json
import re

from leattest import Leat, Postgres, orders, wait_until

RESULT = "result_orders_with_user_info"
UNKNOWN = "Unknown User"
INSERT = ("INSERT INTO business.orders VALUES ({id}, {user}, 'AirPods Pro', '电子产品', 1, 1999.00, 1999.00, "
          "'PENDING', '2025-07-12 08:00:00.5', '2025-07-12 08:00:00.5')")
STATUS = "UPDATE business.orders SET order_status = '{}' WHERE order_id = {}"
USER = "INSERT INTO business.users VALUES ({}, '{}', 'late@example.com', '139', '杭州')"
RENAME = "UPDATE business.users SET username = '{}' WHERE user_id = {}"
FIXED = ("UPDATE business.orders SET updated_at = '2025-07-11 17:31:00'; "
         "UPDATE business.users SET updated_at = '2025-07-11 17:31:00'")  # the only clock in what was there before
SINK = re.compile(r'(\[sinks\.\w+\]\ninput *= "\w+(?:\.\w+)*"\nconnector *= "(?:upsert-)?kafka"\n)')
TIMES = re.compile(rb'"(etl_time|join_time)":"[^"]+"')


def pipeline(parallelism=1, partitions=1):
    """etc/orders.toml, with another parallelism. With more than one partition the changes of an order must be told to
    stay in order, as the guide says."""
    with open(orders.PIPELINE) as file:
        text = file.read()
    text, found = re.subn("parallelism.default = 1\n", f"parallelism.default = {parallelism}\n", text)
    assert found == 1
    if partitions > 1:
        text, found = SINK.subn(rf"\1sink.topic.partitions = {partitions}\n", text)
        assert found == 4, found
        dwd = 'topic     = "dwd_orders"\n'
        assert text.count(dwd) == 2
        text = text.replace(dwd, dwd + 'key.format = "json"\nkey.fields = "order_id"\n', 1)
    return text


class Flow:
    """`pg` holds both databases unless `sink` is another server. The broker's topics are removed first."""

    def __init__(self, work, kafka, parallelism=1, partitions=1, pg=None, sink=None):
        for topic in kafka.topics() if kafka.running() else ():
            kafka.delete_topic(topic)
        self.own = pg is None
        self.pg = pg or Postgres(f"{work}/pg", settings=orders.SETTINGS).start()
        self.sink = sink or self.pg
        self.kafka = kafka
        orders.create_databases(self.pg, self.sink)
        self.source(FIXED)
        self.leat = Leat(pipeline(parallelism, partitions), f"{work}/leat",
                         orders.environment(self.pg, self.sink, kafka))
        self.changes = []

    def start(self):
        self.started = self.pg.value("SELECT clock_timestamp()")
        self.leat.start(60)
        return self

    def source(self, sql):
        self.pg.query(sql, database="source_db")

    def initial(self):
        """The orders that were there before leat, as changes."""
        for row in orders.rows(self.pg, "SELECT order_id FROM business.orders ORDER BY order_id"):
            self.changes.append(orders.read_change(self.pg, row["order_id"], self.started))
        self.wait_rows(len(self.changes))

    def change(self, order, sql):
        """A change of an order; returns when the target has it."""
        self.source(sql)
        change = orders.read_change(self.pg, order)
        self.changes.append(change)
        wait_until(lambda: change.key in self.target(), 60, f"{change} in the target", every=0.02)

    def life(self, order, user=1001):
        for sql in (INSERT.format(id=order, user=user), STATUS.format("SHIPPED", order),
                    STATUS.format("COMPLETED", order)):
            self.change(order, sql)

    def target(self, column="username"):
        """(order, status) -> a column"""
        rows = self.sink.query(f"SELECT order_id, order_status, {column} FROM {orders.TARGET}", database="sink_db")
        return {(row[0], row[1]): row[2] for row in rows}

    def wait_rows(self, count, timeout=60):
        wait_until(lambda: len(self.target()) == count, timeout,
                   lambda: f"{count} rows in the target, not {len(self.target())}", every=0.05)

    def wait_name(self, order, name):
        """Waits until every row of the order in the target has that username."""
        wait_until(lambda: {n for key, n in self.target().items() if key[0] == order} == {name}, 30,
                   lambda: f"{name} in {self.target()}", every=0.02)

    def results(self):
        """Every record of the result topic, in the order of writing: (order, status, row or None)."""
        for record in self.kafka.read_topic(RESULT):
            key = json.loads(record.key)
            yield key["order_id"], key["order_status"], record.value and json.loads(record.value)

    def names(self, order):
        """Every username that the result topic ever had for an order."""
        return [row["username"] if row else "(deleted)" for number, _, row in self.results() if number == order]

    def check(self):
        """Every layer has exactly what follows from the changes, byte for byte; returns the number of rows of each."""
        checker = orders.Checker(self.pg, self.sink, self.kafka, self.changes)
        counts = {layer: count for layer, count, _ in checker.check_all()}
        assert checker.problems == [], "\n".join(checker.problems[:10])
        return counts

    def bytes(self):
        """Each layer but for the three times that leat stamps, to be compared with that of another run."""
        layers = {topic: sorted((record.key or b"", TIMES.sub(rb'"\1":""', record.value))
                                for record in self.kafka.read_topic(topic)) for topic in orders.TOPICS}
        layers[orders.TARGET] = sorted(self.sink.psql(
            f"ALTER TABLE {orders.TARGET} DROP join_time, DROP processed_time; TABLE {orders.TARGET}",
            database="sink_db").splitlines())
        return layers

    def end(self):
        self.leat.terminate(timeout=10)
        if self.own:
            self.pg.stop("immediate")

