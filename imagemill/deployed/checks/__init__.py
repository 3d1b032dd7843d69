"""Why is nothing running? A stack in; findings out, each with what to do about it."""
