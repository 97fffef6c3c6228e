"""Who operates this roost: a mark in the user's row, changed in the store itself, whether or not somebody serves it.

cli.operator -> Operators -> AccountStore -> (UserChanged) -> a serving node
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from roost.adapters.clock.mint import Mint
from roost.adapters.clock.system import SystemClock
from roost.assembly.data_folder import DataFolder
from roost.assembly.embedded import open_file, stores_over
from roost.assembly.settings import Settings
from roost.domain.errors import Conflict, NotFound
from roost.domain.events import UserChanged
from roost.domain.ids import UserId
from roost.domain.names import username_key
from roost.domain.user import User
from roost.ports.accounts import AccountStore
from roost.ports.ids import IdSource

COMMAND_NODE = 1_023
"""The last node number: the versions that a command mints are none of a serving process."""
USERS_A_LOOK = 500
TRIES_MAX = 10


@dataclass(frozen=True, slots=True)
class Operators:
    accounts: AccountStore
    ids: IdSource

    async def mark(self, name: str, *, operator: bool) -> bool:
        """Make the user an operator, or no longer one; whether that changed anything. Raises NotFound."""
        for _ in range(TRIES_MAX):
            user = await self._named(name)
            if user.operator == operator:
                return False
            version = self.ids.next_version(user.version)
            changed = replace(user, operator=operator, version=version)
            # Another change of the same row may come in between: then the row is read again.
            facts = [UserChanged(user.id, version, sight=False)]
            if await self.accounts.save_user(changed, facts, over=user.version) is not None:
                return True
        raise Conflict(f"the profile of {name} changes too often: try again")

    async def all(self) -> list[User]:
        """Looks at every user: for a command, not for requests."""
        operators: list[User] = []
        ids = await self.accounts.user_ids(UserId(0), USERS_A_LOOK)
        while ids:
            users = await self.accounts.users(ids)
            operators += [user for user in users.values() if user.operator and not user.deleted]
            ids = await self.accounts.user_ids(ids[-1], USERS_A_LOOK)
        return sorted(operators, key=lambda user: user.username.lower())

    async def _named(self, name: str) -> User:
        key = username_key(name.removeprefix("@"))
        id = (await self.accounts.ids_by_name([key])).get(key)
        user = None if id is None else (await self.accounts.users([id])).get(id)
        if user is None or user.deleted:
            raise NotFound(f"there is no user {name}")
        return user


@asynccontextmanager
async def open_operators(settings: Settings, folder: DataFolder) -> AsyncIterator[Operators]:
    """Raises DataFolderUnusable where there is no data folder, DependencyDown where its database cannot be used."""
    folder.check_exists()
    clock = SystemClock()
    async with open_file(folder, clock, settings.synchronous) as file:
        yield Operators(stores_over(file).accounts, Mint(clock, COMMAND_NODE))
