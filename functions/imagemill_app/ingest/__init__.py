"""From S3 events to the run that processes the uploaded pictures.

In go queue messages, out comes a group document in the inbox of a window, and the start of that
window's one run. May import `stores` and the contract; it neither plans nor aggregates.
"""
