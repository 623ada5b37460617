"""A page in memory → what a reader finds in it, by the standard library's parser of HTML."""

from collections import defaultdict
from html.parser import HTMLParser

THIN = "\N{NARROW NO-BREAK SPACE}"
VOID = {"meta", "link", "img", "br", "input"}


class Element:
    """An element with its attributes, elements and text."""

    def __init__(self, tag, attributes, parent):
        self.tag, self.attributes, self.parent = tag, dict(attributes), parent
        self.children, self.parts = [], []

    def all(self, *tags):
        """Every element below of these kinds, in order."""
        found = [self] if self.tag in tags else []
        return found + [one for child in self.children for one in child.all(*tags)]

    def one(self, tag, **attributes):
        """The element of a kind and with these attributes."""
        found = [
            e
            for e in self.all(tag)
            if all(e.attributes.get(k.strip("_")) == v for k, v in attributes.items())
        ]
        (only,) = found
        return only

    @property
    def text(self):
        """All text in it."""
        return "".join(part if isinstance(part, str) else part.text for part in self.parts)

    @property
    def everything(self):
        """It and all elements below."""
        return [self, *(one for child in self.children for one in child.everything)]


class _Parser(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.top = self.here = Element("top", {}, None)

    def handle_starttag(self, tag, attrs):
        element = Element(tag, attrs, self.here)
        self.here.children.append(element)
        self.here.parts.append(element)
        if tag not in VOID:
            self.here = element

    def handle_startendtag(self, tag, attrs):
        element = Element(tag, attrs, self.here)
        self.here.children.append(element)
        self.here.parts.append(element)

    def handle_endtag(self, tag):
        assert tag == self.here.tag, f"</{tag}> in <{self.here.tag}>"
        self.here = self.here.parent

    def handle_data(self, data):
        self.here.parts.append(data)


def read_page(content):
    """The page's elements; each is closed where it should be."""
    parser = _Parser()
    parser.feed(content.decode("utf-8"))
    parser.close()
    assert parser.here is parser.top
    return parser.top


def tables(page):
    """Title of each section with a table → headings and rows, as texts."""
    found = {}
    for section in page.all("section"):
        for table in section.all("table"):
            rows = [[cell.text for cell in row.all("th", "td")] for row in table.all("tr")]
            found[section.all("h2")[0].text] = rows
    return found


def cards(page):
    """Name of each figure of the whole site → its text, and the sentences of change."""
    found = defaultdict(list)
    for card in page.all("div"):
        if card.attributes.get("class") == "card":
            found[card.all("dt")[0].text] = [said.text for said in card.all("dd")]
    return dict(found)


def number(text):
    """A figure as a number; a percentage as a share."""
    plain = text.replace(THIN, "").replace("\N{MINUS SIGN}", "-")
    return float(plain[:-1]) / 100 if plain.endswith("%") else float(plain)
