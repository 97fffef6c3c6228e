"""What a user may be called and reached by, and what a password must be: the rules of sign-up.

Each check answers the value in its normal form and raises Invalid with the field, the fact and the bound.
No error repeats a password.
"""

import re
import unicodedata

import idna

from roost.domain.errors import Invalid
from roost.domain.guessable_passwords import is_common
from roost.domain.visible_text import fault_in

USERNAME_CHARACTERS_MAX = 15
DISPLAY_NAME_CHARACTERS_MAX = 50
BIO_CHARACTERS_MAX = 160
EMAIL_CHARACTERS_MAX = 254  # RFC 5321: a path of 256 with its brackets
EMAIL_LOCAL_CHARACTERS_MAX = 64
PASSWORD_CHARACTERS_MIN = 8
PASSWORD_CHARACTERS_MAX = 128
MOBILE_DIGITS_MIN = 7
MOBILE_DIGITS_MAX = 15  # E.164
# A shorter name lies in many good passwords by chance.
OWN_NAME_CHARACTERS_MIN = 3
# Before normalising, which may shrink a text three times and whose work this bounds.
RAW_FACTOR_MAX = 4

RESERVED_USERNAMES = frozenset(
    """
    about abuse account accounts admin administrator admins api app apps assets auth billing blocks
    contact content copyright create delete docs everyone explore export favicon followers following
    hashtag health help here home hostmaster inbox info legal likes live login logout mail
    mailer_daemon me media messages metrics mod moderation moderator moderators mutes nobody noreply
    no_reply notifications null oauth official openapi operator operators password policy postmaster
    privacy problems public register reports roost root rules search security session sessions
    settings signin signout signup staff static status support sysadmin system tag tags team terms
    timeline timelines trends tweet tweets undefined user users verified verify webmaster websocket
    well_known ws www
    """.split()  # noqa: SIM905 - reads better than a page of quotes
)

_USERNAME = re.compile(r"[A-Za-z0-9_]+")
_EMAIL_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_MOBILE_SEPARATORS = re.compile(r"[ ().\-/\u00a0]")
_MOBILE = re.compile(rf"[1-9][0-9]{{{MOBILE_DIGITS_MIN - 1},{MOBILE_DIGITS_MAX - 1}}}")


def check_username(text: str, field: str = "username") -> str:
    """The name as written: its case is kept for show, `username_key` is what must be unique."""
    _bound(field, text, 1, USERNAME_CHARACTERS_MAX)
    if not _USERNAME.fullmatch(text):
        raise Invalid.field(field, "a username is made of A-Z, a-z, 0-9 and _ only")
    if username_key(text) in RESERVED_USERNAMES:
        raise Invalid.field(field, f"the username {text} is reserved")
    return text


def username_key(text: str) -> str:
    """The form in which two names are the same name."""
    return text.lower()


def check_display_name(text: str, field: str = "display_name") -> str:
    """NFC, spaces of any kind written as single plain ones, none at the ends."""
    _bound_raw(field, text, DISPLAY_NAME_CHARACTERS_MAX)
    composed = unicodedata.normalize("NFC", text)
    spaced = "".join(" " if unicodedata.category(char) == "Zs" else char for char in composed)
    name = re.sub(" +", " ", spaced).strip(" ")
    _bound(field, name, 1, DISPLAY_NAME_CHARACTERS_MAX)
    _refuse_faults(field, name, newlines=False)
    return name


def check_bio(text: str, field: str = "bio") -> str:
    """NFC, every line end a plain newline, no blanks at the ends. May be empty."""
    _bound_raw(field, text, BIO_CHARACTERS_MAX)
    bio = unicodedata.normalize("NFC", text).replace("\r\n", "\n").strip(" \n")
    _bound(field, bio, 0, BIO_CHARACTERS_MAX)
    _refuse_faults(field, bio, newlines=True)
    return bio


def check_email(text: str, field: str = "email") -> str:
    """The address with its domain in lower case and, where international, in its ASCII form."""
    text = text.strip(" ")
    _bound(field, text, 1, EMAIL_CHARACTERS_MAX)
    local, at, domain = text.rpartition("@")
    if not at:
        raise Invalid.field(field, "an e-mail address needs an @")
    if not 1 <= len(local) <= EMAIL_LOCAL_CHARACTERS_MAX or not _EMAIL_LOCAL.fullmatch(local):
        raise Invalid.field(
            field,
            f"before the @ an e-mail address has 1 to {EMAIL_LOCAL_CHARACTERS_MAX} letters of ASCII, digits, "
            "signs and single dots",
        )
    address = f"{local}@{_ascii_domain(domain, field)}"
    _bound(field, address, 1, EMAIL_CHARACTERS_MAX)
    return address


def email_key(email: str) -> str:
    """The form in which two checked addresses are the same one: no known host minds the case."""
    return email.lower()


def check_mobile(text: str | None, field: str = "mobile") -> str | None:
    """E.164 (`+31612345678`), or None for none. Without + or 00 the country code is taken to come first."""
    if text is None or not text.strip():
        return None
    _bound_raw(field, text, MOBILE_DIGITS_MAX)
    digits = _MOBILE_SEPARATORS.sub("", text.strip()).removeprefix("+").removeprefix("00")
    if not _MOBILE.fullmatch(digits):
        raise Invalid.field(
            field,
            f"a mobile number is + and {MOBILE_DIGITS_MIN} to {MOBILE_DIGITS_MAX} digits, country code first",
        )
    return f"+{digits}"


def check_password(text: str, username: str, email: str, field: str = "password") -> str:
    """The password as given. `username` and `email` are whose it will be, as far as they are known."""
    _bound(field, text, PASSWORD_CHARACTERS_MIN, PASSWORD_CHARACTERS_MAX)
    if any(unicodedata.category(char) == "Cs" for char in text):
        raise Invalid.field(field, "half of a surrogate pair in the password")
    if is_common(text):
        raise Invalid.field(field, "this password is one of the commonest, which are tried first")
    for owned, name in (("username", username), ("e-mail address", email.rpartition("@")[0])):
        left = _without(text, name)
        if left < PASSWORD_CHARACTERS_MIN:
            raise Invalid.field(
                field,
                f"{left} characters beside the {owned} that it contains, at least {PASSWORD_CHARACTERS_MIN} required",
            )
    return text


def _without(password: str, name: str) -> int:
    """How many characters of the password are not the owner's own name, which anybody would try."""
    if len(name) < OWN_NAME_CHARACTERS_MIN:
        return len(password)
    return len(password.lower().replace(name.lower(), ""))


def _ascii_domain(domain: str, field: str) -> str:
    try:
        ascii_form = idna.encode(domain, uts46=True, std3_rules=True).decode("ascii").rstrip(".")
    except UnicodeError:
        ascii_form = ""
    _, dot, top = ascii_form.rpartition(".")
    if not dot or top.isdigit():
        raise Invalid.field(field, "after the @ an e-mail address has a domain name such as example.org")
    return ascii_form


def _bound(field: str, text: str, least: int, most: int) -> None:
    if len(text) < least:
        raise Invalid.field(field, f"{len(text)} characters, at least {least} required")
    if len(text) > most:
        raise Invalid.field(field, f"{len(text)} characters, at most {most} allowed")


def _bound_raw(field: str, text: str, most: int) -> None:
    if len(text) > most * RAW_FACTOR_MAX:
        raise Invalid.field(field, f"{len(text)} characters, at most {most} allowed")


def _refuse_faults(field: str, text: str, *, newlines: bool) -> None:
    fault = fault_in(text, newlines=newlines)
    if fault is not None:
        raise Invalid.field(field, fault)
