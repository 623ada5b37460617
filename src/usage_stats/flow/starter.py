"""A directory and perhaps a log → a commented starter workspace.

Belongs here: the words of the starter files. Does not: reading logs beyond what proposes components.
"""

from __future__ import annotations

import glob
import itertools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from usage_stats.accesslog.hit import Hit, LogFormat
from usage_stats.accesslog.read import read_lines
from usage_stats.accesslog.recognise import recognise
from usage_stats.config import DEFAULT_ASSETS, Component, Config, Thresholds, check_config
from usage_stats.deidentify.propose import propose_components
from usage_stats.durable import write_atomically
from usage_stats.errors import ConfigError

__all__ = ["write_starter"]

# Enough to see what a site consists of, read in a few seconds.
_SAMPLE_LINES = 200_000
# logrotate: a number, or a date in any spelling (dateext), behind the name; and what packed it.
_ROTATED = re.compile(r"(?P<name>.*log)(?:[.-]\d+(?:[._T-]?\d+)*)?(?:\.(?:gz|bz2|xz|zst))?", re.IGNORECASE)


def write_starter(
    directory: Path, *, logs: Sequence[Path], site: str | None = None, time_zone: str = "UTC"
) -> list[Path]:
    """Write `usage_stats.yaml`, `policy.yaml`, a JSON Schema for editors and `logs/`.

    Raises:
        ConfigError: there is a workspace already, or the names given are not allowed.
        InputError: a log cannot be read as one.
    """
    settings = directory / "usage_stats.yaml"
    if settings.exists():
        raise ConfigError(f"{settings}: is there already; choose another directory, or edit that file")
    found = list(logs) or sorted(p for p in (directory / "logs").glob("*") if p.is_file())
    formats = [recognise(log) for log in found]
    components = _propose(found, [recognised.format for recognised in formats])
    folder = re.sub(r"[^a-z0-9_-]+", "-", directory.resolve().name.lower())
    name = site or folder.lstrip("-_0123456789").rstrip("-_")[:48] or "site"
    setting = next(
        (f.setting for f in formats if f.is_inferred), "auto"
    )  # a guess is written down, to be read
    text = _settings(name, time_zone, [p.resolve() for p in logs], components, setting)
    check_config(yaml.safe_load(text), "--site or --time-zone")  # what is written must be what `run` accepts
    (directory / "logs").mkdir(parents=True, exist_ok=True)
    files = {
        "usage_stats.yaml": text,
        "policy.yaml": _POLICY,
        "usage_stats.schema.json": json.dumps(Config.model_json_schema(), indent=2) + "\n",
    }
    for file, content in files.items():
        write_atomically(directory / file, content.encode())
    return [directory / file for file in files]


def _propose(logs: Sequence[Path], formats: Sequence[LogFormat]) -> list[Component]:
    hits = itertools.chain.from_iterable(map(_hits, logs, formats))
    return propose_components(hits, DEFAULT_ASSETS, minimum_clients=Thresholds().minimum_persons)


def _hits(log: Path, log_format: LogFormat) -> Iterator[Hit]:
    parser = log_format.parser()
    lines = itertools.islice(read_lines(log), _SAMPLE_LINES)
    return (hit for line in lines if not isinstance(hit := parser.parse(line), str))


def _settings(
    site: str,
    time_zone: str,
    logs: Sequence[Path],
    components: Sequence[Component],
    log_format: str | Mapping[str, Any],
) -> str:
    patterns = sorted({f"{glob.escape(str(_unrotated(path)))}*" for path in logs}) or ["logs/*"]
    return _STARTER.format(
        site=site,
        time_zone=time_zone,
        format=json.dumps(log_format) if isinstance(log_format, Mapping) else log_format,
        logs="".join(f"\n      - {json.dumps(p)}" for p in patterns),
        components=_components(components),
    )


def _unrotated(log: Path) -> Path:
    """A log under the name that its rotated files begin with, so that those of days to come are read too.

    Only of a name that ends in `log` before the number or date: what else ends in a number may be another server's.
    """
    rotated = _ROTATED.fullmatch(log.name)
    return log.with_name(rotated["name"]) if rotated else log


