"""Opaque tokens of 256 bits: their text, which only the holder has, and their hash, which is kept.

A hash without salt or cost is enough here: nobody can guess 256 random bits.
"""

import base64
import hashlib
import hmac
import re
from typing import NewType

TokenText = NewType("TokenText", str)
"""43 characters of URL-safe base64. Never stored and never logged."""

TOKEN_BYTES = 32
TOKEN_CHARACTERS = 43
_FORM = re.compile(rf"[A-Za-z0-9_-]{{{TOKEN_CHARACTERS}}}")


def token_text(random: bytes) -> TokenText:
    """The text of a token made of 32 random bytes. Raises ValueError for another size."""
    if len(random) != TOKEN_BYTES:
        raise ValueError(f"{len(random)} bytes, exactly {TOKEN_BYTES} make a token")
    return TokenText(base64.urlsafe_b64encode(random).rstrip(b"=").decode("ascii"))


def read_token(text: str) -> TokenText | None:
    """`text` as a token, or None where it cannot be one: so that no look-up is spent on rubbish."""
    return TokenText(text) if _FORM.fullmatch(text) else None


def hash_token(token: TokenText) -> bytes:
    """What is stored and looked up in the token's place: 32 bytes."""
    return hashlib.sha256(token.encode("ascii")).digest()


def is_token(text: str, kept_hash: bytes) -> bool:
    """Whether `text` is the token of that hash, in a time that does not tell how nearly."""
    token = read_token(text)
    return token is not None and hmac.compare_digest(hash_token(token), kept_hash)
