"""L-BFGS: quasi-Newton directions from the last few steps, with a fixed step or a line search."""

from __future__ import annotations

from typing import Any

from instep.spec.author import *

with algorithm("lbfgs", "L-BFGS: limited-memory quasi-Newton steps") as spec:
    whole: Any = {"scope": "optimizer"}
    lr = hyper("lr", 1, domain="[0,inf)", latex=r"\gamma", probe=3 / 4, **whole,
               aliases=("learning_rate", "step_size"), description="step length tried first")
    rounds = hyper("max_iter", 20, name="max_iter", domain="Z[0,inf)", latex=r"N", probe=4,
                   aliases=("max_iterations",), description="directions in one step", **whole)
    budget = hyper("max_eval", 25, name="max_eval", domain="Z[1,inf)", latex=r"E", probe=4,
                   unset=floor(rounds * 5 / 4), description="evaluations in one step", **whole)
    flat = hyper("tolerance_grad", 1e-7, domain="[0,inf)", latex=r"\varepsilon_g", probe=2**-3,
                 **whole, description="largest entry of the gradient at which a step ends")
    still = hyper("tolerance_change", 1e-9, domain="[0,inf)", latex=r"\varepsilon", probe=2**-5,
                  description="change of loss or parameters, or slope, at which a step ends",
                  **whole)
    memory = hyper("history_size", 100, domain="Z[1,inf)", latex="M", probe=3, **whole,
                   aliases=("memory",), description="pairs of differences that are kept")
    search = option("line_search", "none", "strong-wolfe", argument="line_search_fn",
                    spelling={None: "none", "strong_wolfe": "strong-wolfe"},
                    description="how the step length is found")

    evals = state("func_evals", "func_evals", latex="n_f", description="evaluations so far",
                  **whole)
    n = state("n", "n_iter", description="directions so far", **whole)
    d = state("d", "d", flat=True, description="direction")
    t = state("t", "t", description="step length", **whole)
    Y = state("Y", "old_dirs", shape="history", flat=True, latex="Y",
              description="differences of gradients")
    S = state("S", "old_stps", shape="history", flat=True, latex="S",
              description="differences of parameters")
    rho = state("rho", "ro", shape="history", latex=r"\rho", description="1 / y s", **whole)
    h = state("h", "H_diag", init=1, latex=r"\eta", **whole,
              description="scale of the first inverse Hessian")
    g_old = state("g_old", "prev_flat_grad", flat=True, latex=r"g^{-}",
                  description="gradient of the last direction")
    f_old = state("f_old", "prev_loss", latex="f^{-}", description="loss of the last direction",
                  **whole)

    g, f, used, end = local("g"), local("f"), local("used", "n_e"), local("end", r"\omega")
    y, s, ys, q = local("y"), local("s"), local("ys", "y^T s"), local("q")
    a, b, slope = local("a", r"\alpha"), local("b", r"\beta"), local("slope", r"\phi'_0")

    def dot(x: Any, y: Any) -> Any:
        """Inner product over all parameters."""
        return total_over_params(x * y)

    def largest(x: Any) -> Any:
        """Largest absolute entry over all parameters."""
        return max_over_params(abs(x))

    # ---- the direction: two loops over the history, Nocedal and Wright, algorithm 7.4

    def _remember() -> None:
        let("gradient_difference", y, g - g_old)
        let("step", s, d * t)
        let("curvature", ys, dot(y, s))
        with when(ys > 1e-10):
            push("gradient_differences", Y, y, memory)
            push("steps", S, s, memory)
            push("inverse_curvatures", rho, 1 / ys, memory)
            let("scale", h, ys / dot(y, y))

    def _two_loops() -> None:
        let("start", q, -g)
        with repeat(length(rho), variable="i", down=True) as i:
            let("first_loop_factor", at(a, i), dot(at(S, i), q) * at(rho, i))
            let("first_loop", q, q - at(a, i) * at(Y, i))
        let("first_hessian", q, q * h)
        with repeat(length(rho), variable="i") as i:
            let("second_loop_factor", b, dot(at(Y, i), q) * at(rho, i))
            let("second_loop", q, q + (at(a, i) - b) * at(S, i))
        let("direction", d, q)

    # ---- the line search: Nocedal and Wright, algorithms 3.5 and 3.6, as minFunc has them

    c1, c2 = 1e-4, 0.9
    x, g_t = local("x"), local("g_t")
    f_t, slope_t = local("f_t", r"\phi"), local("slope_t", r"\phi'")
    k, done, ready = local("k"), local("done"), local("ready")
    t_0, f_0, slope_0, g_0 = local("t_0"), local("f_0"), local("slope_0"), local("g_0")
    T, F, D, G = local("T"), local("F"), local("D"), local("G")
    low, high, tries = local("low"), local("high"), local("tries")
    first, last = local("first"), local("last")
    d1, root, margin, stuck = local("d1"), local("root"), local("margin"), local("stuck")
    t_next = local("t_next")

    def _evaluate(form: str) -> None:
        let("trial_point", x, theta + t * d, form=form)
        let("trial_gradient", g_t, grad(x), form=form)
        let("trial_loss", f_t, loss(x), form=form)
        let("trial_slope", slope_t, dot(g_t, d), form=form)

    def _interpolate(one: Any, other: Any, inside: Any, form: str, ordered: bool = False) -> None:
        """Minimum of the cubic through two points (t, f, f'), kept between two ends."""
        (t1, f1, s1), (t2, f2, s2) = one, other
        let("cubic_slope", d1, s1 + s2 - 3 * (f1 - f2) / (t1 - t2), form=form)
        let("cubic_square", root, d1**2 - s1 * s2, form=form)
        with when(root >= 0):
            let("cubic_root", root, sqrt(root), form=form)
            if ordered:
                _minimum(one, other, form)
            else:
                with when(t1 <= t2):
                    _minimum(one, other, form)
                with otherwise():
                    _minimum(other, one, form)
            let("interpolation", t_next, minimum(maximum(t_next, inside[0]), inside[1]), form=form)
        with otherwise():
            let("bisection", t_next, (inside[0] + inside[1]) / 2.0, form=form)

    def _minimum(left: Any, right: Any, form: str) -> None:
        (t1, _, s1), (t2, _, s2) = left, right
        let("cubic_minimum", t_next, t2 - (t2 - t1) * ((s2 + root - d1) / (s2 - s1 + 2 * root)),
            form=form)

    def _bracket_with(one: Any, other: Any, form: str) -> None:
        names = ("end_step", "end_loss", "end_slope", "end_gradient")
        for place, point, side in ((0, one, "left"), (1, other, "right")):
            for name, where_to, value in zip(names, (T, F, D, G), point, strict=True):
                let(name, at(where_to, place), value, form=f"{form}-{side}")

    def _bracket() -> None:
        here, before = (t, f_t, slope_t, g_t), (t_0, f_0, slope_0, g_0)
        let("tries", tries, budget - used)
        let("round", k, 0, form="first")
        for name, target, value in zip(
            ("last_step", "last_loss", "last_slope", "last_gradient"), before, (0, f, slope, g),
            strict=True,
        ):
            let(name, target, value, form="first")
        let("done", done, 0, form="first")
        let("bracketed", ready, 0, form="first")
        _bracket_with((0, f, slope, g), here, "widest")
        with repeat(tries, variable="j", until=ready > 0):
            with when(holds(f_t > f + c1 * t * slope) | (holds(k > 1) & holds(f_t >= f_0))):
                _bracket_with(before, here, "rising")
                let("bracketed", ready, 1, form="rising")
            with otherwise():
                with when(abs(slope_t) <= -c2 * slope):
                    _bracket_with(here, here, "found")
                    let("done", done, 1, form="found")
                    let("bracketed", ready, 1, form="found")
                with otherwise():
                    with when(slope_t >= 0):
                        _bracket_with(before, here, "uphill")
                        let("bracketed", ready, 1, form="uphill")
                    with otherwise():
                        _interpolate((t_0, f_0, slope_0), (t, f_t, slope_t),
                                     (t + 0.01 * (t - t_0), t * 10), "beyond", ordered=True)
                        for name, target, value in zip(
                            ("last_step", "last_loss", "last_slope", "last_gradient"), before,
                            here, strict=True,
                        ):
                            let(name, target, value, form="next")
                        let("step_length", t, t_next, form="beyond")
                        _evaluate("beyond")
                        let("round", k, k + 1, form="next")
        with when(ready < 1):
            _replace(1, here, "exhausted")

    def _order(form: str) -> None:
        let("low", low, where(at(F, 0) <= at(F, 1), 0, 1), form=form)
        let("high", high, 1 - low, form=form)

    def _zoom() -> None:
        _order("bracketed")
        let("stuck", stuck, 0, form="first")
        let("zoomed", ready, 0, form="first")
        with repeat(where(done > 0, 0, tries - k), variable="j", until=ready > 0):
            with when(abs(at(T, 1) - at(T, 0)) * largest(d) < 1e-9):
                let("zoomed", ready, 1, form="narrow")
            with otherwise():
                _zoom_round()

    def _zoom_round() -> None:
        let("first_end", first, minimum(at(T, 0), at(T, 1)))
        let("last_end", last, maximum(at(T, 0), at(T, 1)))
        _interpolate((at(T, 0), at(F, 0), at(D, 0)), (at(T, 1), at(F, 1), at(D, 1)),
                     (first, last), "inside")
        let("step_length", t, t_next, form="inside")
        let("margin", margin, 0.1 * (last - first))
        with when(minimum(last - t, t - first) < margin):
            with when(holds(stuck > 0) | holds(t >= last) | holds(t <= first)):
                with when(abs(t - last) < abs(t - first)):
                    let("step_length", t, last - margin, form="from-last")
                with otherwise():
                    let("step_length", t, first + margin, form="from-first")
                let("stuck", stuck, 0, form="freed")
            with otherwise():
                let("stuck", stuck, 1, form="near")
        with otherwise():
            let("stuck", stuck, 0, form="clear")
        _evaluate("inside")
        let("round", k, k + 1, form="zoom")
        with when(holds(f_t > f + c1 * t * slope) | holds(f_t >= at(F, low))):
            _replace(high, (t, f_t, slope_t, g_t), "high")
            _order("narrowed")
        with otherwise():
            with when(abs(slope_t) <= -c2 * slope):
                let("zoomed", ready, 1, form="wolfe")
            with otherwise():
                with when(slope_t * (at(T, high) - at(T, low)) >= 0):
                    _replace(high, (at(T, low), at(F, low), at(D, low), at(G, low)), "turned")
            _replace(low, (t, f_t, slope_t, g_t), "low")

    def _replace(place: Any, point: Any, form: str) -> None:
        names = ("end_step", "end_loss", "end_slope", "end_gradient")
        for name, where_to, value in zip(names, (T, F, D, G), point, strict=True):
            let(name, at(where_to, place), value, form=form)

    # ---- the step

    let("gradient", g, grad(theta), form="first")
    let("loss", f, loss(theta), form="first")
    let("used", used, 1, form="first")
    let("evaluations", evals, prev(evals) + 1, form="first")
    with when(~holds(largest(g) <= flat)):
        let("end", end, 0, form="first")
        with repeat(rounds, variable="j_d", until=end > 0) as turn:
            let("directions", n, n + 1)
            with when(equal(n, 1)):
                let("direction", d, -g, form="first")
            with otherwise():
                _remember()
                _two_loops()
            let("last_gradient_kept", g_old, g)
            let("last_loss_kept", f_old, f)
            with when(equal(n, 1)):
                let("step_length", t, minimum(1.0, 1.0 / total_over_params(abs(g))) * lr,
                    form="first")
            with otherwise():
                let("step_length", t, lr)
            let("slope", slope, dot(g, d))
            with when(slope > -still):
                let("end", end, 1, form="uphill")
            with otherwise():
                with when(search == "strong-wolfe"):
                    _evaluate("first")
                    _bracket()
                    _zoom()
                    let("step_length", t, at(T, low), form="found")
                    let("loss", f, at(F, low), form="found")
                    let("gradient", g, at(G, low), form="found")
                    let("update", theta, theta + t * d, form="searched")
                    let("evaluations", evals, evals + k + 1, form="searched")
                    let("used", used, used + k + 1, form="searched")
                with otherwise():
                    let("update", theta, theta + t * d)
                    with when(turn < rounds - 1):
                        let("gradient", g, grad(theta))
                        let("loss", f, loss(theta))
                        let("evaluations", evals, evals + 1)
                        let("used", used, used + 1)
                with when(holds(used >= budget) | holds(largest(g) <= flat)
                          | holds(largest(d * t) <= still) | holds(abs(f - f_old) < still)):
                    let("end", end, 1, form="converged")

    accept(sparse=True)
    signature("lr", "max_iter", "max_eval", "tolerance_grad", "tolerance_change", "history_size",
              "line_search_fn")

    reference("Liu and Nocedal, On the limited memory BFGS method for large scale optimization, "
              "Mathematical Programming 45, 1989", "doi:10.1007/BF01589116")
    reference("Nocedal and Wright, Numerical optimization, 2nd edition, 2006, algorithms 3.5, 3.6 "
              "and 7.4", "doi:10.1007/978-0-387-40065-5")

    dialect("lbfgs/torch", "torch.optim.LBFGS", export="LBFGS",
            note="A step makes up to max_iter directions of length lr, and evaluates between them.")
    dialect("lbfgs/strong-wolfe", 'torch.optim.LBFGS(line_search_fn="strong_wolfe")',
            line_search="strong-wolfe",
            note="The step length of every direction meets the strong Wolfe conditions.")
