SELECT customer.id
FROM customer
WHERE (customer.signed_up_at IS NULL OR customer.signed_up_at < :signed_up_at_1) AND customer.recorded_at <= :recorded_at_1 AND (EXISTS (SELECT 1
FROM json_each(customer.attributes) AS anon_1
WHERE anon_1."key" = :key_1 AND CASE WHEN (anon_1.type = 'integer' OR anon_1.type = 'real') THEN anon_1.value WHEN (anon_1.type = 'text') THEN CASE WHEN (length(anon_1.value) <= 30 AND ((anon_1.value GLOB '[0-9]*') OR (anon_1.value GLOB '-[0-9]*')) AND (anon_1.value GLOB '*[0-9]') AND NOT (anon_1.value GLOB '*[^-0-9.]*') AND NOT (anon_1.value GLOB '?*-*') AND NOT (anon_1.value GLOB '*.*.*')) THEN CAST(anon_1.value AS NUMERIC) END END >= :param_1))
-- signed_up_at_1 = datetime.datetime(2026, 6, 15, 0, 0, tzinfo=datetime.timezone.utc)
-- recorded_at_1 = datetime.datetime(2026, 6, 16, 0, 0, tzinfo=datetime.timezone.utc)
-- key_1 = 'points'
-- param_1 = 500
