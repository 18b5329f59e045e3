// GENERATED from spec/algorithms/rmsprop.py (dialect rmsprop/torch) by
//     python -m instep.reference.generate
//
// RMSprop, lane by lane: one pass over memory. Of x, `x_` is the array and `x` the value in a
// lane. Names in capitals are switches, set when this file is compiled:
//
//     MAXIMIZE          maximize
//     WEIGHT_DECAY      weight_decay != 0
//     CENTERED          centered
//     MOMENTUM_ABOVE_0  momentum > 0
//     B_ABSENT          state.get("momentum_buffer") is None
#include "lanes.h"

enum { ARRAYS = 5 };

static void step(void *const *at, const double *number, long begin, long end)
{
    stored *restrict theta_ = at[0];  // the parameter
    const stored *restrict grad_ = at[1];  // its gradient
    stored *restrict v_ = at[2];  // square_avg
    stored *restrict b_ = at[3];  // momentum_buffer
    stored *restrict g_avg_ = at[4];  // grad_avg
    const real weight_decay = (real)number[0];
    const real alpha = (real)number[1];
    const real _mean_square = (real)number[2];  // 1 - alpha
    const real _mean_gradient = (real)number[3];  // 1 - alpha
    const real eps = (real)number[4];
    const real momentum = (real)number[5];
    const real _update = (real)number[6];  // -lr
    const real _update_2 = (real)number[7];  // -lr

    SIMD
    for (long i = begin; i < end; i++) {
        real grad = load(grad_[i]);
        real theta = load(theta_[i]);
        real v = load(v_[i]);
        real g;
        if (MAXIMIZE) {
            g = -grad;  // rmsprop.gradient@yes
        } else {
            g = grad;  // rmsprop.gradient@no
        }
        if (WEIGHT_DECAY) {
            g = g + weight_decay * theta;  // rmsprop.l2
        }
        v = alpha * v + _mean_square * g * g;  // rmsprop.mean_square
        v_[i] = store(v);
        real n;
        if (CENTERED) {
            real g_avg = load(g_avg_[i]);
            g_avg = lerp(g_avg, g, _mean_gradient);  // rmsprop.mean_gradient
            g_avg_[i] = store(g_avg);
            n = v - g_avg * g_avg;  // rmsprop.variance@plain
        } else {
            n = v;  // rmsprop.variance
        }
        real d = sqrt(n) + eps;  // rmsprop.denominator@outside
        if (MOMENTUM_ABOVE_0) {
            real u = g / d;  // rmsprop.direction@outside
            real b;
            if (B_ABSENT) {
                b = u;  // rmsprop.buffer@first
                b_[i] = store(b);
            } else {
                b = load(b_[i]);
                b = momentum * b + u;  // rmsprop.buffer
                b_[i] = store(b);
            }
            theta = theta + _update * b;  // rmsprop.update@outside
            theta_[i] = store(theta);
        } else {
            theta = theta + _update_2 * g / d;  // rmsprop.update@plain
            theta_[i] = store(theta);
        }
    }
}

#include "launch.h"
