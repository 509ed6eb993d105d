# SPDX-License-Identifier: Apache-2.0
"""CPU seconds and resident memory of whole processes, read from /proc: nothing inside them knows that it is measured.

The CPU time of a server that works in child processes (PostgreSQL) is that of its first process, of the children that
live and of those that were waited for.
"""
import os
import resource
import subprocess
import time

TICK = os.sysconf("SC_CLK_TCK")
CORES = os.cpu_count()


def _stat(pid):
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rsplit(")", 1)[1].split()


def cpu_of(pid):
    """CPU seconds of one process, its own threads only; to the nanosecond where the kernel tells."""
    total = 0
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/schedstat") as file:
                total += int(file.read().split()[0])
    except FileNotFoundError:
        pass
    fields = _stat(pid)
    # threads that have ended are in the process's ticks and no longer among the tasks
    return max(total / 1e9, (int(fields[11]) + int(fields[12])) / TICK)


def cpu_of_tree(pid):
    """CPU seconds of a process, its living children and those that it has waited for."""
    fields = _stat(pid)
    ticks = sum(int(field) for field in fields[11:15])
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        children = file.read().split()
    for child in children:
        try:
            own = _stat(child)
            ticks += int(own[11]) + int(own[12])
        except (FileNotFoundError, ProcessLookupError):
            pass  # it ended meanwhile; the parent's sums will have it
    return ticks / TICK


def cpu_of_machine():
    """CPU seconds that all processes of the machine used since its start (steal and idle left out)."""
    with open("/proc/stat") as file:
        user, nice, system, _idle, _wait, irq, soft = (int(word) for word in file.readline().split()[1:8])
    return (user + nice + system + irq + soft) / TICK


def peak_memory(pid):
    """Peak resident bytes since the start or since forget_peak()."""
    with open(f"/proc/{pid}/status") as file:
        for line in file:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return None


def forget_peak(pid):
    with open(f"/proc/{pid}/clear_refs", "w") as file:
        file.write("5")


class Meter:
    """What a process and the servers use from now on: start with Meter(bed, pid), end with stop()."""

    def __init__(self, bed, pid, from_start=False):
        """`from_start` counts what the process has used before this, for one that was started for the round."""
        self.bed = bed
        self.pid = pid
        forget_peak(pid)
        self.cpu_before = 0.0 if from_start else cpu_of(pid)
        self.servers_before = bed.server_cpu()
        self.begin = time.monotonic()

    def stop(self):
        """Seconds, CPU, peak memory and the servers' CPU as keyword arguments of Sample."""
        servers = self.bed.server_cpu()
        return {"seconds": time.monotonic() - self.begin, "cpu": cpu_of(self.pid) - self.cpu_before,
                "rss": peak_memory(self.pid),
                "servers": {name: servers[name] - self.servers_before.get(name, 0.0) for name in servers}}


class Timed:
    """A program that ran to its end: exit code, output, seconds, CPU seconds and peak resident bytes."""

    def __init__(self, code, output, seconds, usage):
        self.code = code
        self.output = output
        self.seconds = seconds
        self.cpu = usage.ru_utime + usage.ru_stime
        self.rss = usage.ru_maxrss * 1024


def run_timed(command, timeout, env=None, cwd=None, stdin=None):
    """Runs a program to its end and returns a Timed; a failure or a time-out raises with what it said."""
    def bounded():
        resource.setrlimit(resource.RLIMIT_CPU, (timeout * CORES, timeout * CORES))

    begin = time.monotonic()
    with subprocess.Popen(command, stdin=stdin or subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env=env, cwd=cwd, preexec_fn=bounded) as process:
        output, usage, status = _drain(process, begin + timeout, command)
        seconds = time.monotonic() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{command[0]} ended with {process.returncode}:\n{output[-2000:]}")
    return Timed(process.returncode, output, seconds, usage)


def _drain(process, deadline, command):
    """Reads the output and reaps the process with its resource usage, which subprocess does not give."""
    parts = []
    os.set_blocking(process.stdout.fileno(), False)
    while True:
        parts.append(process.stdout.read() or b"")
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            parts.append(process.stdout.read() or b"")
            return b"".join(parts).decode(errors="replace"), usage, status
        if time.monotonic() > deadline:
            process.kill()
            raise TimeoutError(f"{command[0]} did not end in time:\n{b''.join(parts)[-2000:].decode(errors='replace')}")
        time.sleep(0.001)
