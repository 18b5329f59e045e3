# GENERATED from spec/ by
#     python -m instep.reference.generate
"""The readable reference: one tensor at a time, one line per equation."""

from __future__ import annotations

from instep.reference.eager.adabelief import AdaBelief
from instep.reference.eager.adadelta import Adadelta
from instep.reference.eager.adafactor import Adafactor
from instep.reference.eager.adagrad import Adagrad
from instep.reference.eager.adam import Adam
from instep.reference.eager.adamax import Adamax
from instep.reference.eager.adamc import AdamC
from instep.reference.eager.adamp import AdamP
from instep.reference.eager.adamuon import AdaMuon
from instep.reference.eager.adamw import AdamW
from instep.reference.eager.adan import Adan
from instep.reference.eager.ademamix import AdEMAMix
from instep.reference.eager.adopt import ADOPT
from instep.reference.eager.asgd import ASGD
from instep.reference.eager.dadapt_adam import DAdaptAdam
from instep.reference.eager.heun import Heun
from instep.reference.eager.lamb import LAMB
from instep.reference.eager.laprop import LaProp
from instep.reference.eager.lars import LARS
from instep.reference.eager.lbfgs import LBFGS
from instep.reference.eager.lion import Lion
from instep.reference.eager.madgrad import MADGRAD
from instep.reference.eager.mars import MARS
from instep.reference.eager.muon import Muon
from instep.reference.eager.nadam import NAdam
from instep.reference.eager.normuon import NorMuon
from instep.reference.eager.novograd import NovoGrad
from instep.reference.eager.prodigy import Prodigy
from instep.reference.eager.radam import RAdam
from instep.reference.eager.ranger import Ranger
from instep.reference.eager.rmsprop import RMSprop
from instep.reference.eager.rprop import Rprop
from instep.reference.eager.schedulefree_adamw import AdamWScheduleFree
from instep.reference.eager.schedulefree_radam import RAdamScheduleFree
from instep.reference.eager.schedulefree_sgd import SGDScheduleFree
from instep.reference.eager.scion import Scion
from instep.reference.eager.sgd import SGD
from instep.reference.eager.sgdp import SGDP
from instep.reference.eager.sgdw import SGDW
from instep.reference.eager.signsgd import SignSGD
from instep.reference.eager.signum import Signum
from instep.reference.eager.sparseadam import SparseAdam
from instep.reference.eager.stableadamw import StableAdamW
from instep.reference.eager.yogi import Yogi

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
