# SPDX-License-Identifier: Apache-2.0
"""UPDATE t SET id = id + 1 over a whole table: each new key is the old key of another row, and none may be lost."""
from leattest import Leat, TopicTable, relay, stage_one, wait_until
from leattest.capture import decoded

TIMEOUT = 180
ROWS = 10000


def test_every_row_moves_onto_the_key_of_the_next(work, pg, db, kafka, unique):
    pg.query("CREATE TABLE t (id bigint PRIMARY KEY DEFERRABLE INITIALLY DEFERRED, v text); "
             "ALTER TABLE t REPLICA IDENTITY FULL; CREATE TABLE target (id bigint PRIMARY KEY, v text); "
             f"INSERT INTO t SELECT i, 'v' || i FROM generate_series(1, {ROWS}) i", database=db)
    topic = unique("rows")
    text = (stage_one(pg, db, kafka, topic, unique("slot"), table="t", interval="20ms")
            + relay(pg, db, kafka, topic, {"id": "BIGINT NOT NULL", "v": "STRING"}, "target"))
    with Leat(text, work) as leat:
        table = TopicTable(kafka, topic)
        assert table.wait_same(pg, db, "t") == ROWS
        for shift in ("+ 1", "+ 1", "- 1", "+ 5000"):
            pg.query(f"UPDATE t SET id = id {shift}", database=db)
            assert table.wait_same(pg, db, "t") == ROWS
            if shift == "- 1":
                leat.restart()
        wait_until(lambda: rows(pg, db, "target") == rows(pg, db, "t"), 60, f"the target to hold {ROWS} rows", every=0.2)
        assert decoded(table.rows)[5002] == {"id": 5002, "v": "v1"}
        leat.terminate()
    table.close()


def rows(pg, db, table):
    return pg.query(f"SELECT id, v FROM {table} ORDER BY id", database=db)
