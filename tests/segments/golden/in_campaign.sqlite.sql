SELECT customer.id
FROM customer
WHERE (customer.signed_up_at IS NULL OR customer.signed_up_at < :signed_up_at_1) AND customer.recorded_at <= :recorded_at_1 AND (EXISTS (SELECT entry_1.customer_id
FROM entry AS entry_1 JOIN round AS round_1 ON round_1.id = entry_1.round_id
WHERE entry_1.customer_id = customer.id AND round_1.campaign = :campaign_1 AND entry_1.entered_at < :entered_at_1 AND entry_1.entered_at >= :entered_at_2 AND entry_1.arm = :arm_1 AND round_1.decision = :decision_1 AND round_1.decided_at < :decided_at_1 AND (EXISTS (SELECT message_1.id
FROM message AS message_1
WHERE message_1.customer_id = entry_1.customer_id AND message_1.wave_id = entry_1.wave_id AND message_1.state = :state_1))))
-- signed_up_at_1 = datetime.datetime(2026, 6, 15, 0, 0, tzinfo=datetime.timezone.utc)
-- recorded_at_1 = datetime.datetime(2026, 6, 16, 0, 0, tzinfo=datetime.timezone.utc)
-- campaign_1 = 'spring'
-- entered_at_1 = datetime.datetime(2026, 6, 15, 0, 0, tzinfo=datetime.timezone.utc)
-- entered_at_2 = datetime.datetime(2026, 6, 1, 0, 0, tzinfo=datetime.timezone.utc)
-- arm_1 = 'a'
-- decision_1 = 'ship'
-- decided_at_1 = datetime.datetime(2026, 6, 15, 0, 0, tzinfo=datetime.timezone.utc)
-- state_1 = 'accepted'
