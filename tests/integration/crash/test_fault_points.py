# SPDX-License-Identifier: Apache-2.0
"""Every named fault point: the sanitized build dies there, starts again, and nothing is missing or wrong.

A capture into a topic and on into a table passes all of them. Those that are passed again and again kill at their third
pass, when there is something behind that may be damaged.
"""
import os
import re
import signal
import time

from leattest import Leat, TopicTable, relay, stage_one, wait_until
from leattest.leat import ROOT

TIMEOUT = 600
AGAIN_AND_AGAIN = ("checkpoint-", "jdbc-")
# no state here: tests/integration/join; no lookup: test_lookup_points.py; no slot of others: postgres-cdc/test_faults.py
ELSEWHERE = ("keyed-", "lookup-", "pgcdc-after-advance", "pgcdc-in-wait")


def fault_points():
    """Those of the sources; the list beside fault.h must be the same."""
    with open(f"{ROOT}/common/fault/README.md") as file:
        listed = re.findall(r"^\| ([a-z-]+-[a-z-]+) ", file.read(), re.M)
    found = set()
    for top in ("common", "plugins", "server"):
        for folder, _, files in os.walk(f"{ROOT}/{top}"):
            for name in files:
                if name.endswith(".c"):
                    with open(f"{folder}/{name}") as file:
                        found.update(re.findall(r'LEAT_FAULT\("([a-z-]+)"\)', file.read()))
    assert sorted(found) == listed, f"common/fault/README.md lists {listed}, the sources have {sorted(found)}"
    return listed


def change(pg, db, word):
    pg.query("INSERT INTO t SELECT max(id) + 1, %s FROM t; "
             "UPDATE t SET v = %s WHERE id % 50 = (SELECT max(id) FROM t) % 50; "
             "DELETE FROM t WHERE id = (SELECT min(id) FROM t)".replace("% ", "%% "), (word, word), database=db)


def die(leat, pg, db, point):
    """Starts it with changes coming until it is dead."""
    number = 0
    leat.launch()
    while leat.running():
        change(pg, db, f"during {number}")
        number += 1
        assert number < 300, f"{point} was not passed:\n{leat.child.log_tail()}"
        pause(leat)
    code = leat.wait_end(1)
    assert code == -signal.SIGKILL, f"{point}: leat ended with {code}:\n{leat.child.log_tail(60)}"


def pause(leat):
    """A moment, or less when it is dead."""
    end = time.monotonic() + 0.1
    while leat.running() and time.monotonic() < end:
        time.sleep(0.005)


def test_every_fault_point(work, pg, db, kafka, unique):
    pg.query("CREATE TABLE t (id bigint PRIMARY KEY, v text); INSERT INTO t SELECT i, 'v' || i "
             "FROM generate_series(1, 3000) i", database=db)
    pg.query("CREATE TABLE target (id bigint PRIMARY KEY, v text)", database=db)
    for point in (name for name in fault_points() if not name.startswith(ELSEWHERE)):
        topic, slot = unique("rows_" + point), unique(point.replace("-", "_"))
        pg.query("TRUNCATE target", database=db)
        text = (stage_one(pg, db, kafka, topic, slot, table="t", interval="100ms")
                + relay(pg, db, kafka, topic, {"id": "BIGINT NOT NULL", "v": "STRING"}, "target"))
        count = ":3" if point.startswith(AGAIN_AND_AGAIN) else ""
        leat = Leat(text, f"{work}/{point}", build="asan")
        leat.env["LEAT_FAULT"] = point + count
        die(leat, pg, db, point)
        change(pg, db, "down")
        del leat.env["LEAT_FAULT"]
        with leat:
            change(pg, db, "after")
            table = TopicTable(kafka, topic)
            table.wait_same(pg, db, "t", timeout=60)
            wait_until(lambda: rows(pg, db, "target") == rows(pg, db, "t"), 30, f"the target after {point}", every=0.2)
            leat.terminate()
        table.close()
        pg.drop_slots(slot)


def rows(pg, db, table):
    return pg.query(f"SELECT id, v FROM {table} ORDER BY id", database=db)
