# SPDX-License-Identifier: Apache-2.0
"""Runs the tests in sections and closes with one line, `N passed, N failed`.

Each section builds what it needs and runs it: the programs of ctest are counted by their cmocka cases, the
integration tests by their own summary. A section goes on after a failure, so that one run shows everything that is
wrong. Words on the command line name sections (unit, asan, tsan, contract, integration, instructions, lint, docs); any
other word is part of a test's name and is looked for among the unit, contract and integration tests.
"""
import os
import platform
import re
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TTY = sys.stdout.isatty()
COLORS = TTY and not os.environ.get("NO_COLOR")
# A log is read afterwards, by people who were not there: it holds every case. A terminal shows programs only.
EVERY_CASE = not TTY or bool(os.environ.get("V"))

CTEST_RESULT = re.compile(r"^\s*(\d+)/(\d+) Test\s+#(\d+): (\S+) \.*\s*(.*)$")
CTEST_OUTPUT = re.compile(r"^(\d+): (.*)$")
CMOCKA_OK = re.compile(r"^\[ +OK \] (.+)$")
CMOCKA_FAILED = re.compile(r"^\[  FAILED  \] (?!\d+ test\(s\))(.+)$")
SUMMARY = re.compile(r"^(\d+) passed, (\d+) failed")


def paint(code, text):
    return f"\033[{code}m{text}\033[0m" if COLORS else text


class Totals:
    def __init__(self):
        self.passed = 0
        self.failed = 0
        self.broken = []

    def add(self, section, passed, failed):
        self.passed += passed
        self.failed += failed
        if failed:
            self.broken.append(section)


class CtestOutput:
    """Follows `ctest -V`: which program printed what, which case passed, which program failed."""

    def __init__(self):
        self.lines = {}
        self.cases = {}
        self.passed = 0
        self.failed = 0

    def feed(self, line):
        output = CTEST_OUTPUT.match(line)
        if output:
            self.on_output(output.group(1), output.group(2))
            return
        result = CTEST_RESULT.match(line)
        if result:
            self.on_result(*result.groups())

    def on_output(self, number, text):
        self.lines.setdefault(number, []).append(text)
        cases = self.cases.setdefault(number, {})
        for pattern, good in ((CMOCKA_OK, True), (CMOCKA_FAILED, False)):
            match = pattern.match(text)
            if match and cases.get(match.group(1)) is not good:
                cases[match.group(1)] = good
                if EVERY_CASE or not good:
                    print("    " + text, flush=True)

    def on_result(self, index, total, number, name, verdict):
        good = verdict.startswith("Passed")
        cases = self.cases.get(number, {})
        failed = sum(1 for passed in cases.values() if not passed)
        passed = len(cases) - failed
        if not good and failed == 0:
            failed = 1  # it crashed, timed out or returned an error outside any case
        if good and not cases:
            passed = 1
        self.passed += passed
        self.failed += failed
        if not good:
            print("\n".join("    | " + line for line in self.lines.get(number, [])[-200:]))
        mark = paint("32", "ok  ") if good else paint("31", "FAIL")
        print(f"  {mark} [{index}/{total}] {name}: {passed} passed, {failed} failed ({verdict})", flush=True)


def build(preset, *targets):
    return subprocess.run(["ci/build", preset, *targets], cwd=ROOT, stdin=subprocess.DEVNULL).returncode == 0


