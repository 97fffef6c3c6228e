"""Adapters of the mail port, and how a mail is written for all of them."""

from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate

from roost.ports.clock import Clock, Randomness
from roost.ports.mail import Mail

ID_BYTES = 16


@dataclass(frozen=True, slots=True)
class Sender:
    """Who the mails are from: a name and an address that the operator chose, and what their dates and ids need."""

    address: str
    clock: Clock
    randomness: Randomness
    name: str = "roost"

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]

    def compose(self, mail: Mail) -> EmailMessage:
        """The mail as RFC 5322 has it, marked as automatic so that no absence notice answers it."""
        message = EmailMessage(policy=SMTP)
        message["From"] = Address(display_name=self.name, addr_spec=self.address)
        message["To"] = Address(addr_spec=mail.to)
        message["Subject"] = mail.subject
        message["Date"] = formatdate(self.clock.now_ms() / 1000)
        message["Message-ID"] = f"<{self.randomness.token_bytes(ID_BYTES).hex()}@{self.domain}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(mail.text)
        return message
