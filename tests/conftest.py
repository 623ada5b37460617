"""What all tests share: names of cases that each worker makes alike."""


def pytest_make_parametrize_id(config: object, val: object, argname: str) -> str | None:
    """Name bytes that are no text by their argument, numbered by pytest: packed bytes may hold the time.

    Tests run in several workers, which must find the same names; gzip writes the second of packing
    into its header, so a name made of its bytes differs between workers that start apart.
    """
    if isinstance(val, bytes) and not val.decode("ascii", "replace").isprintable():
        return argname
    return None
