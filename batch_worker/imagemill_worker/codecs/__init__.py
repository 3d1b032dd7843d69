"""Files to pixels and back: what kind of file some bytes are, its header, its decoder, its encoder.

In go the bytes of one file, out comes a Pillow image or an array, or a `PictureError` that says
what is wrong with the file; `encode` goes the other way. May import the contract, `pixels` and
`errors`: nothing here knows a recipe's geometry, a store or a job.
"""
