# SPDX-License-Identifier: Apache-2.0
"""CPU seconds and resident memory of whole processes, read from /proc: nothing inside them knows that it is measured.

The CPU time of a server that works in child processes (PostgreSQL) is that of its first process, of the children that
live and of those that were waited for.
"""
import os
import select
import signal
import subprocess
import time

from leattest.process import LIBC, PR_SET_PDEATHSIG

TICK = os.sysconf("SC_CLK_TCK")
CORES = os.cpu_count()
SAID = 1 << 16  # bytes of a program's output that are kept


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

    def __init__(self, code, output, seconds, cpu, rss):
        self.code = code
        self.output = output
        self.seconds = seconds
        self.cpu = cpu
        self.rss = rss


def run_timed(command, timeout, env=None, cwd=None):
    """Runs a program to its end and returns a Timed; a failure or a time-out raises with what it said. The program
    never outlives this call, however that ends."""
    def before_exec():
        LIBC.prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL))

    # the kernel counts our own memory as the peak of a child until it has more: fork copies it, exec does not forget
    floor = peak_memory(os.getpid())
    begin = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               env=env, cwd=cwd, preexec_fn=before_exec)
    try:
        output, seen = _follow(process, begin + timeout)
        seconds = time.monotonic() - begin
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    except BaseException:  # Ctrl-C and the runner's alarm too
        process.kill()
        process.wait()
        raise
    finally:
        process.stdout.close()
    name = os.path.basename(command[0])
    if process.returncode != 0:
        raise RuntimeError(f"{name} ended with {process.returncode}:\n{output[-2000:]}")
    peak = usage.ru_maxrss * 1024
    return Timed(0, output, seconds, usage.ru_utime + usage.ru_stime, peak if peak > floor else seen)


def _follow(process, deadline):
    """The last of what the program says until it ends, and its largest memory by a look every 10 ms (None when it was
    quicker). It is left as a zombie, for its resource usage."""
    said, peak = b"", 0
    output, end = process.stdout.fileno(), os.pidfd_open(process.pid)
    watched = select.poll()
    watched.register(output, select.POLLIN)
    watched.register(end, select.POLLIN)
    try:
        while time.monotonic() < deadline:
            ready = [descriptor for descriptor, _ in watched.poll(10)]
            if output in ready:
                more = os.read(output, SAID)
                said = (said + more)[-SAID:]
                if not more:
                    watched.unregister(output)
            elif end in ready:  # and nothing more to be read
                return said.decode(errors="replace"), peak or None
            else:
                peak = max(peak, peak_memory(process.pid) or 0)
        raise TimeoutError(f"{os.path.basename(process.args[0])} did not end in time; it said:\n"
                           + said[-2000:].decode(errors="replace"))
    finally:
        os.close(end)
