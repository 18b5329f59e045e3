// GENERATED from spec/algorithms/lion.py (dialect lion/paper) by
//     python -m instep.reference.generate
//
// Lion, lane by lane: one pass over memory. Of x, `x_` is the array and `x` the value in a
// lane. Names in capitals are switches, set when this file is compiled:
//
//     MAXIMIZE  maximize
#include "lanes.h"

enum { ARRAYS = 3 };

static void step(void *const *at, const double *number, long begin, long end)
{
    stored *restrict theta_ = at[0];  // the parameter
    const stored *restrict grad_ = at[1];  // its gradient
    stored *restrict m_ = at[2];  // exp_avg
    const real _decay = (real)number[0];  // 1 - lr * weight_decay
    const real _direction = (real)number[1];  // 1 - beta1
    const real _momentum = (real)number[2];  // 1 - beta2
    const real _update = (real)number[3];  // -lr

    SIMD
    for (long i = begin; i < end; i++) {
        real grad = load(grad_[i]);
        real theta = load(theta_[i]);
        real m = load(m_[i]);
        real g;
        if (MAXIMIZE) {
            g = -grad;  // lion.gradient@yes
        } else {
            g = grad;  // lion.gradient@no
        }
        theta = theta * _decay;  // lion.decay@decoupled
        real c = lerp(m, g, _direction);  // lion.direction
        m = lerp(m, g, _momentum);  // lion.momentum
        m_[i] = store(m);
        theta = theta + _update * sign(c);  // lion.update
        theta_[i] = store(theta);
    }
}

#include "launch.h"
