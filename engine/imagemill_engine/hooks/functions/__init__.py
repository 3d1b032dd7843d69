"""Lambda as AWS runs it, where the emulator differs: one module for each difference."""
