"""Show images in a window (OpenCV highgui)."""

from __future__ import annotations

import subprocess
import sys

import cv2

from maskgen.errors import UsageError
from maskgen.records import Image

TITLE = "maskgen"
_QUIT_KEYS = (27, ord("q"))  # 27 is Escape

# Without a screen, Qt aborts the whole process: a child process tries first.
_TRIAL = "import cv2; cv2.namedWindow('maskgen'); cv2.waitKey(1); cv2.destroyAllWindows()"


def require_screen() -> None:
    """Raise a `UsageError` with OpenCV's or Qt's reason if no window can be opened."""
    trial = subprocess.run([sys.executable, "-c", _TRIAL], capture_output=True, text=True, check=False)
    if trial.returncode:
        # The reason is the last line of a traceback, and the first line of Qt's output.
        lines = [line for line in trial.stderr.splitlines() if line.strip()] or ["no reason given"]
        reason = lines[-1 if "Traceback" in trial.stderr else 0].strip()
        raise UsageError(
            f"--show: there is no screen to open a window on ({reason}); -o writes to files instead"
        )


def show(bgr: Image, wait: bool) -> bool:
    """Show an image, (height, width, 3) uint8; `wait` for a key, or return at once.

    Returns:
        False if the user presses q or Escape or closes the window, else True.
    """
    cv2.namedWindow(TITLE, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO)
    cv2.imshow(TITLE, bgr)
    while True:
        key = cv2.waitKey(50 if wait else 1) & 0xFF
        if key in _QUIT_KEYS or cv2.getWindowProperty(TITLE, cv2.WND_PROP_VISIBLE) < 1:
            return False
        if not wait or key != 0xFF:
            return True
