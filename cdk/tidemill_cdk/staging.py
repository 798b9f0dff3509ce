"""Folders that become assets: built once, moved into place whole, named by what is in them."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterable
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

# Of one sort of folder, so many are kept: another program may still read the one it has just built.
_KEPT: Final = 4
# What no asset holds: bytecode of another Python, and what tools leave behind.
LITTER: Final = ("__pycache__", "*.pyc", ".DS_Store", ".mypy_cache", ".ruff_cache", ".pytest_cache")


def stage(cache: Path, key: str, build: Callable[[Path], None]) -> Path:
    """Return `cache/key`, calling `build` with an empty folder first if it is not there yet.

    Two programs may do this at once: each builds in a folder of its own, and the first one's stays.
    """
    target = cache.absolute() / key
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    # The cache ignores itself, so that it is in nobody's commit.
    (cache / ".gitignore").write_text("*\n", encoding="utf-8")
    draft = Path(tempfile.mkdtemp(dir=target.parent, prefix=".draft-"))
    try:
        build(draft)
        draft.chmod(0o755)
        _move_into_place(draft, target)
        _forget_old(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return target


def source_files(folder: Path, leave_out: Iterable[str] = ()) -> list[Path]:
    """The files of a folder that belong into an asset, relative to it and in a fixed order.

    `leave_out` names files and folders directly below it.
    """
    skip = frozenset(leave_out)
    found = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    wanted = [path for path in found if path.parts[0] not in skip and not _is_litter(path)]
    return sorted(wanted, key=lambda path: path.as_posix())


def copy_sources(source: Path, target: Path, leave_out: Iterable[str] = ()) -> None:
    """Copy the files that `source_files` names, and nothing else."""
    for path in source_files(source, leave_out):
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / path, target / path)


def content_hash(folder: Path, *more: str, leave_out: Iterable[str] = ()) -> str:
    """A hash of the names and bytes of the files that `source_files` names, and of `more`.

    Equal for equal sources on every machine: neither times, owners nor the folder's place count.
    """
    digest = hashlib.sha256("\0".join(more).encode())
    for path in source_files(folder, leave_out):
        content = hashlib.sha256((folder / path).read_bytes()).hexdigest()
        digest.update(f"{path.as_posix()}\0{content}\n".encode())
    return digest.hexdigest()


def _is_litter(path: Path) -> bool:
    return any(fnmatch(part, pattern) for part in path.parts for pattern in LITTER)


def _move_into_place(draft: Path, target: Path) -> None:
    try:
        draft.replace(target)
    except OSError:
        if not target.is_dir():  # anything but "another program was first"
            raise


def _forget_old(newest: Path) -> None:
    """Remove all but the latest of the folders that share `newest`'s name up to its hash."""
    sort = newest.name.rpartition("-")[0]
    alike = sorted(newest.parent.glob(f"{sort}-*"), key=lambda folder: folder.stat().st_mtime, reverse=True)
    for old in alike[_KEPT:]:
        shutil.rmtree(old, ignore_errors=True)
