// GENERATED from spec/algorithms/sgd.py (dialect sgdw/decoupled) by
//     python -m instep.reference.generate
//
// SGDW, lane by lane: one pass over memory. Of x, `x_` is the array and `x` the value in a
// lane. Names in capitals are switches, set when this file is compiled:
//
//     MAXIMIZE  maximize
//     MOMENTUM  momentum != 0
//     B_ABSENT  state.get("momentum_buffer") is None
//     NESTEROV  nesterov
#include "lanes.h"

enum { ARRAYS = 3 };

static void step(void *const *at, const double *number, long begin, long end)
{
    stored *restrict theta_ = at[0];  // the parameter
    const stored *restrict grad_ = at[1];  // its gradient
    stored *restrict b_ = at[2];  // momentum_buffer
    const real momentum = (real)number[0];
    const real _buffer = (real)number[1];  // 1 - dampening
    const real _decay = (real)number[2];  // 1 - lr * weight_decay
    const real _update = (real)number[3];  // -lr

    SIMD
    for (long i = begin; i < end; i++) {
        real grad = load(grad_[i]);
        real theta = load(theta_[i]);
        real g;
        if (MAXIMIZE) {
            g = -grad;  // sgdw.gradient@yes
        } else {
            g = grad;  // sgdw.gradient@no
        }
        real d;
        if (MOMENTUM) {
            real b;
            if (B_ABSENT) {
                b = g;  // sgdw.first_buffer@torch
                b_[i] = store(b);
            } else {
                b = load(b_[i]);
                b = momentum * b + _buffer * g;  // sgdw.buffer@torch
                b_[i] = store(b);
            }
            if (NESTEROV) {
                d = g + momentum * b;  // sgdw.direction@torch
            } else {
                d = b;  // sgdw.direction@buffer
            }
        } else {
            d = g;  // sgdw.direction
        }
        theta = theta * _decay;  // sgdw.decay@decoupled
        theta = theta + _update * d;  // sgdw.update
        theta_[i] = store(theta);
    }
}

#include "launch.h"
