"""Raw bytes of server logs → hits.

Privacy class: identified. A hit holds what the server wrote about a client, so it lives in memory only:
nothing in this package writes a file, and no message of it carries a value read from a log.

Belongs here: formats, reading bytes, parsing lines, recognising and inspecting a log.
Does not: pseudonyms, what counts as a page view, anything that is kept.
"""
