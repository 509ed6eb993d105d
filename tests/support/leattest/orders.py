# SPDX-License-Identifier: Apache-2.0
"""The order pipeline (etc/orders.toml) and what must come out of it, layer by layer and byte by byte.

The demo and the integration tests state a list of changes; from each follows exactly one record or row in every layer.
Only three times are not known beforehand; they must lie between the commit in the source and the arrival in their
layer, and are put into the expected bytes as found.
"""
import datetime
import decimal
import json
import os
import re

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../.."))
PIPELINE = f"{ROOT}/etc/orders.toml"
TOPICS = ("ods_orders", "ods_users", "dwd_orders", "result_orders_with_user_info")
TARGET = "result.orders_with_user_info"
ASTRAL = re.compile("[\U00010000-\U0010ffff]")
UTC = datetime.timezone.utc

CATEGORIES = {"电子产品": "ELECTRONICS", "服装鞋帽": "CLOTHING", "家居用品": "HOME", "图书": "BOOKS"}
STATES = {"PENDING": "待处理", "SHIPPED": "已发货", "COMPLETED": "已完成", "CANCELLED": "已取消"}
TIERS = {**dict.fromkeys(("北京", "上海", "广州", "深圳"), "一线城市"),
         **dict.fromkeys(("杭州", "成都", "武汉", "南京", "西安"), "新一线城市")}


def environment(source, sink, kafka):
    """What etc/orders.toml reads from the environment."""
    return {"SOURCE_PGHOST": source.host, "SOURCE_PGPORT": str(source.port), "SOURCE_PGUSER": "postgres",
            "SOURCE_PGPASSWORD": "postgres", "SINK_PGHOST": sink.host, "SINK_PGPORT": str(sink.port),
            "SINK_PGUSER": "postgres", "SINK_PGPASSWORD": "postgres", "KAFKA_BOOTSTRAP": kafka.bootstrap}


# The commit's own clock is the truth about when a change happened and when it arrived.
SETTINGS = {"track_commit_timestamp": "on", "timezone": "UTC"}


def create_databases(source, sink):
    for server, database in ((source, "source"), (sink, "sink")):
        with open(f"{ROOT}/etc/orders/{database}.sql") as file:
            server.create_database(f"{database}_db", file.read())


class Change:
    """A state of an order, as committed in the source, with the user that belongs to it (None for unknown ones).
    `earliest` is the moment before which nothing of it can have been processed."""

    def __init__(self, order, user, committed, earliest=None):
        self.order = order
        self.user = user
        self.committed = committed
        self.earliest = earliest or committed
        self.key = (order["order_id"], order["order_status"])
        self.arrivals = {}

    def __str__(self):
        return f"order {self.key[0]} {self.key[1]}"


def read_change(source, order_id, earliest=None):
    """The state of an order that was committed last."""
    order = rows(source, "SELECT *, pg_xact_commit_timestamp(xmin) AS committed FROM business.orders "
                         "WHERE order_id = %s", (order_id,))[0]
    committed = order.pop("committed")
    users = rows(source, "SELECT * FROM business.users WHERE user_id = %s", (order["user_id"],))
    return Change(order, users[0] if users else None, committed, earliest)


def rows(server, sql, parameters=None, database="source_db"):
    """The rows as dicts in the order of the columns."""
    connection = server.connect(database)
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            names = [column.name for column in cursor.description]
            return [dict(zip(names, row)) for row in cursor]
    finally:
        connection.close()


def encode(row):
    """The row as leat's json format writes it: the columns in order, decimals plain without trailing zeros, times as
    SQL writes them, characters beyond U+FFFF as escaped pairs, which is Flink's way."""
    text = json.dumps({name: plain(value) for name, value in row.items()}, ensure_ascii=False, separators=(",", ":"))
    return ASTRAL.sub(lambda found: json.dumps(found[0])[1:-1].upper().replace("\\U", "\\u"), text).encode()


def plain(value):
    if isinstance(value, decimal.Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, datetime.datetime):
        return time_text(value)
    return value


def time_text(value):
    text = value.strftime("%Y-%m-%d %H:%M:%S")
    return (text + f".{value.microsecond:06}".rstrip("0")) if value.microsecond else text


def time_value(text):
    """A time that leat wrote (UTC, without a zone)."""
    form = "%Y-%m-%d %H:%M:%S.%f" if "." in text else "%Y-%m-%d %H:%M:%S"
    return datetime.datetime.strptime(text, form).replace(tzinfo=UTC)


def cleaned(order, etl_time):
    """Stage 2: the row of dwd_orders."""
    row = {name: order[name] for name in ("order_id", "user_id", "product_name", "product_category")}
    row["product_category_normalized"] = CATEGORIES.get(order["product_category"], "OTHER")
    row.update({name: order[name] for name in ("quantity", "unit_price", "total_amount")})
    row["total_amount_yuan"] = f"¥{order['total_amount']}"
    row["order_status"] = order["order_status"]
    row["order_status_desc"] = STATES.get(order["order_status"], "未知")
    row["order_time"] = order["order_time"]
    row["order_date"] = order["order_time"].strftime("%Y-%m-%d")
    row["order_hour"] = order["order_time"].hour
    row["etl_time"] = etl_time
    return row


def joined(order, user, join_time):
    """Stage 3: the row of result_orders_with_user_info."""
    clean = cleaned(order, None)
    known = user or {}
    row = {"order_id": order["order_id"], "user_id": order["user_id"],
           "username": known.get("username") or "Unknown User", "email": known.get("email") or "unknown@example.com",
           "phone": known.get("phone"), "city": known.get("city")}
    row.update({name: clean[name] for name in (
        "product_name", "product_category", "product_category_normalized", "quantity", "unit_price", "total_amount",
        "total_amount_yuan", "order_status", "order_status_desc", "order_time", "order_date", "order_hour")})
    row["user_register_time"] = known.get("register_time")
    row["user_city_tier"] = TIERS.get(known.get("city"), "其他城市")
    row["join_time"] = join_time
    return row


