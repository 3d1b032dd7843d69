"""What each stage does with one picture: bytes of a file in; bytes of its result out.

Each stage has a folder of its name; `picture_stage` says what is in it, `picture_stages` finds it.
May import `picture`, `codecs`, `pixels` and `errors`: nothing here knows a store, a job or another
stage. The stage `model`, which does many pictures at once, is in `model`.
"""
