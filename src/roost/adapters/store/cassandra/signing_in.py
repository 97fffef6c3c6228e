"""How a session is let in: by a password, over TLS."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from roost.domain.errors import DependencyDown


@dataclass(frozen=True, slots=True)
class SigningIn:
    """How one is let in. With `tls`, nodes show a certificate that `ca_file` vouches for."""

    username: str = ""
    password: str = ""
    tls: bool = False
    ca_file: Path | None = None

    def options(self) -> dict[str, Any]:
        """What the driver is given. Raises DependencyDown where the file cannot be read."""
        options: dict[str, Any] = {}
        if self.username:
            options |= {"username": self.username, "password": self.password}
        if self.tls:
            options["ssl_enabled"] = True
        if self.ca_file is not None:
            try:
                options["ssl_trusted_cert"] = self.ca_file.read_text()
            except OSError as error:
                raise DependencyDown(f"the certificates for Cassandra cannot be read: {error}") from error
        return options


NOBODY = SigningIn()
