# SPDX-License-Identifier: Apache-2.0
"""postgres-cdc → blackhole: the stream against pg_recvlogical on an equal slot, the snapshot against COPY."""
from contextlib import closing

from leatbench import NARROW, ORDER, WIDE, Bench, Measure, Meter, Sample, ratio_at_least, run_timed
from leattest.pipeline import cdc_source, head, section
from leattest.postgres import binaries


def pipeline(bed, database, slot, more):
    return (head("bench") + cdc_source("pg", bed.pg, database, "load_rows", slot, more)
            + section("sinks.out", {"input": "pg", "connector": "blackhole"}))


class Stream(Bench):
    """`rows` changes, committed `batch` at a time, read from the slot's start to the last one."""
    rival_is = "pg_recvlogical (pgoutput, protocol 1) to /dev/null from an equal slot"
    measures = (Measure("rate", "rows/s", ratio_at_least(1.3)), Measure("rows_per_cpu", "rows/CPU s"))
    shape = ORDER
    rows = 1000000
    batch = 100
    socket = False

    def setup(self, bed):
        self.database = bed.pg.create_database(bed.unique("stream"))
        self.host = bed.pg.folder if self.socket else bed.pg.host
        bed.pg.query(self.shape.create("load_rows"), database=self.database)
        self.slot = bed.publish(self.database, "load_rows")
        with closing(bed.pg.connect(self.database)) as connection, connection.cursor() as cursor:
            # commits need not be durable while the log to be read is written
            cursor.execute("SET synchronous_commit = off")
            if self.batch == 1:
                cursor.execute(f"DO $$ BEGIN FOR n IN 1 .. {self.rows} LOOP {self.shape.insert_one('load_rows')}; "
                               "COMMIT; END LOOP; END $$")
            else:
                for first in range(1, self.rows + 1, self.batch):
                    cursor.execute(self.shape.insert("load_rows", first, first + self.batch - 1))
        self.end = bed.pg.value("SELECT pg_current_wal_insert_lsn()")
        bed.pg.query("CHECKPOINT")

    def leat(self, bed):
        slot = bed.copy_slot(self.slot, self.database)
        more = {"hostname": self.host, "scan.startup.mode": "committed-offset", "publication.name": self.slot}
        leat = bed.leat(pipeline(bed, self.database, slot, more)).launch()
        meter = Meter(bed, leat.pid, from_start=True)
        bed.wait_metric(leat, "leat_blackhole_rows_total", self.rows, self.timeout)
        used = meter.stop()
        leat.terminate()
        bed.drop_slot(slot)
        return Sample(rows=self.rows, **used)

    def rival(self, bed):
        slot = bed.copy_slot(self.slot, self.database)
        ran = bed.drain(slot, self.slot, self.database, self.end, host=self.host)
        bed.drop_slot(slot)
        return Sample(rows=self.rows, seconds=ran.seconds, cpu=ran.cpu, rss=ran.rss)

    def teardown(self, bed):
        bed.pg.drop_slots("bench%")
        bed.pg.query(f"DROP DATABASE {self.database} WITH (FORCE)")


class Snapshot(Bench):
    """The whole table, over `connections`; the rival is psql, which is libpq and fwrite."""
    rival_is = "COPY … TO STDOUT by psql to /dev/null"
    measures = (Measure("rate", "rows/s", ratio_at_least(0.95)), Measure("rows_per_cpu", "rows/CPU s"))
    shape = ORDER
    rows = 2000000
    connections = 1

    def setup(self, bed):
        self.database = bed.pg.create_database(bed.unique("snapshot"))
        bed.pg.query(self.shape.create("load_rows"), database=self.database)
        bed.pg.query(self.shape.insert("load_rows", 1, self.rows), database=self.database)
        bed.pg.query("VACUUM ANALYZE load_rows", database=self.database)
        bed.pg.query("CHECKPOINT")

    def leat_over(self, bed, connections):
        more = {"scan.startup.mode": "snapshot", "snapshot.connections": connections}
        leat = bed.leat(pipeline(bed, self.database, bed.unique("unused"), more))
        # the process ends by itself with the snapshot, as the rival does
        ran = run_timed([leat.binary, "run", leat.pipeline], self.timeout, env=leat.env, cwd=leat.folder)
        return Sample(rows=self.rows, seconds=ran.seconds, cpu=ran.cpu, rss=ran.rss)

    def leat(self, bed):
        return self.leat_over(bed, self.connections)

    def rival(self, bed):
        ran = run_timed([f"{binaries()}/psql", "-qX", "-h", bed.pg.host, "-p", str(bed.pg.port), "-U", "postgres", "-d",
                         self.database, "-o", "/dev/null", "-c", "COPY load_rows TO STDOUT"], self.timeout)
        return Sample(rows=self.rows, seconds=ran.seconds, cpu=ran.cpu, rss=ran.rss)

    def teardown(self, bed):
        bed.pg.query(f"DROP DATABASE {self.database} WITH (FORCE)")


class SnapshotOverTwo(Snapshot):
    """Two connections against one, both leat's."""
    rival_is = "the same over one connection"
    measures = (Measure("rate", "rows/s", ratio_at_least(1.05)),)
    connections = 2

    def rival(self, bed):
        return self.leat_over(bed, 1)


ON_SOCKET = {"measures": (Measure("rate", "rows/s", ratio_at_least(0.95)), Measure("rows_per_cpu", "rows/CPU s")),
             "socket": True}

BENCHES = [
    Stream(name="cdc-stream", title="postgres-cdc → blackhole over TCP, transactions of 100 orders"),
    Stream(name="cdc-stream-socket", title="postgres-cdc → blackhole over a unix socket, transactions of 100 orders",
           **ON_SOCKET),
    Stream(name="cdc-stream-huge", batch=1000000, title="postgres-cdc → blackhole over TCP, one transaction of 1 M orders"),
    Stream(name="cdc-stream-single", batch=1, rows=500000,
           title="postgres-cdc → blackhole over TCP, 500 000 transactions of one order"),
    Stream(name="cdc-stream-narrow", shape=NARROW, rows=2000000,
           title="postgres-cdc → blackhole over TCP, transactions of 100 narrow rows"),
    Stream(name="cdc-stream-wide", shape=WIDE, rows=200000,
           title="postgres-cdc → blackhole over TCP, transactions of 100 wide rows"),
    Snapshot(name="cdc-snapshot", title="postgres-cdc snapshot → blackhole, one connection"),
    SnapshotOverTwo(name="cdc-snapshot-two", title="postgres-cdc snapshot → blackhole, two connections"),
]
