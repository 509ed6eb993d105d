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


MISBEHAVE = """
[sources.culprit]
connector = "misbehave"
how = "{how}"
[sinks.nowhere]
input = "culprit"
connector = "blackhole"
"""


def misbehaving(work, how):
    build = os.path.dirname(binary())
    os.makedirs(f"{work}/plugins")
    for path in (f"{build}/lib/blackhole.so", f"{build}/tests/misbehave/misbehave.so"):
        os.link(path, f"{work}/plugins/{os.path.basename(path)}")
    return Leat(head("run", server={"plugin.dir": f"{work}/plugins"}) + MISBEHAVE.format(how=how), f"{work}/leat")


def test_a_plugin_that_holds_its_worker_is_named(work):
    leat = misbehaving(work, "stall").launch()
    words = 'node "culprit" of pipeline "run" (plugin misbehave 7.1) has been in poll for'
    line = leat.wait_logged("worker-stalls")
    assert " WARN " in line and words in line
    status, body = leat.get("/health/live")
    assert status == 503 and words.replace('"', '\\"') in body, body
    leat.wait_logged("worker-turns")
    assert leat.get("/health/live")[0] == 200
    leat.terminate()


def test_a_plugin_that_crashes_is_named_and_the_signal_seen(work):
    leat = misbehaving(work, "crash").launch()
    assert leat.wait_end() == -signal.SIGSEGV
    assert leat.logged("crashed by SIGSEGV, version leat ")
    assert leat.logged('in plugin "misbehave" version 7.1 .misbehave., node "run/culprit", callback poll')
    assert leat.logged(r"leat\(\+0x"), "a backtrace"


WRONG_ANSWER = """
[sources.numbers]
connector = "datagen"
rows-per-second = 100
[sources.numbers.schema]
id = "BIGINT"
[lookups.culprit]
connector = "misbehave"
how = "{how}"
[operators.joined]
operator = "sql"
query = "SELECT n.id, c.id AS found FROM numbers n LEFT JOIN culprit FOR SYSTEM_TIME AS OF PROCTIME() AS c ON n.id = c.id"
[sinks.nowhere]
input = "joined"
connector = "blackhole"
"""

WRONG_ANSWERS = {
    "keys": "answered a row of a key that the question does not have",
    "columns": "answered a batch with other columns than its port has",
    "rows": "answered a batch with more rows than it has room for",
    "twice": "answered a question that is not open: it was never asked, or has its answer",
    "never-asked": "answered a question that is not open: it was never asked, or has its answer",
    "again": "answered a question and then said LEAT_AGAIN to it",
    "thread": "answered on a thread that is not its worker",
}


def test_a_lookup_that_answers_wrongly_fails_its_job(work):
    build = os.path.dirname(binary())
    os.makedirs(f"{work}/plugins")
    for path in ("lib/blackhole.so", "lib/datagen.so", "lib/sql.so", "tests/misbehave/misbehave.so"):
        os.link(f"{build}/{path}", f"{work}/plugins/{os.path.basename(path)}")
    for how, words in WRONG_ANSWERS.items():
        text = head("run", server={"plugin.dir": f"{work}/plugins"}) + WRONG_ANSWER.format(how=how)
        leat = Leat(text, f"{work}/leat-{how}").launch()
        line = leat.wait_logged("job-failed")
        assert f'node "culprit" (misbehave) {words}' in line and "code=LEAT-R0008" in line, (how, line)
        leat.terminate(code=4)


def test_output_that_does_not_arrive_is_no_success(work):
    with open("/dev/full", "w") as full:
        done = subprocess.run([binary(), "help"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=20)
    assert done.returncode == 3 and "No space left on device" in done.stderr
