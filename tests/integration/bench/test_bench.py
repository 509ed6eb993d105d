# SPDX-License-Identifier: Apache-2.0
"""The benches' own machinery: what the runner shows of rounds whose figures are known, what it leaves behind when a
bench fails, hangs or is interrupted, what is measured of a program, and when ci/instructions fails."""
import contextlib
import importlib.machinery
import importlib.util
import io
import json
import os
import signal
import subprocess
import sys

from leattest import wait_until
from leattest.leat import ROOT

sys.path.append(f"{ROOT}/bench")

from leatbench.measure import run_timed  # noqa: E402  (the path is ours)

# bench/run with a folder of benches of our own, which need nothing built
DRIVER = """
import importlib.machinery, importlib.util, sys
loader = importlib.machinery.SourceFileLoader("runner", sys.argv[1])
runner = importlib.util.module_from_spec(importlib.util.spec_from_loader("runner", loader))
loader.exec_module(runner)
runner.HERE = sys.argv[2]
runner.GRACE = 1
runner.BUILD = ["true"]
sys.argv[1:3] = []
sys.exit(runner.main())
"""

BENCHES = """
import subprocess, time
from leatbench import Bench, Measure, Sample, at_most, ratio_at_least, run_timed

class Known(Bench):
    name = "fake-known"
    title = "known figures"
    rival_is = "a rival that has them too"
    measures = (Measure("rate", "rows/s", ratio_at_least(2)), Measure("seconds", "s", at_most(2, "s"), better="less"))
    order = []
    def leat(self, bed):
        self.order.append("leat")
        return Sample(rows=1000, seconds=(1, 2, 10)[self.order.count("leat") - 1], cpu=0.5, rss=3 << 20)
    def rival(self, bed):
        self.order.append("rival")
        return Sample(rows=1000, seconds=(4, 6, 15)[self.order.count("rival") - 1], cpu=2, rss=5 << 20)
    def teardown(self, bed):
        assert self.order == ["rival", "leat", "leat", "rival", "rival", "leat"][:len(self.order)], self.order

class Setup(Bench):
    name, title = "fake-setup", "fails at once"
    def setup(self, bed):
        raise RuntimeError("no such table\\nand more")

class Round(Bench):
    name, title = "fake-round", "fails in a round"
    def leat(self, bed):
        run_timed(["sh", "-c", "echo what it said; exit 3"], 10)

class Teardown(Bench):
    name, title = "fake-teardown", "fails at its end"
    def leat(self, bed):
        return Sample(rows=1, seconds=1)
    def teardown(self, bed):
        self.nothing

class Hang(Bench):
    name, title, timeout = "fake-hang", "does not end", 1
    def leat(self, bed):
        run_timed(["sleep", "1000.25"], 500)

class Last(Bench):
    name, title = "fake-last", "runs after all of them"
    def leat(self, bed):
        return Sample(rows=1, seconds=1)

class Long(Bench):
    name, title = "long-wait", "is interrupted"
    def leat(self, bed):
        bed.pg
        run_timed(["sleep", "1000.5"], 500)

BENCHES = [Known(), Setup(), Round(), Teardown(), Hang(), Last(), Long()]
"""


def runner(work, *words):
    """The command and the environment: its temporary folders are in work/tmp."""
    os.makedirs(f"{work}/benches/fake", exist_ok=True)
    os.makedirs(f"{work}/tmp", exist_ok=True)
    os.chmod(f"{work}/tmp", 0o755)
    with open(f"{work}/benches/fake/bench.py", "w") as file:
        file.write(BENCHES)
    return ([sys.executable, "-B", "-c", DRIVER, f"{ROOT}/bench/run", f"{work}/benches", *words],
            dict(os.environ, TMPDIR=f"{work}/tmp"))


def ran(work, *words):
    command, env = runner(work, *words)
    return subprocess.run(command, env=env, text=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=120)


def script(path):
    """A program of ours as a module, not run."""
    loader = importlib.machinery.SourceFileLoader(os.path.basename(path), f"{ROOT}/{path}")
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


def runs(pattern):
    return subprocess.run(["pgrep", "-f", pattern], stdout=subprocess.DEVNULL).returncode == 0


def cells(output, title):
    """The line of the table with that title, and the line behind it."""
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in output.splitlines() if line.startswith("|")]
    first = next(index for index, line in enumerate(lines) if line[0] == title)
    return lines[first:first + 2]


def test_known_figures(work):
    """Turns are taken, the ratio is the median of the rounds' own, and JSON says the same as the table."""
    done = ran(work, "--rounds", "3", "--json", f"{work}/figures.json", "fake-known")
    assert done.returncode == 0, done.stderr
    rate, seconds = cells(done.stdout, "known figures")
    assert rate[:5] == ["known figures", "rows/s", "500", "[100–1000]", "167"], rate
    assert rate[5:9] == ["[66.7–250]", "3.00", "≥ 2 ×", "yes"], rate
    assert rate[9:13] == ["500", "2000", "3", "5"], rate
    assert seconds[:9] == ["", "s", "2", "[1–10]", "6", "[4–15]", "3.00", "≤ 2 s", "yes"], seconds
    assert "3 rounds; fewer than five are a trial" in done.stdout, done.stdout
    with open(f"{work}/figures.json") as file:
        found = json.load(file)
    bench, = found["benches"]
    assert bench["lines"][0]["median"] == {"leat": 500, "rival": 1000 / 6}, bench
    assert bench["lines"][0]["leat"] == [1000, 500, 100] and bench["lines"][0]["ratio"] == 3, bench
    assert bench["lines"][1]["met"] is True and bench["lines"][1]["budget"] == "≤ 2 s", bench
    assert bench["cpu_s_per_million_rows"] == {"leat": 500, "rival": 2000}, bench
    assert bench["peak_bytes"] == {"leat": 3 << 20, "rival": 5 << 20}, bench
    assert len(bench["rounds"]) == 3 and found["could_not_run"] == {} and found["machine"]["cores"], found


