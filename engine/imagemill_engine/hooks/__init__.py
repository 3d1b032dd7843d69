"""Makes the emulator run our stack as AWS would: each hook says what it changes, and why.

A hook is a module with an `install`. Only `server.py` installs them, in the engine's process,
and nothing else imports them. They import the emulator, `batch/` and the settings.
"""
