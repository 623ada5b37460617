from pathlib import Path

import pytest
import yaml

from usage_stats.config import Config, Table, load_config
from usage_stats.errors import ConfigError

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "data" / "sample"


@pytest.fixture
def load(tmp_path):
    """Reads a configuration from its text."""

    def load(text):
        (tmp_path / "usage_stats.yaml").write_text(text, encoding="utf-8")
        return load_config(tmp_path)

    return load


@pytest.fixture
def refusal(load):
    """The message with which a configuration is refused."""

    def refusal(text):
        with pytest.raises(ConfigError) as caught:
            load(text)
        return str(caught.value)

    return refusal


def _component(name):
    return yaml.safe_dump({"site": "s", "components": [{"name": name, "paths": ["/a"]}]})


def test_the_sample_is_understood():
    """The workspace that newcomers start from is right."""
    assert "sample" == load_config(SAMPLE).site


def test_one_line_is_a_configuration(load):
    """Everything but the site's name has a default, and the defaults protect."""
    found = load("site: s\n")

    assert (10, 3, 0.1, 0.5) == tuple(found.thresholds.model_dump().values())
    assert ("UTC", "wait", 2) == (found.time_zone, found.gaps, found.seal_after_days)


@pytest.mark.parametrize(
    ("text", "place", "hint"),
    [
        ("site: s\ntimezone: UTC", "timezone", "did you mean time_zone? allowed: asset_extensions, components"),
        ("site: s\nsources: [{log: [x]}]", "sources.0.log", "did you mean logs? allowed: account, cookie, format"),
        ("site: s\ncomponents: [{name: a, path: [/x]}]", "components.0.path", "allowed: name, paths, sub"),
        (
            "site: s\ncomponents: [{name: a, paths: [/x], sub_components: [{name: b, paths: [/x], pfad: 1}]}]",
            "components.0.sub_components.0.pfad",
            "allowed: name, paths",
        ),
        ("site: s\ntables: {t: {dimension: []}}", "tables.t.dimension", "did you mean dimensions?"),
        ("site: s\ntables: {periods: {dimension: []}}", "tables.periods.dimension", "did you mean dimensions?"),
        (
            "site: s\ntables: {dimensions: {colour: red}}",
            "tables.dimensions.colour",
            "allowed: audience, dimensions, measures, periods",
        ),
        ("site: s\npartners: [{id: p, table: [x]}]", "partners.0.table", "did you mean tables? allowed: agreement"),
        ("site: s\nthresholds: {minimum_person: 9}", "thresholds.minimum_person", "did you mean minimum_persons?"),
    ],
)  # fmt: skip
def test_a_misspelt_key_names_the_allowed_ones(refusal, text, place, hint):
    """Wherever a key is wrong, the message says where, what was probably meant, and what is allowed."""
    message = refusal(text)

    assert f"{place}: no such key; " in message
    assert hint in message


def test_all_problems_are_told_at_once(refusal):
    """Nobody corrects one line after the other only to meet the next error."""
    message = refusal("sit: s\nthresholds: {minimum_persons: 4}\n")

    assert 3 == message.count("\n  - ")
    assert all(part in message for part in ("sit: no such key", "site: Field required", "minimum_persons"))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("site: a\nsite: b\n", 2),
        ("site: s\nthresholds:\n  minimum_persons: 50\n  minimum_persons: 5\n", 4),
        ("site: s\npartners:\n  - {id: a, id: b}\n", 3),
    ],
)
def test_a_key_given_twice_is_an_error(refusal, text, line):
    """YAML would keep the last one silently: a stricter threshold above would be gone."""
    message = refusal(text)

    assert "is given twice" in message
    assert any(f"line {n}, " in message for n in (line - 1, line))


@pytest.mark.parametrize(
    "slug", ["", "A", "1a", "a b", "a/b", "..", "a.b", "-a", "ä", "a\n", "a" * 49, "con*"]
)
def test_a_slug_is_a_plain_name(refusal, slug):
    """Names that become folders and tables have nothing a path or a shell would read."""
    for text in (
        {"site": slug},
        {"site": "s", "partners": [{"id": slug}]},
        {"site": "s", "tables": {slug: {}}},
    ):
        assert "pattern" in refusal(yaml.safe_dump(text))


