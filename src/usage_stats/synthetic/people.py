"""A number of people → how the server recognises each: cookie, account, addresses, browser.

Belongs here: identities and the networks they come from.
Does not: when anyone visits, or what they look at.

An address is one whole number, its *key*: the 32 bits of an IPv4 address, or `IPV6` plus the third
and fourth group of an IPv6 address, which is its /64. A network is the key without its last 8 bits
(an IPv4 /24) or without its fourth group (an IPv6 /48).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from usage_stats.synthetic.draw import Bools, Floats, Ints, choose, zipf

__all__ = ["IPV6", "NOBODY", "OFFICE_SIZE", "People", "identities", "make_people", "networks"]

NOBODY = -1  # no cookie, no account
IPV6 = 1 << 40  # above every IPv4 key
BASIS_SHIFT = 60  # identities of different bases never meet: the basis sits above the number

OFFICE_SIZE = 45
# One address each in two networks: below the default minimum of three networks.
OFFICE_ADDRESSES = (0xCB007114, 0xC6124D04)  # 203.0.113.20 and 198.18.77.4

COOKIE_SHARE = 0.65
IPV6_SHARE = 0.15
# 15 % of the people with a cookie have an account and use it in about half of their visits (see
# visits.py): some 8 % of the cookie visitors' visits carry an account name.
ACCOUNT_SHARE = 0.15
SHARED_ADDRESS_SHARE = 0.08  # of the people without cookies: a family behind one router
SHARED_AGENT_SHARE = 0.4  # of these have the same browser, too: without cookies, one identity
ACTIVITY_SIGMA = 1.1  # of a lognormal: the busiest hundredth makes a tenth of the visits
AGENT_ZIPF = 0.8


@dataclass(frozen=True, slots=True)
class People:
    """One entry per person; the first `OFFICE_SIZE` work in the office. `addresses` is (people, 3)."""

    activity: Floats
    agents: Ints
    cookies: Ints
    accounts: Ints
    addresses: Ints
    cookie_groups: Ints

    def __len__(self) -> int:
        return len(self.activity)


def make_people(rng: np.random.Generator, count: int, agents: int) -> People:
    """Invent people; a person without a cookie keeps one address and one browser throughout."""
    activity = rng.lognormal(0, ACTIVITY_SIGMA, count)
    activity[:OFFICE_SIZE] = 0  # they come in office hours, drawn apart
    has_cookie = rng.random(count) < COOKIE_SHARE
    has_cookie[:OFFICE_SIZE] = True
    agent = choose(rng, zipf(agents, AGENT_ZIPF), count)
    shares = ~has_cookie & (rng.random(count) < SHARED_ADDRESS_SHARE)
    same_agent = shares & (rng.random(count) < SHARED_AGENT_SHARE)
    return People(
        activity=activity,
        agents=np.where(same_agent, np.roll(agent, 1), agent),
        cookies=np.where(has_cookie, np.arange(count), NOBODY),
        accounts=_accounts(rng, has_cookie),
        addresses=_addresses(rng, has_cookie, shares),
        cookie_groups=rng.integers(0, 1 << 16, (count, 5)),
    )


def networks(addresses: Ints) -> Ints:
    """The IPv4 /24 or IPv6 /48 of each address key."""
    return np.where(addresses >= IPV6, (addresses >> 16) << 16, addresses >> 8)


def identities(accounts: Ints, cookies: Ints, addresses: Ints, agents: Ints) -> Ints:
    """Whom the server sees: by account, else by cookie, else by address (IPv6: its /64) and agent."""
    by_account = (1 << BASIS_SHIFT) + accounts
    by_cookie = (2 << BASIS_SHIFT) + cookies
    by_address = (3 << BASIS_SHIFT) + (addresses << 8) + agents  # fewer than 2**8 browsers exist
    return np.where(accounts != NOBODY, by_account, np.where(cookies != NOBODY, by_cookie, by_address))


def _accounts(rng: np.random.Generator, has_cookie: Bools) -> Ints:
    """Account of each person; one in ten accounts is used on two devices, which count as one visitor."""
    holds = has_cookie & (rng.random(len(has_cookie)) < ACCOUNT_SHARE)
    number = np.cumsum(holds)
    second_device = holds & (number % 10 == 1) & (number > 1)
    return np.where(holds, number - second_device, NOBODY)


def _addresses(rng: np.random.Generator, has_cookie: Bools, shares: Bools) -> Ints:
    """Home, mobile and work address; those who share have their neighbour's."""
    count = len(has_cookie)
    home = np.where(rng.random(count) < IPV6_SHARE, _ipv6(rng, count), _ipv4_homes(count))
    home = np.where(shares, np.roll(home, 1), home)
    mobile = 0x64400000 + choose(rng, zipf(400, 0.5), count) * 61  # carriers share 400 of 100.64.0.0/10
    work = 0x0AF00000 + rng.integers(0, 1 << 16, count)  # 10.240.0.0/16, unlike any home
    elsewhere = has_cookie[:, None]
    addresses = np.where(elsewhere, np.stack([home, mobile, work], axis=1), home[:, None])
    first, second = OFFICE_ADDRESSES
    addresses[:OFFICE_SIZE] = np.array([first, first, second])
    return addresses


def _ipv4_homes(count: int) -> Ints:
    """Different for everyone up to 2**20 people: an odd factor permutes the numbers below 2**20."""
    scattered = (np.arange(count, dtype=np.int64) * 2_654_435_761) % (1 << 20)
    in_benchmark_range = scattered < (1 << 16)  # one in sixteen lives in 198.19.0.0/16
    return np.where(in_benchmark_range, 0xC6130000 + scattered, 0x0A000000 + scattered)


def _ipv6(rng: np.random.Generator, count: int) -> Ints:
    """Keys in 2001:db8::/32; a /48 holds two or three people, with a /64 each."""
    return (
        IPV6
        + (rng.integers(1, max(count // 16, 2), count) % 0xFFFF + 1 << 16)
        + 1
        + np.arange(count) % 0xFFFF
    )
