-- What the target must hold, kept by the source itself: the last row of every state that an order ever had. What
-- happens to a captured table is noted in the transaction that does it.
CREATE SCHEMA history;
CREATE TABLE history.states (LIKE business.orders, PRIMARY KEY (order_id, order_status));

CREATE FUNCTION history.note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO history.states VALUES (NEW.*)
    ON CONFLICT (order_id, order_status) DO UPDATE SET
        user_id = NEW.user_id, product_name = NEW.product_name, product_category = NEW.product_category,
        quantity = NEW.quantity, unit_price = NEW.unit_price, total_amount = NEW.total_amount,
        order_time = NEW.order_time, updated_at = NEW.updated_at;
    RETURN NULL;
END$$;
CREATE TRIGGER note AFTER INSERT OR UPDATE ON business.orders FOR EACH ROW EXECUTE FUNCTION history.note();
INSERT INTO history.states SELECT * FROM business.orders;

-- etc/orders.toml, stages 2 to 4, in the words of PostgreSQL.
CREATE VIEW history.expected AS
SELECT o.order_id, o.user_id, coalesce(u.username, 'Unknown User') AS username,
       coalesce(u.email, 'unknown@example.com') AS email, u.phone, u.city, o.product_name, o.product_category,
       coalesce(c.code, 'OTHER') AS product_category_normalized, o.quantity, o.unit_price, o.total_amount,
       '¥' || o.total_amount AS total_amount_yuan, o.order_status, coalesce(s.text, '未知') AS order_status_desc,
       o.order_time, to_char(o.order_time, 'YYYY-MM-DD') AS order_date,
       extract(hour FROM o.order_time)::int AS order_hour, u.register_time AS user_register_time,
       coalesce(t.tier, '其他城市') AS user_city_tier
FROM history.states o
LEFT JOIN business.users u USING (user_id)
LEFT JOIN (VALUES ('电子产品', 'ELECTRONICS'), ('服装鞋帽', 'CLOTHING'), ('家居用品', 'HOME'), ('图书', 'BOOKS'))
          AS c (name, code) ON c.name = o.product_category
LEFT JOIN (VALUES ('PENDING', '待处理'), ('SHIPPED', '已发货'), ('COMPLETED', '已完成'), ('CANCELLED', '已取消'))
          AS s (name, text) ON s.name = o.order_status
LEFT JOIN (VALUES ('北京', '一线城市'), ('上海', '一线城市'), ('广州', '一线城市'), ('深圳', '一线城市'), ('杭州', '新一线城市'),
                  ('成都', '新一线城市'), ('武汉', '新一线城市'), ('南京', '新一线城市'), ('西安', '新一线城市'))
          AS t (city, tier) ON t.city = u.city
WHERE o.total_amount > 0;
