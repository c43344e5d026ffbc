"""A process that ends when its parent ends, so that a killed parent leaves nobody behind."""

from __future__ import annotations

import ctypes
import os
import signal

# Loaded once, at import: the hook below also runs between fork and exec under a user who may not read the interpreter.
_PRCTL = getattr(ctypes.CDLL(None), "prctl", None)
_PR_SET_PDEATHSIG = 1


def die_with_parent(how: int = signal.SIGTERM, parent: int | None = None) -> None:
    """Ask the kernel to send signal `how` to this process when its parent ends (Linux prctl(2); elsewhere no effect).

    `parent` is the pid the caller was born under: if it is already gone, the signal is sent at once, because the
    kernel only reports deaths that happen after the call. It must run after any change of user, which clears the wish.
    """
    if _PRCTL is None:
        return
    _PRCTL(_PR_SET_PDEATHSIG, int(how))
    if parent is not None and os.getppid() != parent:
        os.kill(os.getpid(), how)
