"""How a network is used: what an ONNX file says of itself in; the use of it out, or one sentence.

Whoever has read such a file, with a library or without, asks here. May import the contract's own
modules and `recipe_parts`.
"""
