"""The processes that do a job's tasks: a supervisor, and one child process ("lane") for each vCPU.

Takes tasks (what to read, what to write) and returns one outcome for each, whatever a picture does
to the process that decodes it. May import `stages`, `stores` and `spool`: nothing here knows a
dataset.
"""
