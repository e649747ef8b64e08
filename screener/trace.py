"""Where a failure came from, in words that quote nothing. Pure."""

from __future__ import annotations

import traceback

_MOST_ERRORS, _MOST_PLACES = 4, 12


def trace_of(error: BaseException) -> tuple[str, ...]:
    """The type of an error and where it was raised, innermost place first; then those of what caused it.

    Types, modules, lines and functions alone: the text of an error can quote the event that it failed on.
    """
    lines: list[str] = []
    cause: BaseException | None = error
    for _ in range(_MOST_ERRORS):
        if cause is None:
            break
        lines.append(type(cause).__name__)
        places = list(traceback.walk_tb(cause.__traceback__))[::-1]
        lines += [
            f"  {frame.f_globals.get('__name__', '?')}:{line} {frame.f_code.co_name}"
            for frame, line in places[:_MOST_PLACES]
        ]
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return tuple(lines)
