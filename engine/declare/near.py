"""Did you mean … ?"""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Iterable

_MANY = 700
"""Up to so many names are all compared; the time zones are 600."""
_SOME = 200


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that is most like the one written, or None where none is like it."""
    lower, names = word[:80].lower(), list(known)
    if len(names) > _MANY:
        names = list(itertools.islice((name for name in names if name[:1].lower() == lower[:1]), _SOME))
    spellings = {name.lower(): name for name in names}
    found = difflib.get_close_matches(lower, spellings, n=1, cutoff=0.6)
    return spellings[found[0]] if found else None


def suggestion(word: str, known: Iterable[str], *, otherwise: str | None = None) -> str | None:
    """`did you mean "lapsing"?`, or the names that are known where they are few, or `otherwise`."""
    names = list(known)
    near = nearest(word, names)
    if near is not None:
        return f'did you mean "{near}"?'
    return f"known here: {listing(names)}" if names else otherwise


def listing(names: Iterable[str], last: str = "and") -> str:
    """`a, b and c`; of many only the first ten."""
    words = list(names)
    if len(words) > 10:
        return f"{', '.join(words[:10])} …"
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"
