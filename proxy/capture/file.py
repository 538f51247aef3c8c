"""A file of lines that several processes append to, up to a size. Knows nothing of what the lines hold."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
from pathlib import Path


class CaptureFile:
    """Appends whole lines; readable by its owner only."""

    def __init__(self, path: Path, max_bytes: int) -> None:
        """Make the file, or go on with the one that is there; raises OSError unless it can be a file of one's own."""
        self._max_bytes = max_bytes
        self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if not stat.S_ISREG(os.fstat(self._file).st_mode):
                raise OSError(errno.EINVAL, "not a regular file", str(path))
            os.fchmod(self._file, 0o600)
        except OSError:
            self.close()
            raise

    def append(self, line: bytes) -> bool:
        """Write `line`, which ends with a line break, or nothing: False if it would make the file too large.

        Raises OSError, such as for a full disk; then too, nothing of the line is left in the file.
        """
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            size = os.fstat(self._file).st_size
            if size and os.pread(self._file, 1, size - 1) != b"\n":  # a process was killed while it wrote
                line = b"\n" + line
            if size + len(line) > self._max_bytes:
                return False
            try:
                self._write(line)
            except OSError:
                with contextlib.suppress(OSError):
                    os.ftruncate(self._file, size)
                raise
            return True
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def _write(self, data: bytes) -> None:
        """Write all of `data`: the system may take a part at a time."""
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._file, rest) :]

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)
