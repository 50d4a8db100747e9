"""A window on the screen, by OpenCV's highgui."""

from __future__ import annotations

import subprocess
import sys

import cv2

from maskgen.errors import UsageError
from maskgen.records import Image

TITLE = "maskgen"
_ENDS = (27, ord("q"))  # Escape

# Without a screen Qt does not raise but ends the whole program: so another one tries first.
_TRIAL = "import cv2; cv2.namedWindow('maskgen'); cv2.waitKey(1); cv2.destroyAllWindows()"


def require_screen() -> None:
    """See whether windows can be opened.

    Raises:
        UsageError: They cannot; the message says why, as OpenCV does.
    """
    tried = subprocess.run([sys.executable, "-c", _TRIAL], capture_output=True, text=True, check=False)
    if tried.returncode:
        lines = [line.strip() for line in tried.stderr.splitlines() if line.strip()]
        # Of a traceback the last line says most, of Qt the first.
        said = (lines[-1] if "Traceback" in tried.stderr else lines[0]) if lines else "no reason given"
        raise UsageError(
            f"--show: there is no screen to open a window on ({said}); -o writes to files instead"
        )


def show(bgr: Image, wait: bool) -> bool:
    """Show an image in the window.

    Args:
        bgr: (height, width, 3) uint8.
        wait: Until a key is pressed or the window closed; otherwise go on at once.

    Returns:
        Whether to go on: False after q, Escape, or when the window was closed.
    """
    cv2.namedWindow(TITLE, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO)
    cv2.imshow(TITLE, bgr)
    while True:
        key = cv2.waitKey(50 if wait else 1) & 0xFF
        if key in _ENDS or cv2.getWindowProperty(TITLE, cv2.WND_PROP_VISIBLE) < 1:
            return False
        if not wait or key != 0xFF:
            return True


def close() -> None:
    """Close the window."""
    cv2.destroyAllWindows()
