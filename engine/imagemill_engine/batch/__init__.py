"""AWS Batch by processes of this machine: queues, retries, timeouts, logs.

In go job definitions and SubmitJob requests as Batch's JSON; out come processes, their log lines,
and descriptions as DescribeJobs gives them. Knows nothing of the emulator.
"""
