# SPDX-License-Identifier: Apache-2.0
"""A transaction that is far larger than transaction.memory-size is consolidated without holding up its worker."""
import re
import time

from leattest import Leat, wait_until
from leattest.pipeline import cdc_source, counter, head, jdbc_sink, sink

TIMEOUT = 300
ROWS = 150000


def test_others_on_the_worker_go_on(work, pg, db, unique):
    pg.query("CREATE TABLE t (id bigint PRIMARY KEY DEFERRABLE INITIALLY DEFERRED, v text); "
             "ALTER TABLE t REPLICA IDENTITY FULL; CREATE TABLE target (id bigint PRIMARY KEY, v text); "
             f"INSERT INTO t SELECT i, repeat(md5(i::text), 8) FROM generate_series(1, {ROWS}) i", database=db)
    slot = unique("slot")
    text = (head("large", "200ms", {"transaction.memory-size": "8MiB"},
                 {"workers": 1, "plugin.stall-warning": "250ms"})
            + cdc_source("pg", pg, db, "t", slot) + jdbc_sink("out", "pg.public.t", pg, db, "target", "id")
            + counter("beat", 1000) + sink("beaten", "beat", "blackhole"))
    with Leat(text, work) as leat:
        wait_until(lambda: same(pg, db), 120, "the snapshot", every=0.5)
        pg.query("UPDATE t SET id = id + 1", database=db)
        longest, beaten, at = 0, 0, time.monotonic()
        end = at + 120
        while not same(pg, db):
            assert time.monotonic() < end, leat.child.log_tail()
            now = leat.metric("leat_rows_out_total", node="beat")
            if now > beaten:
                longest, beaten, at = max(longest, time.monotonic() - at), now, time.monotonic()
            time.sleep(0.02)
        print(f"the other job stood still for {longest:.2f} s at most")
        assert not leat.logged("worker-stalls"), leat.logged("worker-stalls")
        assert longest < 2, longest  # what looking takes on a busy machine goes in
        assert not re.search("LEAT-", leat.log_text()), leat.child.log_tail()
        leat.terminate()
    pg.drop_slots(slot)


def same(pg, db):
    def state(table):
        return pg.query(f"SELECT count(*), min(id), max(id), sum(hashtext(id || v)::bigint) FROM {table}", database=db)
    return state("target") == state("t")
