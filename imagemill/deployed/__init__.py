"""A deployed stack, on AWS or on this machine: questions to AWS in; runs, jobs and faults out."""
