"""A morning's chat through the real model, rules and index: campaigns are found, habits left alone."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass

import pytest

from pipeline.verdict import Campaign, Verdict
from screener.similarity.seen import Seen
from screener.triton import TritonModel
from tests.screener.similarity.chat import CAMPAIGNS, Line, benign, campaign_text, hidden_campaign
from tests.screener.similarity.replica import Replica

EVENTS, AUTHORS = 24, 16
AT_ONCE = 8
"""Lines that are judged together, none of which knows of the others."""


@dataclass(frozen=True)
class Heard:
    """A chat, the verdict of each line, and what the stream carried of it."""

    lines: list[Line]
    verdicts: list[Verdict]
    stream: list[Seen]

    def campaigns(self, name: str) -> list[Campaign | None]:
        """What the verdicts of a hidden campaign's events say, in order."""
        pairs = zip(self.lines, self.verdicts, strict=True)
        return [verdict.campaign for line, verdict in pairs if line.campaign == name]


@pytest.fixture(scope="module")
def chat() -> list[Line]:
    rng = random.Random(20240611)  # noqa: S311 - to be the same each time
    lines = list(benign(2_500, hours=4, rng=rng))
    for number, name in enumerate(CAMPAIGNS):
        start_ms = (1 + number) * 3_000_000
        lines += hidden_campaign(name, events=EVENTS, authors=AUTHORS, start_ms=start_ms, minutes=12, rng=rng)
    return sorted(lines, key=lambda line: line.at_ms)


async def heard(lines: list[Line], *replicas: Replica) -> Heard:
    """Screened by the replicas in turn, each of which reads the stream of all."""
    result = Heard(lines, [], [])
    for start in range(0, len(lines), AT_ONCE):
        part = lines[start : start + AT_ONCE]
        judge = replicas[start // AT_ONCE % len(replicas)]
        verdicts, stream = await judge.judge(part, [f"e{start + i}" for i in range(len(part))])
        for replica in replicas:
            await replica.take_in(stream)
        result.verdicts.extend(verdicts)
        result.stream.extend(stream)
    return result


@pytest.mark.timeout(1_800)  # two thousand texts through the model; minutes on a machine that does other work
@pytest.mark.endurance
async def test_campaigns_are_found_by_every_replica_and_ordinary_repetition_is_left_alone(
    chat: list[Line], triton_model: TritonModel
) -> None:
    result = await heard(chat, Replica(triton_model), Replica(triton_model))
    benign_ones = Counter(
        line.theme
        for line, verdict in zip(result.lines, result.verdicts, strict=True)
        if verdict.campaign and not line.campaign
    )
    assert not benign_ones
    for name in CAMPAIGNS:
        told = result.campaigns(name)
        found = [campaign for campaign in told if campaign is not None]
        assert any(told[:12]), f"{name} is not found among its first dozen events"
        assert len(found) >= EVENTS - 12
        assert len({campaign.campaign_id for campaign in found}) == 1
        own = [i for i, line in enumerate(chat) if line.campaign == name]
        assert found[-1].first_event_id in {f"e{i}" for i in own[:2]}
        assert found[-1].size >= EVENTS - AT_ONCE
        assert AUTHORS - 4 <= found[-1].authors <= AUTHORS
        assert found[-1].began_at_ms <= chat[own[AT_ONCE]].at_ms
        assert [c.size for c in found] == sorted(c.size for c in found)
    await a_replica_that_starts_late_knows_the_campaign(result, triton_model)


async def a_replica_that_starts_late_knows_the_campaign(result: Heard, model: TritonModel) -> None:
    """It has read the last entries of the stream alone, as after a restart with a full stream."""
    name = list(CAMPAIGNS)[-1]
    own = [i for i, line in enumerate(result.lines) if line.campaign == name]
    earlier = [campaign for campaign in result.campaigns(name) if campaign is not None][-1]
    late = Replica(model)
    await late.take_in(result.stream[own[-8] : own[-1] + 1])
    text = campaign_text(CAMPAIGNS[name], random.Random(1))  # noqa: S311
    [verdict], _ = await late.judge([Line(result.lines[own[-1]].at_ms + 1_000, "new", text, "")], ["late"])
    assert verdict.campaign is not None
    assert verdict.campaign.campaign_id == earlier.campaign_id
    assert verdict.campaign.first_event_id == earlier.first_event_id
    assert verdict.campaign.began_at_ms == earlier.began_at_ms
    assert verdict.campaign.size >= earlier.size
