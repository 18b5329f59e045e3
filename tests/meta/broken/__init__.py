"""Broken optimizers, each with one defect, as real libraries have had them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from instep.conformance.suite import Session
from meta.broken import (
    adam,
    behaviour,
    checkpoints,
    construction,
    contract,
    counting,
    heun,
    isolation,
    modes,
    relations,
    sgd,
    tensors,
)


@dataclass(frozen=True)
class Bug:
    """A broken optimizer, and what the suite has to say of it.

    Attributes:
        subject: its class.
        spec: the dialect that it claims.
        check: the check that has to fail.
        diagnosis: name of a candidate that the diagnosis has to give; None where nothing known
            reproduces it, and the diagnosis has to say so.
        numeric: whether a wrong equation is to blame.
        level: of the check.
        also: further MUST checks that the same defect makes fail.
        thorough: whether the check exists at level full only.
    """

    subject: Any
    spec: str
    check: str
    diagnosis: str | None = None
    numeric: bool = True
    level: str = "must"
    also: tuple[str, ...] = ()
    thorough: bool = False

    @property
    def name(self) -> str:
        """How a test calls it."""
        return str(self.subject.__name__)

    def session(self) -> Session:
        """A session that has the check."""
        level = "full" if self.thorough else "quick"
        return Session(self.subject, self.spec, level=level, implementations=False)


TRAJECTORY = "numerics/trajectory"
ADAM = "adam/paper"
ADAMW = "adamw/torch"
AMSGRAD = "amsgrad/torch"
SGD = "sgd/torch"
HEUN = "heun/paper"

EQUATIONS = (
    Bug(adam.EpsInsideRoot, ADAM, TRAJECTORY, "adam/eps-inside"),
    Bug(adam.EpsBeforeCorrection, ADAM, TRAJECTORY, "adam/eps-hat"),
    Bug(adam.EpsSquared, ADAM, TRAJECTORY, "denominator: eps squared inside the root"),
    Bug(adam.EpsIgnored, ADAM, TRAJECTORY, "denominator: eps ignored, 1e-08 used instead"),
    Bug(adam.EpsAsClamp, ADAM, TRAJECTORY, "adam/eps-clamp"),
    Bug(adam.NoCorrection, ADAM, TRAJECTORY, "adam/no-bias-correction"),
    Bug(adam.FirstCorrectedOnly, ADAM, TRAJECTORY, "correction=first"),
    Bug(adam.StepCountedTwice, ADAM, TRAJECTORY, "first_correction: step counter one ahead"),
    # The count depends on the order of the parameters, which no equation of one parameter can say.
    Bug(adam.StepOfAllParameters, ADAM, TRAJECTORY),
    Bug(adam.BetasSwapped, ADAM, TRAJECTORY, "first_moment: beta1 and beta2 exchanged"),
    Bug(
        adam.SecondBetaHardCoded,
        ADAM,
        TRAJECTORY,
        "second_moment: beta2 ignored, 0.999 used instead",
    ),
    Bug(adam.WithoutOneMinusBeta, ADAM, TRAJECTORY, "first_moment: 1 - beta1 missing"),
    # A moment of a moment is no slip of one symbol.
    Bug(adam.SquareOfMoment, ADAM, TRAJECTORY),
    # Both betas are rounded; a mutant rounds one.
    Bug(adam.BetasThroughHalf, ADAM, "numerics/fine-values"),
    # Clipping is nowhere in the equations.
    Bug(adam.HiddenClip, ADAM, TRAJECTORY),
    # Neither are lanes that are left out.
    Bug(adam.SkipsZeros, ADAM, "numerics/defaults"),
    # Nor a type that is too narrow.
    Bug(adam.StateInHalf, ADAM, "numerics/zero-beta2"),
    Bug(adam.MaximumOfCorrected, AMSGRAD, TRAJECTORY, "amsgrad/corrected"),
    # A maximum that is never stored is the maximum with 0: plain Adam.
    Bug(adam.MaximumNotStored, AMSGRAD, TRAJECTORY, "adam/paper"),
    Bug(adam.PlainL2, ADAMW, TRAJECTORY, "adam/paper"),
    Bug(adam.DecayAfter, ADAMW, TRAJECTORY, "adamw/decay-after"),
    Bug(adam.DecayNotScaled, ADAMW, TRAJECTORY, "adamw/decay-unscaled"),
    # The gradient is one symbol in the equations; here the two moments see different ones.
    Bug(adam.DecayInFirstMomentOnly, ADAMW, TRAJECTORY),
    # No equation asks for the number of dimensions.
    Bug(adam.NoDecayOfVectors, ADAMW, TRAJECTORY),
    Bug(adam.MaximizeIgnored, ADAM, "options/maximize", "maximize=False"),
    Bug(adam.MaximizeTwice, ADAM, "options/maximize", "update: sign flipped"),
    Bug(sgd.DampedFirstStep, SGD, TRAJECTORY, "first_buffer: b starts at 0"),
    Bug(sgd.DampeningIgnored, SGD, TRAJECTORY, "buffer: dampening ignored, 0 used instead"),
    # The look-ahead of a look-ahead takes two changes of the equation.
    Bug(sgd.NesterovTwice, SGD, "options/nesterov"),
    Bug(sgd.NesterovIgnored, SGD, "options/nesterov", "nesterov=False"),
    # sgd/classical but for the dampening, which classical momentum does not have.
    Bug(sgd.RateInBuffer, SGD, "hyperparameters/lr-changed"),
    # The buffer keeps the first gradient: it is stored once, which the mutant never does.
    Bug(sgd.BufferNotStored, SGD, TRAJECTORY),
    Bug(sgd.AveragedBuffer, SGD, TRAJECTORY, "sgd/ema"),
    Bug(sgd.DecayOfUpdated, SGD, TRAJECTORY, "sgdw/decoupled"),
    Bug(heun.SecondGradientAtStart, HEUN, TRAJECTORY, "corrector: second term missing"),
    # Half the step before the second gradient and half after it takes two changes.
    Bug(heun.SecondGradientHalfway, HEUN, TRAJECTORY),
    Bug(heun.CountsOnAccumulation, HEUN, TRAJECTORY),
)
BEHAVIOUR = (
    Bug(
        behaviour.StepOfTheOptimizer,
        ADAM,
        "gradients/none",
        "counter: one step counter for all parameters",
        numeric=False,
    ),
    Bug(behaviour.MissingAsZero, ADAM, "gradients/none", numeric=False),
    Bug(behaviour.RateOfConstruction, ADAM, "hyperparameters/lr-changed", numeric=False),
    Bug(behaviour.GroupsIgnored, ADAM, "groups/own-values", numeric=False),
    Bug(behaviour.FirstGroupForAll, ADAM, "groups/own-values", numeric=False),
    Bug(behaviour.WritesToGradient, ADAM, "gradients/untouched", numeric=False),
    Bug(behaviour.NegatesGradient, ADAM, "gradients/untouched", numeric=False),
    Bug(behaviour.KeepsGradient, SGD, "gradients/not-kept", numeric=False),
    Bug(behaviour.CountOutsideState, ADAM, "state/resume", numeric=False),
    Bug(behaviour.LoadStartsAgain, ADAM, "state/resume", numeric=False),
    Bug(behaviour.SavingAdvances, ADAM, "state/pure", numeric=False),
    Bug(behaviour.ClosureTwice, ADAM, "closure/calls", numeric=False),
    Bug(behaviour.ClosureWithoutGradients, ADAM, "closure/gradients-enabled", numeric=False),
    Bug(behaviour.LossLost, ADAM, "closure/loss", numeric=False),
    Bug(heun.GradientsOff, HEUN, "closure/gradients-enabled", numeric=False),
    Bug(heun.ThreeCalls, HEUN, "closure/calls", numeric=False),
    Bug(heun.LastLoss, HEUN, "closure/loss", numeric=False),
    Bug(heun.FirstGradientNotCopied, HEUN, "closure/update", numeric=False),
    Bug(behaviour.Noisy, ADAM, "determinism/repeat", numeric=False),
)
CONSTRUCTION = (
    Bug(
        behaviour.AcceptsSharedParameters,
        ADAM,
        "errors/shared-parameter",
        numeric=False,
        also=("errors/partly-named-groups",),
    ),
    Bug(behaviour.AcceptsNothing, ADAM, "errors/empty", numeric=False),
    Bug(construction.WithoutNumbers, ADAM, "errors/no-tensor", numeric=False),
    Bug(construction.TakesResults, ADAM, "errors/no-leaf", numeric=False),
    Bug(construction.SetsAsLists, ADAM, "errors/set", numeric=False),
    Bug(construction.NamesTheRest, ADAM, "errors/partly-named", numeric=False),
    Bug(construction.NamesTheFirstGroup, ADAM, "errors/partly-named-groups", numeric=False),
    Bug(construction.OnceIsEnough, ADAM, "errors/twice-in-group", numeric=False, level="should"),
    Bug(construction.MeanOfRates, ADAM, "errors/several-rates", numeric=False, level="should"),
)
STATE = (
    Bug(checkpoints.EmptiesTheDict, ADAM, "checkpoints/described", numeric=False),
    Bug(checkpoints.SavesByPosition, ADAM, "checkpoints/file", numeric=False),
    Bug(checkpoints.ObjectInState, ADAM, "checkpoints/weights-only", numeric=False, level="should"),
    Bug(checkpoints.ValuesOfConstruction, ADAM, "checkpoints/hyperparameters", numeric=False),
    Bug(checkpoints.LoadsAsSaved, ADAM, "checkpoints/other-type", numeric=False, level="should"),
    Bug(checkpoints.LoadsOnTheHost, ADAM, "checkpoints/device", numeric=False, level="should"),
    Bug(
        checkpoints.KeepsOnTheHost,
        ADAM,
        "tensors/meta",
        numeric=False,
        level="info",
        thorough=True,
    ),
    Bug(checkpoints.LoadsInSingle, ADAM, "checkpoints/float64", numeric=False),
    Bug(
        checkpoints.MomentsInSingle,
        ADAM,
        "checkpoints/bfloat16",
        numeric=False,
        also=("checkpoints/float16",),
        thorough=True,
    ),
    Bug(
        checkpoints.CountsInPlace,
        ADAM,
        "checkpoints/numbers",
        numeric=False,
        level="info",
        thorough=True,
    ),
    Bug(checkpoints.SavesByItself, ADAM, "hooks/state-dict", numeric=False),
    Bug(checkpoints.LoadsByItself, ADAM, "hooks/load-state-dict", numeric=False),
    Bug(checkpoints.StateBeside, ADAM, "state/not-empty", numeric=False, level="should"),
    Bug(counting.CountsAsLoaded, ADAM, "state/count", numeric=False),
    Bug(counting.CountsInDefaultType, ADAM, "state/count", numeric=False),
    Bug(
        counting.CountsInSingle,
        "adagrad/torch",
        "state/large-count",
        numeric=False,
        level="should",
    ),
    Bug(contract.SharesWithItsCopy, ADAM, "copies/deepcopy", numeric=False, level="should"),
    Bug(contract.ForgetsInPickle, ADAM, "copies/pickle", numeric=False, level="should"),
    Bug(contract.SaysNothing, ADAM, "copies/repr", numeric=False, level="info"),
    Bug(
        contract.StepOfTheInstance,
        ADAM,
        "hooks/step",
        numeric=False,
        also=("hooks/all-optimizers", "modes/scheduler"),
    ),
    Bug(contract.HooksOfItsOwn, ADAM, "hooks/all-optimizers", numeric=False),
    Bug(contract.KeepsHooks, ADAM, "hooks/removed", numeric=False),
    Bug(contract.Freezes, ADAM, "parameters/kept", numeric=False),
    Bug(contract.PutsElsewhere, ADAM, "parameters/in-place", numeric=False, level="should"),
    Bug(
        contract.DropsNames,
        ADAM,
        "parameters/named",
        numeric=False,
        also=("errors/partly-named",),
    ),
    Bug(contract.LoadsByName, ADAM, "parameters/names-loaded", numeric=False),
    Bug(contract.PreparesForAll, ADAM, "state/none-without-gradient", numeric=False, level="info"),
    Bug(contract.KeepsTheParameter, ADAM, "state/own-memory", numeric=False, level="should"),
    Bug(contract.KeepsAGraph, ADAM, "state/detached", numeric=False, level="should"),
    Bug(
        contract.CopiesAtEveryTurn,
        ADAM,
        "memory/peak",
        numeric=False,
        level="info",
        thorough=True,
    ),
    Bug(contract.KeepsADiary, ADAM, "memory/steady", numeric=False, level="should"),
    Bug(contract.KeepsTheLoss, ADAM, "memory/loss-freed", numeric=False, level="should"),
    Bug(contract.ZerosByDefault, ADAM, "gradients/dropped", numeric=False),
    Bug(contract.NeverZeros, ADAM, "gradients/zeroed", numeric=False),
    Bug(contract.GroupsOfConstruction, ADAM, "groups/added", numeric=False, thorough=True),
)
TENSORS = (
    Bug(tensors.NeedsGradients, ADAM, "tensors/no-gradients", numeric=False),
    Bug(tensors.LongestFirst, ADAM, "tensors/order", numeric=False, also=("tensors/empty",)),
    Bug(tensors.WholeVectorsOnly, ADAM, "tensors/split", numeric=False),
    Bug(tensors.ManyLanesInHalf, ADAM, "tensors/large", numeric=False, thorough=True),
    Bug(tensors.RatesOfTheType, ADAM, "precision/bfloat16-defaults", numeric=False),
    Bug(tensors.RowMajor, ADAM, "tensors/transposed", numeric=False),
    Bug(tensors.RowMajorImages, ADAM, "tensors/channels-last", numeric=False),
    Bug(tensors.WithoutGaps, ADAM, "tensors/slices", numeric=False),
    Bug(tensors.ViewsOnly, ADAM, "tensors/any-layout", numeric=False, level="should"),
    Bug(tensors.TypeOfTheFirst, ADAM, "types/mixed", numeric=False),
    Bug(tensors.TypeOfTheFirstGroup, ADAM, "types/groups", numeric=False),
    Bug(tensors.NothingBesideNothing, ADAM, "tensors/empty", numeric=False),
    Bug(isolation.SkipsNotFinite, ADAM, "isolation/lanes", numeric=False),
    Bug(isolation.SkipsAllNotFinite, ADAM, "isolation/parameters", numeric=False),
    Bug(isolation.LeavesGradientsOff, ADAM, "isolation/modes", numeric=False),
    Bug(isolation.SeedsAgain, ADAM, "isolation/resources", numeric=False, level="should"),
    Bug(isolation.LerpByTensor, ADAM, "isolation/default-dtype", numeric=False),
    Bug(
        isolation.StateOfDefaultType,
        ADAM,
        "isolation/narrow-default-dtype",
        numeric=False,
        level="should",
        also=("checkpoints/float64",),
    ),
    Bug(isolation.ByProducts, ADAM, "isolation/autocast", numeric=False, level="should"),
    Bug(
        relations.AscendsAgainstDecay,
        ADAM,
        "metamorphic/maximize",
        numeric=False,
        also=("options/maximize", "precision/bfloat16.maximize"),
    ),
    Bug(relations.NothingAboveZero, ADAM, "metamorphic/odd", numeric=False),
    Bug(relations.LargeGradientsClipped, ADAM, "metamorphic/gradient-scale", numeric=False),
    Bug(relations.ParametersClipped, ADAM, "metamorphic/shift", numeric=False),
    Bug(relations.RateLimited, SGD, "metamorphic/rate", numeric=False),
    Bug(relations.DecayLimited, SGD, "metamorphic/shrink", numeric=False),
    Bug(relations.TallAsEmbedding, ADAM, "metamorphic/transpose", numeric=False),
    Bug(modes.WarmsTheRate, ADAM, "modes/lr-tensor", numeric=False),
    Bug(modes.InitialRate, ADAM, "modes/scheduler", numeric=False),
    Bug(
        modes.DetachesTheScale,
        ADAM,
        "modes/derivatives",
        numeric=False,
        thorough=True,
    ),
    Bug(
        modes.DetachesTheRate,
        ADAM,
        "modes/derivatives-of-hyperparameters",
        numeric=False,
        level="should",
        thorough=True,
    ),
    Bug(modes.WithoutEpsWhenCompiled, ADAM, "modes/compiled", numeric=False, thorough=True),
    Bug(modes.CountsSkippedSteps, ADAM, "modes/grad-scale", numeric=False),
    Bug(modes.LastBackward, ADAM, "gradients/accumulated", numeric=False),
)
BEHAVIOUR = (*BEHAVIOUR, *CONSTRUCTION, *STATE, *TENSORS)
BUGS = (*EQUATIONS, *BEHAVIOUR)
