"""The web page of `maskgen demo`: built with gradio, served by uvicorn.

gradio's own ``launch`` is not used: it connects to its own address at start, and fails behind a proxy.
"""

import os
import re
import shutil
import signal
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from maskgen.datasets.sample import SHIPS_IN
from maskgen.demo.answer import LARGEST_FILE, Side, answer
from maskgen.demo.guard import Guard
from maskgen.errors import MaskgenError, UsageError
from maskgen.keras_runtime import require
from maskgen.landmarks import FaceLandmarker
from maskgen.masking.templates.library import list_templates
from maskgen.options import BLENDS, SynthOptions
from maskgen.records import WEARS
from maskgen.train.model.classifier import Classifier

_MAX_AGE = 3600  # seconds after which gradio removes an upload
_FOLDER_NAME = re.compile(r"maskgen-demo-(\d+)-\w+")
_SETTINGS = {"GRADIO_ANALYTICS_ENABLED": "False", "GRADIO_RUN_HISTORY": "False", "HF_HUB_OFFLINE": "1"}


def require_gradio() -> None:
    """Check that gradio and uvicorn are installed; the `MissingExtraError` names the command to install."""
    require("gradio", "uvicorn", install="pip install 'maskgen[demo]'")


def serve(
    classifier: Classifier, landmarker: FaceLandmarker, host: str, port: int, ready: Callable[[str], None]
) -> None:
    """Serve the page until Ctrl-C; ``ready`` is called with its URL when it can be opened.

    A `UsageError` if the address or port is not available.
    """
    # Listen before the slow imports, to report a port in use at once.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, dualstack_ipv6=":" in host)
    except OSError as error:
        reason = (error.strerror or str(error)).partition(" (while")[0]
        text = f"cannot listen on {host}:{port}: {reason}. Give another --port, or 0 for a free one"
        raise UsageError(text) from error
    with listener, demo_folder() as folder:
        # gradio reads these when it is imported.
        os.environ["GRADIO_TEMP_DIR"] = str(folder)
        for name, value in _SETTINGS.items():
            os.environ.setdefault(name, value)
        import uvicorn

        app = Guard(_build_app(_build_page(classifier, landmarker)), host, folder)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        # uvicorn raises the signal again after its shutdown; as an exception, it still removes the folder.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with suppress(KeyboardInterrupt):
            ready(f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}")
            server.run(sockets=[listener])


@contextmanager
def demo_folder() -> Iterator[Path]:
    """A new temporary folder, locked during the block. Folders of killed servers are removed first."""
    for folder in Path(tempfile.gettempdir()).iterdir():
        match = _FOLDER_NAME.fullmatch(folder.name)
        if match is None or folder.is_symlink() or Path("/proc", match[1]).exists():
            continue
        # The process id of a server in another container is not visible here, but its lock is.
        with _locked(folder) as is_locked:
            if is_locked:
                shutil.rmtree(folder, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=f"maskgen-demo-{os.getpid()}-") as name, _locked(Path(name)):
        yield Path(name)


@contextmanager
def _locked(folder: Path) -> Iterator[bool]:
    """Lock a folder during the block; False if another process has the lock, or on Windows."""
    with ExitStack() as stack:
        is_locked = False
        with suppress(ImportError, OSError):
            import fcntl

            descriptor = os.open(folder, os.O_RDONLY)
            stack.callback(os.close, descriptor)
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_locked = True
        yield is_locked


def _build_app(page: Any) -> Any:
    import gradio
    from fastapi import FastAPI

    page.queue(default_concurrency_limit=1, max_size=16)
    fonts = {"font": ["system-ui", "sans-serif"], "font_mono": ["ui-monospace", "monospace"]}
    return gradio.mount_gradio_app(
        FastAPI(docs_url=None, redoc_url=None, openapi_url=None),
        page,
        path="/",
        theme=gradio.themes.Default(**fonts),
        max_file_size=LARGEST_FILE,
        show_error=True,
        ssr_mode=False,
        enable_monitoring=False,
        footer_links=["gradio", "settings"],
    )


def _build_page(classifier: Classifier, landmarker: FaceLandmarker) -> Any:
    """Build the page as gradio ``Blocks`` with one API function, ``/mask``."""
    import gradio

    spec, default = classifier.spec, SynthOptions("")
    lock = threading.Lock()  # neither the landmark model nor the classifier is thread-safe

    def mask(image: str | None, template: str, blend: str, wear: str) -> tuple[Any, ...]:
        if image is None:
            return None, None, None, None, ""
        try:
            with lock:
                result = answer(Path(image).read_bytes(), classifier, landmarker, template, blend, wear)
        except MaskgenError as error:
            raise gradio.Error(str(error), print_exception=False) from error
        masked = _to_gradio(result.masked, spec.classes) if result.masked else (None, None)
        return *_to_gradio(result.unmasked, spec.classes), *masked, result.note

    with gradio.Blocks(
        title="maskgen", analytics_enabled=False, delete_cache=(_MAX_AGE, _MAX_AGE), fill_width=True
    ) as page:
        region = "the whole image" if spec.crop == "full" else f"each {spec.crop.replace('-', ' ')}"
        gradio.Markdown(
            f"## {' or '.join(spec.classes)}, without a mask and with one\n"
            f"{classifier.name}: {spec.backbone} at {spec.size} pixels, shown {region}. It classifies by "
            "appearance alone, and is wrong for some people."
        )
        with gradio.Row():
            with gradio.Column():
                # "filepath": the unchanged file, which maskgen decodes itself.
                sources = ["upload", "webcam", "clipboard"]
                upload = gradio.Image(type="filepath", image_mode=None, sources=sources, label="Image")
                names = [info.name for info in list_templates()]
                template = gradio.Dropdown(names, value=default.templates[0][0], label="Template")
                blend = gradio.Radio(list(BLENDS), value=default.blend, label="Blend")
                wear = gradio.Radio(list(WEARS), value=default.wears[0][0], label="Wear")
            outputs = []
            for title in ("Unmasked", "Masked"):
                with gradio.Column():
                    outputs += [gradio.Image(label=title, format="png", interactive=False)]
                    outputs += [gradio.Label(label=f"{title}: the largest face")]
        note = gradio.Markdown()
        samples = sorted(map(str, SHIPS_IN.glob("*.jpg")))
        gradio.Examples(samples, upload, label="Samples", cache_examples=False)
        inputs = [upload, template, blend, wear]
        changes = [upload.change, *(each.input for each in inputs[1:])]
        gradio.on(changes, mask, inputs, [*outputs, note], api_name="mask", trigger_mode="always_last")
    return page


def _to_gradio(side: Side, classes: tuple[str, ...]) -> tuple[Any, Any]:
    """The values of gradio: an RGB image, and the probability of each class for the largest face."""
    rgb = np.ascontiguousarray(side.bgr[:, :, ::-1])
    if not side.predictions:
        return rgb, "no face found"
    return rgb, dict(zip(classes, side.predictions[0].probabilities, strict=True))
