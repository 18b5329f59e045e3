// GENERATED from spec/algorithms/laprop.py (dialect laprop/paper) by
//     python -m instep.reference.generate
//
// LaProp, lane by lane: one pass over memory. Of x, `x_` is the array and `x` the value in a
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
    stored *restrict n_ = at[3];  // exp_avg_sq
    const real nu = (real)number[0];
    const real _second_moment = (real)number[1];  // 1 - nu
    const real _denominator_2 = (real)number[2];  // math.sqrt(_denominator)
    const real eps = (real)number[3];
    const real mu = (real)number[4];
    const real _momentum = (real)number[5];  // 1 - mu
    const real lr = (real)number[6];
    const real _update = (real)number[7];  // 1 - mu**t
    const real _decay = (real)number[8];  // 1 - lr * weight_decay

    SIMD
    for (long i = begin; i < end; i++) {
        real grad = load(grad_[i]);
        real theta = load(theta_[i]);
        real m = load(m_[i]);
        real n = load(n_[i]);
        real g;
        if (MAXIMIZE) {
            g = -grad;  // laprop.gradient@yes
        } else {
            g = grad;  // laprop.gradient@no
        }
        n = nu * n + _second_moment * g * g;  // laprop.second_moment
        n_[i] = store(n);
        real d = sqrt(n) / _denominator_2 + eps;  // laprop.denominator
        m = mu * m + _momentum * g / d;  // laprop.momentum
        m_[i] = store(m);
        theta = theta - lr * m / _update;  // laprop.update
        theta = theta * _decay;  // laprop.decay@after
        theta_[i] = store(theta);
    }
}

#include "launch.h"
