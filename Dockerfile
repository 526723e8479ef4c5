ARG BASE=python:3.11-slim

# Stage 1: the locked packages in a virtual environment, everything precompiled.
FROM ${BASE} AS build
# pip stays outside the environment it fills, so the environment has none.
RUN python -m venv --without-pip /opt/gradwire
COPY requirements.lock /build/
# Headers, stubs and the packages' own test suites serve nothing at run time.
RUN python -m pip --python /opt/gradwire/bin/python install --no-cache-dir --no-compile \
        --require-hashes --only-binary :all: -r /build/requirements.lock \
    && find /opt/gradwire/lib -depth \( \
        -type d \( -name tests -o -name include \) \
        -o -type f \( -name '*.pyi' -o -name '*.pxd' -o -name '*.pyx' -o -name '*.h' -o -name '*.c' -o -name '*.a' \) \
        \) -exec rm -rf {} +
COPY engine /srv/engine
COPY app /srv/app
# The root file system is read-only later: bytecode is written now, and never checked against its source again.
RUN python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/gradwire/lib /srv \
    && /opt/gradwire/bin/python -c "import scipy.linalg, scipy.special, threadpoolctl, simdjson, msgspec, fastapi, uvloop"

# Stage 2: the interpreter, the environment and our two packages; no pip, no compiler, no shell needed.
FROM ${BASE}
LABEL org.opencontainers.image.title="gradwire" \
      org.opencontainers.image.description="Gradients on request: torch.autograd's semantics over HTTP" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN python -m pip uninstall --yes --quiet --root-user-action=ignore setuptools wheel pip 2>/dev/null \
    && rm -rf /usr/local/lib/python3*/ensurepip
# for a volume, if registered graphs shall outlive the container (GRADWIRE_STORE)
RUN install -d -m 700 -o 10001 -g 10001 /var/lib/gradwire
COPY --from=build /opt/gradwire /opt/gradwire
COPY --from=build /srv /srv
COPY LICENSE /srv/LICENSE
# shown in /docs
COPY openapi/examples /srv/openapi/examples
WORKDIR /srv
# /tmp is the one writable path (mount a tmpfs there). One BLAS thread each: compute processes are what runs in parallel.
ENV PATH=/opt/gradwire/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    TMPDIR=/tmp \
    OPENBLAS_NUM_THREADS=1 \
    OMP_NUM_THREADS=1 \
    GRADWIRE_HOST=0.0.0.0
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import http.client, os; ports = os.environ.get('GRADWIRE_PORT', ''), os.environ.get('PORT', ''), '8000'; c = http.client.HTTPConnection('127.0.0.1', int(next(filter(str.isdigit, ports))), timeout=4); c.request('GET', '/health/ready'); raise SystemExit(c.getresponse().status != 200)"]
CMD ["python", "-m", "app"]
