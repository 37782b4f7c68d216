"""What a check across fields finds, before it is given its line and column."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from engine.declare.grammar import Trail
from engine.declare.near import listing, nearest
from engine.declare.quantities import quoted


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A problem with the value at a place, or with its key."""

    trail: Trail
    message: str
    hint: str | None = None
    rule: str | None = None
    severity: str = "error"
    key: bool = False
    also: tuple[Trail, ...] = ()
    """Other places that it follows from."""

    def stands(self, broken: Iterable[Trail]) -> bool:
        """Whether nothing that it rests on was misread: then it would be an echo of the first mistake."""
        return not any(
            _within(self.trail, place)
            or _within(place, self.trail)
            or any(_within(other, place) for other in self.also)
            for place in broken
        )


def _within(trail: Trail, place: Trail) -> bool:
    return trail[: len(place)] == place


def unknown(
    trail: Trail, what: str, name: str | None, known: Iterable[str], *, also: tuple[Trail, ...] = (), key: bool = False
) -> Iterator[Finding]:
    """Nothing where the name is known or absent, else `there is no segment "x"` and what was perhaps meant."""
    names = list(known)
    if name is None or name in names:
        return
    near, many = nearest(name, names), f"{what}s"
    hint = (
        f'did you mean "{near}"?' if near else f"known {many}: {listing(names)}" if names else f"no {many} are declared"
    )
    yield Finding(trail=trail, message=f"there is no {what} {quoted(name)}", hint=hint, also=also, key=key)


def repeated(trail: Trail, names: Sequence[str]) -> Iterator[Finding]:
    """Each name of a list that stood in it before."""
    for index, name in enumerate(names):
        if name in names[:index]:
            yield Finding(trail=(*trail, index), message=f"{quoted(name)} stands in this list twice")
