# SPDX-License-Identifier: Apache-2.0
"""The postgres-cdc plugin on the test host (tests/unit/postgres-cdc/drive.c), its rows, and a table made from them."""
import os
import signal
import subprocess

from leattest import wait_until
from leattest.leat import ROOT


def shown(rows):
    return [tuple(text[:40] for text in row) for row in rows[:3]]


class Driven:
    """One node in a folder: rows and checkpoints are kept over restarts, as with a pipeline."""

    def __init__(self, pg, db, folder, tables="t", schema="public", slot="leat_slot", fault=None, arguments=(), **options):
        self.folder = folder
        os.makedirs(folder, exist_ok=True)
        self.options = {"hostname": pg.host, "port": pg.port, "username": "postgres", "database-name": db,
                        "schema-name": schema, "table-name": tables, "slot.name": slot}
        self.options.update({name.replace("_", ".", 1) if "." not in name else name: value
                             for name, value in options.items()})
        self.build = os.environ.get("PGCDC_BUILD", "asan")  # has the fault points; so has debug
        self.fault = fault
        self.arguments = list(arguments)
        self.process = None
        # slots of tests before this one, in their databases, would use up the server's
        pg.query("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE NOT active AND database <> %s",
                 (db,))

    def start(self):
        program = f"{ROOT}/build-{self.build}/tests/pgcdc_drive"
        pairs = [str(text) for pair in self.options.items() for text in pair]
        env = dict(os.environ, ASAN_OPTIONS="detect_leaks=1:exitcode=99", TESTHOST_VERBOSE="1")
        if self.fault:
            env["LEAT_FAULT"] = self.fault
        if os.path.exists(f"{self.folder}/error"):
            os.remove(f"{self.folder}/error")
        self.cut_rows()
        with open(f"{self.folder}/log", "ab") as log:
            self.process = subprocess.Popen([program, self.folder, *self.arguments, *pairs], env=env, stderr=log,
                                            stdout=log)
        return self

    def cut_rows(self):
        """Takes away what a kill left of a row."""
        path = f"{self.folder}/rows"
        if os.path.exists(path):
            with open(path, "rb") as file:
                end = file.read().rfind(b"\x1e\n")
            os.truncate(path, end + 2 if end >= 0 else 0)

    def __enter__(self):
        return self.start()

    def __exit__(self, *unused):
        self.kill()

    def running(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        if self.running():
            self.process.kill()
        if self.process:
            self.process.wait()

    def stop(self):
        """A last checkpoint, then the end."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=30)
        assert code == 0, f"pgcdc_drive ended with {code}: {self.error()}"

    def wait_end(self, timeout=30):
        return self.process.wait(timeout=timeout)

    def error(self):
        try:
            with open(f"{self.folder}/error") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def log(self):
        with open(f"{self.folder}/log") as file:
            return file.read()

    def rows(self, port=None):
        """(kind, values) of every whole row so far."""
        try:
            with open(f"{self.folder}/rows", "rb") as file:
                parts = file.read().decode().split("\x1e\n")[:-1]
        except FileNotFoundError:
            return []
        found = []
        for part in parts:
            port_name, kind, *row = part.split("\x1f")
            if port is None or port_name == port:
                found.append((kind, row))
        return found

    def table(self, port=None, key=(0,)):
        """The rows applied by key."""
        held = {}
        for kind, row in self.rows(port):
            name = tuple(row[i] for i in key)
            if kind in ("+I", "+U"):
                held[name] = row
            elif kind == "-D":
                held.pop(name, None)
        return held

    def wait_rows(self, count, port=None, timeout=20):
        wait_until(lambda: len(self.rows(port)) >= count or not self.running(), timeout,
                   lambda: f"{count} rows, there are {len(self.rows(port))}")
        assert len(self.rows(port)) >= count, f"{self.error()}{self.log()[-2000:]}"
        return self.rows(port)

    def wait_table(self, pg, db, query, port=None, key=(0,), timeout=30):
        """Until the table made from the rows is the query's result; the query gives texts."""
        def same():
            if not self.running():
                raise AssertionError(f"pgcdc_drive ended with {self.process.returncode}: {self.error()}")
            return sorted(map(tuple, self.table(port, key).values())) == want
        want = sorted(tuple("NULL" if value is None else value for value in row) for row in pg.query(query, database=db))
        try:
            wait_until(same, timeout, "the same table")
        except TimeoutError:
            have = sorted(map(tuple, self.table(port, key).values()))
            missing, extra = sorted(set(want) - set(have)), sorted(set(have) - set(want))
            raise AssertionError(f"{len(missing)} rows missing: {shown(missing)}, {len(extra)} too many: {shown(extra)}")

