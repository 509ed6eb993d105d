# SPDX-License-Identifier: Apache-2.0
"""From samples to the table: medians, spreads, the median of the rounds' own ratios, and the machine they were taken on."""
import os
import platform
import statistics
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
COLUMNS = ("bench", "measure", "leat", "[min–max]", "rival", "[min–max]", "ratio", "budget", "met", "CPU s/M rows leat",
           "rival", "peak MB leat", "rival", "servers", "others")


class Result:
    """One bench after its rounds; `pairs` is [(leat's sample, the rival's or None)]."""

    def __init__(self, bench, pairs):
        self.bench = bench
        self.pairs = pairs

    def values(self, key, side):
        found = [pair[side][key] for pair in self.pairs if pair[side] is not None]
        return [value for value in found if value is not None]

    def rival_values(self, key):
        if self.bench.recorded is not None:
            return [self.bench.recorded[key]] if key in self.bench.recorded else []
        return self.values(key, 1)

    def ratio(self, measure):
        """How many times better leat is: the median over the rounds, each compared with its own rival, so that what
        slows the machine for a while slows both."""
        if self.bench.recorded is not None:
            rival = self.bench.recorded.get(measure.key)
            pairs = [(value, rival) for value in self.values(measure.key, 0) if rival]
        else:
            pairs = [(leat[measure.key], rival[measure.key]) for leat, rival in self.pairs if rival is not None]
        found = [(b / a if measure.better == "less" else a / b) for a, b in pairs if a and b]
        return statistics.median(found) if found else None

    def cpu_per_million(self, side):
        if side == 1 and self.bench.recorded is not None:
            return self.bench.recorded.get("cpu_per_million")
        found = [pair[side].cpu / pair[side].rows * 1e6 for pair in self.pairs
                 if pair[side] is not None and pair[side].cpu is not None and pair[side].rows]
        return statistics.median(found) if found else None

    def peak(self, side):
        found = self.rival_values("rss") if side else self.values("rss", 0)
        return max(found) if found else None

    def server_shares(self):
        """{server: what part of all cores it took while leat ran}."""
        shares = {}
        for leat, _ in self.pairs:
            for name, cpu in leat.servers.items():
                if leat.seconds:
                    shares.setdefault(name, []).append(cpu / leat.seconds / os.cpu_count())
        return {name: statistics.median(found) for name, found in sorted(shares.items())}

    def server_share(self):
        return ", ".join(f"{name} {share:.0%}" for name, share in self.server_shares().items() if share >= 0.005)

    def foreign(self):
        found = [sample.foreign for pair in self.pairs for sample in pair if sample is not None
                 and sample.foreign is not None]
        return statistics.median(found) if found else None

    def lines(self):
        for number, measure in enumerate(self.bench.measures):
            leat = [value / measure.scale for value in self.values(measure.key, 0)]
            rival = [value / measure.scale for value in self.rival_values(measure.key)]
            ratio = self.ratio(measure)
            middle = statistics.median(leat) if leat else None
            met = None
            if measure.budget is not None and middle is not None:
                met = measure.budget.met(middle, ratio, self)
            yield {"bench": self.bench.name, "title": self.bench.title, "first": number == 0, "measure": measure,
                   "leat": leat, "rival": rival, "ratio": ratio, "met": met}


class Failure:
    """One that could not run to its end, and why, in a line."""

    def __init__(self, bench, reason):
        self.bench = bench
        self.reason = reason


def number(value):
    if value is None:
        return ""
    if abs(value) >= 10000:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def spread(values):
    return f"[{number(min(values))}–{number(max(values))}]" if len(values) > 1 else ""


def middle(values):
    return number(statistics.median(values)) if values else ""


