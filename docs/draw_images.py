"""Draw the images of the site anew, and those in ``examples/tour.ipynb``, from the portrait of maskgen.

Run ``python docs/draw_images.py`` after a change of the masks. It needs nbclient and ipykernel, and for the
image of the page of `maskgen browse` Chromium.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2

import maskgen
from maskgen.files.atomic import write_atomic
from maskgen.images.codec import encode
from maskgen.images.grid import grid
from maskgen.masking.templates.library import list_templates

IMAGES = Path(__file__).parent / "images"
NOTEBOOK = Path(__file__).parents[1] / "examples" / "tour.ipynb"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
WEARS = ("correct", "nose-out", "mouth-out", "chin")


def main() -> None:
    """Draw them all."""
    samples = {sample.id: sample for sample in maskgen.open_dataset("sample")}
    image = maskgen.read_image(samples["eileen_collins_head.jpg"], channel_order="bgr")
    landmarks = maskgen.Masker(channel_order="bgr").find(image)

    def masked(key: str = "a", **options: object) -> object:
        masker = maskgen.Masker(channel_order="bgr", blend="poisson", **options)  # type: ignore[arg-type]
        bgr = masker(image, key=key, landmarks=landmarks).image
        return cv2.resize(bgr, None, fx=0.75, fy=0.75, interpolation=cv2.INTER_AREA)

    def draw(name: str, cells: list, columns: int) -> None:
        write_atomic(IMAGES / name, encode(grid(cells, columns, 6, (255, 255, 255)), None, "jpeg", 85).data)

    kinds = {info.kind: info.name for info in reversed(list_templates())}
    draw("masks.jpg", [masked(template=name) for _, name in sorted(kinds.items())], len(kinds))
    draw("wears.jpg", [masked(template="surgical_blue", wear=wear) for wear in WEARS], 4)
    draw("on_the_fly.jpg", [masked(key=f"epoch {number}") for number in range(10)], 5)
    run_notebook()
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        print("browse.png is left as it is: no Chromium is installed")
        return
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "sample"
        options = "--blend poisson --variants 6 --wear correct=2 --wear nose-out --pairs"
        for command in (f"synth --dataset sample {options} -q --out {out}", f"browse {out} -q"):
            subprocess.run([sys.executable, "-m", "maskgen", *command.split()], check=True)
        view = "--headless --no-sandbox --disable-gpu --window-size=1000,640"
        shot = [f"--screenshot={IMAGES / 'browse.png'}", f"--user-data-dir={scratch}/profile"]
        page = (out / "browse.html").as_uri()
        subprocess.run([browser, *view.split(), *shot, page], check=True, capture_output=True)


def run_notebook() -> None:
    """Run the tour, and keep its outputs in it."""
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # the times of this run
    nbformat.write(notebook, NOTEBOOK)


if __name__ == "__main__":
    main()
