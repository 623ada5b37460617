"""What an operator writes of people becomes the identities of the log, or is refused without being quoted."""

import pytest

from usage_stats.deidentify.identifiers import Identifier, counts_by_kind, parse_identifiers
from usage_stats.deidentify.pseudonym import (
    account_identity,
    address_identity,
    cookie_identity,
    recipient_identity,
)
from usage_stats.errors import InputError


def test_each_kind_becomes_the_identity_that_events_are_kept_under():
    """Values may hold spaces; an IPv6 address stands for its /64; `-` and nothing are no agent."""
    text = b"account ann lee\r\n\ncookie c1\naddress 2001:db8::7\tMozilla/5.0 (X11)\naddress 10.0.0.1\t-\nrecipient r 7"
    expected = {
        Identifier("account", account_identity(b"ann lee")),
        Identifier("cookie", cookie_identity(b"c1")),
        Identifier("address", address_identity(b"2001:db8::9", b"Mozilla/5.0 (X11)")),
        Identifier("address", address_identity(b"10.0.0.1")),
        Identifier("recipient", recipient_identity(b"r 7")),
    }

    assert expected == set(parse_identifiers(text))


def test_each_is_counted_once():
    """A name given twice is one."""
    found = parse_identifiers(b"account ann\naccount ann\ncookie ann\n")

    assert {"account": 1, "cookie": 1, "address": 0, "recipient": 0} == counts_by_kind(found)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"zoe-quill", "begins with none"),
        (b"Account zoe-quill", "begins with none"),
        (b"account", "begins with none"),
        (b"account -", "no value"),
        (b"cookie ", "no value"),
        (b"account  zoe-quill", "white space"),
        (b"account zoe-quill ", "white space"),
        (b"account zoe\tquill", "control character"),
        (b"address 10.9.9.9", "address alone"),
        (b"address 10.9.9.9:80\tzoe-quill", "leave ports out"),
        (b"address \tzoe-quill", "no address"),
    ],
)
def test_a_bad_line_is_told_by_number_and_reason_only(line, reason):
    """Nothing of the line is in the message; one bad line refuses all."""
    with pytest.raises(InputError, match=f"line 2: .*{reason}") as refused:
        parse_identifiers(b"account ann\n" + line)

    assert not any(word in str(refused.value) for word in ("zoe", "quill", "10.9"))
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


@pytest.mark.parametrize("text", [b"", b"\n \n"])
def test_nobody_is_refused(text):
    """A broken pipe is no erasure."""
    with pytest.raises(InputError, match="holds no identifiers"):
        parse_identifiers(text)


def test_many_bad_lines_are_summed_up():
    """Ten are named, the rest are counted."""
    with pytest.raises(InputError, match=r"line 10: .* and 5 more lines"):
        parse_identifiers(b"x\n" * 15)


def test_identifiers_show_in_no_representation():
    """What is printed by accident tells nothing."""
    assert "Identifier(kind='account')" == repr(parse_identifiers(b"account zoe")[0])
