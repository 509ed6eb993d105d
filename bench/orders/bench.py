# SPDX-License-Identifier: Apache-2.0
"""The order pipeline (etc/orders.toml) from end to end: one huge transaction, single rows at a steady pace, memory, start.

Source and target are databases of one server, so that commit and arrival are read from one clock: PostgreSQL's commit
timestamps of the very rows. Flink's figures come from bench/flink/figures.json, written by `make bench-flink`.
"""
import json
import os
import statistics
import time

from leatbench import ORDER, Bench, Measure, Meter, Sample, at_most, measure
from leatbench.bed import must_run
from leatbench.form import Budget
from leatbench.shapes import USERS
from leattest import orders, wait_until

HERE = os.path.dirname(os.path.abspath(__file__))
TRANSACTION = 500000
SECONDS = 15  # of steady changes in a round
WARM = 45  # seconds of them before the first round: in its first minute under load a broker still compiles its code
WRITTEN = "leat_jdbc_rows_written_total"
FIRST = 1000000  # order_id of the first order of a bench; the five of the guide come before
COUNT = f"SELECT count(*) FROM {orders.TARGET} WHERE order_id BETWEEN %s AND %s"
COMMITTED = "SELECT order_id, extract(epoch FROM pg_xact_commit_timestamp(xmin)) FROM {} WHERE order_id BETWEEN %s AND %s"
USERS_SQL = f"""
INSERT INTO business.users SELECT n, 'user ' || n, 'user' || n || '@example.com', '138' || n,
    (ARRAY['北京','上海','杭州','拉萨'])[n % 4 + 1] FROM generate_series(1006, {1000 + USERS}) AS n"""

with open(f"{HERE}/../flink/figures.json") as figures:
    FLINK = json.load(figures)
FLINK_IS = f"Flink 1.18.1, the same four stages in one JVM, parallelism 1, {FLINK['taken']}"


def with_servers(multiple, share):
    """So many times Flink's rate, unless the servers alone keep that share of the cores busy."""
    def met(leat, ratio, result):
        shares = [sum(sample.servers.values()) / sample.seconds / measure.CORES for sample, _ in result.pairs]
        return (ratio is not None and ratio >= multiple) or statistics.median(shares) >= share
    return Budget(f"≥ {multiple} ×, or servers ≥ {share:.0%} of the cores", met)


def fraction_of_cpu(part):
    return Budget(f"≤ 1/{part} of Flink's", lambda leat, ratio, result: None if ratio is None else ratio >= part)


class Orders(Bench):
    """The pipeline runs from setup to teardown; the rounds follow each other in it, each with orders of its own."""
    rival_is = FLINK_IS

    def setup(self, bed):
        orders.create_databases(bed.pg, bed.pg)
        bed.pg.query(USERS_SQL, database="source_db")
        self.run = bed.leat(orders.PIPELINE, orders.environment(bed.pg, bed.pg, bed.kafka)).start(60)
        self.next = FIRST
        bed.wait_metric(self.run, WRITTEN, 5, 60)  # the orders of the guide
        self.insert(bed, 100)  # what is made once (statements, the server's caches) belongs to no round
        self.wait(bed, 60)

    def insert(self, bed, count):
        """The next orders in one transaction; returns the first and the last order_id."""
        first, last = self.next, self.next + count - 1
        self.next += count
        bed.pg.query(ORDER.insert("business.orders", first, last), database="source_db")
        return first, last

    def wait(self, bed, timeout):
        """Waits until the target has every order that was ever inserted."""
        bed.wait_metric(self.run, WRITTEN, self.next - FIRST + 5, timeout)

    def seconds(self, bed, first, last):
        """From the commit of the last order in the source to that of the last row in the target, by one clock."""
        found = bed.pg.value(COUNT, (first, last), "sink_db")
        if found != last - first + 1:
            raise RuntimeError(f"{found} of {last - first + 1} orders are in the target")
        committed = bed.pg.value(f"SELECT max(c) FROM ({COMMITTED.format('business.orders')}) AS t (id, c)",
                                 (last, last), "source_db")
        arrived = bed.pg.value(f"SELECT max(c) FROM ({COMMITTED.format(orders.TARGET)}) AS t (id, c)",
                               (first, last), "sink_db")
        return float(arrived - committed)

    def teardown(self, bed):
        if self.run.running():
            self.run.terminate()
        bed.pg.drop_slots()
        for name in ("source_db", "sink_db"):
            bed.pg.query(f"DROP DATABASE {name} WITH (FORCE)")
        for topic in orders.TOPICS:
            bed.kafka.delete_topic(topic)


class Transaction(Orders):
    name = "orders-transaction"
    title = "order pipeline, a transaction of 500 000 orders"
    measures = (Measure("rate", "rows/s", with_servers(8, 0.75)),
                Measure("cpu_per_million", "CPU s/M rows", fraction_of_cpu(8), better="less"),
                Measure("rss", "MB at the peak", scale=2**20, better="less"),
                Measure("beside", "MB at the peak beside the keyed state", at_most(128, "MB"), scale=2**20, better="less"))
    recorded = FLINK.get("transaction")

    def leat(self, bed):
        first, last = self.insert(bed, TRANSACTION)
        meter = Meter(bed, self.run.pid)
        self.wait(bed, 250)
        used = meter.stop()
        used["seconds"] = self.seconds(bed, first, last)
        state = self.run.metric("leat_state_bytes")
        return Sample(rows=TRANSACTION, cpu_per_million=used["cpu"] / TRANSACTION * 1e6, state=state,
                      beside=used["rss"] - state, **used)


