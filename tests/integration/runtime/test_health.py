# SPDX-License-Identifier: Apache-2.0
"""/health shows every node and every error, however many and whatever their words are."""
import json
import os

from leattest import Leat, wait_until
from leattest.leat import binary

SINKS = 300
HEAD = """
[server]
http.listen = "${{LEAT_HTTP}}"
{server}
[pipeline]
name = "health"
checkpoint.dir = "${{LEAT_DATA}}/checkpoints"
"""
SOURCE = """
[sources.numbers]
connector = "datagen"
rows-per-second = 10
[sources.numbers.schema]
id = "BIGINT"
"""
SINK = """
[sinks.out{number}]
input = "numbers"
connector = "blackhole"
"""
MUMBLE = """
[sources.culprit]
connector = "misbehave"
how = "mumble"
[sinks.nowhere]
input = "culprit"
connector = "blackhole"
"""


def test_every_node_of_a_large_job_is_shown(work):
    text = HEAD.format(server="") + SOURCE + "".join(SINK.format(number=i) for i in range(SINKS))
    leat = Leat(text, f"{work}/leat").start()
    nodes = leat.health()["pipelines"][0]["jobs"][0]["nodes"]
    assert len({node["name"] for node in nodes}) == SINKS + 1
    leat.terminate()


def test_words_that_are_no_utf_8_are_shown(work):
    build = os.path.dirname(binary())
    os.makedirs(f"{work}/plugins")
    for path in (f"{build}/lib/blackhole.so", f"{build}/tests/misbehave/misbehave.so"):
        os.link(path, f"{work}/plugins/{os.path.basename(path)}")
    leat = Leat(HEAD.format(server=f'plugin.dir = "{work}/plugins"') + MUMBLE, f"{work}/leat").launch()
    leat.wait_logged(" job-failed ")
    wait_until(lambda: leat.get("/health/ready")[0] == 503, 10, "the server to answer")
    job = leat.health()["pipelines"][0]["jobs"][0]
    assert job["error"]["message"] == "gr\ufffd\ufffdlich"
    assert job["error"]["code"] == "LEAT-X0001" and job["error"]["node"] == "culprit"
    status, body = leat.get("/health/ready")
    assert status == 503 and "gr\ufffd\ufffdlich" in json.loads(body)["reason"]
    leat.terminate(code=1)


def test_metrics_show_how_time_is_spent(work):
    text = HEAD.format(server="") + SOURCE.replace("= 10", "= 5000") + SINK.format(number=1)
    leat = Leat(text, f"{work}/leat").start()

    def spent():
        return [leat.metric(f"leat_{kind}_microseconds_total", node="numbers") for kind in ("idle", "busy", "blocked")]
    wait_until(lambda: spent()[0] > 300000 and spent()[1] > 0, 20, spent)
    before = spent()
    wait_until(lambda: sum(spent()) - sum(before) > 500000, 20, spent)
    assert all(now >= then for now, then in zip(spent(), before))
    assert leat.metric("leat_queue_batches", node="out1") is not None
    assert leat.metric("leat_queue_bytes", node="out1") is not None
    leat.terminate()
