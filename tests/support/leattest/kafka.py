# SPDX-License-Identifier: Apache-2.0
"""A Kafka broker of our own: one KRaft node from the jars of ci/kafka, on free ports of 127.0.0.1.

Topics are made, read and written through librdkafka, which spares a JVM start for each command.
"""
import base64
import collections
import os
import signal
import subprocess
import tempfile
import uuid

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition, OFFSET_BEGINNING
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic

from .process import Child, free_port
from .wait import wait_until

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../.."))
# while a topic is new, or the machine has more to do than it can
UNSETTLED = (KafkaError._UNKNOWN_PARTITION, KafkaError._TIMED_OUT, KafkaError.LEADER_NOT_AVAILABLE,
             KafkaError.NOT_LEADER_FOR_PARTITION)
VERSIONS = ("3.9.1", "4.1.0")

SERVER_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://{advertised}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={data}
num.partitions=1
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
log.message.timestamp.type={timestamps}
# a broker that was killed may register again once its old session has ended
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=400
"""


class Record(collections.namedtuple("Record", "partition offset key value")):
    """A record of Kafka: key and value are bytes, value is None for a tombstone. `timestamp` is in milliseconds."""
    timestamp = None

    @property
    def text(self):
        return None if self.value is None else self.value.decode()


def archive_of(version):
    """Where the classes of a broker lie ready to be mapped, which spares each start most of its CPU time."""
    cache = os.environ.get("LEAT_CACHE") or os.path.expanduser("~/.cache/leat")
    return f"{cache}/kafka-{version}.jsa"


def make_archive(version):
    """Writes archive_of(version) if it is missing, by a broker that dumps its classes when it ends. The JVM ignores an
    archive of another JVM or of other jars."""
    path = archive_of(version)
    if os.path.exists(path):
        return
    with tempfile.TemporaryDirectory(prefix="leat-kafka-") as folder:
        broker = Kafka(f"{folder}/kafka", version)
        try:
            broker._format(f"{broker.folder}/server.properties")
            broker.jvm.append(f"-XX:ArchiveClassesAtExit={path}.{os.getpid()}")
            broker.start().create_topic("classes")
            broker.produce("classes", [(None, b"to load what serves a record")])
            broker.stop()
        finally:
            broker.kill()
    os.rename(f"{path}.{os.getpid()}", path)


class Kafka:
    """`advertised` may name the address of a proxy that stands before the broker. Records carry the broker's append
    time unless `timestamps` is "CreateTime". A broker starts and warms up cheaply, as tests want it, unless it is
    `tuned` for throughput."""

    def __init__(self, folder, version="3.9.1", heap="384m", advertised=None, timestamps="LogAppendTime",
                 settings=None, tuned=False):
        self.folder = os.path.abspath(folder)
        self.version = version
        self.heap = heap
        self.port = free_port()
        self.controller_port = free_port()
        self.bootstrap = f"127.0.0.1:{self.port}"
        self.advertised = advertised or self.bootstrap
        self.timestamps = timestamps
        self.settings = settings or {}
        self.jvm = [] if tuned else ["-XX:TieredStopAtLevel=1"]
        if os.path.exists(archive_of(version)):
            self.jvm.append(f"-XX:SharedArchiveFile={archive_of(version)}")
        self.log = f"{self.folder}/kafka.log"
        self.child = None
        self._admin = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *unused):
        self.kill()

    def start(self):
        return self.launch().wait_ready()

    def launch(self):
        """Formats the storage at the first call and starts the broker without waiting for it."""
        config = f"{self.folder}/server.properties"
        if not os.path.exists(config):
            self._format(config)
        self.child = Child("kafka", self._java("kafka.Kafka", config), self.log, cwd=self.folder)
        return self

    def _format(self, config):
        os.makedirs(self.folder, exist_ok=True)
        text = SERVER_PROPERTIES.format(port=self.port, controller=self.controller_port, advertised=self.advertised,
                                        timestamps=self.timestamps, data=f"{self.folder}/data")
        with open(config, "w") as file:
            file.write(text + "".join(f"{name}={value}\n" for name, value in self.settings.items()))
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode().replace("-", "A")
        made = subprocess.run(self._java("kafka.tools.StorageTool", "format", "-t", cluster, "-c", config),
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if made.returncode != 0:
            os.unlink(config)
            raise RuntimeError(f"kafka StorageTool failed:\n{made.stdout}")

    def _java(self, main, *arguments):
        home = subprocess.run([f"{ROOT}/ci/kafka", self.version], check=True, stdout=subprocess.PIPE,
                              text=True).stdout.strip()
        return ["java", f"-Xmx{self.heap}", "-Xms128m", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError", *self.jvm,
                "-cp", f"{home}/libs/*", main, *arguments]

    def wait_ready(self, timeout=120):
        wait_until(self._answers, timeout, lambda: f"Kafka on port {self.port}: {self.child.log_tail(5)}")
        return self

    def _answers(self):
        if not self.child.alive():
            raise RuntimeError(f"kafka ended with {self.child.process.returncode}:\n{self.child.log_tail()}")
        try:
            return bool(self.admin().list_topics(timeout=1).brokers)
        except KafkaException:
            return False

    @property
    def pid(self):
        return self.child.pid

    def running(self):
        return self.child is not None and self.child.alive()

    def stop(self):
        """A clean shutdown, which takes a second or two."""
        if self.child is not None:
            self.child.stop(signal.SIGTERM, timeout=60)

    def kill(self):
        if self.child is not None:
            self.child.kill()

    def restart(self):
        self.stop()
        return self.start()

    def pause(self):
        self.child.pause()

    def resume(self):
        self.child.resume()

    def _client(self, **more):
        return dict({"bootstrap.servers": self.bootstrap, "log_level": 0, "reconnect.backoff.max.ms": 200}, **more)

    def admin(self):
        if self._admin is None:
            self._admin = AdminClient(self._client())
        return self._admin

    def topics(self):
        """name -> number of partitions, without Kafka's own topics."""
        found = self.admin().list_topics(timeout=10).topics
        return {name: len(topic.partitions) for name, topic in found.items() if not name.startswith("__")}

    def create_topic(self, name, partitions=1, config=None):
        made = self.admin().create_topics([NewTopic(name, partitions, 1, config=config or {})], operation_timeout=10)
        made[name].result()
        wait_until(lambda: self.topics().get(name) == partitions, 10, f"topic {name}")
        return name

    def delete_topic(self, name):
        self.admin().delete_topics([name], operation_timeout=10)[name].result()
        wait_until(lambda: name not in self.topics(), 10, f"the end of topic {name}")

    def topic_config(self, name):
        """setting -> value"""
        resource = ConfigResource(ConfigResource.Type.TOPIC, name)
        entries = self.admin().describe_configs([resource])[resource].result()
        return {key: entry.value for key, entry in entries.items()}

    def ends(self, topic, isolation="read_committed"):
        """partition -> (first offset, end offset); the end is the last stable one under read_committed."""
        consumer = self._consumer(isolation)

        def ask():
            try:
                return {partition: consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=10)
                        for partition in consumer.list_topics(topic, timeout=10).topics[topic].partitions}
            except KafkaException as error:
                if error.args[0].code() in UNSETTLED:
                    return None
                raise

        try:
            return wait_until(ask, 60, f"the ends of topic {topic}", every=0.1)
        finally:
            consumer.close()

    def _consumer(self, isolation):
        return Consumer(self._client(**{"group.id": f"leattest-{uuid.uuid4()}", "enable.auto.commit": False,
                                        "enable.partition.eof": True, "isolation.level": isolation,
                                        "fetch.wait.max.ms": 10, "auto.offset.reset": "earliest"}))

    def read_topic(self, topic, isolation="read_committed", timeout=60):
        """Every record that the topic holds now, partition by partition in the order of offsets."""
        with TopicReader(self, topic, isolation) as reader:
            return sorted(reader.read_to_end(timeout), key=lambda record: (record.partition, record.offset))

    def last_by_key(self, topic, timeout=60):
        """What a compacted topic means: key -> value of its last record, without the deleted keys."""
        table = {}
        for record in self.read_topic(topic, timeout=timeout):
            if record.value is None:
                table.pop(record.key, None)
            else:
                table[record.key] = record.value
        return table

    def reader(self, topic, isolation="read_committed"):
        return TopicReader(self, topic, isolation)

    def produce(self, topic, records, partition=None, timeout=60, **config):
        """Writes (key, value) pairs, in order, and waits until all are durable; str is taken as UTF-8."""
        producer = Producer(self._client(**{"enable.idempotence": True, "linger.ms": 1}, **config))
        errors = []
        where = {} if partition is None else {"partition": partition}
        for key, value in records:
            while True:
                try:
                    producer.produce(topic, key=key, value=value, **where,
                                     on_delivery=lambda error, message: error and errors.append(error))
                    break
                except BufferError:
                    producer.poll(0.1)
            producer.poll(0)
        left = producer.flush(timeout)
        if left or errors:
            raise RuntimeError(f"could not write to topic {topic}: {left} unsent, {errors[:3]}")


