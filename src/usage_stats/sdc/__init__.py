"""Disclosure control for any table of counts: inner cells → what may be published, and the attacker who checks it.

Apart from the pipeline: whoever has counts by region and sector needs no logs, no workspace and no ledger.
"""
