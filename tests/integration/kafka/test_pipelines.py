# SPDX-License-Identifier: Apache-2.0
"""The connectors kafka and upsert-kafka in the server: nothing is lost, whatever is killed, stopped or missing."""
import json
import random
import subprocess
import time

from confluent_kafka import Consumer, TopicPartition

from leattest import Kafka, Leat, Proxy, wait_until
from leattest.pipeline import head, kafka_source, upsert_sink, upsert_source

TIMEOUT = 300

COLUMNS = {"id": "BIGINT NOT NULL", "name": "STRING"}


def pipeline(servers, topic_in, topic_out, upsert=False, interval="200ms", parallelism=1, source_more={}, sink_more={},
             target_servers=None):
    if upsert:
        source = upsert_source("input", servers, topic_in, "id", COLUMNS, source_more)
    else:
        source = kafka_source("input", servers, topic_in, COLUMNS, {"primary-key": ["id"]} | source_more)
    return (head("copy", interval, {"parallelism.default": parallelism}) + source
            + upsert_sink("output", "input", target_servers or servers, topic_out, "id", sink_more))


def row(number, name):
    return json.dumps({"id": number, "name": name}, separators=(",", ":"))


def key(number):
    return json.dumps({"id": number}, separators=(",", ":"))


def table(kafka, topic):
    return {json.loads(k)["id"]: json.loads(v)["name"] for k, v in kafka.last_by_key(topic).items()}


def wait_table(kafka, topic, expected, timeout=60):
    wait_until(lambda: topic in kafka.topics() and table(kafka, topic) == expected, timeout,
               lambda: f"topic {topic} to hold {len(expected)} rows", every=0.2)


def test_a_table_is_copied_with_its_deletes(work, kafka, unique):
    source, target = kafka.create_topic(unique("in"), partitions=3), unique("out")
    kafka.produce(source, [(key(n), row(n, "a")) for n in range(100)] + [(key(n), None) for n in range(0, 100, 2)])
    with Leat(pipeline(kafka.bootstrap, source, target, upsert=True,
                       sink_more={"sink.topic.partitions": 2}), work) as leat:
        expected = {n: "a" for n in range(1, 100, 2)}
        wait_table(kafka, target, expected)
        kafka.produce(source, [(key(1), row(1, "é")), (key(3), None), (key(200), row(200, None))])
        expected.update({1: "é", 200: None})
        del expected[3]
        wait_table(kafka, target, expected)
        wait_until(lambda: leat.metric("leat_kafka_unacknowledged_records") == 0, 10, "every record to be acknowledged")
    assert kafka.topics()[target] == 2
    assert kafka.topic_config(target)["cleanup.policy"] == "compact"


def test_a_missing_topic_and_a_missing_broker_are_waited_for(work, kafka, unique):
    source, target = unique("in"), unique("out")
    with Proxy(kafka.port) as proxy:
        proxy.refuse()
        leat = Leat(pipeline(proxy.address, source, target), work).launch()
        wait_until(lambda: "waiting for Kafka" in leat.get("/health")[1], 20, lambda: leat.get("/health"))
        assert leat.get("/health/live")[0] == 200 and not leat.ready()
        proxy.accept()
        wait_until(lambda: "does not exist yet" in leat.get("/health")[1], 20, lambda: leat.get("/health"))
        assert not leat.ready()
        kafka.create_topic(source)
        kafka.produce(source, [(key(1), row(1, "a"))])
        wait_table(kafka, target, {1: "a"})
        leat.wait_ready()


