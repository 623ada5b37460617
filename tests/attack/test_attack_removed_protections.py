"""The red team on partners' folders, with each protection taken out in turn: what no attack misses is not there."""

import pytest
from red_team import ATTACKS
from removed_protections import as_table, attacked, expected


@pytest.mark.slow
def test_the_red_team_finds_each_protection_that_is_taken_out(capsys):
    """Nothing while all stand, on the very sites; without any one of them, an attack that it is there to stop."""
    told = attacked()
    with capsys.disabled():
        print(f"\n{as_table(told)}")  # noqa: T201 the table is what a reader wants
    missed = [
        name for name, attacks in expected().items() if not any(told[name][attack] for attack in attacks)
    ]

    assert dict.fromkeys(ATTACKS, 0) == told["(none)"]
    assert [] == missed
