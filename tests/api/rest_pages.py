"""Walking through the pages of a list."""

from typing import Any

from api.native_app import NativeServer, Person

PAGES_MAX = 1_000


async def walk_down(
    server: NativeServer, path: str, kind: str, person: Person | None = None, **query: Any
) -> list[dict[str, Any]]:
    """All items, by `before`, to the end."""
    found: list[dict[str, Any]] = []
    for _ in range(PAGES_MAX):
        response = await server.ask("GET", path, person, params=query)
        assert response.status_code == 200, response.text
        page = response.json()
        found += page[kind]
        if page["before"] is None:
            return found
        query["before"] = page["before"]
    raise AssertionError("the list does not end")
