"""One picture's work in each stage: bytes in, bytes of the result out.

`stages.product_of` is the way in; resizing, orientation, colour and edges are behind it. May import
`codecs`, the contract, `pixels` and `errors`: nothing here knows a store or a job.
"""
