# SPDX-License-Identifier: Apache-2.0
"""kafka → sql (the query of stage 2 of etc/orders.toml) → kafka, against librdkafka alone copying the same bytes."""
import re
import time

from leatbench import ORDER, Bench, Measure, Meter, Sample, ratio_at_least, run_timed
from leattest import orders

ROWS = 1000000
CHUNK = 50000

PIPELINE = """
[server]
http.listen = "${{LEAT_HTTP}}"
[pipeline]
name = "clean"
checkpoint.interval = "1s"
checkpoint.dir = "${{LEAT_DATA}}/checkpoints"

[sources.ods_orders_in]
connector = "kafka"
topic = "{source}"
properties.bootstrap.servers = "{servers}"
format = "json"
scan.startup.mode = "earliest-offset"
{schema}
[operators.clean_orders]
operator = "sql"
query = \"\"\"{query}\"\"\"

[sinks.dwd_orders]
input = "clean_orders"
connector = "kafka"
topic = "{target}"
properties.bootstrap.servers = "{servers}"
format = "json"
sink.topic.partitions = {partitions}
"""


def query():
    """The query of the node clean_orders, as the file has it."""
    with open(orders.PIPELINE) as file:
        return re.search(r'\[operators\.clean_orders\].*?query = """(.*?)"""', file.read(), re.DOTALL).group(1)


class Clean(Bench):
    name = "kafka-sql-kafka"
    title = "kafka → sql (stage 2's query) → kafka, json"
    rival_is = "librdkafka consumer and producer that copy the same bytes"
    measures = (Measure("rows_per_cpu", "rows/CPU s", ratio_at_least(0.6)), Measure("rate", "rows/s"))
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
        text = PIPELINE.format(source=self.source, target=target, servers=bed.kafka.bootstrap, query=query(),
                               schema=ORDER.schema("ods_orders_in"), partitions=self.partitions)
        begin = time.time()
        leat = bed.leat(text).launch()
        meter = Meter(bed, leat.pid, from_start=True)
        end = bed.wait_records(target, ROWS)
        used = dict(meter.stop(), seconds=end - begin)
        leat.terminate()
        bed.kafka.delete_topic(target)
        return Sample(rows=ROWS, **used)

    def rival(self, bed):
        target = self.target(bed)
        ran = run_timed(["build/bench/bench_kafka_copy", bed.kafka.bootstrap, self.source, target, str(ROWS)], 200)
        bed.kafka.delete_topic(target)
        return Sample(rows=ROWS, seconds=ran.seconds, cpu=ran.cpu, rss=ran.rss)

    def teardown(self, bed):
        bed.kafka.delete_topic(self.source)


BENCHES = [
    Clean(),
    Clean(name="kafka-sql-kafka-4", partitions=4, title="kafka → sql → kafka, json, 4 partitions"),
]
