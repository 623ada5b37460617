"""Who may import whom: an AST walk over src/ and pipelines/, and what a bare import costs."""

import ast
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src"

# In the order in which they may build on each other.
FOUNDATIONS = (
    "errors",
    "durable",
    "ledger",
    "periods",
    "dimensions",
    "component_settings",
    "robot_settings",
    "exclusion_settings",
    "email_settings",
    "generalisation_settings",
    "retention_settings",
    "table_settings",
    "partner_settings",
    "config",
    "policy",
    "schemas",
    "sqlmodel",
)
IDENTIFIED = {"accesslog", "deidentify", "mailing"}
COUNTED = {"measure", "protect", "release"}
MAY_IMPORT = {
    **{name: set(FOUNDATIONS[:n]) for n, name in enumerate(FOUNDATIONS)},
    "accesslog": set(FOUNDATIONS),
    "deidentify": {"accesslog", *FOUNDATIONS},
    "mailing": {"accesslog", *FOUNDATIONS},
    "measure": set(FOUNDATIONS),
    "protect": {"measure", *FOUNDATIONS},
    "release": {"measure", "protect", *FOUNDATIONS},
    "sdc": {"errors", "ledger"},
    "flow": {*IDENTIFIED, *COUNTED, *FOUNDATIONS, "sdc", "version"},
    "synthetic": {"config", "errors"},
    "cli": {"flow", "errors", "table_commands", "cli_releases", "version"},
    "table_commands": {"flow", "errors"},
    "cli_releases": {"flow", "errors"},
    "__main__": {"cli"},
    "version": set(),
    "pipelines": {"flow", "errors"},
}
# Beyond the table, and only inside the one function named.
INSIDE_FUNCTIONS = {
    ("cli.inspect", "accesslog"): "one log is looked at without a workspace, and nothing is written",
    ("cli.inspect", "deidentify"): "the same, to tell robots from people",
    ("cli.generate", "synthetic"): "made-up logs touch no stage of the pipeline",
}
# Third parties that only one place may know.
ONLY_IN = {
    "dagster": "pipelines/",
    "highspy": ("src/usage_stats/protect/solver.py", "src/usage_stats/sdc/linear.py"),
    "numba": "src/usage_stats/accesslog/",  # the compiled loops, which large logs alone pay for
    "vl_convert": "src/usage_stats/release/report/vega.py",  # an engine of 100 MB of memory
    "jinja2": "src/usage_stats/release/report/page.py",
    "duckdb": ("src/usage_stats/sqlmodel.py", "src/usage_stats/release/analysts_"),
}
SYNTHETIC_MAY_USE = {"OTHER", "TOTAL"}  # constants of config, no setting
HEAVY = (
    "polars",
    "duckdb",
    "pyarrow",
    "highspy",
    "dagster",
    "numba",
    "numpy",
    "pandera",
    "vl_convert",
    "jinja2",
)
LIGHT = ("usage_stats", "usage_stats.errors", "usage_stats.cli")


class Import(NamedTuple):
    """One imported name: by which file and function, from which module."""

    path: Path
    function: str | None
    module: str
    name: str | None
    line: int

    @property
    def place(self):
        return f"{self.path.relative_to(ROOT)}:{self.line}"


def _files():
    return sorted([*SRC.rglob("*.py"), *(ROOT / "pipelines").rglob("*.py")])


def _imports(path):
    return list(_walk(path, ast.parse(path.read_text(encoding="utf-8")), None))


def _walk(path, node, function):
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (Import(path, function, a.name, None, child.lineno) for a in child.names)
        elif isinstance(child, ast.ImportFrom):
            module = "." * child.level + (child.module or "")
            yield from (Import(path, function, module, a.name, child.lineno) for a in child.names)
        else:
            inner = child.name if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) else None
            yield from _walk(path, child, function or inner)


def _all_imports():
    return [found for path in _files() for found in _imports(path)]


def _unit(path):
    """The part of the project that a file belongs to, as `MAY_IMPORT` names it."""
    if not path.is_relative_to(SRC):
        return "pipelines"
    first = path.relative_to(SRC / "usage_stats").parts[0].removesuffix(".py")
    return "version" if first == "__init__" else first


def _target(found):
    """The part of the project that an import reaches into; None for others' packages."""
    head, _, rest = found.module.partition(".")
    if head == "pipelines":
        return "pipelines"
    if head != "usage_stats":
        return None
    part = rest.partition(".")[0] or found.name or "version"
    return part if part in MAY_IMPORT else "version"


def _reaches_out(found):
    unit, target = _unit(found.path), _target(found)
    if target is None or target == unit or target in MAY_IMPORT.get(unit, ()):
        return False
    return (f"{unit}.{found.function}", target) not in INSIDE_FUNCTIONS


def test_every_part_of_the_project_is_in_the_table():
    """A new package has its place in the journey before it has code."""
    unplaced = sorted({_unit(path) for path in _files()} - set(MAY_IMPORT))

    assert [] == unplaced, "give the package a row in MAY_IMPORT (and in the layout of the documentation)"


