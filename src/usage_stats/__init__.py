"""Server logs in, aggregate usage figures out: no reader can turn them back into a person."""

__version__ = "0.1.0"
