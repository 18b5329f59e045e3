// GENERATED from spec/algorithms/asgd.py (dialect asgd/torch) by
//     python -m instep.reference.generate
//
// ASGD, lane by lane: one pass over memory. Of x, `x_` is the array and `x` the value in a
// lane. Names in capitals are switches, set when this file is compiled:
//
//     MAXIMIZE      maximize
//     WEIGHT_DECAY  weight_decay != 0
#include "lanes.h"

enum { ARRAYS = 3 };

static void step(void *const *at, const double *number, long begin, long end)
{
    stored *restrict theta_ = at[0];  // the parameter
    const stored *restrict grad_ = at[1];  // its gradient
    stored *restrict ax_ = at[2];  // ax
    const real weight_decay = (real)number[0];
    const real _decay = (real)number[1];  // 1 - lambd * rate
    const real _update = (real)number[2];  // -rate
    const real share = (real)number[3];  // mu

    SIMD
    for (long i = begin; i < end; i++) {
        real grad = load(grad_[i]);
        real theta = load(theta_[i]);
        real ax = load(ax_[i]);
        real g;
        if (MAXIMIZE) {
            g = -grad;  // asgd.gradient@yes
        } else {
            g = grad;  // asgd.gradient@no
        }
        if (WEIGHT_DECAY) {
            g = g + weight_decay * theta;  // asgd.l2
        }
        theta = theta * _decay;  // asgd.decay
        theta = theta + _update * g;  // asgd.update
        theta_[i] = store(theta);
        ax = ax + share * (theta - ax);  // asgd.average
        ax_[i] = store(ax);
    }
}

#include "launch.h"
