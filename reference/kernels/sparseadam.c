// GENERATED from spec/algorithms/sparse_adam.py (dialect sparseadam/torch) by
//     python -m instep.reference.generate
//
// SparseAdam, lane by lane: one pass over memory. Of x, `x_` is the array and `x` the value in a
// lane. Names in capitals are switches, set when this file is compiled:
//
//     MAXIMIZE  maximize
#include "lanes.h"

enum { ARRAYS = 4 };

static void step(void *const *at, const double *number, long begin, long end)
{
    stored *restrict theta_ = at[0];  // the parameter
    const stored *restrict grad_ = at[1];  // its gradient
    stored *restrict m_ = at[2];  // exp_avg
    stored *restrict v_ = at[3];  // exp_avg_sq
    const real _first_moment = (real)number[0];  // 1 - beta1
    const real beta2 = (real)number[1];
    const real _second_moment = (real)number[2];  // 1 - beta2
    const real eps = (real)number[3];
    const real _update = (real)number[4];  // -step_size

    SIMD
    for (long i = begin; i < end; i++) {
        real grad = load(grad_[i]);
        real theta = load(theta_[i]);
        real m = load(m_[i]);
        real v = load(v_[i]);
        real g;
        if (MAXIMIZE) {
            g = -grad;  // sparseadam.gradient@yes
        } else {
            g = grad;  // sparseadam.gradient@no
        }
        m = lerp(m, g, _first_moment);  // sparseadam.first_moment
        m_[i] = store(m);
        v = beta2 * v + _second_moment * g * g;  // sparseadam.second_moment
        v_[i] = store(v);
        real d = sqrt(v) + eps;  // sparseadam.denominator@hat
        theta = theta + _update * m / d;  // sparseadam.update
        theta_[i] = store(theta);
    }
}

#include "launch.h"
