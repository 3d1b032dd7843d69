"""The form in which files travel between the worker's modules."""

from __future__ import annotations

# A view into the store client's memory where there is one: a copy would cost a hundredth of the
# time that is spent on a picture.
Body = bytes | memoryview
