SELECT customer.id
FROM customer
WHERE (customer.signed_up_at IS NULL OR customer.signed_up_at < %(signed_up_at_1)s::BIGINT) AND customer.recorded_at <= %(recorded_at_1)s::BIGINT AND (jsonb_typeof(customer.attributes -> %(param_1)s::VARCHAR) != 'null') IS NOT true
-- signed_up_at_1 = datetime.datetime(2026, 6, 15, 0, 0, tzinfo=datetime.timezone.utc)
-- recorded_at_1 = datetime.datetime(2026, 6, 16, 0, 0, tzinfo=datetime.timezone.utc)
-- param_1 = 'tier'
