"""Which part of a log is new, whatever became of its file since it was read."""

import gzip
import hmac
import random
from datetime import timedelta

import pytest

from usage_stats.config import Source
from usage_stats.errors import InputError
from usage_stats.flow.content import find_logs, survey


def _digest(content):
    return hmac.new(b"", content, "sha256").hexdigest()


def _read(content, resume_at=None):
    """What is known after all of a content was read."""
    return {(len(content), _digest(content)): len(content) if resume_at is None else resume_at}


@pytest.fixture
def surveyed(tmp_path):
    """Survey a content as a file."""

    def of(content, known=None):
        (tmp_path / "a.log").write_bytes(content)
        return survey(tmp_path / "a.log", known or {})

    return of


def test_all_of_an_unknown_log_is_new(surveyed):
    """Nothing was read: reading begins at the first byte, and the digest is of all of them."""
    found = surveyed(b"one\ntwo\n")

    assert (0, 8, 8, False) == (found.resume_at, found.length, found.last_line_at, found.is_read)
    assert _digest(b"one\ntwo\n") == found.digest


def test_the_same_content_holds_nothing_new(surveyed):
    """Whatever its name: content is known by its digest."""
    assert surveyed(b"one\ntwo\n", _read(b"one\ntwo\n")).is_read


def test_growth_is_read_from_where_it_ended(surveyed):
    """The prefix relation: only what follows the known beginning is new."""
    found = surveyed(b"one\ntwo\nthree\n", _read(b"one\ntwo\n"))

    assert (8, False) == (found.resume_at, found.is_read)


def test_another_content_of_the_same_length_is_new(surveyed):
    """Length alone says nothing."""
    assert 0 == surveyed(b"one\nTWO\n", _read(b"one\ntwo\n")).resume_at


def test_a_beginning_that_changed_makes_all_of_it_new(surveyed):
    """A log cut and written anew (copytruncate) shares no prefix."""
    assert 0 == surveyed(b"four\nfive\nsix\n", _read(b"one\ntwo\n")).resume_at


def test_the_longest_known_beginning_counts(surveyed):
    """A log read three times is read on from the third."""
    known = _read(b"one\n") | _read(b"one\ntwo\n") | _read(b"zero\nzero\n")

    assert 8 == surveyed(b"one\ntwo\nthree\n", known).resume_at


def test_a_counted_line_that_had_no_newline_yet_is_passed_over(surveyed):
    """The last line was whole but for its newline, and counted: what follows of it is its newline alone."""
    found = surveyed(b"one\ntwo\nthree\n", _read(b"one\ntwo"))

    assert 8 == found.resume_at


def test_a_counted_line_that_only_got_its_newline_holds_nothing_new(surveyed):
    """There is no line after it."""
    assert surveyed(b"one\ntwo\n", _read(b"one\ntwo")).is_read


def test_a_rejected_unfinished_line_is_read_again_when_it_is_whole(surveyed):
    """It was no line when it was looked at: reading goes on at its beginning."""
    found = surveyed(b"one\ntwo three\n", _read(b"one\ntwo", resume_at=4))

    assert (4, False) == (found.resume_at, found.is_read)


def test_a_rejected_unfinished_line_alone_is_not_read_twice(surveyed):
    """Nothing was added: nothing is new."""
    assert surveyed(b"one\ntwo", _read(b"one\ntwo", resume_at=4)).resume_at in {4, 7}


def test_the_last_line_without_newline_is_found(surveyed):
    """`last_line_at` is where an unfinished line begins."""
    found = surveyed(b"one\ntwo\nthr")

    assert (8, 11) == (found.last_line_at, found.length)


def test_compression_does_not_change_the_content(tmp_path):
    """Offsets and digests are of the decompressed bytes."""
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"one\ntwo\nthree\n"))

    assert 8 == survey(tmp_path / "a.gz", _read(b"one\ntwo\n")).resume_at


def test_growth_is_found_in_logs_larger_than_a_block(surveyed):
    """Blocks are of a mebibyte: a known end may lie anywhere in one."""
    rng = random.Random(1)
    content = b"".join(b"%d\n" % rng.randrange(10**12) for _ in range(200_000))
    ends = [0, 1 << 20, (1 << 20) + 1, 2_000_003, len(content)]
    ends = [content.rfind(b"\n", 0, end) + 1 for end in ends]

    assert ends == [surveyed(content, _read(content[:end])).resume_at for end in ends]


