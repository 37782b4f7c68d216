SELECT customer.id
FROM customer
WHERE (customer.signed_up_at IS NULL OR customer.signed_up_at < :signed_up_at_1) AND customer.recorded_at <= :recorded_at_1 AND (EXISTS (SELECT event_1.id
FROM event AS event_1
WHERE event_1.customer_id = customer.id AND event_1.name = :name_1 AND event_1.occurred_at < :occurred_at_1 AND event_1.recorded_at <= :recorded_at_2 AND event_1.machine IS 0 AND event_1.occurred_at >= :occurred_at_2 AND (EXISTS (SELECT 1
FROM json_each(event_1.properties) AS anon_1
WHERE anon_1."key" = :key_1 AND CASE WHEN (anon_1.type = 'text') THEN anon_1.value WHEN (anon_1.type = 'true' OR anon_1.type = 'false') THEN anon_1.type END = :param_1)) AND (event_1.value IS NOT NULL AND (event_1.value >= :param_2) IS 1 OR event_1.value IS NULL AND (EXISTS (SELECT 1
FROM json_each(event_1.properties) AS anon_2
WHERE anon_2."key" = :key_2 AND CASE WHEN (anon_2.type = 'integer' OR anon_2.type = 'real') THEN anon_2.value WHEN (anon_2.type = 'text') THEN CASE WHEN (length(anon_2.value) <= 30 AND ((anon_2.value GLOB '[0-9]*') OR (anon_2.value GLOB '-[0-9]*')) AND (anon_2.value GLOB '*[0-9]') AND NOT (anon_2.value GLOB '*[^-0-9.]*') AND NOT (anon_2.value GLOB '?*-*') AND NOT (anon_2.value GLOB '*.*.*')) THEN CAST(anon_2.value AS NUMERIC) END END >= :param_3)))))
-- signed_up_at_1 = datetime.datetime(2026, 6, 15, 0, 0, tzinfo=datetime.timezone.utc)
-- recorded_at_1 = datetime.datetime(2026, 6, 16, 0, 0, tzinfo=datetime.timezone.utc)
-- name_1 = 'viewed_product'
-- occurred_at_1 = datetime.datetime(2026, 6, 15, 0, 0, tzinfo=datetime.timezone.utc)
-- recorded_at_2 = datetime.datetime(2026, 6, 16, 0, 0, tzinfo=datetime.timezone.utc)
-- occurred_at_2 = datetime.datetime(2026, 5, 16, 0, 0, tzinfo=datetime.timezone.utc)
-- key_1 = 'category'
-- param_1 = 'shoes'
-- param_2 = 50
-- key_2 = 'amount'
-- param_3 = 50
