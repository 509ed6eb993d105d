# SPDX-License-Identifier: Apache-2.0
"""Orders and their users: whoever was there before leat is never unknown, whoever is renamed is not for a moment, and
whoever comes late or goes mends the rows that are written."""
import json

from flow import INSERT, RENAME, RESULT, STATUS, UNKNOWN, USER, Flow
from leattest import orders, wait_until

TIMEOUT = 240
# The users of the orders come last in the snapshot, behind twenty thousand others, and the orders are captured before.
MANY = ("INSERT INTO business.users SELECT i, 'user ' || i, 'e' || i, '1', '北京' FROM generate_series(100001, 120000) i; "
        "INSERT INTO business.orders SELECT i, 130000 - i, 'p', '图书', 1, 9.50, 9.50, 'PENDING' "
        "FROM generate_series(10000, 11999) i")


def known_from_the_start(work, kafka, parallelism, partitions):
    flow = Flow(work, kafka, parallelism, partitions)
    flow.source(MANY)
    flow.start()
    flow.wait_rows(2005)
    for turn in ("SHIPPED", "COMPLETED"):  # and so it stays after a restart, which reads the users again from state
        flow.leat.restart()
        flow.source(f"UPDATE business.orders SET order_status = '{turn}' WHERE order_id >= 10000")
        flow.wait_rows(len(flow.target()) if len(flow.target()) > 4005 else 4005 if turn == "SHIPPED" else 6005)
    flow.end()
    records = 0
    for order, _, row in flow.results():
        records += 1
        assert row["username"] == (f"user {130000 - order}" if order >= 10000 else
                                   UNKNOWN if order == 2005 else row["username"]), row
        assert order == 2005 or row["username"] != UNKNOWN, row
    assert records == 6005, f"{records} records were written for 6005 states"


def test_users_who_were_there_before_are_never_unknown(work, kafka):
    for parallelism, partitions in ((1, 1), (2, 2)):
        known_from_the_start(f"{work}/{parallelism}", kafka, parallelism, partitions)


def test_users_who_come_late_are_renamed_and_go(work, kafka):
    flow = Flow(work, kafka).start()
    flow.initial()
    flow.change(2007, INSERT.format(id=2007, user=7777))
    assert flow.target()[2007, "PENDING"] == UNKNOWN
    flow.source(USER.format(7777, "晚来"))
    flow.wait_name(2007, "晚来")
    flow.change(2007, STATUS.format("SHIPPED", 2007))
    flow.source(RENAME.format("改名", 7777) + ";" + RENAME.format("张三丰", 1001))
    flow.wait_name(2007, "改名")
    flow.wait_name(2001, "张三丰")
    assert flow.target("city")[2007, "PENDING"] == "杭州"
    flow.source("DELETE FROM business.users WHERE user_id = 7777")
    flow.wait_name(2007, UNKNOWN)
    assert flow.target("city")[2007, "PENDING"] is None
    flow.source(USER.format(7777, "回来"))
    flow.wait_name(2007, "回来")
    flow.end()
    by_state = {}
    for order, state, row in flow.results():
        by_state.setdefault((order, state), []).append(row["username"] if row else "(deleted)")
    assert by_state[2007, "PENDING"] == [UNKNOWN, "晚来", "改名", UNKNOWN, "回来"], by_state
    assert by_state[2007, "SHIPPED"] == ["晚来", "改名", UNKNOWN, "回来"], by_state
    assert by_state[2001, "COMPLETED"] == ["张三", "张三丰"], by_state


def test_a_user_renamed_a_thousand_times_is_never_unknown(work, kafka):
    """In transactions of one and of many, by updates and by a changed key that comes back; also across restarts. Two
    layers see to it: a join that goes by way of the row without partner, as Flink's does, is mended by the consolidation
    before the sink. Seen to fail without that consolidation (the record is deleted for a moment), whatever the join does."""
    flow = Flow(work, kafka).start()
    flow.initial()
    flow.life(2006)
    for turn in range(10):
        for number in range(50):
            flow.source(RENAME.format(f"{turn}-{number}", 1001))
        flow.source(";".join(RENAME.format(f"{turn}-{number}", 1001) for number in range(50, 100)))
        if turn in (3, 6):
            flow.leat.restart()
    flow.wait_name(2006, "9-99")
    flow.end()
    names = flow.names(2006)
    wrong = {UNKNOWN, "(deleted)"}.intersection(names)
    assert not wrong and names[-1] == "9-99", (wrong, names[-10:])
    assert len(names) >= 500, f"{len(names)} records"


def test_a_row_that_changed_without_a_new_state_is_mended_as_it_was_last(work, kafka):
    """The renaming of its user writes the order as it is now, not as it once was; also after a restart."""
    flow = Flow(work, kafka).start()
    flow.initial()
    flow.change(2006, INSERT.format(id=2006, user=1001))
    for quantity in (4, 3, 2, 3, 4):  # back to what it once was
        flow.source(f"UPDATE business.orders SET quantity = {quantity} WHERE order_id = 2006")
    wait_until(lambda: len(flow.names(2006)) == 6, 30, lambda: flow.names(2006), every=0.1)
    for name in ("张三丰", "张四丰"):
        flow.source(RENAME.format(name, 1001))
        flow.wait_name(2006, name)
        flow.wait_name(2001, name)
        assert flow.target("quantity")[2006, "PENDING"] == 4, flow.target("quantity")
        flow.leat.restart()
    flow.end()
    last = [row for order, _, row in flow.results() if order == 2006][-1]
    assert (last["quantity"], last["username"]) == (4, "张四丰"), last


def test_a_deleted_order_is_a_tombstone_and_stays_in_later_layers(work, kafka):
    """As the guide tells it. Seen to fail with a sink that leaves deletes out."""
    flow = Flow(work, kafka).start()
    flow.initial()
    flow.life(2006)
    before = {topic: kafka.ends(topic) for topic in ("dwd_orders", RESULT)}
    rows = flow.target()
    flow.source("DELETE FROM business.orders WHERE order_id = 2006")
    key = orders.encode({"order_id": 2006})
    wait_until(lambda: key not in kafka.last_by_key("ods_orders"), 30, "the tombstone", every=0.05)
    flow.change(2007, INSERT.format(id=2007, user=1002))  # what comes behind the delete has passed all layers
    assert kafka.read_topic("ods_orders")[-2][2:] == (key, None)
    del rows[2006, "PENDING"]  # spelt out: the three states of the deleted order are still there
    assert {state for order, state in flow.target() if order == 2006} == {"PENDING", "SHIPPED", "COMPLETED"}
    assert flow.target().keys() - rows.keys() == {(2006, "PENDING"), (2007, "PENDING")}
    for topic, ends in before.items():
        grown = kafka.ends(topic)[0][1] - ends[0][1]
        assert grown == 1, f"{topic} has {grown} new records for one new order"
    # the same number again begins a new life, and replaces the rows of the old one
    flow.source(INSERT.format(id=2006, user=1002).replace("AirPods", "EarPods"))
    wait_until(lambda: flow.target("product_name")[2006, "PENDING"] == "EarPods Pro", 30, "the new order", every=0.02)
    assert flow.target()[2006, "SHIPPED"] == "张三" and flow.target()[2006, "PENDING"] == "李四"
    flow.end()
    assert json.loads(kafka.last_by_key("ods_orders")[key])["user_id"] == 1002
