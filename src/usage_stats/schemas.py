"""The shapes of what lies in the restricted store between stages.

Belongs here: columns and types of events. Does not: making or reading them.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

__all__ = ["EMAIL_OPENS", "PAGE_VIEWS", "VISITORS", "page_views_with"]

_WORD = pa.dictionary(pa.int32(), pa.string())
_COUNT = pa.int32()

# One row per page view of one day. Person and network are pseudonyms under the week's key.
PAGE_VIEWS = pa.schema(
    [
        pa.field("viewed_at", pa.timestamp("s", "UTC"), nullable=False),
        pa.field("person", pa.uint64(), nullable=False),
        pa.field("network", pa.uint64(), nullable=False),
        pa.field("component", _WORD, nullable=False),
        pa.field("sub_component", _WORD),  # null where the component defines none
    ]
)


def page_views_with(attributes: Sequence[str]) -> pa.Schema:
    """`PAGE_VIEWS`, and a word for each of these attributes (names of `EVENT_ATTRIBUTES`)."""
    return pa.schema([*PAGE_VIEWS, *(pa.field(name, _WORD, nullable=False) for name in attributes)])


# One row per opened e-mail of one day, as often as it was opened. The recipient is a pseudonym under the month's key
# alone, null where the request names none; nothing of the request's address, agent or time is beside it.
EMAIL_OPENS = pa.schema(
    [
        pa.field("recipient", pa.uint64()),
        pa.field("campaign", _WORD, nullable=False),
        pa.field("open_class", _WORD, nullable=False),
    ]
)

# One row per person and network of one day, of one batch of lines: who they are in the month, and what they asked for
# in all, page views or not. Requests of robots, as far as their user agent tells, are left out.
VISITORS = pa.schema(
    [
        pa.field("person", pa.uint64(), nullable=False),
        pa.field("network", pa.uint64(), nullable=False),
        pa.field("month_person", pa.uint64(), nullable=False),
        pa.field("month_network", pa.uint64(), nullable=False),
        pa.field("identity_basis", _WORD, nullable=False),  # account, cookie or address
        pa.field("requests", _COUNT, nullable=False),
        pa.field("page_views", _COUNT, nullable=False),
        pa.field("assets", _COUNT, nullable=False),
        pa.field("errors", _COUNT, nullable=False),
        pa.field("asks_robots_txt", _COUNT, nullable=False),
    ]
)
