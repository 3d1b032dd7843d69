"""The rights of roles that AWS services take on; the emulator calls its services without asking.

`policies` answers whether a role may do something; the other modules ask it where AWS would.
"""