def ctest(folder, *arguments):
    """Runs ctest in a build folder; returns (passed, failed)."""
    env = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="STDOUT",
               ASAN_OPTIONS="detect_leaks=1:strict_string_checks=1",
               UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1",
               TSAN_OPTIONS="halt_on_error=1:second_deadlock_stack=1")
    command = ["ctest", "-V", "-j", str(os.cpu_count() or 1), "--timeout", "300", *arguments]
    if folder == "build-tsan" and without_aslr():
        command = without_aslr() + command
    output = CtestOutput()
    with subprocess.Popen(command, cwd=os.path.join(ROOT, folder), env=env, text=True, errors="replace",
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        for line in process.stdout:
            output.feed(line.rstrip("\n"))
    if process.returncode != 0 and output.failed == 0:
        print(f"  ctest ended with {process.returncode}")
        return output.passed, 1
    return output.passed, output.failed


def without_aslr():
    """gcc 12's thread sanitizer dies when the kernel randomizes addresses by more than 28 bits; not every container
    allows to turn that off."""
    prefix = ["setarch", platform.machine(), "-R"]
    allowed = subprocess.run(prefix + ["true"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return prefix if allowed.returncode == 0 else []


def section_unit(names):
    if not build("release"):
        return 0, 1
    return ctest("build", "-LE", "contract", *by_name(names))


def section_asan(names):
    if not build("asan"):
        return 0, 1
    return ctest("build-asan", "-L", "unit", *by_name(names))


def section_tsan(names):
    if not build("tsan", "tests-threads"):
        return 0, 1
    return ctest("build-tsan", "-L", "threads", *by_name(names))


def section_contract(names):
    if not build("asan"):
        return 0, 1
    return ctest("build-asan", "-L", "contract", *by_name(names))


def section_integration(names):
    # the fault points of the crash tests are in the asan build, and there the contract sees leaks
    if not build("release", "product") or not build("asan", "product", "contract_postgres", "contract_kafka"):
        return 0, 1
    return followed([sys.executable, "tests/integration/run", "--retry", *names])


def section_instructions(names):
    return followed([sys.executable, "ci/instructions", "check"])


def section_lint(names):
    return (1, 0) if subprocess.run(["ci/lint", "quick"], cwd=ROOT, stdin=subprocess.DEVNULL).returncode == 0 else (0, 1)


def section_docs(names):
    passed = [subprocess.run(command, cwd=ROOT).returncode == 0 for command in (["ci/docs", "check"], ["ci/mentions"])]
    return passed.count(True), passed.count(False)


def by_name(names):
    return ["-R", "|".join(re.escape(name) for name in names)] if names else []


def followed(command):
    """Runs a program that prints its own summary line, shows what it prints, and returns the summary's counts."""
    counts = None
    with subprocess.Popen(command, cwd=ROOT, text=True, errors="replace", stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        for line in process.stdout:
            print("  " + line, end="", flush=True)
            match = SUMMARY.match(line)
            if match:
                counts = int(match.group(1)), int(match.group(2))
    if counts is None or (process.returncode != 0 and counts[1] == 0):
        print(f"  {command[1]} ended with {process.returncode} and without a summary that says why")
        return counts[0] if counts else 0, 1
    return counts


SECTIONS = {
    "unit": ("unit tests, release build", section_unit),
    "asan": ("unit tests under the address and undefined-behaviour sanitizers", section_asan),
    "tsan": ("unit tests of the threaded rooms under the thread sanitizer", section_tsan),
    "contract": ("contract suite under the address sanitizer", section_contract),
    "integration": ("integration tests on real servers", section_integration),
    "instructions": ("instructions a row of the inner loops, against their baseline", section_instructions),
    "lint": ("layout, banned calls, clang's warnings, clang-tidy's quick checks", section_lint),
    "docs": ("generated documentation is up to date, notes name what is there", section_docs),
}
NAMED_TESTS = ("unit", "contract", "integration")


def expects_tests(section):
    """The contract suite comes with the first connector."""
    return section != "contract" or os.path.isdir(os.path.join(ROOT, "tests/contract"))


def main(words):
    names = [word for word in words if word not in SECTIONS]
    chosen = [word for word in SECTIONS if word in words] or (NAMED_TESTS if names else list(SECTIONS))
    totals = Totals()
    begin = time.monotonic()
    for index, key in enumerate(chosen, 1):
        title, run = SECTIONS[key]
        print(paint("1", f"\n== [{index}/{len(chosen)}] {title}"), flush=True)
        started = time.monotonic()
        passed, failed = run(names)
        if passed + failed == 0 and not names and expects_tests(key):
            print("  no test ran, which cannot be right")
            failed = 1
        totals.add(key, passed, failed)
        print(f"-- {key}: {passed} passed, {failed} failed, {time.monotonic() - started:.0f} s", flush=True)
    if names and totals.passed + totals.failed == 0:
        print("no test has such a name: " + " ".join(names))
        return 2
    print(f"\n{len(chosen)} sections in {time.monotonic() - begin:.0f} s"
          + (f"; failed in: {' '.join(totals.broken)}" if totals.broken else ""))
    print(paint("31" if totals.failed else "32", f"{totals.passed} passed, {totals.failed} failed"))
    return 1 if totals.failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
