"""CyclicLR: up and down along lines; from cycle to cycle less high, if so wanted."""

from __future__ import annotations

from instep.spec.scheduling import *

with schedule("cyclic-lr", "CyclicLR: up and down along lines") as spec:
    low = hyper("base_lr", 0.001, name="low", latex="l", domain="[0,inf)", probe=0.125,
                required=True, description="lowest rate")
    high = hyper("max_lr", 0.1, name="high", latex="h", domain="[0,inf)", probe=0.5, required=True,
                 description="highest rate of the first cycle")
    up = hyper("step_size_up", 2000, name="up", latex="u", domain="Z[1,inf)", probe=4,
               description="steps in which the rate rises")
    down = hyper("step_size_down", 2000, name="down", latex="v", domain="Z[1,inf)", probe=2,
                 description="steps in which it falls")
    mode = option("mode", "triangular", "triangular2", "exp_range", argument=True,
                  description="height of later cycles: the same, half as much, a power")
    factor = hyper("gamma", 1.0, name="factor", latex="a", domain="(0,inf)", probe=0.75,
                   description="what the height is multiplied by at every step (exp_range)")
    cycle = option("cycle_momentum", True, False, argument=True,
                   description="whether momentum goes the other way")
    calm = hyper("base_momentum", 0.8, name="calm", latex="b", domain="[0,1)", probe=0.5,
                 description="momentum at the highest rate")
    brisk = hyper("max_momentum", 0.9, name="brisk", latex="B", domain="[0,1)", probe=0.75,
                  description="momentum at the lowest rate")
    momentum = entry("momentum", "momentum", init=brisk, when=cycle, latex=r"\mu",
                     description="momentum, or the first of betas")
    whole, done, x = local("whole", "n"), local("cycle", "k"), local("x")
    share, height, scale = local("share", "q"), local("height", "H"), local("scale", "A")

    exclude(factor, ~(mode == "exp_range"), "only exp_range has a power")
    exclude(calm, ~cycle, "momentum is left alone")
    exclude(brisk, ~cycle, "momentum is left alone")

    let("length_of_cycle", whole, up + down)
    let("share_of_rise", share, up / whole)
    let("cycle", done, floor(1 + t / whole))
    let("position", x, 1 + t / whole - done)
    with when(x <= share):
        let("height", height, x / share, form="rise")
    with otherwise():
        let("height", height, (x - 1) / (share - 1), form="fall")
    with when(mode == "triangular"):
        let("scale", scale, 1, form="triangular")
    with when(mode == "triangular2"):
        let("scale", scale, 1 / 2 ** (done - 1), form="triangular2")
    with when(mode == "exp_range"):
        let("scale", scale, factor ** t, form="exp-range")
    let("rate", lr, low + (high - low) * height * scale)
    with when(cycle):
        let("momentum", momentum, brisk - (brisk - calm) * height * scale)

    reference("Smith, Cyclical learning rates for training neural networks, WACV 2017",
              "arXiv:1506.01186")
    dialect("cyclic-lr/torch", "torch.optim.lr_scheduler.CyclicLR")
