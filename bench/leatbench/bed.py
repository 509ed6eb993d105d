# SPDX-License-Identifier: Apache-2.0
"""The bed: the servers that benches share, started when first asked for, and leat started on them.

The servers run as a user would run them: fsync on, checkpoints as they come; only the log that PostgreSQL keeps
between its checkpoints is larger than the default, so that a round is not one checkpoint after the other.
"""
import itertools
import os
import re
import shutil
import subprocess
import tempfile

from confluent_kafka import TopicPartition

from leattest import Kafka, Leat, Postgres, children, orders, wait_until
from leattest.postgres import binaries

from .measure import cpu_of, cpu_of_tree, run_timed

PG_SETTINGS = {"max_wal_size": "8GB", "shared_buffers": "512MB", **orders.SETTINGS}


class Bed:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="leat-bench-")
        os.chmod(self.folder, 0o755)  # PostgreSQL's account must pass
        self._pg = None
        self._kafka = None
        self._numbers = itertools.count(1)

    def close(self):
        for child in reversed(children()):
            child.stop(timeout=20)
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def pg(self):
        """The PostgreSQL server, durable, with commit timestamps."""
        if self._pg is None:
            self._pg = Postgres(f"{self.folder}/pg", durable=True, settings=PG_SETTINGS).start()
        return self._pg

    @property
    def kafka(self):
        """The broker; records carry its append time."""
        if self._kafka is None:
            self._kafka = Kafka(f"{self.folder}/kafka", heap="1g", tuned=True).start()
        return self._kafka

    def server_cpu(self):
        """{server: CPU seconds since its start} of the servers that run."""
        found = {}
        if self._pg is not None and self._pg.running():
            found["PostgreSQL"] = cpu_of_tree(self._pg.pid)
        if self._kafka is not None and self._kafka.running():
            found["Kafka"] = cpu_of(self._kafka.pid)
        return found

    def unique(self, word):
        """A name for a topic, slot, table or database that nothing else uses."""
        return f"{word}_{next(self._numbers)}"

    def leat(self, pipeline, env=None, folder=None):
        """A leattest.Leat, not yet started, in a folder of its own. launch() starts it, stop() of its child ends it."""
        return Leat(pipeline, folder or f"{self.folder}/{self.unique('leat')}", env)

    def leat_cpu(self):
        """CPU seconds of every leat that runs; one that has ended is among this program's children."""
        return sum(cpu_of(child.pid) for child in children() if child.name == "leat" and child.alive())

    def stop_leats(self):
        """Ends what a bench left running, which happens when it fails."""
        for child in reversed(children()):
            if child.name == "leat":
                child.kill()

    # --- PostgreSQL's logical decoding

    def publish(self, database, table):
        """A publication of one table, and the name of a slot that stands before everything that comes later."""
        name = self.unique("bench")
        self.pg.query(f"CREATE PUBLICATION {name} FOR TABLE {table}", database=database)
        self.pg.query("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", (name,), database)
        return name

    def copy_slot(self, slot, database):
        """An equal slot for one round; drop_slot takes it away."""
        name = self.unique("round")
        self.pg.query("SELECT pg_copy_logical_replication_slot(%s, %s)", (slot, name), database)
        return name

    def drop_slot(self, name):
        wait_until(lambda: not self.pg.value("SELECT active FROM pg_replication_slots WHERE slot_name = %s", (name,)),
                   30, f"slot {name} to be free")
        self.pg.query("SELECT pg_drop_replication_slot(%s)", (name,))

    def drain(self, slot, publication, database, end, host=None, timeout=300):
        """The rival of every bench that reads a slot: pg_recvlogical with pgoutput, protocol 1, to /dev/null, up to the
        LSN `end`. `host` is TCP on 127.0.0.1 unless it is the folder of the unix socket. Returns a Timed."""
        return run_timed([f"{binaries()}/pg_recvlogical", "-h", host or self.pg.host, "-p", str(self.pg.port), "-U",
                          "postgres", "-d", database, "--slot", slot, "--start", "--no-loop", "-f", "/dev/null",
                          "--endpos", end, "-o", "proto_version=1", "-o", f"publication_names={publication}"], timeout)

    # --- waiting for the last row

    def wait_metric(self, leat, name, value, timeout):
        """Waits until a counter of leat, summed over its nodes, reaches `value`. Asks every 50 ms: each answer costs
        both sides a fraction of a millisecond."""
        line = re.compile(rf"^{name}(?:{{[^}}]*}})? (\S+)$", re.MULTILINE)

        def reached():
            if not leat.running():
                raise RuntimeError(f"leat has ended:\n{leat.child.log_tail()}")
            return sum(float(found) for found in line.findall(leat.get("/metrics")[1])) >= value
        wait_until(reached, timeout, lambda: f"{name} to reach {value}\n{leat.child.log_tail()}", every=0.05)

    def wait_records(self, topic, count, timeout=300):
        """Waits until a topic holds so many records; returns when the last of them was appended (seconds since 1970,
        by the broker's clock, which is ours)."""
        def there():
            return topic in self.kafka.topics() and sum(end for _, end in self.kafka.ends(topic).values()) >= count
        wait_until(there, timeout, lambda: f"{count} records in topic {topic}", every=0.02)
        return self.last_append(topic)

    def last_append(self, topic):
        consumer = self.kafka._consumer("read_committed")
        try:
            latest = 0
            for partition, (first, end) in self.kafka.ends(topic).items():
                if end > first:
                    consumer.assign([TopicPartition(topic, partition, end - 1)])
                    message = wait_until(lambda: consumer.poll(1), 20, f"the last record of {topic}", every=0)
                    latest = max(latest, message.timestamp()[1])
            return latest / 1000
        finally:
            consumer.close()


def build(targets):
    """Builds cmake targets of the release preset."""
    if targets:
        subprocess.run(["ci/build", "release", *targets], check=True, stdout=subprocess.DEVNULL,
                       cwd=os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
