"""What became of objects, in sums and samples of a fixed size, however many they are.

Outcomes in; a tally out. Tallies of parts merge in any order to the tally of the whole.
"""
