# SPDX-License-Identifier: Apache-2.0
"""A large value that an update leaves alone is not sent by PostgreSQL; it must stay what it is, through a restart."""
from leattest import Leat, TopicTable, relay, stage_one, wait_until
from leattest.capture import decoded

TIMEOUT = 180
LARGE = "(SELECT string_agg(md5(i::text || j::text), '') FROM generate_series(1, 288) j)"  # 9 kB that do not shrink


def run(work, pg, db, kafka, unique, identity):
    pg.query("CREATE TABLE t (id bigint PRIMARY KEY, v text, large text); "
             f"ALTER TABLE t REPLICA IDENTITY {identity}; "
             "ALTER TABLE t ALTER large SET STORAGE EXTERNAL; "
             "CREATE TABLE target (id bigint PRIMARY KEY, v text, large text); "
             f"INSERT INTO t SELECT i, 'first', {LARGE} FROM generate_series(1, 50) i", database=db)
    assert pg.value("SELECT min(length(large)) FROM t", database=db) == 9216
    topic = unique("rows")
    text = (stage_one(pg, db, kafka, topic, unique("slot"), table="t")
            + relay(pg, db, kafka, topic, {"id": "BIGINT NOT NULL", "v": "STRING", "large": "STRING"}, "target"))
    with Leat(text, work) as leat:
        table = TopicTable(kafka, topic)
        assert table.wait_same(pg, db, "t") == 50
        pg.query("UPDATE t SET v = 'while it runs' WHERE id <= 20", database=db)
        table.wait_same(pg, db, "t")
        leat.terminate()
        pg.query("UPDATE t SET v = 'while it is down' WHERE id <= 10; UPDATE t SET id = 100 WHERE id = 1; "
                 "UPDATE t SET v = 'before its end' WHERE id = 2; DELETE FROM t WHERE id = 2", database=db)
        leat.start()
        table.wait_same(pg, db, "t")
        pg.query("UPDATE t SET v = 'after' WHERE id <= 5; UPDATE t SET large = NULL WHERE id = 30", database=db)
        table.wait_same(pg, db, "t")
        found = decoded(table.rows)
        assert len(found[100]["large"]) == 9216 and found[30]["large"] is None and 2 not in found
        wait_until(lambda: rows(pg, db, "target") == rows(pg, db, "t"), 60, "the target to hold the rows", every=0.2)
        leat.terminate()
    table.close()


def rows(pg, db, table):
    return pg.query(f"SELECT * FROM {table} ORDER BY id", database=db)


def test_by_the_primary_key(work, pg, db, kafka, unique):
    run(work, pg, db, kafka, unique, "DEFAULT")


def test_with_the_old_row_in_full(work, pg, db, kafka, unique):
    run(work, pg, db, kafka, unique, "FULL")
