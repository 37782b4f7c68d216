"""Customer → arm: a pure hash of names, the same on every machine and in every year.

This is the only place where chance is made. A digest's first half decides the arm, its
second half the order of sending, so that arms leave interleaved.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from hashlib import blake2b
from itertools import accumulate
from struct import Struct

from engine.model import Arm

_HALF = 8
_TWO_NUMBERS = Struct(">QQ").unpack
_EXACT = 53
"""Bits that a float holds exactly; with more of them the largest hash would be rounded up to 1."""
_GRAINS, _SPARE = 1 << _EXACT, 8 * _HALF - _EXACT


def drawer(salt: str) -> Callable[[str], tuple[float, int]]:
    """A function from `customer_id` to its two independent numbers under a salt.

    Returns:
        A uniform number in [0, 1) that decides the arm, and a position in [0, 2^63)
        that decides the order.

    Raises:
        ValueError: a salt of more than 64 bytes.
    """
    keyed = blake2b(key=salt.encode(), digest_size=2 * _HALF)

    def draw(customer_id: str) -> tuple[float, int]:
        hashing = keyed.copy()
        hashing.update(customer_id.encode())
        first, second = _TWO_NUMBERS(hashing.digest())
        return (first >> _SPARE) / _GRAINS, second >> 1

    return draw


def draw(salt: str, customer_id: str) -> tuple[float, int]:
    """The two numbers of one customer; `drawer` does the same for many."""
    return drawer(salt)(customer_id)


def arm_of(arms: Sequence[Arm], salt: str, customer_id: str) -> str:
    """The arm of one customer; `assigner` does the same for many."""
    return assigner(arms, salt)(customer_id)[0]


def assigner(arms: Sequence[Arm], salt: str) -> Callable[[str], tuple[str, int]]:
    """A function from `customer_id` to (arm, position) for one round.

    Args:
        arms: in the plan's order; their shares add up to 1.
        salt: unique to the round.

    Raises:
        ValueError: shares that do not add up to 1.
    """
    bounds = list(accumulate(arm.share for arm in arms))
    if not arms or abs(bounds[-1] - 1) > 1e-9:
        raise ValueError("the shares of a round's arms must add up to 1")
    names = [arm.name for arm in arms]
    inner = bounds[:-1]
    draw = drawer(salt)

    def assign(customer_id: str) -> tuple[str, int]:
        uniform, position = draw(customer_id)
        return names[bisect_right(inner, uniform)], position

    return assign


def held_out(share: float, period: str) -> Callable[[str], bool]:
    """A function that tells whether a customer is in a period's global holdout; the period is the salt."""
    draw = drawer(f"global-holdout:{period}")
    return lambda customer_id: draw(customer_id)[0] < share
