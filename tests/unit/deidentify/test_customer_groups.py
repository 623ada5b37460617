"""Which group an account is in: as the list says, or a refusal that quotes nothing of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_stats.deidentify.customer_groups import load_customer_groups
from usage_stats.errors import ConfigError
from usage_stats.table_settings import CustomerGroups

NAMES = ("gold", "silver")


@pytest.fixture
def load(tmp_path):
    """The groups of a list with this content."""

    def loaded(content, mode=0o600):
        (tmp_path / "accounts.csv").write_bytes(content)
        (tmp_path / "accounts.csv").chmod(mode)
        return load_customer_groups(CustomerGroups(accounts="accounts.csv", names=NAMES), tmp_path)

    return loaded


@pytest.mark.parametrize(
    ("account", "group"),
    [
        (b"ada", "gold"),
        (b"eve", "silver"),
        (b"a,b", "gold"),
        (b'q"q', "silver"),
        ("zoë".encode(), "gold"),
        (b"\xff\xfe", "silver"),
        (b"Ada", "(none)"),
        (b"ada ", "(none)"),
        (b"gold", "(none)"),
        (b"", "(none)"),
    ],
)
def test_an_account_is_in_the_group_that_its_row_says(load, account, group):
    """Byte for byte, blanks around the cells left out; whoever stands in no row is in none."""
    rows = '\ufeffada,gold\r\n\n  eve ,\tsilver\n"a,b",gold\n"q""q",silver\nzoë,gold\nada,gold\n'.encode()

    assert group == load(rows + b"\xff\xfe,silver").of(account)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"ada,gold\nc4n4ry,platinum\n", 2),
        (b"ada,gold\n\nc4n4ry,gold\nc4n4ry,silver", 4),
        (b"c4n4ry", 1),
        (b"ada,gold\nc4n4ry,gold,gold", 2),
        (b",c4n4ry", 1),
        (b"c4n4ry,", 1),
        (b"c4n4ry,Gold", 1),
        (b"account,group\nc4n4ry,gold", 1),
        (b'ada,gold\n"c4n4ry,gold\n', 2),
        (b'ada,gold\n"c4n4ry" x,gold\n', 2),
        (b"c4n4ry" * 30_000 + b",gold", 1),
    ],
)
def test_a_wrong_row_is_refused_by_its_number(load, content, line):
    """Another group, a second one, no account, no row at all: the line is told, and nothing that stands there."""
    with pytest.raises(ConfigError, match=rf"accounts\.csv, line {line}: ") as caught:
        load(content)

    assert "c4n4ry" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize("mode", [0o604, 0o602, 0o601, 0o666])
def test_a_list_that_is_open_to_everybody_is_refused(load, mode):
    """It names customers: the way to close it is told."""
    with pytest.raises(ConfigError, match="chmod o-rwx") as caught:
        load(b"c4n4ry,gold", mode)

    assert "c4n4ry" not in str(caught.value)


def test_a_list_that_is_missing_is_refused(tmp_path):
    """Else every customer would count as none; the setting is named."""
    with pytest.raises(ConfigError, match="customer_groups: accounts"):
        load_customer_groups(CustomerGroups(accounts="accounts.csv", names=NAMES), tmp_path)


def test_the_list_shows_nothing(load):
    """What a debugger prints of it has no account."""
    groups = load(b"c4n4ry,gold")

    assert "c4n4ry" not in f"{groups!r} {groups}"


ROWS = st.dictionaries(st.sampled_from(["ada", "eve", "kim"]), st.sampled_from(NAMES))


@given(first=ROWS, second=ROWS)
def test_lists_have_one_digest_if_and_only_if_they_say_the_same(tmp_path_factory, first, second):
    """Whatever the order of rows; and another key makes another digest."""
    digests, folder = [], tmp_path_factory.mktemp("lists")
    settings = CustomerGroups(accounts="accounts.csv", names=NAMES)
    for rows, turn in ((first, 1), (second, -1)):
        path = folder / "accounts.csv"
        path.write_text("".join(f"{account},{group}\n" for account, group in [*rows.items()][::turn]))
        path.chmod(0o600)
        groups = load_customer_groups(settings, folder)
        digests.append(groups.digest(b"k" * 32))

        assert digests[-1] != groups.digest(b"l" * 32)
    assert (first == second) == (digests[0] == digests[1])


def test_two_groups_of_one_name_are_refused():
    """Names are unique."""
    with pytest.raises(ValueError, match="gold appears twice"):
        CustomerGroups(accounts="a", names=("gold", "gold"))
