"""Which objects jobs can be given: those that have a class, and results of their own.

Objects in key order in; those that are kept and the outcomes of others out. May import `source`.
"""
