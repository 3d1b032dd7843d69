"""Which objects jobs can be given: those that have a class, and results of their own.

Objects in key order in; those that are kept, the outcomes of others, and planned splits out. May
import `source`.
"""
