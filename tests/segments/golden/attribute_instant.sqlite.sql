SELECT customer.id
FROM customer
WHERE (customer.signed_up_at IS NULL OR customer.signed_up_at < :signed_up_at_1) AND customer.recorded_at <= :recorded_at_1 AND (customer.signed_up_at <= :signed_up_at_2 AND customer.signed_up_at <= :signed_up_at_3 AND customer.signed_up_at >= :signed_up_at_4) IS 1
-- signed_up_at_1 = datetime.datetime(2026, 6, 15, 0, 0, tzinfo=datetime.timezone.utc)
-- recorded_at_1 = datetime.datetime(2026, 6, 16, 0, 0, tzinfo=datetime.timezone.utc)
-- signed_up_at_2 = datetime.datetime(2026, 5, 16, 0, 0, tzinfo=datetime.timezone.utc)
-- signed_up_at_3 = datetime.datetime(2026, 6, 15, 0, 0, tzinfo=datetime.timezone.utc)
-- signed_up_at_4 = datetime.datetime(2024, 6, 15, 0, 0, tzinfo=datetime.timezone.utc)
