import os
import stat

import pytest

from usage_stats.errors import InputError
from usage_stats.flow import private_file
from usage_stats.flow.private_file import write_private


@pytest.fixture(
    params=["unnamed", "beside"], ids=["without a name first", "where the file system has no such files"]
)
def way(request, monkeypatch):
    """Both ways in which the file comes to its place."""
    if request.param == "beside":
        monkeypatch.setattr(private_file, "_unnamed", lambda _: None)


@pytest.mark.parametrize("umask", [0o000, 0o077, 0o777])
def test_a_file_is_whole_and_its_owners_alone(way, tmp_path, umask):
    """Its bytes, 0600 under any umask, nothing beside it."""
    before = os.umask(umask)
    try:
        write_private(tmp_path / "list", b"a\n" * 100_000)
    finally:
        os.umask(before)

    assert b"a\n" * 100_000 == (tmp_path / "list").read_bytes()
    assert 0o600 == stat.S_IMODE((tmp_path / "list").stat().st_mode)
    assert ["list"] == [p.name for p in tmp_path.iterdir()]


def test_what_comes_into_its_place_meanwhile_is_not_replaced(way, tmp_path, monkeypatch):
    """A file made between the check and the writing stays; the error says so, and nothing is left beside it."""
    (tmp_path / "list").write_bytes(b"mine")
    monkeypatch.setattr(private_file, "check_place", lambda *_: True)
    with pytest.raises(InputError, match="cannot be written: File exists"):
        write_private(tmp_path / "list", b"other")

    assert b"mine" == (tmp_path / "list").read_bytes()
    assert ["list"] == [p.name for p in tmp_path.iterdir()]


def test_a_disk_that_is_full_leaves_nothing(way, tmp_path, monkeypatch):
    """No half of a list, under no name."""

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(private_file.os, "write", full)
    with pytest.raises(InputError, match="No space left on device"):
        write_private(tmp_path / "list", b"other")
    monkeypatch.undo()

    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", ["link", "dangling link", "folder", "pipe"])
def test_what_is_no_file_is_refused(way, tmp_path, kind):
    """A link is not followed, not even to the same bytes; a pipe is not waited for."""
    place = tmp_path / "list"
    (tmp_path / "same").write_bytes(b"x")
    if kind == "folder":
        place.mkdir()
    elif kind == "pipe":
        os.mkfifo(place)
    else:
        place.symlink_to(tmp_path / ("same" if kind == "link" else "none"))
    with pytest.raises(InputError, match="is there already"):
        write_private(place, b"x")


def test_a_missing_folder_is_not_made(tmp_path):
    """Only where the user said, and nowhere else."""
    with pytest.raises(InputError, match="no such directory"):
        write_private(tmp_path / "none" / "list", b"x")

    assert [] == list(tmp_path.iterdir())
