"""The page of `maskgen demo`, made with gradio and served by uvicorn on this machine.

It is served here and not by gradio's own ``launch``, which asks over the network whether it can reach itself
and so does not start behind a proxy. Nothing is counted or shared, and what is uploaded lies in a folder of
its own that goes with the program.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from maskgen.datasets.sample import SHIPS_IN
from maskgen.demo.answer import LARGEST_FILE, Side, answer
from maskgen.demo.guard import Guard
from maskgen.demo.upload_folder import demo_folder
from maskgen.errors import MaskgenError, UsageError
from maskgen.keras_runtime import require
from maskgen.landmarks import FaceLandmarker
from maskgen.masking.templates.library import list_templates
from maskgen.options import BLENDS, SynthOptions
from maskgen.records import WEARS
from maskgen.train.model.classifier import Classifier

INSTALL = "pip install 'maskgen[demo]'"
# Uploads older than this are removed, and are looked for as often.
KEPT = 3600  # seconds

_SETTINGS = {"GRADIO_ANALYTICS_ENABLED": "False", "GRADIO_RUN_HISTORY": "False", "HF_HUB_OFFLINE": "1"}


def require_gradio() -> None:
    """See whether the page's packages are there.

    Raises:
        MissingExtraError: They are not; the message has the command that installs them.
    """
    require("gradio", "uvicorn", install=INSTALL)


def serve(
    classifier: Classifier,
    landmarker: FaceLandmarker,
    host: str = "127.0.0.1",
    port: int = 7860,
    ready: Callable[[str], None] = lambda url: None,
) -> None:
    """Serve the page until the program is interrupted.

    Args:
        classifier: The model that judges.
        landmarker: Finds the faces.
        host: The address to listen at: 127.0.0.1 is reached from this machine alone.
        port: 0 for any that is free.
        ready: Called with the page's address once it can be opened.

    Raises:
        UsageError: The address or the port cannot be had.
        MissingExtraError: gradio is not installed.
    """
    require_gradio()
    listening = _listen(host, port)
    url = f"http://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}"
    with listening, demo_folder() as folder:
        _set_up(folder)
        import uvicorn

        app = Guard(_app(classifier, landmarker), host, folder)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        threading.Thread(target=_tell, args=(server, lambda: ready(url)), daemon=True).start()
        # uvicorn ends in good order and then raises the signal again: the folder must still go.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with suppress(KeyboardInterrupt):
            server.run(sockets=[listening])


def _listen(host: str, port: int) -> socket.socket:
    """Take the port before anything slow is done, so that one that is taken is said at once."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise UsageError(
            f"{host}:{port} cannot be listened at: {error.strerror or error}. Give another --port, or 0 for "
            "any that is free"
        ) from error
    return listening


def _tell(server: Any, ready: Callable[[], None]) -> None:
    waiting = threading.Event()
    while not server.started and not server.should_exit:
        waiting.wait(0.05)
    if server.started:
        ready()


def _set_up(folder: Path) -> None:
    """Settings that gradio reads when it is imported, and its folder."""
    os.environ["GRADIO_TEMP_DIR"] = str(folder)
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)


def _app(classifier: Classifier, landmarker: FaceLandmarker) -> Any:
    import gradio
    from fastapi import FastAPI

    page = build_page(classifier, landmarker)
    page.queue(default_concurrency_limit=1, max_size=16)
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    fonts = {"font": ["system-ui", "sans-serif"], "font_mono": ["ui-monospace", "monospace"]}
    return gradio.mount_gradio_app(
        app,
        page,
        path="/",
        theme=gradio.themes.Default(**fonts),
        max_file_size=LARGEST_FILE,
        show_error=True,
        ssr_mode=False,
        enable_monitoring=False,
        footer_links=["gradio", "settings"],
    )


def build_page(classifier: Classifier, landmarker: FaceLandmarker) -> Any:
    """The page as gradio's ``Blocks``; its one function is ``/mask``.

    Args:
        classifier: The model that judges.
        landmarker: Finds the faces.
    """
    import gradio

    spec, default = classifier.spec, SynthOptions("")
    one_at_a_time = threading.Lock()

    def mask(picture: str | None, template: str, blend: str, wear: str) -> tuple[Any, ...]:
        if picture is None:
            return None, None, None, None, ""
        try:
            # Neither the landmark model nor the classifier takes two callers at a time.
            with one_at_a_time:
                found = answer(Path(picture).read_bytes(), classifier, landmarker, template, blend, wear)
        except MaskgenError as error:
            raise gradio.Error(str(error), print_exception=False) from error
        return (
            *_shown(found.unmasked, spec.classes),
            *(_shown(found.masked, spec.classes) if found.masked else (None, None)),
            found.note,
        )

    with gradio.Blocks(
        title="maskgen", analytics_enabled=False, delete_cache=(KEPT, KEPT), fill_width=True
    ) as page:
        seen = "the whole image" if spec.crop == "full" else f"each {spec.crop.replace('-', ' ')}"
        gradio.Markdown(
            f"## {' or '.join(spec.classes)}, without a mask and with one\n"
            f"{classifier.name}: {spec.backbone} at {spec.size} pixels, shown {seen}. What it says goes by "
            "looks alone, and is wrong for some."
        )
        with gradio.Row():
            with gradio.Column():
                # "filepath": the file as it came, which maskgen decodes itself.
                picture = gradio.Image(
                    type="filepath",
                    image_mode=None,
                    sources=["upload", "webcam", "clipboard"],
                    label="Picture",
                )
                names = [info.name for info in list_templates()]
                template = gradio.Dropdown(names, value=default.templates[0][0], label="Template")
                blend = gradio.Radio(list(BLENDS), value=default.blend, label="Blend")
                wear = gradio.Radio(list(WEARS), value=default.wears[0][0], label="Wear")
            sides = []
            for title in ("Unmasked", "Masked"):
                with gradio.Column():
                    sides += [gradio.Image(label=title, format="png", interactive=False)]
                    # What is said goes by the model's threshold, and need not be the most probable.
                    sides += [gradio.Label(label=f"{title}: the largest face", show_heading=False)]
        note = gradio.Markdown()
        gradio.Examples(
            [str(path) for path in sorted(SHIPS_IN.glob("*.jpg"))],
            picture,
            label="Samples",
            cache_examples=False,
        )
        gradio.on(
            [picture.change, template.input, blend.input, wear.input],
            mask,
            [picture, template, blend, wear],
            [*sides, note],
            api_name="mask",
            trigger_mode="always_last",
        )
    return page


def _shown(side: Side, classes: tuple[str, ...]) -> tuple[Any, Any]:
    """An image and the share of each class, as gradio takes them."""
    rgb = np.ascontiguousarray(side.bgr[:, :, ::-1])
    if not side.said:
        return rgb, "no face found"
    return rgb, dict(zip(classes, side.said[0].probabilities, strict=True))
