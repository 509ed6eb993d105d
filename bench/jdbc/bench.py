# SPDX-License-Identifier: Apache-2.0
"""The jdbc sink alone, fed with batches in memory, against the fastest loader we can write by hand (bench_jdbc)."""
import os

from leatbench import Bench, Measure, Sample, ratio_at_least, run_timed

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ROWS = 200 * 1024


class Jdbc(Bench):
    """`rate` is that of new rows, `updates` that of the same rows once more."""
    name = "jdbc-sink"
    title = "rows in memory → jdbc upsert, 22 columns"
    rival_is = "a libpq program: binary COPY of 5000 rows to a temporary table, INSERT … ON CONFLICT from it"
    measures = (Measure("rate", "rows/s, new rows", ratio_at_least(0.9)),
                Measure("updates", "rows/s, rows that are there", ratio_at_least(0.9)))
    targets = ("bench_jdbc", "product")

    def setup(self, bed):
        self.database = bed.pg.create_database(bed.unique("jdbc"))

    def side(self, bed, side):
        env = dict(os.environ, JDBC_HOST=bed.pg.host, JDBC_PORT=str(bed.pg.port), JDBC_DATABASE=self.database)
        ran = run_timed([f"{ROOT}/build/bench/bench_jdbc", side, str(ROWS)], timeout=120, env=env, cwd=ROOT)
        new, updates, cpu = (float(word) for word in ran.output.split())
        if bed.pg.value("SELECT count(*) FROM bench_orders", database=self.database) != ROWS:
            raise RuntimeError(f"bench_jdbc {side} did not leave {ROWS} rows")
        return Sample(rows=ROWS, seconds=new, cpu=cpu / 2, rss=ran.rss, updates=ROWS / updates)

    def leat(self, bed):
        return self.side(bed, "leat")

    def rival(self, bed):
        return self.side(bed, "rival")

    def teardown(self, bed):
        bed.pg.query(f"DROP DATABASE {self.database} WITH (FORCE)")


BENCHES = [Jdbc()]
