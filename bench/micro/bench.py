# SPDX-License-Identifier: Apache-2.0
"""The inner loops one at a time, on one thread and without a server: bench_micro, each side in a process of its own."""
import os

from leatbench import Bench, Measure, Sample, run_timed

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ROUNDS = 200


class Micro(Bench):
    """`case` is a case of bench_micro. Its figure is the best of many rounds inside the process: what disturbs a loop of
    a millisecond only ever makes it slower."""
    case = None
    batch = 1  # rows of what the case counts as one
    measures = (Measure("cycles", "cycles a row", better="less"), Measure("ns", "CPU ns a row", better="less"))
    targets = ("bench_micro", "product")

    def side(self, side):
        ran = run_timed([f"{ROOT}/build/bench/bench_micro", self.case, side, str(ROUNDS)], timeout=120)
        rows, nanoseconds, cycles = ran.output.split()
        return Sample(rows=int(rows) * self.batch, cpu=int(rows) * float(nanoseconds) / 1e9, rss=ran.rss,
                      ns=float(nanoseconds), cycles=float(cycles))

    def leat(self, bed):
        return self.side("leat")

    def rival(self, bed):
        return self.side("rival")


def micro(case, title, rival_is, **more):
    return Micro(name=f"micro-{case}", case=case, title=title, rival_is=rival_is, **more)


BENCHES = [
    micro("json-decode", "JSON to cells, an order", "jansson: its tree, and the fields taken out of it"),
    micro("json-encode", "cells to JSON, an order", "jansson: trees made before, dumped compactly"),
    micro("pgoutput", "pgoutput's Insert to cells, an order", "memcpy of the message"),
    micro("expression", "the query of stage 2, an order", "a loop in C written for this very query"),
    micro("join", "orders left-joined with 10 000 users", "a loop in C over a hash table that keeps the orders too"),
    micro("channel", "a batch of 1024 orders handed to another task", "memcpy of its cells", batch=1024, measures=(
        Measure("cycles", "cycles a batch", better="less"), Measure("ns", "CPU ns a batch", better="less"))),
]
