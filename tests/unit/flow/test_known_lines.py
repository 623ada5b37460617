"""What is remembered of lines: their fingerprints in order, what stands at the ends, and digests of sealed content."""

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from usage_stats.errors import LedgerError
from usage_stats.flow import bloom_filter as bloom_filter_module
from usage_stats.flow.alignment import closed_lines
from usage_stats.flow.ingest import ingest
from usage_stats.flow.known_lines import (
    Closed,
    FingerprintFile,
    KnownLines,
    OpenLine,
    content_seed,
    digest_of,
    known_lines,
)
from usage_stats.flow.reporter import Silent
from usage_stats.flow.seal import discard_sealed_events


def _entry(*segments, open_line=None, first=None, digest=""):
    """What a ledger entry says of fingerprints."""
    return {"segments": [list(s) for s in segments], "open_line": open_line, "first": first, "digest": digest}


def _numbers(*values):
    return np.array(values, np.uint64)


# ---------------------------------------------------------------- streams


STREAMS = st.lists(
    st.tuples(
        st.sampled_from("abc"), st.lists(st.integers(0, 6) | st.integers(2**63, 2**64 - 1), max_size=6)
    ),
    max_size=6,
)


@settings(max_examples=150)
@given(
    entries=st.lists(STREAMS, max_size=4),
    asked=st.lists(st.integers(0, 9) | st.integers(2**63, 2**64 - 1), max_size=9),
)
def test_every_line_is_found_at_every_place_where_it_stands(entries, asked):
    """In streams that go on from file to file; and no line is found that is not there."""
    known, by_hand = KnownLines(), {}
    for segments in entries:
        known.follow(
            _entry(*((s, len(values)) for s, values in segments)),
            _numbers(*(v for _, vs in segments for v in vs)),
        )
        for stream, values in segments:
            by_hand.setdefault(stream, []).extend(values)
        known.candidates(_numbers(1))  # asking in between changes nothing
    everywhere = {value for values in by_hand.values() for value in values}
    asked += sorted(everywhere)[:3]

    assert by_hand == {stream: known.stream(stream).tolist() for stream in known.streams}
    assert [n for n, value in enumerate(asked) if value in everywhere] == known.candidates(
        _numbers(*asked)
    ).tolist()
    for value in asked:
        places = [(s, n) for s, values in by_hand.items() for n, v in enumerate(values) if v == value]

        assert sorted(places) == sorted(_places(known, value))


def _places(known, value):
    return [(stream, int(at)) for stream in known.streams for at in known.places_in(stream, value)]


def test_many_lines_are_found_as_few_are(monkeypatch):
    """What rules lines out at once grows with them, and rules out no known one."""
    monkeypatch.setattr(bloom_filter_module, "_FEWEST_BITS", 1 << 6)
    rng = np.random.default_rng(1)
    lines, known = rng.integers(0, 2**64, (20, 500), np.uint64), KnownLines()
    for number, part in enumerate(lines):
        known.follow(_entry((str(number % 3), 500)), part)
        known.candidates(part)
    others = rng.integers(0, 2**64, 3000, np.uint64)

    assert list(range(10_000)) == known.candidates(lines.ravel()).tolist()
    assert [] == known.candidates(others).tolist()


def test_nothing_known_finds_nothing():
    """The first file of a source."""
    known = KnownLines()

    assert ([], [], (), ()) == (
        known.candidates(_numbers(1, 2)).tolist(),
        _places(known, 1),
        known.streams,
        known.open_lines,
    )


