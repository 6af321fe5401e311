"""Log lines: time, level, logger, a constant message, then what varies as key=value.

A hook's token is proof, and stands in its address, which Django logs with what goes wrong there.
"""

import logging
import re

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_TOKEN = re.compile(r"(/hooks/)[^/\s'\">]+")


class LineFormatter(logging.Formatter):
    """A formatter that appends every `extra` field to the line, and leaves tokens of hooks out."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - Django's name
        extras = {k: v for k, v in vars(record).items() if k not in _STANDARD}
        fields = "".join(f" {name}={value!r}" for name, value in sorted(extras.items()))
        return super().formatMessage(record) + fields

    def format(self, record: logging.LogRecord) -> str:
        return _TOKEN.sub(r"\1•••", super().format(record))
