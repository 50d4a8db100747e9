# maskgen in a container: datasets are read from /data, results are written to /out.
#
#   docker build -t maskgen .
#   docker run --rm -v "$PWD/data:/data:ro" -v "$PWD/masked:/out" --user "$(id -u):$(id -g)" \
#       maskgen synth --dataset celeba --blend poisson --out /out/celeba -j 8
#
# It needs no network when it runs, any user id will do, and --read-only too.

FROM python:3.12-slim AS build
WORKDIR /src
COPY . .
RUN pip install --no-cache-dir build && python -m build --wheel --outdir /dist

FROM python:3.12-slim
# OpenCV links these two libraries, which slim images lack.
RUN apt-get update \
    && apt-get install -y --no-install-recommends libgl1 libglib2.0-0 \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /dist /dist
RUN pip install --no-cache-dir /dist/*.whl && rm -rf /dist

ENV MASKGEN_DATA=/data \
    MASKGEN_MODELS=/opt/maskgen/models \
    NUMBA_CACHE_DIR=/opt/maskgen/kernels
# The models are fetched and the kernels are compiled now: the image may be read-only and offline later.
RUN maskgen models fetch --to "$MASKGEN_MODELS" \
    && for blend in overlay poisson flatten; do \
        maskgen synth --dataset sample --blend "$blend" --template all --wear correct=1 --wear nose-out=1 \
            --fit mesh --variants 40 --pairs --alpha --out "/tmp/$blend" -q || exit 1; \
    done \
    && maskgen synth --dataset sample --fit half-split --color random --pattern random --variants 10 \
        --out /tmp/half-split -q \
    && rm -rf /tmp/* && chmod -R a+rX /opt/maskgen \
    && mkdir -p /data /out && chmod 1777 /out

USER 10001:10001
WORKDIR /out
ENTRYPOINT ["maskgen"]
CMD ["--help"]
