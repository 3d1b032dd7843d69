"""The report as one page for people, which needs nothing but itself.

The fields of a report and a few small pictures in; HTML out. May import the contract, nothing of
how a report comes about.
"""
