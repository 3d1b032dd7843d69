"""What is typed in; a call of a command out. One function for each verb.

Each imports its command when it is called, so that help is shown at once.
"""
