"""Protected tables → releases: checked once more, recorded, written for partners and analysts.

Privacy class: shareable. Nothing here sees a pseudonym.
"""
