# SPDX-License-Identifier: Apache-2.0
"""postgres-cdc → upsert-kafka in json, stage 1 of the order pipeline, against the drain of an equal slot."""
import time

from leatbench import ORDER, Bench, Measure, Meter, Sample, ratio_at_least
from leattest import stage_one

ROWS = 1000000
COMMITTED = 'scan.startup.mode = "committed-offset"\npublication.name = "{publication}"'


class Capture(Bench):
    name = "pipelines-cdc-kafka"
    title = "postgres-cdc → upsert-kafka json, one transaction of 1 M orders"
    rival_is = "pg_recvlogical (pgoutput, protocol 1) to /dev/null over TCP from an equal slot"
    measures = (Measure("rate", "rows/s", ratio_at_least(0.85)),)
    batch = ROWS  # rows a transaction

    def setup(self, bed):
        self.database = bed.pg.create_database(bed.unique("capture"))
        bed.pg.query(ORDER.create("load_rows"), database=self.database)
        self.slot = bed.publish(self.database, "load_rows")
        with bed.pg.connect(self.database) as connection, connection.cursor() as cursor:
            for first in range(1, ROWS + 1, self.batch):
                cursor.execute(ORDER.insert("load_rows", first, first + self.batch - 1))
        self.end = bed.pg.value("SELECT pg_current_wal_insert_lsn()")
        bed.pg.query("CHECKPOINT")

    def leat(self, bed):
        slot, topic = bed.copy_slot(self.slot, self.database), bed.unique("capture")
        text = stage_one(bed.pg, self.database, bed.kafka, topic, slot, key="order_id", interval="1s",
                         source_more=COMMITTED.format(publication=self.slot))
        begin = time.time()
        leat = bed.leat(text).launch()
        meter = Meter(bed, leat.pid, from_start=True)
        end = bed.wait_records(topic, ROWS)
        used = dict(meter.stop(), seconds=end - begin)
        leat.terminate()
        bed.drop_slot(slot)
        bed.kafka.delete_topic(topic)
        return Sample(rows=ROWS, **used)

    def rival(self, bed):
        slot = bed.copy_slot(self.slot, self.database)
        ran = bed.drain(slot, self.slot, self.database, self.end)
        bed.drop_slot(slot)
        return Sample(rows=ROWS, seconds=ran.seconds, cpu=ran.cpu, rss=ran.rss)

    def teardown(self, bed):
        bed.pg.drop_slots("bench%")
        bed.pg.query(f"DROP DATABASE {self.database} WITH (FORCE)")


BENCHES = [
    Capture(),
    Capture(name="pipelines-cdc-kafka-100", batch=100,
            title="postgres-cdc → upsert-kafka json, transactions of 100 orders"),
]
