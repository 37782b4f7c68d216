"""Sample ratio mismatch: whether arms have the sizes that the assignment should give them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from engine.errors import CannotBeJudged

CONCENTRATION = 10_000
"""Weight of the prior around the planned shares, in customers."""


def sequential_p(counts: Sequence[int], shares: Sequence[float], *, concentration: float = CONCENTRATION) -> float:
    """The always-valid p-value of the sequential multinomial test.

    It may be looked at as often as one likes: over all looks together it falls below p in at most
    p of sound experiments (Lindon & Malek 2022, Anytime-valid inference for multinomial count data).

    Args:
        counts: customers by arm.
        shares: planned share by arm; they are scaled to add up to 1.
        concentration: weight of the Dirichlet prior around the shares.

    Raises:
        CannotBeJudged: counts and shares do not fit, a count is negative or a share not above zero.
    """
    return min(1.0, math.exp(min(0.0, -log_bayes_factor(counts, shares, concentration=concentration))))


def log_bayes_factor(counts: Sequence[int], shares: Sequence[float], *, concentration: float = CONCENTRATION) -> float:
    """Log of how much better other shares near the planned ones explain the counts than the planned.

    Raises:
        CannotBeJudged: as `sequential_p`.
    """
    planned = _scaled(counts, shares)
    mixture = math.lgamma(concentration) - math.lgamma(concentration + sum(counts))
    for count, share in zip(counts, planned, strict=True):
        weight = concentration * share
        mixture += math.lgamma(weight + count) - math.lgamma(weight) - count * math.log(share)
    return mixture


def chi_square_p(counts: Sequence[int], shares: Sequence[float]) -> float:
    """Pearson's chi-square p-value, for data that are looked at once.

    Raises:
        CannotBeJudged: as `sequential_p`.
    """
    from scipy.special import chdtrc

    planned, total = _scaled(counts, shares), sum(counts)
    if total == 0:
        return 1.0
    expected = [total * share for share in planned]
    statistic = sum((count - mean) ** 2 / mean for count, mean in zip(counts, expected, strict=True))
    return float(chdtrc(len(counts) - 1, statistic))


def _scaled(counts: Sequence[int], shares: Sequence[float]) -> list[float]:
    if len(counts) != len(shares) or len(counts) < 2:
        raise CannotBeJudged(f"{len(counts)} counts cannot be compared with {len(shares)} shares; two arms are needed")
    if min(counts) < 0 or not all(math.isfinite(share) and share > 0 for share in shares):
        raise CannotBeJudged("counts must not be negative, and every arm needs a share above zero")
    whole = math.fsum(shares)
    return [share / whole for share in shares]
