from benchmarks.goals import GOALS, Figures, judged


def _results(ours: float, theirs: float):
    return {
        ("plain", "usage-stats"): Figures(100, ours, 1.0, 1),
        ("plain", "goaccess"): Figures(100, theirs, 1.0, 1),
    }


def _verdict(results) -> str:
    return next(line for line in judged(results) if line.startswith("plain: CPU of GoAccess"))


def test_a_ratio_at_its_limit_is_met():
    """A goal is met where the figure is at most the limit."""
    assert "plain: CPU of GoAccess 0.085 <= 0.085 met" == " ".join(_verdict(_results(8.5, 100)).split())


def test_a_ratio_above_its_limit_is_missed():
    """A goal is missed where the figure is above the limit."""
    assert "plain: CPU of GoAccess 0.086 <= 0.085 MISSED" == " ".join(_verdict(_results(8.6, 100)).split())


def test_what_was_not_measured_is_said_to_be():
    """A goal whose rival did not run is neither met nor missed."""
    assert [True] * len(GOALS) == [line.endswith("not measured") for line in judged({})]


def test_costs_per_line_are_compared_over_logs_of_different_length():
    """Four times the lines at four times the cost cost the same per line."""
    results = {
        ("plain", "usage-stats"): Figures(100, 2.0, 1.0, 1),
        ("long", "usage-stats"): Figures(400, 8.0, 1.0, 1),
    }
    found = next(line for line in judged(results) if line.startswith("long: CPU per line"))

    assert "1.000 <= 1 met" == " ".join(found.split()[-4:])
