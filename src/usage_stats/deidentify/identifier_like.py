"""A token of a URL → whether it looks as if it stood for someone or something single, rather than for a word.

Belongs here: the shapes of numbers, codes, addresses and tokens. Does not: how many asked for it (propose.py).

Default deny: what cannot be judged looks like an identifier. A person's name is a word, and passes: this rule stands
beside a minimum of clients, never in its place.
"""

from __future__ import annotations

import re
import string
import unicodedata
from itertools import pairwise

__all__ = ["looks_like_identifier"]

_LONGEST = 32  # a word or a few; a UUID without hyphens has 32, other tokens more
_MOST_DIGITS = 2  # mp3, covid19, html5; three digits number things
_LONGEST_UNJUDGED = 5  # letters (faq, html, xml): too few to be judged, and to be a secret
_PAGE = re.compile(r"\.(?:html?|php\d?|aspx?|jsp|cgi)\Z", re.IGNORECASE)
_PLAIN = re.compile(r"[A-Za-z0-9]+(?:[_-][A-Za-z0-9]+)*", re.ASCII)
_HEX = re.compile(r"[0-9a-f]{8,}|(?<![a-z])(?=[0-9a-f]*\d[0-9a-f]*)[0-9a-f]{6,}", re.IGNORECASE)
# The words that capitals part: AboutUs, phpMyAdmin. Random letters part into one or two of them each.
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_MOST_WORDS, _LEAST_LETTERS = 3, 3
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})

# How common a pair of letters is in words of English, German or French, whichever has it most: row for the first
# letter, column for the second, in twos' logarithm above 1/64 of even odds (6 is even). Counted over the distinct
# words of Debian's wamerican 2020.12.07, wngerman 20161207 and wfrench 1.2.7.
_PAIRS = """
37878676936989275999965464
75129353723723710765623044
80508009707600903757700050
73259253821633720663633041
88898788946999574999776659
73018642702623620657603044
73019266704636610776702042
84129342704766720778626053
86879783315879966899471307
50004000300000500000500000
73017233702625720667622043
95469453904846842278742084
86339342803473770265612042
86899695837548744599655146
66767565715879775977967454
82118606701721760866601040
00000000000000000000800000
97679666926667954688855066
95939568905665774499745055
95529458903643830887734067
76669764714779463887053524
70008000700000700520300010
72037105702415610451500010
40304002500000240004200120
53435122500444440453203001
53007211701310410025815024
""".split()  # noqa: SIM905 a table reads best as one
# Over 24,000 words of these lists, fewer than one in a hundred is refused by both limits; of random letters, twelve
# in a row pass one time in a hundred.
_LEAST_MEAN = 5.75
_RARE = 3  # a pair at or below this level is rare; one is a loan word's, two are chance's


def looks_like_identifier(token: str | bytes) -> bool:
    """Whether a token is no word or few words: digits, UUID, e-mail address, hexadecimal, base64, telephone, long."""
    text = _letters(token)
    if text is None or len(text) > _LONGEST:
        return True
    text = _PAGE.sub("", text)
    if not _PLAIN.fullmatch(text) or _HEX.search(text) or sum(map(str.isdigit, text)) > _MOST_DIGITS:
        return True
    if not re.search(r"[A-Za-z]", text):
        return True
    parts = re.split(r"[_-]", text)
    is_short = len(parts) == 1 and len(text) <= _LONGEST_UNJUDGED  # b2b, i18n, VoIP
    return not is_short and not all(_reads_like_a_word(part) for part in parts)


def _letters(token: str | bytes) -> str | None:
    """The token in ASCII, accents taken off; None of what cannot be written so."""
    try:
        text = token.decode("utf-8") if isinstance(token, bytes) else token
        plain = unicodedata.normalize("NFKD", text[: _LONGEST + 1].translate(_UMLAUTS))
        plain.encode("utf-8")
    except UnicodeError:
        return None
    bare = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return bare if bare.isascii() else None


def _reads_like_a_word(part: str) -> bool:
    """Whether a part between hyphens is a word, perhaps of several with capitals, with a digit or two at an end."""
    word = part.strip(string.digits)
    if len(part) <= _LONGEST_UNJUDGED:
        return word in {word.lower(), word.upper(), word.capitalize()}
    humps = _WORDS.findall(word)
    if not word.isalpha() or len(humps) > _MOST_WORDS or len(word) < _LEAST_LETTERS * len(humps):
        return False
    levels = [int(_PAIRS[ord(a) - 97][ord(b) - 97]) for a, b in pairwise(word.lower())]
    rare = sum(level <= _RARE for level in levels)
    return not levels or (sum(levels) / len(levels) >= _LEAST_MEAN and rare <= 1 + len(word) // 12)
