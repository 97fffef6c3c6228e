"""The commands, queries and routes of accounts over one node.

Node -> account_routes -> NativeApp; Node -> erase_user -> Reactor
"""

from dataclasses import dataclass

from roost.assembly.engines import Engines
from roost.assembly.node import Node
from roost.assembly.settings import Settings
from roost.commands.change_email import ChangeEmail
from roost.commands.change_password import ChangePassword
from roost.commands.confirm_email import ConfirmEmail, ResendConfirmation
from roost.commands.delete_account import DeleteAccount
from roost.commands.register_user import RegisterUser
from roost.commands.reset_password import ForgotPassword, ResetPassword
from roost.commands.sign_in import SignIn
from roost.commands.sign_out import SignOut
from roost.commands.update_profile import UpdateProfile
from roost.edge.native.accounts import Accounts
from roost.edge.native.auth import SessionCookie
from roost.edge.native.credentials import CredentialRoutes
from roost.edge.native.endpoint import Endpoint
from roost.edge.native.export import Exports
from roost.edge.native.limits import RateLimits
from roost.edge.native.users import Users
from roost.edge.rendering import ContentAddresses
from roost.ports.errands import Errands
from roost.queries.export import Export
from roost.queries.open_sessions import OpenSessions
from roost.queries.user_profile import UserProfiles
from roost.reactions.erase_user import EraseUser
from roost.views.account_mail import AccountMail
from roost.views.password_check import PasswordCheck


@dataclass(frozen=True, slots=True)
class AccountRoutes:
    """Everything from POST /create/user to GET /export."""

    accounts: Accounts
    credentials: CredentialRoutes
    users: Users
    exports: Exports

    def endpoints(self) -> list[Endpoint]:
        modules = (self.accounts, self.credentials, self.users, self.exports)
        return [endpoint for module in modules for endpoint in module.endpoints()]


def account_routes(
    node: Node, errands: Errands, limits: RateLimits, profiles: UserProfiles, addresses: ContentAddresses
) -> AccountRoutes:
    """`errands` are open for as long as the routes serve."""
    mail = account_mail(node.engines, node.settings, errands)
    check = PasswordCheck(node.engines.stores.accounts, node.engines.passwords)
    cookie = SessionCookie(node.settings.behind_tls)
    return AccountRoutes(
        _accounts(node, mail, cookie, limits),
        _credentials(node, mail, check, limits),
        _users(node, mail, check, cookie, profiles, addresses),
        _exports(node),
    )


def erase_user(node: Node) -> EraseUser:
    """For a reactor of its own group, after the node's views."""
    engines, stores = node.engines, node.engines.stores
    return EraseUser(
        accounts=stores.accounts,
        tweets=stores.tweets,
        likes=stores.likes,
        relations=stores.relations,
        contents=stores.contents,
        content_bytes=engines.content_bytes,
        notifications=stores.notifications,
        users=node.views.users,
        ids=engines.ids,
        clock=engines.clock,
        log=engines.log,
    )


def account_mail(engines: Engines, settings: Settings, errands: Errands) -> AccountMail:
    return AccountMail(
        accounts=engines.stores.accounts,
        tokens=engines.stores.tokens,
        mailer=engines.mailer,
        errands=errands,
        clock=engines.clock,
        randomness=engines.randomness,
        site=settings.public_url or "this server",
    )


def _accounts(node: Node, mail: AccountMail, cookie: SessionCookie, limits: RateLimits) -> Accounts:
    engines, settings, stores = node.engines, node.settings, node.engines.stores
    accounts, passwords, clock, ids = stores.accounts, engines.passwords, engines.clock, engines.ids
    ttl_ms, reveal = settings.session_ttl_s * 1_000, settings.reveal_email_taken
    return Accounts(
        register=RegisterUser(accounts, ids, clock, engines.randomness, passwords, mail, node.progress, ttl_ms, reveal),
        sign_in=SignIn(accounts, stores.sessions, clock, engines.randomness, passwords, mail.errands, ttl_ms, reveal),
        sign_out=SignOut(stores.sessions, node.progress),
        open_sessions=OpenSessions(stores.sessions, clock),
        cookie=cookie,
        limits=limits,
    )


def _credentials(node: Node, mail: AccountMail, check: PasswordCheck, limits: RateLimits) -> CredentialRoutes:
    engines, stores = node.engines, node.engines.stores
    accounts, passwords, clock, ids = stores.accounts, engines.passwords, engines.clock, engines.ids
    reveal = node.settings.reveal_email_taken
    return CredentialRoutes(
        confirm_email=ConfirmEmail(accounts, stores.tokens, clock, mail),
        resend_confirmation=ResendConfirmation(accounts, mail),
        change_email=ChangeEmail(accounts, check, mail, reveal),
        forgot_password=ForgotPassword(accounts, mail),
        reset_password=ResetPassword(accounts, stores.tokens, passwords, ids, clock, mail, node.progress),
        change_password=ChangePassword(accounts, check, passwords, ids, mail, node.progress),
        limits=limits,
    )


def _users(
    node: Node,
    mail: AccountMail,
    check: PasswordCheck,
    cookie: SessionCookie,
    profiles: UserProfiles,
    addresses: ContentAddresses,
) -> Users:
    stores, ids = node.engines.stores, node.engines.ids
    return Users(
        profiles=profiles,
        update=UpdateProfile(stores.accounts, stores.contents, stores.relations, ids, node.progress),
        delete=DeleteAccount(stores.accounts, check, ids, mail, node.progress),
        addresses=addresses,
        cookie=cookie,
    )


def _exports(node: Node) -> Exports:
    stores = node.engines.stores
    export = Export(
        stores.accounts,
        stores.sessions,
        stores.tweets,
        stores.likes,
        stores.relations,
        node.views.relations,
        stores.contents,
        node.engines.content_bytes,
    )
    return Exports(export, node.views.users, node.engines.clock)
