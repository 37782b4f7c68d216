"""The bare floor of sending a wave: the same work without an engine around it.

One loop over invented customers hashes each into an arm, renders the shipped mail (subject and HTML)
through a compiled Jinja template, and writes an entry row and a message row with `executemany`, a
thousand customers a transaction. Nothing is planned, checked, claimed or settled.

    python benchmarks/floor.py --customers 1000000
"""

from __future__ import annotations

import argparse
import json
import resource
import sqlite3
import tempfile
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CHUNK = 1_000
ARMS = ("control", "deadline", "holdout")
BOUNDS = (0.45, 0.90)
TABLES = """
CREATE TABLE entry (round_id INTEGER, customer_id INTEGER, wave_id INTEGER, arm TEXT, position INTEGER,
                    due_at INTEGER, entered_at INTEGER, PRIMARY KEY (round_id, customer_id));
CREATE INDEX entry_customer ON entry (customer_id);
CREATE TABLE message (id INTEGER PRIMARY KEY, wave_id INTEGER, customer_id INTEGER, batch_id INTEGER, state TEXT,
                      not_before INTEGER, skeleton_id INTEGER, "values" TEXT, UNIQUE (wave_id, customer_id));
CREATE INDEX message_customer ON message (customer_id);
CREATE INDEX message_batch ON message (batch_id);
"""
ENTRY = "INSERT INTO entry VALUES (1, ?, 1, ?, ?, ?, ?)"
MESSAGE = """
INSERT INTO message (wave_id, customer_id, batch_id, state, not_before, skeleton_id, "values")
VALUES (1, ?, ?, ?, ?, 1, ?)
"""


PLACES = ("product", "first_name", "link", "unsubscribe_url", "preferences_url", "shop", "postal_address")


def compiled() -> Callable[..., str]:
    """The shipped mail, subject and HTML, as one compiled Jinja template with a place for each value."""
    import css_inline
    import jinja2
    import mrml

    place = {name: f"PLACE{name.upper()}PLACE" for name in PLACES}
    sources = jinja2.Environment(loader=jinja2.FileSystemLoader(ROOT / "templates"), autoescape=True)
    mjml = sources.get_template("winback/deadline.mjml").render(
        customer={"first_name": place["first_name"], "last_viewed": {"name": place["product"]}},
        sender={"name": place["shop"], "postal_address": place["postal_address"]},
        unsubscribe_url=place["unsubscribe_url"],
        preferences_url=place["preferences_url"],
        track=lambda _: place["link"],
    )
    source = f"{place['product']}: yours until Sunday\n" + css_inline.inline(mrml.to_html(mjml.strip()).content)
    for name, mark in place.items():
        source = source.replace(mark, "{{ " + name + " }}")
    return jinja2.Environment(autoescape=True).from_string(source).render


def hashed(salt: bytes, key: str) -> tuple[str, int]:
    """The arm and the order of sending."""
    digest = blake2b(key.encode(), key=salt, digest_size=16).digest()
    uniform = int.from_bytes(digest[:8], "big") / 2**64
    return ARMS[bisect_right(BOUNDS, uniform)], int.from_bytes(digest[8:], "big") >> 1


def customers(count: int) -> Iterator[list[tuple[int, str, dict[str, str]]]]:
    """Invented customers, a chunk at a time: a number, a key, and a value for each place."""
    for start in range(0, count, CHUNK):
        yield [(number, f"C{number:07}", values(number)) for number in range(start, min(start + CHUNK, count))]


def values(number: int) -> dict[str, str]:
    """What differs from mail to mail."""
    return {
        "product": f"Trail Runner {number % 89}",
        "first_name": f"Anna{number % 997}",
        "link": f"https://shop.example.com/c/{number:022}/0",
        "unsubscribe_url": f"https://shop.example.com/u/{number:022}",
        "preferences_url": f"https://shop.example.com/p/{number:022}",
        "shop": "Example Shop",
        "postal_address": "1 Example Street",
    }


def floor(count: int, path: Path) -> dict[str, float]:
    """Do the work, and return the seconds of each part."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.executescript(TABLES)
    render = compiled()
    spent = dict.fromkeys(("hash", "render", "insert"), 0.0)
    for chunk in customers(count):
        began = time.perf_counter()
        assigned = [hashed(b"salt", key) for _, key, _ in chunk]
        hashed_at = time.perf_counter()
        # The rendering is what a null sink is given; only its values are kept.
        kept = [
            (render(person), json.dumps([person["product"], person["first_name"]]))[1]
            for (arm, _), (_, _, person) in zip(assigned, chunk, strict=True)
            if arm != "holdout"
        ]
        rendered_at = time.perf_counter()
        _insert(connection, [number for number, _, _ in chunk], assigned, kept)
        spent["hash"] += hashed_at - began
        spent["render"] += rendered_at - hashed_at
        spent["insert"] += time.perf_counter() - rendered_at
    connection.close()
    return spent


def _insert(
    connection: sqlite3.Connection, numbers: list[int], assigned: list[tuple[str, int]], kept: list[str]
) -> None:
    messaged = [number for number, (arm, _) in zip(numbers, assigned, strict=True) if arm != "holdout"]
    entries = [(number, arm, position, 0, 0) for number, (arm, position) in zip(numbers, assigned, strict=True)]
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany(ENTRY, entries)
    connection.executemany(
        MESSAGE, [(number, number // CHUNK, "accepted", 0, text) for number, text in zip(messaged, kept, strict=True)]
    )
    connection.execute("COMMIT")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--customers", type=int, default=1_000_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        spent = floor(options.customers, Path(folder) / "floor.db")
        seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures = {"customers": options.customers, "seconds": seconds, "parts": spent, "peak_mb": peak}
    print(json.dumps({key: _rounded(value) for key, value in figures.items()}))


def _rounded(value: Any) -> Any:
    return {key: round(part, 2) for key, part in value.items()} if isinstance(value, dict) else round(value, 2)


if __name__ == "__main__":
    main()