def _components(components: Sequence[Component]) -> str:
    if not components:
        return '\n  - name: home\n    paths: ["/", "/index.*"]\n'
    kept = [c.model_dump(mode="json", exclude_defaults=True) for c in components]
    listed = yaml.safe_dump(kept, sort_keys=False, default_flow_style=None, width=1000)
    return "\n" + "".join(f"  {line}\n" for line in listed.splitlines())


_STARTER = """\
# yaml-language-server: $schema=./usage_stats.schema.json
# The settings of this workspace. A misspelt key is an error with a hint; every key is explained in the README.

# A short name; it appears in file names.
site: {site}
# Days, weeks and months begin at midnight of this zone.
time_zone: {time_zone}

# Measure nothing before this day, and never release the week and month it lies within.
# first_day: 2026-03-01

sources:
  - name: web
    # Read, never changed. A trailing * takes rotated files (.1, .2.gz) too: content that was read before is
    # recognised, whatever its name.
    logs:{logs}
    # With auto, it is recognised from the content. Or a name, your LogFormat / log_format string, or a map of
    # fields (README).
    format: {format}
    account: user               # the field that names who is logged in
    # cookie: visitor           # a cookie that the log carries, if any: it tells visitors apart best
    # trusted_proxies: [10.0.0.0/8]   # your load balancers: clients are found in X-Forwarded-For behind them

# The parts of the site that are counted. First rule that fits wins; ** is any rest, * is within one segment.
# What no rule names is counted as (other), and its path is never shown.
components:{components}
# Keys of the query that rules may ask for, written out: paths: ["/index.php?page=news"]. All other keys are dropped.
# query_keys: [page]

# The site's own host names: links between its pages are no visits from elsewhere. *.example.org is all below it.
# hosts: [example.org, "*.example.org"]

# A table of networks and countries, .mmdb or .csv (network,country,date). Without one, countries are not told apart.
# country_table: countries.mmdb

# What is published, one table each: by which dimensions, for which kinds of period (all that make sense, if left out),
# with which figures, for whom. Dimensions are component, sub_component; hour, weekday; referrer, browser, device,
# country, customer_group; entry_component, exit_component, visit_depth, visit_duration; visitor_type,
# visit_frequency. Figures are visitors, visits, page_views; reach, frequency, page_views_per_visit.
tables:
  components:
    dimensions: [component, sub_component]
    periods: [day, week, month]
    measures: [visitors, visits, page_views, reach, frequency, page_views_per_visit]
  # how_often:
  #   dimensions: [visit_frequency]   # the distribution of visitors by how often they came
  #   audience: analysts              # partners, if left out

# Who receives figures, in releases/<id>/. Without partners, only the analysts' file is written.
partners:
  - id: example-partner
    tables: [components]
    periods: [day, week, month]
    # formats: [csv, parquet]         # both, unless one is named
    # since: 2026-01-01               # nothing that began before
    # agreement: Contract 7           # named in each folder
    # thresholds: {{minimum_persons: 20}}  # asked for by this partner; the strictest hold for every figure

# Who is dropped before anything is derived of a line. Lists hold one value per line, as the log writes it.
# exclusions:
#   child_directed: ["/kids/**"]
#   under_13_accounts: /etc/usage_stats/children
#   opt_out_accounts: /etc/usage_stats/opt_outs
#   opt_out_cookies: /etc/usage_stats/opt_out_cookies
#   signals: [gpc, dnt]         # Sec-GPC: 1 and DNT: 1, honoured wherever the log has them

thresholds:
  minimum_persons: 10           # no figure about fewer; at least 5
  minimum_networks: 3           # nor from fewer networks: a household or an office is not a crowd
seal_after_days: 2              # how long after midnight late log lines still count
gaps: wait                      # a period with a day without log lines waits; accept: released as incomplete
# What waits is held until it is released; with this, at most so long. Read old logs before you set it.
# retention:
#   maximum_age_days: 180
"""

_POLICY = """\
# The versions of your privacy policy and what each lets usage figures be used for: internal_aggregate for the analysts'
# file, partner_aggregate for partners. The version in force on a day governs that day's figures for ever. When the
# policy changes, add a version before its first day is sealed; one that sealed days rest on must stay as it is.
versions:
  - version: "1"
    effective: 1995-01-01       # correct this to the day your policy came into force
    uses: [internal_aggregate, partner_aggregate]
    # sentences:                # quoted in refusals: what the policy says of a use, allowed or not
    #   partner_aggregate: We may provide aggregate information to our partners.
"""
