"""What a person may choose, each option defined once for all commands that have it."""
