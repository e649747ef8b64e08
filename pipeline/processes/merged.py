"""The metrics of several processes as those of one service: each sample with the process that it is of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from prometheus_client import Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector


def merged(texts: Mapping[str, str]) -> bytes:
    """What `/metrics` of the service says.

    Args:
        texts: what `/metrics` of each process says, by the process's name, which becomes the label `process`.
    """
    return generate_latest(_Together(texts))


class _Together(Collector):
    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts

    def collect(self) -> Iterator[Metric]:
        """Each metric once, with the samples of all processes: so the text format wants it."""
        families: dict[str, Metric] = {}
        for process, text in self._texts.items():
            for found in text_string_to_metric_families(text):
                family = families.setdefault(found.name, Metric(found.name, found.documentation, found.type))
                family.samples += [
                    sample._replace(labels={**sample.labels, "process": process}) for sample in found.samples
                ]
        yield from families.values()
