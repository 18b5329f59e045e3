"""Correct optimizers, each in a style of its own, written by hand from the papers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from meta.correct import families, matrices, moments, sgd, storage, updates


@dataclass(frozen=True)
class Rewrite:
    """A correct optimizer, and what it is a rewrite of.

    Attributes:
        subject: its class.
        spec: the dialect.
        reference: name and keywords of our own class that computes the same, if one does.
    """

    subject: Any
    spec: str
    reference: tuple[str, Mapping[str, Any]] | None

    @property
    def name(self) -> str:
        """How a test calls it."""
        return str(self.subject.__name__)


ADAM = (
    moments.DeltaForm,
    moments.Lerp,
    moments.UnstableOrder,
    moments.SwappedSums,
    moments.Sums,
    moments.CorrectedMoments,
    moments.NegatedMoment,
    moments.RootOfSecondMoment,
    moments.Hypotenuse,
    moments.RunningPowers,
    moments.LogarithmsOfPowers,
    updates.FoldedScalars,
    updates.Addcdiv,
    updates.ReciprocalRoot,
    updates.ReciprocalMultiply,
    updates.OneFraction,
    updates.Float64Inside,
    updates.NumpyInside,
    updates.OutOfPlace,
    updates.TensorRate,
    updates.Float32Scalars,
    storage.AttributeLists,
    storage.DataclassesById,
    storage.FlatBuffer,
    storage.Functional,
    storage.OptimizerPerParameter,
    storage.StepTensor,
    storage.CountPerLane,
    storage.Backwards,
    storage.EarlyState,
    storage.OtherNames,
    storage.Foreach,
)
REWRITES = (
    *(Rewrite(subject, "adam/paper", ("Adam", {})) for subject in ADAM),
    Rewrite(updates.FoldedDecay, "adamw/torch", ("AdamW", {})),
    Rewrite(updates.JointDecay, "adamw/torch", ("AdamW", {})),
    Rewrite(updates.LargestByReciprocal, "amsgrad/torch", ("Adam", {"amsgrad": True})),
    Rewrite(sgd.DeltaBuffer, "sgd/torch", ("SGD", {})),
    Rewrite(sgd.Velocity, "sgd/torch", ("SGD", {})),
    Rewrite(sgd.TwoUpdates, "sgd/torch", ("SGD", {})),
    Rewrite(sgd.NesterovByDifference, "nesterov/torch", ("SGD", {"nesterov": True})),
    Rewrite(sgd.AverageByLerp, "sgd/ema", None),
    Rewrite(sgd.RateInside, "sgd/classical", None),
    Rewrite(sgd.LookAhead, "nesterov/paper", None),
    Rewrite(families.NumpyRMSprop, "rmsprop/torch", ("RMSprop", {})),
    Rewrite(families.RootOfSum, "adagrad/torch", ("Adagrad", {})),
    Rewrite(families.OneFractionUnderOneRoot, "adadelta/torch", ("Adadelta", {})),
    Rewrite(families.LargestByWhere, "adamax/torch", ("Adamax", {})),
    Rewrite(families.LogarithmOfProduct, "nadam/torch", ("NAdam", {})),
    Rewrite(families.LengthAsSum, "radam/torch", ("RAdam", {})),
    Rewrite(families.DeviationByDifference, "adabelief/eps-inside", None),
    Rewrite(families.NormsByDots, "lamb/paper", ("LAMB", {})),
    Rewrite(matrices.GramRestarted, "muon/torch", ("Muon", {})),
    Rewrite(matrices.Gram, "muon/own-type", None),
    # Signs are the same in any order of operations.
    Rewrite(families.FlatSigns, "signum/paper", None),
    Rewrite(families.AverageStored, "schedulefree-sgd/paper", None),
)
