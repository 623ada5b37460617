"""What the tests of the models share."""

import polars as pl
import pytest
from invented_events import CATEGORIES


@pytest.fixture
def category():
    """The categories as the frame that the models read."""
    return pl.DataFrame(CATEGORIES, schema=["component", "sub_component"], orient="row")
