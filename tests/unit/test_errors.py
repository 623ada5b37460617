import ast
import subprocess
import sys
from pathlib import Path

import pytest

from usage_stats import errors

SRC = Path(errors.__file__).parent
# Users' scripts rest on these numbers: widen the table, never change a line of it.
EXIT_CODES = {
    "ConfigError": 10,
    "InputError": 11,
    "SchemaError": 12,
    "PolicyViolation": 13,
    "AuditFailed": 14,
    "DifferencingFailed": 15,
    "SolverError": 16,
    "LedgerError": 17,
}


def _named(name):
    return getattr(errors, name)


@pytest.mark.parametrize(("name", "code"), EXIT_CODES.items())
def test_exit_codes_are_a_contract(name, code):
    """Each class of error ends the command line with its own number."""
    assert code == _named(name).exit_code


def test_every_error_has_a_number_of_its_own():
    """A new class gets a new number and a row in the table above."""
    classes = {name for name, found in vars(errors).items() if _is_for_users(found)}

    assert {*EXIT_CODES, "UsageStatsError"} == classes
    assert len(EXIT_CODES) == len(set(EXIT_CODES.values()))


def _is_for_users(found):
    return isinstance(found, type) and issubclass(found, errors.UsageStatsError)


def test_a_bug_is_no_message_for_users():
    """A broken invariant is not caught with the errors meant for users, and has a number that none of them has."""
    assert not issubclass(errors.InternalError, errors.UsageStatsError)
    assert errors.InternalError.exit_code not in {*EXIT_CODES.values(), 0, 1, 2}


def test_an_unforeseen_error_tells_its_class_and_place_only():
    """A library's message may quote a row: what is shown names the class, the functions and the lines."""
    with pytest.raises(ValueError, match="canary") as caught:
        _library_code("canary-7f3a")
    shown = errors.without_values(caught.value)

    assert "ValueError in _library_code (test_errors.py:" in str(shown)
    assert "canary" not in f"{shown!r} {shown.__cause__!r} {shown.__context__!r}"


def _library_code(value):
    return int(value)


def test_the_command_line_tells_an_error_in_one_message(tmp_path):
    """A wrong workspace gives one message with the remedy and the class's number, no traceback."""
    command = [sys.executable, "-m", "usage_stats", "status", "--workspace", str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)

    assert errors.ConfigError.exit_code == run.returncode
    assert run.stderr.startswith("error: ")
    assert "usage-stats init" in run.stderr
    assert "Traceback" not in run.stderr + run.stdout


def test_only_our_errors_are_raised_by_name():
    """What src raises itself is one of ours, or ValueError inside a validator, or a private class."""
    # the loader of YAML, the command line and streams have errors of their own, caught where they are raised
    caught = {"typer.Exit", "yaml.constructor.ConstructorError", "BlockingIOError"}
    ours = {*errors.__all__, "ValueError", *caught}
    foreign = [
        f"{path.relative_to(SRC)}:{node.lineno}: {name}"
        for path in sorted(SRC.rglob("*.py"))
        for tree in [ast.parse(path.read_text(encoding="utf-8"))]
        for node in ast.walk(tree)
        if isinstance(node, ast.Raise) and (name := _raised(node)) and name not in ours | _defined(tree)
    ]

    assert [] == foreign, "a caller can act on the classes of errors.py only"


def _raised(node):
    """The class raised by name; nothing for a bare `raise` and for an error that a function builds."""
    target = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
    name = ast.unparse(target) if target is not None else ""
    return name if name.rpartition(".")[2][:1].isupper() else ""


def _defined(tree):
    private = {n.name for n in ast.walk(tree) if isinstance(n, ast.ClassDef)}
    imported = {a.name for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) for a in n.names}
    return private | {name for name in imported if name.endswith("Error")}
