// GENERATED from spec/algorithms/adan.py (dialect adan/release) by
//     python -m instep.reference.generate
//
// Adan, lane by lane: one pass over memory. Of x, `x_` is the array and `x` the value in a
// lane. Names in capitals are switches, set when this file is compiled:
//
//     MAXIMIZE     maximize
//     NO_PROX      no_prox
//     LAST_ABSENT  state.get("previous_grad") is None
//     NOT_NO_PROX  not no_prox
#include "lanes.h"

enum { ARRAYS = 6 };

static void step(void *const *at, const double *number, long begin, long end)
{
    stored *restrict theta_ = at[0];  // the parameter
    const stored *restrict grad_ = at[1];  // its gradient
    stored *restrict m_ = at[2];  // exp_avg
    stored *restrict v_ = at[3];  // exp_avg_diff
    stored *restrict n_ = at[4];  // exp_avg_sq
    stored *restrict last_ = at[5];  // previous_grad
    const real _decay = (real)number[0];  // 1 - lr * weight_decay
    const real _average_difference = (real)number[1];  // 1 - beta2
    const real beta2 = (real)number[2];
    const real _average = (real)number[3];  // 1 - beta1
    const real beta3 = (real)number[4];
    const real _average_square = (real)number[5];  // 1 - beta3
    const real _update = (real)number[6];  // -lr
    const real _first_correction = (real)number[7];  // 1 - beta1**t
    const real _update_2 = (real)number[8];  // beta2 / _second_correction
    const real _update_3 = (real)number[9];  // math.sqrt(_third_correction)
    const real eps = (real)number[10];
    const real _decay_2 = (real)number[11];  // 1 + lr * weight_decay

    SIMD
    for (long i = begin; i < end; i++) {
        real grad = load(grad_[i]);
        real theta = load(theta_[i]);
        real m = load(m_[i]);
        real v = load(v_[i]);
        real n = load(n_[i]);
        real g;
        if (MAXIMIZE) {
            g = -grad;  // adan.gradient@yes
        } else {
            g = grad;  // adan.gradient@no
        }
        if (NO_PROX) {
            theta = theta * _decay;  // adan.decay@decoupled
        }
        real difference;
        if (LAST_ABSENT) {
            difference = 0 * g;  // adan.difference@first
        } else {
            real last = load(last_[i]);
            difference = g - last;  // adan.difference
        }
        v = lerp(v, difference, _average_difference);  // adan.average_difference
        v_[i] = store(v);
        real y = g + beta2 * difference;  // adan.look_ahead
        m = lerp(m, g, _average);  // adan.average
        m_[i] = store(m);
        n = beta3 * n + _average_square * y * y;  // adan.average_square
        n_[i] = store(n);
        // adan.first_correction@bias, adan.second_correction@bias, adan.third_correction@bias, adan.update
        theta = theta + _update * (m / _first_correction + _update_2 * v) / (sqrt(n) / _update_3 + eps);
        theta_[i] = store(theta);
        real last = g;  // adan.last_gradient
        last_[i] = store(last);
        if (NOT_NO_PROX) {
            theta = theta / _decay_2;  // adan.decay@prox
            theta_[i] = store(theta);
        }
    }
}

#include "launch.h"
