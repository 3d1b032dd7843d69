"""Commands about runs of a deployed stack, one module for each verb. None imports another."""
