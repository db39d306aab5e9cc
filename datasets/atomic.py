"""Writing so that a kill, a power cut or a full disk leaves the old state or the new one.

The law of this page: nothing that a reader may open is ever changed in place. A file or a directory
is written beside its target under a temporary name, forced to the disk, and takes the target's name
in one step.

    .tmp-<name>-<random>  ──write──▶ fsync files and folders ──rename──▶ target ──▶ fsync parent

A temporary directory is locked by its writer for as long as it lives. The operating system drops
the lock when the writer dies, so `clear_temporaries` can tell litter from work in progress.
"""

import ctypes
import errno
import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ogas.engine.errors import DamagedError, LockedError, WrongUsageError

PREFIX = ".tmp-"
_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


def fsync_path(path: Path) -> None:
    """Force one file, or the entries of one directory, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def fsync_tree(root: Path) -> None:
    """Force every file and directory below ``root``, itself included, to the disk."""
    for folder, _, files in os.walk(root):
        for name in files:
            fsync_path(Path(folder, name))
        fsync_path(Path(folder))


@contextmanager
def said_plainly(target: Path) -> Iterator[None]:
    """Turn the operating system's refusal to write ``target`` into an error with advice.

    Raises
    ------
    DamagedError
        If the disk or the quota is full.
    WrongUsageError
        If the place may not be written to.
    """
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DamagedError(
                "the disk is full; nothing was changed",
                where=str(target),
                advice="free some space and repeat",
            ) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR):
            raise WrongUsageError(
                f"cannot write here ({error.strerror})",
                where=str(target),
                advice="choose a place that may be written to",
            ) from error
        raise


@contextmanager
def atomic_file(target: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``target`` that replaces it when the body succeeds."""
    temporary = _temporary_name(target)
    try:
        with said_plainly(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            yield temporary
            fsync_path(temporary)
            os.replace(temporary, target)
            fsync_path(target.parent)
    finally:
        with suppress(OSError):
            temporary.unlink()


def write_text(target: Path, text: str) -> None:
    """Replace a small file by ``text`` in one step that survives a power cut."""
    with atomic_file(target) as temporary:
        temporary.write_text(text, encoding="utf-8")


@contextmanager
def temporary_directory(target: Path) -> Iterator[Path]:
    """Yield a locked empty directory beside ``target``; what is left of it at the end vanishes."""
    with said_plainly(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary, handle = _locked_directory(target)
        try:
            yield temporary
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
            os.close(handle)


@contextmanager
def atomic_directory(target: Path) -> Iterator[Path]:
    """Yield a temporary directory that replaces ``target`` when the body succeeds.

    Readers of ``target`` see the old tree or the new one, complete, at every moment (on Linux; see
    `replace_directory`). Temporaries that a killed writer of the same target left are removed.
    """
    clear_temporaries(target.parent, name=target.name)
    with temporary_directory(target) as temporary:
        yield temporary
        fsync_tree(temporary)
        replace_directory(temporary, target)


def replace_directory(new: Path, target: Path) -> None:
    """Give the directory ``new`` the name ``target``; the old tree, if any, is removed.

    Where the system can exchange two names (Linux) there is no moment without a target; elsewhere
    there is one, between two renames. Whatever ``target`` was is gone: ask first if it may go.
    """
    try:
        os.rename(new, target)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
            raise
        if not _exchange(new, target):
            aside = _temporary_name(target)
            os.rename(target, aside)
            os.rename(new, target)
            os.rename(aside, new)
    fsync_path(target.parent)
    # After an exchange the old tree carries the temporary name.
    shutil.rmtree(new, ignore_errors=True)


def clear_temporaries(folder: Path, name: str = "") -> None:
    """Remove temporaries (of one target, or all) in ``folder`` that no living writer holds."""
    if not folder.is_dir():
        return
    for path in folder.iterdir():
        owner = path.name.rpartition("-")[0]
        if not (owner == PREFIX + name or (not name and owner.startswith(PREFIX))):
            continue
        if not path.is_dir():
            path.unlink(missing_ok=True)
            continue
        handle = os.open(path, os.O_RDONLY)
        try:
            if _lock(handle):
                shutil.rmtree(path, ignore_errors=True)
        except OSError:
            pass  # this file system has no locks on directories: what cannot be told stays
        finally:
            os.close(handle)


@contextmanager
def exclusive(lock: Path) -> Iterator[None]:
    """Hold the lock file ``lock`` while the body runs; never wait for it.

    Raises
    ------
    LockedError
        If another process, or another thread of this one, holds it.
    """
    with said_plainly(lock):
        lock.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if not _lock(handle):
            raise LockedError(
                "another run is writing here",
                where=str(lock.parent),
                advice="wait for it to end, or stop it, and repeat",
            )
        yield
    finally:
        os.close(handle)


def _temporary_name(target: Path) -> Path:
    return target.with_name(f"{PREFIX}{target.name}-{secrets.token_hex(4)}")


def _locked_directory(target: Path) -> tuple[Path, int]:
    """Make a temporary directory and lock it, again if a cleaner took it between the two steps."""
    while True:
        path = _temporary_name(target)
        path.mkdir()
        handle = os.open(path, os.O_RDONLY)
        try:
            ours = _lock(handle)
        except OSError:  # no locks on directories here; then no cleaner removes it either
            ours = True
        if ours and path.exists():
            return path, handle
        os.close(handle)


def _lock(handle: int) -> bool:
    """Take the lock of an open file or directory; False if another holds it."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _exchange(one: Path, other: Path) -> bool:
    """Swap two names in one step; False where the system cannot."""
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 is None:
        return False
    names = os.fsencode(one), os.fsencode(other)
    return bool(renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) == 0)
