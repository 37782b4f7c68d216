SELECT customer.id
FROM customer
WHERE (customer.signed_up_at IS NULL OR customer.signed_up_at < %(signed_up_at_1)s::BIGINT) AND customer.recorded_at <= %(recorded_at_1)s::BIGINT AND (SELECT event_1.id
FROM event AS event_1
WHERE event_1.customer_id = customer.id AND event_1.name = %(name_1)s::VARCHAR COLLATE "C" AND event_1.occurred_at < %(occurred_at_1)s::BIGINT AND event_1.recorded_at <= %(recorded_at_2)s::BIGINT AND event_1.machine IS false
 LIMIT %(param_1)s::INTEGER OFFSET %(param_2)s::INTEGER) IS NOT NULL AND (SELECT event_1.id
FROM event AS event_1
WHERE event_1.customer_id = customer.id AND event_1.name = %(name_1)s::VARCHAR COLLATE "C" AND event_1.occurred_at < %(occurred_at_1)s::BIGINT AND event_1.recorded_at <= %(recorded_at_2)s::BIGINT AND event_1.machine IS false
 LIMIT %(param_3)s::INTEGER OFFSET %(param_4)s::INTEGER) IS NULL
-- signed_up_at_1 = datetime.datetime(2026, 6, 15, 0, 0, tzinfo=datetime.timezone.utc)
-- recorded_at_1 = datetime.datetime(2026, 6, 16, 0, 0, tzinfo=datetime.timezone.utc)
-- name_1 = 'purchase'
-- occurred_at_1 = datetime.datetime(2026, 6, 15, 0, 0, tzinfo=datetime.timezone.utc)
-- recorded_at_2 = datetime.datetime(2026, 6, 16, 0, 0, tzinfo=datetime.timezone.utc)
-- param_1 = 1
-- param_2 = 2
-- param_3 = 1
-- param_4 = 5
