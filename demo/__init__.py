"""`make demo`: takes real pictures through the whole pipeline, on this machine."""