def test_imports_follow_the_journey_of_the_data():
    """Each part imports only what the table allows."""
    offenders = [
        f"{i.place}: {_unit(i.path)} imports {_target(i)}" for i in _all_imports() if _reaches_out(i)
    ]

    assert [] == offenders, "move the code to the part that may know both; see MAY_IMPORT"


def test_the_exceptions_are_all_in_use():
    """An exception that nobody needs any more is closed again."""
    used = {(f"{_unit(i.path)}.{i.function}", _target(i)) for i in _all_imports()}

    assert [] == sorted(set(INSIDE_FUNCTIONS) - used), "remove it from INSIDE_FUNCTIONS"


def test_the_privacy_wall():
    """Code that sees identifiers and code that counts never meet below flow."""
    sides = ((IDENTIFIED, COUNTED), (COUNTED, IDENTIFIED))
    offenders = [
        i.place
        for i in _all_imports()
        for here, there in sides
        if _unit(i.path) in here and _target(i) in there
    ]

    assert [] == offenders, "pass the value through flow instead: neither side may know the other"


def test_the_privacy_wall_holds_for_what_is_loaded():
    """Loading all counting code loads no module that can read a log or a key."""
    modules = [_dotted(path) for path in _files() if _unit(path) in COUNTED]
    loaded = _loaded_by(modules)

    assert [] == [m for m in loaded if m.startswith(tuple(f"usage_stats.{part}" for part in IDENTIFIED))]


def test_the_generator_uses_only_constants_of_the_configuration():
    """The truth about made-up logs owes nothing to the code it is meant to judge."""
    offenders = [
        f"{i.place}: {i.name}"
        for i in _all_imports()
        if _unit(i.path) == "synthetic" and _target(i) == "config" and i.name not in SYNTHETIC_MAY_USE
    ]

    assert [] == offenders, "write it out anew in synthetic: an oracle that shares code proves nothing"


def test_only_one_place_knows_the_orchestrator_and_the_solver():
    """Dagster and the solver can be exchanged without touching a rule."""
    offenders = [
        f"{i.place}: {i.module}"
        for i in _all_imports()
        for package, home in ONLY_IN.items()
        if i.module.split(".")[0] == package and not str(i.path.relative_to(ROOT)).startswith(home)
    ]

    assert [] == offenders, f"allowed are {ONLY_IN}; offer what is needed from there"


def test_the_audit_knows_nothing_of_the_choice():
    """The attacker shares the relations and the solver with the choice of suppressions, nothing else."""
    allowed = {"errors", "ledger", "measure.relations", "protect.requirement", "protect.solver"}
    audit = SRC / "usage_stats" / "protect" / "audit.py"
    found = {i.module.removeprefix("usage_stats.") for i in _imports(audit) if _target(i)}

    assert [] == sorted(found - allowed), "the audit would believe what it should check"


def test_the_audit_of_any_table_knows_nothing_of_the_choice():
    """The attacker of `sdc` shares the relations, the requirement and the solver with the choice, nothing else."""
    allowed = {"errors", *(f"sdc.{name}" for name in ("linear", "parts", "relations", "requirement"))}
    audits = [SRC / "usage_stats" / "sdc" / f"{name}.py" for name in ("audit", "audit_magnitudes")]
    found = {i.module.removeprefix("usage_stats.") for audit in audits for i in _imports(audit) if _target(i)}

    assert [] == sorted(found - allowed), "the audit would believe what it should check"


def test_no_import_is_hidden():
    """Imports are absolute and plain, so that this walk sees them all."""
    hidden = [i.place for i in _all_imports() if i.module.startswith(".") or i.module == "importlib"]
    hidden += [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in _files()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Name) and node.id == "__import__"
    ]

    assert [] == hidden, "write `from usage_stats.part.module import name`"


def test_no_two_modules_need_each_other():
    """Imports at the top of modules form no circle."""
    names = {_dotted(path): path for path in _files()}
    needs = {name: _needed_by(path, names) for name, path in names.items()}
    while leaves := [name for name, others in needs.items() if not others & set(needs)]:
        for name in leaves:
            del needs[name]

    assert [] == sorted(needs), "move what both need into a module of its own"


def _needed_by(path, names):
    top = [i for i in _imports(path) if i.function is None]
    return {m for i in top for m in (i.module, f"{i.module}.{i.name}") if m in names} - {_dotted(path)}


def test_a_bare_import_loads_nothing_heavy():
    """`usage-stats --help` and an error class cost no database, solver or orchestrator."""
    loaded = {name.split(".")[0] for name in _loaded_by(LIGHT)}

    assert [] == sorted(loaded & set(HEAVY)), "import it inside the function that needs it"


def _dotted(path):
    base = SRC if path.is_relative_to(SRC) else ROOT
    return ".".join(path.relative_to(base).with_suffix("").parts).removesuffix(".__init__")


def _loaded_by(modules):
    code = f"import sys, {', '.join(modules)}\nprint(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return run.stdout.split()
