"""Measured, never asserted: what the stages cost, as ratios against a baseline run in the same minute."""
