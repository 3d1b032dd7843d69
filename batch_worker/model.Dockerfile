# syntax=docker/dockerfile:1
# "make model-image" builds and pushes it: the image of the jobs that run neural networks. It has ONNX
# Runtime as well, which is as large as all of the rest, and is not put together file by file.
FROM python:3.13-slim AS build
COPY batch_worker/requirements.txt batch_worker/requirements-model.txt requirements/constraints.txt /tmp/
RUN python -m venv --without-pip /opt/worker \
    && python -m pip --python /opt/worker/bin/python install --no-cache-dir --no-compile \
        --only-binary :all: -r /tmp/requirements-model.txt -c /tmp/constraints.txt
COPY contract/imagemill_contract /opt/worker/app/imagemill_contract
COPY contract/imagemill_dataset /opt/worker/app/imagemill_dataset
COPY batch_worker/imagemill_worker /opt/worker/app/imagemill_worker
# Checked by content, as the files of an image have the time of its build.
RUN /opt/worker/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/worker

FROM python:3.13-slim
COPY --from=build /opt/worker /opt/worker
ENV PATH=/opt/worker/bin:$PATH \
    PYTHONPATH=/opt/worker/app \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    TMPDIR=/scratch
# The only place that can be written: the root file system of a job is read-only.
RUN install -d -o 65534 -g 65534 -m 700 /scratch
VOLUME /scratch
USER 65534:65534
WORKDIR /scratch
# An image in which a job could not start is not built.
RUN ["python", "-c", "import imagemill_worker.model.attempt, onnxruntime"]
CMD ["python", "-m", "imagemill_worker", "--help"]
