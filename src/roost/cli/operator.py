"""`roost operator`: who may read and close reports."""

import asyncio
from pathlib import Path

from cyclopts import App

from roost.assembly.data_folder import DataFolder
from roost.assembly.operators import open_operators
from roost.assembly.settings import Settings
from roost.cli.command import chosen, ends_in_one_line

operator = App(name="operator", help="Say who operates this server; a serving process hears of it within a second.")


@operator.command
def add(name: str, *, data: Path | None = None, config: Path | None = None) -> None:
    """Make a user an operator.

    Args:
        name: the username
        data: the data folder
        config: TOML file of settings, else ROOST_CONFIG, else ./roost.toml

    """
    _mark(name, data, config, is_operator=True)


@operator.command
def remove(name: str, *, data: Path | None = None, config: Path | None = None) -> None:
    """Make a user an operator no longer.

    Args:
        name: the username
        data: the data folder
        config: TOML file of settings, else ROOST_CONFIG, else ./roost.toml

    """
    _mark(name, data, config, is_operator=False)


@operator.command(name="list")
def list_operators(*, data: Path | None = None, config: Path | None = None) -> None:
    """Print the operators' names, a line each.

    Args:
        data: the data folder
        config: TOML file of settings, else ROOST_CONFIG, else ./roost.toml

    """
    with ends_in_one_line("operator list"):
        for name in asyncio.run(_names(*chosen(data, config))):
            print(name)  # noqa: T201 - what the command is for


def _mark(name: str, data: Path | None, config: Path | None, *, is_operator: bool) -> None:
    with ends_in_one_line("operator"):
        changed = asyncio.run(_marked(*chosen(data, config), name, is_operator=is_operator))
        state = "an operator" if is_operator else "no operator"
        print(f"{name} is {state} now" if changed else f"{name} is {state} already")  # noqa: T201 - the answer


async def _marked(settings: Settings, folder: DataFolder, name: str, *, is_operator: bool) -> bool:
    async with open_operators(settings, folder) as operators:
        return await operators.mark(name, operator=is_operator)


async def _names(settings: Settings, folder: DataFolder) -> list[str]:
    async with open_operators(settings, folder) as operators:
        return [user.username for user in await operators.all()]
