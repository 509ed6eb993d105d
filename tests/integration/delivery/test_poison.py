# SPDX-License-Identifier: Apache-2.0
"""Records that cannot be read: the job stops and names them, or leaves them out and counts them."""
import json
import os

from leattest import Leat, relay, stage_one, wait_until
from leattest.pipeline import head, section

TIMEOUT = 120
GOOD = [('{"id":%d}' % n, '{"id":%d,"v":"v%d"}' % (n, n)) for n in range(1, 4)]
POISON = (b"{no json", b'{"id":2,"v":"cut', b'{"id":"two","v":"x"}', b'{"id":2,"v":"\xff\xfe"}', b'[1,2]',
          b'{"id":99999999999999999999,"v":"x"}')


def pipeline(pg, db, kafka, topic, on_error):
    """The poisoned topic into a table, and another job that must not mind."""
    pg.query("CREATE TABLE t (id bigint PRIMARY KEY, v text); CREATE TABLE target (id bigint PRIMARY KEY, v text)",
             database=db)
    return (stage_one(pg, db, kafka, topic + "_other", topic, table="t")
            + relay(pg, db, kafka, topic, {"id": "BIGINT NOT NULL", "v": "STRING"}, "target",
                    source_more={"on-error": on_error}))


def test_fail_names_the_record_and_lets_the_others_run(work, pg, db, kafka, unique):
    topic = kafka.create_topic(unique("poison"))
    kafka.produce(topic, GOOD[:2] + [('{"id":9}', POISON[0])] + GOOD[2:])
    leat = Leat(pipeline(pg, db, kafka, topic, "fail"), work).launch()
    wait_until(lambda: "offset 2" in leat.get("/health/ready")[1], 30, lambda: leat.get("/health"))
    status, text = leat.get("/health/ready")
    assert status == 503 and topic in text and "partition 0" in text and "offset 2" in text, text
    assert leat.get("/health/live")[0] == 200 and leat.running()
    assert leat.logged(f"{topic}.*partition 0.*offset 2"), leat.log_text()
    pg.query("INSERT INTO t VALUES (1, 'the other job runs on')", database=db)
    wait_until(lambda: topic + "_other" in kafka.topics() and kafka.last_by_key(topic + "_other"), 30,
               "the row of the other job", every=0.1)
    assert pg.value("SELECT count(*) FROM target WHERE id = 3", database=db) == 0
    assert leat.metric("leat_job_restarts_total") in (None, 0.0), "a bad record is no reason to try again"
    leat.terminate(timeout=5, code=1)
    # the position was kept before the record: it is met again
    leat.launch()
    wait_until(lambda: "offset 2" in leat.get("/health")[1], 30, lambda: leat.get("/health"))
    leat.terminate(timeout=5, code=1)


def test_skip_leaves_out_and_counts(work, pg, db, kafka, unique):
    topic = kafka.create_topic(unique("poison"))
    kafka.produce(topic, GOOD[:1] + [('{"id":2}', value) for value in POISON] + GOOD[1:])
    with Leat(pipeline(pg, db, kafka, topic, "skip"), work) as leat:
        query = "SELECT id, v FROM target ORDER BY id"
        wait_until(lambda: pg.query(query, database=db) == [(1, "v1"), (2, "v2"), (3, "v3")], 30,
                   lambda: f"the good rows, not {pg.query(query, database=db)}", every=0.1)
        skipped = leat.metric("leat_rows_skipped_total", node="relay")
        assert skipped == len(POISON), f"{skipped} counted, {len(POISON)} written"
        leat.terminate()


def read_bad_lines(work, count, server={}):
    """The log of a run over lines of which all but the last are no JSON."""
    folder = f"{work}/in"
    os.makedirs(folder)
    with open(f"{folder}/a.jsonl", "w") as file:
        file.write("".join(f"{{no json {n}\n" for n in range(count)) + '{"id": 1}\n')
    text = (head("flood", server=server)
            + section("sources.lines", {"connector": "filesystem", "path": folder, "format": "json",
                                        "on-error": "skip"})
            + section("sources.lines.schema", {"id": "BIGINT"})
            + section("sinks.out", {"input": "lines", "connector": "print"}))
    leat = Leat(text, work).launch()
    wait_until(lambda: not leat.running(), 60, "the end of the file")
    return leat


def test_machines_read_job_node_and_position(work):
    log = read_bad_lines(work, 2, {"log.format": "json"}).log_text().splitlines()
    lines = [json.loads(line) for line in log if line.startswith("{")]
    skipped = [line for line in lines if line["event"] == "row-skipped"]
    assert [line["position"].rsplit(", ", 1)[1] for line in skipped] == ["byte 0", "byte 11"], skipped
    assert all((line["pipeline"], line["job"], line["node"]) == ("flood", "lines", "lines") for line in skipped), skipped
    assert all(line["job"] == "lines" for line in lines if line["event"] == "job-state"), lines


def test_a_flood_is_counted_not_printed(work):
    leat = read_bad_lines(work, 20000)
    told = [line for line in leat.log_text().splitlines() if "row-skipped" in line]
    assert 11 <= len(told) <= 60 and "no json 0" in told[0], told[:3] + told[-3:]
    assert any("repeated=" in line for line in told), told[-3:]
