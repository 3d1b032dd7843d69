"""Makes the emulator run our stack as AWS would. Each module says what it changes, and why."""

import os

from imagemill_engine.batch.executor import Executor, Host
from imagemill_engine.settings import ACCOUNT_ID, REGION, EngineSettings

# A container has what its image sets; of this machine a job gets no more than this.
_JOB_ENV = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH")


def install(config: EngineSettings) -> None:
    """Raises HookError when the emulator is not the one that the hooks were written for."""
    from imagemill_engine.hooks import (
        access,
        batch_api,
        cloudformation_batch,
        cloudformation_states,
        lambda_worker,
        sqs_batching,
    )
    from imagemill_engine.hooks.states import batch, history, items, jsonata, map, roles, run, task

    executor = Executor(host_of(config))
    for of_jobs in (batch_api, batch):
        of_jobs.install(executor)
    functions = (access, cloudformation_batch, cloudformation_states, lambda_worker, sqs_batching)
    states = (history, items, jsonata, map, roles, run, task)
    for module in (*functions, *states):
        module.install()


def host_of(config: EngineSettings) -> Host:
    from imagemill_engine.hooks.callback import CloudWatchLogs, assumed_role
    from imagemill_engine.watchdog import TOKEN_VARIABLE

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
        job_arn=lambda job_id: f"arn:aws:batch:{REGION}:{ACCOUNT_ID}:job/{job_id}",
        stop_grace_seconds=config.stop_grace_seconds,
        group_started=lambda group: report("group", group),
        group_ended=lambda group: report("forget", group),
    )
