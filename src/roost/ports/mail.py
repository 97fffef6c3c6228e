"""Sending mail to users: confirmations, resets, notices."""

from dataclasses import dataclass
from typing import Protocol

from roost.domain.errors import Invalid

SUBJECT_CHARACTERS_MAX = 200
TEXT_CHARACTERS_MAX = 20_000


@dataclass(frozen=True, slots=True)
class Mail:
    """One plain-text mail to one checked address.

    No line ends or other controls in what becomes a header, so that no value can add a header of its own.
    """

    to: str
    subject: str
    text: str

    def __post_init__(self) -> None:
        for field, value in (("to", self.to), ("subject", self.subject)):
            if not value or not value.isprintable():
                raise Invalid.field(field, "a mail's header is one line of printable characters")
        if not self.to.isascii() or self.to.count("@") != 1 or any(sign in self.to for sign in ' ,;<>"():\\'):
            raise Invalid.field("to", "a mail goes to one address in its ASCII form")
        if len(self.subject) > SUBJECT_CHARACTERS_MAX:
            raise Invalid.field("subject", f"{len(self.subject)} characters, at most {SUBJECT_CHARACTERS_MAX} allowed")
        if len(self.text) > TEXT_CHARACTERS_MAX:
            raise Invalid.field("text", f"{len(self.text)} characters, at most {TEXT_CHARACTERS_MAX} allowed")


class Mailer(Protocol):
    async def send(self, mail: Mail) -> None:
        """Hands the mail on for delivery: when this returns, the next station has it and answers for it.

        Raises Overloaded at once where too many wait already, DependencyDown where the next station does not take
        it within the adapter's deadline (it may have it nevertheless: a mail may come twice), and Invalid where it
        refuses the address for good.
        """
        ...