@pytest.mark.parametrize(
    "name",
    [
        "=cmd",
        "@x",
        "+1",
        "-1",
        "\tx",
        "a\n",
        "a,b",
        'a"b',
        "a;b",
        "_T",
        "(other)",
        "",
        " a",
        "a|b",
        "a" * 65,
        "ä",
    ],
)
def test_a_category_is_printable_and_no_formula(refusal, name):
    """Categories are read in spreadsheets: none begins a formula, breaks a line or takes a reserved name."""
    assert "components.0.name" in refusal(_component(name))


@pytest.mark.parametrize("name", ["news", "News 24", "FAQ", "a.b", "2026", "data-requests", "x" * 64])
def test_plain_words_are_categories(load, name):
    """A word or two is a category."""
    assert name == load(_component(name)).components[0].name


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (
            "site: s\npartners: [{id: p, tables: [nothing]}]",
            "partner p: no table nothing; tables are: components",
        ),
        ("site: s\npartners: [{id: p}, {id: p}]", "partners: p appears twice"),
        ("site: s\nsources: [{name: a}, {name: a}]", "sources: a appears twice"),
        (
            "site: s\ncomponents: [{name: a, paths: [/x]}, {name: a, paths: [/y]}]",
            "components: a appears twice",
        ),
        ("site: s\ntime_zone: Europe/Berlim", "did you mean Europe/Berlin?"),
        ("site: s\ntime_zone: somewhere", "IANA time zone"),
        ("site: s\nthresholds: {minimum_persons: 4}", "greater than or equal to 5"),
        ("site: s\nthresholds: {minimum_persons: yes}", "minimum_persons"),
        ("site: s\nthresholds: {minimum_networks: 0}", "greater than or equal to 1"),
        ("site: s\nthresholds: {protection_share: -0.1}", "protection_share"),
        ("site: s\nthresholds: {protection_share: .nan}", "protection_share"),
        ("site: s\nseal_after_days: 0", "seal_after_days"),
        ("site: s\ncomponents: [{name: a, paths: []}]", "components.0.paths"),
        ("site: s\ncomponents: [{name: a, paths: [news]}]", "components.0.paths.0"),
        ("site: s\ngaps: ignore", "gaps"),
    ],
)
def test_a_wrong_value_says_where_and_what(refusal, text, what):
    """The message names the place and what is allowed there."""
    assert what in refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        "site: [",
        "site: 's",
        "\tsite: s",
        "site: s\n<<: {gaps: wait}\n",
        "site: s\nfirst_day: 2026-02-30\n",
        "site: s\nfirst_day: 2026-13-01\n",
        "site: s\nfirst_day: !!int today\n",
        "site: !!python/object/apply:os.getcwd []\n",
        "site: s\n? [a, b]\n: c\n",
        "site: \x01\n",
    ],
)
def test_text_that_is_no_yaml_is_an_error_of_ours(refusal, text):
    """However the file is broken, the answer is one message with its path, never a traceback."""
    assert "usage_stats.yaml" in refusal(text)


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "- site: s\n", "site\n", "3\n"])
def test_a_file_without_settings_says_how_to_begin(refusal, text):
    """An empty file, a list or a word is no configuration."""
    assert "usage-stats init" in refusal(text)


def test_no_file_says_how_to_begin(tmp_path):
    """Outside a workspace the message names the file that was looked for and the command that makes one."""
    with pytest.raises(ConfigError, match="usage-stats init") as caught:
        load_config(tmp_path)

    assert str(tmp_path / "usage_stats.yaml") in str(caught.value)


def test_bytes_that_are_no_text_are_an_error_of_ours(tmp_path):
    """A file in another encoding is refused with its path."""
    (tmp_path / "usage_stats.yaml").write_bytes(b"site: \xff\xfe\n")
    with pytest.raises(ConfigError, match=r"usage_stats\.yaml"):
        load_config(tmp_path)


def test_settings_are_frozen():
    """Nothing changes a setting after it was checked."""
    with pytest.raises(ValueError, match="frozen"):
        Config(site="s").site = "other"


def test_what_is_told_apart_is_nothing_at_first(load):
    """Own hosts, keys of queries and countries are the operator's to name."""
    found = load("site: s\n")

    assert ((), (), None) == (found.hosts, found.query_keys, found.country_table)


