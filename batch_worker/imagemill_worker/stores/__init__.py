"""Objects in and out of S3 or a folder, whatever the weather.

In go keys and bodies, out come bodies and ETags; an error says whether the object, the attempt or
the job is at fault. `opening.open_store` is the way in. May import the contract and `errors`:
nothing here knows a picture, a lane or a job.
"""
