"""Logs as JSON lines. No call passes a name, an address, a comment or a message's content."""

import logging
import sys
from traceback import format_tb
from types import TracebackType
from typing import Any

import structlog


def configure(service: str, level: str) -> None:
    """Send structlog and the standard library's loggers to standard output, one JSON object a line."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.ExceptionRenderer(without_words),
    ]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(),
        ],
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=level, force=True)
    # aiokafka and pymongo tell every reconnect at INFO; what matters of it is in the metrics.
    for noisy in ("aiokafka", "pymongo", "faststream", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, logging.getLevelName(level)))
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)


def without_words(exc_info: tuple[type[BaseException], BaseException, TracebackType | None]) -> str:
    """An exception's class and places, then those of its cause: what it says may hold what a person wrote."""
    error: BaseException | None = exc_info[1]
    told = []
    while error is not None:
        told.append("".join(format_tb(error.__traceback__)) + type(error).__qualname__)
        error = error.__cause__ or error.__context__
    return "\nafter\n".join(told)
