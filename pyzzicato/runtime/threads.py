"""One thread for numpy's products of matrices.

Between two notes there are products of some ten rows. numpy's OpenBLAS shares such a product out
among all cores, and each thread then waits for the others: with a second such process beside it
music takes three times as long. So playing and measuring keep to one thread each; what can be done
at once is done by several processes or by ONNX Runtime.
"""

from __future__ import annotations

from functools import cache

import numpy as np  # noqa: F401 - only a library that is loaded can be told
import threadpoolctl

__all__ = ["one_thread"]


@cache
def one_thread() -> None:
    """Keeps numpy's products to one thread in this process, from now on."""
    threadpoolctl.threadpool_limits(limits=1, user_api="blas")
