SELECT customer.id
FROM customer
WHERE (customer.signed_up_at IS NULL OR customer.signed_up_at < %(signed_up_at_1)s::BIGINT) AND customer.recorded_at <= %(recorded_at_1)s::BIGINT AND (EXISTS (SELECT event_1.id
FROM event AS event_1
WHERE event_1.customer_id = customer.id AND event_1.name = %(name_1)s::VARCHAR COLLATE "C" AND event_1.occurred_at < %(occurred_at_1)s::BIGINT AND event_1.recorded_at <= %(recorded_at_2)s::BIGINT AND event_1.machine IS false AND event_1.occurred_at >= %(occurred_at_2)s::BIGINT AND (CASE WHEN (jsonb_typeof(event_1.properties -> %(param_1)s::VARCHAR) = 'string' OR jsonb_typeof(event_1.properties -> %(param_1)s::VARCHAR) = 'boolean') THEN event_1.properties ->> %(param_2)s::VARCHAR END = %(param_3)s::VARCHAR) IS true AND (event_1.value IS NOT NULL AND (event_1.value >= %(param_4)s) IS true OR event_1.value IS NULL AND (CASE WHEN (jsonb_typeof(event_1.properties -> %(param_5)s::VARCHAR) = 'number') THEN CAST(event_1.properties ->> %(param_6)s::VARCHAR AS NUMERIC) WHEN (jsonb_typeof(event_1.properties -> %(param_5)s::VARCHAR) = 'string') THEN CASE WHEN (length(event_1.properties ->> %(param_6)s::VARCHAR) <= 30 AND ((event_1.properties ->> %(param_6)s::VARCHAR) ~ '^-?[0-9]+([.][0-9]+)?$')) THEN CAST(event_1.properties ->> %(param_6)s::VARCHAR AS NUMERIC) END END >= %(param_7)s) IS true)))
-- signed_up_at_1 = datetime.datetime(2026, 6, 15, 0, 0, tzinfo=datetime.timezone.utc)
-- recorded_at_1 = datetime.datetime(2026, 6, 16, 0, 0, tzinfo=datetime.timezone.utc)
-- name_1 = 'viewed_product'
-- occurred_at_1 = datetime.datetime(2026, 6, 15, 0, 0, tzinfo=datetime.timezone.utc)
-- recorded_at_2 = datetime.datetime(2026, 6, 16, 0, 0, tzinfo=datetime.timezone.utc)
-- occurred_at_2 = datetime.datetime(2026, 5, 16, 0, 0, tzinfo=datetime.timezone.utc)
-- param_1 = 'category'
-- param_2 = 'category'
-- param_3 = 'shoes'
-- param_4 = Decimal('50')
-- param_5 = 'amount'
-- param_6 = 'amount'
-- param_7 = Decimal('50')
