"""How rows are read: on the loop, in few steps.

Each row that a statement steps to gives up the interpreter lock and has to win it back. On the loop that costs
nothing; in a thread behind a busy loop it may cost half a millisecond a row. So lists of ids come as one JSON array,
which is one row, and large reads of whole rows are read on the loop, a slice at a time.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from itertools import islice
from typing import Any

import msgspec

from roost.adapters.sqlite_file import SqliteFile
from roost.domain.ids import ID_MAX

SLICE_ROWS = 128
"""Some 400 µs of the loop, with the decoding."""
_SIZES = (1, 2, 4, 8, 16, 24, 32, 40, 48, 64, 96, SLICE_ROWS)
_MARKS = {size: ", ".join("?" * size) for size in _SIZES}
BEYOND_ALL = ID_MAX
"""As `before`, where there is none: no id is as great."""

decode_array = msgspec.json.Decoder(list[int]).decode
decode_arrays = msgspec.json.Decoder(list[list[int]]).decode


def ids_of(file: SqliteFile, sql: str, *parameters: int) -> list[int]:
    """The single column of a statement, in its order."""
    ((array,),) = file.rows(f"SELECT json_group_array(id) FROM ({sql})", parameters)  # noqa: S608 - ours
    return decode_array(array)


def pieces(ids: Collection[int], size: int) -> Iterator[list[int]]:
    """The ids, `size` at a time."""
    rest = iter(ids)
    while piece := list(islice(rest, size)):
        yield piece


def among(sql: str, ids: Sequence[int]) -> tuple[str, list[int]]:
    """The statement with `{ids}` filled by marks, and the ids for them: at most SLICE_ROWS.

    The last id is repeated up to one of few sizes, so that the statements stay prepared. A fifth quicker than
    json_each.
    """
    size = next(size for size in _SIZES if size >= len(ids))
    return sql.replace("{ids}", _MARKS[size]), [*ids, *[ids[-1]] * (size - len(ids))]


async def rows_among(file: SqliteFile, sql: str, ids: Collection[int], *first: int) -> list[Any]:
    """Rows of a statement over `{ids}`, whose other parameters come first. No snapshot where the ids are many."""
    found: list[Any] = []
    async for piece in _in_turns(pieces(ids, SLICE_ROWS)):
        statement, parameters = among(sql, piece)
        found += file.rows(statement, (*first, *parameters))
    return found


async def _in_turns(all_pieces: Iterator[list[int]]) -> AsyncIterator[list[int]]:
    """One after the other, and others have their turn between two."""
    for number, piece in enumerate(all_pieces):
        if number:
            await asyncio.sleep(0)
        yield piece
