"""`maskgen demo`: serve a web page that masks and classifies images."""

from contextlib import closing
from pathlib import Path
from typing import Any

import click

from maskgen.commands.shared.parameters import ANY_PATH, verbose_option
from maskgen.commands.shared.synth_options import landmark_options


@click.command(name="demo")
@click.argument("model", type=ANY_PATH)
@click.option(
    "--host",
    default="127.0.0.1",
    help="Address to listen on. The default accepts connections from this machine only, 0.0.0.0 from any.",
)
@click.option("--port", type=click.IntRange(0, 65535), default=7860, help="TCP port; 0 picks a free one.")
@landmark_options
@verbose_option
def command(model: Path, host: str, port: int, **given: Any) -> None:
    """Serve a web page that masks and classifies images.

    \b
    maskgen demo runs/celeba-efficientnet_b0
    maskgen demo model.onnx --port 8080

    The page masks the image that you drop on it, with any template, blend and way of wearing, and shows the
    model's prediction without the mask and with it. MODEL is a run folder, a .keras file, or an .onnx file,
    which needs no tensorflow. Ctrl-C stops the server.
    """  # noqa: D301
    from maskgen.demo.page import require_gradio, serve
    from maskgen.landmarks import LandmarkerSpec, open_landmarker
    from maskgen.train.model.classifier import open_classifier

    require_gradio()
    classifier = open_classifier(model)
    landmarker = open_landmarker(LandmarkerSpec(given["engine"], given["landmark_model"], given["detector"]))
    with closing(landmarker):
        serve(classifier, landmarker, host, port, lambda url: click.echo(f"maskgen: {url}", err=True))
