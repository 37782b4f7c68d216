SELECT customer.id
FROM customer
WHERE (customer.signed_up_at IS NULL OR customer.signed_up_at < %(signed_up_at_1)s::BIGINT) AND customer.recorded_at <= %(recorded_at_1)s::BIGINT AND (CASE WHEN (jsonb_typeof(customer.attributes -> %(param_1)s::VARCHAR) = 'number') THEN CAST(customer.attributes ->> %(param_2)s::VARCHAR AS NUMERIC) WHEN (jsonb_typeof(customer.attributes -> %(param_1)s::VARCHAR) = 'string') THEN CASE WHEN (length(customer.attributes ->> %(param_2)s::VARCHAR) <= 30 AND ((customer.attributes ->> %(param_2)s::VARCHAR) ~ '^-?[0-9]+([.][0-9]+)?$')) THEN CAST(customer.attributes ->> %(param_2)s::VARCHAR AS NUMERIC) END END >= %(param_3)s) IS true
-- signed_up_at_1 = datetime.datetime(2026, 6, 15, 0, 0, tzinfo=datetime.timezone.utc)
-- recorded_at_1 = datetime.datetime(2026, 6, 16, 0, 0, tzinfo=datetime.timezone.utc)
-- param_1 = 'points'
-- param_2 = 'points'
-- param_3 = Decimal('500')
