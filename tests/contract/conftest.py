"""What contract tests over servers share: connections end with the test, as its event loop does."""

from collections.abc import AsyncIterator

import pytest

from contract import redis_servers


@pytest.fixture
async def redis_links() -> AsyncIterator[None]:
    yield
    await redis_servers.close_links()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "redis" in item.name and isinstance(item, pytest.Function):
            item.fixturenames.insert(0, "redis_links")
