"""Every setting, in one place, read once at start: flags, then ROOST_… variables, then a TOML file, then defaults."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any

from roost.domain.celebrity import COUNT_MAX_DEFAULT, THRESHOLD_DEFAULT
from roost.domain.content import IMAGE_BYTES_MAX, VIDEO_BYTES_MAX
from roost.domain.timeline import TIMELINE_LENGTH_DEFAULT
from roost.domain.user import FOLLOWING_MAX_DEFAULT

PREFIX = "ROOST_"
CONFIG_DEFAULT = Path("roost.toml")
CLUSTER_TABLE = "cluster"


class BadSetting(Exception):
    """A setting that cannot be used: which, from where, and why."""


def _setting(default: Any, meaning: str, least: float | None = None, most: float | None = None) -> Any:
    return field(default=default, metadata={"meaning": meaning, "least": least, "most": most})


DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Settings:
    """One field a setting. The type of its default is its type; `meaning` is what `roost settings` prints."""

    host: str = _setting("127.0.0.1", "address to listen on; nothing beyond loopback unless asked")
    port: int = _setting(8000, "port to listen on; 0 takes a free one", 0, 65_535)
    workers: int = _setting(
        1,
        "processes that serve together; what is kept in memory, and open sockets, are bounded in each of them, and "
        "rate limits and sockets an address are divided by their number and rounded up",
        1,
        64,
    )
    data: Path = _setting(Path("data"), "folder of the database, the index, content and mails")
    public_url: str = _setting("", "address at which clients reach this server; empty: relative addresses in answers")
    behind_tls: bool = _setting(False, "TLS ends in front of this server: Secure cookies with the __Host- prefix")
    trusted_proxies: str = _setting("", "addresses of proxies whose X-Forwarded-For is believed, separated by commas")
    metrics_token: str = _setting("", "bearer token that opens /metrics to other machines; empty: this machine only")
    log_level: str = _setting("info", "debug, info, warning or error")
    synchronous: str = _setting("full", "full: an ack survives a loss of power; normal: it survives a crash only")

    public_read: bool = _setting(True, "whether those who are not signed in may read what a stranger may see")
    reveal_email_taken: bool = _setting(True, "whether sign-up says that an address is taken")
    require_confirmed_email: bool = _setting(False, "whether posting needs a confirmed address")
    session_ttl_s: int = _setting(90 * DAY_S, "a session ends this long after it began", 60, 3_650 * DAY_S)
    following_max: int = _setting(FOLLOWING_MAX_DEFAULT, "users that one user may follow", 1, 1_000_000)

    timeline_length: int = _setting(TIMELINE_LENGTH_DEFAULT, "ids that a warm timeline keeps", 10, 100_000)
    celebrity_threshold: int = _setting(
        THRESHOLD_DEFAULT, "followers from which a user's tweets are merged when read, not fanned out", 1
    )
    celebrity_count_max: int = _setting(COUNT_MAX_DEFAULT, "users that may be celebrities at a time", 0, 100_000)
    cache_ttl_s: float = _setting(float(DAY_S), "caches and timelines drop what is unused for so long", 0.1)
    tweets_cached_max: int = _setting(200_000, "tweets and their fragments kept in memory", 100)
    users_cached_max: int = _setting(200_000, "users kept in memory, and relations of viewers", 100)
    timelines_cached_max: int = _setting(100_000, "warm timelines of each kind", 10)
    follower_ids_cached_max: int = _setting(10_000_000, "follower ids kept in memory, over all authors", 1_000)

    resume_window_s: int = _setting(900, "a socket may resume from a cursor no older than this", 1, 7 * DAY_S)
    resume_events_max: int = _setting(1_000_000, "and no further back than so many events", 1)
    log_kept_s: int = _setting(3_600, "events are kept for so long, and until every reaction has them", 1)
    sockets_max: int = _setting(20_000, "open sockets of each process", 1)
    sockets_per_address_max: int = _setting(64, "open sockets an address", 1)

    rate_limits: bool = _setting(True, "off switches all rate limits off, for tests and loads only")
    sign_up_per_hour: int = _setting(20, "accounts an address may make", 1)
    sign_in_per_minute: int = _setting(20, "log-ins an address, and an account, may try", 1)
    post_per_hour: int = _setting(600, "tweets a user may post", 1)
    follow_per_hour: int = _setting(600, "follows, likes, blocks and mutes a user may give", 1)
    upload_per_hour: int = _setting(120, "contents a user may upload", 1)
    search_per_minute: int = _setting(60, "searches a user or an address may ask for", 1)
    read_per_minute: int = _setting(3_000, "other reads a user or an address may ask for", 1)

    password_cost: str = _setting("high", "low makes password hashing cheap, for tests and loads only")
    image_bytes_max: int = _setting(IMAGE_BYTES_MAX, "bytes of an uploaded image", 1)
    video_bytes_max: int = _setting(VIDEO_BYTES_MAX, "bytes of an uploaded video", 1)
    content_quota_bytes: int = _setting(1 << 30, "bytes of content a user may keep", 1)
    content_kept_s: int = _setting(DAY_S, "content that no tweet takes is removed after so long", 60)

    smtp_url: str = _setting(
        "", "smtp[s]://user:password@host:port to send mails; empty: they are written to data/mails"
    )
    mail_from: str = _setting("roost@localhost", "sender of mails")

    def __post_init__(self) -> None:
        choices = {
            "synchronous": ("full", "normal"),
            "password_cost": ("high", "low"),
            "log_level": ("debug", "info", "warning", "error"),
        }
        for name, allowed in choices.items():
            if getattr(self, name) not in allowed:
                raise BadSetting(f"{name}: {getattr(self, name)!r} is none of {', '.join(allowed)}")
        for one in fields(self):
            value, least, most = getattr(self, one.name), one.metadata["least"], one.metadata["most"]
            if (least is not None and value < least) or (most is not None and value > most):
                bounds = f"{least} or more" if most is None else f"{least} to {most}"
                raise BadSetting(f"{one.name}: {value} is not {bounds}")


SECRET_NAMES = frozenset({"smtp_url", "metrics_token"})


@dataclass(frozen=True, slots=True)
class Sourced:
    """A setting as `roost settings` prints it. `value` hides secrets."""

    name: str
    value: str
    source: str
    meaning: str


def read_settings(
    flags: Mapping[str, Any], environment: Mapping[str, str] | None = None, config: Path | None = None
) -> tuple[Settings, list[Sourced]]:
    """The settings and where each came from. `flags` whose value is None were not given.

    Raises BadSetting for unknown names in the file, values of a wrong type and values out of bounds.
    """
    environment = dict(os.environ) if environment is None else environment  # noqa: TID251 - the one place
    file_name, table = _table(environment, config)
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for one in fields(Settings):
        for source, raw in (
            (f"flag --{one.name.replace('_', '-')}", flags.get(one.name)),
            (PREFIX + one.name.upper(), environment.get(PREFIX + one.name.upper())),
            (file_name, table.get(one.name)),
        ):
            if raw is not None:
                values[one.name] = _parse(one, raw, source)
                sources[one.name] = source
                break
    settings = Settings(**values)
    return settings, [_sourced(settings, one, sources.get(one.name, "default")) for one in fields(Settings)]


def settings_file(config: Path | None, environment: Mapping[str, str] | None = None) -> Path:
    """The file that is read: the one given, else the one that the environment names, else ./roost.toml."""
    environment = os.environ if environment is None else environment  # noqa: TID251 - the one place
    return config or Path(environment.get(PREFIX + "CONFIG") or CONFIG_DEFAULT)


def _table(environment: Mapping[str, str], config: Path | None) -> tuple[str, dict[str, Any]]:
    named = config is not None or bool(environment.get(PREFIX + "CONFIG"))
    path = settings_file(config, environment)
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        if not named:
            return "", {}
        raise BadSetting(f"the settings file {path} does not exist") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadSetting(f"the settings file {path} cannot be read: {error}") from error
    table.pop(CLUSTER_TABLE, None)  # assembly/cluster/file.py reads it
    unknown = sorted(set(table) - {one.name for one in fields(Settings)})
    if unknown:
        raise BadSetting(f"{path}: unknown settings {', '.join(unknown)}; `roost settings` lists those there are")
    return str(path), table


def _parse(one: "Field[Any]", raw: Any, source: str) -> Any:
    kind: type[Any] = type(one.default)
    if kind is bool:
        return _parse_bool(one.name, raw, source)
    if isinstance(raw, bool) or not isinstance(raw, str | int | float | Path):
        raise BadSetting(f"{one.name} ({source}): {raw!r} is not a {kind.__name__}")
    try:
        return kind(raw)
    except ValueError:
        raise BadSetting(f"{one.name} ({source}): {raw!r} is not a {kind.__name__}") from None


def _parse_bool(name: str, raw: Any, source: str) -> bool:
    words = {"on": True, "true": True, "1": True, "yes": True, "off": False, "false": False, "0": False, "no": False}
    parsed = raw if isinstance(raw, bool) else words.get(str(raw).lower())
    if parsed is None:
        raise BadSetting(f"{name} ({source}): {raw!r} is neither on nor off")
    return parsed


def _sourced(settings: Settings, one: "Field[Any]", source: str) -> Sourced:
    value = getattr(settings, one.name)
    shown = ("on" if value else "off") if isinstance(value, bool) else str(value)
    if one.name in SECRET_NAMES and shown:
        shown = "(set)"
    return Sourced(one.name, shown, source, one.metadata["meaning"])
