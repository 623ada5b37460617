"""Each line of the rules and of the requirement of `sdc`, how to break it, and the test that notices.

A mutation replaces a text that stands exactly once in a module. Whoever changes a line changes its row here.
"""

from typing import NamedTuple

RULES = "tests/unit/sdc/test_sdc_primary.py::test_each_rule_finds_its_cells"
SPEC = "tests/spec/test_any_table_spec.py::"
REQUIREMENT = "tests/unit/sdc/test_sdc_requirement.py::"
ATTACK = "tests/attack/test_attack_protected_tables.py::"
COMMAND = "tests/unit/test_cli_protect.py::"


class Line(NamedTuple):
    """A line that counts: its name, the module it stands in, what is replaced by what, and the test that fails."""

    name: str
    module: str
    text: str
    instead: str
    test: str


LINES = (
    Line(
        "minimum persons: the rule",
        "primary",
        "some & (cells.counts < rules.minimum_persons)",
        "some & (cells.counts < 0)",
        RULES,
    ),
    Line(
        "minimum persons: the minimum itself may be published",
        "primary",
        "cells.counts < rules.minimum_persons",
        "cells.counts <= rules.minimum_persons",
        RULES,
    ),
    Line(
        "minimum persons: an empty cell is about nobody",
        "primary",
        "some & (cells.counts < rules.minimum_persons)",
        "cells.counts < rules.minimum_persons",
        RULES,
    ),
    Line(
        "zeros: sensitive if the specification says so",
        "primary",
        'spec.zeros == "sensitive"',
        'spec.zeros == "never"',
        SPEC + "test_an_empty_cell_is_published_unless_zeros_are_sensitive",
    ),
    Line(
        "zeros: only then",
        "primary",
        'spec.zeros == "sensitive"',
        'spec.zeros != "known"',
        SPEC + "test_an_empty_cell_is_published_unless_zeros_are_sensitive",
    ),
    Line(
        "zeros: what is known to be empty is fixed",
        "protect",
        'known = cells.counts == 0 if spec.zeros == "known" else',
        'known = cells.counts == 0 if spec.zeros == "never" else',
        SPEC + "test_known_zeros_do_not_protect",
    ),
    Line(
        "zeros: the reader who knows them takes no withheld cell for empty",
        "protect",
        'least=1 if spec.zeros == "known" else 0',
        "least=0",
        SPEC + "test_narrow_is_exposed_whether_the_cell_is_sensitive_or_not",
    ),
    Line(
        "minimum networks: the rule",
        "primary",
        "cells.networks < rules.minimum_networks",
        "cells.networks < 0",
        SPEC + "test_few_networks_are_as_bad_as_few_persons",
    ),
    Line(
        "minimum networks: the minimum itself may be published",
        "primary",
        "cells.networks < rules.minimum_networks",
        "cells.networks <= rules.minimum_networks",
        RULES,
    ),
    Line(
        "minimum networks: of a margin, those of its part with the most",
        "cells",
        "layout.with_largest(_spread(",
        "layout.with_margins(_spread(",
        "tests/unit/sdc/test_sdc_primary.py::test_networks_of_a_margin_are_those_of_its_part_with_the_most",
    ),
    Line(
        "dominance: more than the share",
        "primary",
        "largest[:, :n].sum(axis=1) > share * total",
        "largest[:, :n].sum(axis=1) > total",
        SPEC + "test_who_is_large_makes_a_cell_sensitive",
    ),
    Line(
        "dominance: of the n largest together",
        "primary",
        "largest[:, :n].sum(axis=1)",
        "largest[:, :1].sum(axis=1)",
        SPEC + "test_who_is_large_makes_a_cell_sensitive",
    ),
    Line(
        "dominance: of no more than n",
        "primary",
        "largest[:, :n].sum(axis=1)",
        "largest.sum(axis=1)",
        SPEC + "test_who_is_large_makes_a_cell_sensitive",
    ),
    Line(
        "dominance: of any magnitude",
        "primary",
        'broken["dominance"] = some & np.logical_or.reduce(parts)',
        'broken["dominance"] = some & parts[0]',
        "tests/unit/sdc/test_sdc_primary.py::test_a_rule_on_sums_looks_at_each_of_them",
    ),
    Line(
        "p %: the rule",
        "primary",
        "rest < share * largest[:, 0]",
        "rest < 0",
        SPEC + "test_who_is_large_makes_a_cell_sensitive",
    ),
    Line(
        "p %: the second largest knows its own part",
        "primary",
        "rest = total - largest[:, 0] - largest[:, 1]",
        "rest = total - largest[:, 0]",
        SPEC + "test_who_is_large_makes_a_cell_sensitive",
    ),
    Line(
        "p %: of the largest, not of the sum",
        "primary",
        "rest < share * largest[:, 0]",
        "rest < share * total",
        SPEC + "test_who_is_large_makes_a_cell_sensitive",
    ),
    Line(
        "p %: of any magnitude",
        "primary",
        'broken["p_percent"] = some & np.logical_or.reduce(parts)',
        'broken["p_percent"] = some & parts[0]',
        "tests/unit/sdc/test_sdc_primary.py::test_a_rule_on_sums_looks_at_each_of_them",
    ),
    Line(
        "largest contributions: of a margin, the largest of all parts",
        "cells",
        "-np.sort(-together, axis=-1)",
        "together",
        "tests/unit/sdc/test_sdc_primary.py::test_the_largest_of_a_margin_are_those_of_its_parts",
    ),
    Line(
        "homogeneity: the rule",
        "primary",
        "(counts[part] == counts[whole])",
        "(counts[part] > counts[whole])",
        SPEC + "test_everyone_in_one_part_is_withheld",
    ),
    Line(
        "homogeneity: not of an empty whole",
        "primary",
        "& (counts[whole] > 0)",
        "",
        "tests/unit/sdc/test_sdc_primary.py::test_an_empty_whole_says_nothing_of_its_parts",
    ),
    Line(
        "homogeneity: not of an only part, which is the whole",
        "primary",
        "if len(parts) > 1:",
        "if len(parts) > 0:",
        "tests/unit/sdc/test_sdc_primary.py::test_an_only_part_is_not_homogeneous",
    ),
    Line(
        "a cell is sensitive by any rule",
        "protect",
        "np.logical_or.reduce(list(rules.values()))",
        "next(iter(rules.values()))",
        SPEC + "test_who_is_large_makes_a_cell_sensitive",
    ),
    Line(
        "a cell records each rule that it breaks",
        "protected_file",
        'f"{before} {rule}".strip()',
        "rule",
        COMMAND + "test_a_cell_names_every_rule_that_it_breaks",
    ),
    Line(
        "a partner learns no reason",
        "protected_file",
        "if for_partner:",
        "if not for_partner:",
        COMMAND + "test_a_partner_does_not_learn_why",
    ),
    Line(
        "withheld counts are not written",
        "protected_file",
        "pl.Series(cells.counts).set(pl.Series(withheld), None)",
        "pl.Series(cells.counts)",
        COMMAND + "test_every_combination_has_a_row_and_a_status",
    ),
    Line(
        "requirement: the interval reaches the minimum",
        "requirement",
        "return high >= self.persons and high - low >= self.persons",
        "return high - low >= self.persons",
        REQUIREMENT + "test_what_is_missing_is_the_further_of_the_two",
    ),
    Line(
        "requirement: the interval is as wide as the minimum",
        "requirement",
        "return high >= self.persons and high - low >= self.persons",
        "return high >= self.persons",
        REQUIREMENT + "test_an_interval_reaches_the_minimum_and_is_as_wide",
    ),
    Line(
        "requirement: what is surely enough passes only if it is not sensitive",
        "requirement",
        "(not sensitive and low >= self.persons)",
        "low >= self.persons",
        REQUIREMENT + "test_what_is_surely_enough_need_not_be_wide_unless_sensitive",
    ),
    Line(
        "requirement: surely enough is the minimum",
        "requirement",
        "(not sensitive and low >= self.persons)",
        "not sensitive",
        REQUIREMENT + "test_the_requirement_is_made_of_every_withheld_cell",
    ),
    Line(
        "requirement: made of every cell below twice the minimum less one",
        "requirement",
        "return count < 2 * self.persons - 1",
        "return count < self.persons",
        REQUIREMENT + "test_from_twice_the_minimum_less_one_on_a_cell_needs_no_proof",
    ),
    Line(
        "requirement: the choice makes it of cells that are not sensitive",
        "problem",
        "return bool(self.sensitive[cell]) or self.requirement.is_doubtful(int(self.counts[cell]))",
        "return bool(self.sensitive[cell])",
        REQUIREMENT + "test_the_choice_proves_what_is_sensitive_and_what_could_pass_for_it",
    ),
    Line(
        "requirement: the choice makes it of sensitive cells of any size",
        "problem",
        "return bool(self.sensitive[cell]) or self.requirement.is_doubtful(int(self.counts[cell]))",
        "return self.requirement.is_doubtful(int(self.counts[cell]))",
        SPEC + "test_who_is_large_makes_a_cell_sensitive",
    ),
    Line(
        "requirement: no count falls below the least",
        "problem",
        "np.maximum(self.counts - self.requirement.least, 0)",
        "np.maximum(self.counts, 0)",
        REQUIREMENT + "test_an_empty_cell_that_all_know_is_never_chosen",
    ),
    Line(
        "requirement: what all know does not move",
        "problem",
        "np.where(self.fixed, 0, room)",
        "room + self.fixed",
        REQUIREMENT + "test_an_empty_cell_that_all_know_is_never_chosen",
    ),
    Line(
        "audit: made of cells that are not known to be sensitive too",
        "audit",
        "surely = not self._sensitive[cell] and not self._requirement.is_doubtful(high)",
        "surely = not self._sensitive[cell]",
        REQUIREMENT + "test_the_requirement_is_made_of_every_withheld_cell",
    ),
    Line(
        "audit: a cell known to be sensitive is wide, whatever its size",
        "audit",
        "surely = not self._sensitive[cell] and not self._requirement.is_doubtful(high)",
        "surely = not self._requirement.is_doubtful(high)",
        REQUIREMENT + "test_a_cell_known_to_be_sensitive_is_not_saved_by_its_size",
    ),
    Line(
        "audit: of withheld cells, nothing is looked at",
        "audit",
        "np.where(view.withheld[view.sums.cells], 0.0, view.counts[view.sums.cells] * view.sums.value)",
        "view.counts[view.sums.cells] * view.sums.value",
        REQUIREMENT + "test_what_stands_at_a_withheld_cell_is_not_looked_at",
    ),
    Line(
        "audit: no count is below the least",
        "audit",
        "np.full(len(part), float(self._requirement.least))",
        "np.zeros(len(part))",
        REQUIREMENT + "test_a_reader_who_takes_no_withheld_cell_for_empty_starts_at_one",
    ),
    Line(
        "audit: counts are whole",
        "audit",
        "found = found if seen == bound else points.extreme(at, direction, whole=True)",
        "pass",
        "tests/unit/sdc/test_sdc_whole_numbers.py::test_counts_are_whole",
    ),
    Line(
        "audit: published sums add up",
        "audit",
        "if np.any(missing[~is_open] != 0):",
        "if False:",
        REQUIREMENT + "test_published_sums_must_add_up",
    ),
    Line(
        "audit: a claimed move keeps every sum",
        "audit",
        "return bool(np.all(view.sums.residues(moved) == 0))",
        "return True",
        ATTACK + "test_false_proofs_are_not_believed",
    ),
    Line(
        "audit: a claimed move leaves no count below the least",
        "audit",
        "or (truth[cells] + steps < least).any()",
        "",
        ATTACK + "test_false_proofs_are_not_believed",
    ),
    Line(
        "audit: a claimed move leaves published cells alone",
        "audit",
        "not view.withheld[cells].all()",
        "False",
        ATTACK + "test_false_proofs_are_not_believed",
    ),
    Line(
        "audit: a claimed move is of whole steps",
        "audit",
        "or np.any(steps != np.round(steps))",
        "",
        ATTACK + "test_false_proofs_are_not_believed",
    ),
    Line(
        "audit: the truth that moves start from is the published one",
        "audit",
        "if not _fits(self._view, truth, self._requirement.least):",
        "if False:",
        ATTACK + "test_moves_from_another_table_prove_nothing",
    ),
    Line(
        "nothing is written that the audit does not pass",
        "protect",
        "if not report.passed:",
        "if False:",
        COMMAND + "test_nothing_is_written_where_it_cannot_be_protected",
    ),
    Line(
        "a file with a cell missing is no table",
        "protected_file",
        "if len(at) < layout.size:",
        "if False:",
        COMMAND + "test_a_file_that_is_no_protected_table_is_refused",
    ),
    Line(
        "a file with an unknown status is no table",
        "protected_file",
        'if unknown := set(frame["status"].unique()) - {*_WITHHELD, *_GIVEN}:',
        "if unknown := set():",
        COMMAND + "test_a_file_that_is_no_protected_table_is_refused",
    ),
    Line(
        "a count at a withheld cell, or none at a published one, is no table",
        "protected_file",
        "if (hidden != frame[spec.frequency].is_null()).any():",
        "if False:",
        COMMAND + "test_a_file_that_is_no_protected_table_is_refused",
    ),
)
