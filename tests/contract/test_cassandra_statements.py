"""Every statement of the stores in Cassandra reads and writes by partition key, as the schema has it."""

import importlib
import pkgutil
import re

import pytest

from roost.adapters.store import cassandra
from roost.adapters.store.cassandra import schema
from roost.adapters.store.cassandra.cql import Cql

TABLE = re.compile(r"CREATE TABLE IF NOT EXISTS (\w+) \((.*)\)", re.DOTALL)
KEY = re.compile(r"PRIMARY\s+KEY\s*\(\s*(?:\(([^)]*)\)|(\w+))")
INLINE_KEY = re.compile(r"(\w+) \w+ PRIMARY KEY")
STATEMENT = re.compile(
    r"^(?:SELECT .*? FROM|INSERT INTO|UPDATE|DELETE(?: .*?)? FROM) (?P<table>\w+)(?P<rest>.*)$", re.DOTALL
)
EQUAL = re.compile(r"(\w+) (?:= (?:\?|'[^']*'|\d+)|IN (?:\?|\())")
WALKS_MAX = 12
"""Statements that go over a whole table: for rebuilds, and for what a doctor asks."""


def keys() -> dict[str, set[str]]:
    """The columns of each table's partition key."""
    found = {}
    for text in (*schema.TABLES, schema.VERSION_TABLE):
        table = TABLE.match(text)
        assert table is not None, text
        name, body = table.groups()
        inline, named = INLINE_KEY.search(body), KEY.search(body)
        columns = inline[1] if inline else (named[1] or named[2]) if named else ""
        found[name] = {column.strip() for column in columns.split(",")}
    return found


def statements() -> dict[str, Cql]:
    """Of all modules, by where they stand."""
    found = dict[str, Cql]()
    for module in pkgutil.iter_modules(cassandra.__path__):
        loaded = importlib.import_module(f"{cassandra.__name__}.{module.name}")
        found |= {f"{module.name}.{name}": one for name, one in vars(loaded).items() if isinstance(one, Cql)}
        for name, many in vars(loaded).items():
            if isinstance(many, dict):
                found |= {f"{module.name}.{name}.{key}": one for key, one in many.items() if isinstance(one, Cql)}
    return found


STATEMENTS, KEYS = statements(), keys()


def lacking(statement: Cql) -> set[str]:
    """Columns of the partition key that the statement does not say."""
    parsed = STATEMENT.match(statement.text)
    assert parsed is not None, statement.text
    key, rest = KEYS[parsed["table"]], parsed["rest"]
    if statement.text.startswith("INSERT"):
        return key - {column.strip() for column in rest[rest.index("(") + 1 : rest.index(")")].split(",")}
    where = rest.partition(" WHERE ")[2].partition(" IF ")[0]
    return key - {match[1] for match in EQUAL.finditer(where)}


@pytest.mark.parametrize("name", sorted(name for name, one in STATEMENTS.items() if not one.walks))
def test_it_names_its_partition(name: str) -> None:
    assert lacking(STATEMENTS[name]) == set(), STATEMENTS[name].text


def test_nothing_is_filtered_and_few_statements_walk() -> None:
    assert len(STATEMENTS) > 50
    assert not [name for name, one in STATEMENTS.items() if "ALLOW FILTERING" in one.text.upper()]
    walks = [name for name, one in STATEMENTS.items() if one.walks]
    assert len(walks) <= WALKS_MAX, walks


def test_a_statement_without_its_partition_is_noticed() -> None:
    assert lacking(Cql("SELECT body FROM tweets WHERE shard = ? AND tweet_id = ?")) == {"day"}
    assert lacking(Cql("SELECT user_id FROM likes")) == {"tweet_id", "bucket"}
    assert lacking(Cql("SELECT user_id FROM likes WHERE tweet_id > ? AND bucket = ?")) == {"tweet_id"}
    assert lacking(Cql("INSERT INTO spans (list, span) VALUES (?, ?)")) == {"owner"}
