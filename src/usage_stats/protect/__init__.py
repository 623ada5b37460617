"""Cells → a protected table: what is withheld, and the proof that it cannot be worked out.

Privacy class: confidential in, shareable out. Protection cannot be switched off.
"""
