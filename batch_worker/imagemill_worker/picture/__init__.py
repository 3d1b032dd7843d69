"""What each stage does with one picture: bytes in, bytes of the result out.

Enter by `stages.product_of`; resizing, orientation, colour and edges are behind it. May import
`codecs`, the contract, `pixels` and `errors`: nothing here knows a store or a job.
"""