def test_failures(work):
    """A bench that fails takes nothing with it: not the benches before and behind it, no process, no folder."""
    done = ran(work, "--rounds", "1", "--json", f"{work}/figures.json", "fake")
    assert done.returncode == 1, done.stderr
    assert cells(done.stdout, "known figures") and cells(done.stdout, "runs after all of them"), done.stdout
    for line in ("fake-setup could not run: no such table",
                 "fake-round could not run: sh ended with 3",
                 "fake-teardown could not run: 'Teardown' object has no attribute 'nothing'",
                 "fake-hang could not run: it did not end in time"):
        assert line in done.stderr, done.stderr
    assert "what it said" in done.stderr, done.stderr
    with open(f"{work}/figures.json") as file:
        assert sorted(json.load(file)["could_not_run"]) == ["fake-hang", "fake-round", "fake-setup", "fake-teardown"]
    assert os.listdir(f"{work}/tmp") == [] and not runs("sleep 1000[.]25")


def hear_interrupts():
    """Whoever runs us in the background has SIGINT ignored, and so would our children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def interrupted(work, number):
    command, env = runner(work, "--rounds", "1", "fake-last", "long-wait")
    with subprocess.Popen(command, env=env, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, preexec_fn=hear_interrupts) as child:
        try:
            wait_until(lambda: runs("sleep 1000[.]5"), 60, "the second bench")
            child.send_signal(number)
            output, errors = child.communicate(timeout=30)
        finally:
            child.kill()
    assert child.returncode == 130, errors
    assert cells(output, "runs after all of them"), output
    assert errors.endswith("interrupted; not run to the end: long-wait\n"), errors
    assert os.listdir(f"{work}/tmp") == [] and not runs("sleep 1000[.]5") and not runs(f"postgres.*{work}/tmp")


def test_interrupted(work):
    """Ctrl-C: what is done is shown, servers and folders are gone."""
    interrupted(work, signal.SIGINT)


def test_terminated(work):
    """SIGTERM, which no child hears."""
    interrupted(work, signal.SIGTERM)


def test_wrong_words(work):
    """What cannot be meant is said before anything is run."""
    done = ran(work, "known", "nonsense")
    assert done.returncode == 2 and 'no bench has "nonsense" in its name' in done.stderr, done
    assert "  fake-known " in done.stderr and "fake-known:" not in done.stderr, done.stderr
    done = ran(work, "--rounds", "0")
    assert done.returncode == 2 and '"0" is not a number of rounds' in done.stderr, done.stderr
    done = ran(work, "--json", f"{work}/nowhere/figures.json")
    assert done.returncode == 2 and "cannot be written: No such file or directory" in done.stderr, done.stderr


def test_a_program_is_measured():
    """Peak memory is the program's own, not ours, which it was forked from; time and output are there."""
    ours = bytearray(64 << 20)
    small = run_timed(["sleep", "0.2"], 10)
    assert small.rss < 16 << 20 and 0.2 <= small.seconds < 5 and small.cpu < 0.1, vars(small)
    large = run_timed([sys.executable, "-c", "x = bytearray(200 << 20); print('made')"], 30)
    assert 200 << 20 < large.rss < 260 << 20 and large.output == "made\n", vars(large)
    assert len(ours)


def test_a_program_does_not_end():
    for command, said in ((["sleep", "1000.75"], ""), (["yes"], "y\ny")):
        try:
            run_timed(command, 1)
        except TimeoutError as error:
            assert f"{command[0]} did not end in time" in str(error) and said in str(error), error
        else:
            raise AssertionError(f"{command} ended")
    assert not runs("sleep 1000[.]75")


def test_every_bench_is_well_formed():
    """Those of the tree are found, under names that begin with their folder, and have five rounds or more."""
    program = script("bench/run")
    benches = program.all_benches()
    assert len({bench.name for bench in benches}) == len(benches) > 20
    for bench in benches:
        assert os.path.exists(f"{ROOT}/bench/{bench.name.split('-')[0]}/bench.py"), bench.name
        assert bench.title and bench.measures and bench.rounds >= 5, bench.name
        assert bench.rival_is or not bench.has_rival(), bench.name


def test_a_real_bench(work):
    """One that needs no server, from another folder than ours, to the file."""
    done = subprocess.run([f"{ROOT}/bench/run", "--rounds", "1", "--json", "figures.json", "micro-channel"], text=True,
                          cwd=work, stdin=subprocess.DEVNULL, capture_output=True, timeout=250)
    assert done.returncode == 0, done.stderr
    with open(f"{work}/figures.json") as file:
        bench, = json.load(file)["benches"]
    cycles = bench["lines"][0]
    assert bench["name"] == "micro-channel" and cycles["unit"] == "cycles a batch" and cycles["ratio"] > 1, bench


def test_instructions():
    """A rise of more than 20 % fails, one of less does not, nor does a fall; a case without a baseline fails."""
    program = script("ci/instructions")
    baseline = program.baseline()

    def check(counts):
        with contextlib.redirect_stdout(io.StringIO()):
            return program.check(counts)
    assert tuple(baseline) == program.CASES, baseline
    assert check({case: count * 1.19 for case, count in baseline.items()}) == 0
    assert check({case: count * 0.5 for case, count in baseline.items()}) == 0
    for case, count in baseline.items():
        assert check(dict(baseline, **{case: count * 1.21})) == 1, case
    program.baseline = lambda: {case: count for case, count in baseline.items() if case != "join"}
    assert check(baseline) == 1