def test_what_is_told_apart_can_be_named(load):
    """Hosts with a wildcard, addresses, keys, and a table."""
    found = load(
        "site: s\nhosts: [Example.org, '*.example.org', bücher.example, '[2001:db8::7]', 'localhost:8000']\n"
        "query_keys: [page, 'tx_news[id]']\ncountry_table: c.mmdb\n"
        "components: [{name: a, paths: ['/index.php?page=a'], sub_components: [{name: b, paths: ['/?page=b']}]}]\n"
    )

    assert (5, 2, "c.mmdb") == (len(found.hosts), len(found.query_keys), found.country_table)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("hosts: ['https://example.org']", "hosts.0"),
        ("hosts: ['example.org/a']", "hosts.0"),
        ("hosts: ['a.*.example.org']", "hosts.0"),
        ("hosts: ['*']", "hosts.0"),
        ("hosts: ['']", "hosts.0"),
        ("query_keys: ['a=b']", "query_keys.0"),
        ("query_keys: ['*']", "query_keys.0"),
        (
            "query_keys: [a]\ncomponents: [{name: c, paths: ['/x?b=1']}]",
            "asks for b; list it under query_keys",
        ),
        ("components: [{name: c, paths: ['/x?b=1']}]", "asks for b; list it under query_keys"),
        ("query_keys: [a]\ncomponents: [{name: c, paths: ['/x?a=*']}]", "no * stands for others"),
        (
            "components: [{name: c, paths: [/x], sub_components: [{name: d, paths: ['/x?b=1']}]}]",
            "asks for b; list it under query_keys",
        ),
    ],
)
def test_what_would_never_fit_is_refused(refusal, text, what):
    """A URL for a host, and a rule that asks for a key that is dropped, would do nothing in silence."""
    assert what in refusal(f"site: s\n{text}\n")


# ---------------------------------------------------------------- tables


def _tables(**tables):
    return yaml.safe_dump({"site": "s", "tables": tables})


@pytest.mark.parametrize(
    ("table", "what"),
    [
        ({"dimensions": ["colour"]}, "tables.t.dimensions.0: Input should be 'component', 'sub_component', 'hour'"),
        ({"dimensions": ["hour", "hour"]}, "a dimension is named twice"),
        ({"dimensions": ["sub_component"]}, "sub_component needs component beside it"),
        ({"dimensions": ["component", "hour", "device", "browser"]}, "at most 3 beside sub_component"),
        ({"dimensions": ["weekday", "visit_frequency"]}, "visit_frequency a table has one"),
        ({"dimensions": ["weekday", "visitor_type"]}, "visit_frequency a table has one"),
        ({"dimensions": ["weekday"], "periods": ["day", "week"]}, "weekday comes by week, month, not by day"),
        ({"dimensions": ["visitor_type"], "periods": ["month"]}, "visitor_type comes by day, not by month"),
        ({"dimensions": ["visit_frequency"], "periods": ["day"]}, "visit_frequency comes by week, month, not by day"),
        ({"dimensions": ["hour"], "periods": []}, "no kind of period suits hour together"),
        ({"dimensions": ["hour"], "periods": ["year"]}, "Input should be 'day', 'week' or 'month'"),
        ({"measures": ["hits"]}, "Input should be 'visitors', 'visits', 'page_views', 'reach', 'frequency' or"),
        ({"measures": []}, "tables.t.measures"),
        ({"audience": "everybody"}, "tables.t.audience: Input should be 'partners' or 'analysts'"),
    ],
)  # fmt: skip
def test_a_table_that_makes_no_sense_is_refused_with_what_would(refusal, table, what):
    """The message names the table, the key, and what is allowed there."""
    message = refusal(_tables(t=table))

    assert "tables.t" in message
    assert what in message


@pytest.mark.parametrize(
    ("dimensions", "periods"),
    [
        ([], ("day", "week", "month")),
        (["component", "sub_component", "hour", "country"], ("day", "week", "month")),
        (["component", "weekday"], ("week", "month")),
        (["visitor_type", "country"], ("day",)),
        (["visit_frequency"], ("week", "month")),
    ],
)
def test_a_table_comes_by_every_kind_of_period_that_suits_it(dimensions, periods):
    """Who names none gets all that make sense."""
    assert periods == Table(dimensions=dimensions).periods


