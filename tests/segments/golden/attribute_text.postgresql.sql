SELECT customer.id
FROM customer
WHERE (customer.signed_up_at IS NULL OR customer.signed_up_at < %(signed_up_at_1)s::BIGINT) AND customer.recorded_at <= %(recorded_at_1)s::BIGINT AND (strpos(customer.first_name, %(strpos_1)s::VARCHAR) > 0 AND customer.first_name LIKE %(first_name_1)s::VARCHAR) IS true AND (customer.first_name = %(param_1)s::VARCHAR) IS NOT true
-- signed_up_at_1 = datetime.datetime(2026, 6, 15, 0, 0, tzinfo=datetime.timezone.utc)
-- recorded_at_1 = datetime.datetime(2026, 6, 16, 0, 0, tzinfo=datetime.timezone.utc)
-- strpos_1 = 'n'
-- first_name_1 = 'A%'
-- param_1 = 'Anna'
