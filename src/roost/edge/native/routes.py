"""Which endpoint answers a path. A tree of segments: a look-up costs the same however many endpoints there are.

A framework's router tries one regular expression after another; with some seventy endpoints that alone would cost
more than all the rest of a request.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from roost.domain.errors import NotFound
from roost.edge.native.endpoint import Endpoint, Parameter, Place
from roost.edge.problems import MethodNotAllowed


@dataclass(slots=True, eq=False)
class Route:
    """An endpoint with all that can be made ready for its requests, and what became of them."""

    endpoint: Endpoint
    path_readers: Sequence[tuple[str, Callable[[str], Any]]] = field(init=False)
    query: dict[str, Parameter[Any]] = field(init=False)
    headers: Sequence[tuple[bytes, Parameter[Any]]] = field(init=False)
    defaults: dict[str, Any] = field(init=False)
    required: Sequence[str] = field(init=False)
    decoder: "msgspec.json.Decoder[Any] | None" = field(init=False)
    statuses: dict[int, int] = field(default_factory=dict)
    seconds: float = 0.0

    def __post_init__(self) -> None:
        parameters = self.endpoint.parameters
        by_name = {one.name: one for one in parameters}
        if len(by_name) < len(parameters):
            raise ValueError(f"{self.endpoint.method} {self.endpoint.path}: two parameters of one name")
        self.path_readers = [(name, by_name[name].read) for name in _names(self.endpoint.path)]
        self.query = {one.name: one for one in parameters if one.place is Place.QUERY}
        self.headers = [(one.name.lower().encode(), one) for one in parameters if one.place is Place.HEADER]
        self.defaults = {one.name: one.default for one in parameters if one.place is not Place.PATH}
        self.required = [one.name for one in parameters if one.required and one.place is not Place.PATH]
        self.decoder = None if self.endpoint.body is None else msgspec.json.Decoder(self.endpoint.body)

    def count(self, status: int, seconds: float) -> None:
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self.seconds += seconds


@dataclass(slots=True)
class _Node:
    children: dict[str, "_Node"] = field(default_factory=dict)
    any_child: "_Node | None" = None
    routes: dict[str, Route] = field(default_factory=dict)
    allowed: str = ""


class RouteTree:
    """A segment that is named goes before one that is a parameter."""

    def __init__(self, endpoints: Iterable[Endpoint]) -> None:
        self.routes: list[Route] = []
        self._root = _Node()
        for endpoint in endpoints:
            self._add(endpoint)

    def find(self, method: str, path: str) -> tuple[Route, list[str]]:
        """The route, and the texts of its path parameters. Raises NotFound or MethodNotAllowed."""
        node, texts = self._walk(path)
        route = node.routes.get(method)
        if route is None:
            raise MethodNotAllowed(method, node.allowed)
        return route, texts

    def allowed(self, path: str) -> str:
        """The methods that the path answers. Raises NotFound."""
        return self._walk(path)[0].allowed

    def _walk(self, path: str) -> tuple[_Node, list[str]]:
        node, texts = self._root, []
        for segment in path[1:].split("/"):
            child = node.children.get(segment)
            if child is None:
                child = node.any_child
                if child is None or not segment:
                    raise NotFound("no such address")
                texts.append(segment)
            node = child
        if not node.routes:
            raise NotFound("no such address")
        return node, texts

    def _add(self, endpoint: Endpoint) -> None:
        node = self._root
        for segment in endpoint.path[1:].split("/"):
            if segment.startswith("{"):
                node.any_child = node.any_child or _Node()
                node = node.any_child
            else:
                node = node.children.setdefault(segment, _Node())
        if endpoint.method in node.routes:
            raise ValueError(f"{endpoint.method} {endpoint.path} is there twice")
        route = Route(endpoint)
        self.routes.append(route)
        node.routes[endpoint.method] = route
        if endpoint.method == "GET":
            node.routes["HEAD"] = route
        node.allowed = ", ".join(sorted({*node.routes, "OPTIONS"}))


def _names(path: str) -> list[str]:
    return [part[1:-1] for part in path.split("/") if part.startswith("{")]
