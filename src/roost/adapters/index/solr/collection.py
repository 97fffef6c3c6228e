"""A collection: made at the first start, written to in bounded requests, seen after a commit that several share."""

import asyncio
import hashlib
import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

from roost.adapters.index.solr.http import Parameters, SolrNodes, SolrRefused
from roost.domain.errors import DependencyDown
from roost.domain.ids import SHARDS, Position

FORMAT = 1
"""Part of the collections' names. Raised when fields, words or facets change: the program then finds an empty
collection and fills it, while nodes of the older program keep theirs, which the operator deletes afterwards."""

DOCUMENTS_A_REQUEST = 1_000
VERSION_DIGITS = 19  # as many as 2**63 has
REMOVED_VERSION = "9" * VERSION_DIGITS
"""Above all: what is removed stays as a document of its id and this, for good, since the log may repeat late."""

_CONFIGSET_FILES = ("schema.xml", "solrconfig.xml")
_POSITION = "0!position"
_PLAIN: Parameters = {"update.chain": "plain"}

Document = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Layout:
    """How the collections of one roost are named and spread: read when they are made, and never after."""

    prefix: str = "roost"
    shards: int = 1
    replicas: int = 1


class Collection:
    """One collection of the index. What is written is seen after `commit`."""

    def __init__(self, nodes: SolrNodes, view: str, layout: Layout) -> None:
        self._nodes = nodes
        self._layout = layout
        self.name = f"{layout.prefix}_{view}_{FORMAT}"
        self._committing: asyncio.Task[None] | None = None
        self._next: asyncio.Task[None] | None = None

    async def create(self) -> None:
        """Make the collection unless it is there, and its configset, whichever node of roost comes first.

        Raises as SolrNodes does.
        """
        there = await self._nodes.administer("/admin/collections", {"action": "LIST"})
        if self.name in there["collections"]:
            return
        configset, packed = _configset()
        known = await self._nodes.administer("/admin/configs", {"action": "LIST"})
        if configset not in known["configSets"]:
            await self._made("/admin/configs", {"action": "UPLOAD", "name": configset}, packed)
        await self._made(
            "/admin/collections",
            {
                "action": "CREATE",
                "name": self.name,
                "collection.configName": configset,
                "numShards": self._layout.shards,
                "replicationFactor": self._layout.replicas,
                "waitForFinalState": "true",
            },
        )

    async def put(self, documents: Sequence[Document]) -> None:
        """Synced when this returns, and not to be seen before a commit. Of one id the greatest version stays."""
        for first in range(0, len(documents), DOCUMENTS_A_REQUEST):
            await self._update({}, documents[first : first + DOCUMENTS_A_REQUEST])

    async def keep_position(self, position: Position | None) -> None:
        """To be called after the changes: a crash between leaves an older position, whose changes repeat harmlessly."""
        if position is not None:
            await self._update(_PLAIN, [{"id": _POSITION, "position": position}])

    async def position(self) -> Position | None:
        """From the newest update, committed or not."""
        found = await self._nodes.get(f"/{self.name}/get", {"id": _POSITION, "fl": "position"})
        return Position(found["doc"]["position"]) if found["doc"] else None

    async def clear(self) -> None:
        await self._update(_PLAIN, {"delete": {"query": "*:*"}})
        await self.commit()

    async def select(self, body: Mapping[str, object]) -> Mapping[str, object]:
        """The answer to a question in Solr's JSON, under the deadline for reads."""
        limited = {"params": {"timeAllowed": self._nodes.read_deadline_ms, "omitHeader": "false"}, **body}
        answer: Mapping[str, object] = await self._nodes.read(f"/{self.name}/select", limited)
        return answer

    async def numbers(self, query: str, order: str, limit: int, **more: str) -> list[int]:
        """`number` of the documents that match, in that order."""
        body: dict[str, object] = {"query": query, "sort": order, "limit": limit, "fields": "number", **more}
        # Who comes after the page needs not be counted: of frequent words most of the time went there.
        body["params"] = {
            "timeAllowed": self._nodes.read_deadline_ms,
            "minExactCount": limit,
            "omitHeader": "false",
        }
        answer = await self._nodes.read(f"/{self.name}/select", body)
        return [document["number"] for document in answer["response"]["docs"]]

    async def commit(self) -> None:
        """Let everything that was written before this call be seen; those that wait share one commit.

        A commit opens the index anew, in every replica: that is what `apply` pays for being seen when it returns.
        """
        if self._next is None:
            self._next = asyncio.create_task(self._commit_after(self._committing))
        # Shielded: who goes away must not take the others' commit along.
        await asyncio.shield(self._next)

    async def forget_deleted(self) -> None:
        """Rewrite every segment that holds something deleted, and turn the logs of updates over."""
        expunge: Parameters = {"commit": "true", "expungeDeletes": "true", "waitSearcher": "true"}
        await self._nodes.write(f"/{self.name}/update", expunge)
        for _ in range(2):
            # A log is dropped when one after it is finished: something must be written, in each shard.
            nobody = [f"{route}!nobody" for route in range(SHARDS)]
            await self._update({**_PLAIN, "commit": "true", "waitSearcher": "true"}, {"delete": nobody})

    async def _commit_after(self, running: asyncio.Task[None] | None) -> None:
        if running is not None:
            await asyncio.wait([running])
        self._committing, self._next = self._next, None
        soft: Parameters = {"commit": "true", "softCommit": "true", "waitSearcher": "true"}
        await self._nodes.write(f"/{self.name}/update", soft)

    async def _update(self, parameters: Parameters, body: object) -> None:
        await self._nodes.write(f"/{self.name}/update", parameters, body)

    async def _made(self, path: str, parameters: Parameters, content: bytes | None = None) -> None:
        try:
            await self._nodes.administer(path, parameters, content)
        except DependencyDown as error:
            if not (isinstance(error.__cause__, SolrRefused) and "already exists" in str(error.__cause__)):
                raise  # else another node of roost was faster


def version_text(version: int) -> str:
    """A version so that it compares as text as it does as a number."""
    return f"{version:0{VERSION_DIGITS}}"


def newest(documents: Sequence[Document]) -> list[Document]:
    """Of several with one id the one of the greatest version, the first of equals."""
    kept: dict[object, Document] = {}
    for document in documents:
        other = kept.get(document["id"])
        if other is None or str(other["version"]) < str(document["version"]):
            kept[document["id"]] = document
    return list(kept.values())


def quoted(text: str) -> str:
    """Text as one phrase of Solr's query language, whatever signs it holds."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _configset() -> tuple[str, bytes]:
    """Its name, which ends with a digest of what is in it, and it, packed."""
    digest, packed = hashlib.sha256(), io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in _CONFIGSET_FILES:
            data = files(__package__).joinpath("configset", name).read_bytes()
            digest.update(data)
            archive.writestr(name, data)
    return f"roost_{digest.hexdigest()[:12]}", packed.getvalue()
