"""What can go wrong while a model is trained or built. Each message is one line that says what to do.

TrainingError
├── SourceUnavailable   neither the hub nor Maven could be reached: retry, or mend the network
├── SourceInvalid       the file fetched is not the encoder that we know: do not build from it
├── WeightsInvalid      the committed head is missing or damaged: train again
├── CorpusInvalid       the training data is missing or malformed
├── AgreementBroken     a variant moves a probability further than allowed: it must not be served
└── BuildFailed         the repository could not be written (disk full, no permission)
"""

from __future__ import annotations


class TrainingError(Exception):
    """Root of everything that `training` raises on purpose."""


class SourceUnavailable(TrainingError):
    """Nobody could deliver the encoder."""


class SourceInvalid(TrainingError):
    """A file is not the encoder that we know."""


class WeightsInvalid(TrainingError):
    """The head's weights are missing, damaged or of another shape."""


class CorpusInvalid(TrainingError):
    """The training data is missing or malformed."""


class AgreementBroken(TrainingError):
    """A variant's probabilities lie further from the original's than allowed."""


class BuildFailed(TrainingError):
    """The model repository could not be written."""
