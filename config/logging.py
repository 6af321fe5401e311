"""Log lines: time, level, logger, a constant message, then what varies as key=value."""

import logging

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class LineFormatter(logging.Formatter):
    """A formatter that appends every `extra` field to the line."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - Django's name
        extras = {k: v for k, v in vars(record).items() if k not in _STANDARD}
        fields = "".join(f" {name}={value!r}" for name, value in sorted(extras.items()))
        return super().formatMessage(record) + fields