def test_a_damaged_log_is_an_error_with_its_place(tmp_path):
    """Cut off in the middle: said with the number of whole lines, not with a line."""
    (tmp_path / "a.gz").write_bytes(gzip.compress(random.Random(1).randbytes(5000).hex().encode())[:-9])

    with pytest.raises(InputError, match=r"a\.gz: ends inside a gzip member after 0 complete lines"):
        survey(tmp_path / "a.gz", {})


def test_hidden_files_and_folders_are_no_logs(tmp_path):
    """A pattern takes files only, each once, in order."""
    (tmp_path / "logs" / "b").mkdir(parents=True)
    for name in (".hidden", "z.log", "a.log"):
        (tmp_path / "logs" / name).touch()
    found = find_logs(tmp_path, Source(logs=("logs/*", "logs/z*")))

    assert ["a.log", "z.log"] == [path.name for path in found]


# ---------------------------------------------------------------- every line counts once, by the whole journey


def _page_views(site):
    return sum(outcomes.get("page_views", 0) for outcomes in site.outcomes())


def test_two_logs_of_equal_length_are_each_read_once(site, views, noon):
    """Two different files may happen to be equally long: the second run reads neither of them again."""
    site.log("a.log", views(noon(1)))
    site.log("b.log", views(noon(2)))
    site.run(noon(2))
    second = site.run(noon(2))

    assert 0 == second.ingested.lines
    assert 30 == _page_views(site)


def test_growth_of_two_logs_of_equal_length_is_read_once(site, views, noon):
    """The same, when both have grown: only what was added is new."""
    for name, day in (("a.log", 1), ("b.log", 2)):
        site.log(name, views(noon(day)))
    site.run(noon(2))
    for name, day in (("a.log", 1), ("b.log", 2)):
        site.log(name, views(noon(day)) + views(noon(day) + timedelta(hours=1), 2))
    second = site.run(noon(2))

    assert 4 == second.ingested.lines
    assert 34 == _page_views(site)


def test_two_identical_lines_in_one_log_both_count(site, views, noon):
    """They are two requests; only a second copy of a whole content is none."""
    site.log("a.log", views(noon(1)) * 2)
    site.log("b.log", views(noon(1)) * 2)
    site.run(noon(1))

    assert 30 == _page_views(site)


def test_a_line_cut_while_it_was_written_counts_once_it_is_whole(site, views, noon):
    """It is rejected first and read again: parsed + rejected = lines in each run, and 15 page views in all."""
    content = views(noon(1))
    site.log("a.log", content[:-60])
    site.run(noon(1))
    site.log("a.log", content)
    site.run(noon(1))

    assert [14, 1] == [outcomes["page_views"] for outcomes in site.outcomes()]


def test_a_whole_line_whose_newline_comes_later_counts_once(site, views, noon):
    """It was counted without its newline; the newline brings no line."""
    content = views(noon(1))
    site.log("a.log", content[:-1])
    site.run(noon(1))
    site.log("a.log", content + views(noon(1), 3, first=50))
    site.run(noon(1))

    assert [15, 3] == [outcomes["page_views"] for outcomes in site.outcomes()]


def test_rotation_loses_and_doubles_nothing(site, views, noon):
    """Read, grown, renamed, compressed, and a new file in its place: each line counts once."""
    site.log("access.log", views(noon(1)))
    site.run(noon(1))
    whole = views(noon(1)) + views(noon(1) + timedelta(hours=1), 4)
    site.log("access.log.1.gz", gzip.compress(whole))
    site.log("access.log", views(noon(2), 7))
    site.run(noon(2))
    site.run(noon(2))

    assert 15 + 4 + 7 == _page_views(site)


def test_a_log_and_its_earlier_copy_found_together_count_once(site, views, noon):
    """Overlap within one run, the longer file first by name."""
    half = views(noon(1))
    site.log("access.log", half + views(noon(1) + timedelta(hours=1), 4))
    site.log("backup.log", half)
    site.run(noon(1))

    assert 15 + 4 == _page_views(site)


def test_logs_joined_into_one_after_they_were_read_hold_nothing_new(site, views, noon):
    """Overlap: a.log and b.log were read; all.log holds both."""
    site.log("a.log", views(noon(1)))
    site.log("b.log", views(noon(2), 8))
    site.run(noon(2))
    site.log("all.log", views(noon(1)) + views(noon(2), 8))
    site.run(noon(2))

    assert 15 + 8 == _page_views(site)
