# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL cluster of our own: initdb, postgres as a direct child, trust on 127.0.0.1, wal_level = logical."""
import os
import shutil
import signal
import subprocess

import psycopg2

from .process import Child, free_port, server_user
from .wait import wait_until

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "wal_level": "logical",
    "max_wal_senders": "50",
    "max_replication_slots": "50",
    "max_connections": "100",
    "log_min_messages": "warning",
    "log_line_prefix": "%m [%p] %a ",
    # without a collector everything goes to stderr, which is our log file
    "logging_collector": "off",
}
SOCKET_PATH = 108


def binaries():
    """The folder of PostgreSQL's server programs: LEAT_PG_BIN or Debian's 15."""
    folder = os.environ.get("LEAT_PG_BIN", "/usr/lib/postgresql/15/bin")
    if not os.path.exists(f"{folder}/postgres"):
        raise FileNotFoundError(f"no PostgreSQL server in {folder}; run ci/setup servers")
    return folder


class Postgres:
    """`folder` must be reachable by the account `postgres` when we are root. `durable=False` turns fsync off, which
    changes nothing for tests that kill processes but not the machine."""

    def __init__(self, folder, durable=False, settings=None, name="postgres"):
        self.folder = os.path.abspath(folder)
        self.data = f"{self.folder}/data"
        self.log = f"{self.folder}/{name}.log"
        self.port = free_port()
        self.host = "127.0.0.1"
        self.user = server_user()
        # everything here goes by TCP; a socket is for people, where its path has room for one
        fits = len(f"{self.folder}/.s.PGSQL.{self.port}.lock") < SOCKET_PATH
        self.settings = dict(SETTINGS, unix_socket_directories=self.folder if fits else "")
        if not durable:
            self.settings.update(fsync="off", full_page_writes="off")
        self.settings.update(settings or {})
        self.child = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *unused):
        self.stop("immediate")

    def start(self):
        """Makes the cluster at the first call, starts the server and waits until it answers."""
        return self.launch().wait_ready()

    def launch(self):
        """Starts the server without waiting for it."""
        if not os.path.exists(f"{self.data}/PG_VERSION"):
            self._initdb()
        command = [f"{binaries()}/postgres", "-D", self.data, "-p", str(self.port)]
        for name, value in self.settings.items():
            command += ["-c", f"{name}={value}"]
        self.child = Child("postgres", command, self.log, env=self._env(), cwd=self.folder, user=self.user,
                           on_our_death=signal.SIGQUIT)
        return self

    def wait_ready(self, timeout=30):
        wait_until(self._answers, timeout, lambda: f"PostgreSQL on port {self.port}: {self.child.log_tail(5)}")
        return self

    def _answers(self):
        if not self.child.alive():
            raise RuntimeError(f"postgres ended with {self.child.process.returncode}:\n{self.child.log_tail()}")
        try:
            self.connect().close()
            return True
        except psycopg2.OperationalError:
            return False

    def _initdb(self):
        os.makedirs(self.folder, exist_ok=True)
        identity = {}
        if self.user is not None:
            os.chown(self.folder, self.user.pw_uid, self.user.pw_gid)
            identity = {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []}
        shutil.rmtree(self.data, ignore_errors=True)
        made = subprocess.run([f"{binaries()}/initdb", "-D", self.data, "-A", "trust", "-E", "UTF8", "-U", "postgres",
                               "--locale=C", "--no-sync", "--no-instructions"], cwd=self.folder, env=self._env(),
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              **identity)
        if made.returncode != 0:
            raise RuntimeError(f"initdb failed:\n{made.stdout}")

    def _env(self):
        keep = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
        return dict(keep, HOME=self.folder, LC_ALL="C", TZ="UTC")

    @property
    def pid(self):
        return self.child.pid

    def running(self):
        return self.child is not None and self.child.alive()

    def stop(self, mode="fast"):
        """`smart`, `fast` or `immediate`, as pg_ctl stop -m."""
        if self.child is not None:
            self.child.stop({"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}[mode])

    def kill(self):
        """kill -9 of the postmaster; its backends notice and go by themselves, and until they have gone the shared
        memory is in use and a new postmaster refuses to start."""
        members = self._members()
        self.child.kill()
        wait_until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in members), 20, "the backends' end")

    def _members(self):
        with open(f"/proc/{self.pid}/task/{self.pid}/children") as file:
            return [int(pid) for pid in file.read().split()]

    def restart(self, mode="fast"):
        self.stop(mode)
        return self.start()

    def pause(self):
        """SIGSTOP to the postmaster and every backend: connections stay open and nothing answers."""
        self._frozen = [self.pid, *self._members()]
        for pid in self._frozen:
            os.kill(pid, signal.SIGSTOP)

    def resume(self):
        for pid in self._frozen:
            try:
                os.kill(pid, signal.SIGCONT)
            except ProcessLookupError:
                pass

    def dsn(self, database="postgres"):
        return f"host={self.host} port={self.port} user=postgres dbname={database} connect_timeout=5"

    def connect(self, database="postgres", autocommit=True):
        connection = psycopg2.connect(self.dsn(database), application_name="leattest")
        connection.autocommit = autocommit
        return connection

    def query(self, sql, parameters=None, database="postgres"):
        """Runs one or more statements on a connection of its own; returns the last one's rows, None without rows."""
        connection = self.connect(database)
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql, parameters)
                return cursor.fetchall() if cursor.description else None
        finally:
            connection.close()

    def value(self, sql, parameters=None, database="postgres"):
        """The first column of the first row; None without rows."""
        rows = self.query(sql, parameters, database)
        return rows[0][0] if rows else None

    def psql(self, script, database="postgres"):
        """Runs a script with psql, where \\copy and the like are needed; returns its output, unaligned."""
        ran = subprocess.run([f"{binaries()}/psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", self.host, "-p",
                              str(self.port), "-U", "postgres", "-d", database], input=script, text=True,
                             env=self._env(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if ran.returncode != 0:
            raise RuntimeError(f"psql failed: {ran.stderr}")
        return ran.stdout

    def create_database(self, name, script=None):
        """A fresh database of that name, with the script (SQL text) loaded into it."""
        self.query(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        self.query(f'CREATE DATABASE "{name}"')
        if script:
            self.query(script, database=name)
        return name

    def drop_slots(self, like="%"):
        """Drops slots whose name matches, after ending the walsenders that hold them."""
        self.terminate_backends("slot_name IS NOT NULL AND slot_name LIKE %s", (like,))
        wait_until(lambda: self.value("SELECT count(*) FROM pg_replication_slots WHERE active AND slot_name LIKE %s",
                                      (like,)) == 0, 10, "the slots to be free")
        self.query("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name LIKE %s",
                   (like,))

    def terminate_backends(self, where="application_name IS DISTINCT FROM 'leattest'", parameters=None):
        """pg_terminate_backend on every client backend or walsender that fits; returns how many."""
        return self.value(
            "SELECT count(pg_terminate_backend(a.pid)) FROM pg_stat_activity a LEFT JOIN pg_replication_slots s "
            "ON s.active_pid = a.pid WHERE a.pid <> pg_backend_pid() AND a.backend_type IN "
            f"('client backend', 'walsender') AND ({where})", parameters)

    def walsender_pids(self):
        return [row[0] for row in self.query("SELECT pid FROM pg_stat_replication ORDER BY pid")]
