"""What a run is asked to do: the execution's input, the choice of pictures, the window of uploads.

In goes a document of JSON values, out comes a `RunRequest`, or one sentence on what is wrong with
it. May import the rest of the contract.
"""
