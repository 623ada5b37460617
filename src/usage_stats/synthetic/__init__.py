"""A seed → access logs of an invented web site, with the true figures beside them.

Belongs here: an invented site, invented people, and what they truly did.
Does not: any code of the pipeline that is tested against these figures.
"""
