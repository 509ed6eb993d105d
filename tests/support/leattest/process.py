# SPDX-License-Identifier: Apache-2.0
"""Child processes that never outlive us, and ports that nobody else takes.

Every child is in one registry; it is stopped when its owner says so, when the interpreter ends (also by SIGINT and
SIGTERM), and by the kernel when we are killed. Children must be started from a thread that lives as long as they
shall: the kernel's death signal follows the thread.
"""
import atexit
import ctypes
import fcntl
import os
import pwd
import random
import signal
import socket
import subprocess
import threading

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True)
PORT_LOCKS = "/tmp/leat-ports"
# Below the kernel's ephemeral range, so that no outgoing connection takes a port between two starts of a server.
PORT_RANGE = range(20000, 32000)

_outlive_us = False
_children = []
_ports = {}
_lock = threading.Lock()


def free_port():
    """A TCP port of 127.0.0.1 that is ours until this process ends, also among other runs on the same machine."""
    if not os.path.isdir(PORT_LOCKS):
        os.makedirs(PORT_LOCKS, exist_ok=True)
        os.chmod(PORT_LOCKS, 0o777)  # runs of other users lock their ports here too
    for port in random.SystemRandom().sample(PORT_RANGE, 500):
        if port in _ports:
            continue
        try:
            lock = os.open(f"{PORT_LOCKS}/{port}", os.O_CREAT | os.O_RDONLY | os.O_CLOEXEC, 0o666)
        except PermissionError:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", port))
        except OSError:
            os.close(lock)
            continue
        _ports[port] = lock
        return port
    raise RuntimeError("no free port between 20000 and 32000")


def server_user():
    """The account for servers that refuse to run as root; None when we are not root."""
    return pwd.getpwnam("postgres") if os.getuid() == 0 else None


class Child:
    """One running program. Its output goes to a log file, which survives restarts and is appended to."""

    def __init__(self, name, command, log, env=None, cwd=None, user=None, on_our_death=signal.SIGKILL):
        self.name = name
        self.log = log
        self.exit_code = None
        identity = {}
        if user is not None:
            identity = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}

        def before_exec():
            if not _outlive_us:
                LIBC.prctl(PR_SET_PDEATHSIG, int(on_our_death))
            signal.signal(signal.SIGINT, signal.SIG_DFL)

        with open(log, "ab") as output:
            # a session of its own keeps Ctrl-C for us, who then stop the children in order
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=env,
                                            cwd=cwd, start_new_session=True, preexec_fn=before_exec, **identity)
        self.pid = self.process.pid
        with _lock:
            _children.append(self)

    def alive(self):
        return self.process.poll() is None

    def send(self, number):
        if self.alive():
            os.kill(self.pid, number)

    def pause(self):
        self.send(signal.SIGSTOP)

    def resume(self):
        self.send(signal.SIGCONT)

    def kill(self):
        """kill -9, as a crash would be."""
        self.stop(signal.SIGKILL)

    def stop(self, number=signal.SIGTERM, timeout=30):
        """Sends the signal and waits for the end; a child that does not go in time is killed. Returns its exit code."""
        if self.alive():
            self.send(number)
            self.resume()
            try:
                self.process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        return self.forget()

    def wait(self, timeout):
        """Waits for the program to end by itself."""
        self.process.wait(timeout)
        return self.forget()

    def forget(self):
        self.exit_code = self.process.returncode
        with _lock:
            if self in _children:
                _children.remove(self)
        return self.exit_code

    def log_text(self):
        with open(self.log, errors="replace") as file:
            return file.read()

    def log_tail(self, lines=30):
        return "\n".join(self.log_text().splitlines()[-lines:])

    def memory(self):
        """Resident bytes."""
        with open(f"/proc/{self.pid}/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def cpu_seconds(self):
        with open(f"/proc/{self.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def children():
    """The children that run now; a mark for stop_children."""
    with _lock:
        return list(_children)


def stop_children(keep=()):
    """Stops, newest first, every child that is not in `keep`."""
    for child in reversed(children()):
        if child not in keep:
            child.stop(signal.SIGINT if child.name == "postgres" else signal.SIGTERM, timeout=5)


def let_children_outlive_us():
    """For a demo that leaves its servers running: the kernel's death signal is not asked for any more. They are still
    stopped at our end until release_children() is called."""
    global _outlive_us
    _outlive_us = True


def release_children():
    with _lock:
        _children.clear()


def _stop_and_die(number, frame):
    raise KeyboardInterrupt


atexit.register(stop_children)
if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGTERM, _stop_and_die)
    signal.signal(signal.SIGHUP, _stop_and_die)
