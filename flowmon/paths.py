"""Where flowmon's files are: configuration, parsers, themes, the store, and the data that comes with the package."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from platformdirs import user_config_path, user_state_path

from flowmon.errors import FlowmonError

SYSTEM_FOLDER = Path("/etc/flowmon")
STORE_NAME = "flowmon.db"

_PACKAGE = Path(__file__).parent


def config_folder() -> Path:
    """The user's configuration folder; it need not exist."""
    return user_config_path("flowmon")


def parser_folders() -> list[Path]:
    """Folders of further parsers, the host's before the user's: of the same name the later one counts."""
    return [SYSTEM_FOLDER / "parsers", config_folder() / "parsers"]


def diagnosis_files() -> list[Path]:
    """Where further diagnosis rules may be: the user's file before the host's, as its rules are tried first."""
    return [config_folder() / "diagnosis.toml", SYSTEM_FOLDER / "diagnosis.toml"]


def theme_folders() -> list[Path]:
    """Folders of further themes, in the same order."""
    return [SYSTEM_FOLDER / "themes", config_folder() / "themes"]


def filters_file() -> Path:
    """The user's saved filters."""
    return config_folder() / "filters.toml"


def filter_history_file() -> Path:
    """The filters that the user used last."""
    return user_state_path("flowmon") / "filters.txt"


def store_path() -> Path:
    """The store where none is configured: in the state folder of the systemd unit, else in the user's."""
    given = os.environ.get("STATE_DIRECTORY", "").partition(":")[0]
    return (Path(given) if given else user_state_path("flowmon")) / STORE_NAME


def data_folder(name: Literal["parsers", "themes", "demo"]) -> Path:
    """A folder of data that comes with flowmon: inside the installed package, beside it in a checkout.

    Raises FlowmonError when it is in neither place.
    """
    for folder in (_PACKAGE / name, _PACKAGE.parent / name):
        if folder.is_dir():
            return folder
    raise FlowmonError(f"{_PACKAGE / name}: this folder of flowmon's own is missing; install flowmon again")
