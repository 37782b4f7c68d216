SELECT customer.id
FROM customer
WHERE (customer.signed_up_at IS NULL OR customer.signed_up_at < :signed_up_at_1) AND customer.recorded_at <= :recorded_at_1 AND (round((SELECT sum(coalesce(event_1.value, :coalesce_1)) AS sum_1
FROM event AS event_1
WHERE event_1.customer_id = customer.id AND event_1.name = :name_1 AND event_1.occurred_at < :occurred_at_1 AND event_1.recorded_at <= :recorded_at_2 AND event_1.machine IS 0) - coalesce((SELECT sum(coalesce(event_2.value, :coalesce_2)) AS sum_2
FROM event AS event_2
WHERE event_2.customer_id = customer.id AND event_2.name = :name_2 AND event_2.occurred_at < :occurred_at_2 AND event_2.recorded_at <= :recorded_at_3 AND event_2.machine IS 0), :coalesce_3), 6) >= :param_1) IS 1
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
-- param_1 = 100
