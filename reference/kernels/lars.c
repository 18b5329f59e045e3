// GENERATED from spec/algorithms/lars.py (dialect lars/paper) by
//     python -m instep.reference.generate
//
// LARS: what each tensor comes to as a whole, then its lanes. Of x, `x_` is the array and `x`
// the value in a lane. Names in capitals are switches, set when this file is compiled:
//
//     MAXIMIZE  maximize
//     B_ABSENT  state.get("momentum_buffer") is None
//     NESTEROV  nesterov
#include "lanes.h"

enum { ARRAYS = 3 };
#define SUMS 2
#define SCALARS 1

static void sums(void *const *at, const double *number, long begin, long end, double *sum)
{
    const stored *restrict theta_ = at[0];  // the parameter
    const stored *restrict grad_ = at[1];  // its gradient

    double _weight_norm = 0, _gradient_norm = 0;
    SIMD_SUM(_weight_norm, _gradient_norm)
    for (long i = begin; i < end; i++) {
        real grad = load(grad_[i]);
        real theta = load(theta_[i]);
        real g;
        if (MAXIMIZE) {
            g = -grad;  // lars.gradient@yes
        } else {
            g = grad;  // lars.gradient@no
        }
        _weight_norm += theta * theta;
        _gradient_norm += g * g;
    }
    sum[0] = _weight_norm;
    sum[1] = _gradient_norm;
}

static void whole(
    void *const *at, const double *number, const double *sum, long lanes, double *scalar)
{
    const real trust = (real)number[0];
    const real weight_decay = (real)number[1];
    const real _weight_norm = (real)sum[0];
    const real _gradient_norm = (real)sum[1];
    real w_norm = sqrt(_weight_norm);  // lars.weight_norm
    real g_norm = sqrt(_gradient_norm);  // lars.gradient_norm
    // lars.trust_ratio@sum
    real trust_ratio = w_norm > 0 && g_norm > 0 ? trust * w_norm / (g_norm + weight_decay * w_norm) : 1;
    scalar[0] = trust_ratio;
}

static void step(
    void *const *at, const double *number, const double *scalar, long begin, long end)
{
    stored *restrict theta_ = at[0];  // the parameter
    const stored *restrict grad_ = at[1];  // its gradient
    stored *restrict b_ = at[2];  // momentum_buffer
    const real weight_decay = (real)number[1];
    const real lr = (real)number[2];
    const real mu = (real)number[3];
    const real trust_ratio = (real)scalar[0];

    SIMD
    for (long i = begin; i < end; i++) {
        real grad = load(grad_[i]);
        real theta = load(theta_[i]);
        real g;
        if (MAXIMIZE) {
            g = -grad;  // lars.gradient@yes
        } else {
            g = grad;  // lars.gradient@no
        }
        real d = trust_ratio * (g + weight_decay * theta);  // lars.direction
        real b;
        if (B_ABSENT) {
            b = lr * d;  // lars.buffer@inside
            b_[i] = store(b);
        } else {
            b = load(b_[i]);
            b = mu * b + lr * d;  // lars.buffer@inside
            b_[i] = store(b);
        }
        real s;
        if (NESTEROV) {
            s = lr * d + mu * b;  // lars.step@inside
        } else {
            s = b;  // lars.step@buffer
        }
        theta = theta - s;  // lars.update@inside
        theta_[i] = store(theta);
    }
}

#include "launch.h"