def test_an_open_line_stands_until_its_stream_goes_on():
    """What was cut at a stream's end is remembered, replaced by what is cut next, and gone once lines follow it."""
    known, seen = KnownLines(), []
    steps = [
        _entry(("a", 1), open_line=["a", 5, 77, None]),
        _entry(open_line=["b", 3, 88, "cut_off"]),
        _entry(open_line=["a", 9, 99, None]),
        _entry(("a", 1)),
        _entry(("b", 1), open_line=["b", 4, 11, None]),
    ]
    for step in steps:
        known.follow(step, _numbers(*range(sum(n for _, n in step["segments"]))))
        seen.append({(o.stream, o.bytes, o.fingerprint, o.reason) for o in known.open_lines})

    a, b = ("a", 5, 77, None), ("b", 3, 88, "cut_off")

    assert [{a}, {a, b}, {("a", 9, 99, None), b}, {b}, {("b", 4, 11, None)}] == seen
    assert (OpenLine("b", 4, 11, None),) == known.open_lines


# ---------------------------------------------------------------- sealed content


def test_sealed_content_is_known_by_its_first_line_and_a_digest():
    """Its fingerprints are gone: several contents may begin with the same line, and stand behind each other."""
    known = KnownLines()
    for stream, values in (("a", (1, 2, 3)), ("b", (1, 2)), ("c", (5,))):
        known.follow(
            _entry((stream, len(values)), first=values[0], digest=digest_of(_numbers(*values))), None
        )
    given = [(1, 2, 3, 9), (1, 2, 9), (1, 2, 3, 5, 1, 2), (9, 1), (1, 9)]

    assert {1: 2, 5: 1} == {first: len(found) for first, found in known.closed.items()}
    assert (Closed(5, 1, digest_of(_numbers(5)), "c"),) == known.closed[5]
    assert [(3, "a"), (2, "b"), (3 + 1 + 2, "b"), (0, None), (0, None)] == [
        closed_lines(known, _numbers(*values)) for values in given
    ]


def test_an_entry_without_lines_closes_nothing():
    """A file of which only an unfinished line was read has no first line."""
    known = KnownLines()
    known.follow(_entry(open_line=["a", 3, 7, None]), None)

    assert ({}, 1) == (known.closed, len(known.open_lines))


@given(
    values=st.lists(st.integers(0, 2**64 - 1), max_size=5),
    others=st.lists(st.integers(0, 2**64 - 1), max_size=5),
)
def test_a_digest_is_of_all_lines_in_their_order(values, others):
    """Other lines, or the same in another order, have another."""

    assert (values == others) == (digest_of(_numbers(*values)) == digest_of(_numbers(*others)))


# ---------------------------------------------------------------- on disk


def test_fingerprints_are_read_back_as_they_were_added(tmp_path):
    """In pieces, with their number, the first and the digest of all; for their owner only."""
    with FingerprintFile(tmp_path) as kept:
        for part in (_numbers(), _numbers(3, 2**64 - 1), _numbers(0)):
            kept.add(part)
    path = tmp_path / kept.name

    assert [3, 2**64 - 1, 0] == kept.read().tolist() == np.fromfile(path, np.uint64).tolist()
    assert (3, 3, digest_of(_numbers(3, 2**64 - 1, 0))) == (kept.lines, kept.first, kept.digest)
    assert (0o600, 0o700) == (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777)


def test_no_fingerprints_are_an_empty_file_or_none(tmp_path):
    """Nothing kept: no first line; what is discarded leaves nothing behind."""
    with FingerprintFile(tmp_path) as kept:
        pass
    found = (kept.read().tolist(), kept.lines, kept.first)
    kept.discard()

    assert (([], 0, None), []) == (found, list((tmp_path / "fingerprints").iterdir()))


def test_fingerprints_of_a_failed_reading_are_not_kept(tmp_path):
    """Nothing counts then, and nothing lies about."""

    def fail():
        with FingerprintFile(tmp_path) as kept:
            kept.add(_numbers(1))
            raise OSError("a disk")

    with pytest.raises(OSError, match="a disk"):
        fail()

    assert [] == list((tmp_path / "fingerprints").iterdir())


def test_two_files_of_fingerprints_never_share_a_name(tmp_path):
    """A name is drawn, and a file that is there is not written over."""
    names = {FingerprintFile(tmp_path).name for _ in range(50)}

    assert 50 == len(names)


