"""What earlier runs have done: what is still to do, what was half done, and what is gone.

In go the objects of a source and the index, out comes the work that is left, with a reason for each
object. May import `results`, the index and `stores`; nothing of `plan.source`.
"""
