# SPDX-License-Identifier: Apache-2.0
"""The bed: the servers that benches share, started when first asked for, and leat started on them.

The servers run as a user would run them: fsync on, checkpoints as they come; only the log that PostgreSQL keeps
between its checkpoints is larger than the default, so that a round is not one checkpoint after the other.
"""
import itertools
import os
import re
import shutil
import signal
import subprocess
import tempfile

from confluent_kafka import KafkaException, TopicPartition

from leattest import Kafka, Leat, Postgres, children, orders, wait_until
from leattest.kafka import UNSETTLED
from leattest.postgres import binaries

from .measure import cpu_of, cpu_of_tree, run_timed

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PG_SETTINGS = {"max_wal_size": "8GB", "shared_buffers": "512MB", **orders.SETTINGS}


class Bed:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="leat-bench-")
        os.chmod(self.folder, 0o755)  # PostgreSQL's account must pass
        self._pg = None
        self._kafka = None
        self._numbers = itertools.count(1)

    def close(self):
        """Ends what runs, which writes nothing worth keeping, and removes the folder. A further Ctrl-C is not heard
        meanwhile: it would leave both."""
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            for child in reversed(children()):
                # PostgreSQL's immediate end takes its shared memory along
                child.stop({"postgres": signal.SIGQUIT, "leat": signal.SIGKILL}.get(child.name, signal.SIGTERM), 10)
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)
            signal.signal(signal.SIGINT, before)

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
        """Waits until a counter of leat, summed over its nodes, reaches `value`, and fails when it goes beyond. Asks
        every 50 ms: each answer costs both sides a fraction of a millisecond."""
        line = re.compile(rf"^{name}(?:{{[^}}]*}})? (\S+)$", re.MULTILINE)

        def count():
            must_run(leat)
            return sum(float(found) for found in line.findall(leat.get("/metrics")[1]))
        wait_until(lambda: count() >= value, timeout, lambda: f"{name} to reach {value}\n{leat.child.log_tail()}",
                   every=0.05)
        if count() != value:
            raise RuntimeError(f"{name} is {count():.0f} where {value} rows were given")

    def wait_records(self, leat, topic, count, timeout=280):
        """Waits until a topic holds so many records, and fails when there are more; returns when the last of them was
        appended (seconds since 1970, by the broker's clock, which is ours). Asks every 50 ms, over one connection."""
        consumer = self.kafka._consumer("read_committed")

        def there():
            must_run(leat)
            found = ends(consumer, topic)
            return found if sum(found.values()) >= count else None
        try:
            found = wait_until(there, timeout, lambda: f"{count} records in topic {topic}\n{leat.child.log_tail()}",
                               every=0.05)
            if sum(found.values()) != count:
                raise RuntimeError(f"topic {topic} holds {sum(found.values())} records where {count} rows were given")
            return max(record(consumer, topic, partition, end - 1).timestamp()[1]
                       for partition, end in found.items() if end) / 1000
        finally:
            consumer.close()

    def last_value(self, topic):
        """The value of the last record of a topic's first partition."""
        consumer = self.kafka._consumer("read_committed")
        try:
            return record(consumer, topic, 0, ends(consumer, topic)[0] - 1).value()
        finally:
            consumer.close()


def must_run(leat):
    if not leat.running():
        raise RuntimeError(f"leat has ended:\n{leat.child.log_tail()}")


def ends(consumer, topic):
    """partition -> end offset; nothing while the topic is not there yet."""
    try:
        return {partition: consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=10)[1]
                for partition in consumer.list_topics(topic, timeout=10).topics[topic].partitions}
    except KafkaException as error:
        if error.args[0].code() in UNSETTLED:
            return {}
        raise


def record(consumer, topic, partition, offset):
    def read():
        message = consumer.poll(1)
        return message if message is not None and message.error() is None else None
    consumer.assign([TopicPartition(topic, partition, offset)])
    return wait_until(read, 20, f"record {offset} of topic {topic}", every=0)


def build(targets):
    """Builds cmake targets of the release preset."""
    if not targets:
        return
    ran = subprocess.run(["ci/build", "release", *targets], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, text=True)
    if ran.returncode != 0:
        raise RuntimeError(f"{' '.join(targets)} could not be built:\n{ran.stdout[-3000:]}")
