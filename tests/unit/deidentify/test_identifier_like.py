import base64
import random
import secrets
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_stats.deidentify.identifier_like import looks_like_identifier

# Words as paths of sites have them: English, German, and the web's own.
WORDS = """
about about-us AboutUs account accounts admin agb aktuelles album albums alumni analytics angebote anfahrt animals api
apps archive archives archiv arbeit article articles artikel audio authors autoren awards ausstellungen basket berlin
beratung bestellung bibliothek bilder blog blogs board books bücher brand brands branches browse bundles business
cafe calendar campus careers cart cases catalog catalogue categories category cgi-bin chat checkout children city
clients cloud club code comments community company components computer conference contact contact-us contacts content
contents cookies corporate courses covid19 culture customers dashboard data data-requests dates datenschutz demo
departments design developers development dienste documentation documents docs dokumente download downloads drupal
eBooks economy education einkaufen elements email energy engineering english equipment events examples experts explore
faculty families familie fahrplan FAQ faq features feedback feeds films finance firma fonts food forschung forum
forums foundation fragen gallery galerie games garden geschichte gesundheit gifts global glossary groups guide guides
health help hilfe history holidays home hotels html5 images imprint impressum index index.html index.php industry info
information insights international internet investors iPhone issues JavaScript jobs journal journals kalender karriere
kids kinder kontakt kultur kunden kurse language lectures legal lehre library links lists login logout machines
magazine mail manual maps market marketing materials media mediathek members members-area menu mission mobile models
money mp3 museum music nachrichten network neuigkeiten news news_archive newsletter notes offers office online orders
organisation overview pages partner partners people philosophy photos php planung podcast policies politics portal
portfolio posts preise presse press pressemitteilungen privacy privacy-policy produkte products profile programme
projects projekte publications publikationen questions recipes reference register registrierung reisen releases
reports research resources reviews rezepte rooms sales schedule schools science search security seminare service
services settings shipping shop shopping signup sitemap society software solutions speakers spenden sponsors sports
sprachen stadt staff standorte startseite statistics stellenangebote stories students studies studium studenten style
subscribe suche support survey tags team teachers technology termine terms themes tickets tools topics tours training
travel tutorials unternehmen über-uns university updates uploads users veranstaltungen verein verlag videos
vorlesungen warenkorb webinars werbung wetter wiki wissenschaft WordPress workshops wp-content zeitschrift zeitung
""".split()  # noqa: SIM905 words read best as a text
HEX = "0123456789abcdef"


def _joined(alphabet, shortest, longest):
    return st.text(st.sampled_from(alphabet), min_size=shortest, max_size=longest)


def test_words_are_words():
    """Of three hundred words that sites use in their paths, 97 of a hundred may be proposed."""
    refused = [word for word in WORDS if looks_like_identifier(word)]

    assert len(WORDS) > 300
    assert len(refused) / len(WORDS) <= 0.03, refused


@given(st.uuids())
def test_no_uuid_passes(value):
    """However it is written."""
    for text in (str(value), value.hex, str(value).upper(), f"u-{value.hex[:12]}"):
        assert looks_like_identifier(text)


@given(st.emails())
def test_no_address_of_mail_passes(address):
    """Nor one that is encoded, as bytes of a path are."""
    assert looks_like_identifier(address)
    assert looks_like_identifier(address.encode("utf-8", "replace").replace(b"@", b"%40"))


@given(st.binary(min_size=18, max_size=48))
def test_no_token_in_base64_passes(value):
    """What `secrets.token_urlsafe` gives, from 18 bytes of chance on."""
    chance = random.Random(value).randbytes(len(value))

    assert looks_like_identifier(base64.urlsafe_b64encode(chance).rstrip(b"="))


def test_no_token_of_the_usual_length_passes():
    """The default of `secrets`, and half of it, a thousand times each."""
    passed = [
        t for n in (24, 32) for _ in range(1000) if not looks_like_identifier(t := secrets.token_urlsafe(n))
    ]

    assert [] == passed


@given(_joined(HEX, 8, 40))
def test_nothing_hexadecimal_passes(text):
    """Eight signs of it are a digest, a session or an order."""
    assert looks_like_identifier(text)


@given(_joined(string.digits + "-+. ()", 1, 20).filter(lambda t: any(c.isdigit() for c in t)))
def test_no_number_passes(text):
    """Telephones, customers, dates, articles: a number is somebody's."""
    assert looks_like_identifier(text)


@given(_joined(string.ascii_lowercase, 1, 8), st.integers(100, 10**9))
def test_a_word_with_a_number_does_not_pass(word, number):
    """user123 is a user."""
    assert looks_like_identifier(f"{word}{number}")
    assert looks_like_identifier(f"{word}-{number}")


@given(st.text(max_size=60) | st.binary(max_size=60))
def test_any_token_is_judged(token):
    """Nothing is raised, and what is no text looks like an identifier."""
    assert looks_like_identifier(token) in {True, False}


@pytest.mark.parametrize(
    "token",
    [
        *(
            "",
            "~ada",
            "ada.lovelace",
            "a b",
            "=cmd",
            "x" * 33,
            "12",
            "user_2026",
            "jsessionid=1",
            "x@y",
            "a%20b",
        ),
        *("aB3dE5fG7hJ9", "qxzvkjwq", "deadbeef", "MZXW6YTBOI", "Привет", "\ud800", b"\xff\xfe"),
    ],
)
def test_what_is_no_word_does_not_pass(token):
    """Homes of users, dotted names, codes, other scripts: what cannot be judged is not proposed."""
    assert looks_like_identifier(token)


def test_random_letters_hardly_pass():
    """Of twenty letters in a row drawn by chance, not one run in fifty reads like a word."""
    chance = random.Random(7)
    runs = ["".join(chance.choices(string.ascii_lowercase, k=20)) for _ in range(2000)]

    assert sum(not looks_like_identifier(run) for run in runs) / len(runs) < 0.02
