"""What contract tests over servers share: connections end with the test, as its event loop does."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from contract import redis_servers

HERE = Path(__file__).parent


@pytest.fixture
async def redis_links() -> AsyncIterator[None]:
    yield
    await redis_servers.close_links()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of the tests in this folder: the hook is given those of all."""
    for item in items:
        if HERE in item.path.parents and "redis" in item.name and isinstance(item, pytest.Function):
            item.fixturenames.insert(0, "redis_links")
