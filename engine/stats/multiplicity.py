"""Several treatments against one control (Dunnett), and several metrics (Holm)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from engine.errors import CannotBeJudged
from engine.stats.effect import critical_value

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_NODES = 64
_REACH = 9.0
"""Beyond so many standard deviations a normal variable adds less than 1e-18."""
_TAIL = 1e-13
"""What is left out of the distribution of the standard deviation at each end."""
_NEVER_QUITE_ONE = 1 - 1e-16


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values, in the order given (Holm 1979, Scand J Stat 6:65)."""
    adjusted, running = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        running = max(running, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = running
    return adjusted


def dunnett_p(statistic: float, *, treatments: Sequence[float], control: float, freedom: float | None = None) -> float:
    """The chance that the largest of several comparisons with one control is as far from zero as this.

    All comparisons share the control, so statistics i and j correlate with λᵢλⱼ, λᵢ² = nᵢ/(nᵢ + n₀)
    (Dunnett 1955, JASA 50:1096). Given the shared part they are independent, which leaves a single
    integral over it, and with an estimated variance a second one over the variance.

    Args:
        statistic: the z (or, with `freedom`, the t with pooled variance) of one comparison.
        treatments: size or share of every treatment.
        control: size or share of the control, in the same unit.
        freedom: degrees of freedom of a variance pooled over all arms; None for a known variance.

    Raises:
        CannotBeJudged: an arm has no customers.
    """
    loadings = _loadings(treatments, control)
    if math.isinf(statistic):
        return 0.0
    if freedom is None:
        return min(1.0, _beyond(abs(statistic), loadings))
    return min(1.0, _studentised(abs(statistic), loadings, freedom))


def dunnett_critical(alpha: float, *, treatments: Sequence[float], control: float) -> float:
    """Standard errors that the largest of all comparisons passes with probability `alpha`.

    Args:
        alpha: family-wise, two-sided.
        treatments: size or share of every treatment.
        control: size or share of the control, in the same unit.

    Raises:
        CannotBeJudged: an arm has no customers.
    """
    loadings = _loadings(treatments, control)
    if len(loadings) == 1:
        return critical_value(alpha)
    from scipy.optimize import brentq

    low, high = critical_value(alpha), critical_value(alpha / len(loadings))
    return float(brentq(lambda c: _beyond(c, loadings) - alpha, low - 1e-6, high + 1e-6, xtol=1e-13))


def _loadings(treatments: Sequence[float], control: float) -> list[float]:
    if not treatments or min(treatments) <= 0 or control <= 0:
        raise CannotBeJudged("an arm has no customers")
    return [math.sqrt(size / (size + control)) for size in treatments]


def _beyond(critical: float, loadings: Sequence[float]) -> float:
    """P(some |Zᵢ| > critical). Tails are added up, not taken from 1, so that small ones stay exact."""
    import numpy as np
    from scipy.special import ndtr

    nodes, weights = _grid(critical, loadings)
    inside = np.zeros_like(nodes)
    for loading in loadings:
        rest = math.sqrt(1 - loading**2)
        tails = ndtr((-critical - loading * nodes) / rest) + ndtr((-critical + loading * nodes) / rest)
        inside += np.log1p(-np.minimum(tails, _NEVER_QUITE_ONE))
    return float(np.sum(weights * np.exp(-(nodes**2) / 2) * -np.expm1(inside)) / math.sqrt(2 * math.pi))


@lru_cache(maxsize=1)
def _legendre() -> tuple[Array, Array]:
    import numpy as np

    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    return nodes, weights


def _grid(critical: float, loadings: Sequence[float]) -> tuple[Array, Array]:
    """Gauss-Legendre nodes in panels whose edges lie where the integrand bends."""
    import numpy as np

    end = _REACH + critical
    edges = {-end, -_REACH, 0.0, _REACH, end}
    for loading in loadings:
        bend, width = critical / loading, _REACH * math.sqrt(1 - loading**2) / loading
        edges |= {sign * (bend + step) for sign in (-1, 1) for step in (-width, 0.0, width)}
    cuts = np.array(sorted(edge for edge in edges if abs(edge) <= end))
    nodes, weights = _legendre()
    half, middle = np.diff(cuts) / 2, (cuts[1:] + cuts[:-1]) / 2
    return (middle[:, None] + np.outer(half, nodes)).ravel(), np.outer(half, weights).ravel()


def _studentised(critical: float, loadings: Sequence[float], freedom: float) -> float:
    """As `_beyond`, every statistic divided by one s = √(χ²/freedom): its mean at critical · s over s."""
    import numpy as np
    from scipy.special import chdtri

    low, high = (math.sqrt(float(chdtri(freedom, tail)) / freedom) for tail in (1 - _TAIL, _TAIL))
    nodes, weights = _legendre()
    scales = (high + low) / 2 + (high - low) / 2 * nodes
    half = freedom / 2
    density = np.exp(
        math.log(2) + half * math.log(half) - math.lgamma(half) + (freedom - 1) * np.log(scales) - half * scales**2
    )
    beyond = np.array([_beyond(critical * float(scale), loadings) for scale in scales])
    return float(np.sum(weights * density * beyond) * (high - low) / 2)
