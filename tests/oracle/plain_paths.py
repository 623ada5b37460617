"""The settings file and a request's target → the part of the site it belongs to, and whether it is a page.

Belongs here: the path rules as the settings file describes them, matched segment by segment. Does not: anything of the
pipeline.
"""

from urllib.parse import unquote_to_bytes

import yaml

OTHER = "(other)"
# Requests for these are no page views, as README's format and the settings' defaults have it; typed out again.
ASSETS = set(
    b"""
7z apk atom avi avif bmp bz2 cjs class css csv deb dmg doc docx eot exe flv gif gz ico iso jar jpeg jpg js json
jsonld m3u8 m4a m4s m4v map mid midi mjs mov mp3 mp4 mpeg mpg msi odp ods odt ogg ogv opus otf pdf png ppt pptx psd
rar rdf rpm rss rtf svg svgz swf tar tgz tif tiff ts ttf txt wasm wav webm webmanifest webp wma wmv woff woff2 xls
xlsx xml xsl xz zip
""".split()
)


def settings_of(root):
    """What `usage_stats.yaml` of a workspace says."""
    return yaml.safe_load((root / "usage_stats.yaml").read_bytes())


def path_of(target):
    """The decoded path of a target without query, fragment and parameters; None for another site's."""
    if not target.startswith(b"/"):
        return None
    for end in (b"?", b"#", b";"):
        target = target.partition(end)[0]
    path = unquote_to_bytes(target)
    while b"//" in path:
        path = path.replace(b"//", b"/")
    return path


def is_asset(path):
    """Whether the last segment ends in an extension of a file."""
    _, dot, extension = path.rpartition(b"/")[2].rpartition(b".")
    return bool(dot) and extension.lower() in ASSETS


def fits(pattern, path):
    """Whether a path is one that a pattern means: `*` within a segment, `/**` at the end any rest, also none."""
    if pattern.endswith("/**"):
        whole = pattern.removesuffix("/**").encode()
        ends = [place for place in range(len(path)) if path[place : place + 1] == b"/"]
        return any(_same(whole, path[:end]) for end in [*ends, len(path)])
    return _same(pattern.encode(), path)


def _same(pattern, path):
    """Segment by segment, where `*` stands for any characters of one."""
    wanted, found = pattern.split(b"/"), path.split(b"/")
    return len(wanted) == len(found) and all(map(_fits_segment, wanted, found))


def _fits_segment(wanted, found):
    first, *rest = wanted.split(b"*")
    if not rest:
        return first == found
    if not found.startswith(first):
        return False
    place, last = len(first), rest.pop()
    for part in rest:
        place = found.find(part, place)
        if place < 0:
            return False
        place += len(part)
    return found.endswith(last) and len(found) - len(last) >= place


def place_of(components, path):
    """The names from the component down to the deepest part whose rule fits, `(other)` where none does."""
    for component in components:
        if any(fits(pattern, path) for pattern in component["paths"]):
            below = component.get("sub_components", ())
            return (component["name"], *(place_of(below, path) if below else ()))
    return (OTHER,)


def places_below(components, whole=()):
    """Every code of the components: (component,) and (component, sub, deeper …), the rests too."""
    for component in components:
        place = (*whole, component["name"])
        yield place
        if component.get("sub_components"):
            yield from places_below(component["sub_components"], place)
    yield (*whole, OTHER)
