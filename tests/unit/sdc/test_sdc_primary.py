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