def test_a_broker_that_makes_topics_of_itself_does_not_make_ours(work, unique):
    with Kafka(f"{work}/kafka", settings={"auto.create.topics.enable": "true"}) as kafka:
        source, target = kafka.create_topic(unique("in")), unique("out")
        kafka.produce(source, [(key(1), row(1, "a"))])
        with Leat(pipeline(kafka.bootstrap, source, target, sink_more={"sink.topic.partitions": 2}), f"{work}/one"):
            wait_table(kafka, target, {1: "a"})
        assert kafka.topics()[target] == 2
        assert kafka.topic_config(target)["cleanup.policy"] == "compact"
        never = unique("never")
        leat = Leat(pipeline(kafka.bootstrap, source, never, sink_more={"sink.topic.create.enabled": False}),
                    f"{work}/two").launch()
        wait_until(lambda: "which does not exist yet" in leat.get("/health")[1], 20, lambda: leat.get("/health"))
        assert never not in kafka.topics()


def test_nothing_is_lost_by_kills(work, kafka, unique):
    """Updates of few keys in two partitions, leat killed again and again; the last value of each key must arrive, and
    no change may be missing: the target has every value of every key at least once, in order."""
    source, target = kafka.create_topic(unique("in"), partitions=2), unique("out")
    values = {n: [] for n in range(50)}
    leat = Leat(pipeline(kafka.bootstrap, source, target, parallelism=2, interval="20ms",
                         sink_more={"sink.topic.partitions": 2}), work)
    dice = random.Random(7)
    with leat:
        for turn in range(12):
            changes = []
            for number in range(3000):
                n = dice.randrange(50)
                values[n].append(f"{turn}-{number}")
                changes.append((key(n), row(n, values[n][-1])))
            kafka.produce(source, changes[:2000])
            time.sleep(dice.random() * 0.3)  # where in the flow the kill falls is the point
            leat.kill()
            kafka.produce(source, changes[2000:])
            leat.start()
        wait_table(kafka, target, {n: seen[-1] for n, seen in values.items()})
        leat.terminate()
    check_histories(kafka, target, values)


def target_killed(work, kafka, unique, version):
    """The target's broker is killed while records are on their way to it, each time after progress: every value of every
    key arrives, in order."""
    source, target = kafka.create_topic(unique(f"in-{version}"), partitions=2), unique("out")
    values = {n: [] for n in range(50)}
    with Kafka(f"{work}/target-{version}", version) as other:
        with Leat(pipeline(kafka.bootstrap, source, target, interval="50ms", target_servers=other.bootstrap,
                           sink_more={"sink.topic.partitions": 2}), f"{work}/leat-{version}") as leat:
            for turn in range(3):
                written = leat.metric("leat_kafka_sent_records_total") or 0
                changes = []
                for number in range(20000):
                    n = number % 50
                    values[n].append(f"{turn}-{number}")
                    changes.append((key(n), row(n, values[n][-1])))
                kafka.produce(source, changes)
                wait_until(lambda: (leat.metric("leat_kafka_sent_records_total") or 0) > written, 60, "progress")
                other.kill()
                other.start()
            wait_table(other, target, {n: seen[-1] for n, seen in values.items()}, timeout=100)
            leat.terminate()
        check_histories(other, target, values)


def test_a_target_that_is_killed_loses_nothing(work, kafka, unique):
    target_killed(work, kafka, unique, "3.9.1")


def test_a_target_of_kafka_4_that_is_killed_loses_nothing(work, kafka, unique):
    target_killed(work, kafka, unique, "4.1.0")


def check_histories(kafka, topic, values):
    """Each key's values all came, and a repetition only goes back to an earlier place and runs on from there."""
    place = {n: {value: at for at, value in enumerate(seen)} for n, seen in values.items()}
    reached = {n: -1 for n in values}
    repeated = 0
    for record in kafka.read_topic(topic):
        n = json.loads(record.key)["id"]
        at = place[n][json.loads(record.value)["name"]]
        assert at <= reached[n] + 1, f"key {n} jumps from {reached[n]} to {at}"
        repeated += at <= reached[n]
        reached[n] = max(at, reached[n])
    assert all(reached[n] == len(seen) - 1 for n, seen in values.items())
    print(f"{repeated} records repeated")


