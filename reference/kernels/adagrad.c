// GENERATED from spec/algorithms/adagrad.py (dialect adagrad/torch) by
//     python -m instep.reference.generate
//
// Adagrad, lane by lane: one pass over memory. Of x, `x_` is the array and `x` the value in a
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
    stored *restrict s_ = at[2];  // sum
    const real weight_decay = (real)number[0];
    const real eps = (real)number[1];
    const real _update = (real)number[2];  // -lr_t

    SIMD
    for (long i = begin; i < end; i++) {
        real grad = load(grad_[i]);
        real theta = load(theta_[i]);
        real s = load(s_[i]);
        real g;
        if (MAXIMIZE) {
            g = -grad;  // adagrad.gradient@yes
        } else {
            g = grad;  // adagrad.gradient@no
        }
        if (WEIGHT_DECAY) {
            g = g + weight_decay * theta;  // adagrad.l2
        }
        s = s + g * g;  // adagrad.sum_of_squares
        s_[i] = store(s);
        real d = sqrt(s) + eps;  // adagrad.denominator@outside
        theta = theta + _update * g / d;  // adagrad.update
        theta_[i] = store(theta);
    }
}

#include "launch.h"
