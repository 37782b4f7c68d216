SELECT customer.id
FROM customer
WHERE (customer.signed_up_at IS NULL OR customer.signed_up_at < :signed_up_at_1) AND customer.recorded_at <= :recorded_at_1 AND customer.id IN (SELECT anon_1.id
FROM (SELECT anon_2.id AS id, ntile(:ntile_1) OVER (ORDER BY anon_2.monetary, customer_1.customer_id) AS score
FROM (SELECT anon_3.id AS id, round(anon_3.monetary - coalesce((SELECT sum(coalesce(event_1.value, :coalesce_1)) AS sum_1
FROM event AS event_1
WHERE event_1.customer_id = anon_3.id AND event_1.name = :name_1 AND event_1.occurred_at < :occurred_at_1 AND event_1.recorded_at <= :recorded_at_2 AND event_1.machine IS 0), :coalesce_2), 6) AS monetary
FROM (SELECT event_2.customer_id AS id, sum(coalesce(event_2.value, :coalesce_3)) AS monetary
FROM event AS event_2
WHERE event_2.name = :name_2 AND event_2.occurred_at < :occurred_at_2 AND event_2.recorded_at <= :recorded_at_3 AND event_2.machine IS 0 GROUP BY event_2.customer_id) AS anon_3) AS anon_2 JOIN customer AS customer_1 ON customer_1.id = anon_2.id) AS anon_1
WHERE anon_1.score >= :score_1 AND anon_1.score > :score_2)
-- signed_up_at_1 = datetime.datetime(2026, 6, 15, 0, 0, tzinfo=datetime.timezone.utc)
-- recorded_at_1 = datetime.datetime(2026, 6, 16, 0, 0, tzinfo=datetime.timezone.utc)
-- ntile_1 = 5
-- coalesce_1 = 0.0
-- name_1 = 'returned'
-- occurred_at_1 = datetime.datetime(2026, 6, 15, 0, 0, tzinfo=datetime.timezone.utc)
-- recorded_at_2 = datetime.datetime(2026, 6, 16, 0, 0, tzinfo=datetime.timezone.utc)
-- coalesce_2 = 0.0
-- coalesce_3 = 0.0
-- name_2 = 'purchase'
-- occurred_at_2 = datetime.datetime(2026, 6, 15, 0, 0, tzinfo=datetime.timezone.utc)
-- recorded_at_3 = datetime.datetime(2026, 6, 16, 0, 0, tzinfo=datetime.timezone.utc)
-- score_1 = 4
-- score_2 = 0
