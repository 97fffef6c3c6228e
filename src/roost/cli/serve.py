"""`roost serve`: run the whole of roost in this process."""

import sys
from dataclasses import fields
from pathlib import Path

from roost.assembly.cluster.file import read_cluster
from roost.assembly.cluster.running import read_roles
from roost.assembly.cluster.serving import serve_cluster
from roost.assembly.listening import CannotServe
from roost.assembly.serving import serve as serve_forever
from roost.assembly.settings import BadSetting, Settings, read_settings, settings_file


def serve(
    *,
    host: str | None = None,
    port: int | None = None,
    data: Path | None = None,
    workers: int | None = None,
    config: Path | None = None,
    role: str | None = None,
    **others: str,
) -> None:
    """Serve until SIGTERM; prints one line when it is ready.

    Args:
        host: address to listen on, 127.0.0.1 unless set
        port: port to listen on, 8000 unless set; 0 takes a free one
        data: folder of the database, the index, content and mails
        workers: processes that serve together, 1 unless set; a processor each is a good number
        config: TOML file of settings, else ROOST_CONFIG, else ./roost.toml
        role: what a process of a cluster does, separated by commas, of edge, fan_out, index, notify, count and
            outbox; all of it unless set. The settings file says where the cluster's servers are
        others: any other setting, such as --celebrity-threshold 500; `roost settings` lists them

    """
    try:
        flags = {"host": host, "port": port, "data": data, "workers": workers, **_known(others)}
        chosen, _ = read_settings(flags, config=config)
        cluster = read_cluster(settings_file(config))
        if cluster is not None:
            serve_cluster(chosen, cluster, read_roles(role or ""), _say)
        else:
            if role is not None:
                sys.exit(
                    "roost: role: the settings file has no table [cluster]; without it one process does everything"
                )
            serve_forever(chosen, _say)
    except (BadSetting, CannotServe) as error:
        sys.exit(f"roost: {error}")


def _say(line: str) -> None:
    """Scripts wait for it."""
    print(line, flush=True)  # noqa: T201


def _known(others: dict[str, str]) -> dict[str, str]:
    named = {name.replace("-", "_"): value for name, value in others.items()}
    unknown = sorted(set(named) - {one.name for one in fields(Settings)})
    if unknown:
        raise BadSetting(f"unknown settings {', '.join(unknown)}; `roost settings` lists those there are")
    return named
