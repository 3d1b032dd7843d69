"""Reads and writes objects in S3 or a folder, and waits out throttling and outages.

Takes keys and bodies and returns bodies and ETags. Its errors say whether the object, the attempt
or the job is at fault. Enter by `opening.open_store`. May import the contract and `errors`: nothing
here knows a picture, a lane or a job.
"""
