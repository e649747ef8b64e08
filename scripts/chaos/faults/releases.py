"""A bad release of the model: Triton is well and says so, and what it answers is of no use."""

from __future__ import annotations

from scripts.chaos.bad_release import Answers, released
from scripts.chaos.stage import Stage


async def nonsense(stage: Stage) -> None:
    """Triton answers NaN, or the wrong shape; events wait until the release is taken back."""
    await _release(stage, stage.dice.choice((Answers.NAN, Answers.WRONG_SHAPE)))


async def hang(stage: Stage) -> None:
    """Triton takes every request and answers none, while it says that it is ready."""
    await _release(stage, Answers.NEVER)


async def _release(stage: Stage, answers: Answers) -> None:
    async with released(stage.system.triton, answers):
        await stage.outage()
