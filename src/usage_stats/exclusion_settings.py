"""The `exclusions:` section of the settings → validated, frozen choices: whose requests are never counted.

Belongs here: the choices a workspace has, their defaults with their reasons. Does not: the lists' contents.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["ExclusionSettings", "Signal"]

Signal = Literal["gpc", "dnt"]


class ExclusionSettings(BaseModel):
    """Whose requests are dropped before anything is derived of them.

    Lists are files of one value per line, as the server logs it; paths are relative to the workspace.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    # Paths for children (patterns as in components): nobody's visits there are counted.
    child_directed: tuple[Annotated[str, Field(pattern=r"^/")], ...] = ()
    under_13_accounts: str | None = None
    opt_out_accounts: str | None = None
    opt_out_cookies: str | None = None
    # Sec-GPC: 1 is an opt-out by law in some places, DNT: 1 the older wish; honoured wherever the log has them.
    signals: tuple[Signal, ...] = ("gpc", "dnt")
