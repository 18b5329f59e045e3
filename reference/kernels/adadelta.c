// GENERATED from spec/algorithms/adadelta.py (dialect adadelta/torch) by
//     python -m instep.reference.generate
//
// Adadelta, lane by lane: one pass over memory. Of x, `x_` is the array and `x` the value in a
// lane. Names in capitals are switches, set when this file is compiled:
//
//     MAXIMIZE      maximize
//     WEIGHT_DECAY  weight_decay != 0
#include "lanes.h"

enum { ARRAYS = 4 };

static void step(void *const *at, const double *number, long begin, long end)
{
    stored *restrict theta_ = at[0];  // the parameter
    const stored *restrict grad_ = at[1];  // its gradient
    stored *restrict v_ = at[2];  // square_avg
    stored *restrict u_ = at[3];  // acc_delta
    const real weight_decay = (real)number[0];
    const real rho = (real)number[1];
    const real _mean_square_gradient = (real)number[2];  // 1 - rho
    const real eps = (real)number[3];
    const real _mean_square_step = (real)number[4];  // 1 - rho
    const real _update = (real)number[5];  // -lr

    SIMD
    for (long i = begin; i < end; i++) {
        real grad = load(grad_[i]);
        real theta = load(theta_[i]);
        real v = load(v_[i]);
        real u = load(u_[i]);
        real g;
        if (MAXIMIZE) {
            g = -grad;  // adadelta.gradient@yes
        } else {
            g = grad;  // adadelta.gradient@no
        }
        if (WEIGHT_DECAY) {
            g = g + weight_decay * theta;  // adadelta.l2
        }
        v = rho * v + _mean_square_gradient * g * g;  // adadelta.mean_square_gradient
        v_[i] = store(v);
        real delta = sqrt(u + eps) / sqrt(v + eps) * g;  // adadelta.step
        u = rho * u + _mean_square_step * delta * delta;  // adadelta.mean_square_step
        u_[i] = store(u);
        theta = theta + _update * delta;  // adadelta.update
        theta_[i] = store(theta);
    }
}

#include "launch.h"
