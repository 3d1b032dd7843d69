"""The embedded engine: the stack of template.yaml on one machine, without an AWS account."""
