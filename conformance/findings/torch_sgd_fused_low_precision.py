"""torch.optim.SGD(fused=True) leaves most bfloat16 and float16 parameters where they are, on a CPU.

Package: torch 2.13.0 (also 2.12.1).
Found by: sgd/precision/bfloat16 and sgd/precision/float16.
Requirement: with fused=True every lane moves by lr times its direction.
Observed: complete SIMD blocks are never stored; only the scalar tail of a parameter moves.
Reported: https://github.com/pytorch/pytorch/issues/191763
"""

import torch

for dtype in (torch.bfloat16, torch.float16):
    p = torch.nn.Parameter(torch.ones(67, dtype=dtype))
    p.grad = torch.ones_like(p)
    torch.optim.SGD([p], lr=0.5, fused=True).step()
    stuck = int((p.detach() == 1).sum())
    assert stuck == 0, f"{dtype}: {stuck} of 67 lanes did not move"
