# SPDX-License-Identifier: Apache-2.0
"""kill -9 in the middle of a snapshot, with deletes and changed keys while leat is down.

One capture is killed at 10, at 50 and at 90 % of its snapshot, which begins again each time. What went away in between
must go away in the topic too, though some of it was written there.
"""
from leattest import Leat, TopicTable, stage_one, wait_until

TIMEOUT = 900
ROWS = 1000000


def snapshot_rows(leat):
    try:
        return leat.metric("leat_source_snapshot_rows_total") or 0
    except RuntimeError:  # not listening yet
        return 0


def test_kills_in_the_snapshot(work, pg, db, kafka, unique):
    pg.query("CREATE TABLE t (id bigint PRIMARY KEY, v text); "
             f"INSERT INTO t SELECT i, 'v' || i || repeat('.', 100) FROM generate_series(1, {ROWS}) i", database=db)
    topic, slot = unique("rows"), unique("slot")
    leat = Leat(stage_one(pg, db, kafka, topic, slot, table="t", interval="50ms"), work)
    for share in (10, 50, 90):
        leat.launch()
        wait_until(lambda: snapshot_rows(leat) >= ROWS * share / 100, 120,
                   lambda: f"{share} % of the snapshot\n{leat.child.log_tail()}", every=0.001)
        seen = snapshot_rows(leat)
        leat.kill()
        print(f"killed at {100 * seen / ROWS:.0f} %")
        assert seen < ROWS, "the snapshot was over before the kill"
        assert pg.value("SELECT count(*) FROM pg_replication_slots WHERE slot_name = %s", (slot,)) == 1
        pg.query("DELETE FROM t WHERE id %% 100 = %s", (share,), database=db)
        pg.query("UPDATE t SET id = -id WHERE id %% 100 = %s", (share + 1,), database=db)
        pg.query("UPDATE t SET v = v || %s WHERE id %% 100 = %s", (str(share), share + 2), database=db)
    with leat:
        table = TopicTable(kafka, topic)
        table.wait_same(pg, db, "t", timeout=120)
        pg.query("UPDATE t SET v = 'last' WHERE id % 100 = 3; DELETE FROM t WHERE id % 100 = 4", database=db)
        table.wait_same(pg, db, "t", timeout=120)
        leat.terminate()
    table.close()
