"""What a partner opens: one page that tells a table of one period, and needs nothing else to be read.

Belongs here: choosing what to show of a release, drawing it, saying it. Does not: which figures there are (table_cut),
where the page is put (flow). Same release and same earlier files, same bytes: no clock, no locale, no network.
"""
