"""Users, by id and by name, and their counts, read through."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from roost.domain.ids import UserId
from roost.domain.names import username_key
from roost.domain.user import User, UserCounts
from roost.ports.accounts import AccountStore
from roost.ports.cache import ReadThrough
from roost.ports.counts import CountStore

NO_COUNTS = UserCounts()


@dataclass(frozen=True, slots=True)
class UserView:
    """Deleted users included: whether one may be shown is the business of sight."""

    store: AccountStore
    cache: ReadThrough[UserId, User]
    name_cache: ReadThrough[str, UserId]
    count_store: CountStore
    count_cache: ReadThrough[UserId, UserCounts]

    async def get_many(self, ids: Collection[UserId]) -> Mapping[UserId, User]:
        return await self.cache.get_many(ids, self.store.users)

    async def get(self, id: UserId) -> User | None:
        return (await self.get_many([id])).get(id)

    async def ids_by_name(self, names: Collection[str]) -> Mapping[str, UserId]:
        """User ids by the names as given; names that nobody has are absent. Names never change hands."""
        keys = {name: username_key(name) for name in names}
        ids = await self.name_cache.get_many(set(keys.values()), self.store.ids_by_name)
        return {name: ids[key] for name, key in keys.items() if key in ids}

    async def by_name(self, name: str) -> User | None:
        id = (await self.ids_by_name([name])).get(name)
        return None if id is None else await self.get(id)

    async def counts(self, ids: Collection[UserId]) -> Mapping[UserId, UserCounts]:
        return await self.count_cache.get_many(ids, self._load_counts)

    async def _load_counts(self, ids: Collection[UserId]) -> Mapping[UserId, UserCounts]:
        kept = await self.count_store.users(ids)
        return {id: kept.get(id, NO_COUNTS) for id in ids}
