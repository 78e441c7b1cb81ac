# syntax=docker/dockerfile:1
# One image for all processes; docker-compose.yml and docs/deploy/kubernetes name the command of each.
# No engine has built it where it was written. tests/deploy/test_image.py does by hand, without one, what it says.

FROM node:24.11.1-bookworm-slim AS page
WORKDIR /page
COPY frontend/package.json frontend/package-lock.json frontend/.npmrc ./
RUN npm install --no-save --no-audit --no-fund
COPY frontend ./
RUN npm run build

FROM python:3.11.14-slim-bookworm AS packages
# Or requirements/traces.txt, which has the packages for traces too.
ARG REQUIREMENTS=requirements.txt
WORKDIR /packages
COPY requirements.txt ./
COPY requirements/traces.txt requirements/
RUN python -m venv . \
    && bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes --no-deps -r "$REQUIREMENTS"

FROM python:3.11.14-slim-bookworm
WORKDIR /rejoinder
ENV PATH=/rejoinder/bin:/packages/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
COPY --from=packages /packages /packages
COPY requirements.txt ./
COPY streams streams
COPY telemetry telemetry
COPY jobs jobs
COPY conversations conversations
COPY workers workers
COPY webapp webapp
COPY rejoinder rejoinder
COPY bin bin
COPY --from=page /page/dist frontend/dist
# Nobody's files: what runs can change nothing of what it runs. A number, because Kubernetes wants to see that it is not root.
USER 10001
EXPOSE 8000
# Of the web process, which is what runs where no command is named.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=6 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + (os.environ.get('PORT') or '8000') + '/readyz', timeout=4)"]
CMD ["gunicorn", "--config", "webapp/gunicorn_conf.py", "webapp.wsgi:app"]
