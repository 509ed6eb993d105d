# SPDX-License-Identifier: Apache-2.0
"""The checker of the order pipeline accepts what is right and names what is wrong. A few lines of Python stand in for
leat: they write each layer from the source rows, and then the defects are planted one by one."""
import datetime
import json

from leattest import Postgres, orders

TIMEOUT = 120


def write_layers(pg, kafka, changes):
    """What leat would do, straight from the definitions."""
    for topic in orders.TOPICS:
        if topic in kafka.topics():
            kafka.delete_topic(topic)
        kafka.create_topic(topic)
    users = orders.rows(pg, "SELECT * FROM business.users")
    kafka.produce("ods_users", [(orders.encode({"user_id": user["user_id"]}), orders.encode(user)) for user in users])
    kafka.produce("ods_orders", [(orders.encode({"order_id": change.order["order_id"]}), orders.encode(change.order))
                                 for change in changes])
    kafka.produce("dwd_orders", [(None, orders.encode(orders.cleaned(change.order, now()))) for change in changes])
    connection = pg.connect("sink_db")
    connection.cursor().execute(f"TRUNCATE {orders.TARGET}")
    for change in changes:
        row = orders.joined(change.order, change.user, now())
        key = orders.encode({"order_id": change.key[0], "order_status": change.key[1]})
        kafka.produce("result_orders_with_user_info", [(key, orders.encode(row))])
        row["processed_time"] = now()
        places = ", ".join(["%s"] * len(row))
        connection.cursor().execute(f"INSERT INTO {orders.TARGET} VALUES ({places})", tuple(row.values()))
    connection.close()


def now():
    moment = datetime.datetime.now(orders.UTC).replace(tzinfo=None)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def problems(pg, kafka, changes):
    checker = orders.Checker(pg, pg, kafka, changes)
    checker.check_all()
    return checker.problems


def test_checker_accepts_what_is_right_and_names_what_is_wrong(work, kafka):
    with Postgres(f"{work}/pg", settings=orders.SETTINGS) as pg:
        orders.create_databases(pg, pg)
        pg.query("INSERT INTO business.orders VALUES (2006, 1001, 'AirPods', '电子产品', 1, 1999.00, 1999.00, 'PENDING')",
                 database="source_db")
        changes = [orders.read_change(pg, number) for number in range(2001, 2007)]
        write_layers(pg, kafka, changes)
        assert problems(pg, kafka, changes) == []

        pg.query(f"UPDATE {orders.TARGET} SET city = '北京市' WHERE order_id = 2001", database="sink_db")
        assert "order 2001 COMPLETED differs" in problems(pg, kafka, changes)[0]

        pg.query(f"UPDATE {orders.TARGET} SET city = '北京', processed_time = processed_time + interval '1 hour' "
                 "WHERE order_id = 2001", database="sink_db")
        assert "not between the commit" in problems(pg, kafka, changes)[0]

        write_layers(pg, kafka, changes)
        row = orders.cleaned(changes[0].order, now())
        kafka.produce("dwd_orders", [(None, orders.encode(row))])
        assert "dwd_orders: the number of records differs" in problems(pg, kafka, changes)[0]

        write_layers(pg, kafka, changes[:-1])
        assert len(problems(pg, kafka, changes)) == 4  # no record in three topics, no row in the target

        write_layers(pg, kafka, changes)
        kafka.produce("ods_users", [('{"user_id":1001}', '{"user_id":1001}')])
        assert "ods_users: keys differs" in problems(pg, kafka, changes)[0]


def test_expected_bytes_are_the_documented_ones(work):
    """Written out by hand, so that the definitions themselves are checked."""
    with Postgres(f"{work}/pg", settings=orders.SETTINGS) as pg:
        orders.create_databases(pg, pg)
        change = orders.read_change(pg, 2001)
        change.order["updated_at"] = change.order["order_time"]
        assert orders.encode(change.order).decode() == (
            '{"order_id":2001,"user_id":1001,"product_name":"iPhone 15","product_category":"电子产品","quantity":1,'
            '"unit_price":5999,"total_amount":5999,"order_status":"COMPLETED","order_time":"2025-07-11 17:25:55.145",'
            '"updated_at":"2025-07-11 17:25:55.145"}')
        moment = datetime.datetime(2025, 7, 12, 2, 32, 59, 500000)
        assert orders.encode(orders.joined(change.order, change.user, moment)).decode() == (
            '{"order_id":2001,"user_id":1001,"username":"张三","email":"zhangsan@example.com","phone":"13812345678",'
            '"city":"北京","product_name":"iPhone 15","product_category":"电子产品",'
            '"product_category_normalized":"ELECTRONICS","quantity":1,"unit_price":5999,"total_amount":5999,'
            '"total_amount_yuan":"¥5999.00","order_status":"COMPLETED","order_status_desc":"已完成",'
            '"order_time":"2025-07-11 17:25:55.145","order_date":"2025-07-11","order_hour":17,'
            '"user_register_time":"2025-07-11 17:25:55.143","user_city_tier":"一线城市",'
            '"join_time":"2025-07-12 02:32:59.5"}')
        stranger = orders.read_change(pg, 2005)
        row = json.loads(orders.encode(orders.joined(stranger.order, stranger.user, moment)))
        assert (row["username"], row["email"], row["phone"], row["user_city_tier"], row["total_amount"]) == (
            "Unknown User", "unknown@example.com", None, "其他城市", 88.8)
        assert row["total_amount_yuan"] == "¥88.80" and row["product_category_normalized"] == "OTHER"
