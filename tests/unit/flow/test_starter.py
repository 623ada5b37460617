"""What `init` writes is valid as it stands, and teaches nothing that is not."""

import re
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import yaml

from usage_stats.config import Config, Source, load_config
from usage_stats.errors import ConfigError
from usage_stats.flow.starter import write_starter
from usage_stats.policy import load_policy

README = Path(__file__).resolve().parents[3] / "README.md"
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
# A commented setting, as against a sentence: a key in small letters with its colon, or an entry of a list.
EXAMPLE = re.compile(r"(?P<indent> *)# (?P<setting>(?:[a-z_0-9]+:(?: |$)|- ).*)")
GOES_ON = re.compile(r"(?P<indent> *)# (?P<setting> +\S.*)")
FILES = ("usage_stats.yaml", "policy.yaml")
READERS = dict(zip(FILES, (load_config, load_policy), strict=True))


def _written():
    """The starter's files, in lines, as `init` writes them where there is no log."""
    with TemporaryDirectory() as folder:
        write_starter(Path(folder) / "new", logs=[])
        return {name: (Path(folder) / "new" / name).read_text("utf-8").splitlines() for name in FILES}


LINES = _written()


def _examples(lines):
    """Each commented example as the numbers of its lines: a setting, and what goes on below it."""
    found = []
    for number, line in enumerate(lines):
        if EXAMPLE.fullmatch(line):
            found.append([number])
        elif found and found[-1][-1] == number - 1 and GOES_ON.fullmatch(line):
            found[-1].append(number)
    return found


def _uncommented(lines, numbers):
    shown = {n: (EXAMPLE.fullmatch(lines[n]) or GOES_ON.fullmatch(lines[n])) for n in numbers}
    return [m["indent"] + m["setting"] if (m := shown.get(n)) else line for n, line in enumerate(lines)]


def _names(value):
    if isinstance(value, dict):
        return set(value).union(*map(_names, value.values()))
    return set().union(*map(_names, value)) if isinstance(value, list) else set()


EXAMPLES = [(name, numbers) for name in FILES for numbers in _examples(LINES[name])]


def _numbers(name):
    return [number for file, numbers in EXAMPLES if file == name for number in numbers]


@pytest.fixture
def read(tmp_path):
    """What the readers of settings make of a starter whose one file has other lines."""
    write_starter(tmp_path / "new", logs=[])

    def reading(name, lines):
        (tmp_path / "new" / name).write_text("\n".join(lines) + "\n")
        return READERS[name](tmp_path / "new")

    return reading


def _log(tmp_path, path="/news/today"):
    log = tmp_path / "access [1].log"
    line = '10.0.{n}.7 - - [01/Apr/2026:10:00:{n:02} +0000] "GET ' + path + ' HTTP/1.1" 200 5 "-" "{agent}"\n'
    log.write_text("".join(line.format(n=n, agent=AGENT) for n in range(30)))
    return log


@pytest.mark.parametrize("with_log", [False, True])
def test_the_starter_is_valid_as_it_stands(tmp_path, with_log):
    """`run` reads both files of a new workspace, whether components were proposed or not."""
    write_starter(tmp_path / "My site, 2", logs=[_log(tmp_path)] if with_log else [], time_zone="Asia/Tokyo")
    config, policy = load_config(tmp_path / "My site, 2"), load_policy(tmp_path / "My site, 2")

    assert ("my-site-2", "Asia/Tokyo") == (config.site, config.time_zone)
    assert ["news" if with_log else "home"] == [c.name for c in config.components]
    assert ["1"] == [version.version for version in policy.versions]


@pytest.mark.parametrize(
    ("names", "pattern"),
    [
        (["access.log"], "access.log*"),
        (["access.log", "access.log.1", "access.log.2.gz"], "access.log*"),
        (["site.log-20251219", "site.log-20251220.zst", "site.log-2025-12-21-1700000000"], "site.log*"),
        (["access_log.2025-12-19"], "access_log*"),
        (["u_ex240101.log"], "u_ex240101.log*"),
        (["10.0.0.1"], "10.0.0.1*"),
        (["access.web1.json"], "access.web1.json*"),
    ],
)
def test_logs_of_days_to_come_are_read_too(tmp_path, names, pattern):
    """Whichever of the rotated files were given: what is written down is the name that all of them begin with."""
    given = _log(tmp_path)
    logs = [given.with_name(name) for name in names]
    for log in logs:
        log.write_bytes(given.read_bytes())
    write_starter(tmp_path / "new", logs=logs)
    (source,) = load_config(tmp_path / "new").sources

    assert (str(tmp_path / pattern),) == source.logs


@pytest.mark.parametrize(("name", "numbers"), EXAMPLES, ids=str)
def test_every_commented_example_can_be_uncommented(read, name, numbers):
    """Without its `#`, each is a setting that is accepted, and one that makes a difference to the file."""
    lines = LINES[name]
    taught = _uncommented(lines, numbers)

    assert yaml.safe_load("\n".join(lines)) != yaml.safe_load("\n".join(taught))
    assert read(name, taught)


@pytest.mark.parametrize("name", FILES)
def test_all_examples_can_be_uncommented_together(read, name):
    """They go with one another, and none of them is another's name again."""
    assert read(name, _uncommented(LINES[name], _numbers(name)))


def test_examples_are_found():
    """The settings that a new site most likely needs are among them: were none found, nothing would be tested."""
    taught = [yaml.safe_load("\n".join(_uncommented(LINES[name], _numbers(name)))) for name in FILES]

    assert {
        *(
            "first_day",
            "cookie",
            "trusted_proxies",
            "query_keys",
            "hosts",
            "country_table",
            "formats",
            "since",
        ),
        *("agreement", "thresholds", "exclusions", "signals", "retention", "maximum_age_days", "sentences"),
        "how_often",
    } <= _names(taught)


def test_what_a_comment_forbids_is_refused(read):
    """A misspelt key is an error with a hint, as the first line of the file says."""
    lines = [line.replace("seal_after_days", "seal_after_day") for line in LINES["usage_stats.yaml"]]

    with pytest.raises(ConfigError, match="did you mean seal_after_days"):
        read("usage_stats.yaml", lines)


def test_every_key_is_explained_in_the_readme():
    """As the first line of the file says: the keys of the workspace and of its sources, each by its name."""
    text = README.read_text(encoding="utf-8")
    keys = {*Config.model_fields, *Source.model_fields}

    assert set() == {
        key for key in keys if not re.search(rf"`{key}|\b{key}:|`[^`\n]*\b{key}\b[^`\n]*`", text)
    }
