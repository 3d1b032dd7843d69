"""What the recipe is made of: the choices that its fields offer.

Imports nothing of the contract but errors and fields; all others import them from `recipe`.
"""
