"""Addresses and passwords: confirm, change, forget, reset.

edge.native.app -> CredentialRoutes -> commands.confirm_email, change_email, reset_password, change_password
"""

import hashlib
from dataclasses import dataclass

import msgspec

from roost.commands.change_email import ChangeEmail
from roost.commands.change_password import ChangePassword
from roost.commands.confirm_email import ConfirmEmail, ResendConfirmation
from roost.commands.reset_password import ForgotPassword, ResetPassword
from roost.domain.errors import AlreadyTaken, Forbidden, NotFound, NotSignedIn
from roost.edge.native.endpoint import NO_CONTENT, Answer, Call, Described, Endpoint, SignedIn
from roost.edge.native.limits import RateLimits

DONE = Described("done")


class TokenBody(msgspec.Struct, frozen=True):
    """The token of a mail."""

    token: str


class EmailBody(msgspec.Struct, frozen=True):
    email: str


class ChangeEmailBody(msgspec.Struct, frozen=True):
    email: str
    password: str


class ResetPasswordBody(msgspec.Struct, frozen=True):
    token: str
    password: str


class ChangePasswordBody(msgspec.Struct, frozen=True):
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class CredentialRoutes:
    """Mails count by the hour, tries at a password or a token by the minute."""

    confirm_email: ConfirmEmail
    resend_confirmation: ResendConfirmation
    change_email: ChangeEmail
    forgot_password: ForgotPassword
    reset_password: ResetPassword
    change_password: ChangePassword
    limits: RateLimits

    def endpoints(self) -> list[Endpoint]:
        return [*self._addresses(), *self._passwords()]

    def _addresses(self) -> list[Endpoint]:
        sent = Described("a mail is on its way; the address changes when its token comes back")
        return [
            Endpoint(
                "POST",
                "/email/confirm",
                self._confirm,
                "Confirm an address by the token that was sent there",
                {204: DONE},
                signed_in=SignedIn.NONE,
                body=TokenBody,
                rate_limit="sign_in",
                refusals=(AlreadyTaken,),
            ),
            Endpoint(
                "POST",
                "/email/confirm/resend",
                self._resend,
                "Send the mail with the token again",
                {204: DONE},
                rate_limit="sign_up",
                refusals=(NotFound,),
            ),
            Endpoint(
                "POST",
                "/email/change",
                self._change_email,
                "Ask for another address",
                {204: sent},
                body=ChangeEmailBody,
                rate_limit="sign_up",
                refusals=(Forbidden, AlreadyTaken, NotFound),
            ),
        ]

    def _passwords(self) -> list[Endpoint]:
        asked = Described("if somebody has this address, a mail is on its way")
        return [
            Endpoint(
                "POST",
                "/password/forgot",
                self._forgot,
                "Ask for a token to choose a new password",
                {202: asked},
                signed_in=SignedIn.NONE,
                body=EmailBody,
                rate_limit="sign_in",
            ),
            Endpoint(
                "POST",
                "/password/reset",
                self._reset,
                "Choose a new password by the token that was sent; all sessions end",
                {204: DONE},
                signed_in=SignedIn.NONE,
                body=ResetPasswordBody,
                rate_limit="sign_in",
            ),
            Endpoint(
                "POST",
                "/password/change",
                self._change_password,
                "Choose a new password by the old one; all other sessions end",
                {204: DONE},
                body=ChangePasswordBody,
                rate_limit="sign_in",
                refusals=(Forbidden, NotFound),
            ),
        ]

    async def _confirm(self, call: Call[TokenBody]) -> Answer:
        await self.confirm_email(call.body.token)
        return NO_CONTENT

    async def _resend(self, call: Call[None]) -> Answer:
        await self.resend_confirmation(call.user)
        return NO_CONTENT

    async def _change_email(self, call: Call[ChangeEmailBody]) -> Answer:
        await self.change_email(call.user, call.body.email, call.body.password)
        return NO_CONTENT

    async def _forgot(self, call: Call[EmailBody]) -> Answer:
        # By the hour: nobody's post box is to be filled from here.
        self.limits.take("sign_up", account_key(call.body.email.strip().lower()))
        await self.forgot_password(call.body.email)
        return Answer(202)

    async def _reset(self, call: Call[ResetPasswordBody]) -> Answer:
        await self.reset_password(call.body.token, call.body.password)
        return NO_CONTENT

    async def _change_password(self, call: Call[ChangePasswordBody]) -> Answer:
        session = call.session
        if session is None:
            raise NotSignedIn
        await self.change_password(session.user_id, session.session_id, call.body.old, call.body.new)
        return NO_CONTENT


def account_key(key: str) -> str:
    """What tries at one account count by. A hash, since callers choose how long a name is."""
    return f"account:{hashlib.blake2b(key.encode('utf-8', 'replace'), digest_size=16).hexdigest()}"
