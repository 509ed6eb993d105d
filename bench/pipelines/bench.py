# SPDX-License-Identifier: Apache-2.0
"""postgres-cdc → upsert-kafka in json, stage 1 of the order pipeline, against the drain of an equal slot."""
import time
from contextlib import closing

from leatbench import NARROW, ORDER, WIDE, Bench, Measure, Meter, Sample, at_most, ratio_at_least
from leattest import stage_one


class Capture(Bench):
    name = "pipelines-cdc-kafka"
    title = "postgres-cdc → upsert-kafka json, one transaction of 1 M orders"
    rival_is = "pg_recvlogical (pgoutput, protocol 1) to /dev/null over TCP from an equal slot"
    measures = (Measure("rate", "rows/s", ratio_at_least(0.85)),)
    shape = ORDER
    rows = 1000000
    batch = None  # rows a transaction; None: all in one

    def setup(self, bed):
        self.database = bed.pg.create_database(bed.unique("capture"))
        bed.pg.query(self.shape.create("load_rows"), database=self.database)
        self.slot = bed.publish(self.database, "load_rows")
        with closing(bed.pg.connect(self.database)) as connection, connection.cursor() as cursor:
            # commits need not be durable while the log to be read is written
            cursor.execute("SET synchronous_commit = off")
            batch = self.batch or self.rows
            for first in range(1, self.rows + 1, batch):
                cursor.execute(self.shape.insert("load_rows", first, first + batch - 1))
        self.end = bed.pg.value("SELECT pg_current_wal_insert_lsn()")
        bed.pg.query("CHECKPOINT")

    def leat(self, bed):
        slot, topic = bed.copy_slot(self.slot, self.database), bed.unique("capture")
        text = stage_one(bed.pg, self.database, bed.kafka, topic, slot, key=self.shape.key, interval="1s",
                         source_more={"scan.startup.mode": "committed-offset", "publication.name": self.slot})
        begin = time.time()
        leat = bed.leat(text).launch()
        meter = Meter(bed, leat.pid, from_start=True)
        end = bed.wait_records(leat, topic, self.rows)
        used = dict(meter.stop(), seconds=end - begin)
        leat.terminate()
        if bed.last_value(topic) != self.shape.json(self.rows):
            raise RuntimeError(f"the last record is not row {self.rows}: {bed.last_value(topic)[:300]}")
        bed.drop_slot(slot)
        bed.kafka.delete_topic(topic)
        return Sample(rows=self.rows, **used)

    def rival(self, bed):
        slot = bed.copy_slot(self.slot, self.database)
        ran = bed.drain(slot, self.slot, self.database, self.end)
        bed.drop_slot(slot)
        return Sample(rows=self.rows, seconds=ran.seconds, cpu=ran.cpu, rss=ran.rss)

    def teardown(self, bed):
        bed.pg.drop_slots("bench%")
        bed.pg.query(f"DROP DATABASE {self.database} WITH (FORCE)")


BENCHES = [
    Capture(),
    Capture(name="pipelines-cdc-kafka-100", batch=100,
            title="postgres-cdc → upsert-kafka json, transactions of 100 orders"),
    Capture(name="pipelines-cdc-kafka-single", batch=1, rows=200000,
            title="postgres-cdc → upsert-kafka json, transactions of one order"),
    Capture(name="pipelines-cdc-kafka-narrow", shape=NARROW, rows=2000000,
            title="postgres-cdc → upsert-kafka json, one transaction of 2 M narrow rows"),
    Capture(name="pipelines-cdc-kafka-wide", shape=WIDE, rows=100000, batch=100,
            title="postgres-cdc → upsert-kafka json, 100 wide rows a transaction"),
    Capture(name="pipelines-memory-1gb", shape=WIDE, rows=500000,
            title="postgres-cdc → upsert-kafka json, one transaction of 1 GB of wide rows",
            measures=(Measure("rss", "MB at the peak", at_most(128, "MB"), better="less", scale=2**20),
                      Measure("rate", "rows/s", ratio_at_least(0.85)))),
]