class Latency(Orders):
    """Inserts of one row each, committed one by one at a steady pace. PostgreSQL stamps a commit before it writes it to
    disk and sends it on afterwards, so the delays contain that write; `commit_p99` says how long it took."""
    rate = 1000

    def setup(self, bed):
        super().setup(bed)
        self.steady(bed, self.rate * WARM)
        self.wait(bed, 60)

    def leat(self, bed):
        first, count = self.next, self.rate * SECONDS
        meter = Meter(bed, self.run.pid)
        commits, pace = self.steady(bed, count)
        self.wait(bed, 60)
        used = meter.stop()
        delays = self.delays(bed, first, first + count - 1)
        return Sample(rows=count, p50=percentile(delays, 50), p99=percentile(delays, 99), worst=delays[-1],
                      commit_p99=percentile(commits, 99), pace=pace,
                      cpu_per_second=used["cpu"] / used["seconds"], **used)

    def steady(self, bed, count):
        """Milliseconds that the source took for each insert with its commit, sorted, and how many it took a second:
        fewer than asked for when its disk is slow."""
        took = []
        connection = bed.pg.connect("source_db")
        with connection.cursor() as cursor:
            body = ORDER.insert("business.orders", "$1", "$1").replace("::bigint", "")
            cursor.execute(f"PREPARE one (bigint) AS {body}")
            begin = time.monotonic()
            for number in range(count):
                due = begin + number / self.rate - time.monotonic()
                if due > 0:
                    time.sleep(due)
                sent = time.monotonic()
                cursor.execute(f"EXECUTE one ({self.next})")
                took.append((time.monotonic() - sent) * 1000)
                self.next += 1
            pace = count / (time.monotonic() - begin)
        connection.close()
        return sorted(took), pace

    def delays(self, bed, first, last):
        """Milliseconds from commit to commit of every order, sorted."""
        left = dict(bed.pg.query(COMMITTED.format("business.orders"), (first, last), "source_db"))
        right = dict(bed.pg.query(COMMITTED.format(orders.TARGET), (first, last), "sink_db"))
        if left.keys() != right.keys():
            raise RuntimeError(f"{len(right)} of {len(left)} orders are in the target")
        return sorted(float(right[order] - left[order]) * 1000 for order in left)


def percentile(sorted_values, part):
    return sorted_values[min(len(sorted_values) - 1, len(sorted_values) * part // 100)]


LATENCY = (Measure("p50", "ms p50, commit to target", at_most(10, "ms"), better="less"),
           Measure("p99", "ms p99", at_most(50, "ms"), better="less"),
           Measure("commit_p99", "ms p99, the source's commits alone", better="less"),
           Measure("pace", "changes/s that the source took"),
           Measure("cpu_per_second", "CPU s a second", better="less"))


def flink_at(rate):
    """Flink's figures under single-row changes, without those of the source: its commits, its pace."""
    found = FLINK.get(f"latency-{rate}")
    if found is None:
        return None
    own = {key: value for key, value in found.items() if key not in ("commit_p99", "pace")}
    return dict(own, cpu_per_million=found["cpu_per_second"] / rate * 1e6)


class Memory(Orders):
    name = "orders-memory"
    title = "order pipeline, resident memory at rest"
    measures = (Measure("rss", "MB", at_most(32, "MB"), better="less", scale=2**20),)
    recorded = FLINK.get("memory-idle")

    def setup(self, bed):
        """Freshly started, with nothing in its tables but the guide's rows."""
        orders.create_databases(bed.pg, bed.pg)
        self.run = bed.leat(orders.PIPELINE, orders.environment(bed.pg, bed.pg, bed.kafka)).start(60)

    def leat(self, bed):
        meter = Meter(bed, self.run.pid)
        time.sleep(3)  # the bench is what it needs when nothing happens
        return Sample(**meter.stop())


class Start(Orders):
    """Stopped cleanly before each round: the tables are read, the topics are there, nothing has come meanwhile."""
    name = "orders-start"
    title = "order pipeline, start to /health/ready, nothing to snapshot"
    rival_is = f"{FLINK_IS}: its first start, until the five orders of the guide are in the target"
    measures = (Measure("seconds", "ms", at_most(200, "ms"), better="less", scale=0.001),)
    recorded = FLINK.get("start")
    rounds = 9

    def leat(self, bed):
        self.run.terminate()
        begin = time.monotonic()
        meter = Meter(bed, self.run.launch().pid, from_start=True)
        wait_until(lambda: must_run(self.run) or self.run.ready(), 60,
                   lambda: f"leat to be ready\n{self.run.child.log_tail()}", every=0.002)
        return Sample(**dict(meter.stop(), seconds=time.monotonic() - begin))


BENCHES = [
    # single rows before the transactions, which leave the servers with work of their own
    Start(),
    Memory(),
    Latency(name="orders-latency-100", title="order pipeline, 100 single-row changes/s", measures=LATENCY, rate=100,
            recorded=flink_at(100)),
    Latency(name="orders-latency-1000", title="order pipeline, 1 000 single-row changes/s", rate=1000,
            measures=LATENCY + (Measure("rss", "MB at the peak", at_most(128, "MB"), better="less", scale=2**20),),
            recorded=flink_at(1000)),
    Transaction(),
]
