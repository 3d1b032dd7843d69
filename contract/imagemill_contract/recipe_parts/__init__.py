"""What the recipe is made of: the choices that its fields offer, and what may not stand together.

Imports nothing of the contract but errors and fields; all others import choices from `recipe`.
"""
