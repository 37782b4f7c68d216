"""A generated population whose truth is known, and the cycle rehearsed on it."""
