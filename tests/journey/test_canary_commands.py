"""Whatever is typed over logs full of planted values, and however it fails, none of them is said or left anywhere."""

import gzip
import io
import json
import sys
from datetime import UTC, datetime
from types import SimpleNamespace

import planted
import pytest
import typer

from usage_stats import cli
from usage_stats.flow import ingest as flow_ingest

WEB = planted.log_of("web", 1)
GOOD = [planted.web_line(n, 1, "/", n).encode() for n in range(planted.VISITORS)]
BAD = [line.encode("latin-1") for line in planted.bad_lines(planted.web_line(planted.BAD[1], 1, "/", 5))]


class _Clock(datetime):
    """A wall clock that stands still."""

    moment = datetime(2026, 4, 4, 1, tzinfo=UTC)

    @classmethod
    def now(cls, tz=None):
        return cls.moment.astimezone(tz)


@pytest.fixture
def typed(canary, monkeypatch, capfd, caplog):
    """Type a command in the workspace: exit code and what is said, logged too; processes started are an error."""
    monkeypatch.setattr(cli, "app", typer.main.get_command(cli.app))  # made before the clock is stopped
    monkeypatch.setattr(cli, "datetime", _Clock)
    monkeypatch.chdir(canary.root)
    monkeypatch.setattr("subprocess.Popen", None)

    def command(*arguments, given=b""):
        monkeypatch.setattr(sys, "argv", ["usage-stats", *arguments])
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(given)))
        with caplog.at_level(0), pytest.raises(SystemExit) as end:
            cli.main()
        captured = capfd.readouterr()
        return end.value.code or 0, f"{captured.out}\n{captured.err}\n{caplog.text}".encode()

    return command


def _settings(root, change):
    path = root / "usage_stats.yaml"
    settings = json.loads(path.read_text())
    change(settings)
    path.write_text(json.dumps(settings))


def _add(name, content):
    return lambda canary, _: (canary.root / "logs" / name).write_bytes(content)


