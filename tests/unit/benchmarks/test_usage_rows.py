import pytest

from benchmarks import month_job, usage_rows
from benchmarks.counted_site import SERIES


@pytest.mark.parametrize("series", SERIES)
def test_made_up_usage_rows_can_be_counted(tmp_path, capsys, series):
    """As many as were asked for, nearly, in files of the shape that sealing leaves."""
    (tmp_path / "spill").mkdir()
    usage_rows.main(str(tmp_path), "40000", series)
    for step in ("cells", "crowd"):
        month_job.main(step, str(tmp_path))
    rows = {int(line) for line in capsys.readouterr().out.split()}

    assert len(rows) == 1
    assert 40_000 == pytest.approx(rows.pop(), rel=0.1)
