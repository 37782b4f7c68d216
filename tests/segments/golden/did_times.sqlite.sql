SELECT customer.id
FROM customer
WHERE (customer.signed_up_at IS NULL OR customer.signed_up_at < :signed_up_at_1) AND customer.recorded_at <= :recorded_at_1 AND (SELECT event_1.id
FROM event AS event_1
WHERE event_1.customer_id = customer.id AND event_1.name = :name_1 AND event_1.occurred_at < :occurred_at_1 AND event_1.recorded_at <= :recorded_at_2 AND event_1.machine IS 0
 LIMIT :param_1 OFFSET :param_2) IS NOT NULL AND (SELECT event_1.id
FROM event AS event_1
WHERE event_1.customer_id = customer.id AND event_1.name = :name_1 AND event_1.occurred_at < :occurred_at_1 AND event_1.recorded_at <= :recorded_at_2 AND event_1.machine IS 0
 LIMIT :param_3 OFFSET :param_4) IS NULL
-- signed_up_at_1 = datetime.datetime(2026, 6, 15, 0, 0, tzinfo=datetime.timezone.utc)
-- recorded_at_1 = datetime.datetime(2026, 6, 16, 0, 0, tzinfo=datetime.timezone.utc)
-- name_1 = 'purchase'
-- occurred_at_1 = datetime.datetime(2026, 6, 15, 0, 0, tzinfo=datetime.timezone.utc)
-- recorded_at_2 = datetime.datetime(2026, 6, 16, 0, 0, tzinfo=datetime.timezone.utc)
-- param_1 = 1
-- param_2 = 2
-- param_3 = 1
-- param_4 = 5
