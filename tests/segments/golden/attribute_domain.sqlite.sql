SELECT customer.id
FROM customer
WHERE (customer.signed_up_at IS NULL OR customer.signed_up_at < :signed_up_at_1) AND customer.recorded_at <= :recorded_at_1 AND (CASE WHEN (customer.email LIKE '%' || :email_1 || '%') THEN substr(customer.email, length(rtrim(customer.email, replace(customer.email, :replace_1, :replace_2))) + :length_1) END = :param_1) IS 1
-- signed_up_at_1 = datetime.datetime(2026, 6, 15, 0, 0, tzinfo=datetime.timezone.utc)
-- recorded_at_1 = datetime.datetime(2026, 6, 16, 0, 0, tzinfo=datetime.timezone.utc)
-- email_1 = '@'
-- replace_1 = '@'
-- replace_2 = ''
-- length_1 = 1
-- param_1 = 'example.com'
