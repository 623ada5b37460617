"""Hits → events: identifiers become pseudonyms of a window, everything else becomes a class.

Privacy class: restricted. The only code that sees both an identifier and a linkage key.
"""
