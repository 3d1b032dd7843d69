"""AWS Batch on one machine: every job is a process. Knows nothing of the emulator."""
