"""Work done → a bar for a person at a terminal, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.filesize import decimal
from rich.progress import (
    BarColumn,
    Progress,
    Task,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.text import Text

from usage_stats.flow.reporter import Reporter, Silent

__all__ = ["Bars", "bars", "terminal_bars", "terminal_note"]


class Bars:
    """One bar per stage."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task: TaskID | None = None

    def start(self, stage: str, total: int, *, is_bytes: bool = False) -> None:
        """Open a new bar, if there is anything to do."""
        self._task = self._progress.add_task(stage, total=total, is_bytes=is_bytes) if total else None

    def advance(self, steps: int) -> None:
        """Move the bar."""
        if self._task is not None:
            self._progress.advance(self._task, steps)


class _Rate(TransferSpeedColumn):
    """Bytes a second, of stages that count bytes."""

    def render(self, task: Task) -> Text:
        """The rate, or nothing; in the end, that of the whole stage: of a small log, the last steps take no time."""
        if not task.fields.get("is_bytes"):
            return Text()
        if not task.finished or not task.finished_time:
            return super().render(task)
        overall = int(task.completed / task.finished_time)
        return Text(f"{decimal(overall)}/s", style="progress.data.speed")


@contextmanager
def bars(console: Console) -> Iterator[Reporter]:
    """Bars on a console while the block runs."""
    columns = (
        TextColumn("{task.description:<22}"),
        BarColumn(bar_width=36),
        TaskProgressColumn(),
        TimeRemainingColumn(compact=True, elapsed_when_finished=True),
        _Rate(),
    )
    with Progress(*columns, console=console) as progress:
        yield Bars(progress)


@contextmanager
def terminal_bars() -> Iterator[Reporter]:
    """Bars on standard error if a person watches it, else nothing: for commands whose output is read by others."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield Silent()
        return
    with bars(console) as reporter:
        yield reporter


@contextmanager
def terminal_note() -> Iterator[Callable[[str, int, int], None]]:
    """One bar whose words change (what, how far, of how much), on standard error if a person watches it."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda *_: None
        return
    columns = (TextColumn("{task.description:<40}"), BarColumn(bar_width=36), TaskProgressColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("choosing", total=None)

        def note(words: str, done: int, total: int) -> None:
            progress.update(task, description=words, completed=done, total=total)

        yield note
