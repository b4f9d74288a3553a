"""The verbs that look for settings of a training: learning rate and batch size."""

from __future__ import annotations

from typing import Any

from neocog import training as engine
from neocog.models._older_verbs import OlderVerbs


class FindingVerbs(OlderVerbs):
    """`find_learning_rate` and `find_batch_size`; the model is afterwards what it was."""

    def find_batch_size(
        self,
        x: Any = None,
        y: Any = None,
        *,
        sample_weight: Any = None,
        smallest: int = 8,
        largest: int = 1024,
        gain: float = 0.05,
    ) -> engine.BatchSizeSearch:
        """Measure training steps of doubling batch sizes, until memory runs out or doubling gains little.

        The model is afterwards what it was, bit for bit. It measures time: write the result into your
        program; `fit(batch_size="auto")` goes by a rule that gives the same on every run.

        Args:
            x, y, sample_weight: arrays, as for `fit`.
            smallest, largest: sizes to try.
            gain: share by which doubling must be faster to go on.
        """
        return engine.find_batch_size(
            self, x, y, sample_weight, smallest=smallest, largest=largest, gain=gain
        )

    def find_learning_rate(
        self,
        x: Any = None,
        y: Any = None,
        *,
        batch_size: int | None = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        lowest: float = 1e-7,
        highest: float = 10.0,
        steps: int = 100,
        verbose: int | str = 0,
    ) -> engine.LearningRateRange:
        """Try rising learning rates on some batches and return what the losses say.

        Weights, optimizer, metrics and random generators are afterwards what they were, bit for bit; a
        generator has given its batches away.

        Args:
            x, y, batch_size, sample_weight, class_weight, verbose: as for `fit`.
            lowest: first rate.
            highest: last rate.
            steps: how many, 20 or more; the rate rises exponentially.

        Reference:
            Smith, Cyclical Learning Rates for Training Neural Networks, 2017.
        """
        request = engine.request_of(
            x,
            y,
            batch_size=batch_size,
            sample_weight=sample_weight,
            class_weight=class_weight,
            verbose=verbose,
        )
        return engine.find_learning_rate(self, request, engine.RangeTest(lowest, highest, steps))
