"""The house rules that a linter does not know, over src/ and pipelines/ (a few over the tests too)."""

import ast
import io
import re
import tokenize
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MAX_MODULE_LINES = 300
MAX_FUNCTION_LINES = 40
HARD_MAX_FUNCTION_LINES = 60
# Functions of 41 to 60 lines, each with the reason why it reads better whole: "path:name" -> reason.
LONG_FUNCTIONS = {
    "src/usage_stats/protect/audit.py:audit": "a short body under a docstring that defines what exposed means",
    "src/usage_stats/accesslog/kernel.py:_read_object": "a walk over bytes: a call per part costs more than the part",
    "src/usage_stats/flow/reading.py:read_file": "eight arguments, each explained; the body is the order",
    "src/usage_stats/protect/protect.py:protect_period": "seven arguments, each explained; the body is the order",
}
# Modules that read better whole, each with the reason why.
LONG_MODULES = {
    "src/usage_stats/accesslog/kernel.py": "numba's cache knows one file: parts elsewhere go stale",
}
# Where printing is the output of a command.
MAY_PRINT = {"src/usage_stats/cli.py", "pipelines/__main__.py"}
# The last stops of an error, which tell its class only: its text may quote a row.
MAY_CATCH_ALL = {"src/usage_stats/cli.py", "pipelines/resources.py"}
FORBIDDEN_NAMES = {"utils.py", "util.py", "helpers.py", "helper.py", "common.py", "misc.py"}
# A rule by its code, then the reason in words.
NOQA = re.compile(r"#\s*noqa(?P<codes>:\s*[A-Z]+\d+(?:\s*,\s*[A-Z]+\d+)*)?\s*(?P<reason>.*)")
TYPE_IGNORE = re.compile(r"#\s*type:\s*ignore(?P<codes>\[[^\]]+\])?\s*(?P<reason>.*)")
SHORTEST_REASON = 7  # letters: "the same", below a line that says it, is the least that says anything


def _sources():
    return sorted([*(ROOT / "src").rglob("*.py"), *(ROOT / "pipelines").rglob("*.py")])


def _everything():
    return sorted([*_sources(), *(ROOT / "tests").rglob("*.py")])


def _name(path):
    return path.relative_to(ROOT).as_posix()


def _nodes(kind, paths=None):
    """(path, node) of every such node."""
    for path in paths or _sources():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, kind):
                yield path, node


def _places(found):
    return [f"{_name(path)}:{node.lineno}" for path, node in found]


def _comments(path):
    tokens = tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline)
    return [(token.start[0], token.string) for token in tokens if token.type == tokenize.COMMENT]


def _functions():
    for path, node in _nodes(ast.FunctionDef | ast.AsyncFunctionDef):
        yield f"{_name(path)}:{node.name}", node.end_lineno - node.lineno + 1


def test_modules_are_short():
    """A module is read in one sitting."""
    lengths = {_name(p): p.read_text().count("\n") for p in _sources()}
    long = {name: n for name, n in lengths.items() if n > MAX_MODULE_LINES and name not in LONG_MODULES}

    assert {} == long, f"split it by what it takes in and gives back; at most {MAX_MODULE_LINES} lines"


def test_functions_are_short():
    """A function does one thing."""
    long = {name: n for name, n in _functions() if n > MAX_FUNCTION_LINES and name not in LONG_FUNCTIONS}

    assert {} == long, f"at most {MAX_FUNCTION_LINES} lines, or a reason in LONG_FUNCTIONS"


def test_no_reason_excuses_a_very_long_function():
    """Above the hard limit, no table helps; nor does the table keep what is short by now."""
    lengths = dict(_functions())
    wrong = [
        n for n in LONG_FUNCTIONS if not MAX_FUNCTION_LINES < lengths.get(n, 0) <= HARD_MAX_FUNCTION_LINES
    ]

    assert [] == wrong, f"41 to {HARD_MAX_FUNCTION_LINES} lines only"


def test_no_module_is_a_drawer():
    """Code lives with its owner, not in a drawer for everything."""
    drawers = [_name(path) for path in _everything() if path.name in FORBIDDEN_NAMES]

    assert [] == drawers, "name the module for what goes in and what comes out"


def test_every_module_says_what_it_is_for():
    """The first sentence of a module says what goes in and comes out, or what the package holds."""
    silent = [_name(p) for p in _sources() if not ast.get_docstring(ast.parse(p.read_text(encoding="utf-8")))]

    assert [] == silent, "write a docstring: `What goes in → what comes out.`"


def test_a_long_module_docstring_draws_the_border():
    """Whoever explains a module in more than five lines says what belongs there."""
    vague = []
    for path in _sources():
        text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        if len(text.splitlines()) > 5 and "Belongs here" not in text:
            vague.append(_name(path))

    assert [] == vague, "add `Belongs here: ... Does not: ...`"


def test_only_commands_print():
    """A library that prints puts rows on a screen some day."""
    printing = [
        place
        for place, (path, node) in _placed(ast.Call)
        if isinstance(node.func, ast.Name) and node.func.id == "print" and _name(path) not in MAY_PRINT
    ]

    assert [] == printing, "return the value; the command line prints it"


def _placed(kind):
    return [(f"{_name(path)}:{node.lineno}", (path, node)) for path, node in _nodes(kind)]


def test_no_error_is_swallowed_whole():
    """Only named errors are caught, but for the last stops: anything else is a bug, and stops the run."""
    broad = [
        place
        for place, (path, node) in _placed(ast.ExceptHandler)
        if {"", "Exception", "BaseException"} & _caught(node) and _name(path) not in MAY_CATCH_ALL
    ]

    assert [] == broad, "name the errors that can happen here"


def _caught(handler):
    if handler.type is None:
        return {""}
    return {n.id for n in ast.walk(handler.type) if isinstance(n, ast.Name)}


def test_safety_does_not_hang_on_assert():
    """`python -O` removes asserts; a check that protects people is an `if` and a `raise`."""
    found = _places(_nodes(ast.Assert))

    assert [] == found, "raise InternalError or an error with a remedy"


def test_no_note_is_left_for_later():
    """What is to be done stands in the tracker, not in the code."""
    words = re.compile("|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK")))
    notes = [f"{_name(p)}:{n}" for p in _everything() for n, text in _comments(p) if words.search(text)]

    assert [] == notes, "do it, or open an issue"


def test_every_silenced_rule_has_its_reason_beside_it():
    """A lint or type rule is silenced by name, and the line says why."""
    bare = [
        f"{_name(path)}:{line}"
        for path in _everything()
        for line, text in _comments(path)
        for match in (NOQA.search(text), TYPE_IGNORE.search(text))
        if match and not (match["codes"] and len(re.findall(r"[a-z]", match["reason"])) >= SHORTEST_REASON)
    ]

    assert [] == bare, "write `# noqa: CODE the reason` or `# type: ignore[code] # the reason`"


def test_chained_errors_tell_nothing_of_a_row():
    """An error raised while handling another one is cut from it: a cause's text may quote a row."""
    chained = [
        f"{_name(path)}:{node.lineno}"
        for path, handler in _nodes(ast.ExceptHandler)
        for node in ast.walk(handler)
        if isinstance(node, ast.Raise) and node.exc is not None and not _is_cut(node)
    ]

    assert [] == chained, "end it with `from None`"


def _is_cut(node):
    return isinstance(node.cause, ast.Constant) and node.cause.value is None
