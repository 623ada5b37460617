"""A workspace and the time → logs read, days sealed, periods released: the shell around the pure stages.

Belongs here: files, locks, ledgers, the order of things. Does not: any rule about identity or disclosure.
"""
