import bz2
import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_stats.errors import InputError
from usage_stats.mailing.address_list import AddressList

THREE = ["a@x.example", "b@x.example", "c@x.example"]


@pytest.fixture
def read(tmp_path):
    """Keys read from a file of the given bytes, and the list that read it."""

    def _read(content, column=None):
        path = tmp_path / "list"
        path.write_bytes(content)
        found = AddressList(path, column)
        return [address.key for address in found.addresses()], found

    return _read


@pytest.mark.parametrize(
    "content",
    [
        b"a@x.example\nb@x.example\nc@x.example\n",
        b"a@x.example\nb@x.example\nc@x.example",
        b"a@x.example\r\nb@x.example\r\nc@x.example\r\n",
        b"\xef\xbb\xbfa@x.example\nb@x.example\nc@x.example\n",
        b"# ours\n\na@x.example\n   \n\tb@x.example\n  # or theirs\nc@x.example\n\n",
        gzip.compress(b"a@x.example\nb@x.example\nc@x.example\n"),
        bz2.compress(b"a@x.example\nb@x.example\nc@x.example\n"),
    ],
    ids=["plain", "no end", "CRLF", "BOM", "blank and comments", "gzip", "bzip2"],
)
def test_a_list_is_read_however_it_is_stored(read, content):
    """One entry per line, whatever ends lines and packs the file; blank lines and comments are none."""
    keys, found = read(content)

    assert THREE == keys
    assert (3, 3, {}) == (found.entries, found.valid, found.invalid)


@pytest.mark.parametrize(
    "content",
    [
        b"name,email\nA,a@x.example\nB,b@x.example\nC,c@x.example\n",
        b"name;E-Mail;email\nA;z@z.example;a@x.example\nB;;b@x.example\nC;;c@x.example\n",
        b'email\tname\r\na@x.example\tA\r\n"b@x.example"\tB\r\nc@x.example\tC\r\n',
        b'\xef\xbb\xbf"Name","EMAIL"\n"A, B","a@x.example"\n"B ""b""",b@x.example\nC,c@x.example\n',
        b"email\na@x.example\nb@x.example\nc@x.example\n",
        b"a@x.example\nb@x.example\nc@x.example\n",
    ],
    ids=["comma", "semicolon", "tab", "quoted", "one column", "no header: a plain list"],
)
def test_a_column_is_found_by_its_header(read, content):
    """Any usual delimiter; a file whose first line holds an @ has no header."""

    assert THREE == read(content, "email")[0]


def test_lines_without_an_address_are_counted_and_located(read):
    """By reason and first line; nothing of them is kept."""
    keys, found = read(
        b"a@x.example\nwho\nb@x.example\nc@x.example\nd@nowhere\n\xff@x.example\nx\n" + b"e@x.example\n"
    )

    assert [*THREE, "e@x.example"] == keys
    assert {"no_at_sign": 2, "domain": 1, "encoding": 1} == dict(found.invalid)
    assert {"no_at_sign": 2, "domain": 5, "encoding": 6} == found.first_line
    assert found.entries == found.valid + found.invalid.total()


def test_a_row_that_ends_before_the_column_is_counted(read):
    """Such a row holds no address."""
    keys, found = read(b"name,email\nA,a@x.example\nB\n", "email")

    assert ["a@x.example"] == keys
    assert {"short_row": 1} == dict(found.invalid)


@pytest.mark.parametrize(
    ("content", "column", "words"),
    [
        (b"name,mail\nA,a@x.example\n", "email", "line 1 is no header with exactly one column"),
        (b"email,email\na@x.example,b@x.example\n", "email", "line 1 is no header with exactly one column"),
        (b'name,email\n"A\nB",a@x.example\n', "email", "line 2: its quotation marks do not match"),
        (b"name,email\nA,a@x.example\nB,b@x.example\n", None, "name the column with --column"),
        ("a@x.example\n".encode("utf-16"), None, "is UTF-16"),
        (b"secret\nhidden\na@x.example\n", None, "2 of 3 lines hold no e-mail address (2 no_at_sign)"),
        (gzip.compress(b"a@x.example\n" * 9000)[:-20], None, "ends inside a gzip member"),
    ],
)
def test_half_a_list_is_no_list(read, content, column, words):
    """An opt-out that is not understood would not be honoured: nothing is compared, nothing is shown."""
    with pytest.raises(InputError) as refused:
        read(content, column)

    assert words in str(refused.value)
    assert not [word for word in ("example", "secret", "hidden", "mail,") if word in str(refused.value)]


def test_what_is_missing_is_named(tmp_path):
    """The path, and what to do."""
    with pytest.raises(InputError, match="no such file"):
        list(AddressList(tmp_path / "none").addresses())


@given(content=st.binary(max_size=200), column=st.none() | st.just("a"))
def test_any_bytes_are_read_or_refused(tmp_path_factory, content, column):
    """Every entry is counted once; what is refused is an InputError."""
    path = tmp_path_factory.mktemp("any") / "list"
    path.write_bytes(content)
    found = AddressList(path, column)
    try:
        keys = [address.key for address in found.addresses()]
    except InputError:
        return

    assert found.entries == len(keys) + found.invalid.total()
