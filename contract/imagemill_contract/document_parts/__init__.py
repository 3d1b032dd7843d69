"""What the documents of a run are made of: lines of JSON, and what outcomes say of pictures.

Imports nothing of the contract but errors.
"""