@pytest.mark.parametrize(
    ("dimension", "key"), [("country", "country_table"), ("customer_group", "customer_groups")]
)
def test_a_dimension_needs_what_tells_its_codes(refusal, load, dimension, key):
    """Without it every row would be of code unknown: refused, with the key to set."""
    given = {"country_table": "c.mmdb", "customer_groups": {"accounts": "a.csv", "names": ["gold"]}}
    text = {"site": "s", "tables": {"by": {"dimensions": ["component", dimension]}}}

    assert f"tables.by: {dimension} needs {key}, which is not set" in refusal(yaml.safe_dump(text))
    assert (dimension,) == load(yaml.safe_dump(text | {key: given[key]})).event_attributes


def test_events_say_what_some_table_asks_for_and_nothing_else(load):
    """What no table asks for is not kept, not even inside."""
    none = load(_tables(a={"dimensions": ["hour", "entry_component", "visit_depth"]}))
    some = load(_tables(a={"dimensions": ["device", "hour"]}, b={"dimensions": ["component", "referrer"]}))

    assert ((), ("referrer", "device")) == (none.event_attributes, some.event_attributes)


def test_a_table_for_analysts_goes_to_no_partner(refusal, load):
    """A partner that asks for it is refused; analysts have it."""
    text = {"site": "s", "tables": {"inside": {"audience": "analysts"}, "components": {}}}
    partners = [{"id": "p", "tables": ["components", "inside"]}]

    assert "partner p: table inside is for analysts only" in refusal(
        yaml.safe_dump(text | {"partners": partners})
    )
    assert "analysts" == load(yaml.safe_dump(text)).tables["inside"].audience


@pytest.mark.parametrize("code", ["XX", "de", "EU", "D", "unknown country", "(other)"])
def test_a_country_is_a_code_of_iso_3166(refusal, code):
    """What no page view can be of would be a row of zeros."""
    assert f"countries: {code}: no code of ISO 3166-1, such as DE" in refusal(
        yaml.safe_dump({"site": "s", "countries": ["DE", code]})
    )


def _nested(*names):
    """Components, each inside the one before."""
    part = {"name": names[-1], "paths": ["/x"]}
    for name in reversed(names[:-1]):
        part = {"name": name, "paths": ["/x"], "sub_components": [part]}
    return part


def test_components_nest_to_any_depth(load):
    """Parts have parts of their own."""
    found = load(yaml.safe_dump({"site": "s", "components": [_nested(*"abcdefg")]})).components[0]
    names = [found.name]
    while found.sub_components:
        (found,) = found.sub_components
        names.append(found.name)

    assert list("abcdefg") == names


def test_two_parts_of_one_whole_have_two_names_on_every_level(refusal, load):
    """The same name in another whole is another part."""
    twice = {"name": "b", "paths": ["/x"], "sub_components": [_nested("c"), _nested("c")]}
    inside = {"name": "a", "paths": ["/x"], "sub_components": [twice]}

    assert "sub_components of b: c appears twice" in refusal(
        yaml.safe_dump({"site": "s", "components": [inside]})
    )
    assert 2 == len(
        load(yaml.safe_dump({"site": "s", "components": [_nested("a", "a"), _nested("b", "a")]})).components
    )


@pytest.mark.parametrize(
    ("part", "place"),
    [
        ({"name": "a/b", "paths": ["/x"]}, "components.0.sub_components.0.sub_components.0.name"),
        ({"name": "_T", "paths": ["/x"]}, "components.0.sub_components.0.sub_components.0.name"),
        ({"name": "a", "paths": []}, "components.0.sub_components.0.sub_components.0.paths"),
        ({"name": "a", "paths": ["/x?b=1"]}, "asks for b; list it under query_keys"),
        ({"name": "a", "pfade": ["/x"]}, "pfade: no such key"),
    ],
)
def test_a_part_of_a_part_is_checked_like_any_other(refusal, part, place):
    """A slash would be another level; a rule that never fits is refused wherever it stands."""
    whole = {"name": "b", "paths": ["/x"], "sub_components": [part]}
    text = {"site": "s", "components": [{"name": "c", "paths": ["/x"], "sub_components": [whole]}]}

    assert place in refusal(yaml.safe_dump(text))
