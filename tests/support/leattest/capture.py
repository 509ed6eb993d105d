# SPDX-License-Identifier: Apache-2.0
"""A table of PostgreSQL captured into a topic, and the proof that both are the same.

The pipeline of most tests of delivery is stage 1 of the order pipeline: postgres-cdc into upsert-kafka. `relay` adds
the way on from the topic into a table of a target database.
"""
import json

from . import orders
from .pipeline import cdc_source, head, jdbc_sink, upsert_sink, upsert_source
from .wait import wait_until


def stage_one(pg, database, kafka, topic, slot, table="load_rows", key="id", interval="200ms", source="pg", sink="topic",
              source_more={}):
    """The text of a pipeline that captures one table of the schema public into a topic."""
    return (head("capture", interval) + cdc_source(source, pg, database, table, slot, source_more)
            + upsert_sink(sink, source, kafka.bootstrap, topic, key))


def relay(pg, database, kafka, topic, columns, table, key="id", source_more={}):
    """More nodes for such a pipeline: from the topic into a table. `columns` is {column: SQL type}."""
    return (upsert_source("relay", kafka.bootstrap, topic, key, columns, source_more)
            + jdbc_sink("target", "relay", pg, database, table, key))


class TopicTable:
    """The table that a compacted topic means, followed as the topic grows: encoded key -> encoded row. `fold` makes
    something smaller of an encoded row, for tables too large to be held."""

    def __init__(self, kafka, topic, fold=bytes):
        wait_until(lambda: topic in kafka.topics(), 60, f"topic {topic}", every=0.1)
        self.kafka = kafka
        self.topic = topic
        self.fold = fold
        self.reader = kafka.reader(topic)
        self.rows = {}
        self.records = 0

    def close(self):
        self.reader.close()

    def poll(self, timeout=0.05):
        """Takes in what comes within `timeout`; returns the number of records."""
        records = self.reader.poll(timeout)
        for record in records:
            if record.value is None:
                self.rows.pop(record.key, None)
            else:
                self.rows[record.key] = self.fold(record.value)
        self.records += len(records)
        return len(records)

    def catch_up(self):
        """Takes in all that the topic holds now, though it may be growing."""
        goal = sum(high for _, high in self.kafka.ends(self.topic).values())
        wait_until(lambda: self.poll() is not None and self.records >= goal, 60,
                   lambda: f"record {goal} of topic {self.topic}, read are {self.records}", every=0)

    def wait_records(self, count, timeout=30):
        """Waits until so many more records have come, as a sign of progress."""
        goal = self.records + count
        wait_until(lambda: self.poll() and self.records >= goal, timeout,
                   lambda: f"{goal - self.records} more records in topic {self.topic}", every=0)

    def wait_same(self, pg, database, table="load_rows", key="id", timeout=60, columns="*"):
        """Waits until the topic means exactly the rows that the table holds now; returns how many."""
        expected = encoded_table(pg, database, table, key, columns, self.fold)
        wait_until(lambda: self._caught_up(expected), timeout, lambda: self._difference(expected), every=0)
        return len(expected)

    def _caught_up(self, expected):
        while self.poll(0.2):  # the comparison costs more than the reading
            pass
        return self.rows == expected

    def _difference(self, expected):
        missing = [key for key in expected if key not in self.rows]
        extra = [key for key in self.rows if key not in expected]
        other = [key for key in expected if self.rows.get(key, expected[key]) != expected[key]]
        lines = [f"topic {self.topic} to hold the table's {len(expected)} rows: {len(missing)} are missing, "
                 f"{len(extra)} too many, {len(other)} different"]
        lines += [f"  missing   {key.decode()}: {show(expected[key])}" for key in missing[:3]]
        lines += [f"  too many  {key.decode()}: {show(self.rows[key])}" for key in extra[:3]]
        lines += [f"  expected  {show(expected[key])}\n  found     {show(self.rows[key])}" for key in other[:3]]
        return "\n".join(lines)


def show(value):
    text = value.decode(errors="replace")
    return text if len(text) < 300 else text[:300] + "…"


def encoded_table(pg, database, table, key="id", columns="*", fold=bytes):
    """encoded key -> encoded row, as leat's json writes them."""
    connection = pg.connect(database, autocommit=False)
    with connection, connection.cursor(name="leattest_rows") as cursor:
        cursor.itersize = 10000
        cursor.execute(f"SELECT {key}, {columns} FROM {table}")
        rows = {}
        for found in cursor:
            names = [column.name for column in cursor.description][1:]
            rows[orders.encode({key: found[0]})] = fold(orders.encode(dict(zip(names, found[1:]))))
    connection.close()
    return rows


def decoded(rows):
    """{key: row} of a TopicTable's rows, for tables whose key is one column."""
    return {next(iter(json.loads(key).values())): json.loads(value) for key, value in rows.items()}
