"""What adds up along which dimension → `checked_sum`, the macro of the analysts' file that refuses wrong sums.

It gets whole rows, and so sees by itself what is summed over, whatever the query groups and filters by: a caller has
nothing to declare and nothing to get wrong.

Belongs here: when a sum is right, and the words where it is not. Does not: which rows there are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from usage_stats.config import TOTAL
from usage_stats.dimensions import DIMENSIONS
from usage_stats.measure.relations import ADDITIVE_OVER
from usage_stats.release.analysts_table import literal

__all__ = ["CHECKED_SUM_MEANING", "checked_sum_macro"]

CHECKED_SUM_MEANING = (
    "checked_sum(t, 'page_views') from a_table as t: the sum, NULL where a row in it is withheld, and an error with "
    "the reason where these rows do not add up"
)
# Every table of figures has these; none of them is summed over, for `period` says it already.
_ABOUT_THE_PERIOD = ("period_kind", "first_date", "last_date")
_NO_DIMENSIONS = (*_ABOUT_THE_PERIOD, "status", "reach", "frequency", "page_views_per_visit")
# Of opened e-mails nothing adds up: campaigns that requests name have rows only where they may be told.
_SUMMED = (*ADDITIVE_OVER, "recipients", "opens")
# Who came once to a part, or this week, may have come more often in all, and be in another bin there.
_BY_FREQUENCY = "visit_frequency"
_BINS = tuple(name for name, dimension in DIMENSIONS.items() if dimension.bins)

# s: rows as maps of column to text; names: of columns. Later steps see what earlier ones found.
_MACRO = """
create macro checked_sum(cells, measure) as list_transform(list_transform(list_transform(
    [list(cast(cells as map(varchar, varchar)))],
    lambda cell_rows: {{
        'all': cell_rows,
        'names': list_filter(map_keys(cell_rows[1]), lambda name: not list_contains({no_dimensions}, name))
    }}),
    lambda s: {{
        'all': s.all,
        'names': s.names,
        'varied': list_filter(s.names, lambda name:
            len(list_distinct(list_transform(s.all, lambda x: coalesce(x[name], '')))) > 1),
        'mixed': list_filter(s.names, lambda name: name <> 'sub_component'
            and list_contains(list_transform(s.all, lambda x: x[name]), '{total}')
            and len(list_distinct(list_transform(s.all, lambda x: x[name]))) > 1),
        'paths': list_distinct(list_transform(s.all, lambda x:
            coalesce(x['component'], '') || chr(31) || coalesce(x['sub_component'], '{total}'))),
        'keys': list_distinct(list_transform(s.all, lambda x:
            list_aggregate(list_transform(s.names, lambda name: coalesce(x[name], '')), 'string_agg', chr(31)))),
        'over': list_filter(({additive})[measure], lambda name:
            name = '{by_frequency}' or not list_contains(s.names, '{by_frequency}')),
        'absent': coalesce(({absent})[array_to_string(list_sort(s.names), ',')], {absent_somewhere}),
        'kinds': list_sort(list_distinct(list_transform(s.all, lambda x: x['period_kind']))),
        'first': list_min(list_transform(s.all, lambda x: x['period'])),
        'last': list_max(list_transform(s.all, lambda x: x['period']))
    }}),
    lambda s: case
        when s.all is null then null
        when not list_contains({measures}, measure) then error(
            'checked_sum: ' || measure || ' does not add up; sums are of ' || array_to_string({measures}, ', '))
        when not list_has_all(map_keys(s.all[1]), {needed} || [measure]) then error(
            'checked_sum: it must see whole rows with ' || array_to_string({needed} || [measure], ', ')
            || ': write checked_sum(t, ''' || measure || ''') from a_table as t')
        when len(s.kinds) > 1 then error(
            'checked_sum: these rows are of several kinds of period (' || array_to_string(s.kinds, ', ')
            || '), which are made of the same days; keep one period_kind')
        when len(s.mixed) > 0 then error(
            'checked_sum: these rows hold totals ({total}) of ' || array_to_string(s.mixed, ', ')
            || ' beside their parts, which would count twice; keep the one or the other')
        when list_bool_or(list_transform(s.paths, lambda path: list_has_any(s.paths,
            [regexp_replace(path, '{sub}.+$', chr(31) || '{total}')]
            || list_transform(range(1, len(string_split(path, '/'))), lambda depth:
                array_to_string(string_split(path, '/')[1:depth], '/')))
            and not ends_with(path, chr(31) || '{total}'))) then error(
            'checked_sum: these rows hold a component''s total, or a part''s, beside the parts of it, which would '
            || 'count twice; keep one level of sub_component')
        when len(s.keys) < len(s.all) then error(
            'checked_sum: the same row comes more than once: a join multiplied rows, or a column that tells them '
            || 'apart was left out')
        when len(list_filter(s.varied, lambda name: not list_contains(s.over, name))) > 0 then error(
            'checked_sum: ' || measure || ' of this table do not add up over '
            || array_to_string(list_filter(s.varied, lambda name: not list_contains(s.over, name)), ', ')
            || ': the same ones may be counted in several rows; group by it, or take the row of the whole ({total}, or '
            || 'the week or month)')
        when len(list_filter(s.names, lambda name: list_contains({bins}, name)
            and s.all[1][name] <> '{total}')) > 0 and list_contains(s.varied, 'period') then error(
            'checked_sum: the bins of ' || array_to_string(list_filter(s.names, lambda name:
            list_contains({bins}, name)), ', ') || ' differ from period to period; group by period, or take {total}')
        when len(list_filter(s.absent, lambda period: period > s.first and period < s.last
            and len(period) = len(s.first))) > 0 then error(
            'checked_sum: between the first and the last of these periods some were not released, or are not in this '
            || 'table (' || array_to_string(list_filter(s.absent, lambda period: period > s.first and period < s.last
            and len(period) = len(s.first)), ', ') || '): the sum would be too small; sum before and after')
        when list_bool_or(list_transform(s.all, lambda x: x[measure] is null)) then null
        else cast(list_sum(list_transform(s.all, lambda x: cast(x[measure] as bigint))) as bigint)
    end)[1]
"""


def checked_sum_macro(absent: Mapping[tuple[str, ...], Collection[str]]) -> str:
    """The statement that creates the macro.

    Args:
        absent: dimensions of a table → codes of the periods that it lacks between those that it has. Rows of which
            columns were left out may be of any table: then what any of them lacks is taken as absent.
    """
    over: dict[str, tuple[str, ...]] = dict.fromkeys(_SUMMED, ())
    over.update(ADDITIVE_OVER.items())
    return _MACRO.format(
        no_dimensions=_list([*_NO_DIMENSIONS, *_SUMMED]),
        needed=_list(["period", *_ABOUT_THE_PERIOD, "status"]),
        measures=_list(_SUMMED),
        additive=_map({measure: _columns(names) for measure, names in over.items()}),
        by_frequency=_BY_FREQUENCY,
        bins=_list(_BINS),
        absent=_map({",".join(sorted(["period", *names])): codes for names, codes in absent.items()}),
        absent_somewhere=_list(sorted({code for codes in absent.values() for code in codes})),
        total=TOTAL,
        sub="\x1f",
    )


def _columns(over: Iterable[str]) -> Iterable[str]:
    return (name for name in over if name == "period" or name in DIMENSIONS)


def _map(values: Mapping[str, Iterable[str]]) -> str:
    pairs = ", ".join(f"{literal(key)}: {_list(listed)}" for key, listed in values.items())
    return f"cast(map {{{pairs}}} as map(varchar, varchar[]))"


def _list(values: Iterable[str]) -> str:
    return f"cast([{', '.join(map(literal, values))}] as varchar[])"
