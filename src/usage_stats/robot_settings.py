"""The `robots:` section of the settings → validated, frozen choices: what is a robot's, and what is counted apart.

Belongs here: the choices a workspace has, their defaults with their reasons. Does not: any rule about agents.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Behaviour", "HealthChecks", "RobotSettings", "Rule", "Treatment"]

Treatment = Literal["robot", "person"]
# No person sits behind these, and robots must not help a figure over the minimum of persons.
Always = Literal["robot"]
Action = Literal["robot", "count"]  # `robot`: kept out of the figures; `count`: only counted apart
Rule = Literal["asks_for_robots_txt", "without_assets", "rate", "error_share"]

# Load balancers, orchestrators and their like ask for one path every few seconds.
_HEALTH_AGENTS = (
    "ELB-HealthChecker",
    "Amazon-Route53-Health-Check-Service",
    "kube-probe",
    "GoogleHC",
    "Edge Health Probe",
    "Load Balancer Agent",
    "Consul Health Check",
    "Envoy/HC",
    "HealthCheck/",
)
# Names that no page for readers bears. /health and /status are left out: sites have sections of that name.
_HEALTH_PATHS = ("/healthz", "/livez", "/readyz", "/healthcheck", "/health-check", "/_health")


class _Choices(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class HealthChecks(_Choices):
    """Requests that ask whether the server is alive: by path (patterns as in components), or by agent."""

    paths: tuple[Annotated[str, Field(pattern=r"^/")], ...] = _HEALTH_PATHS
    agents: tuple[Annotated[str, Field(min_length=3)], ...] = _HEALTH_AGENTS  # parts of agents, in any case


class Behaviour(_Choices):
    """What becomes of a visitor, for one day, who behaves like a program under a browser's name."""

    # Browsers never ask for it; awstats has judged so since 2000.
    asks_for_robots_txt: Action = "robot"
    # Nobody reads sixty pages a minute.
    rate: Action = "robot"
    # Readers with a warm cache, a text browser or a content blocker load few assets: a sign, no proof.
    without_assets: Action = "count"
    # A site with a broken link on each page makes errors for everyone: a sign, no proof.
    error_share: Action = "count"


class RobotSettings(_Choices):
    """Which classes of programs are robots, which requests are health checks, and how behaviour is judged.

    `person` counts the requests of a class as a person's, for sites where people sit behind such programs: only of
    classes of which that can be true.
    """

    search_engine: Always = "robot"
    ai: Always = "robot"
    social_preview: Always = "robot"
    scholarly: Treatment = "robot"  # reference managers; COUNTER's list has them as robots too
    archiver: Treatment = "robot"
    monitoring: Treatment = "robot"
    feed_reader: Treatment = "robot"
    scanner: Always = "robot"
    seo: Always = "robot"
    advertising: Always = "robot"
    browser_automation: Always = "robot"
    http_library: Always = "robot"
    nameless: Always = "robot"  # browsers always name themselves
    other: Always = "robot"
    health_checks: HealthChecks = HealthChecks()
    behaviour: Behaviour = Behaviour()
    # One page a second for a whole minute: tabs restored in one go come in dozens, and only once.
    maximum_rate: int = Field(default=60, ge=2)  # page views in one minute of the clock
    # A reader of ten pages loads a style sheet at least once, but for a cache filled the day before.
    without_assets_from: int = Field(default=10, ge=1)  # page views in a day
    # Below twenty requests, a mistyped link or a missing icon weighs too much.
    error_share_from: int = Field(default=20, ge=1)  # requests in a day
    # More failures than answers: the mark of who guesses addresses.
    maximum_error_share: float = Field(default=0.5, ge=0, le=1)
