"""`python -m benchmarks.protect [CELLS...]`: made-up tables like a web site's, protected: time, loss and gap by size.

Belongs here: measuring. Does not: judging. Time to choose is CPU time: a busy machine must not change the choice.
"""

import multiprocessing
import resource
import sys
import time

import numpy as np

from usage_stats.sdc.audit import View, audit
from usage_stats.sdc.dimension import Dimension, dimension_of
from usage_stats.sdc.problem import Problem, weights
from usage_stats.sdc.relations import Ints, Layout
from usage_stats.sdc.requirement import Requirement
from usage_stats.sdc.secondary import choose

# cells -> periods, components, sub-components of each, countries, devices, seconds to choose in
SIZES = {
    100: (2, 2, 2, 0, 4, 10),
    1_000: (4, 3, 2, 4, 3, 10),
    10_000: (12, 6, 3, 7, 3, 120),
    100_000: (26, 10, 4, 17, 3, 480),
}
MEAN = 10  # persons in an inner cell; half of these have fewer than five
_SEED = 20_260_301


def main() -> None:
    """Print a line per size and threshold, each measured in a process of its own."""
    sizes = [int(word) for word in sys.argv[1:]] or list(SIZES)
    print("  cells  k primary  secondary persons weight  bound   gap choose s (CPU) audit s peak MB exposed")  # noqa: T201 the report
    for size in sizes:
        for persons in (5, 10):
            process = multiprocessing.get_context("spawn").Process(target=measure, args=(size, persons))
            process.start()
            process.join()


def measure(size: int, persons: int) -> None:
    """Print the line of one table."""
    problem = made_up(size, persons)
    begun, cpu = time.monotonic(), time.process_time()
    choice = choose(problem, seconds=SIZES[size][-1], clock=time.process_time)
    chosen, cpu = time.monotonic(), time.process_time() - cpu
    view = View(problem.counts, choice.withheld, problem.sensitive, problem.sums)
    report = audit(view, problem.requirement, claims=choice.moves, truth=problem.counts)
    audited = time.monotonic()
    further = choice.withheld & ~problem.sensitive
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(  # noqa: T201 the report
        f"{problem.layout.size:7,} {persons:2} {problem.sensitive.sum():7,} {further.sum():10,} "
        f"{problem.counts[further].sum():7,} {choice.weight:6,.0f} {choice.bound:6,.0f} {choice.gap:5.0%} "
        f"{chosen - begun:8.1f} ({cpu:4.0f}) {audited - chosen:7.1f} {peak:7.0f} {report.exposed.sum():7}",
        flush=True,
    )


def made_up(size: int, persons: int) -> Problem:
    """Periods, components, countries and devices, the popular ones by Zipf's law; the same each time."""
    periods, components, each, countries, devices, _ = SIZES[size]
    flat = {"period": periods, "country": countries, "device": devices}
    dimensions = [_flat(name, n) for name, n in flat.items() if n]
    dimensions.insert(1, _tree(components, each))
    layout = Layout(tuple(dimensions))
    counts = layout.with_margins(_inner(layout)).astype(np.int64)
    sensitive = (counts > 0) & (counts < persons)
    none = np.zeros(layout.size, dtype=bool)
    return Problem(layout, counts, sensitive, weights(counts, "information"), Requirement(persons), none)


def _flat(name: str, number: int) -> Dimension:
    return dimension_of(name, (), [f"{name} {i:02}" for i in range(number)])


def _tree(components: int, each: int) -> Dimension:
    edges = [(f"/{i:02}/", f"/{i:02}/{j:02}/") for i in range(components) for j in range(each)]
    return dimension_of("component", [edges], [leaf for _, leaf in edges])


def _inner(layout: Layout) -> Ints:
    random = np.random.default_rng(_SEED)
    popular = np.ones(1)
    for dimension in layout.dimensions:
        rank = np.arange(1, dimension.leaf_count + 1)
        steep = 0.3 if dimension.name == "period" else 1.0
        popular = np.multiply.outer(popular, random.permutation(1 / rank**steep))
    popular = popular.ravel() / popular.mean() * MEAN
    inner: Ints = random.poisson(popular * random.gamma(2.0, 0.5, popular.shape)).astype(np.int64)
    return inner


if __name__ == "__main__":
    main()
