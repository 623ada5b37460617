"""Columns of fields → lines as Apache (combined), IIS (W3C extended) or nginx (JSON) writes them.

Belongs here: how one request is written down. Does not: what was requested.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import polars as pl

__all__ = ["LAYOUTS", "Layout"]

_W3C_FIELDS = (
    "date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) "
    "sc-status sc-substatus sc-win32-status sc-bytes cs-bytes time-taken"
)


@dataclass(frozen=True, slots=True)
class Layout:
    """How lines are written: pieces are fixed text or the name of a column in braces."""

    pieces: tuple[str, ...]
    time: str  # of datetime.strftime
    head: str = ""
    spaces: str = " "  # what stands for a space inside a field

    def header(self, day: datetime) -> bytes:
        return day.strftime(self.head).encode()

    def times(self, day: datetime) -> list[str]:
        """The text of every second of a day."""
        return [(day + timedelta(seconds=s)).strftime(self.time) for s in range(86_400)]

    def plain(self, values: pl.Series) -> pl.Series:
        """Values of which every byte may stand in a line of this layout."""
        return values if self.spaces == " " else values.str.replace_all(" ", self.spaces, literal=True)

    def lines(self, columns: dict[str, Any]) -> pl.Series:
        """One string per row, each ended by a line feed."""
        frame = pl.DataFrame(columns)
        if "query_or_dash" in self.pieces:
            dashed = pl.col("query").str.strip_prefix("?").replace({"": "-"})
            frame = frame.with_columns(query_or_dash=dashed)
        parts = [pl.col(p) if p in frame.columns else pl.lit(p) for p in self.pieces]
        return frame.select(pl.concat_str(parts)).to_series()


def _split(template: str) -> tuple[str, ...]:
    """`{host} - {user}` → host, " - ", user."""
    return tuple(piece for piece in template.replace("{", "\0").replace("}", "\0").split("\0") if piece)


_COMBINED = (
    '{host} - {user} [{time}] "{method} {path}{query} {protocol}" {status} {size} "{referrer}" "{agent}"\n'
)
_W3C = (
    "{time} 10.0.0.5 {method} {path} {query_or_dash} 443 {user} {host} {agent} {referrer} "
    "{status} 0 0 {size} 412 31\n"
)
_JSON = (
    '<"time_iso8601":"{time}","remote_addr":"{host}","remote_user":"{user}",'
    '"request":"{method} {path}{query} {protocol}","status":{status},"body_bytes_sent":{size},'
    '"http_referer":"{referrer}","http_user_agent":"{agent}">\n'
)

LAYOUTS: dict[str, Layout] = {
    "combined": Layout(_split(_COMBINED), "%d/%b/%Y:%H:%M:%S +0000"),
    "w3c": Layout(
        _split(_W3C),
        "%Y-%m-%d %H:%M:%S",
        head=(
            "#Software: Microsoft Internet Information Services 10.0\n#Version: 1.0\n"
            f"#Date: %Y-%m-%d 00:00:00\n#Fields: {_W3C_FIELDS}\n"
        ),
        spaces="+",
    ),
    "json": Layout(
        tuple(p.replace('<"time', '{"time').replace('">\n', '"}\n') for p in _split(_JSON)),
        "%Y-%m-%dT%H:%M:%S+00:00",
    ),
}
