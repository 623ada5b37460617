"""Networks and records → a database in MaxMind's format, small and plain; written from the public format's text."""

import ipaddress
import struct

MARKER = b"\xab\xcd\xefMaxMind.com"


def mmdb(networks, *, ip_version=6, database_type="Test-Country", built=1_700_000_000):
    """The bytes of a database with records of 24 bits; `networks` maps a network's text to its record."""
    data, places = b"", {}
    for network, record in networks.items():
        places[network] = len(data)
        data += _encoded(record)
    tree = _tree(places, ip_version)
    width = len(tree)
    nodes = b"".join((width if c is None else c).to_bytes(3, "big") for node in tree for c in node)
    metadata = {
        "binary_format_major_version": (2, 5),
        "binary_format_minor_version": (0, 5),
        "build_epoch": (built, 9),
        "database_type": database_type,
        "description": {"en": "a test"},
        "ip_version": (ip_version, 5),
        "languages": [],
        "node_count": (width, 6),
        "record_size": (24, 5),
    }
    return nodes + bytes(16) + data + MARKER + _encoded(metadata)


def _tree(places, ip_version):
    """Nodes as [zero, one]: the number of a node, of nothing (None), or of data."""
    tree = [[None, None]]
    for text, place in places.items():
        bits = _bits(ipaddress.ip_network(text), ip_version)
        node = 0
        for bit in bits[:-1]:
            if tree[node][int(bit)] is None:
                tree.append([None, None])
                tree[node][int(bit)] = len(tree) - 1
            node = tree[node][int(bit)]
        tree[node][int(bits[-1])] = ("data", place)
    count = len(tree)
    return [[count + 16 + c[1] if isinstance(c, tuple) else c for c in node] for node in tree]


def _bits(network, ip_version):
    bits = f"{int(network.network_address):0{network.max_prefixlen}b}"[: network.prefixlen]
    return "0" * 96 + bits if network.version == 4 and ip_version == 6 else bits


def _encoded(value):
    """The data types that are used here: map 7, string 2, double 3, array 11, and numbers as (value, type)."""
    if isinstance(value, dict):
        return _head(7, len(value)) + b"".join(_encoded(k) + _encoded(v) for k, v in value.items())
    if isinstance(value, str):
        return _head(2, len(value.encode())) + value.encode()
    if isinstance(value, float):
        return _head(3, 8) + struct.pack(">d", value)
    if isinstance(value, list):
        return _head(11, len(value)) + b"".join(map(_encoded, value))
    number, kind = value
    digits = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return _head(kind, len(digits)) + digits


def _head(kind, size):
    first, rest = (size, b"") if size < 29 else (29, bytes([size - 29]))
    return bytes([kind << 5 | first]) + rest if kind < 8 else bytes([first, kind - 7]) + rest
