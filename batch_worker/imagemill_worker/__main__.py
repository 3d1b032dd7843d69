"""`python -m imagemill_worker`."""

from imagemill_worker.cli import main

raise SystemExit(main())
