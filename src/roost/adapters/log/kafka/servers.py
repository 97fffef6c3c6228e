"""Where Kafka is, and how one speaks to it."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiokafka.errors import KafkaError

from roost.domain.errors import DependencyDown

REQUEST_MS_MAX = 10_000


@dataclass(frozen=True, slots=True)
class KafkaServers:
    """`bootstrap` is host:port of some brokers, separated by commas; the rest is found from there.

    With a username, SASL/PLAIN is spoken, which wants `tls` beyond one's own network.
    """

    bootstrap: str
    username: str = ""
    password: str = ""
    tls: bool = False
    ca_file: Path | None = None

    def options(self) -> dict[str, Any]:
        """What every client of aiokafka is given."""
        secured: dict[str, Any] = {
            "security_protocol": ("SASL_" if self.username else "") + ("SSL" if self.tls else "PLAINTEXT")
        }
        if self.username:
            secured |= {
                "sasl_mechanism": "PLAIN",
                "sasl_plain_username": self.username,
                "sasl_plain_password": self.password,
            }
        if self.tls:
            secured["ssl_context"] = ssl.create_default_context(cafile=self.ca_file)
        return {"bootstrap_servers": self.bootstrap, "request_timeout_ms": REQUEST_MS_MAX, **secured}

    @contextmanager
    def asked(self) -> Iterator[None]:
        """Raises DependencyDown, without a secret, for what the client raises."""
        try:
            yield
        except (KafkaError, TimeoutError, OSError) as error:
            said = str(error).partition("\n")[0] or "no answer in time"
            raise DependencyDown(f"Kafka at {self.bootstrap}: {type(error).__name__}: {said}") from error
