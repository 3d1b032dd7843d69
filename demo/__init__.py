"""`make demo`: real pictures through everything that runs on AWS, on this machine."""
