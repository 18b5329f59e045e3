// GENERATED from spec/transforms/lookahead.py and spec/algorithms/radam.py (dialect ranger/radam) by
//     python -m instep.reference.generate
//
// Ranger, lane by lane: one pass over memory. Of x, `x_` is the array and `x` the value in a
// lane. Names in capitals are switches, set when this file is compiled:
//
//     MAXIMIZE           maximize
//     RHO_ABOVE_RHO_MIN  rho > rho_min
//     T_MODULO_K_IS_0    t % k == 0
#include "lanes.h"

enum { ARRAYS = 5 };

static void step(void *const *at, const double *number, long begin, long end)
{
    stored *restrict theta_ = at[0];  // the parameter
    const stored *restrict grad_ = at[1];  // its gradient
    stored *restrict slow_ = at[2];  // slow_buffer
    stored *restrict m_ = at[3];  // exp_avg
    stored *restrict v_ = at[4];  // exp_avg_sq
    const real _decay = (real)number[0];  // 1 - lr * weight_decay
    const real _first_moment = (real)number[1];  // 1 - beta1
    const real beta2 = (real)number[2];
    const real _second_moment = (real)number[3];  // 1 - beta2
    const real _first_correction = (real)number[4];  // 1 - beta1**t
    const real eps = (real)number[5];
    const real _denominator = (real)number[6];  // math.sqrt(1 - beta2**t)
    const real _update = (real)number[7];  // -lr * r
    const real _update_2 = (real)number[8];  // -lr
    const real alpha = (real)number[9];

    SIMD
    for (long i = begin; i < end; i++) {
        real grad = load(grad_[i]);
        real theta = load(theta_[i]);
        real slow = load(slow_[i]);
        real m = load(m_[i]);
        real v = load(v_[i]);
        real g;
        if (MAXIMIZE) {
            g = -grad;  // ranger.radam.gradient@yes
        } else {
            g = grad;  // ranger.radam.gradient@no
        }
        theta = theta * _decay;  // ranger.radam.decay
        m = lerp(m, g, _first_moment);  // ranger.radam.first_moment
        m_[i] = store(m);
        v = beta2 * v + _second_moment * g * g;  // ranger.radam.second_moment
        v_[i] = store(v);
        real m_hat = m / _first_correction;  // ranger.radam.first_correction
        if (RHO_ABOVE_RHO_MIN) {
            real d = (sqrt(v) + eps) / _denominator;  // ranger.radam.denominator@hat
            theta = theta + _update * m_hat / d;  // ranger.radam.update
            theta_[i] = store(theta);
        } else {
            theta = theta + _update_2 * m_hat;  // ranger.radam.update@unrectified
            theta_[i] = store(theta);
        }
        if (T_MODULO_K_IS_0) {
            slow = slow + alpha * (theta - slow);  // ranger.slow_weights
            slow_[i] = store(slow);
            theta = slow;  // ranger.synchronise
            theta_[i] = store(theta);
        }
    }
}

#include "launch.h"
