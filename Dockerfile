# syntax=docker/dockerfile:1
# One image for the web process, the worker and the migration; docker-compose.yml names the command of each.
# Not yet built anywhere: where this was written there was no Docker daemon.

FROM node:24-slim AS page
WORKDIR /page
COPY frontend/package.json frontend/package-lock.json ./
RUN npm install --no-save --no-audit --no-fund
COPY frontend ./
RUN npm run build

FROM python:3.11-slim
WORKDIR /rejoinder
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
COPY requirements.txt ./
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes --no-deps -r requirements.txt
COPY streams streams
COPY telemetry telemetry
COPY jobs jobs
COPY conversations conversations
COPY workers workers
COPY webapp webapp
COPY --from=page /page/dist frontend/dist
RUN useradd --system --no-create-home rejoinder
USER rejoinder
EXPOSE 8000
CMD ["gunicorn", "--config", "webapp/gunicorn_conf.py", "webapp.wsgi:app"]
