SELECT customer.id
FROM customer
WHERE (customer.signed_up_at IS NULL OR customer.signed_up_at < %(signed_up_at_1)s::BIGINT) AND customer.recorded_at <= %(recorded_at_1)s::BIGINT AND (round(CAST((SELECT sum(coalesce(event_1.value, %(coalesce_1)s)) AS sum_1
FROM event AS event_1
WHERE event_1.customer_id = customer.id AND event_1.name = %(name_1)s::VARCHAR COLLATE "C" AND event_1.occurred_at < %(occurred_at_1)s::BIGINT AND event_1.recorded_at <= %(recorded_at_2)s::BIGINT AND event_1.machine IS false) - coalesce((SELECT sum(coalesce(event_2.value, %(coalesce_2)s)) AS sum_2
FROM event AS event_2
WHERE event_2.customer_id = customer.id AND event_2.name = %(name_2)s::VARCHAR COLLATE "C" AND event_2.occurred_at < %(occurred_at_2)s::BIGINT AND event_2.recorded_at <= %(recorded_at_3)s::BIGINT AND event_2.machine IS false), %(coalesce_3)s) AS NUMERIC), 6) >= %(param_1)s) IS true
-- signed_up_at_1 = datetime.datetime(2026, 6, 15, 0, 0, tzinfo=datetime.timezone.utc)
-- recorded_at_1 = datetime.datetime(2026, 6, 16, 0, 0, tzinfo=datetime.timezone.utc)
-- coalesce_1 = 0.0
-- name_1 = 'purchase'
-- occurred_at_1 = datetime.datetime(2026, 6, 15, 0, 0, tzinfo=datetime.timezone.utc)
-- recorded_at_2 = datetime.datetime(2026, 6, 16, 0, 0, tzinfo=datetime.timezone.utc)
-- coalesce_2 = 0.0
-- name_2 = 'returned'
-- occurred_at_2 = datetime.datetime(2026, 6, 15, 0, 0, tzinfo=datetime.timezone.utc)
-- recorded_at_3 = datetime.datetime(2026, 6, 16, 0, 0, tzinfo=datetime.timezone.utc)
-- coalesce_3 = 0.0
-- param_1 = Decimal('100')
