"""A screener's core with its index, and the stream between several of them, without the processes."""

from __future__ import annotations

from collections.abc import Sequence

from prometheus_client import CollectorRegistry

from pipeline.event import Event, EventType, Platform
from pipeline.keys import ONLY
from pipeline.verdict import Verdict
from screener.core import Screened, ScreeningCore, Similarity
from screener.encoder import Encoder
from screener.fusion import Policy
from screener.metrics import ScreenerMetrics
from screener.model import RiskModel
from screener.publish import Publication
from screener.similarity.campaign import CampaignPolicy
from screener.similarity.comparison import LocalComparison
from screener.similarity.index import SimilarityIndex
from screener.similarity.seen import Seen
from screener.similarity.versions import VersionedIndexes
from screener.source import Entry, RawEvent
from tests.fixtures.digests import DIGESTS
from tests.fixtures.screening import HEURISTICS
from tests.screener.similarity.chat import Line

CAMPAIGNS = CampaignPolicy()
_PUBLICATION = Publication(ONLY, DIGESTS, record_life_ms=60_000, keep_low_risk_content=False)


class Replica:
    """Judges lines of a chat at their own time, and takes in what the stream carries."""

    def __init__(self, model: RiskModel, *, max_events: int = 100_000, segment_events: int = 16_384) -> None:
        self._now_ms = 0
        self.indexes = VersionedIndexes(
            lambda: SimilarityIndex(
                max_events=max_events,
                segment_events=segment_events,
                window_ms=CAMPAIGNS.window_ms,
                seal_later=lambda segment: segment.seal(segment.sealing()()),
            )
        )
        self._core = ScreeningCore(
            encoder=Encoder(model, None, ScreenerMetrics(CollectorRegistry())),
            heuristics=lambda: HEURISTICS,
            policy=Policy(),
            model_name="replica",
            similarity=Similarity(LocalComparison(self.indexes, CAMPAIGNS), DIGESTS),
            clock_ms=lambda: self._now_ms,
        )

    async def judge(self, lines: Sequence[Line], ids: Sequence[str]) -> tuple[list[Verdict], list[Seen]]:
        """The verdicts, all made when the last line came, and what goes to the stream."""
        self._now_ms = lines[-1].at_ms
        events = [_event(line, event_id) for line, event_id in zip(lines, ids, strict=True)]
        screened = await self._core.screen(events, timeout_s=120)
        pairs = zip(events, screened, strict=True)
        return [result.verdict for result in screened], [_carried(*pair) for pair in pairs]

    async def take_in(self, seen: Sequence[Seen]) -> None:
        """Adds what the stream carried."""
        await self.indexes.add(seen)


def _event(line: Line, event_id: str) -> Event:
    return Event(
        event_id, EventType.MESSAGE_CREATED, Platform.DISCORD, author_id=line.author, content=line.text
    )


def _carried(event: Event, screened: Screened) -> Seen:
    """What another replica reads of the event: encoded as the stream has it, and decoded."""
    raw = RawEvent(Entry("1-0", event.event_id, b""), event)
    move = _PUBLICATION.verdict(raw, screened, now_ms=0)
    assert move.beside is not None
    fields = {
        name.encode(): value if isinstance(value, bytes) else str(value).encode()
        for name, value in move.beside.fields.items()
    }
    return Seen.decode(fields)
