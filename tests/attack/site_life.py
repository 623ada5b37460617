"""Page views → a workspace through weeks of runs, with late lines, an erasure and attempts to restate.

Belongs here: what happens to the workspace, in which order. Does not: judging it.
"""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, time, timedelta

from crowded_site import Behind, lines_of, write_workspace

from usage_stats.flow.erase import execute_erasure, plan_erasure
from usage_stats.flow.reporter import Silent
from usage_stats.flow.run import run
from usage_stats.flow.workspace import open_workspace

LATECOMERS = range(9000, 9003)
NIGHT, MORNING = time(3, tzinfo=UTC), time(7, tzinfo=UTC)


class Life:
    """`snapshots`: every file of every partner after each run. `behind`: who is in what was sealed, one by one."""

    def __init__(self, root, views, first, days, *, tables, is_eventful=True, guests=0):
        self.root = write_workspace(root, tables=tables, first_day=first.isoformat())
        self.snapshots, self.refused, self._last = [], [], first + timedelta(days - 1)
        self.views = views + _again(views, first + timedelta(2), range(8000, 8000 + guests))
        for number in range(0, days, 7):
            self._write_week(first, number, days)
            self.run(datetime.combine(first + timedelta(number + 9), NIGHT))
            if is_eventful:
                self._happens(number // 7, first)
        self.run(datetime.combine(self._last + timedelta(40), NIGHT))
        self.behind = Behind(self.views)

    @property
    def releases(self):
        return self.root / "releases"

    def run(self, now):
        self.refused += run(open_workspace(self.root), now, Silent()).refused
        files = [path for path in self.releases.rglob("*") if path.is_file()]
        self.snapshots.append({str(p.relative_to(self.releases)): p.read_bytes() for p in files})

    def _write_week(self, first, number, days):
        span = {first + timedelta(n) for n in range(number, min(number + 7, days))}
        content = lines_of(view for view in self.views if view.day in span)
        (self.root / "logs" / f"{number:03}.log").write_bytes(content)

    def _happens(self, week, first):
        """After the first week people come late, after the second one goes for ever, then figures are tampered with."""
        now = datetime.combine(first + timedelta(7 * week + 9), MORNING)
        if week == 0:
            late = lines_of(_again(self.views, first + timedelta(1), LATECOMERS))
            (self.root / "logs" / "late.log").write_bytes(late)
        elif week == 1:
            self._erase(self._busiest(), now)
        else:
            self._restate(first, week)
        self.run(now)

    def _busiest(self):
        people = [view.person for view in self.views]
        return max(sorted(set(people)), key=people.count)

    def _erase(self, person, now):
        workspace, text = open_workspace(self.root), f"cookie c{person}\n".encode()
        sealed = {entry["day"] for entry in workspace.sealed.entries()}
        execute_erasure(workspace, text, now, digest=plan_erasure(workspace, text, now).digest)
        self.views = [v for v in self.views if v.person != person or v.day.isoformat() in sealed]

    def _restate(self, first, week):
        """A log of a week that is out comes again with more people, and a folder is gone from its place."""
        more = _again(self.views, first + timedelta(3), LATECOMERS)
        kept = [v for v in self.views if first <= v.day < first + timedelta(7)]
        (self.root / "logs" / f"restated-{week}.log").write_bytes(lines_of(kept + more))
        shutil.rmtree(min(self.releases.glob("*/components/*")))


def _again(views, day, people):
    """The page views of some who came on that day, once more, by others."""
    persons = sorted({view.person for view in views if view.day == day})[: len(people)]
    other = dict(zip(persons, people, strict=False))
    return [v._replace(person=other[v.person]) for v in views if v.day == day and v.person in other]
