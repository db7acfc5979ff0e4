"""Holding back what compiled libraries print past Python."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from edge_mnist.errors import EdgeMnistError


@contextmanager
def held_native_stderr() -> Iterator[None]:
    """Hold back what is written to the stderr of the process while the body runs.

    TensorFlow's libraries print notes at import and at conversion, and interpreters do when they
    load a model; no setting turns them off. If the body fails in a way that nobody foresaw they are
    passed on, since then they may tell why; not the INFO lines, which never do.
    """
    sys.stderr.flush()
    try:
        saved = os.dup(2)
    except OSError:  # there is no stderr to hold back
        yield
        return
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except (EdgeMnistError, ModuleNotFoundError):
            raise  # these tell themselves what is wrong, in one line
        except BaseException:
            held.seek(0)
            os.write(saved, b"".join(x for x in held if not x.startswith(b"INFO:")))
            raise
        finally:
            sys.stderr.flush()
            os.dup2(saved, 2)
            os.close(saved)