class Checker:
    """Compares the layers with the changes; `problems` collects what is wrong, in words."""

    def __init__(self, source, sink, kafka, changes):
        self.source = source
        self.sink = sink
        self.kafka = kafka
        self.changes = changes
        self.problems = []

    def check_all(self):
        """(layer, number of rows right, problems) for each layer, in the order of the flow."""
        return [self._layer("ods_orders", self.ods_orders), self._layer("ods_users", self.ods_users),
                self._layer("dwd_orders", self.dwd_orders),
                self._layer("result_orders_with_user_info", self.result),
                self._layer(TARGET, self.target)]

    def _layer(self, name, check):
        before = len(self.problems)
        try:
            count = check()
        except Exception as error:
            count = 0
            self.problems.append(f"{name}: could not be read: {error}")
        return name, count, self.problems[before:]

    def ods_orders(self):
        return self._topic("ods_orders", lambda change, found: (
            encode({"order_id": change.order["order_id"]}), encode(change.order)))

    def ods_users(self):
        users = rows(self.source, "SELECT * FROM business.users ORDER BY user_id")
        expected = {encode({"user_id": user["user_id"]}): encode(user) for user in users}
        records = self.kafka.read_topic("ods_users")
        self._same("ods_users: keys", sorted(expected), sorted(record.key for record in records))
        for record in records:
            self._same(f"ods_users: value of {record.key.decode()}", expected.get(record.key), record.value)
        return len(records)

    def dwd_orders(self):
        return self._topic("dwd_orders", lambda change, found: (
            None, encode(cleaned(change.order, self._time(change, found, "etl_time", "dwd_orders")))))

    def result(self):
        return self._topic("result_orders_with_user_info", lambda change, found: (
            encode({"order_id": change.key[0], "order_status": change.key[1]}),
            encode(joined(change.order, change.user,
                          self._time(change, found, "join_time", "result_orders_with_user_info")))))

    def _topic(self, topic, expect):
        """Exactly one record for each change, with the key and the value that `expect` makes of it."""
        found = {}
        for record in self.kafka.read_topic(topic):
            row = json.loads(record.value)
            found.setdefault((row["order_id"], row["order_status"]), []).append((record, row))
        self._same(f"{topic}: the number of records", {change.key: 1 for change in self.changes},
                   {key: len(records) for key, records in found.items()})
        good = 0
        for change in self.changes:
            for record, row in found.get(change.key, []):
                change.arrivals[topic] = datetime.datetime.fromtimestamp(record.timestamp / 1000, UTC)
                before = len(self.problems)
                key, value = expect(change, row)
                self._same(f"{topic}: key of {change}", key, record.key)
                self._same(f"{topic}: value of {change}", value, record.value)
                good += len(self.problems) == before
        return good

    def target(self):
        found = rows(self.sink, f"SELECT *, pg_xact_commit_timestamp(xmin) AS arrived FROM {TARGET}",
                     database="sink_db")
        by_key = {(row["order_id"], row["order_status"]): row for row in found}
        self._same(f"{TARGET}: keys", sorted(change.key for change in self.changes), sorted(by_key))
        good = 0
        for change in self.changes:
            row = by_key.get(change.key)
            if row is None:
                continue
            before = len(self.problems)
            change.arrivals[TARGET] = row.pop("arrived")
            texts = {name: time_text(row[name]) for name in ("join_time", "processed_time")}
            expected = joined(change.order, change.user, row["join_time"])
            expected["processed_time"] = row["processed_time"]
            self._same(f"{TARGET}: {change}", expected, row)
            self._time(change, texts, "join_time", TARGET)
            self._time(change, texts, "processed_time", TARGET)
            if row["join_time"] > row["processed_time"]:
                self.problems.append(f"{TARGET}: {change} was joined after it was processed")
            good += len(self.problems) == before
        return good

    def _time(self, change, row, field, layer):
        """The time that leat wrote, checked against the commit and the arrival; both are cut to milliseconds, as it
        is."""
        text = row.get(field)
        try:
            value = time_value(text)
        except (TypeError, ValueError):
            self.problems.append(f"{layer}: {field} of {change} is not a time: {text!r}")
            return None
        first = change.earliest.replace(microsecond=change.earliest.microsecond // 1000 * 1000)
        if not first <= value <= change.arrivals[layer]:
            self.problems.append(f"{layer}: {field} of {change} is {text}, not between the commit at "
                                 f"{change.earliest} and the arrival at {change.arrivals[layer]}")
        return value

    def _same(self, what, expected, found):
        if expected != found:
            first, second = different(expected, found)
            self.problems.append(f"{what} differs\n    expected {first}\n    found    {second}")


NOT_THERE = "not there"


def different(expected, found):
    """Both as text; of two rows, or two tallies, only what differs, unless that is how they are written."""
    shown = [value.decode(errors="replace") if isinstance(value, bytes) else value for value in (expected, found)]
    try:
        first, second = [json.loads(value) if isinstance(value, str) else value for value in shown]
        names = [name for name in {**first, **second} if first.get(name, NOT_THERE) != second.get(name, NOT_THERE)]
    except (ValueError, TypeError, AttributeError):
        return shown
    if not names:
        return shown
    return [", ".join(f"{name}: {row.get(name, NOT_THERE)}" for name in names) for row in (first, second)]
