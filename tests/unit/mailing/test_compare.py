import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_stats.mailing.address_list import AddressList
from usage_stats.mailing.compare import compare

SPELLINGS = ("{}@x.example", "{}@X.EXAMPLE", " <{}@x.example>", "Mr {0} <mailto:{0}@x.example>")
LISTS = st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from(SPELLINGS)), max_size=12)


def _file(folder, name, lines):
    path = folder / name
    path.write_text("".join(f"{line}\n" for line in lines))
    return AddressList(path)


@given(ours=LISTS, theirs=LISTS)
def test_the_overlap_is_that_of_a_loop_over_all_pairs(tmp_path_factory, ours, theirs):
    """Each of ours that any of theirs equals, whatever the spelling of either."""
    folder = tmp_path_factory.mktemp("lists")
    found = compare(
        *(
            _file(folder, name, [spelt.format(who) for who, spelt in entries])
            for name, entries in (("ours", ours), ("theirs", theirs))
        )
    )
    both = {a for (a, _), (b, _) in itertools.product(ours, theirs) if a == b}

    assert (len({a for a, _ in ours}), len({a for a, _ in theirs})) == (found.ours, found.theirs)
    assert len(both) == found.overlap
    assert both == {written[0] for written in found.on_both}


def test_the_sender_gets_its_own_spelling_without_names(tmp_path):
    """In the order of our list, each spelling once; what stands around an address is left out."""
    ours = ["Zoe <Zoe@X.example>", "ann@x.example", "mailto:bob@x.example", "ANN@x.example", "ann@x.example"]
    theirs = ["ANN@X.EXAMPLE", "zoe@x.example", "carl@x.example"]
    found = compare(_file(tmp_path, "ours", ours), _file(tmp_path, "theirs", theirs))

    assert ("Zoe@X.example", "ann@x.example", "ANN@x.example") == found.on_both


def test_digests_of_two_comparisons_have_nothing_in_common(tmp_path, monkeypatch):
    """Each comparison makes a key of 256 bits of its own."""
    keys = []
    real = compare.__globals__["hashlib"].blake2b

    def spied(*arguments, key, **options):
        keys.append(key)
        return real(*arguments, key=key, **options)

    monkeypatch.setattr("usage_stats.mailing.compare.hashlib.blake2b", spied)
    for _ in range(2):
        compare(_file(tmp_path, "ours", ["a@x.example"]), _file(tmp_path, "theirs", ["a@x.example"]))

    assert [32, 32] == [len(key) for key in keys]
    assert keys[0] != keys[1]


@pytest.mark.parametrize("shown", [repr, str])
def test_a_comparison_shows_no_address(tmp_path, shown):
    """What a debugger or an error prints says nothing."""
    lists = [_file(tmp_path, name, ["canary@x.example"]) for name in ("ours", "theirs")]

    assert "canary" not in shown(compare(*lists))
    assert not [found for found in lists if "canary" in shown(found)]
