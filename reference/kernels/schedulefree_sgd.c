// GENERATED from spec/algorithms/schedulefree_sgd.py (dialect schedulefree-sgd/authors) by
//     python -m instep.reference.generate
//
// SGDScheduleFree, lane by lane: one pass over memory. Of x, `x_` is the array and `x` the value in a
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
    stored *restrict z_ = at[2];  // z
    const real weight_decay = (real)number[0];
    const real c = (real)number[1];  // 0
    const real _update = (real)number[2];  // lr_t * (beta * (1 - c) - 1)
    const real _base = (real)number[3];  // -lr_t

    SIMD
    for (long i = begin; i < end; i++) {
        real grad = load(grad_[i]);
        real theta = load(theta_[i]);
        real z = load(z_[i]);
        real g;
        if (MAXIMIZE) {
            g = -grad;  // schedulefree-sgd.gradient@yes
        } else {
            g = grad;  // schedulefree-sgd.gradient@no
        }
        if (WEIGHT_DECAY) {
            g = g + weight_decay * theta;  // schedulefree-sgd.l2
        }
        theta = theta + c * (z - theta) + _update * g;  // schedulefree-sgd.update
        theta_[i] = store(theta);
        z = z + _base * g;  // schedulefree-sgd.base
        z_[i] = store(z);
    }
}

#include "launch.h"
