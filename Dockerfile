# docker build -t pyzzicato . && docker run --rm -p 8501:8501 pyzzicato
FROM python:3.12-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/venv
WORKDIR /app
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY pyzzicato ./pyzzicato
# Editable, so that the package finds models/ beside itself, as in a clone.
RUN /opt/venv/bin/pip install -c constraints.txt -e .

FROM python:3.12-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends fluidsynth \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home --uid 1000 pyzzicato
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    MPLCONFIGDIR=/tmp/matplotlib \
    NUMBA_CACHE_DIR=/tmp/numba
COPY --from=build /opt/venv /opt/venv
WORKDIR /app
# The code and the trained weights in models/; .dockerignore leaves the rest out.
COPY --from=build /app ./
COPY app.py ./
COPY .streamlit ./.streamlit
COPY pages ./pages
COPY models ./models
COPY docs ./docs
USER pyzzicato
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD \
  ["python", "-c", "import urllib.request as u; u.urlopen('http://localhost:8501/_stcore/health', timeout=4)"]
CMD ["streamlit", "run", "app.py", "--server.address", "0.0.0.0", "--server.port", "8501", "--server.headless", "true"]
