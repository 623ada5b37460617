"""Where and why a log's data break → a sentence for the user that also knows what it means.

Belongs here: the ways in which data break, and the words for them. Does not: finding a break.
"""

from __future__ import annotations

__all__ = [
    "DATA_BREAKS",
    "Break",
    "CorruptError",
    "CutOffError",
    "CutWhileReadError",
    "UnreadableError",
    "break_of",
]


class CutOffError(Exception):
    """The data end inside the named unit."""


class CorruptError(Exception):
    """The bytes are no valid stream of the named compression."""


class CutWhileReadError(Exception):
    """The file became shorter than what was already read of it."""


class UnreadableError(Exception):
    """What the file is instead, and what to do: a sentence without its subject."""


# After these, what was read before still counts. An OSError is a disk or a network that fails.
DATA_BREAKS = (CutOffError, CorruptError, CutWhileReadError, OSError)


class Break(str):
    """A sentence, made by `break_of`: the log, the complete lines before, what broke and what to do.

    Attributes:
        ends_line: whether the data before end with a newline (or there are none): no line is cut.
        is_damage: whether bytes are wrong, not just missing. What was read before is then no sure beginning
            of the true log: lines near the damage may be invented, so it cannot be known again when the
            whole log comes.
    """

    __slots__ = ("ends_line", "is_damage")

    ends_line: bool
    is_damage: bool


def break_of(name: str, failure: Exception, *, given: int, lines: int | None, ends_line: bool) -> Break:
    """Describe a break behind `given` bytes, which hold `lines` complete lines if that could be counted."""
    after = f"after {given} bytes" if lines is None else f"after {lines} complete lines"
    match failure:
        case CutOffError():
            what = f"ends inside a {failure} {after}; the copy or the compression was cut off: copy the file again"
        case CorruptError():
            what = f"damaged {failure} data {after}; test it with `{failure} -t` and copy the file again"
        case CutWhileReadError():
            what = f"was cut while it was read, {after}; read it again, and what was cut off from its copy"
        case OSError():
            what = f"reading failed {after}: {failure.strerror}"
        case _:
            raise failure
    told = Break(f"{name}: {what}")
    told.ends_line, told.is_damage = ends_line, isinstance(failure, CorruptError)
    return told
