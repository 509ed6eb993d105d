# SPDX-License-Identifier: Apache-2.0
"""/health shows every node and every error, however many and whatever their words are."""
import json
import os

from leattest import Leat, wait_until
from leattest.leat import binary
from leattest.pipeline import counter, head, sink

SINKS = 300
MUMBLE = """
[sources.culprit]
connector = "misbehave"
how = "mumble"
"""


def test_every_node_of_a_large_job_is_shown(work):
    sinks = "".join(sink(f"out{number}", "numbers", "blackhole") for number in range(SINKS))
    leat = Leat(head("health") + counter("numbers", 10) + sinks, f"{work}/leat").start()
    nodes = leat.health()["pipelines"][0]["jobs"][0]["nodes"]
    assert len({node["name"] for node in nodes}) == SINKS + 1
    leat.terminate()


def test_words_that_are_no_utf_8_are_shown(work):
    build = os.path.dirname(binary())
    os.makedirs(f"{work}/plugins")
    for path in (f"{build}/lib/blackhole.so", f"{build}/tests/misbehave/misbehave.so"):
        os.link(path, f"{work}/plugins/{os.path.basename(path)}")
    text = (head("health", server={"plugin.dir": f"{work}/plugins"}) + MUMBLE
            + sink("nowhere", "culprit", "blackhole"))
    leat = Leat(text, f"{work}/leat").launch()
    leat.wait_logged(" job-failed ")
    wait_until(lambda: leat.get("/health/ready")[0] == 503, 10, "the server to answer")
    job = leat.health()["pipelines"][0]["jobs"][0]
    assert job["error"]["message"] == "gr\ufffd\ufffdlich"
    assert job["error"]["code"] == "LEAT-X0001" and job["error"]["node"] == "culprit"
    status, body = leat.get("/health/ready")
    assert status == 503 and "gr\ufffd\ufffdlich" in json.loads(body)["reason"]
    leat.terminate(code=1)


def test_metrics_show_how_time_is_spent(work):
    text = head("health") + counter("numbers", 5000) + sink("out", "numbers", "blackhole")
    leat = Leat(text, f"{work}/leat").start()

    def spent():
        return [leat.metric(f"leat_{kind}_microseconds_total", node="numbers") for kind in ("idle", "busy", "blocked")]
    wait_until(lambda: spent()[0] > 300000 and spent()[1] > 0, 20, spent)
    before = spent()
    wait_until(lambda: sum(spent()) - sum(before) > 500000, 20, spent)
    assert all(now >= then for now, then in zip(spent(), before)), "a counter went back"
    assert leat.metric("leat_queue_batches", node="out") is not None
    assert leat.metric("leat_queue_bytes", node="out") is not None
    leat.terminate()
