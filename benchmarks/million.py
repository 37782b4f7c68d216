"""Plan, launch and send to N customers through the command line into a null sink, beside the bare floor.

The store is filled directly. Then `campaign plan`, `campaign launch` and `campaign run --once` run as
they would for anybody, with the shipped templates and the provider `discard`, and benchmarks/floor.py does
the bare work in the same run. One line of JSON for each size; memory is that of all processes together.

    python benchmarks/million.py --customers 100000 1000000
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from engine.customers.consent import address_hash
from engine.store import migrations
from engine.store.database import Database, insert_many, open_database
from engine.store.tables import customer, event, to_micros

ROOT = Path(__file__).resolve().parent.parent
CHUNK = 20_000
SAMPLE_SECONDS = 0.2
YAML = """\
version: 1
defaults:
  timezone: Europe/Berlin
  currency: EUR
  sender:
    email: {from: "Example Shop <hello@mail.example.com>", postal_address: "Example Shop, 1 Example Street, Berlin"}
  providers: {email: discard}
  global_holdout: {share: 2 %, renew: quarterly}
metrics:
  purchase_rate: {kind: conversion, event: purchase, within: 7 days}
campaigns:
  everybody:
    owner: anna@example.com
    purpose: marketing
    channel: email
    hypothesis:
      {because: b, we_believe: w, will: increase, metric: purchase_rate, compared_to: control, minimum_effect: 1.0 pp,
       baseline: 4.0 %}
    schedule: {every: 300 days}
    holdout: 10 %
    variants:
      control: {subject: "We miss you, {{ customer.first_name }}", template: winback/plain.mjml}
      deadline: {subject: "{{ customer.last_viewed.name }}: yours until Sunday", template: winback/deadline.mjml}
    decide: {method: fixed}
"""


def fill(database: Database, count: int, now: datetime) -> None:
    """Customers with consent, and for each the product that was viewed last."""
    recorded = to_micros(now - timedelta(days=1))
    people = (
        "id", "customer_id", "email", "email_hash", "first_name", "country", "city", "timezone", "email_consent",
        "attributes", "person_salt", "recorded_at",
    )  # fmt: skip
    views = ("source", "event_id", "customer_id", "name", "occurred_at", "recorded_at", "properties")
    for numbers in chunks(count):
        with database.write() as connection:
            insert_many(connection, customer, people, [person(number, recorded) for number in numbers])
        with database.write() as connection:
            insert_many(connection, event, views, [view(number, recorded) for number in numbers])


def chunks(count: int) -> Iterator[range]:
    return (range(start, min(start + CHUNK, count + 1)) for start in range(1, count + 1, CHUNK))


def person(number: int, recorded: int) -> tuple[Any, ...]:
    email = f"anna{number}@example.net"
    return (
        number, f"C{number:07}", email, address_hash("email", email), f"Anna{number % 997}", "DE", "Berlin",
        "Europe/Berlin", True, "{}", secrets.token_bytes(16), recorded,
    )  # fmt: skip


def view(number: int, recorded: int) -> tuple[Any, ...]:
    product = number % 89
    properties = {"product_name": f"Trail Runner {product}", "category": "shoes", "product_id": str(product)}
    return ("events", f"E{number}", number, "viewed_product", recorded, recorded, json.dumps(properties))


def make_project(folder: Path, count: int) -> None:
    """A project with a filled store."""
    (folder / "campaigns.yaml").write_text(YAML, encoding="utf-8")
    shutil.copytree(ROOT / "templates", folder / "templates")
    database = open_database(f"sqlite:///{folder / 'campaign.db'}")
    migrations.prepare(database)
    fill(database, count, datetime.now(UTC))
    with database.write() as connection:
        connection.exec_driver_sql("ANALYZE")
    database.close()


# --- measuring processes -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Cost:
    """What a command took, and what it printed."""

    seconds: float
    cpu: float
    """User and system seconds of all its processes."""
    peak_mb: float
    """Of all its processes together."""
    output: str


def timed(command: list[str], folder: Path) -> Cost:
    """Run a command and measure it."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CAMPAIGN_")}
    began, used, peak = time.perf_counter(), cpu_of_children(), [0.0]
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        watcher = threading.Thread(target=watch, args=(process, peak))
        watcher.start()
        output, errors = process.communicate()
        watcher.join()
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with exit code {process.returncode}\n{errors}")
    return Cost(time.perf_counter() - began, cpu_of_children() - used, peak[0], output)


def cpu_of_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def watch(process: subprocess.Popen[str], peak: list[float]) -> None:
    while process.poll() is None:
        peak[0] = max(peak[0], sum(proportional_mb(pid) for pid in family(process.pid)))
        time.sleep(SAMPLE_SECONDS)


def family(pid: int) -> list[int]:
    """A process and all its descendants."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return []
    return [pid, *(member for child in children for member in family(child))]


def proportional_mb(pid: int) -> float:
    """A process's memory; pages that several processes share are counted once."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), 0.0)


# --- the comparison ----------------------------------------------------------------------------------


def compare(count: int) -> dict[str, Any]:
    """The engine's and the floor's figures for one size."""
    campaign = [sys.executable, "-m", "engine.cli.main", "--as", "bench"]
    steps = {"plan": ["plan", "everybody"], "launch": ["launch", "everybody", "--yes"], "run": ["run", "--once"]}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_project(folder, count)
        costs = {step: timed([*campaign, *words], folder) for step, words in steps.items()}
        status = json.loads(timed([*campaign, "status", "--format", "json"], folder).output)
    floor = timed([sys.executable, str(ROOT / "benchmarks" / "floor.py"), "--customers", str(count)], ROOT)
    return {
        "customers": count,
        "messages": status[0]["messages"],
        "seconds": {step: round(cost.seconds, 2) for step, cost in costs.items()},
        "cpu": {step: round(cost.cpu, 2) for step, cost in costs.items()},
        "floor": {"seconds": round(floor.seconds, 2), "cpu": round(floor.cpu, 2)},
        "ratio": round(sum(cost.seconds for cost in costs.values()) / floor.seconds, 2),
        "cpu_ratio": round(sum(cost.cpu for cost in costs.values()) / floor.cpu, 2),
        "peak_mb": round(max(cost.peak_mb for cost in costs.values()), 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--customers", type=int, nargs="+", default=[100_000, 1_000_000])
    results = []
    for count in parser.parse_args().customers:
        results.append(compare(count))
        print(json.dumps(results[-1]), flush=True)
    if len(results) > 1:
        growth = results[-1]["peak_mb"] / results[0]["peak_mb"]
        print(json.dumps({"memory_growth": round(growth, 2)}))


if __name__ == "__main__":
    main()
