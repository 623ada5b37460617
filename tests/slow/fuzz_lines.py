"""A fuzzer's bytes → a log of some format, read by every path; ends with an error where two paths disagree.

    python tests/slow/fuzz_lines.py [CORPUS] -max_total_time=SECONDS

The first byte chooses the format, the second who is who and how the bytes are packed, the third where packed ones
are cut; the rest is the log. What is found is written to crash-* files by libFuzzer; give one as the only argument to
see it again.

Belongs here: what is compared, and how bytes are mutated. Does not: how long (test_fuzz_lines).
"""

import gzip
import sys
import tempfile
from collections import Counter
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "unit/accesslog"))
# The compiled loops cannot be watched (numba refuses bytecode that is); the exact parsers, which know what is odd, can.
import usage_stats.accesslog.kernel  # noqa: F401 out of the watch, by being there before

with atheris.instrument_imports(include=["usage_stats.accesslog"]):
    from agreement import ODD_BYTES, SEED, compare, rows_of
    from written_lines import VALUES, Writer

    from usage_stats.accesslog.batch import BatchParser
    from usage_stats.accesslog.fast import compiled_path
    from usage_stats.accesslog.formats import NAMED_FORMATS, compile_format
    from usage_stats.accesslog.lines import lines_of
    from usage_stats.accesslog.read import read_blocks
    from usage_stats.errors import InputError

TEMPLATES = (
    r'%h %l %u %t "%r" %>s %b %D',
    r'%v:%p %h %u [%D] %t "%r" %>s %{User-Agent}i',
    r'%h|%u|%{sec}t|"%r"|%>s|"%{User-Agent}i"|%{visitor}C',
    '$remote_addr\t$remote_user\t$msec\t"$request"\t$status\t$http_referer',
)
FORMATS = (*NAMED_FORMATS, *map(compile_format, TEMPLATES))
KEPT = (
    {"account": "user", "cookie": None},
    {"account": None, "cookie": "visitor"},
    {"account": "ident", "cookie": None},
    {"account": "cookie.visitor", "cookie": "visitor"},
)
OTHERS = frozenset({"forwarded", "gpc", "dnt", "query"})  # the exact parser always tells them
COMPARED, PLAIN_FILE, PACKED_FILE = 0, 1, 2
ODD_VALUES = sorted(
    {value for pools in VALUES.values() for pool in pools for value in pool if len(value) < 300}
)


def _read(path, log_format, kept, *, is_compiled):
    """Lines, what the hits say, and the reasons of the other lines; a break in packed data ends the log."""
    exact = log_format.parser(**kept)
    fast = compiled_path(log_format, exact, **kept, others=OTHERS, seed=SEED) if is_compiled else None
    parser = BatchParser(exact, SEED, fast)
    lines, hits, reasons = 0, Counter(), Counter()
    for batch in lines_of(read_blocks(path, on_break=lambda _: None)):
        for part in parser.parts(batch):
            parsed = parser.read(part)
            lines += len(part)
            reasons += parsed.reasons
            for columns in parsed.hits:
                hits.update(rows_of(columns))
    for columns in parser.rest():
        hits.update(rows_of(columns))
    return lines, hits, reasons


def _check_file(content, log_format, kept):
    with tempfile.NamedTemporaryFile(dir=SCRATCH) as file:
        file.write(content)
        file.flush()
        try:
            exact = _read(Path(file.name), log_format, kept, is_compiled=False)
        except InputError:  # what is no log at all, such as an archive, is refused
            return
        fast = _read(Path(file.name), log_format, kept, is_compiled=True)
    assert exact[0] == exact[1].total() + exact[2].total(), "lines are not hits + reasons"
    assert exact == fast, "the paths differ over a file"


def check(data):
    """One execution: any bytes in, nothing out; raises where a law is broken."""
    if len(data) < 4:
        return
    log_format, kept = FORMATS[data[0] % len(FORMATS)], KEPT[data[1] & 3]
    content, mode = data[3:], (data[1] >> 2) % 3
    if mode == PACKED_FILE:
        packed = gzip.compress(content, 1, mtime=0)
        content = packed[: len(packed) - data[2] % 64]
    if mode != COMPARED:
        _check_file(content, log_format, kept)
        return
    parser = log_format.parser(**kept)
    if not content.startswith(b"#") and compiled_path(log_format, parser, **kept, seed=SEED) is not None:
        lines = [line for line in content.split(b"\n") if line[:1] != b"#"]
        differing = compare(log_format, lines, **kept, ends=b"\n" if data[2] & 1 else b"").differing
        assert not differing, f"{log_format.name}: {differing[0]}"


def mutate(data, max_size, seed):
    """Mutations of libFuzzer's own, and values that are odd in logs put in at a word's edge."""
    if seed % 3 == 0 or len(data) < 8:
        return atheris.Mutate(data, max_size)
    place = 3 + seed // 3 % (len(data) - 3)
    if seed % 3 == 1:
        odd = bytes([ODD_BYTES[seed // 7 % len(ODD_BYTES)]])
        return (data[:place] + odd + data[place + seed // 13 % 2 :])[:max_size]
    edges = [at for at, byte in enumerate(data) if byte in b' "[]\t|,:' and at >= 3] or [place]
    start = edges[seed // 3 % len(edges)] + 1
    end = next((at for at in edges if at >= start), len(data))
    return (data[:start] + ODD_VALUES[seed // 11 % len(ODD_VALUES)] + data[end:])[:max_size]


def seeds():
    """A log of plain lines for each format and way."""
    for index, log_format in enumerate(FORMATS):
        lines = [log_format.example] if log_format.example else [Writer(log_format).plain()]
        for way in range(12):
            yield bytes([index, way, way * 5]) + b"\n".join([*lines, lines[0].replace(b"192.0.2.7", b"::1")])


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as SCRATCH:
        corpus = Path(SCRATCH) / "seeds"
        corpus.mkdir()
        for number, seed in enumerate(seeds()):
            (corpus / f"{number:04}").write_bytes(seed)
        given = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
        again = len(given) == 1 and Path(given[0]).is_file()
        atheris.Setup([*sys.argv, *([] if again else [str(corpus)])], check, custom_mutator=mutate)
        atheris.Fuzz()