def _damaged():
    packed = bytearray(gzip.compress(b"\n".join(GOOD * 400)))
    packed[len(packed) // 2 : len(packed) // 2 + 40] = b"\xff" * 40
    return bytes(packed)


def _future(canary, _):
    lines = [line.replace(b"/Apr/2026", b"/Apr/2027") for line in GOOD]
    (canary.root / "logs" / "web-future").write_bytes(b"\n".join(lines))


def _unknown_format(canary, _):
    _settings(canary.root, lambda s: s["sources"][0].update(format="auto"))
    (canary.root / "logs" / "web-0").write_bytes(b"\n".join(line.replace(b'"', b"|")[::-1] for line in GOOD))


def _replaced(canary, monkeypatch):
    """Another log takes a file's place while it is read."""
    read = flow_ingest.read_file

    def replacing(unread, *args, **options):
        account = read(unread, *args, **options)
        other = unread.log.path.with_name("other")
        other.write_bytes(b"\n".join(reversed(GOOD)))
        other.replace(unread.log.path)
        return account

    monkeypatch.setattr(flow_ingest, "read_file", replacing)


def _crash(canary, monkeypatch):
    """A bug of ours whose text quotes a line."""

    def failing(*_, **__):
        raise ValueError(GOOD[0].decode())

    monkeypatch.setattr(flow_ingest, "read_file", failing)


def _open_list(canary, _):
    (canary.root.parent / "lists" / "opt_out_accounts").chmod(0o644)


FAILURES = {
    "most lines do not fit": (11, _add("web-4.log", b"\n".join(line[9:90] for line in GOOD))),
    "other columns": (11, _add("iis-4", planted.W3C_HEADER.encode() + b"\n".join(GOOD))),
    "lines in the future": (11, _future),
    "unknown format": (11, _unknown_format),
    "damaged gzip": (11, _add("web-4.gz", _damaged())),
    "damaged from the start": (11, _add("web-4.gz", b"\x1f\x8b" + GOOD[0])),
    "replaced file": (11, _replaced),
    "bug": (70, _crash),
    "open list": (10, _open_list),
    "bad key": (10, lambda c, _: _settings(c.root, lambda s: s["sources"][0].update(fromat="x"))),
    "bad format": (10, lambda c, _: _settings(c.root, lambda s: s["sources"][0].update(format="%h %l %Q"))),
    "no file": (11, lambda c, _: _settings(c.root, lambda s: s["sources"][0].update(logs=["logs/none-*"]))),
    "a file of two sources": (
        10,
        lambda c, _: _settings(c.root, lambda s: s["sources"][0].update(logs=["logs/*"])),
    ),
    "no yaml": (10, lambda c, _: (c.root / "policy.yaml").write_text("a: b: c")),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_a_failed_run_says_and_leaves_nothing(canary, typed, monkeypatch, failure):
    """The error says where and why, not whose line it was."""
    code, prepare = FAILURES[failure]
    with monkeypatch.context() as patched:
        prepare(canary, patched)
        found = [typed("run", "--json"), typed("run"), typed("status")]

    assert [code, code] == [found[0][0], found[1][0]], found[0][1][:1000]
    assert b"error: " in found[0][1]
    assert [] == canary.leaks(*(said for _, said in found))


@pytest.mark.parametrize(
    "arguments",
    [
        ("inspect", "logs/web-2.log", "logs/api-2.log", "logs/iis-2.log", "logs/web-1.log.gz", "--rejects"),
        ("inspect", "logs/api-2.log", "logs/iis-2.log", "--rejects", "--json", "--cookie", "visitor"),
        ("inspect", "logs/api-2.log", "--format", "combined", "--rejects"),
        ("inspect", "logs/web-2.log", "--format", "caddy", "--json", "--rejects"),
        ("inspect", "logs/web-2.log", "--format", planted.FORWARDED_FORMAT, "--rejects"),
        ("inspect", "bad", "odd", "header", "keys", "damaged.gz", "binary", "long", "--rejects"),
        ("inspect", "bad", "odd", "header", "keys", "damaged.gz", "binary", "long", "--json", "--rejects"),
        ("init", "new", "--log", "logs/web-2.log", "--log", "logs/api-2.log"),
        ("init", "new", "--log", "logs/iis-2.log"),
        ("init", "new", "--log", "keys"),
        ("init", "new", "--log", "odd"),
        ("run", "--stdin", "web"),
        ("run", "--stdin", "nobody"),
    ],
    ids=" ".join,
)
def test_looking_at_logs_says_and_writes_no_value(canary, typed, arguments):
    """Good ones, bad ones, odd ones: tables with names of people for columns, and JSON with such keys."""
    who = planted.person(planted.BAD[1])
    values = [value.encode() for value in who.values()]
    contents = {
        "bad": b"\n".join(BAD),
        "odd": b"\n".join(b" ; ".join([value, b"2026-04-01 10:00:00", b"200", *values]) for value in values),
        "header": b"\n".join(
            [b"\t".join([b"time", b"ip", b"status", *values]), *[b"\t".join(values * 2)] * 3]
        ),
        "keys": b"\n".join([_keyed(who)] * 20),
        "damaged.gz": _damaged(),
        "binary": bytes(range(256)) * 9 + GOOD[0] + bytes(100),
        "long": b"".join(GOOD) * 900,
    }
    given = []
    for name, content in contents.items():
        (canary.root / name).write_bytes(content)
        given.append(canary.root / name)
    _, said = typed(*arguments, given=WEB)

    assert said.strip()
    assert [] == canary.leaks(said, also_given=given)


def _keyed(who):
    """A JSON line with values for keys beside the usual ones."""
    odd = {value: {value: value} for value in who.values()}
    usual = {"time": "2026-04-01T10:00:00Z", "remote_addr": who["address"], "status": 200, "request_uri": "/"}
    return json.dumps(
        odd | usual | {f"{who['mail in path']}.status": 200, f"{who['token']}.user_agent": "x"}
    ).encode()


ERASED = planted.person(0)
BAD_INPUT = "\n".join(
    [
        ERASED["account"],
        f"acount {ERASED['account']}",
        f"account  {ERASED['account']} ",
        f"cookie {ERASED['cookie']}\tx",
        f"address {ERASED['address']}",
        f"address {ERASED['address']}:99:x y\t{ERASED['agent']}",
        f"mail {ERASED['mail in path']}",
        *[f"{value}" for value in planted.person(planted.BAD_LIST).values()],
    ]
).encode()


def test_erasing_and_purging_say_and_leave_nothing(canary, typed):
    """A plan, a wrong digest, bad lines, the deed, the same again; then purging; and runs between and behind."""
    text = "".join(
        f"account {who['account']}\ncookie {who['cookie']}\naddress {who['address']}\t{who['agent']}\n"
        for who in map(planted.person, (0, 1, 2, 5))
    ).encode()
    said = [typed("run")]
    plan = typed("erase", "--json", given=text)
    digest = json.loads(plan[1].splitlines()[0])["digest"]
    said += [
        plan,
        typed("erase", given=text),
        typed("erase", given=BAD_INPUT),
        typed("erase", given=b"\xff\0 "),
    ]
    said += [
        typed("erase", "--execute", "0" * 32, given=text),
        typed("erase", "--execute", digest, given=BAD_INPUT),
    ]
    refused = [code for code, _ in said[3:]]
    before = canary.leaks(*(text for _, text in said))
    done = typed("erase", "--execute", digest, given=text)
    again = typed("erase", "--execute", digest, given=text)
    (canary.root / "restricted" / "spill").mkdir()
    (canary.root / "restricted" / "spill" / "left.tmp").write_bytes(b"rows")
    purge = typed("purge", "--json")
    purged = typed("purge", "--execute", json.loads(purge[1].splitlines()[0])["digest"])
    said = [
        done,
        again,
        purge,
        typed("purge", "--execute", "x"),
        purged,
        typed("run"),
        typed("status", "--json"),
    ]

    assert [0, 0, 0] == [done[0], purge[0], purged[0]]
    assert [11, 11, 11, 11] == [refused[0], refused[1], refused[2], again[0]]
    assert [] == before
    assert [] == canary.leaks(*(text for _, text in said))


def test_comparing_lists_says_and_leaves_nothing(canary, typed):
    """Lists with good and bad lines; the sender's own file is what the command is for, and no other."""
    everybody = [planted.person(n)["mail in path"] for n in planted.EVERYBODY]
    everybody += [f"{n}{address}" for n in range(9) for address in everybody]
    bad = list(planted.person(planted.BAD_LIST).values())
    lists = [canary.root.parent / "ours", canary.root.parent / "theirs", canary.root.parent / "do-not-send"]
    lists[0].write_text("\n".join(everybody * 3))
    lists[1].write_text("\n".join([*everybody, *bad]))
    names = [str(path) for path in lists]
    arguments = ("compare-lists", *names[:2], "--do-not-send", names[2], "--partner", "acme")
    first = typed(*arguments)
    second = typed(*arguments, "--json")
    lists[1].write_text("\n".join(bad * 20))
    lists[2].unlink(missing_ok=True)
    third = typed(*arguments, "--json")
    wrong = typed(*arguments, "--column", "email")
    said = [first, second, third, wrong]

    assert 0 == first[0], first[1]
    assert [] == canary.leaks(*(text for _, text in said), also_given=lists)
