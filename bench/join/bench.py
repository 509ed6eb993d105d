# SPDX-License-Identifier: Apache-2.0
"""The join with a million users in its state, against the same query as a hand-written loop over a hash table."""

import json
import os

from leatbench import Bench, Measure, Sample, at_most, ratio_at_least, run_timed

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Join(Bench):
    name = "join-million"
    title = "join of orders with 1 million users in state"
    rival_is = "the same query by hand: a C loop over a hash table that keeps the orders too"
    measures = (Measure("rate", "rows/s", ratio_at_least(0.5)),
                Measure("state_ratio", "× encoded rows", at_most(1.3, "× encoded rows"), better="less"))
    targets = ("bench_join",)

    def setup(self, bed):
        self.digests = {}

    def side(self, which):
        ran = run_timed([f"{ROOT}/build/bench/bench_join", which], timeout=120)
        found = json.loads(ran.output)
        self.digests[which] = found["digest"]
        if len(set(self.digests.values())) > 1:
            raise RuntimeError("leat and its rival give other rows for the same orders")
        return Sample(rows=found["rows"], seconds=found["seconds"], cpu=found["cpu"], rss=found["rss"],
                      state_ratio=found.get("state_ratio"))

    def leat(self, bed):
        return self.side("leat")

    def rival(self, bed):
        return self.side("rival")


BENCHES = [Join()]
