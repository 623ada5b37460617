"""A process and a folder → every effect of the process on files there, numbered, and its death at one of them.

An effect is what changes a file or a name: opening to write, each write, fsync, truncate, rename, link, unlink, mkdir,
rmdir, chmod. Python tells the names by its audit hook; writes and fsync are wrapped, down to the raw file, so that a
buffer counts when it is flushed. Rows that pyarrow writes are one write; the database's own file is seen where the
database is asked for something. The death comes just before an effect, or with half of a write's bytes written.

It is SIGKILL: no handler runs, nothing is flushed. With the power, the machine dies too: whatever was not fsynced is
as it was, bytes of files and names in folders. POSIX promises no more than that.
"""

import builtins
import functools
import io
import os
import re
import shutil
import signal
import stat
import sys
import threading
from pathlib import Path

import pyarrow.parquet as pq

from usage_stats.release import analysts_file

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_NAMES = {
    "os.rename",
    "os.remove",
    "os.mkdir",
    "os.rmdir",
    "os.chmod",
    "os.link",
    "os.symlink",
    "os.truncate",
}
_ACTS_OF_THE_DATABASE = ("_add_figures", "add_views", "add_catalog", "checked_sum_macro")


class Effects:
    """Counts the effects below a folder, and dies at one of them; `names` has all, as `kind place`.

    `fatal`: the number of the effect to die at, 0 for none; below zero, the power goes at that effect.
    """

    def __init__(self, root, fatal):
        self.root = str(Path(root).resolve())
        self.fatal = abs(fatal)
        self.disk = _Disk(self.root) if fatal < 0 else None
        self.names = []
        self._lock = threading.RLock()
        self._is_ours = False  # the injector's own acts are no effects

    def watch(self):
        """From now on, count; there is no way back."""
        self._wrap_writes()
        self._wrap_rows()
        for name in _ACTS_OF_THE_DATABASE:
            self._watch_call(analysts_file, name)
        sys.addaudithook(self._heard)

    def reach(self, kind, path, last_act=None):
        """An effect is about to happen; returns whether it is below the folder."""
        place = str(path)
        if self._is_ours or not place.startswith(self.root + "/"):
            return False
        with self._lock:
            self.names.append(f"{kind} {_place(place[len(self.root) + 1 :])}")
            if len(self.names) == self.fatal:
                self._is_ours = True
                if last_act:
                    last_act()
                if self.disk:
                    self.disk.lose()
                os.kill(os.getpid(), signal.SIGKILL)
        return True

    def _heard(self, event, args):
        if self._is_ours or (event != "open" and event not in _NAMES):
            return
        if event == "open":
            path, _, flags = args
            if isinstance(path, int) or not flags & _WRITING or flags & os.O_DIRECTORY:
                return
            path = os.path.abspath(os.fsdecode(path))  # noqa: PTH100 what the system is told, not resolved
            if self.reach("open", path):
                self._note("opened", path)
        elif event == "os.rename":
            source, target = (_full(path, fd) for path, fd in zip(args[:2], args[2:], strict=True))
            if self.reach("rename", target):
                self._note("renamed", source, target)
        elif event == "os.link":
            target = _full(args[1], args[3])
            if self.reach("link", target):
                self._note("made", target)
        else:
            self._heard_of_one(event.removeprefix("os."), args)

    def _heard_of_one(self, kind, args):
        fd = args[-1] if kind in {"remove", "rmdir", "mkdir", "chmod"} else -1
        path = _full(args[0], fd)
        # What is asked for and changes nothing is no effect: a folder that is there, or cannot be made yet.
        is_news = os.path.lexists(path) != (kind == "mkdir") and Path(path).parent.is_dir()
        if is_news and self.reach(kind, path):
            act = {"remove": "removed", "rmdir": "removed", "mkdir": "made", "truncate": "changed"}.get(kind)
            if act:
                self._note(act, path)

    def _note(self, act, *paths):
        if self.disk:
            self._is_ours = True
            try:
                getattr(self.disk, act)(*paths)
            finally:
                self._is_ours = False

    def _wrap_writes(self):
        effects, write, fsync = self, os.write, os.fsync

        def counted(fd, data, put):
            path = _of_descriptor(fd)
            half = bytes(data)[: len(data) // 2]
            if effects.reach("write", path):
                effects.reach("half", path, lambda: write(fd, half))
                effects._note("changed", path)
            return put(data)

        class Counted(io.FileIO):
            def write(self, data):
                return counted(self.fileno(), memoryview(data).cast("B"), super().write)

            def truncate(self, size=None):
                if effects.reach("truncate", path := _of_descriptor(self.fileno())):
                    effects._note("changed", path)
                return super().truncate(size)

        def synced(fd):
            number = fd if isinstance(fd, int) else fd.fileno()
            path = _of_descriptor(number)
            effects.reach("fsync", path)
            fsync(number)
            effects._note("synced", path)

        opened = _opener(io.open, Counted)
        builtins.open = io.open = opened
        os.write = lambda fd, data: counted(fd, data, lambda data: write(fd, data))
        os.fsync = os.fdatasync = synced

    def _wrap_rows(self):
        original = pq.write_table

        @functools.wraps(original)
        def write_table(rows, path, **options):
            if self.reach("rows", path):
                self._note("opened", str(path))
                self.reach("half", path, lambda: Path(path).write_bytes(b"PAR1 half"))
            original(rows, path, **options)
            self._note("changed", str(path))

        pq.write_table = write_table

    def _watch_call(self, owner, name):
        original = getattr(owner, name)

        @functools.wraps(original)
        def watched(*args, **options):
            self.reach("database", f"{self.root}/warehouse/{name}")
            return original(*args, **options)

        setattr(owner, name, watched)


def _opener(original, counted):
    def opened(
        file,
        mode="r",
        buffering=-1,
        encoding=None,
        errors=None,
        newline=None,
        closefd=True,  # noqa: FBT002 the signature of open
        opener=None,
    ):
        if not set(mode) & set("wax+"):
            return original(file, mode, buffering, encoding, errors, newline, closefd, opener)
        raw = counted(file, mode.replace("b", "").replace("t", ""), closefd, opener)
        if not buffering:
            return raw
        buffer = (io.BufferedRandom if "+" in mode else io.BufferedWriter)(raw)
        return buffer if "b" in mode else io.TextIOWrapper(buffer, encoding, errors, newline)

    return opened


def _of_descriptor(fd):
    return str(Path(f"/proc/self/fd/{fd}").readlink())


def _full(path, fd):
    """A path as the kernel takes it: a descriptor, or a name below the folder of one."""
    if isinstance(path, int):
        return _of_descriptor(path)
    path = os.fsdecode(path)
    if isinstance(fd, int) and fd >= 0 and not path.startswith("/"):
        return f"{_of_descriptor(fd)}/{path}"
    return os.path.abspath(path)  # noqa: PTH100 not resolved: a link itself is renamed or removed


def _place(name):
    """A file's place without what is drawn by chance."""
    return re.sub(r"[0-9a-f]{16,}", "X", name)


class _Disk:
    """What a power cut leaves: bytes since the last fsync of a file are lost, and names since that of their folder."""

    def __init__(self, root):
        self._root = Path(root)
        self._kept = Path(root + ".kept")
        self._kept.mkdir()
        self._bytes = {}  # inode → what of the file is on the disk, where that is not what is in it
        self._synced = {}  # inode → the file's bytes at its last fsync
        self._names = []  # (folder, how to take the change back), in the order of the changes
        self._count = 0

    def opened(self, path):
        """Before a file is opened to write: a new one has a new name, an old one loses bytes if it is cut."""
        path = Path(path)
        if path.exists():
            self._remember(path)
        else:
            self.made(path)

    def made(self, path):
        path = Path(path)
        self._names.append((path.parent, lambda: _drop(path)))

    def removed(self, path):
        path = Path(path)
        kept = self._keep(path)
        self._names.append((path.parent, lambda: _put_back(kept, path)))

    def renamed(self, source, target):
        source, target = Path(source), Path(target)
        kept = self._keep(target)

        def back():
            if os.path.lexists(source):  # its place is another's by now, and that is on the disk
                _drop(target)
            elif target.exists():
                target.rename(source)
            _put_back(kept, target)

        self._names.append((target.parent, back))

    def changed(self, path):
        path = Path(path)
        if path.is_file():
            number = path.stat().st_ino
            self._bytes.setdefault(number, self._synced.get(number, b""))  # one of before: when it was opened

    def synced(self, path):
        path = Path(path)
        if path.is_dir():
            self._names = [(folder, back) for folder, back in self._names if folder != path]
        elif path.exists():
            self._bytes.pop(path.stat().st_ino, None)
            self._synced[path.stat().st_ino] = path.read_bytes()

    def lose(self):
        for back in [back for _, back in reversed(self._names)]:
            back()
        for path in [p for p in self._root.rglob("*") if p.is_file() and not p.is_symlink()]:
            content = self._bytes.get(path.stat().st_ino)
            if content is not None:
                path.write_bytes(content)

    def _remember(self, path):
        status = path.stat()
        if stat.S_ISREG(status.st_mode):
            self._bytes.setdefault(status.st_ino, path.read_bytes())

    def _keep(self, path):
        """A second name for what is about to go, outside."""
        if not os.path.lexists(path):
            return None
        self._count += 1
        kept = self._kept / str(self._count)
        if path.is_dir():
            kept.mkdir(mode=path.stat().st_mode & 0o777)
        else:
            os.link(path, kept)
        return kept


def _drop(path):
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _put_back(kept, path):
    if kept is None:
        return
    if kept.is_dir():
        path.mkdir(mode=kept.stat().st_mode & 0o777, exist_ok=True)
    elif path.parent.is_dir():
        path.unlink(missing_ok=True)
        os.link(kept, path)
