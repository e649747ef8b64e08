"""Long texts through the real model: what stays as it was, and what every part of a text now does."""

from __future__ import annotations

from collections.abc import AsyncIterator

import numpy as np
import pytest
from prometheus_client import CollectorRegistry
from tritonclient.grpc import InferenceServerClient, InferInput

from pipeline.verdict import Category
from screener.buckets import bucketed
from screener.core import ScreeningCore
from screener.encoder import Encoder
from screener.fusion import Policy
from screener.metrics import ScreenerMetrics
from screener.model import CATEGORIES
from screener.tokens import Tokenizer
from screener.triton import MODEL, TritonModel
from scripts.system.triton import TritonServer
from tests.fixtures.events import MakeEvent
from tests.fixtures.screening import HEURISTICS
from training.agreement import LARGEST_MOVE

TOXIC = CATEGORIES.index("TOXIC")
SHORT = "has anybody seen the patch notes for today?"
MINUTES = (
    "The walk along the harbour took about an hour, and the ferry was on time. "
    "Mira wants to plant beans and two rows of carrots behind the shed this spring. "
    "We moved the reading group to Thursday, because the library closes early on Friday. "
    "The printer on the second floor has paper again, and the lamp in the hall was replaced. "
    "Please bring a warm jacket, the cabin has only one small stove and the nights are cold. "
    "Our train leaves at half past nine from platform four and arrives shortly after noon. "
    "The recipe needs three eggs, a little butter and as much flour as the dough will take. "
    "Tomas measured the windows twice and ordered the curtains in a light green. "
)
INSULT = (
    "You are a pathetic worthless piece of shit, you stupid fucking idiot, everybody here hates you. "
    "Shut the fuck up, you disgusting moron, and go cry to your mother. What a dumb lying bitch you are, "
    "nobody wants your bullshit, you retarded asshole. "
)
CALM = (MINUTES * 20)[: 10_000 - len(INSULT)]


def with_insult(at: int) -> str:
    """Ten thousand characters, with the insult at a sentence's end near `at`."""
    start = CALM.rindex(". ", 0, at) + 2
    return CALM[:start] + INSULT + CALM[start:]


@pytest.fixture
async def one_row_a_request(triton_server: TritonServer, tokenizer: Tokenizer) -> AsyncIterator[TritonModel]:
    model = TritonModel.connect(triton_server.grpc_url, tokenizer, max_tokens=1)
    yield model
    await model.close()


def asked_plainly(server: TritonServer, tokenizer: Tokenizer, text: str) -> dict[str, np.ndarray]:  # type: ignore[type-arg]  # of both outputs
    """The answer to a text's first 512 tokens as one row, past everything of the screener's but tokens."""
    [bucket] = bucketed(tokenizer.encode([text]), max_batch=1)
    inputs = []
    for name, values in (("input_ids", bucket.input_ids), ("attention_mask", bucket.attention_mask)):
        inputs.append(InferInput(name, list(values.shape), "INT64"))
        inputs[-1].set_data_from_numpy(values)
    with InferenceServerClient(server.grpc_url) as client:
        answer = client.infer(MODEL, inputs)
    return {name: answer.as_numpy(name)[0] for name in ("embedding", "category_probs")}


async def test_a_short_text_is_answered_as_one_row_bit_by_bit(
    triton_server: TritonServer, triton_model: TritonModel, tokenizer: Tokenizer
) -> None:
    output = await triton_model.infer([SHORT], timeout_s=60)
    plain = asked_plainly(triton_server, tokenizer, SHORT)
    assert np.array_equal(output.embeddings[0], plain["embedding"])
    assert np.array_equal(output.probabilities[0], plain["category_probs"])


async def test_the_embedding_of_a_long_text_is_that_of_its_beginning_bit_by_bit(
    triton_server: TritonServer, triton_model: TritonModel, tokenizer: Tokenizer
) -> None:
    output = await triton_model.infer([with_insult(9_000)], timeout_s=60)
    plain = asked_plainly(triton_server, tokenizer, CALM)
    assert np.array_equal(output.embeddings[0], plain["embedding"])
    assert not np.array_equal(output.probabilities[0], plain["category_probs"])


@pytest.mark.parametrize("at", [2_500, 9_000, len(CALM)])
async def test_an_insult_far_inside_a_harmless_text_is_seen_by_the_model(
    triton_model: TritonModel, at: int
) -> None:
    output = await triton_model.infer([CALM, with_insult(at)], timeout_s=60)
    label_at = output.thresholds[0, TOXIC]
    calm, insulting = output.probabilities[:, TOXIC]
    assert calm < label_at <= insulting


async def test_an_insult_at_character_9000_changes_the_verdict(
    triton_model: TritonModel, make_event: MakeEvent
) -> None:
    core = ScreeningCore(
        encoder=Encoder(triton_model, None, ScreenerMetrics(CollectorRegistry())),
        heuristics=lambda: HEURISTICS,
        policy=Policy(),
        model_name=MODEL,
        similarity=None,
    )
    events = [make_event(content=CALM), make_event(content=with_insult(9_000))]
    calm, insulting = [screened.verdict for screened in await core.screen(events, timeout_s=60)]
    assert calm.category is Category.LOW_RISK
    assert insulting.category in (Category.TOXIC, Category.TARGETED_HARASSMENT)
    assert insulting.risk_score > calm.risk_score + 0.2
    assert Category.TOXIC in insulting.labels


async def test_long_and_short_texts_keep_their_places_however_the_rows_are_spread(
    triton_model: TritonModel, one_row_a_request: TritonModel
) -> None:
    texts = [SHORT, with_insult(1_000)[:2_000], "gg", CALM[:1_500], INSULT]
    together = await triton_model.infer(texts, timeout_s=60)
    spread = await one_row_a_request.infer(texts, timeout_s=60)
    assert together.version == spread.version
    assert np.abs(together.probabilities - spread.probabilities).max() <= LARGEST_MOVE
    assert ((together.embeddings * spread.embeddings).sum(axis=1) > 0.9999).all()
    for row, text in enumerate(texts):
        alone = await triton_model.infer([text], timeout_s=60)
        assert np.abs(alone.probabilities[0] - together.probabilities[row]).max() <= LARGEST_MOVE
