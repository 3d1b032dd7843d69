"""Files to pixels and back: the kind of a file, its header, its decoder, its encoder.

Takes the bytes of one file and returns a Pillow image or an array, or raises a `PictureError` that
says what is wrong with the file; `encode` goes the other way. May import the contract, `pixels` and
`errors`: nothing here knows a recipe's geometry, a store or a job.
"""
