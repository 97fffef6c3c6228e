"""The contracts of accounts, sessions and tokens must catch a wrong adapter: each saboteur breaks one promise."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from contract import test_account_store as accounts
from contract import test_session_store as sessions
from contract.account_store_adapters import Promise, Stores, is_caught, memory_stores
from roost.adapters.store.memory.accounts import MemoryAccountStore
from roost.adapters.store.memory.sessions import MemoryOneTimeTokenStore, MemorySessionStore
from roost.domain.errors import Refused
from roost.domain.events import Event
from roost.domain.ids import Position, UserId, Version
from roost.domain.names import username_key
from roost.domain.user import SESSIONS_MAX, Account, OneTimeToken, Session, TokenPurpose, User


class NamesDifferByCase(MemoryAccountStore):
    async def create(self, user: User, account: Account, session: Session | None, events: Sequence[Event]) -> Position:
        taken = self._ids_by_name.pop(username_key(user.username), None)
        if taken is not None and self._users[taken].username == user.username:
            self._ids_by_name[username_key(user.username)] = taken
        return await super().create(user, account, session, events)


class KeepsTheNameOfTheRefused(MemoryAccountStore):
    async def create(self, user: User, account: Account, session: Session | None, events: Sequence[Event]) -> Position:
        try:
            return await super().create(user, account, session, events)
        except Refused:
            self._ids_by_name.setdefault(username_key(user.username), user.id)
            raise


class LooksBeforeItLeaps(MemoryAccountStore):
    """Between the look and the leap another may come: the classic race."""

    async def create(self, user: User, account: Account, session: Session | None, events: Sequence[Event]) -> Position:
        self._refuse_taken_email(account.user_id, account.email_key)
        await asyncio.sleep(0)
        self._ids_by_email.pop(account.email_key, None)
        return await super().create(user, account, session, events)


class AnnouncesTheRefused(MemoryAccountStore):
    async def create(self, user: User, account: Account, session: Session | None, events: Sequence[Event]) -> Position:
        self._leave(events)
        return await super().create(user, account, session, [])


class ForgetsTheFirstSession(MemoryAccountStore):
    async def create(self, user: User, account: Account, session: Session | None, events: Sequence[Event]) -> Position:
        return await super().create(user, account, None, events)


class LastSaveWins(MemoryAccountStore):
    async def save_user(self, user: User, events: Sequence[Event], over: Version | None = None) -> Position | None:
        self._users[user.id] = user
        return self._leave(events)


class SavesTheDeleted(MemoryAccountStore):
    async def save_user(self, user: User, events: Sequence[Event], over: Version | None = None) -> Position | None:
        if user.id in self._users:
            self._users[user.id] = replace(self._users[user.id], deleted=False)
        return await super().save_user(user, events, over)


class SavesOverAnything(MemoryAccountStore):
    async def save_user(self, user: User, events: Sequence[Event], over: Version | None = None) -> Position | None:
        return await super().save_user(user, events)


class KeepsTheOldAddressTaken(MemoryAccountStore):
    async def change_email(self, user_id: UserId, email: str, email_key: str) -> None:
        held = dict(self._ids_by_email)
        await super().change_email(user_id, email, email_key)
        self._ids_by_email |= held


class TakesAnothersAddress(MemoryAccountStore):
    def _refuse_taken_email(self, user_id: UserId, email_key: str) -> None:
        self._ids_by_email.pop(email_key, None) if user_id in self._accounts else None


class ConfirmsAnyAddress(MemoryAccountStore):
    async def confirm_email(self, user_id: UserId, email: str) -> bool:
        account = self._accounts.get(user_id)
        return account is not None and await super().confirm_email(user_id, account.email)


class NewPasswordKeepsSessions(MemoryAccountStore):
    async def change_password(
        self, user_id: UserId, password_hash: str, keep: str | None, version: Version
    ) -> Position:
        for session in await self._sessions.sessions_of(user_id):
            if keep is None:
                return await super().change_password(user_id, password_hash, session.session_id, version)
        return await super().change_password(user_id, password_hash, keep, version)


class NewPasswordEndsAllSessions(MemoryAccountStore):
    async def change_password(
        self, user_id: UserId, password_hash: str, keep: str | None, version: Version
    ) -> Position:
        return await super().change_password(user_id, password_hash, None, version)


class NewPasswordKeepsTokens(MemoryAccountStore):
    async def change_password(
        self, user_id: UserId, password_hash: str, keep: str | None, version: Version
    ) -> Position:
        kept = dict(self._tokens._by_hash)  # noqa: SLF001 - a saboteur reaches for what it should not
        position = await super().change_password(user_id, password_hash, keep, version)
        for token in kept.values():
            await self._tokens.add_token(token)
        return position


class NewPasswordVoidsAllTokens(MemoryAccountStore):
    async def change_password(
        self, user_id: UserId, password_hash: str, keep: str | None, version: Version
    ) -> Position:
        self._tokens.drop_all(user_id)
        return await super().change_password(user_id, password_hash, keep, version)


class RenewsAnyHash(MemoryAccountStore):
    async def replace_password_hash(self, user_id: UserId, old: str, new: str) -> None:
        await super().replace_password_hash(user_id, self._accounts[user_id].password_hash, new)


class DeletionKeepsSessions(MemoryAccountStore):
    async def delete_user(self, user_id: UserId, version: Version) -> Position:
        held = dict(self._sessions._by_token)  # noqa: SLF001 - a saboteur reaches where no other code may
        position = await super().delete_user(user_id, version)
        self._sessions._by_token |= held  # noqa: SLF001 - see above
        return position


class DeletesOnce(MemoryAccountStore):
    async def delete_user(self, user_id: UserId, version: Version) -> Position:
        if self._kept(user_id).deleted:
            return self._leave([])
        return await super().delete_user(user_id, version)


class DeletionFreesTheName(MemoryAccountStore):
    async def delete_user(self, user_id: UserId, version: Version) -> Position:
        self._ids_by_name.pop(username_key(self._kept(user_id).username), None)
        return await super().delete_user(user_id, version)


class ErasureKeepsTheAddress(MemoryAccountStore):
    async def erase_account(self, user_id: UserId) -> None:
        held = dict(self._ids_by_email)
        await super().erase_account(user_id)
        self._ids_by_email |= held


class ErasureKeepsTheProfile(MemoryAccountStore):
    async def erase_account(self, user_id: UserId) -> None:
        kept = self._kept(user_id)
        await super().erase_account(user_id)
        self._users[user_id] = kept


class WalksFromTheCursor(MemoryAccountStore):
    async def user_ids(self, after: UserId, limit: int) -> Sequence[UserId]:
        return await super().user_ids(UserId(after - 1), limit)


class SessionsWithoutBound(MemorySessionStore):
    async def add_session(self, session: Session) -> None:
        self._by_token[session.token_hash] = session


class EndsTheMostUsed(MemorySessionStore):
    async def add_session(self, session: Session) -> None:
        self._by_token[session.token_hash] = session
        if len(self._of(session.user_id)) > SESSIONS_MAX:
            most_used = max(self._of(session.user_id), key=lambda each: each.last_used_ms)
            self._leave([self._drop(session.user_id, [most_used])])


class EndsTheNew(MemorySessionStore):
    async def add_session(self, session: Session) -> None:
        self._by_token[session.token_hash] = session
        if len(self._of(session.user_id)) > SESSIONS_MAX:
            longest_unused = min(self._of(session.user_id), key=lambda each: each.last_used_ms)
            self._leave([self._drop(session.user_id, [longest_unused])])


class EndsWithoutAWord(MemorySessionStore):
    async def add_session(self, session: Session) -> None:
        leave, self._leave = self._leave, lambda _: Position("")
        await super().add_session(session)
        self._leave = leave


class HidesTheExpired(MemorySessionStore):
    async def session_by_token(self, token_hash: bytes) -> Session | None:
        session = await super().session_by_token(token_hash)
        return session if session is not None and session.expires_ms > 1_000 else None


class OldestSessionFirst(MemorySessionStore):
    async def sessions_of(self, user_id: UserId) -> Sequence[Session]:
        return list(reversed(await super().sessions_of(user_id)))


class UseMovesBackwards(MemorySessionStore):
    async def touch_session(self, token_hash: bytes, last_used_ms: int) -> None:
        if token_hash in self._by_token:
            self._by_token[token_hash] = replace(self._by_token[token_hash], last_used_ms=last_used_ms)


class AnybodyEndsSessions(MemorySessionStore):
    async def end_session(self, user_id: UserId, session_id: str) -> Position | None:
        owners = [each.user_id for each in self._by_token.values() if each.session_id == session_id]
        return await super().end_session(owners[0], session_id) if owners else None


class TokensStay(MemoryOneTimeTokenStore):
    async def take_token(self, token_hash: bytes, purpose: TokenPurpose) -> OneTimeToken | None:
        token = self._by_hash.get(token_hash)
        return token if token is not None and token.purpose is purpose else None


class TakesForAnyPurpose(MemoryOneTimeTokenStore):
    async def take_token(self, token_hash: bytes, purpose: TokenPurpose) -> OneTimeToken | None:
        return self._by_hash.pop(token_hash, None)


class WrongPurposeBurnsTheToken(MemoryOneTimeTokenStore):
    async def take_token(self, token_hash: bytes, purpose: TokenPurpose) -> OneTimeToken | None:
        token = self._by_hash.pop(token_hash, None)
        return token if token is not None and token.purpose is purpose else None


class EarlierTokensHold(MemoryOneTimeTokenStore):
    async def add_token(self, token: OneTimeToken) -> None:
        self._by_hash[token.token_hash] = token


class VoidsAllPurposes(MemoryOneTimeTokenStore):
    async def add_token(self, token: OneTimeToken) -> None:
        self.drop_all(token.user_id)
        await super().add_token(token)


def race(contested: str) -> Promise:
    async def promise(stores: Stores) -> None:
        await accounts.test_a_race_for_a_name_or_an_address_has_one_winner(stores, contested)

    return promise


ACCOUNTS: list[tuple[type[MemoryAccountStore], Promise]] = [
    (NamesDifferByCase, accounts.test_a_name_is_taken_without_regard_to_case_and_nothing_is_kept),
    (KeepsTheNameOfTheRefused, accounts.test_an_address_is_taken_and_nothing_is_kept),
    (LooksBeforeItLeaps, race("email")),
    (AnnouncesTheRefused, accounts.test_an_address_is_taken_and_nothing_is_kept),
    (ForgetsTheFirstSession, accounts.test_a_new_user_is_found_by_id_name_address_and_token),
    (LastSaveWins, accounts.test_a_user_is_replaced_by_a_greater_version_only),
    (LastSaveWins, accounts.test_a_user_who_was_never_created_is_not_saved),
    (SavesOverAnything, accounts.test_a_change_of_what_was_read_stands_only_if_nobody_changed_it_since),
    (SavesTheDeleted, accounts.test_a_change_that_began_before_the_deletion_does_not_undo_it),
    (KeepsTheOldAddressTaken, accounts.test_a_changed_address_is_confirmed_and_frees_the_old_one),
    (TakesAnothersAddress, accounts.test_an_address_of_another_is_not_taken_over),
    (ConfirmsAnyAddress, accounts.test_an_address_is_confirmed_only_while_it_is_the_kept_one),
    (NewPasswordKeepsSessions, accounts.test_a_reset_password_ends_all_sessions),
    (NewPasswordEndsAllSessions, accounts.test_a_new_password_ends_all_sessions_but_the_kept_one),
    (NewPasswordKeepsTokens, accounts.test_a_new_password_voids_the_tokens_that_could_undo_it_and_no_others),
    (NewPasswordVoidsAllTokens, accounts.test_a_new_password_voids_the_tokens_that_could_undo_it_and_no_others),
    (RenewsAnyHash, accounts.test_a_hash_is_renewed_only_in_place_of_the_one_it_was_made_from),
    (DeletionKeepsSessions, accounts.test_a_deleted_user_is_marked_and_signed_out),
    (DeletesOnce, accounts.test_a_deletion_may_be_repeated_also_after_the_erasure),
    (DeletionFreesTheName, accounts.test_a_deleted_user_is_marked_and_signed_out),
    (ErasureKeepsTheAddress, accounts.test_an_erased_account_leaves_nothing_but_the_name),
    (ErasureKeepsTheProfile, accounts.test_an_erased_account_leaves_nothing_but_the_name),
    (WalksFromTheCursor, accounts.test_all_users_are_walked_in_rising_order),
]
SESSIONS: list[tuple[type[MemorySessionStore], Promise]] = [
    (SessionsWithoutBound, sessions.test_one_session_too_many_ends_the_longest_unused),
    (EndsTheMostUsed, sessions.test_one_session_too_many_ends_the_longest_unused),
    (EndsTheNew, sessions.test_one_session_too_many_ends_the_longest_unused),
    (EndsWithoutAWord, sessions.test_one_session_too_many_ends_the_longest_unused),
    (HidesTheExpired, sessions.test_an_expired_session_is_still_answered),
    (OldestSessionFirst, sessions.test_sessions_of_a_user_come_newest_first),
    (UseMovesBackwards, sessions.test_use_is_noted_and_never_moves_backwards),
    (AnybodyEndsSessions, sessions.test_nobody_ends_anothers_session),
]
TOKENS: list[tuple[type[MemoryOneTimeTokenStore], Promise]] = [
    (TokensStay, sessions.test_a_token_is_taken_once),
    (TokensStay, sessions.test_of_many_takers_one_gets_the_token),
    (TakesForAnyPurpose, sessions.test_a_token_serves_its_own_purpose_only_and_survives_the_wrong_one),
    (WrongPurposeBurnsTheToken, sessions.test_a_token_serves_its_own_purpose_only_and_survives_the_wrong_one),
    (EarlierTokensHold, sessions.test_a_new_token_voids_the_earlier_of_that_user_and_purpose),
    (VoidsAllPurposes, sessions.test_a_new_token_voids_the_earlier_of_that_user_and_purpose),
]


@pytest.mark.parametrize(("saboteur", "promise"), ACCOUNTS)
async def test_a_wrong_account_store_is_caught(saboteur: type[MemoryAccountStore], promise: Promise) -> None:
    await is_caught(memory_stores(account_store=saboteur), promise)


@pytest.mark.parametrize(("saboteur", "promise"), SESSIONS)
async def test_a_wrong_session_store_is_caught(saboteur: type[MemorySessionStore], promise: Promise) -> None:
    await is_caught(memory_stores(session_store=saboteur), promise)


@pytest.mark.parametrize(("saboteur", "promise"), TOKENS)
async def test_a_wrong_token_store_is_caught(saboteur: type[MemoryOneTimeTokenStore], promise: Promise) -> None:
    await is_caught(memory_stores(token_store=saboteur), promise)
