"""`imagemill doctor`: why is nothing running?"""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from imagemill.deployed.checks.examination import findings
from imagemill.deployed.checks.finding import Finding, FindingState
from imagemill.deployed.stack import deployed_stack
from imagemill.display.lines import print_json, print_line
from imagemill.errors import RunFailedError
from imagemill.options.stack import StackChoice

_STYLES = {
    FindingState.OK: "green",
    FindingState.WARNING: "yellow",
    FindingState.BROKEN: "bold red",
    FindingState.UNKNOWN: "yellow",
}
_STATE_WIDTH = max(map(len, FindingState))


def doctor(choice: StackChoice, *, as_json: bool) -> None:
    """Print what every check finds, with what to do about it.

    Raises UsageError if there is no such stack, RunFailedError if something is broken.
    """
    found: list[Finding] = []
    console = Console()
    for finding in findings(deployed_stack(choice)):
        found.append(finding)
        if not as_json:
            _print(console, finding)
    if as_json:
        print_json([finding.to_document() for finding in found])
    count = sum(finding.state is FindingState.BROKEN for finding in found)
    if count:
        raise RunFailedError(f"{count} {'thing is' if count == 1 else 'things are'} broken.")
    if not as_json:
        print_line(console, "Nothing is broken.")


def _print(console: Console, finding: Finding) -> None:
    state = finding.state.ljust(_STATE_WIDTH)
    text = f"  {finding.about}: {' '.join(finding.text.split())}"
    console.print(Text.assemble((state, _STYLES[finding.state]), text), soft_wrap=True)
    if finding.fix:
        print_line(console, f"{'':<{_STATE_WIDTH}}  -> {finding.fix}")
