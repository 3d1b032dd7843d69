"""How many jobs fit at a time: the vCPUs of this machine and of each compute environment."""

from __future__ import annotations

from collections import defaultdict

from imagemill_engine.batch.spec import JobSpec


class Capacity:
    """vCPUs in use. Not safe for several threads: the executor holds its lock around each call."""

    def __init__(self, machine_vcpus: float) -> None:
        self._machine_vcpus = machine_vcpus
        self._used_vcpus: defaultdict[str, float] = defaultdict(float)  # by environment

    def fits(self, spec: JobSpec) -> bool:
        """Whether a job can start now."""
        place = spec.placement
        share = self._share(spec)
        return (
            spec.vcpus <= place.max_vcpus
            and self._used_vcpus[place.compute_environment_name] + share <= place.max_vcpus
            and sum(self._used_vcpus.values()) + share <= self._machine_vcpus
        )

    def take(self, spec: JobSpec) -> None:
        """Count a job that starts."""
        self._used_vcpus[spec.placement.compute_environment_name] += self._share(spec)

    def give_back(self, spec: JobSpec) -> None:
        """Count a job that has ended."""
        self._used_vcpus[spec.placement.compute_environment_name] -= self._share(spec)

    def _share(self, spec: JobSpec) -> float:
        """A job that wants more than this machine has gets all of it rather than none."""
        return min(spec.vcpus, self._machine_vcpus)
