# The server: docker build -t dashtam .     The tests: docker build --target test .
FROM python:3.12-slim-bookworm AS base
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PATH=/opt/venv/bin:$PATH
WORKDIR /app
RUN useradd --system --no-create-home --uid 10001 dashtam

FROM base AS packages
RUN python -m venv /opt/venv
COPY requirements-production.txt .
RUN pip install --no-cache-dir --require-hashes --compile -r requirements-production.txt

FROM packages AS test
# What the tests of the Makefile and of the README run.
RUN apt-get update -qq && apt-get install -qq -y --no-install-recommends make curl \
    && rm -rf /var/lib/apt/lists/*
COPY requirements.txt .
RUN pip install --no-cache-dir --require-hashes --compile -r requirements.txt
COPY . .
# The tests leave their reports here.
RUN chown dashtam .
USER dashtam
CMD ["python", "-m", "pytest", "--ds=config.test", "-n", "2", "-p", "no:cacheprovider"]

FROM packages AS static
COPY . .
# Production refuses to start without its settings; collecting files uses none of these.
RUN SECRET_KEY=only-to-collect-the-static-files-at-build-time \
    DATABASE_URL=postgres://build@localhost/build REDIS_URL=redis://localhost \
    EMAIL_URL=smtp://localhost ALLOWED_HOSTS=localhost PUBLIC_URL=https://localhost \
    DJANGO_SETTINGS_MODULE=config.production python manage.py collectstatic --noinput

FROM base AS production
COPY --from=packages /opt/venv /opt/venv
COPY audit audit
COPY config config
COPY core core
COPY mail mail
COPY sessions_app sessions_app
COPY users users
COPY manage.py .
COPY --from=static /app/staticfiles staticfiles
# The worker's signing key and last checkpoint: a volume.
RUN install -d -o dashtam /var/lib/dashtam
ENV DJANGO_SETTINGS_MODULE=config.production WEB_WORKERS=2 AUDIT_FOLDER=/var/lib/dashtam/audit
USER dashtam
EXPOSE 8000
# The first allowed host: Django refuses a request that names none of them.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(u.Request('http://127.0.0.1:8000/health/live', headers={'Host': os.environ['ALLOWED_HOSTS'].replace(',', ' ').split()[0].strip('.')}), timeout=4)"]
CMD ["sh", "-c", "exec granian --interface wsgi --host 0.0.0.0 --port 8000 --workers \"$WEB_WORKERS\" --blocking-threads 4 config.wsgi:application"]
