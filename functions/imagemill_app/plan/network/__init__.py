"""The model of a recipe, before any job: where it lies in, its digest and whether it fits out.

It is read once for a run. May import `stores` and `refusal`; nothing of the rest of `plan`.
"""
