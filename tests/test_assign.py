"""Customer → arm: uniform, independent between rounds, and the same for ever."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from scipy import stats

from engine.assign import arm_of, assigner, draw, held_out
from engine.model import Arm, ArmRole

KEYS = [f"c{number:06}" for number in range(5_000)]


def arms(**shares: float) -> list[Arm]:
    return [Arm(name=name, share=share, role=ArmRole.TREATMENT) for name, share in shares.items()]


def numbers(salt: str, *, half: int) -> np.ndarray:
    return np.array([draw(salt, key)[half] for key in KEYS], dtype=float)


@pytest.mark.parametrize("half", [pytest.param(0, id="arm"), pytest.param(1, id="order")])
def test_both_numbers_of_a_draw_are_uniform(half: int) -> None:
    scale = 1 if half == 0 else 2**63
    p_values = [stats.kstest(numbers(f"salt-{round_}", half=half) / scale, "uniform").pvalue for round_ in range(40)]
    assert min(p_values) > 0.05 / 40 / 10
    assert stats.kstest(p_values, "uniform").pvalue > 0.001


def test_rounds_with_different_salts_assign_independently() -> None:
    """Over 1,000 pairs of rounds, as many chi-square tests are significant as chance makes."""
    assigned = np.array([[draw(f"round-{round_}", key)[0] < 0.5 for key in KEYS[:400]] for round_ in range(46)])
    pairs = [(one, other) for one in range(46) for other in range(one)][:1_000]
    p_values = []
    for one, other in pairs:
        table = np.histogram2d(assigned[one], assigned[other], bins=2)[0]
        p_values.append(stats.chi2_contingency(table, correction=False).pvalue)
    significant = sum(p_value < 0.05 for p_value in p_values)
    assert 25 <= significant <= 80, "50 are expected"
    assert min(p_values) > 1e-6


def test_the_order_of_sending_says_nothing_of_the_arm() -> None:
    uniform, position = numbers("one round", half=0), numbers("one round", half=1)
    assert abs(stats.spearmanr(uniform, position).statistic) < 4 / np.sqrt(len(KEYS))


def test_arms_get_their_shares() -> None:
    shares = {"control": 0.45, "offer": 0.45, "holdout": 0.1}
    assign = assigner(arms(**shares), "salt")
    counted = Counter(assign(key)[0] for key in KEYS)
    expected = [share * len(KEYS) for share in shares.values()]
    assert stats.chisquare([counted[name] for name in shares], expected).pvalue > 0.001


def test_larger_shares_keep_those_who_were_in() -> None:
    """A bound is crossed upwards only: whoever is in the first arm at 30 % is in it at 60 %."""
    small, large = assigner(arms(a=0.3, b=0.7), "s"), assigner(arms(a=0.6, b=0.4), "s")
    assert all(large(key)[0] == "a" for key in KEYS if small(key)[0] == "a")


@pytest.mark.parametrize(
    "shares",
    [
        pytest.param({"a": 0.5, "b": 0.4}, id="too-little"),
        pytest.param({"a": 0.5, "b": 0.6}, id="too-much"),
        pytest.param({}, id="none"),
    ],
)
def test_shares_that_do_not_add_up_are_refused(shares: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must add up to 1"):
        assigner(arms(**shares), "salt")


def test_shares_that_add_up_but_for_binary_fractions_are_taken() -> None:
    assigner(arms(**{f"arm{number}": 0.1 for number in range(10)}), "salt")


def test_an_arm_without_share_gets_nobody() -> None:
    assign = assigner(arms(a=0.0, b=1.0), "salt")
    assert {assign(key)[0] for key in KEYS} == {"b"}


GOLDEN: dict[str, tuple[float, int, str, bool]] = {
    "c000000": (0.2744801550521907, 1544433971223956893, "control", False),
    "c000013": (0.8212002118127913, 7290533669908647999, "offer", True),
    "c000006": (0.9527388169043802, 2182619159649184750, "holdout", True),
    "17850": (0.42447679977726593, 4098466935769508324, "control", False),
    "Zoë": (0.12609309370130095, 5883584507239620819, "control", False),
    "用户-7": (0.2850935675737861, 4911093224157759889, "control", False),
    "": (0.8757615344997742, 4413386554835669269, "offer", False),
}
"""By customer: both numbers of a draw, the arm, and whether the global holdout of 2026-Q1 has them at 30 %."""


@pytest.mark.parametrize("customer_id", GOLDEN)
def test_an_assignment_never_changes(customer_id: str) -> None:
    uniform, position, arm, held = GOLDEN[customer_id]
    assert draw("round salt", customer_id) == (uniform, position)
    assert arm_of(arms(control=0.45, offer=0.45, holdout=0.1), "round salt", customer_id) == arm
    assert held_out(0.3, "2026-Q1")(customer_id) is held


def test_the_largest_hash_is_still_below_one(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def copy(self) -> Full:
            return self

        def update(self, data: bytes) -> None:
            """Every name has the largest hash."""

        def digest(self) -> bytes:
            return b"\xff" * 16

    monkeypatch.setattr("engine.assign.blake2b", lambda *_, **__: Full())
    uniform, position = draw("salt", "c")
    assert uniform < 1
    assert position < 2**63


def test_the_global_holdout_is_drawn_for_itself_and_anew_each_period() -> None:
    """Who is held out in one period says nothing of the next, nor of the arms of a round."""
    first, second = (list(map(held_out(0.2, period), KEYS)) for period in ("2026-Q1", "2026-Q2"))
    assert abs(sum(first) - 1_000) < 5 * np.sqrt(800)
    both = sum(one and other for one, other in zip(first, second, strict=True))
    assert abs(both - 200) < 5 * np.sqrt(192)
    in_arm = [draw("round", key)[0] < 0.5 for key in KEYS]
    assert stats.chi2_contingency(np.histogram2d(first, in_arm, bins=2)[0]).pvalue > 0.001


@pytest.mark.parametrize(("share", "held"), [pytest.param(0.0, 0, id="nobody"), pytest.param(1.0, len(KEYS), id="all")])
def test_a_global_holdout_of_nobody_or_everybody_is_exact(share: float, held: int) -> None:
    assert sum(map(held_out(share, "ever"), KEYS)) == held
