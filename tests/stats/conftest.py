"""Reference cases with their own sources and tolerances."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# A loaded machine is slow, which says nothing about the numbers.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

SHARED = Path(__file__).resolve().parents[3] / "shared"
"""Reference data that is not part of the repository; a test that needs it skips where it is missing."""


@pytest.fixture(scope="session")
def cases() -> Mapping[str, Any]:
    path = SHARED / "data" / "stat_cases.json"
    if not path.exists():
        pytest.skip("reference cases are not here")
    return {case["name"]: case for case in json.loads(path.read_text())["cases"]}


@pytest.fixture(scope="session")
def cookie_cats() -> Mapping[str, Any]:
    path = SHARED / "data" / "cookie_cats_expected.json"
    if not path.exists():
        pytest.skip("reference values of Cookie Cats are not here")
    return json.loads(path.read_text())["cookie_cats"]


@pytest.fixture
def assert_case(cases: Mapping[str, Any]) -> Callable[..., None]:
    """Compares numbers with a case's: within tolerance · max(1, |expected|), as the file says."""

    def check(name: str, **got: float | list[float]) -> None:
        case = cases[name]
        for key, value in got.items():
            expected = case["expected"][key]
            pairs = zip(value, expected, strict=True) if isinstance(value, list) else [(value, expected)]
            for found, wanted in pairs:
                assert abs(found - wanted) <= case["tolerance"] * max(1, abs(wanted)), (name, key, found, wanted)

    return check
