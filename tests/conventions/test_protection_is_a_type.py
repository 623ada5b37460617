"""Protection is a type, not a step one can forget: who makes releases, and what the configuration cannot do."""

import ast
from pathlib import Path

import pytest
from pydantic import ValidationError

from usage_stats.config import Config, Thresholds
from usage_stats.policy import Policy

ROOT = Path(__file__).resolve().parents[2]
# The only functions that may make the type: each after a check, or from a record the ledger vouches for.
MAKERS = {
    "ProtectedTable": {"protect/protect.py:protect_period"},
    "AuditReport": {"protect/audit.py:audit"},
    "Release": {"release/gate.py:open_gate", "release/record.py:from_record"},
    "ReleasedOpens": {"release/opens.py:judge_opens", "release/opens.py:opens_from_record"},
    # What a partner was given: from the bytes of a file whose digest the ledger has, or a row of that.
    "Earlier": {"release/report/earlier.py:read_earlier", "release/report/earlier.py:only_whole"},
}
# Ways to have an object without its constructor's checks.
BYPASSES = {"__new__", "__setattr__", "model_construct", "model_copy", "__setstate__"}
COPIERS = {"dataclasses", "copy", "pickle", "marshal", "shelve"}
MAY_BYPASS = {}  # place: why
SWITCH_WORDS = {"disable", "off", "skip", "force", "unsafe", "raw", "unprotected", "bypass", "no_", "ignore"}


def _functions():
    base = ROOT / "src" / "usage_stats"
    for path in sorted([*base.rglob("*.py"), *(ROOT / "pipelines").glob("*.py")]):
        shown = path.relative_to(base if path.is_relative_to(base) else ROOT).as_posix()
        yield from _named_calls(shown, ast.parse(path.read_text(encoding="utf-8")), "module")


def _named_calls(shown, node, function):
    """(path:function, called name, call) for each call; the innermost function counts."""
    for child in ast.iter_child_nodes(node):
        inner = child.name if isinstance(child, ast.FunctionDef) else function
        if isinstance(child, ast.Call):
            yield f"{shown}:{function}", _called(child), child
        yield from _named_calls(shown, child, inner)


def _called(call):
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


@pytest.mark.parametrize("made", MAKERS)
def test_only_the_gatekeepers_make_it(made):
    """No code but the named functions makes a protected table, an audit report or a release."""
    makers = {place for place, called, _ in _functions() if called == made}

    assert MAKERS[made] == makers, f"a {made} vouches for a check: have it made by {MAKERS[made]}"


def test_nothing_goes_around_the_constructors():
    """No object is copied with other contents, unpickled or made without its checks."""
    around = {place for place, called, call in _functions() if _goes_around(called, call)}

    assert set(MAY_BYPASS) == around, "make a new object through its constructor, or argue it in MAY_BYPASS"


def _goes_around(called, call):
    """`path.replace(target)` moves a file and `text.replace(old, new)` edits a text: not these."""
    owner = getattr(getattr(call.func, "value", None), "id", None)
    if called == "replace":
        return isinstance(call.func, ast.Name) or owner in COPIERS
    return called in BYPASSES or owner in COPIERS - {"dataclasses"}


def test_export_takes_releases_only():
    """What writes files for readers has no parameter for confidential figures."""
    path = ROOT / "src" / "usage_stats" / "release" / "export.py"
    tree = ast.parse(path.read_text(encoding="utf-8"))
    public = next(n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == "release_files")

    assert ["Release", "Cut", "str", "Sequence[Earlier]", "Terms | None", "Edition | None"] == [
        ast.unparse(a.annotation) for a in public.args.args
    ]


@pytest.mark.parametrize("minimum", [-1, 0, 1, 4])
def test_the_minimum_has_a_floor(minimum):
    """No setting allows figures about fewer than five persons."""
    with pytest.raises(ValidationError):
        Thresholds(minimum_persons=minimum)


def test_the_floor_itself_is_allowed():
    """Five is the least that may be set."""
    assert 5 == Thresholds(minimum_persons=5).minimum_persons


def test_thresholds_cannot_be_changed_later():
    """Settings are frozen: a threshold checked once stays what it was."""
    with pytest.raises(ValidationError, match="frozen"):
        Thresholds().minimum_persons = 1


@pytest.mark.parametrize("model", [Config, Policy])
def test_no_setting_is_a_switch(model):
    """Nothing in the configuration is a yes or no, and no key is named like a way out."""
    schema = model.model_json_schema()
    keys = [key for part in [schema, *schema.get("$defs", {}).values()] for key in part.get("properties", {})]

    assert '"boolean"' not in repr(schema).replace("'", '"')
    assert [] == [key for key in keys if any(word in key for word in SWITCH_WORDS)]


def test_every_threshold_is_bounded():
    """Each threshold has a least value that is stated in the configuration's schema."""
    unbounded = [
        name for name, rule in Thresholds.model_json_schema()["properties"].items() if "minimum" not in rule
    ]

    assert [] == unbounded, "give the threshold a `ge=`"
