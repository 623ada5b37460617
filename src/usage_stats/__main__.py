"""`python -m usage_stats` is `usage-stats`."""

from usage_stats.cli import main

main()
