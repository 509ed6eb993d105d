# SPDX-License-Identifier: Apache-2.0
"""Killed while questions to a lookup are in flight: each row comes out, with what the table holds."""
import re
import signal

from leattest import Leat, wait_until
from leattest.leat import ROOT
from leattest.pipeline import counter, head, jdbc_lookup, jdbc_sink

TIMEOUT = 300
ORDERS = counter("orders", 3000, {"user_id": "INT", "proc_time": "AS PROCTIME()"},
                 {"fields.user_id.min": 1, "fields.user_id.max": 50, "seed": 7})
JOINED = """
[operators.joined]
operator = "sql"
query = '''
SELECT o.id, o.user_id, u.name FROM orders AS o
LEFT JOIN users FOR SYSTEM_TIME AS OF o.proc_time AS u ON o.user_id = u.user_id'''
"""
WRONG = """
SELECT count(*) FROM joined j LEFT JOIN users u USING (user_id) WHERE j.name IS DISTINCT FROM u.name"""


def points():
    with open(f"{ROOT}/common/fault/README.md") as file:
        return re.findall(r"^\| (lookup-[a-z-]+) ", file.read(), re.M)


def rows(pg, db):
    return pg.value("SELECT count(*) FROM joined", database=db)


def test_every_fault_point_of_lookups(work, pg, db):
    pg.query("CREATE TABLE users (user_id int PRIMARY KEY, name text); "
             "INSERT INTO users SELECT i, 'user-' || i FROM generate_series(1, 40) i; "
             "CREATE TABLE joined (id bigint PRIMARY KEY, user_id int, name text)", database=db)
    text = (head("lookups", "50ms") + ORDERS + JOINED + jdbc_lookup("users", pg, db, "users")
            + jdbc_sink("out", "joined", pg, db, "joined", "id"))
    leat = Leat(text, work, build="asan")
    for point in points():
        for count in (1, 7):
            leat.env["LEAT_FAULT"] = f"{point}:{count}"
            leat.launch()
            code = leat.wait_end(60)
            assert code == -signal.SIGKILL, f"{point}: leat ended with {code}:\n{leat.child.log_tail(40)}"
            del leat.env["LEAT_FAULT"]
            before = rows(pg, db)
            leat.start()
            wait_until(lambda: rows(pg, db) > before + 300, 40, f"rows behind {point}")
            leat.terminate()
            count, last = pg.query("SELECT count(*), max(id) FROM joined", database=db)[0]
            assert count == last, f"{point}: {last - count} rows are lost"
            assert pg.value(WRONG, database=db) == 0, point
