# SPDX-License-Identifier: Apache-2.0
"""Checkpoint files that are damaged, cannot be read, or cannot be written."""
import glob
import os
import re
import resource
import shutil

from leattest import Leat, wait_until
from leattest.pipeline import cdc_source, counter, head, sink

TIMEOUT = 180
NUMBERS = counter("numbers", 2000) + sink("out", "numbers", "print")


def checkpoints(leat):
    return sorted(glob.glob(f"{leat.data}/checkpoints/*/*/*.ckpt"))


def cut(path):
    os.truncate(path, os.path.getsize(path) - 1)


def flip(path):
    with open(path, "r+b") as file:
        file.seek(os.path.getsize(path) - 1)  # a piece, not the manifest
        last = file.read(1)[0]
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([last ^ 1]))


def empty(path):
    os.truncate(path, 0)


def ids(leat):
    return [int(n) for n in re.findall(r"\+I\[(\d+)\]", leat.log_text())]


def rows_come(leat, more=300):
    before = len(ids(leat))
    wait_until(lambda: len(ids(leat)) > before + more, 15, "more rows")


def test_goes_back_to_the_checkpoint_before(work):
    leat = Leat(head("damaged", "200ms") + NUMBERS, f"{work}/leat").start()
    for harm in (cut, flip, empty):
        rows_come(leat)
        wait_until(lambda: len(checkpoints(leat)) >= 2, 15, "two checkpoints")
        rows_come(leat)
        leat.terminate()
        before, newest = checkpoints(leat)[-2:]
        harm(newest)
        said = leat.log_text().count("checkpoint-older")
        leat.start()
        wait_until(lambda: leat.log_text().count("checkpoint-older") > said, 5, "a word about it")
        assert os.path.basename(newest) in leat.logged("checkpoint-damaged.*" + os.path.basename(newest))
        number = int(os.path.basename(before).split(".")[0])
        assert leat.logged(f"going back to checkpoint {number}:"), leat.child.log_tail()
    rows_come(leat)
    wait_until(lambda: not leat.logged("nothing-runs") and leat.metric("leat_checkpoint_epoch"), 15, "a new checkpoint")
    leat.terminate()
    found = ids(leat)
    assert set(found) == set(range(1, max(found) + 1)), "rows are missing"
    assert len(found) > len(set(found)), "what came after the older checkpoint should have come again"


def test_refuses_when_none_is_whole_or_one_cannot_be_read(work):
    leat = Leat(head("damaged", "200ms") + NUMBERS, f"{work}/leat").start()
    rows_come(leat)
    wait_until(lambda: len(checkpoints(leat)) >= 2, 15, "two checkpoints")
    leat.terminate()
    newest = checkpoints(leat)[-1]
    shutil.copy(newest, f"{work}/kept")
    os.unlink(newest)
    os.mkdir(newest)  # cannot be read, also by root
    assert leat.launch().wait_end() == 3
    assert "could not read" in leat.child.log_tail() and newest in leat.child.log_tail()
    assert "going back" not in leat.log_text(), "it may be whole"
    os.rmdir(newest)
    shutil.copy(f"{work}/kept", newest)
    for path in checkpoints(leat):
        empty(path)
    assert leat.launch().wait_end() != 0
    tail = leat.child.log_tail()
    assert "LEAT-T0002" in tail and newest in tail and "no older checkpoint" in tail and "backup" in tail, tail
    rows = len(ids(leat))
    assert rows == len(set(ids(leat))), "nothing may be given from a position that is a guess"


def pgcdc(work, pg, db, slot, build):
    pg.query("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'one')", database=db)
    source = cdc_source("pg", pg, db, "t", slot)
    return Leat(head("damaged", "200ms") + source + sink("out", "pg.public.t", "print"), f"{work}/leat", build=build)


def position(pg, slot):
    return pg.value("SELECT confirmed_flush_lsn FROM pg_replication_slots WHERE slot_name = %s", (slot,))


def insert(leat, pg, db, number):
    pg.query(f"INSERT INTO t VALUES ({number}, 'v')", database=db)
    wait_until(lambda: f"+I[{number}, v]" in leat.log_text(), 15, f"row {number}")


