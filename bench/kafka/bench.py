# SPDX-License-Identifier: Apache-2.0
"""kafka → sql (the query of stage 2 of etc/orders.toml) → kafka, against librdkafka alone copying the same bytes; kafka →
jdbc, against a loader written by hand."""
import os
import re
import time

from leatbench import ORDER, Bench, Measure, Meter, Sample, at_most, ratio_at_least, run_timed
from leattest import orders
from leattest.pipeline import head, jdbc_sink, kafka_source, section

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ROWS = 1000000
CHUNK = 50000
FLINK_CPU = 37  # µs a row, of Flink 1.18.1 for the same query between the same topics


def query():
    """The query of the node clean_orders, as the file has it."""
    with open(orders.PIPELINE) as file:
        return re.search(r'\[operators\.clean_orders\].*?query = """(.*?)"""', file.read(), re.DOTALL).group(1)


class Clean(Bench):
    name = "kafka-sql-kafka"
    title = "kafka → sql (stage 2's query) → kafka, json"
    rival_is = "librdkafka consumer and producer that copy the same bytes"
    measures = (Measure("rows_per_cpu", "rows/CPU s", ratio_at_least(0.6)),
                Measure("cpu_per_row", "µs of CPU a row", at_most(FLINK_CPU / 12, "µs, Flink's ÷ 12"), better="less",
                        scale=1e-6),
                Measure("rate", "rows/s"))
    targets = ("bench_kafka_copy",)
    partitions = 1

    def setup(self, bed):
        self.source = bed.kafka.create_topic(bed.unique("ods"), partitions=self.partitions)
        for first in range(1, ROWS + 1, CHUNK):
            bed.kafka.produce(self.source, [(None, ORDER.json(n)) for n in range(first, first + CHUNK)])

    def target(self, bed):
        return bed.kafka.create_topic(bed.unique("dwd"), partitions=self.partitions)

    def leat(self, bed):
        target = self.target(bed)
        text = (head("clean", "1s")
                + kafka_source("ods_orders_in", bed.kafka.bootstrap, self.source, ORDER.schema())
                + section("operators.clean_orders", {"operator": "sql", "query": query()})
                + section("sinks.dwd_orders", {
                    "input": "clean_orders", "connector": "kafka", "topic": target, "format": "json",
                    "properties.bootstrap.servers": bed.kafka.bootstrap, "sink.topic.partitions": self.partitions}))
        begin = time.time()
        leat = bed.leat(text).launch()
        meter = Meter(bed, leat.pid, from_start=True)
        end = bed.wait_records(leat, target, ROWS)
        used = dict(meter.stop(), seconds=end - begin)
        leat.terminate()
        if self.partitions == 1 and not bed.last_value(target).startswith(b'{"order_id":%d,' % ROWS):
            raise RuntimeError(f"the last record is not order {ROWS}: {bed.last_value(target)[:300]}")
        bed.kafka.delete_topic(target)
        return Sample(rows=ROWS, **used)

    def rival(self, bed):
        target = self.target(bed)
        ran = run_timed([f"{ROOT}/build/bench/bench_kafka_copy", bed.kafka.bootstrap, self.source, target, str(ROWS)], 200)
        bed.kafka.delete_topic(target)
        return Sample(rows=ROWS, seconds=ran.seconds, cpu=ran.cpu, rss=ran.rss)

    def teardown(self, bed):
        bed.kafka.delete_topic(self.source)


LOAD_ROWS = 300000


class Load(Bench):
    name = "kafka-jdbc"
    title = "kafka → jdbc upsert into PostgreSQL, new orders"
    rival_is = "a loader by hand for this row: binary COPY to a temporary table, INSERT … ON CONFLICT, 5000 rows each"
    measures = (Measure("rate", "rows/s", ratio_at_least(0.9)), Measure("rows_per_cpu", "rows/CPU s"))
    targets = ("bench_kafka_load",)

    def setup(self, bed):
        self.database = bed.pg.create_database(bed.unique("load"))
        bed.pg.query(ORDER.create("expected") + ";" + ORDER.insert("expected", 1, LOAD_ROWS), database=self.database)
        self.source = bed.kafka.create_topic(bed.unique("load"))
        for first in range(1, LOAD_ROWS + 1, CHUNK):
            bed.kafka.produce(self.source, [(None, ORDER.json(n)) for n in range(first, first + CHUNK)])

    def table(self, bed):
        name = bed.unique("orders")
        bed.pg.query(ORDER.create(name), database=self.database)
        return name

    def ended(self, bed, table):
        """Looks at every row and drops the table; returns when the last one was committed."""
        last, rows = bed.pg.query(f"SELECT extract(epoch FROM max(pg_xact_commit_timestamp(xmin)))::float8, count(*) FROM {table}",
                                  database=self.database)[0]
        wrong = bed.pg.value(f"SELECT count(*) FROM (TABLE expected EXCEPT TABLE {table}) AS t", database=self.database)
        if rows != LOAD_ROWS or wrong:
            raise RuntimeError(f"{rows} rows in {table} instead of {LOAD_ROWS}, {wrong} of them missing or not as expected")
        bed.pg.query(f"DROP TABLE {table}; CHECKPOINT", database=self.database)
        return last

    def leat(self, bed):
        table = self.table(bed)
        text = (head("load", "1s") + kafka_source("orders", bed.kafka.bootstrap, self.source, ORDER.schema())
                + jdbc_sink("target", "orders", bed.pg, self.database, table, "order_id"))
        begin = time.time()
        leat = bed.leat(text).launch()
        meter = Meter(bed, leat.pid, from_start=True)
        bed.wait_metric(leat, "leat_jdbc_rows_written_total", LOAD_ROWS, 200)
        used = meter.stop()
        leat.terminate()
        return Sample(rows=LOAD_ROWS, **dict(used, seconds=self.ended(bed, table) - begin))

    def rival(self, bed):
        table = self.table(bed)
        begin = time.time()
        ran = run_timed([f"{ROOT}/build/bench/bench_kafka_load", bed.kafka.bootstrap, self.source,
                         f"host={bed.pg.host} port={bed.pg.port} dbname={self.database} user=postgres", table,
                         str(LOAD_ROWS)], 200)
        return Sample(rows=LOAD_ROWS, seconds=self.ended(bed, table) - begin, cpu=ran.cpu, rss=ran.rss)

    def teardown(self, bed):
        bed.kafka.delete_topic(self.source)
        bed.pg.query(f"DROP DATABASE {self.database} WITH (FORCE)")


BENCHES = [
    Clean(),
    Clean(name="kafka-sql-kafka-4", partitions=4, title="kafka → sql → kafka, json, 4 partitions"),
    Load(),
]
