import numpy as np
import pytest

from usage_stats.synthetic.agents import browser_agents
from usage_stats.synthetic.people import IPV6, NOBODY, OFFICE_SIZE, identities, make_people, networks
from usage_stats.synthetic.requests import address_text


@pytest.fixture(scope="module")
def people():
    """As many as the sample's usual size has."""
    return make_people(np.random.default_rng(5), 12_500, len(browser_agents()))


def _without_cookie(people):
    some = people.cookies == NOBODY
    return people.accounts[some], people.cookies[some], people.addresses[some, 0], people.agents[some]


def test_people_without_cookies_who_share_address_and_browser_are_one(people):
    """The figures count identities: some two humans cannot be told apart, by definition."""
    seen = identities(*_without_cookie(people))

    assert 10 < len(seen) - len(set(seen.tolist())) < len(seen) * 0.05


def test_people_behind_one_address_with_other_browsers_are_several(people):
    """An address is no person: without cookies the browser tells its people apart."""
    _, _, addresses, agents = _without_cookie(people)
    pairs = set(zip(addresses.tolist(), agents.tolist(), strict=True))

    assert len(pairs) > len(set(addresses.tolist())) + 10


def test_people_without_cookies_keep_one_address(people):
    """Theirs is the same at any hour; people with cookies move between networks."""
    same = people.addresses == people.addresses[:, :1]

    assert same[people.cookies == NOBODY].all()
    assert not same[people.cookies != NOBODY].all()


def test_some_accounts_are_used_on_two_devices(people):
    """Two devices with their own cookies and one account are one visitor when logged in."""
    accounts = people.accounts[people.accounts != NOBODY]
    devices = np.unique(accounts, return_counts=True)[1]

    assert (devices.min(), devices.max()) == (1, 2)


def test_an_account_goes_before_a_cookie_and_a_cookie_before_an_address():
    """Identities differ by the first basis present and by nothing after it."""
    accounts, cookies = np.array([4, 4, -1, -1, -1, -1]), np.array([1, 2, 3, 3, -1, -1])
    seen = identities(accounts, cookies, np.array([9, 8, 7, 6, 5, 5]), np.array([0, 1, 2, 3, 4, 5])).tolist()

    expected = [0, 0, 2, 2, 4, 5]

    assert expected == [seen.index(identity) for identity in seen]


def test_the_office_shares_two_networks(people):
    """Forty-five people with cookies, two addresses."""
    office = people.addresses[:OFFICE_SIZE]

    assert len(np.unique(networks(office))) == 2
    assert (people.cookies[:OFFICE_SIZE] != NOBODY).all()


def test_addresses_are_written_as_servers_write_them():
    """Dotted bytes for IPv4; groups without leading zeros for IPv6."""
    keys = np.array([0xCB007114, IPV6 + (0xAB << 16) + 5])
    hosts = np.array([[1, 1, 1, 1], [0xBEEF, 2, 0x30, 4]])
    expected = ["203.0.113.20", "2001:db8:ab:5:beef:2:30:4"]

    assert expected == address_text(keys, hosts).to_list()