class TopicReader:
    """Reads a topic from its beginning and can go on as it grows."""

    def __init__(self, kafka, topic, isolation):
        self.topic = topic
        self.consumer = kafka._consumer(isolation)
        found = self.consumer.list_topics(topic, timeout=10).topics[topic]
        if found.error is not None:
            raise KafkaException(found.error)
        self.at_end = {partition: False for partition in found.partitions}
        self.consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in found.partitions])

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()

    def close(self):
        self.consumer.close()

    def poll(self, timeout=0.1):
        """The records that come within `timeout`, at most a thousand."""
        records = []
        for message in self.consumer.consume(1000, timeout):
            error = message.error()
            if error is None:
                record = Record(message.partition(), message.offset(), message.key(), message.value())
                record.timestamp = message.timestamp()[1]
                records.append(record)
                self.at_end[message.partition()] = False
            elif error.code() == KafkaError._PARTITION_EOF:
                self.at_end[message.partition()] = True
            elif not error.retriable() and error.code() not in (KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN):
                raise KafkaException(error)
        return records

    def read_to_end(self, timeout=60):
        """The records up to the end of every partition."""
        records = []

        def ended():
            records.extend(self.poll(0.02))
            return all(self.at_end.values())

        wait_until(ended, timeout, lambda: f"the end of topic {self.topic} after {len(records)} records", every=0)
        return records
