from datetime import date

import pytest

from usage_stats.synthetic.generate import generate

LINES = 20_000


@pytest.fixture(scope="session")
def generated(tmp_path_factory):
    """Ten days around the change to summer time and the end of a month."""
    return generate(
        tmp_path_factory.mktemp("generated"), seed=7, first_day=date(2026, 3, 25), days=10, lines=LINES
    )
