"""Statistics as pure functions of counts and sums: no store, no network, no clock."""
