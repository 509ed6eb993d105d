# SPDX-License-Identifier: Apache-2.0
"""How `leat run` ends, and what it says on the way: exit codes that a script can trust, one story of a failure."""
import os
import resource
import signal
import subprocess

from leattest import Leat, wait_until
from leattest.leat import binary
from leattest.pipeline import head

FILE = """
[sources.lines]
connector = "filesystem"
path = "lines.json"
format = "json"
[sources.lines.schema]
id = "BIGINT"
[sinks.out]
input = "lines"
connector = "print"
"""
ENDLESS = """
[sources.numbers]
connector = "datagen"
rows-per-second = 100
[sources.numbers.schema]
id = "BIGINT"
[sinks.nowhere]
input = "numbers"
connector = "blackhole"
"""


def leat_with(work, pipeline, lines):
    leat = Leat(head("run") + pipeline, f"{work}/leat")
    with open(f"{leat.folder}/lines.json", "w") as file:
        file.write(lines)
    return leat


def test_a_bounded_run_ends_with_success(work):
    leat = leat_with(work, FILE, '{"id": 1}\n{"id": 2}\n').launch()
    assert leat.wait_end() == 0


def test_a_bounded_run_that_failed_is_no_success(work):
    leat = leat_with(work, FILE, '{"id": 1}\nno json\n').launch()
    assert leat.wait_end() == 1
    assert leat.logged("ERROR .* job-failed ")
    assert not leat.logged("job-restarts")


def test_a_failed_job_beside_an_endless_one_tells_one_story(work):
    leat = leat_with(work, FILE + ENDLESS, "no json\n").launch()
    line = leat.wait_logged("job-failed")
    code = line.split("code=")[1].split()[0]
    wait_until(lambda: leat.get("/health/ready")[0] == 503, 10, "health to tell the failure")
    jobs = {job["name"]: job for job in leat.health()["pipelines"][0]["jobs"]}
    assert jobs["lines"]["state"] == "failed" and jobs["numbers"]["state"] == "running"
    assert jobs["lines"]["error"]["code"] == code and jobs["lines"]["restarts"] == 0
    assert leat.metric("leat_job_failures_total", code=code) == 1
    assert not leat.metric("leat_job_restarts_total", job="lines")
    assert code in leat.get("/health/ready")[1]
    assert leat.child.stop(timeout=20) == 1


def test_a_second_signal_ends_at_once_and_is_no_clean_stop(work):
    leat = leat_with(work, ENDLESS, "").launch().wait_ready()
    leat.pause()  # both signals are there when it goes on
    leat.child.send(signal.SIGINT)
    assert leat.child.stop(timeout=20) in (-signal.SIGTERM, -signal.SIGINT)  # whichever came last
    assert leat.logged(" stop-now ")


def test_the_soft_limit_of_descriptors_is_raised(work):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        leat = leat_with(work, ENDLESS, "").launch()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    leat.wait_ready()
    assert resource.prlimit(leat.pid, resource.RLIMIT_NOFILE) == (hard, hard)
    leat.terminate()


def test_output_that_does_not_arrive_is_no_success(work):
    with open("/dev/full", "w") as full:
        done = subprocess.run([binary(), "help"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=20)
    assert done.returncode == 3 and "No space left on device" in done.stderr
