"""The made-up site: when its logs begin, and its parts.

Belongs here: what contenders must know of it too. Does not: anything that needs more than the standard library,
for whoever runs contenders must stay small: a child's peak memory begins with its parent's.
"""

from datetime import UTC, datetime

__all__ = ["FIRST_DAY", "SECTIONS"]

FIRST_DAY = datetime(2026, 6, 1, tzinfo=UTC)  # a Monday and a first of the month: whole weeks, a whole month

# Fifty top folders, the least that makes a table of sections as wide as a large site's.
SECTIONS = (
    "docs",
    "shop",
    "blog",
    "news",
    "help",
    "forum",
    "about",
    "jobs",
    "press",
    "events",
    "learn",
    "api",
    "tools",
    "games",
    "music",
    "video",
    "books",
    "maps",
    "sport",
    "travel",
    "food",
    "health",
    "money",
    "style",
    "home",
    "garden",
    "cars",
    "pets",
    "kids",
    "science",
    "tech",
    "world",
    "local",
    "weather",
    "opinion",
    "photo",
    "radio",
    "tv",
    "guide",
    "review",
    "deals",
    "brands",
    "labs",
    "status",
    "partners",
    "careers",
    "legal",
    "research",
    "support",
    "community",
)
