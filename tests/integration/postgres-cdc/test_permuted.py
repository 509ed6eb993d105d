# SPDX-License-Identifier: Apache-2.0
"""Keys that change places within a transaction, under kill -9: the target ends with the same rows."""
import random
import threading
import time

from leattest import Leat, wait_until
from leattest.pipeline import cdc_source, head, jdbc_sink

TIMEOUT = 200
ROWS = 5000
SECONDS = 15
STATE = "SELECT count(*), sum(hashtext(id || v)::bigint) FROM {}"


class Load:
    """Transactions that shift, turn over, delete and make keys anew."""

    def __init__(self, pg, db, deferred):
        self.connection = pg.connect(db, autocommit=False)
        self.deferred = deferred
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.done, self.error = 0, None

    def statements(self, turn):
        if self.deferred and turn % 2:
            yield f"UPDATE src SET id = CASE WHEN id >= {ROWS} THEN id - {ROWS} + 1 ELSE id + 1 END"
        else:
            yield "UPDATE src SET id = -id"
            yield f"UPDATE src SET id = (-id + {turn * 37}) % {ROWS} + 1, v = v || '.'"
        if turn % 3 == 0:
            yield f"DELETE FROM src WHERE id % 10 = {turn % 10}"
            yield f"INSERT INTO src SELECT g, 'n{turn}_' || g FROM generate_series(1, {ROWS}) g WHERE g % 10 = {turn % 10}"

    def run(self):
        try:
            while not self.stopping.is_set():
                for statement in self.statements(self.done):
                    self.connection.cursor().execute(statement)
                self.connection.commit()
                self.done += 1
        except Exception as error:  # said by the test
            self.error = error

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *unused):
        self.stopping.set()
        self.thread.join()
        self.connection.close()


def kills(pg, db, work, unique, key, identity):
    pg.query(f"CREATE TABLE src (id int PRIMARY KEY {key}, v text); ALTER TABLE src REPLICA IDENTITY {identity}; "
             f"CREATE TABLE dst (id int PRIMARY KEY, v text); INSERT INTO src SELECT g, 'v' || g FROM generate_series(1, {ROWS}) g",
             database=db)
    text = (head("permuted", "60ms") + cdc_source("src", pg, db, "src", unique("slot"))
            + jdbc_sink("dst", "src", pg, db, "public.dst", "id"))
    dice = random.Random(5)
    with Leat(text, work) as leat:
        with Load(pg, db, bool(key)) as load:
            begin, killed = time.monotonic(), 0
            while time.monotonic() - begin < SECONDS:
                time.sleep(0.3 + 1.2 * dice.random())
                leat.kill()
                leat.launch()
                killed += 1
        assert load.error is None and load.done > 10, (load.error, load.done)
        assert killed > 5
        wait_until(lambda: pg.query(STATE.format("src"), database=db) == pg.query(STATE.format("dst"), database=db), 90,
                   lambda: f"the same rows after {killed} kills and {load.done} transactions", every=0.3)
        leat.terminate()


def test_kills_with_the_default_identity(pg, db, work, unique):
    kills(pg, db, work, unique, "", "DEFAULT")


def test_kills_with_identity_full_and_a_deferred_key(pg, db, work, unique):
    kills(pg, db, work, unique, "DEFERRABLE INITIALLY DEFERRED", "FULL")
