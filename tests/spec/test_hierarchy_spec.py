"""Disclosure control of components with sub-components, drawn. Five persons are the minimum."""

from drawn_tables import draw, statuses

from usage_stats.config import Thresholds

DAY = "2027-02-01"


def test_small_sub_component_is_hidden_among_its_sisters():
    """A sub-component below the minimum takes a sister with it; nothing above or beside needs to go."""
    drawing = draw("""
        place       2027-02-01
        shop/basket 1-3
        shop/search 4-20
        shop/list   21-50
        news        51-90
    """)

    expected = {
        "_T": "safe",
        "shop": "safe",
        "shop/basket": "primary",
        "shop/search": "secondary",
        "shop/list": "safe",
        "news": "safe",
    }

    assert expected == statuses(drawing, DAY)


def test_component_below_the_minimum_hides_with_its_parts_and_a_sister():
    """Its sub-components are smaller still; the site's total needs a second component withheld."""
    drawing = draw("""
        place       2027-02-01
        shop/basket 1-2
        shop/list   3-4
        news        11-30
        blog        31-60
    """)

    expected = {
        "_T": "safe",
        "shop": "primary",
        "shop/basket": "primary",
        "shop/list": "primary",
        "news": "secondary",
        "blog": "safe",
    }

    assert expected == statuses(drawing, DAY)


def test_only_sub_component_with_visitors_is_its_component():
    """Where all other parts are zero, part and whole are one figure: both are published or neither is."""
    drawing = draw("""
        place       2027-02-01
        shop/basket 1-3
        shop/list   -
        news        11-30
        blog        31-60
    """)

    expected = {
        "_T": "safe",
        "shop": "primary",
        "shop/basket": "primary",
        "shop/list": "zero",
        "news": "secondary",
        "blog": "safe",
    }

    assert expected == statuses(drawing, DAY)


def test_published_sub_component_does_not_undo_its_withheld_component():
    """A withheld component that equals its published sub-component would be no companion at all.

    `jobs` has 3 persons and needs a companion. `shop` is smallest, but all of it is `shop/list`: whoever
    reads that has `shop`, and so the total less `news` and `shop/list` is `jobs`.
    """
    drawing = draw("""
        place       2027-02-01
        shop/basket -
        shop/list   1-20
        news        21-60
        jobs        61-63
    """)
    found = statuses(drawing, DAY)
    companions = [place for place in ("shop", "news") if found[place] != "safe"]

    assert companions == ["news"] or found["shop/list"] == found["shop"] == "secondary"


def test_withheld_sub_component_of_a_withheld_component_is_no_crowd():
    """The total less published components and sub-components is a figure too: it may not be about two persons.

    `jobs` and `shop/basket` have one person each. If `shop` is withheld to hide `jobs`, and of its parts only
    the basket, then the total less `news` less `shop/list` are the page views of these two persons alone.
    """
    drawing = draw(
        """
        place       2027-02-01
        shop/basket 13
        shop/list   1-12
        news        21-60
        jobs        61
        """,
        views={(DAY, "shop/basket"): 50, (DAY, "jobs"): 60},
    )
    found = statuses(drawing, DAY)
    beside = [place for place in ("shop/list", "news", "_T") if found[place] != "safe"]

    assert beside, f"only two persons are left over: {found}"


def test_company_is_not_worked_out_through_a_withheld_neighbour():
    """A cell of one network stays hidden even where it is surely about many persons.

    `supply` are forty persons of one company. Withholding `shop` beside it hides nothing, for all of `shop`
    is the published `shop/list`: the total less `news` and `shop/list` would be the company's page views.
    """
    drawing = draw(
        """
        place       2027-02-01
        shop/basket -
        shop/list   1-50
        news        51-150
        supply      151-190
        """,
        networks=dict.fromkeys(range(151, 191), "company"),
    )
    found = statuses(drawing, DAY, Thresholds(minimum_persons=5, minimum_networks=3, protection_share=0.1))
    companions = [place for place in ("shop/list", "news", "_T") if found[place] != "safe"]

    assert companions, f"the company's page views can be worked out: {found}"
