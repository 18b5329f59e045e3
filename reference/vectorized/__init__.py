# GENERATED from spec/ by
#     python -m instep.reference.generate
"""Drop-in optimizers: torch's arguments, state, checkpoints; many tensors a call."""

from __future__ import annotations

from instep.reference.vectorized.adabelief import AdaBelief
from instep.reference.vectorized.adadelta import Adadelta
from instep.reference.vectorized.adafactor import Adafactor
from instep.reference.vectorized.adagrad import Adagrad
from instep.reference.vectorized.adam import Adam
from instep.reference.vectorized.adamax import Adamax
from instep.reference.vectorized.adamc import AdamC
from instep.reference.vectorized.adamp import AdamP
from instep.reference.vectorized.adamuon import AdaMuon
from instep.reference.vectorized.adamw import AdamW
from instep.reference.vectorized.adan import Adan
from instep.reference.vectorized.ademamix import AdEMAMix
from instep.reference.vectorized.adopt import ADOPT
from instep.reference.vectorized.asgd import ASGD
from instep.reference.vectorized.dadapt_adam import DAdaptAdam
from instep.reference.vectorized.heun import Heun
from instep.reference.vectorized.lamb import LAMB
from instep.reference.vectorized.laprop import LaProp
from instep.reference.vectorized.lars import LARS
from instep.reference.vectorized.lbfgs import LBFGS
from instep.reference.vectorized.lion import Lion
from instep.reference.vectorized.madgrad import MADGRAD
from instep.reference.vectorized.mars import MARS
from instep.reference.vectorized.muon import Muon
from instep.reference.vectorized.nadam import NAdam
from instep.reference.vectorized.normuon import NorMuon
from instep.reference.vectorized.novograd import NovoGrad
from instep.reference.vectorized.prodigy import Prodigy
from instep.reference.vectorized.radam import RAdam
from instep.reference.vectorized.ranger import Ranger
from instep.reference.vectorized.rmsprop import RMSprop
from instep.reference.vectorized.rprop import Rprop
from instep.reference.vectorized.schedulefree_adamw import AdamWScheduleFree
from instep.reference.vectorized.schedulefree_radam import RAdamScheduleFree
from instep.reference.vectorized.schedulefree_sgd import SGDScheduleFree
from instep.reference.vectorized.scion import Scion
from instep.reference.vectorized.sgd import SGD
from instep.reference.vectorized.sgdp import SGDP
from instep.reference.vectorized.sgdw import SGDW
from instep.reference.vectorized.signsgd import SignSGD
from instep.reference.vectorized.signum import Signum
from instep.reference.vectorized.sparseadam import SparseAdam
from instep.reference.vectorized.stableadamw import StableAdamW
from instep.reference.vectorized.yogi import Yogi

__all__ = [
    "ADOPT",
    "ASGD",
    "LAMB",
    "LARS",
    "LBFGS",
    "MADGRAD",
    "MARS",
    "SGD",
    "SGDP",
    "SGDW",
    "AdEMAMix",
    "AdaBelief",
    "AdaMuon",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamC",
    "AdamP",
    "AdamW",
    "AdamWScheduleFree",
    "Adamax",
    "Adan",
    "DAdaptAdam",
    "Heun",
    "LaProp",
    "Lion",
    "Muon",
    "NAdam",
    "NorMuon",
    "NovoGrad",
    "Prodigy",
    "RAdam",
    "RAdamScheduleFree",
    "RMSprop",
    "Ranger",
    "Rprop",
    "SGDScheduleFree",
    "Scion",
    "SignSGD",
    "Signum",
    "SparseAdam",
    "StableAdamW",
    "Yogi",
]
