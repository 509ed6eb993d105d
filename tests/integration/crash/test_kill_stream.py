# SPDX-License-Identifier: Apache-2.0
"""kill -9 at random while changes stream: tables of source, topic and target end up the same.

Inserts, updates, deletes, changed keys and transactions of 10,000 rows come at 1,500 a second; leat is killed again and
again, each time after progress since the last.
"""
import random
import time

from leattest import Leat, PgLoad, TopicTable, compare_tables, relay, stage_one, wait_until
from leattest.load import TABLE

TIMEOUT = 400
SECONDS = 60
COLUMNS = {"id": "BIGINT NOT NULL", "version": "BIGINT", "name": "STRING", "amount": "DECIMAL(12,2)",
           "active": "BOOLEAN", "changed": "TIMESTAMP(3)"}


def test_kills_under_load_lose_nothing(work, pg, db, kafka, unique):
    topic = unique("rows")
    pg.query(TABLE.format(table="target_rows"), database=db)
    load = PgLoad(pg.dsn(db), rate=1500, rows=5000, large_every=2.5).create()
    text = stage_one(pg, db, kafka, topic, unique("slot")) + relay(pg, db, kafka, topic, COLUMNS, "target_rows")
    leat = Leat(text, work)
    dice = random.Random(11)
    with leat:
        table = TopicTable(kafka, topic)
        load.start()
        begin = time.monotonic()
        kills = 0
        while time.monotonic() - begin < SECONDS:
            table.wait_records(1)
            pause = time.monotonic() + dice.random() ** 2  # where in an epoch the kill falls is the point
            while time.monotonic() < pause:
                table.poll(0.01)
            leat.kill()
            kills += 1
            table.poll(0.05)
            leat.launch()
        seconds = time.monotonic() - begin
        done = load.stop()
        print(f"{kills} kills, {done['changes'] / seconds:.0f} changes/s")
        assert done["changes"] >= 1000 * seconds, done
        assert kills >= SECONDS // 3, kills
        rows = table.wait_same(pg, db, timeout=90)
        leat.wait_ready()
        wait_target(pg, db, rows)
        leat.terminate()
    table.close()


def wait_target(pg, db, rows):
    """The target follows the topic; when it has as many rows and the newest version, each row is compared."""
    state = "SELECT count(*), max(version), sum(version) FROM {}"

    def same():
        return pg.query(state.format("load_rows"), database=db) == pg.query(state.format("target_rows"), database=db)

    wait_until(same, 60, lambda: f"the target to hold {rows} rows", every=0.2)
    query = "SELECT * FROM {} ORDER BY id"
    source, target = pg.connect(db), pg.connect(db)
    assert compare_tables(source, query.format("load_rows"), target, query.format("target_rows")) == rows
    source.close()
    target.close()
