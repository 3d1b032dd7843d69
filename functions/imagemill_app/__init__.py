"""The logic behind the Lambda handlers."""
