"""From S3 events to the run that processes the uploaded pictures.

Takes queue messages, puts a group document into the inbox of a window, and starts that window's one
run. May import `stores` and the contract; it neither plans nor aggregates.
"""