# ---------------------------------------------------------------- of a workspace


def test_what_was_read_of_one_source_is_not_known_of_another(site, views, noon):
    """Lines are matched within their source."""
    site.log("a.log", views(noon(1)))
    ingest(site.workspace, noon(1), Silent())
    of_web, of_other = (known_lines(site.workspace, name) for name in ("web", "other"))

    assert (1, 0) == (len(of_web.streams), len(of_other.streams))
    assert [15] == [len(of_web.stream(name)) for name in of_web.streams]


def test_fingerprints_go_when_all_days_of_their_lines_are_sealed(site, views, noon):
    """A file of two days keeps them until the later is sealed; then a digest remains."""
    site.log("a.log", views(noon(1)) + views(noon(2)))
    found = []
    for day in (3, 4, 5):
        site.run(noon(day))
        known = known_lines(site.workspace, "web")
        files = list((site.root / "restricted" / "fingerprints").iterdir())
        found.append((len(files), len(known.streams), len(known.closed)))

    assert [(1, 1, 0), (1, 1, 0), (0, 0, 1)] == found


def test_leftovers_that_no_entry_names_are_removed_and_what_is_named_stays(site, views, noon):
    """A crash may leave fingerprints behind; the next run clears them away."""
    site.log("a.log", views(noon(1)))
    ingest(site.workspace, noon(1), Silent())
    folder = site.root / "restricted" / "fingerprints"
    named = set(folder.iterdir())
    (folder / "0123456789abcdef.u64").write_bytes(bytes(8))
    discard_sealed_events(site.workspace)

    assert 1 == len(named)
    assert named == set(folder.iterdir())


@pytest.mark.parametrize("damage", ["lost", "cut", "longer"])
def test_fingerprints_that_the_ledger_names_and_the_disk_has_not_stop_a_run(site, views, noon, damage):
    """Lines would count twice: an error that says which file, and what to do."""
    site.log("a.log", views(noon(1)))
    ingest(site.workspace, noon(1), Silent())
    (path,) = (site.root / "restricted" / "fingerprints").iterdir()
    content = path.read_bytes()
    path.unlink()
    if damage != "lost":
        path.write_bytes(content[:-8] if damage == "cut" else content + bytes(8))
    with pytest.raises(LedgerError, match=r"\.u64: is lost or damaged.*restore restricted/ from its backup"):
        known_lines(site.workspace, "web")


def test_a_workspace_of_an_older_version_is_told_so(site):
    """Its ledger says nothing of lines."""
    site.workspace.ingested.append({"source": "web", "lines_by_day": {}})
    with pytest.raises(LedgerError, match="was begun by an older version; begin a new workspace"):
        known_lines(site.workspace, "web")


def test_fingerprints_are_keyed(site, noon, tmp_path):
    """Without this workspace's key nobody can try lines against them; within it, the seed stays."""
    twin = site.copy(tmp_path / "twin")
    for each in (site, twin):
        opened = each.workspace
        opened.keys.at(noon(1))
        assert opened.content_key
    seeds = [content_seed(one.workspace) for one in (site, site, twin)]
    digest = hashlib.blake2b(key=site.workspace.content_key, digest_size=8).digest()

    assert seeds[0] == seeds[1] == int.from_bytes(digest, "big")
    assert seeds[0] != seeds[2]


def test_the_texts_of_lines_are_nowhere_in_what_is_remembered(site, views, noon):
    """Neither in the files of fingerprints nor in the ledger that names them."""
    site.log("a.log", views(noon(1)) + b"10.99.88.77 cut off in the mid")
    ingest(site.workspace, noon(1), Silent())
    kept = b"".join(p.read_bytes() for p in (site.root / "restricted").rglob("*") if p.is_file())

    assert b"in the mid" not in kept
    assert b"10.0.0.7" not in kept
    assert b"10.99.88.77" not in kept
