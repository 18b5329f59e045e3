// GENERATED from spec/algorithms/signsgd.py (dialect signum/paper) by
//     python -m instep.reference.generate
//
// Signum, lane by lane: one pass over memory. Of x, `x_` is the array and `x` the value in a
// lane. Names in capitals are switches, set when this file is compiled:
//
//     MAXIMIZE  maximize
#include "lanes.h"

enum { ARRAYS = 3 };

static void step(void *const *at, const double *number, long begin, long end)
{
    stored *restrict theta_ = at[0];  // the parameter
    const stored *restrict grad_ = at[1];  // its gradient
    stored *restrict m_ = at[2];  // momentum_buffer
    const real _decay = (real)number[0];  // 1 - lr * weight_decay
    const real _momentum = (real)number[1];  // 1 - momentum
    const real _update = (real)number[2];  // -lr

    SIMD
    for (long i = begin; i < end; i++) {
        real grad = load(grad_[i]);
        real theta = load(theta_[i]);
        real m = load(m_[i]);
        real g;
        if (MAXIMIZE) {
            g = -grad;  // signum.gradient@yes
        } else {
            g = grad;  // signum.gradient@no
        }
        theta = theta * _decay;  // signum.decay
        m = lerp(m, g, _momentum);  // signum.momentum@ema
        m_[i] = store(m);
        real d = m;  // signum.direction@momentum
        theta = theta + _update * sign(d);  // signum.update
        theta_[i] = store(theta);
    }
}

#include "launch.h"
