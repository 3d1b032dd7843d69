"""Installs every hook, once, in the engine's process."""

from __future__ import annotations

import os

from imagemill_engine.batch.executor import Executor
from imagemill_engine.batch.host import Host
from imagemill_engine.hooks import (
    batch_api,
    cloudformation_batch,
    cloudformation_definitions,
    cloudformation_nat,
    secure_transport,
)
from imagemill_engine.hooks.clients import CloudWatchLogs, assumed_role, check_services
from imagemill_engine.hooks.functions import (
    lambda_worker,
    sqs_batching,
    unpacked_code,
    warm_starts,
)
from imagemill_engine.hooks.rights import iam_wildcards, lambda_roles, missing_keys
from imagemill_engine.hooks.rights.execution_role import check_start
from imagemill_engine.hooks.states import (
    distributed_map,
    executions,
    put_events,
    roles,
    stopping,
    submit_job_sync,
    succeed_output,
)
from imagemill_engine.hooks.states.job_waits import JobWaits, job_arn
from imagemill_engine.settings import REGION, EngineSettings
from imagemill_engine.watchdog import TOKEN_VARIABLE

# A container has what its image sets; of this machine a job gets no more than this.
_JOB_ENV = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH")


def install_hooks(config: EngineSettings) -> None:
    """Raises HookError when the emulator is not the one that the hooks were written for."""
    check_services()
    executor = Executor(host_of(config))
    api = batch_api.BatchApi(executor)
    waits = JobWaits(executor)
    batch_api.install(api)
    submit_job_sync.install(api, waits)
    stopping.install(waits)
    stacks = (cloudformation_batch, cloudformation_definitions, cloudformation_nat)
    functions = (lambda_worker, sqs_batching, unpacked_code)
    rights = (lambda_roles, missing_keys, secure_transport, iam_wildcards)
    state_machines = (distributed_map, executions, put_events, roles, succeed_output)
    for hook in (*stacks, *functions, *state_machines, *rights):
        hook.install()
    warm_starts.install(config.warm_functions)


def host_of(config: EngineSettings) -> Host:
    """What jobs find on this machine."""

    def report(word: str, group: int) -> None:
        os.write(config.watchdog, f"{word} {group}\n".encode())

    inherited = {name: os.environ[name] for name in _JOB_ENV if name in os.environ}
    return Host(
        vcpus=config.vcpus,
        jobs_folder=config.jobs_folder,
        base_env={
            **inherited,
            **config.worker_env,
            "AWS_ENDPOINT_URL": config.endpoint_url,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            TOKEN_VARIABLE: config.token,
        },
        credentials=assumed_role,
        logs=CloudWatchLogs(),
        job_arn=job_arn,
        check_start=check_start,
        stop_grace_seconds=config.stop_grace_seconds,
        group_started=lambda group: report("group", group),
        group_ended=lambda group: report("forget", group),
    )
