"""Two lists of e-mail addresses → who is on both, for the sender alone, and at most a guarded count for the other.

Privacy class: identified. Addresses are held in memory only; what leaves is what `flow/compare_lists` writes.
"""