def test_slot_confirmed_beyond_the_older_checkpoint(pg, db, work, unique):
    """What lies between the two is gone: refused, with both reasons and what to do."""
    slot = unique("slot")
    leat = pgcdc(work, pg, db, slot, "release").start()
    for number in (2, 3):
        before = position(pg, slot)
        insert(leat, pg, db, number)
        wait_until(lambda: position(pg, slot) != before, 15, "a confirmed position")
    leat.terminate()
    empty(checkpoints(leat)[-1])
    leat.launch()
    leat.wait_logged("job-failed")
    line = leat.logged("job-failed")
    assert "LEAT-G0204" in line and "is damaged, so the job goes back" in line and "drop the slot" in line, line
    assert leat.logged("checkpoint-damaged") and leat.get("/health/ready")[0] == 503
    leat.terminate(code=1)
    pg.drop_slots(slot)


def test_slot_not_confirmed_beyond_the_older_checkpoint(pg, db, work, unique):
    """Killed with the newest checkpoint durable and nothing acknowledged: the one before is as good."""
    slot = unique("slot")
    leat = pgcdc(work, pg, db, slot, "asan").start()
    before = position(pg, slot)
    insert(leat, pg, db, 2)
    wait_until(lambda: position(pg, slot) != before, 15, "a confirmed position")
    leat.terminate()
    leat.env["LEAT_FAULT"] = "checkpoint-before-complete:1"
    leat.launch()
    pg.query("INSERT INTO t VALUES (3, 'v')", database=db)
    leat.wait_end()
    del leat.env["LEAT_FAULT"]
    empty(checkpoints(leat)[-1])
    leat.start()
    assert leat.logged("checkpoint-older")
    insert(leat, pg, db, 4)
    assert "+I[3, v]" in leat.log_text()
    leat.terminate()
    pg.drop_slots(slot)


def test_a_disk_without_room(work):
    """The positions of many files with long names make a checkpoint that a limit of file sizes stops."""
    folder = f"{work}/lines"
    os.mkdir(folder)
    for number in range(1200):
        with open(f"{folder}/{number:04}{'x' * 200}", "w") as file:
            file.write(f'{{"id": {number}}}\n')
    source = f"""
[sources.lines]
connector = "filesystem"
path = "{folder}"
format = "json"
source.monitor-interval = "200ms"
[sources.lines.schema]
id = "BIGINT"
"""
    leat = Leat(head("full", "200ms") + source + sink("out", "lines", "print"), f"{work}/leat").start()
    wait_until(lambda: set(range(1200)) <= set(ids(leat)) and leat.metric("leat_checkpoint_epoch"), 15, "the files")
    resource.prlimit(leat.pid, resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
    epoch = leat.metric("leat_checkpoint_epoch")

    def give(number):
        with open(f"{folder}/0007{'x' * 200}", "a") as file:
            file.write(f'{{"id": {number}}}\n')
        wait_until(lambda: number in ids(leat), 15, f"row {number}")

    give(5001)
    leat.wait_logged("checkpoint-waits")
    give(5002)  # rows go on
    status, reason = leat.get("/health/ready")
    assert status == 503 and "File too large" in reason and "LEAT-T0001" in reason, reason
    wait_until(lambda: leat.metric("leat_checkpoint_retries_total") >= 2, 15, "tries")
    # what an epoch can have counted that was under way when the limit came
    assert leat.metric("leat_checkpoint_epoch") <= epoch + 1
    assert leat.metric("leat_job_restarts_total") == 0
    assert len(re.findall("checkpoint-waits", leat.log_text())) == 1, "said once"
    resource.prlimit(leat.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    wait_until(leat.ready, 15, "leat to be ready again")
    leat.wait_logged("checkpoint-goes-on")
    give(5003)
    leat.terminate()
    leat.start()
    give(5004)
    leat.terminate()
    found = ids(leat)
    assert len(found) == len(set(found)) == 1204, "given twice, or not at all"
