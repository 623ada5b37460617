"""The orchestrator's side: what runs when. Everything it runs is in `usage_stats.flow`."""
