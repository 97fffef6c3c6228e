"""`roost serve`: run the whole of roost in this process."""

import sys
from dataclasses import fields
from pathlib import Path

from roost.assembly.listening import CannotServe
from roost.assembly.serving import serve as serve_forever
from roost.assembly.settings import BadSetting, Settings, read_settings


def serve(
    *,
    host: str | None = None,
    port: int | None = None,
    data: Path | None = None,
    workers: int | None = None,
    config: Path | None = None,
    **others: str,
) -> None:
    """Serve until SIGTERM; prints one line when it is ready.

    Args:
        host: address to listen on, 127.0.0.1 unless set
        port: port to listen on, 8000 unless set; 0 takes a free one
        data: folder of the database, the index, content and mails
        workers: processes that serve together, 1 unless set; a processor each is a good number
        config: TOML file of settings, else ROOST_CONFIG, else ./roost.toml
        others: any other setting, such as --celebrity-threshold 500; `roost settings` lists them

    """
    try:
        flags = {"host": host, "port": port, "data": data, "workers": workers, **_known(others)}
        chosen, _ = read_settings(flags, config=config)
        serve_forever(chosen, lambda line: print(line, flush=True))  # noqa: T201 - the line that scripts wait for
    except (BadSetting, CannotServe) as error:
        sys.exit(f"roost: {error}")


def _known(others: dict[str, str]) -> dict[str, str]:
    named = {name.replace("-", "_"): value for name, value in others.items()}
    unknown = sorted(set(named) - {one.name for one in fields(Settings)})
    if unknown:
        raise BadSetting(f"unknown settings {', '.join(unknown)}; `roost settings` lists those there are")
    return named
