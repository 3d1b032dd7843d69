"""The arithmetic of pictures: a picture in; its resized picture or edge map out.

Resizing, orientation, colour and edges; `stages` enters here. May import `codecs`, the contract,
`pixels` and `errors`: nothing here knows a store or a job.
"""
