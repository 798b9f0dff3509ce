"""`tidemill init`: a first project, ready to deploy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tidemill.cli.options import Json


def init(
    folder: Annotated[Path, typer.Argument(help="A new folder, or an empty one.")],
    *,
    as_json: Json = False,
) -> None:
    """Write a first project: one job, its handlers, the CDK app and a program that submits."""
    from tidemill.cli import render

    written = write_project(folder)
    if as_json:
        render.as_json({"folder": str(folder), "files": written})
        return
    for name in written:
        render.line(f"  {folder / name}")
    render.line(f"Next: cd {folder} && npm install && tidemill local up")


def write_project(folder: Path) -> list[str]:
    """Copy the first project into `folder`; answers the files' names.

    Raises:
        InputError: the folder holds something, or is a file; nothing was written.
    """
    import shutil

    from tidemill.domain.errors import InputError

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError.at("folder", f"{folder} is not an empty folder; name a new one", "exists")
    source = Path(__file__).resolve().parent.parent / "project"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(source, folder, ignore=ignored, dirs_exist_ok=True)
    (folder / ".gitignore").write_text(".tidemill/\n.venv/\n__pycache__/\ncdk.out/\nnode_modules/\n", encoding="utf-8")
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
