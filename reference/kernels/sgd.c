// GENERATED from spec/algorithms/sgd.py (dialect sgd/torch) by
//     python -m instep.reference.generate
//
// SGD, lane by lane: one pass over memory. Of x, `x_` is the array and `x` the value in a
// lane. Names in capitals are switches, set when this file is compiled:
//
//     MAXIMIZE      maximize
//     WEIGHT_DECAY  weight_decay != 0
//     MOMENTUM      momentum != 0
//     B_ABSENT      state.get("momentum_buffer") is None
//     NESTEROV      nesterov
#include "lanes.h"

enum { ARRAYS = 3 };

static void step(void *const *at, const double *number, long begin, long end)
{
    stored *restrict theta_ = at[0];  // the parameter
    const stored *restrict grad_ = at[1];  // its gradient
    stored *restrict b_ = at[2];  // momentum_buffer
    const real weight_decay = (real)number[0];
    const real momentum = (real)number[1];
    const real _buffer = (real)number[2];  // 1 - dampening
    const real _update = (real)number[3];  // -lr

    SIMD
    for (long i = begin; i < end; i++) {
        real grad = load(grad_[i]);
        real theta = load(theta_[i]);
        real g;
        if (MAXIMIZE) {
            g = -grad;  // sgd.gradient@yes
        } else {
            g = grad;  // sgd.gradient@no
        }
        if (WEIGHT_DECAY) {
            g = g + weight_decay * theta;  // sgd.l2
        }
        real d;
        if (MOMENTUM) {
            real b;
            if (B_ABSENT) {
                b = g;  // sgd.first_buffer@torch
                b_[i] = store(b);
            } else {
                b = load(b_[i]);
                b = momentum * b + _buffer * g;  // sgd.buffer@torch
                b_[i] = store(b);
            }
            if (NESTEROV) {
                d = g + momentum * b;  // sgd.direction@torch
            } else {
                d = b;  // sgd.direction@buffer
            }
        } else {
            d = g;  // sgd.direction
        }
        theta = theta + _update * d;  // sgd.update
        theta_[i] = store(theta);
    }
}

#include "launch.h"
