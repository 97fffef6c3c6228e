"""Solr over HTTP: several nodes, bounds on what waits, and errors in the core's words."""

from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import msgspec

from roost.domain.errors import DependencyDown, Draining, Overloaded

REQUESTS_MAX = 256
"""Under way at once; as many as the search file lets wait."""

CONNECTIONS_MAX = 32
CONNECT_S_MAX = 2.0
READ_DEADLINE_MS = 2_000
WRITE_S_MAX = 30.0
"""A thousand documents take 0.1 s; the rest is for a node that merges, or for a leader that is chosen anew."""

ADMIN_S_MAX = 60.0
ANSWER_MARGIN_S = 0.5
"""Solr says itself that time is up, this much before the connection would."""

REASON_CHARACTERS_MAX = 500

_BUSY = (429, 503)
_DOWN = "the search index does not answer"

Parameters = Mapping[str, str | int]


class SolrNodes:
    """Talks to one node of those given and goes on with the next when it does not answer.

    `nodes` are addresses like http://10.0.0.5:8983/solr. Nothing is connected to before the first request. Every
    method raises Overloaded at REQUESTS_MAX or at its deadline, Draining once closed, DependencyDown when no node
    answers or the answer is an error.
    """

    def __init__(self, nodes: Sequence[str], *, read_deadline_ms: int = READ_DEADLINE_MS) -> None:
        if not nodes:
            raise ValueError("at least one Solr node is needed")
        self.read_deadline_ms = read_deadline_ms
        self._nodes = [node.rstrip("/") for node in nodes]
        self._at = 0
        self._under_way = 0
        self._closed = False
        limits = httpx.Limits(max_connections=CONNECTIONS_MAX, max_keepalive_connections=CONNECTIONS_MAX)
        # trust_env: a proxy that is meant for the world is not meant for the index.
        self._client = httpx.AsyncClient(limits=limits, trust_env=False)

    async def read(self, path: str, body: object) -> Any:
        """What a question in Solr's JSON is answered. Raises Overloaded where the answer was cut short by the time."""
        answer = await self._ask("POST", path, {}, msgspec.json.encode(body), self._read_s_max)
        if answer.get("responseHeader", {}).get("partialResults"):
            raise self._late()
        return answer

    async def get(self, path: str, parameters: Parameters) -> Any:
        return await self._ask("GET", path, parameters, None, self._read_s_max)

    async def write(self, path: str, parameters: Parameters, body: object = None) -> Any:
        """An update. It may have happened although this raises: updates are fit to be repeated."""
        content = b"{}" if body is None else msgspec.json.encode(body)
        return await self._ask("POST", path, parameters, content, WRITE_S_MAX)

    async def administer(self, path: str, parameters: Parameters, content: bytes | None = None) -> Any:
        return await self._ask("POST" if content else "GET", path, parameters, content, ADMIN_S_MAX)

    async def close(self) -> None:
        """A second time changes nothing."""
        self._closed = True
        await self._client.aclose()

    @property
    def _read_s_max(self) -> float:
        return self.read_deadline_ms / 1_000 + ANSWER_MARGIN_S

    async def _ask(self, method: str, path: str, parameters: Parameters, content: bytes | None, s_max: float) -> Any:
        if self._closed:
            raise Draining("the search index is closed")
        if self._under_way >= REQUESTS_MAX:
            raise Overloaded(f"{REQUESTS_MAX} requests wait for the search index")
        self._under_way += 1
        try:
            return await self._from_any_node(method, path, parameters, content, s_max)
        finally:
            self._under_way -= 1

    async def _from_any_node(
        self, method: str, path: str, parameters: Parameters, content: bytes | None, s_max: float
    ) -> Any:
        problem: Exception | None = None
        for _ in self._nodes:
            node = self._at
            try:
                response = await self._client.request(
                    method,
                    self._nodes[node] + path,
                    params=parameters,
                    content=content,
                    headers={"content-type": _content_type(path)} if content else {},
                    timeout=httpx.Timeout(s_max, connect=CONNECT_S_MAX),
                )
            except (httpx.ReadTimeout, httpx.WriteTimeout, httpx.PoolTimeout) as error:
                # Another node would only be asked to do the same work once more.
                raise Overloaded(f"the search index took longer than {s_max:.1f} s") from error
            except httpx.HTTPError as error:
                problem = error
                if node == self._at:  # of several that fail at once only the first moves on
                    self._at = (node + 1) % len(self._nodes)
                continue
            return _answer(response)
        raise DependencyDown(_DOWN) from problem

    def _late(self) -> Overloaded:
        return Overloaded(f"the search took longer than {self.read_deadline_ms} ms")


class SolrRefused(Exception):
    """Why Solr answered with an error: the cause of a DependencyDown, for the operator's log and not for callers."""


def _content_type(path: str) -> str:
    return "application/octet-stream" if path.startswith("/admin") else "application/json"


def _answer(response: httpx.Response) -> Any:
    if response.status_code in _BUSY:
        raise Overloaded(f"the search index refuses for now ({response.status_code})")
    try:
        answer = msgspec.json.decode(response.content)
    except msgspec.DecodeError:
        raise _refused(response.status_code, response.text) from None
    if response.status_code != httpx.codes.OK:
        raise _refused(response.status_code, str(answer.get("error", {}).get("msg", answer)))
    return answer


def _refused(status: int, reason: str) -> DependencyDown:
    down = DependencyDown(f"the search index answered with an error ({status})")
    down.__cause__ = SolrRefused(reason[:REASON_CHARACTERS_MAX])
    return down
