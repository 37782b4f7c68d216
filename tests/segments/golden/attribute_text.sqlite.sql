SELECT customer.id
FROM customer
WHERE (customer.signed_up_at IS NULL OR customer.signed_up_at < :signed_up_at_1) AND customer.recorded_at <= :recorded_at_1 AND (instr(customer.first_name, :instr_1) > 0 AND (customer.first_name GLOB :first_name_1)) IS 1 AND (customer.first_name = :first_name_2) IS NOT 1
-- signed_up_at_1 = datetime.datetime(2026, 6, 15, 0, 0, tzinfo=datetime.timezone.utc)
-- recorded_at_1 = datetime.datetime(2026, 6, 16, 0, 0, tzinfo=datetime.timezone.utc)
-- instr_1 = 'n'
-- first_name_1 = 'A*'
-- first_name_2 = 'Anna'
