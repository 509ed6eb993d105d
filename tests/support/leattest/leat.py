# SPDX-License-Identifier: Apache-2.0
"""The program under test: `leat run` as a child, its health, its metrics and its log."""
import http.client
import json
import os
import re
import signal
import subprocess

from .process import Child, free_port
from .wait import wait_until

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../.."))
METRIC = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')


def binary(build="release"):
    """The program of a CMake preset; `asan` and `debug` have the fault points. LEAT_BINARY overrides the release."""
    if build != "release":
        return f"{ROOT}/build-{build}/leat"
    return os.path.abspath(os.environ.get("LEAT_BINARY", f"{ROOT}/build/leat"))


class Leat:
    """Runs pipeline files. A text with a line break is a pipeline itself and is written to a file first. The pipeline
    reads its addresses from the environment: LEAT_HTTP and LEAT_DATA are set here, the rest comes in `env`."""

    def __init__(self, pipeline, folder, env=None, arguments=(), build="release"):
        self.folder = os.path.abspath(folder)
        os.makedirs(self.folder, exist_ok=True)
        if "\n" in pipeline:
            self.write(pipeline)
        else:
            self.pipeline = os.path.abspath(pipeline)
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.data = f"{self.folder}/data"
        self.log = f"{self.folder}/leat.log"
        self.env = dict(os.environ, LEAT_HTTP=self.address, LEAT_DATA=self.data,
                        ASAN_OPTIONS="detect_leaks=1:exitcode=99", **(env or {}))
        self.arguments = list(arguments)
        self.binary = binary(build)
        self.child = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *unused):
        if self.child is not None:
            self.child.stop(timeout=10)

    def write(self, text):
        """Replaces the pipeline; what runs does not see it before the next start."""
        self.pipeline = f"{self.folder}/pipeline.toml"
        with open(self.pipeline, "w") as file:
            file.write(text)

    def start(self, timeout=30):
        return self.launch().wait_ready(timeout)

    def launch(self):
        self.child = Child("leat", [self.binary, "run", *self.arguments, self.pipeline], self.log, env=self.env,
                           cwd=self.folder)
        return self

    def wait_ready(self, timeout=30):
        wait_until(lambda: self.ready() or self._ended(), timeout,
                   lambda: f"leat to be ready: {self.get('/health/ready')}\n{self.child.log_tail(15)}")
        return self

    def _ended(self):
        if not self.child.alive():
            raise AssertionError(f"leat ended with {self.child.process.returncode}:\n{self.child.log_tail(40)}")
        return False

    def ready(self):
        return self.get("/health/ready")[0] == 200

    def get(self, path, timeout=5):
        """(status, body); (0, reason) when there is no answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except (OSError, http.client.HTTPException) as error:
            return 0, str(error)
        finally:
            connection.close()

    def health(self):
        return json.loads(self.get("/health")[1])

    def metrics(self):
        """(name, ((label, value), …)) -> number"""
        status, text = self.get("/metrics")
        if status != 200:
            raise RuntimeError(f"/metrics answered {status} {text}")
        found = {}
        for line in text.splitlines():
            match = METRIC.match(line)
            if match and not line.startswith("#"):
                labels = tuple(sorted(LABEL.findall(match.group(2) or "")))
                found[match.group(1), labels] = float(match.group(3))
        return found

    def metric(self, name, **labels):
        """The sum over every series of that name that has these labels; None when there is none."""
        wanted = set(labels.items())
        values = [value for (found, pairs), value in self.metrics().items()
                  if found == name and wanted <= set(pairs)]
        return sum(values) if values else None

    @property
    def pid(self):
        return self.child.pid

    def running(self):
        return self.child is not None and self.child.alive()

    def kill(self):
        self.child.kill()

    def terminate(self, timeout=30, code=0):
        """SIGTERM, which ends with a last checkpoint; the exit code must be 0, or that of a job that had failed."""
        found = self.child.stop(signal.SIGTERM, timeout)
        if found != code:
            raise AssertionError(f"leat ended with {found} after SIGTERM:\n{self.child.log_tail(40)}")

    def restart(self, timeout=30):
        self.terminate()
        return self.start(timeout)

    def wait_end(self, timeout=30):
        """Waits until it ends by itself; returns the exit code."""
        return self.child.wait(timeout)

    def pause(self):
        self.child.pause()

    def resume(self):
        self.child.resume()

    def memory(self):
        return self.child.memory()

    def cpu_seconds(self):
        return self.child.cpu_seconds()

    def log_text(self):
        return self.child.log_text()

    def logged(self, pattern):
        """The first line of the log in which the regular expression is found; None when there is none."""
        for line in self.log_text().splitlines():
            if re.search(pattern, line):
                return line
        return None

    def wait_logged(self, pattern, timeout=15):
        return wait_until(lambda: self.logged(pattern), timeout,
                          lambda: f"the message {pattern!r} in the log:\n{self.child.log_tail(20)}")


def run_verb(*arguments, env=None, cwd=None, timeout=60, text_in=None):
    """A verb that ends by itself (check, plan, plugins, sql …): the completed process with stdout and stderr."""
    return subprocess.run([binary(), *arguments], cwd=cwd or ROOT, env=dict(os.environ, **(env or {})), text=True,
                          input=text_in or "", stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout)
