# SPDX-License-Identifier: Apache-2.0
"""/health/ready follows the work: steady while rows flow, 503 with the sink's name while its server stands still."""
import time

from leattest import Leat, Postgres, wait_until
from leattest.pipeline import counter, head, jdbc_sink

TIMEOUT = 150


def test_a_target_that_stands_still_is_named(work):
    with Postgres(f"{work}/pg") as pg:
        pg.query("CREATE TABLE numbers (id bigint PRIMARY KEY)")
        text = (head("ready", "200 ms") + counter("numbers", 2000, {"id": "BIGINT NOT NULL"})
                + jdbc_sink("table", "numbers", pg, "postgres", "numbers", "id"))
        leat = Leat(text, f"{work}/leat").start()
        for _ in range(50):
            assert leat.ready(), leat.get("/health/ready")
            time.sleep(0.05)
        pg.pause()
        wait_until(lambda: not leat.ready(), 60, "health to see that nothing is taken")
        assert 'sink \\"table\\" has not taken what it was given for 3' in leat.get("/health/ready")[1]
        assert leat.get("/health/live")[0] == 200
        assert leat.metric("leat_blocked_microseconds_total", node="table") > 20e6, "blocked while it still is"
        pg.resume()
        wait_until(leat.ready, 20, "leat to be ready again")
        leat.terminate()
