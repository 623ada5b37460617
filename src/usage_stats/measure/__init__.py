"""Events → usage → cells with margins, and the relations between cells.

Privacy class: confidential. Counts may be of one person here; nothing of it leaves before `protect`.
"""
