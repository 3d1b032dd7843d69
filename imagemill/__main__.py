"""`python -m imagemill` is the command line."""

from imagemill.cli import main

main()
