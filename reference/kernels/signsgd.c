// GENERATED from spec/algorithms/signsgd.py (dialect signsgd/paper) by
//     python -m instep.reference.generate
//
// SignSGD, lane by lane: one pass over memory. Of x, `x_` is the array and `x` the value in a
// lane. Names in capitals are switches, set when this file is compiled:
//
//     MAXIMIZE  maximize
#include "lanes.h"

enum { ARRAYS = 2 };

static void step(void *const *at, const double *number, long begin, long end)
{
    stored *restrict theta_ = at[0];  // the parameter
    const stored *restrict grad_ = at[1];  // its gradient
    const real _decay = (real)number[0];  // 1 - lr * weight_decay
    const real _update = (real)number[1];  // -lr

    SIMD
    for (long i = begin; i < end; i++) {
        real grad = load(grad_[i]);
        real theta = load(theta_[i]);
        real g;
        if (MAXIMIZE) {
            g = -grad;  // signsgd.gradient@yes
        } else {
            g = grad;  // signsgd.gradient@no
        }
        theta = theta * _decay;  // signsgd.decay
        real d = g;  // signsgd.direction@gradient
        theta = theta + _update * sign(d);  // signsgd.update
        theta_[i] = store(theta);
    }
}

#include "launch.h"
