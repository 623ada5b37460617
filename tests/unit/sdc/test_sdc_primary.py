"""Which cells are sensitive, rule by rule."""

import numpy as np
import pytest

from usage_stats.errors import ConfigError, InputError
from usage_stats.sdc.cells import read_cells
from usage_stats.sdc.primary import sensitive_cells
from usage_stats.sdc.table_spec import read_table_spec

HEAD = "dimensions: {shop: {}, kind: {}}\n"
MAGNITUDE = "magnitudes: {turnover: {largest: [first, second]}}\n"
CELLS = """shop,kind,freq,networks,turnover,first,second
a,x,2,2,10,9,1
a,y,8,1,100,50,45
b,x,9,4,100,30,30
b,y,0,0,0,0,0
"""


def _sensitive(tmp_path, spec, text=CELLS):
    """Rule -> the codes of the cells that break it."""
    (tmp_path / "t.yaml").write_text(HEAD + spec)
    (tmp_path / "c.csv").write_text(text)
    read = read_table_spec(tmp_path / "t.yaml")
    cells = read_cells(tmp_path / "c.csv", read)
    found = sensitive_cells(cells, read)
    return {
        rule: {"".join(cells.layout.codes(int(c))) for c in np.flatnonzero(mask)}
        for rule, mask in found.items()
    }


@pytest.mark.parametrize(
    ("spec", "rule", "expected"),
    [
        ("rules: {minimum_persons: 3}", "minimum_persons", {"ax"}),
        ("rules: {minimum_persons: 9}", "minimum_persons", {"ax", "ay", "_Ty"}),
        ("rules: {minimum_persons: 3}\nzeros: sensitive", "zeros", {"by"}),
        ("rules: {minimum_networks: 2}\nnetworks: networks", "minimum_networks", {"ay", "_Ty"}),
        (MAGNITUDE + "rules: {dominance: {n: 2, k: 90}}", "dominance", {"ax", "ay", "_Ty"}),
        (MAGNITUDE + "rules: {dominance: {n: 1, k: 85}}", "dominance", {"ax"}),
        (MAGNITUDE + "rules: {p_percent: 11}", "p_percent", {"ax", "ay", "_Ty"}),
        (MAGNITUDE + "rules: {p_percent: 9}", "p_percent", {"ax"}),
        ("rules: {homogeneity: [kind]}", "homogeneity of kind", {"bx"}),
        ("rules: {homogeneity: [shop]}", "homogeneity of shop", {"ay"}),
    ],
)
def test_each_rule_finds_its_cells(tmp_path, spec, rule, expected):
    """Margins are judged like inner cells; an empty one is about nobody unless zeros are sensitive."""
    assert expected == _sensitive(tmp_path, spec)[rule]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("rules: {minimum_person: 3}", "minimum_person"),
        ("rules: {minimum_persons: 1}", "minimum_persons"),
        ("rules: {minimum_networks: 3}", "networks: COLUMN"),
        ("rules: {p_percent: 10}", "largest contributions"),
        ("rules: {dominance: {n: 3, k: 90}}\n" + MAGNITUDE, "3 largest"),
        ("rules: {homogeneity: [colour]}", "colour"),
        ("zeros: never", "zeros"),
        ("frequency: [", "no YAML"),
    ],
)
def test_a_wrong_specification_says_where(tmp_path, spec, message):
    """A misspelt key, a rule without its column, a value out of bounds."""
    (tmp_path / "t.yaml").write_text(HEAD + spec)

    with pytest.raises(ConfigError, match=message):
        read_table_spec(tmp_path / "t.yaml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("shop,kind,freq\na,x,1\na,x,2\n", "repeat a combination"),
        ("shop,kind,freq\na,x,1.5\n", "row 1.*whole number"),
        ("shop,kind,freq\na,x,1\nb,x,-2\n", "row 2.*whole number"),
        ("shop,kind,freq\na,x,\n", "row 1.*whole number"),
        ("shop,kind,freq\na,x,many\n", "row 1.*no number"),
        ("shop,kind,n\na,x,1\n", "no column 'freq'"),
        ("shop,kind,freq\n,x,1\n", "empty"),
    ],
)
def test_wrong_cells_are_refused_by_row(tmp_path, text, message):
    """Twice the same combination, no whole number, no such column; no count is repeated in the message."""
    with pytest.raises(InputError, match=message):
        _sensitive(tmp_path, "", text)


TWO = "magnitudes: {turnover: {largest: [first, second]}, bytes: {largest: [most, more]}}\n"


@pytest.mark.parametrize("rule", ["p_percent: 10", "dominance: {n: 1, k: 90}"])
def test_a_rule_on_sums_looks_at_each_of_them(tmp_path, rule):
    """A cell that is well mixed in one magnitude and one contributor's in the other is sensitive."""
    text = "shop,kind,freq,turnover,first,second,bytes,most,more\na,x,9,90,30,30,50,48,1\n"
    found = _sensitive(tmp_path, TWO + f"rules: {{{rule}}}", text)

    assert {"ax", "a_T", "_Tx", "_T_T"} == found[rule.partition(":")[0]]


def test_the_largest_of_a_margin_are_those_of_its_parts(tmp_path):
    """The two largest contributions to a whole may come from one part or from two."""
    text = "shop,kind,freq,turnover,first,second\na,x,9,100,60,40\nb,x,9,100,45,5\nb,y,9,100,5,5\n"
    (tmp_path / "t.yaml").write_text(HEAD + MAGNITUDE)
    (tmp_path / "c.csv").write_text(text)
    cells = read_cells(tmp_path / "c.csv", read_table_spec(tmp_path / "t.yaml"))
    of = {"".join(cells.layout.codes(c)): cells.largest["turnover"][c].tolist() for c in range(9)}

    assert ([60, 45], [45, 5], [60, 40], [60, 45]) == (of["_Tx"], of["b_T"], of["a_T"], of["_T_T"])


def test_an_empty_whole_says_nothing_of_its_parts(tmp_path):
    """Where nobody is, nobody is all in one part."""
    text = "shop,kind,freq\na,x,4\nb,x,9\nb,y,3\na,z,0\n"

    assert {"by"} == _sensitive(tmp_path, "rules: {homogeneity: [shop]}", text)["homogeneity of shop"]


def test_networks_of_a_margin_are_those_of_its_part_with_the_most(tmp_path):
    """Two parts with one network each may share it: their whole has one for sure, and no more."""
    text = "shop,kind,freq,networks\na,x,9,1\nb,x,9,1\nb,y,9,2\n"
    found = _sensitive(tmp_path, "rules: {minimum_networks: 2}\nnetworks: networks", text)

    assert {"ax", "bx", "_Tx", "a_T"} == found["minimum_networks"]


def test_an_only_part_is_not_homogeneous(tmp_path):
    """What a whole consists of entirely by its definition tells nothing of anybody."""
    text = "shop,kind,freq\na,x,4\nb,x,9\n"

    assert set() == _sensitive(tmp_path, "rules: {homogeneity: [kind]}", text)["homogeneity of kind"]