def test_a_checkpoint_waits_for_the_target(work, kafka, unique):
    """The target's broker stands still, so nothing may be taken as written, however many checkpoints are due."""
    source, target = kafka.create_topic(unique("in")), unique("out")
    expected = {n: "a" for n in range(3000)}
    with Kafka(f"{work}/target") as other:
        leat = Leat(pipeline(kafka.bootstrap, source, target, interval="50ms", target_servers=other.bootstrap), work)
        leat.start()
        other.pause()
        kafka.produce(source, [(key(n), row(n, "a")) for n in expected])
        wait_until(lambda: leat.metric("leat_kafka_received_records_total"), 20, "the first records to be read")
        time.sleep(1)  # twenty checkpoints
        leat.kill()
        other.resume()
        leat.start()
        wait_table(other, target, expected)
        leat.terminate()


def test_a_restart_reads_nothing_again(work, kafka, unique):
    source, target = kafka.create_topic(unique("in")), unique("out")
    kafka.produce(source, [(key(n), row(n, "a")) for n in range(1000)])
    leat = Leat(pipeline(kafka.bootstrap, source, target), work)
    with leat:
        wait_table(kafka, target, {n: "a" for n in range(1000)})
        leat.restart()
        kafka.produce(source, [(key(1), row(1, "b"))])
        wait_until(lambda: table(kafka, target)[1] == "b", 20, "the new row", every=0.2)
    assert len(kafka.read_topic(target)) == 1001


def test_a_broker_that_restarts_and_one_that_stands_still(work, kafka, unique):
    source, target = kafka.create_topic(unique("in")), unique("out")
    expected = {}
    leat = Leat(pipeline(kafka.bootstrap, source, target), work)
    with leat:
        for name in ("a", "b"):
            expected.update({n: name for n in range(2000)})
            kafka.produce(source, [(key(n), row(n, name)) for n in range(2000)])
            kafka.restart()
        wait_table(kafka, target, expected)
        kafka.produce(source, [(key(n), row(n, "c")) for n in range(2000)])
        kafka.pause()
        before = leat.cpu_seconds()
        time.sleep(3)  # long enough that a spinning thread would show
        spent = leat.cpu_seconds() - before
        kafka.resume()
        assert spent < 1.0, f"{spent} s of CPU while the broker stood still"
        wait_table(kafka, target, {n: "c" for n in range(2000)})
        assert leat.running()


def test_a_source_without_its_broker_is_not_ready(work, kafka, unique):
    """And it is again once the broker is back, though the topic is idle."""
    source, target = unique("in"), unique("out")
    with Kafka(f"{work}/source") as other:
        other.create_topic(source)
        other.produce(source, [(key(1), row(1, "a"))])
        with Leat(pipeline(other.bootstrap, source, target, target_servers=kafka.bootstrap), work) as leat:
            wait_table(kafka, target, {1: "a"})
            other.kill()
            wait_until(lambda: "waiting for Kafka" in leat.get("/health")[1], 30, lambda: leat.get("/health"))
            wait_until(lambda: not leat.ready(), 90, lambda: leat.get("/health"))
            other.start()
            wait_until(lambda: leat.ready() and 'reading topic' in leat.get("/health")[1], 60,
                       lambda: leat.get("/health"))
            other.kill()
            wait_until(lambda: "waiting for Kafka" in leat.get("/health")[1], 30, lambda: leat.get("/health"))
            # whatever the client says of one broker that is away, it is said once, and not that it asks for TLS
            assert leat.log_text().count("code=LEAT-K0214") == 1, leat.log_text()
            assert "LEAT-K0212" not in leat.log_text(), leat.log_text()
            leat.terminate(timeout=25)  # nothing is owed to anybody, and librdkafka would not let go


