SELECT customer.id
FROM customer
WHERE (customer.signed_up_at IS NULL OR customer.signed_up_at < :signed_up_at_1) AND customer.recorded_at <= :recorded_at_1 AND ((SELECT event_1.occurred_at
FROM event AS event_1
WHERE event_1.customer_id = customer.id AND event_1.name = :name_1 AND event_1.occurred_at < :occurred_at_1 AND event_1.recorded_at <= :recorded_at_2 AND event_1.machine IS 0 ORDER BY event_1.occurred_at DESC
 LIMIT :param_1 OFFSET :param_2) BETWEEN :param_3 AND :param_4) IS 1
-- signed_up_at_1 = datetime.datetime(2026, 6, 15, 0, 0, tzinfo=datetime.timezone.utc)
-- recorded_at_1 = datetime.datetime(2026, 6, 16, 0, 0, tzinfo=datetime.timezone.utc)
-- name_1 = 'purchase'
-- occurred_at_1 = datetime.datetime(2026, 6, 15, 0, 0, tzinfo=datetime.timezone.utc)
-- recorded_at_2 = datetime.datetime(2026, 6, 16, 0, 0, tzinfo=datetime.timezone.utc)
-- param_1 = 1
-- param_2 = 0
-- param_3 = datetime.datetime(2025, 12, 17, 0, 0, tzinfo=datetime.timezone.utc)
-- param_4 = datetime.datetime(2026, 4, 16, 0, 0, tzinfo=datetime.timezone.utc)
