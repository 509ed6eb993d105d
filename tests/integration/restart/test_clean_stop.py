# SPDX-License-Identifier: Apache-2.0
"""A stop by SIGTERM ends with a checkpoint behind which nothing is given: the next start repeats nothing."""
from leattest import Leat, wait_until
from leattest.pipeline import counter, head, sink


def test_nothing_is_repeated_after_sigterm(work):
    leat = Leat(head("stop") + counter("numbers", 5000) + sink("out", "numbers", "print"), f"{work}/leat")
    for _ in range(4):
        leat.start()
        before = leat.log_text().count("+I[")
        wait_until(lambda: leat.log_text().count("+I[") > before + 500, 15, "500 more rows")
        leat.terminate()
    rows = [int(line.split("+I[")[1].rstrip("]")) for line in leat.log_text().splitlines() if "+I[" in line]
    assert rows == list(range(1, len(rows) + 1)), "rows are repeated or missing"
