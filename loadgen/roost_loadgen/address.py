"""Where the server is."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from roost_loadgen.faults import BadInput


@dataclass(frozen=True, slots=True)
class Address:
    """A server's base URL, taken apart."""

    host: str
    port: int
    secure: bool
    prefix: str  # of every path, without a slash at its end

    @classmethod
    def parse(cls, url: str) -> "Address":
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise BadInput(f"--url {url}: {error}") from error
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise BadInput(f"--url {url}: must be http://HOST[:PORT] or https://HOST[:PORT]")
        secure = parts.scheme == "https"
        return cls(parts.hostname, port or (443 if secure else 80), secure, parts.path.rstrip("/"))

    @property
    def authority(self) -> str:
        """Host and port as a Host header and a URL spell them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{'https' if self.secure else 'http'}://{self.authority}{self.prefix}"

    @property
    def socket_url(self) -> str:
        return f"{'wss' if self.secure else 'ws'}://{self.authority}{self.prefix}/ws"
