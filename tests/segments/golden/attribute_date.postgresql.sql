SELECT customer.id
FROM customer
WHERE (customer.signed_up_at IS NULL OR customer.signed_up_at < %(signed_up_at_1)s::BIGINT) AND customer.recorded_at <= %(recorded_at_1)s::BIGINT AND (CASE WHEN (customer.birth_date ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}') THEN substr(customer.birth_date, 1, 10) COLLATE "C" END <= %(param_1)s::VARCHAR) IS true
-- signed_up_at_1 = datetime.datetime(2026, 6, 15, 0, 0, tzinfo=datetime.timezone.utc)
-- recorded_at_1 = datetime.datetime(2026, 6, 16, 0, 0, tzinfo=datetime.timezone.utc)
-- param_1 = '2008-06-15'
