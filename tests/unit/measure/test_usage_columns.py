import pyarrow as pa
import pytest

from usage_stats.measure import usage_columns
from usage_stats.measure.usage_columns import places_of

PLACES = {("shop", "_T", ""): 0, ("shop", "basket", ""): 1, ("shop", "_T", "device=phone"): 2}


@pytest.mark.parametrize("few", [0, 1 << 16])
def test_every_row_has_the_place_of_its_category(monkeypatch, few):
    """Whether combinations of words are few or many; -1 for what nobody asks for, also where a word is missing."""
    monkeypatch.setattr(usage_columns, "_FEW", few)
    rows = [
        *PLACES,
        ("news", "_T", ""),
        ("shop", "basket", "device=phone"),
        (None, "_T", ""),
        ("shop", "_T", ""),
    ]
    columns = [pa.array(column, pa.string()).dictionary_encode() for column in zip(*rows, strict=True)]
    table = pa.table(dict(zip(usage_columns.CATEGORY, columns, strict=True)))

    assert [0, 1, 2, -1, -1, -1, 0] == places_of(table, PLACES).tolist()


def test_no_rows_have_no_places():
    """A slice of which a file holds nothing."""
    empty = pa.table(
        {name: pa.array([], pa.dictionary(pa.int32(), pa.string())) for name in usage_columns.CATEGORY}
    )

    assert [] == places_of(empty, PLACES).tolist()
