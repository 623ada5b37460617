"""Small tables by brute force: every table of whole numbers that fits what is published, every choice of cells.

Shares no code with what it judges: sums are written out over coordinates.
"""

import itertools


def sums(shape):
    """(whole, parts) as coordinates; 0 is the total of a flat dimension."""
    for axis, length in enumerate(shape):
        others = [range(n) for i, n in enumerate(shape) if i != axis]
        for other in itertools.product(*others):
            line = [(*other[:axis], i, *other[axis:]) for i in range(length)]
            yield line[0], line[1:]


def full(shape, inner):
    """All cells from the inner ones."""
    table = {}
    for at in itertools.product(*(range(n) for n in shape)):
        below = itertools.product(*(range(1, n) if i == 0 else (i,) for i, n in zip(at, shape, strict=True)))
        table[at] = sum(inner[b] for b in below)
    return table


def intervals(shape, table, withheld, most, least=0):
    """The least and the most of each withheld cell over every table that a reader cannot rule out.

    `most` bounds inner cells where the grand total, published, does not.
    """
    inner = list(itertools.product(*(range(1, n) for n in shape)))
    hidden = [at for at in inner if at in withheld]
    if (0,) * len(shape) in withheld:
        choices = itertools.product(range(least, most + 1), repeat=len(hidden))
    else:
        choices = _summing_to(sum(table[at] for at in hidden), len(hidden), least)
    found = {}
    for values in choices:
        other = full(shape, table | dict(zip(hidden, values, strict=True)))
        if all(other[at] == table[at] for at in table if at not in withheld):
            for at in withheld:
                low, high = found.get(at, (other[at], other[at]))
                found[at] = min(low, other[at]), max(high, other[at])
    return found


def _summing_to(total, length, least):
    if length == 0:
        if total == 0:
            yield ()
        return
    for first in range(least, total + 1):
        for rest in _summing_to(total - first, length - 1, least):
            yield (first, *rest)


def is_safe(sensitive, found, persons):
    """Whether each withheld cell is surely no secret, or in doubt."""
    return all(
        (high >= persons and high - low >= persons) or (at not in sensitive and low >= persons)
        for at, (low, high) in found.items()
    )
