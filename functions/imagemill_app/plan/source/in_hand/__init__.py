"""Lists that no bucket gives in the order of keys: files of a folder, and what a manifest names.

An address in; its objects, refused ones among them, in the order of keys out. Only a part of a
list is in memory.
"""