def test_a_gap_left_by_retention_is_refused(work, kafka, unique):
    source, target = kafka.create_topic(unique("in")), unique("out")
    kafka.produce(source, [(key(n), row(n, "a")) for n in range(10)])
    leat = Leat(pipeline(kafka.bootstrap, source, target), work)
    with leat:
        wait_table(kafka, target, {n: "a" for n in range(10)})
        leat.terminate()
        kafka.produce(source, [(key(n), row(n, "b")) for n in range(10)])
        delete_records(kafka, source, 15)
        leat.launch()
        wait_until(lambda: "saved offset 10" in leat.get("/health")[1], 20, lambda: leat.get("/health"))
        text = leat.get("/health")[1]
        assert "lies before the first offset there, 15" in text
        assert leat.get("/health/live")[0] == 200


def delete_records(kafka, topic, before):
    request = f'{{"partitions":[{{"topic":"{topic}","partition":0,"offset":{before}}}],"version":1}}'
    path = f"{kafka.folder}/delete.json"
    with open(path, "w") as file:
        file.write(request)
    subprocess.run(kafka._java("org.apache.kafka.tools.DeleteRecordsCommand", "--bootstrap-server", kafka.bootstrap,
                               "--offset-json-file", path), check=True, stdout=subprocess.DEVNULL)
    wait_until(lambda: kafka.ends(topic)[0][0] == before, 20, "the records to be gone")


def test_poison_is_named_and_the_server_stays(work, kafka, unique):
    source, target = kafka.create_topic(unique("in")), unique("out")
    kafka.produce(source, [(key(1), row(1, "a")), (None, "{no json"), (key(2), row(2, "b"))])
    leat = Leat(pipeline(kafka.bootstrap, source, target), work).launch()
    wait_until(lambda: "offset 1" in leat.get("/health")[1], 20, lambda: leat.get("/health"))
    text = leat.get("/health")[1]
    assert source in text and "partition 0" in text
    assert leat.get("/health/live")[0] == 200 and not leat.ready()


def test_a_row_without_its_key_is_shown(work, kafka, unique):
    source, target = kafka.create_topic(unique("in")), unique("out")
    kafka.produce(source, [(None, '{"id":1,"name":"a"}'), (None, '{"id":null,"name":"who is this"}')])
    text = (head("copy") + kafka_source("input", kafka.bootstrap, source, {"id": "BIGINT", "name": "STRING"})
            + upsert_sink("output", "input", kafka.bootstrap, target, "id", {}))
    leat = Leat(text, work).launch()  # it may have failed before it was seen to be ready
    leat.wait_logged("LEAT-K0404", 20)
    assert f'a row for topic {target}, {{"id":null,"name":"who is this"}}: column "id" of the key is NULL' \
        in leat.log_text().replace('\\"', '"'), leat.log_text()


def test_poison_is_skipped_when_asked(work, kafka, unique):
    source, target = kafka.create_topic(unique("in")), unique("out")
    kafka.produce(source, [(key(1), row(1, "a")), (None, "{no json"), (key(2), row(2, "b"))])
    with Leat(pipeline(kafka.bootstrap, source, target, source_more={"on-error": "skip"}), work):
        wait_table(kafka, target, {1: "a", 2: "b"})


def test_offsets_are_committed_for_monitoring(work, kafka, unique):
    source, target = kafka.create_topic(unique("in")), unique("out")
    group = unique("group")
    kafka.produce(source, [(key(n), row(n, "a")) for n in range(10)])
    with Leat(pipeline(kafka.bootstrap, source, target,
                       source_more={"properties.group.id": group}), work):
        wait_table(kafka, target, {n: "a" for n in range(10)})
        wait_until(lambda: committed(kafka, group, source) == 10, 20, "the committed offset", every=0.2)


def committed(kafka, group, topic):
    consumer = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": group, "log_level": 0})
    try:
        return consumer.committed([TopicPartition(topic, 0)], timeout=10)[0].offset
    finally:
        consumer.close()