def rows_of(result):
    for line in result.lines():
        measure, first = line["measure"], line["first"]
        budget = measure.budget.text if measure.budget else ""
        met = {True: "yes", False: "NO", None: ""}[line["met"]]
        yield (line["title"] if first else "", measure.unit, middle(line["leat"]), spread(line["leat"]),
               middle(line["rival"]), spread(line["rival"]), "" if line["ratio"] is None else f"{line['ratio']:.2f}",
               budget, met,
               *((number(result.cpu_per_million(0)), number(result.cpu_per_million(1)),
                  *(number(peak / 2**20) if peak else "" for peak in (result.peak(0), result.peak(1))),
                  result.server_share(), "" if result.foreign() is None else f"{result.foreign():.0%}")
                 if first else ("",) * 6))


def table(results):
    """The results as a table of Markdown, padded so that it also reads well on a terminal."""
    rows = [COLUMNS, *(row for result in results for row in rows_of(result))]
    widths = [max(len(row[index]) for row in rows) for index in range(len(COLUMNS))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def footnotes(results):
    """How many rounds stand behind the figures, and who the rivals are."""
    rivals = {}
    for result in results:
        if result.bench.rival_is:
            rivals.setdefault(result.bench.rival_is, []).append(result.bench.title)
    counts = sorted({len(result.pairs) for result in results})
    rounds = (f"- medians and [min–max] of {' or '.join(str(count) for count in counts)} round{'s' * (counts[-1] > 1)}"
              + ("; fewer than five are a trial, not a figure" if counts[0] < 5 else ""))
    return "\n".join([rounds, *(f"- {rival}: rival of {'; '.join(titles)}" for rival, titles in rivals.items())])


def said(command):
    try:
        ran = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL, text=True, timeout=20)
        return ran.stdout.strip().splitlines()[0] if ran.returncode == 0 and ran.stdout.strip() else ""
    except (OSError, subprocess.TimeoutExpired):
        return ""


def field_of(path, name):
    with open(path) as file:
        for line in file:
            if line.startswith(name):
                return line.split(":", 1)[-1].split("=", 1)[-1].strip().strip('"')
    return ""


def machine():
    """What the numbers were taken on."""
    memory = int(field_of("/proc/meminfo", "MemTotal").split()[0]) / 2**20
    return {"cpu": field_of("/proc/cpuinfo", "model name") or platform.machine(), "cores": os.cpu_count(),
            "memory_gib": round(memory, 1), "kernel": platform.release(),
            "system": field_of("/etc/os-release", "PRETTY_NAME"), "compiler": said(["gcc", "-dumpfullversion"]),
            "commit": said(["git", "describe", "--always", "--dirty"]), "load": os.getloadavg()[0]}


def machine_line(facts):
    return (f"{facts['cpu']}, {facts['cores']} cores, {facts['memory_gib']} GiB, Linux {facts['kernel']}, "
            f"{facts['system']}, gcc {facts['compiler']}, commit {facts['commit']}, load at the start {facts['load']:.1f}")


def line_as_json(line):
    def over(function):
        return {side: function(line[side]) if line[side] else None for side in ("leat", "rival")}
    return {"measure": line["measure"].key, "unit": line["measure"].unit, "leat": line["leat"], "rival": line["rival"],
            "median": over(statistics.median), "min": over(min), "max": over(max), "ratio": line["ratio"],
            "budget": line["measure"].budget.text if line["measure"].budget else None, "met": line["met"]}


def result_as_json(result):
    """What a line of the table says, unrounded, and every sample of every round."""
    return {"name": result.bench.name, "title": result.bench.title, "rival": result.bench.rival_is,
            "cpu_s_per_million_rows": {"leat": result.cpu_per_million(0), "rival": result.cpu_per_million(1)},
            "peak_bytes": {"leat": result.peak(0), "rival": result.peak(1)},
            "servers": result.server_shares(), "others": result.foreign(),
            "lines": [line_as_json(line) for line in result.lines()],
            "rounds": [[sample.as_dict() if sample else None for sample in pair] for pair in result.pairs]}


def as_json(results, failures, facts):
    return {"machine": facts, "benches": [result_as_json(result) for result in results],
            "could_not_run": {failure.bench.name: failure.reason for failure in failures}}
