"""Counts outcomes, and checks the conservation law.

For each stage, planned = written + skipped + rejected + failed, and each object counts once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from imagemill_app.tally.jobs import Jobs
from imagemill_app.tally.problems import PROBLEMS, Problems
from imagemill_app.tally.sources import Sources
from imagemill_contract.documents import SourceObject
from imagemill_contract.errors import DocumentError
from imagemill_contract.keys import Stage
from imagemill_contract.outcomes import Outcome, Status, outcome_at
from imagemill_contract.reporting.lambda_usage import LambdaUsage
from imagemill_contract.reporting.stage_counts import StageCounts
from imagemill_contract.reporting.usage import Usage

VERSION = 1


@dataclass(slots=True)
class Tally:
    """What became of some objects. Tallies of parts merge, in any order, to that of the whole.

    Its size does not depend on how many objects there are.

    Attributes:
        sources: What the objects are.
        problems: Those that were rejected or failed.
        jobs: What the jobs of each stage have used.
        functions: What Lambda functions have used to make the parts.
        output_bytes: Bytes that each stage has written.
    """

    sources: Sources = field(default_factory=Sources)
    problems: Problems = field(default_factory=Problems)
    jobs: dict[Stage, Jobs] = field(default_factory=dict)
    functions: LambdaUsage = field(default_factory=LambdaUsage)
    output_bytes: Counter[Stage] = field(default_factory=Counter)
    _statuses: dict[Stage, Counter[Status]] = field(default_factory=dict)

    @classmethod
    def begun(cls, seed: str, stages: Sequence[Stage]) -> Self:
        """An empty tally. Those that are merged must have the same seed and stages."""
        return cls(
            sources=Sources(seed),
            jobs={stage: Jobs() for stage in stages},
            _statuses={stage: Counter() for stage in stages},
        )

    def add_shard(self, sources: Sequence[SourceObject], columns: Mapping[Stage, Any]) -> None:
        """Count objects of a shard, with the columns of their outcomes in each stage."""
        self.sources.add(sources, columns)
        for stage, found in columns.items():
            counts = {it: found.status.count(it) for it in Status}  # a Counter hashes each
            statuses = Counter({status: count for status, count in counts.items() if count})
            self._statuses[stage].update(statuses)
            self.output_bytes[stage] += sum(found.output_bytes)
            for smaller in filter(None, found.smaller):
                self.output_bytes[stage] += sum(item.output_bytes for item in smaller)
            if PROBLEMS.isdisjoint(statuses):
                continue
            for place, (source, status) in enumerate(zip(sources, found.status, strict=True)):
                if status in PROBLEMS:
                    self.problems.add(stage, outcome_at(found, place), source.bytes)

    def add_refused(self, outcome: Outcome) -> None:
        """Count an object that no job was given; its length is not known any more."""
        first, *later = self._statuses
        self._statuses[first][outcome.status] += 1
        self.problems.add(first, outcome, 0)
        for stage in later:
            self._statuses[stage][Status.SKIPPED] += 1

    def add_job(self, stage: Stage, shard_id: str, usage: Usage | None, objects: int) -> None:
        """Count a job over `objects`; None if it has not said what it used."""
        if usage is not None:
            self.jobs[stage].add(shard_id, usage, objects)

    def merge(self, other: Tally) -> None:
        self.sources.merge(other.sources)
        self.problems.merge(other.problems)
        self.functions = self.functions.plus(other.functions)
        self.output_bytes.update(other.output_bytes)
        for stage in self._statuses:
            self.jobs[stage].merge(other.jobs[stage])
            self._statuses[stage].update(other._statuses[stage])

    def stages(self, planned: int) -> dict[Stage, StageCounts]:
        """Counts of each stage. Raises DocumentError unless each has `planned` outcomes."""
        return {
            stage: StageCounts.of_counts(planned, statuses)
            for stage, statuses in self._statuses.items()
        }

    def to_document(self) -> dict[str, object]:
        """The tally as JSON, for what merges it later."""
        return {
            "v": VERSION,
            "sources": self.sources.to_document(),
            "problems": self.problems.to_document(),
            "jobs": {str(stage): jobs.to_document() for stage, jobs in self.jobs.items()},
            "functions": self.functions.to_document(),
            "output_bytes": {str(stage): self.output_bytes[stage] for stage in self._statuses},
            "statuses": {
                str(stage): {str(status): statuses[status] for status in Status}
                for stage, statuses in self._statuses.items()
            },
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Raises DocumentError for another version."""
        if document.get("v") != VERSION:
            raise DocumentError(f"The document is not a tally of version {VERSION}.")
        stages = [Stage(name) for name in document["statuses"]]
        return cls(
            Sources.from_document(document["sources"]),
            Problems.from_document(document["problems"]),
            {stage: Jobs.from_document(document["jobs"][stage]) for stage in stages},
            LambdaUsage.from_document(document["functions"]),
            Counter({stage: document["output_bytes"][stage] for stage in stages}),
            {
                stage: Counter({Status(name): n for name, n in document["statuses"][stage].items()})
                for stage in stages
            },
        )


def failed_percent(stages: Mapping[Stage, StageCounts]) -> float:
    """Percentage of the planned objects that failed in any stage."""
    planned = stages[Stage.RESIZE].planned
    failed = sum(counts.failed for counts in stages.values())
    return 100 * failed / planned if planned else 0.0
